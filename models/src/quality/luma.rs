//! The luma of an aligned crop, computed once for every component that asks for it.

use crate::{align::SIDE, image::Rgb};

/// Side of the crop as an index.
const WIDTH: usize = SIDE as usize;

/// A part of the crop, in its pixels; right and bottom are not in it.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) left: usize,
    pub(super) top: usize,
    pub(super) right: usize,
    pub(super) bottom: usize,
}

/// The inner face: from the forehead to the chin, where hair and background are not.
pub(super) const INNER_FACE: Part =
    Part { left: WIDTH / 4, top: WIDTH / 4, right: WIDTH * 3 / 4, bottom: WIDTH * 9 / 10 };

/// Luma (ITU-R BT.601) of a crop of 112×112, 0..=255, row by row.
pub(super) struct Luma(Vec<f32>);

impl Luma {
    /// `None`: this is no aligned crop.
    pub(super) fn of(crop: &Rgb) -> Option<Self> {
        let pixels = WIDTH * WIDTH;
        if crop.size.width != SIDE || crop.size.height != SIDE || crop.data.len() != 3 * pixels {
            return None;
        }
        let (red, rest) = crop.data.split_at(pixels);
        let (green, blue) = rest.split_at(pixels);
        let mix = |((r, g), b): ((&f32, &f32), &f32)| 0.299 * r + 0.587 * g + 0.114 * b;
        Some(Self(red.iter().zip(green).zip(blue).map(mix).collect()))
    }

    /// Row `y` of the whole crop.
    pub(super) fn row(&self, y: usize) -> &[f32] {
        &self.0[y * WIDTH..][..WIDTH]
    }

    /// How many pixels of `part` have each value, rounded down.
    pub(super) fn histogram(&self, part: Part) -> [u32; 256] {
        let mut counts = [0; 256];
        for y in part.top..part.bottom {
            for value in &self.row(y)[part.left..part.right] {
                counts[value.clamp(0.0, 255.0) as usize] += 1;
            }
        }
        counts
    }
}

impl Part {
    /// Its pixels.
    pub(super) const fn pixels(self) -> u32 {
        ((self.right - self.left) * (self.bottom - self.top)) as u32
    }
}
