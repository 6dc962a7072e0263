//! How large people are in a camera's picture, learned from those who walk alone.
//!
//! A floor seen from above makes people larger the lower they stand, in a straight line. The line is fitted to blobs that
//! have one person's shape (Theil–Sen: the median of slopes between pairs, which a third of wrong ones does not move).

use crate::flow::count::motion::shape::{BREADTH, Stature};
use std::collections::VecDeque;

/// Width over height of one person's blob, at least and at most: two abreast are wider, a dog is.
const SHAPE: (f32, f32) = (0.22, 0.52);
/// The upper part of a blob, where no shadow lies, and the least share of it that a person's blob fills.
const UPPER: f32 = 0.62;
const FILLED: f32 = 0.5;
/// Least height of a person's blob, as a part of the picture's.
const LEAST: f32 = 0.08;
/// Blobs before they are believed, and blobs remembered.
const ENOUGH: usize = 40;
const MOST: usize = 240;
/// A box is so wide beside the blob of somebody whose arms swing; and people's least and largest breadth.
const WIDE: f32 = 0.96;
const BREADTHS: (f32, f32) = (0.25, 0.42);
/// Blobs between two fits.
const EVERY: usize = 20;

/// Learns how large people are.
pub struct Statures {
    /// Foot, height and width of lone people.
    samples: VecDeque<(f32, f32, f32)>,
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
        let told =
            |(y, height): (f32, f32)| Stature { at: height / 2.0, slope: height / 2.0 / y.max(1.0), breadth: BREADTH };
        self.fitted.or(self.told.map(told))
    }

    /// Takes in the blobs of a mask.
    pub fn learn(&mut self, mask: &[bool], width: usize, height: usize) {
        for blob in blobs(mask, width, height) {
            let shape = blob.wide / blob.height();
            let inside = blob.left > 1 && blob.top > 1 && blob.right + 2 < width && blob.bottom + 2 < height;
            let is_large = blob.height() >= LEAST * height as f32;
            if inside && is_large && (SHAPE.0..SHAPE.1).contains(&shape) && blob.filled >= FILLED {
                self.samples.push_back((blob.bottom as f32 + 1.0, blob.height(), blob.wide));
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
        if let Some((y, tall)) = self.told {
            // What a person said is surer than what a crowd, in which people hide each other's legs, looks like; only how
            // fast people grow is learned. A sample tells that the better, the farther it is from the place.
            let far = self.samples.iter().filter(|(other, ..)| (other - y).abs() > height / 12.0);
            slopes.extend(far.map(|(other, of, _)| (of - tall) / (other - y)));
        } else {
            for (i, (y, of, _)) in self.samples.iter().enumerate() {
                let others = self.samples.iter().skip(i + 1).step_by(3);
                let others = others.filter(|(other, ..)| (other - y).abs() > height / 20.0);
                slopes.extend(others.map(|(other, tall, _)| (tall - of) / (other - y)));
            }
        }
        // Everybody at one place tells nothing of the slope: as told, or none.
        let slope =
            if slopes.len() >= ENOUGH { median(&mut slopes) } else { self.now().map_or(0.0, |known| known.slope) };
        let slope = slope.clamp(0.0, 1.5);
        let at = match self.told {
            Some((y, tall)) => tall - slope * y,
            None => median(&mut self.samples.iter().map(|(y, of, _)| of - slope * y).collect::<Vec<f32>>()),
        };
        let breadth = median(&mut self.samples.iter().map(|(_, tall, wide)| wide / tall).collect::<Vec<f32>>());
        let breadth = (WIDE * breadth).clamp(BREADTHS.0, BREADTHS.1);
        self.fitted = Some(Stature { at, slope, breadth });
    }
}

fn median(values: &mut [f32]) -> f32 {
    let middle = values.len() / 2;
    *values.select_nth_unstable_by(middle, f32::total_cmp).1
}

/// Pixels that hang together, and how wide they are without what lies on the floor.
struct Blob {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    /// Width of the upper part, pixels, and the share of it that is filled.
    wide: f32,
    filled: f32,
}

impl Blob {
    fn height(&self) -> f32 {
        (self.bottom - self.top + 1) as f32
    }

    /// Measures the upper part of these pixels: shadows lie at the feet.
    fn measure(&mut self, pixels: &[usize], width: usize) {
        let end = self.top + (UPPER * self.height()) as usize;
        let upper = || pixels.iter().filter(|at| **at / width <= end).map(|at| at % width);
        let (Some(left), Some(right)) = (upper().min(), upper().max()) else { return };
        self.wide = (right - left + 1) as f32;
        self.filled = upper().count() as f32 / (self.wide * (end - self.top + 1) as f32);
    }
}

fn blobs(mask: &[bool], width: usize, height: usize) -> Vec<Blob> {
    let (mut left, mut blobs, mut pixels) = (mask.to_vec(), Vec::new(), Vec::new());
    for start in 0..mask.len() {
        if !left[start] {
            continue;
        }
        let (x, y) = (start % width, start / width);
        let mut blob = Blob { left: x, top: y, right: x, bottom: y, wide: 0.0, filled: 0.0 };
        left[start] = false;
        pixels.clear();
        pixels.push(start);
        let mut next = 0;
        while let Some(at) = pixels.get(next).copied() {
            next += 1;
            let (x, y) = (at % width, at / width);
            (blob.left, blob.right) = (blob.left.min(x), blob.right.max(x));
            (blob.top, blob.bottom) = (blob.top.min(y), blob.bottom.max(y));
            let mut go = |at: usize| {
                if left[at] {
                    left[at] = false;
                    pixels.push(at);
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
        blob.measure(&pixels, width);
        blobs.push(blob);
    }
    blobs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::count::motion::shape::{Body, PARTS, pixels};

    /// Somebody alone, walking down the picture again and again; a shadow lies at their feet.
    fn learned(told: Option<(f32, f32)>, truth: &Stature) -> Stature {
        let mut statures = Statures::new(told);
        for i in 0..160 {
            let body = Body { x: 100.0 + (i % 7) as f32 * 20.0, y: 50.0 + (i * 5 % 110) as f32, tall: 1.0 };
            let rect = truth.rect(&body);
            let mut mask = vec![false; 320 * 180];
            for part in PARTS.into_iter().chain([[0.5, 0.96, 1.8, 1.0]]) {
                let [left, top, right, bottom] = pixels(&rect, part, 320, 180);
                (top..bottom).for_each(|y| mask[y * 320..][left..right].fill(true));
            }
            statures.learn(&mask, 320, 180);
        }
        statures.now().unwrap()
    }

    #[test]
    fn how_fast_people_grow_is_learned_and_their_height_where_it_was_told_is_kept() {
        let truth = Stature { at: 2.0, slope: 0.35, breadth: 0.3 };
        let learned = learned(Some((108.0, truth.height(108.0))), &truth);
        assert!((learned.height(108.0) - truth.height(108.0)).abs() < 0.01);
        assert!((learned.slope - truth.slope).abs() < 0.04, "{learned:?}");
        assert!((learned.breadth - truth.breadth).abs() < 0.05, "{learned:?}");
    }

    #[test]
    fn whoever_walks_alone_tells_how_large_people_are() {
        let truth = Stature { at: 18.0, slope: 0.2, breadth: 0.36 };
        let learned = learned(None, &truth);
        for y in [60.0, 110.0, 160.0] {
            let off = learned.height(y) / truth.height(y) - 1.0;
            assert!(off.abs() < 0.06, "{y}: {off}");
        }
    }

    #[test]
    fn before_anybody_was_seen_only_what_was_told_is_known() {
        assert_eq!(Statures::new(None).now(), None);
        assert_eq!(Statures::new(Some((100.0, 40.0))).now().unwrap().height(100.0), 40.0);
    }
}
