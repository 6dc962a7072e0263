//! The change measure: whether a picture shows what was not there before.
//!
//! Two pictures of one camera are compared on a grid of luma samples, cell by cell of 4 x 4 samples: the mean absolute
//! difference of a cell is held against what the quiet quarter of the picture does by itself (sensor noise,
//! compression). Only the quiet quarter, since a person close by may fill more than half of the picture; and never
//! against more than `MOST`, so that noise can make a picture look changed, and cost a detection, but not make a
//! person look like noise.

use usher_models::image::{Planes, Size, View};

/// Samples across a picture, at least: a cell is then five to six pixels of a detector's picture 640 wide, so that the
/// smallest face it finds covers two cells wholly, wherever it stands.
const ACROSS: u32 = 400;
/// Samples of a cell in each direction.
const CELL: usize = 4;
/// Samples of a cell.
const SAMPLES: f32 = (CELL * CELL) as f32;
/// How far a changed cell is above the quiet quarter: five standard deviations of the mean of sixteen noisy samples.
const ABOVE_NOISE: f32 = 2.2;
/// And by how many grey levels more: rounding, and a lamp that flickers.
const LEAST: f32 = 1.5;
/// Grey levels that are a change whatever the noise.
const MOST: f32 = 8.0;
/// Changed cells that make a changed picture: a single one is a speck.
const CELLS: usize = 2;

/// A picture's luma, thinned out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grid {
    size: Size,
    columns: usize,
    samples: Vec<u8>,
}

impl Grid {
    /// The grid of a decoded picture; `None` for pictures without a luma plane, or too small for a cell.
    pub fn of(view: &View<'_>) -> Option<Self> {
        let luma = match &view.planes {
            Planes::Nv12 { luma, .. } | Planes::I420 { luma, .. } => luma,
            Planes::Rgb(_) => return None,
        };
        let step = (view.size.width / ACROSS).max(1) as usize;
        let (width, height) = (view.size.width as usize, view.size.height as usize);
        let (columns, rows) = (width.div_ceil(step) / CELL * CELL, height.div_ceil(step) / CELL * CELL);
        let mut samples = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            let from = row * step * luma.stride;
            samples.extend(luma.data.get(from..from + width)?.iter().step_by(step).take(columns));
        }
        (!samples.is_empty()).then_some(Self { size: view.size, columns, samples })
    }

    /// Whether this picture shows what `before` did not. Pictures of two sizes differ.
    pub fn differs(&self, before: &Self) -> bool {
        if self.size != before.size {
            return true;
        }
        let mut cells = self.cells(before);
        let quarter = cells.len() / 4;
        let noise = f32::from(*cells.select_nth_unstable(quarter).1) / SAMPLES;
        let bar = ((ABOVE_NOISE * noise + LEAST).min(MOST) * SAMPLES) as u16;
        cells.iter().filter(|cell| **cell >= bar).count() >= CELLS
    }

    /// The sum of absolute differences of each cell, at most 16 x 255.
    fn cells(&self, before: &Self) -> Vec<u16> {
        let mut cells = Vec::with_capacity(self.samples.len() / (CELL * CELL));
        let mut sums = vec![0u16; self.columns];
        let band = self.columns * CELL;
        for (now, then) in self.samples.chunks_exact(band).zip(before.samples.chunks_exact(band)) {
            sums.fill(0);
            for (now, then) in now.chunks_exact(self.columns).zip(then.chunks_exact(self.columns)) {
                for ((sum, now), then) in sums.iter_mut().zip(now).zip(then) {
                    *sum += u16::from(now.abs_diff(*then));
                }
            }
            cells.extend(sums.chunks_exact(CELL).map(|cell| cell.iter().sum::<u16>()));
        }
        cells
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;
    use usher_models::image::{Matrix, Plane, Range};

    /// A hall with edges and slopes, and `noise` grey levels to each side on every pixel.
    fn hall(size: Size, noise: i16, seed: u64) -> Vec<u8> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let width = size.width as usize;
        let value = |i: usize| {
            let (x, y) = (i % width, i / width);
            90 + (x / 16 % 40) as i16 + (y / 90 % 3) as i16 * 20
        };
        let grain = |value: i16, dice: &mut ChaCha8Rng| (value + dice.random_range(-noise..=noise)).clamp(0, 255) as u8;
        (0..width * size.height as usize).map(|i| grain(value(i), &mut dice)).collect()
    }

    fn grid(luma: &[u8], size: Size) -> Grid {
        let chroma = vec![128; luma.len() / 2];
        let (luma, u) = (Plane { data: luma, stride: size.width as usize }, size.width as usize / 2);
        let chroma = Plane { data: &chroma, stride: u * 2 };
        let view = View { size, planes: Planes::Nv12 { luma, chroma }, matrix: Matrix::Bt709, range: Range::Limited };
        Grid::of(&view).unwrap()
    }

    const SIZES: [Size; 3] =
        [Size { width: 640, height: 360 }, Size { width: 1280, height: 720 }, Size { width: 1920, height: 1080 }];

    #[test]
    fn a_picture_equals_itself() {
        for size in SIZES {
            let picture = grid(&hall(size, 3, 1), size);
            assert!(!picture.differs(&picture));
        }
    }

    #[test]
    fn a_person_who_fills_the_picture_is_no_noise() {
        let size = SIZES[1];
        let (before, mut now) = (hall(size, 3, 1), hall(size, 3, 2));
        for row in now.chunks_exact_mut(1280) {
            row[200..1150].iter_mut().for_each(|value| *value = value.saturating_sub(30));
        }
        assert!(grid(&now, size).differs(&grid(&before, size)));
    }

    #[test]
    fn another_size_is_another_picture() {
        assert!(grid(&hall(SIZES[0], 0, 1), SIZES[0]).differs(&grid(&hall(SIZES[1], 0, 1), SIZES[1])));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        #[test]
        fn noise_alone_is_no_change(which in 0..SIZES.len(), noise in 0i16..6, seed: u64) {
            let size = SIZES[which];
            prop_assert!(!grid(&hall(size, noise, seed), size).differs(&grid(&hall(size, noise, seed ^ 1), size)));
        }

        /// 45 x 60 pixels: the box of a face with 20 pixels between the eyes, the smallest that is compared.
        #[test]
        fn a_faint_patch_of_the_smallest_face_is_always_a_change(
            which in 0..SIZES.len(), noise in 0i16..6, seed: u64, x in 0f32..1.0, y in 0f32..1.0,
            faint in 12i16..40, is_darker: bool,
        ) {
            let size = SIZES[which];
            let (before, mut now) = (hall(size, noise, seed), hall(size, noise, seed ^ 1));
            let (left, top) = ((x * (size.width - 45) as f32) as usize, (y * (size.height - 60) as f32) as usize);
            for row in now.chunks_exact_mut(size.width as usize).skip(top).take(60) {
                for value in &mut row[left..left + 45] {
                    *value = (i16::from(*value) + if is_darker { -faint } else { faint }).clamp(0, 255) as u8;
                }
            }
            prop_assert!(grid(&now, size).differs(&grid(&before, size)));
        }
    }
}
