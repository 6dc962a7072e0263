//! Words in a picture: a small alphabet drawn once from Inter (SIL Open Font License 1.1).
//!
//! `label.png` holds the printable ASCII characters and `·`, side by side in cells of [`CELL`] pixels; the first row of a
//! cell is white for as many pixels as the character is wide. `pipeline/web/label.mjs` makes it.

use image::{GrayImage, Pixel as _, Rgb, RgbImage};
use std::sync::LazyLock;

/// Height of a line, in pixels.
pub(super) const HEIGHT: i32 = 26;
/// Width of a character's cell, in pixels.
const CELL: u32 = 24;

static ALPHABET: LazyLock<GrayImage> = LazyLock::new(|| {
    let png = include_bytes!("label.png");
    image::load_from_memory_with_format(png, image::ImageFormat::Png)
        .expect("the alphabet is part of the binary and a test reads it")
        .into_luma8()
});

/// Width of `words` in pixels.
pub(super) fn width(words: &str) -> i32 {
    words.chars().map(|c| advance(place(c)) as i32).sum()
}

/// Writes `words` with their top left corner at (`x`, `y`); what falls outside the picture is left out.
pub(super) fn write(picture: &mut RgbImage, x: i32, y: i32, words: &str, ink: Rgb<u8>) {
    let mut left = x;
    for c in words.chars() {
        let place = place(c);
        for (dy, dx) in (0..HEIGHT).flat_map(|dy| (0..CELL as i32).map(move |dx| (dy, dx))) {
            let cover = ALPHABET.get_pixel(place * CELL + dx as u32, dy as u32 + 1).0[0];
            let (px, py) = (left + dx, y + dy);
            if cover == 0 || px < 0 || py < 0 || px >= picture.width() as i32 || py >= picture.height() as i32 {
                continue;
            }
            let pixel = picture.get_pixel_mut(px as u32, py as u32);
            let mix = |under: u8, over: u8| {
                ((u32::from(under) * u32::from(255 - cover) + u32::from(over) * u32::from(cover)) / 255) as u8
            };
            *pixel = pixel.map2(&ink, mix);
        }
        left += advance(place) as i32;
    }
}

/// Which cell; characters that are not there are drawn as `?`.
fn place(c: char) -> u32 {
    match c {
        ' '..='~' => u32::from(c) - 32,
        '·' => 95,
        _ => u32::from('?') - 32,
    }
}

fn advance(place: u32) -> usize {
    (0..CELL).take_while(|dx| ALPHABET.get_pixel(place * CELL + dx, 0).0[0] > 127).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_has_a_width_and_all_but_the_space_have_ink() {
        assert_eq!((ALPHABET.width(), ALPHABET.height()), (96 * CELL, HEIGHT as u32 + 1));
        for place in 0..96 {
            assert!((3..=23).contains(&advance(place)), "{place}");
            let inked =
                (0..CELL).any(|dx| (1..=HEIGHT as u32).any(|y| ALPHABET.get_pixel(place * CELL + dx, y).0[0] > 200));
            assert_eq!(inked, place != 0, "{place}");
        }
    }

    #[test]
    fn words_over_the_edge_are_cut() {
        let mut picture = RgbImage::new(30, 10);
        write(&mut picture, -20, -8, "welcomed · ü", Rgb([255, 255, 255]));
        write(&mut picture, 25, 5, "W", Rgb([255, 255, 255]));
        assert!(picture.pixels().any(|pixel| pixel.0[0] > 200));
    }
}
