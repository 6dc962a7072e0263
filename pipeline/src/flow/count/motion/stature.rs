//! How large people are in a camera's picture, learned from those who walk alone.
//!
//! A floor seen from above makes people larger the lower they stand, in a straight line. The line is fitted to blobs that
//! have one person's shape (Theil–Sen: the median of slopes between pairs, which a third of wrong ones does not move).

use crate::flow::count::motion::bodies::Stature;
use std::collections::VecDeque;

/// Width over height of one person's blob, at least and at most: two abreast are wider, a dog is.
const SHAPE: (f32, f32) = (0.22, 0.52);
/// Least share of its box that a person's blob fills.
const FILLED: f32 = 0.42;
/// Least height of a person's blob, as a part of the picture's.
const LEAST: f32 = 0.08;
/// Blobs before they are believed, and blobs remembered.
const ENOUGH: usize = 40;
const MOST: usize = 240;
/// Blobs between two fits.
const EVERY: usize = 20;

/// Learns how large people are.
pub struct Statures {
    samples: VecDeque<(f32, f32)>,
    fresh: usize,
    /// What was said in the configuration: height at a place, pixels.
    told: Option<(f32, f32)>,
    fitted: Option<Stature>,
}

impl Statures {
    /// Begins with what the configuration says: height of somebody whose feet are at `y`, both pixels.
    pub fn new(told: Option<(f32, f32)>) -> Self {
        Self { samples: VecDeque::new(), fresh: 0, told, fitted: None }
    }

    /// How large people are, as far as is known; before anybody was seen and where nothing was told, `None`.
    pub fn now(&self) -> Option<Stature> {
        // Told: as seen by a camera whose horizon is as far above the picture as the place is below its upper edge.
        let told = |(y, height): (f32, f32)| Stature { at: height / 2.0, slope: height / 2.0 / y.max(1.0) };
        self.fitted.or(self.told.map(told))
    }

    /// Takes in the blobs of a mask.
    pub fn learn(&mut self, mask: &[bool], width: usize, height: usize) {
        // What a person said is surer than what a crowd, in which people hide each other's legs, looks like.
        if self.told.is_some() {
            return;
        }
        for blob in blobs(mask, width, height) {
            let shape = blob.width() / blob.height();
            let filled = blob.pixels as f32 / (blob.width() * blob.height());
            let inside = blob.left > 1 && blob.top > 1 && blob.right + 2 < width && blob.bottom + 2 < height;
            let is_large = blob.height() >= LEAST * height as f32;
            if inside && is_large && (SHAPE.0..SHAPE.1).contains(&shape) && filled >= FILLED {
                self.samples.push_back((blob.bottom as f32 + 1.0, blob.height()));
                self.fresh += 1;
            }
        }
        while self.samples.len() > MOST {
            self.samples.pop_front();
        }
        if self.samples.len() >= ENOUGH && self.fresh >= EVERY {
            self.fresh = 0;
            self.fit(height as f32);
        }
    }

    fn fit(&mut self, height: f32) {
        let mut slopes = Vec::new();
        for (i, (y, of)) in self.samples.iter().enumerate() {
            let others =
                self.samples.iter().skip(i + 1).step_by(3).filter(|(other, _)| (other - y).abs() > height / 20.0);
            slopes.extend(others.map(|(other, tall)| (tall - of) / (other - y)));
        }
        // Everybody at one place tells nothing of the slope: as told, or none.
        let slope =
            if slopes.len() >= ENOUGH { median(&mut slopes) } else { self.now().map_or(0.0, |known| known.slope) };
        let slope = slope.clamp(0.0, 1.5);
        let mut offs: Vec<f32> = self.samples.iter().map(|(y, of)| of - slope * y).collect();
        let at = median(&mut offs);
        self.fitted = Some(Stature { at, slope });
    }
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Pixels that hang together.
struct Blob {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    pixels: usize,
}

impl Blob {
    fn width(&self) -> f32 {
        (self.right - self.left + 1) as f32
    }

    fn height(&self) -> f32 {
        (self.bottom - self.top + 1) as f32
    }
}

fn blobs(mask: &[bool], width: usize, height: usize) -> Vec<Blob> {
    let (mut left, mut blobs, mut open) = (mask.to_vec(), Vec::new(), Vec::new());
    for start in 0..mask.len() {
        if !left[start] {
            continue;
        }
        let (x, y) = (start % width, start / width);
        let mut blob = Blob { left: x, top: y, right: x, bottom: y, pixels: 0 };
        left[start] = false;
        open.push(start);
        while let Some(at) = open.pop() {
            let (x, y) = (at % width, at / width);
            blob.pixels += 1;
            (blob.left, blob.right) = (blob.left.min(x), blob.right.max(x));
            (blob.top, blob.bottom) = (blob.top.min(y), blob.bottom.max(y));
            let mut go = |at: usize| {
                if left[at] {
                    left[at] = false;
                    open.push(at);
                }
            };
            if x > 0 {
                go(at - 1);
            }
            if x + 1 < width {
                go(at + 1);
            }
            if y > 0 {
                go(at - width);
            }
            if y + 1 < height {
                go(at + width);
            }
        }
        blobs.push(blob);
    }
    blobs
}
