//! The face beside a greeting: a small JPEG of the live crop.

use crate::infer::sighting::Portrait;
use image::{RgbImage, codecs::jpeg::JpegEncoder, imageops};

/// Longest side of the picture sent, in pixels; enough for a third of a full-HD screen.
const SIDE_PX: u32 = 320;
/// Most bytes of the picture sent.
const MOST_BYTES: usize = 48 * 1024;

/// `portrait` as a JPEG of at most 320 x 320 pixels and 48 KiB; `None` when it holds no picture.
pub(crate) fn jpeg_of(portrait: &Portrait) -> Option<Vec<u8>> {
    let (width, height) = (portrait.width, portrait.height);
    if width == 0 || height == 0 {
        return None;
    }
    let picture = RgbImage::from_raw(width, height, portrait.rgb.to_vec())?;
    let longest = width.max(height);
    let picture = if longest > SIDE_PX {
        let scaled = |side: u32| (u64::from(side) * u64::from(SIDE_PX) / u64::from(longest)).max(1) as u32;
        imageops::resize(&picture, scaled(width), scaled(height), imageops::FilterType::Triangle)
    } else {
        picture
    };
    // Quality 80 of such a picture is about 20 KiB; noise may need less of it.
    [80, 60, 40, 20, 5].into_iter().find_map(|quality| {
        let mut bytes = Vec::with_capacity(MOST_BYTES);
        JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&picture).ok()?;
        (bytes.len() <= MOST_BYTES).then_some(bytes)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    fn portrait(width: u32, height: u32, rgb: Vec<u8>) -> Portrait {
        Portrait { width, height, rgb: rgb.into() }
    }

    #[test]
    fn a_picture_of_noise_still_fits() {
        let mut noise = vec![0; 700 * 500 * 3];
        rand_chacha::ChaCha8Rng::seed_from_u64(1).fill_bytes(&mut noise);
        let jpeg = jpeg_of(&portrait(700, 500, noise)).unwrap();
        assert!(jpeg.len() <= MOST_BYTES);
        let picture = image::load_from_memory(&jpeg).unwrap();
        assert_eq!((picture.width(), picture.height()), (320, 228));
    }

    #[test]
    fn no_picture_is_no_face() {
        assert_eq!(jpeg_of(&Portrait::default()), None);
        assert_eq!(jpeg_of(&portrait(10, 10, vec![0; 7])), None);
    }

    #[test]
    fn a_small_picture_is_not_blown_up() {
        let jpeg = jpeg_of(&portrait(112, 112, vec![90; 112 * 112 * 3])).unwrap();
        assert_eq!(image::load_from_memory(&jpeg).unwrap().width(), 112);
    }
}
