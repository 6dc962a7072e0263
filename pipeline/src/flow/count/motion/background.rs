//! What a camera's picture is without people, and what in it is somebody.
//!
//! Each pixel has a mean and a spread that are learned (Wren et al. 1997, one Gaussian a pixel). Light that changes over the
//! whole picture is told by the median of what all pixels do, and followed at once. A shadow, or a patch of light, makes the floor
//! darker or brighter and leaves its pattern; so what is the background times one factor, all round a pixel, is not
//! somebody (as in Jacques et al. 2005). What stands still is background after some seconds, and so is the hole that it
//! leaves.

use crate::flow::count::motion::small::Small;

/// Seconds in which the background follows what it is like.
const FOLLOWS_S: f32 = 8.0;
/// Somebody who is not background yet changes it this slowly, seconds.
const THROUGH_PEOPLE_S: f32 = 240.0;
/// What stands still for so long is background, seconds: longer than people stop to find their tickets.
const STILL_S: f32 = 12.0;
/// A pixel stands still while it changes by less than this between two frames, grey levels.
const STILL_LEVELS: f32 = 7.0;
/// How far from the background somebody is: in spreads of the pixel, and at least, grey levels.
const FAR_SPREADS: f32 = 3.0;
const FAR_LEVELS: f32 = 9.0;
/// Least spread of a pixel, grey levels: a camera's noise after the mean of a square.
const LEAST_SPREAD: f32 = 1.5;
/// A shadow leaves this share of the light, a lamp adds up to that.
const SHADOW: (f32, f32) = (0.5, 1.25);
/// A pattern is left if it differs by less than this, grey levels and spreads.
const SAME_PATTERN: (f32, f32) = (1.6, 0.8);
/// Half the side of the window in which a pattern is looked at.
const WINDOW: usize = 2;

/// The background of one camera.
pub struct Background {
    width: usize,
    height: usize,
    mean: Vec<f32>,
    spread: Vec<f32>,
    before: Vec<f32>,
    still: Vec<f32>,
    /// Frames until it is known at all.
    young: u32,
    mask: Vec<bool>,
}

impl Background {
    /// The background as the first picture shows it.
    pub fn new(small: &Small) -> Self {
        let pixels = small.luma.len();
        Self {
            width: small.width,
            height: small.height,
            mean: small.luma.clone(),
            spread: vec![4.0; pixels],
            before: small.luma.clone(),
            still: vec![0.0; pixels],
            young: 10,
            mask: vec![false; pixels],
        }
    }

    /// Whether it is of pictures like `small`.
    pub fn fits(&self, small: &Small) -> bool {
        (self.width, self.height) == (small.width, small.height)
    }

    /// Takes a picture in, `passed` seconds after the one before; answers with where somebody is.
    pub fn see(&mut self, small: &Small, passed: f32) -> &[bool] {
        let gain = self.gain(small);
        self.mean.iter_mut().for_each(|mean| *mean = (*mean * gain).clamp(0.0, 255.0));
        let far: Vec<bool> = (self.mean.iter().zip(&self.spread).zip(&small.luma))
            .map(|((mean, spread), now)| (now - mean).abs() > (FAR_SPREADS * spread).max(FAR_LEVELS))
            .collect();
        let bodies = self.without_shadows(small, &far);
        clean(&bodies, self.width, self.height, &mut self.mask);
        self.learn(small, passed.clamp(0.0, 1.0), &far);
        &self.mask
    }

    /// By what factor the whole picture is brighter than the background: the median of some thousand pixels.
    fn gain(&self, small: &Small) -> f32 {
        let pairs = self.mean.iter().zip(&small.luma).step_by(23).filter(|(mean, _)| **mean > 16.0);
        let mut ratios: Vec<f32> = pairs.map(|(mean, now)| now / mean).collect();
        if ratios.len() < 50 {
            return 1.0;
        }
        let middle = ratios.len() / 2;
        let (_, median, _) = ratios.select_nth_unstable_by(middle, f32::total_cmp);
        median.clamp(0.5, 2.0)
    }

    /// Those of the pixels that are `far` from the background whose surroundings are not the background times one factor.
    fn without_shadows(&self, small: &Small, far: &[bool]) -> Vec<bool> {
        let mut bodies = vec![false; far.len()];
        for y in 0..self.height {
            for x in 0..self.width {
                let at = y * self.width + x;
                bodies[at] = far[at] && !self.is_shadow(small, x, y);
            }
        }
        bodies
    }

    fn is_shadow(&self, small: &Small, x: usize, y: usize) -> bool {
        let (rows, columns) = (window(y, self.height), window(x, self.width));
        let (mut now, mut then) = (0.0, 0.0);
        for row in rows.clone() {
            let row = row * self.width;
            for at in row + columns.start..row + columns.end {
                now += small.luma[at];
                then += self.mean[at];
            }
        }
        let factor = now / then.max(1.0);
        if !(SHADOW.0..SHADOW.1).contains(&factor) {
            return false;
        }
        let (mut off, mut spread, mut pixels) = (0.0, 0.0, 0.0);
        for row in rows {
            let row = row * self.width;
            for at in row + columns.start..row + columns.end {
                off += (small.luma[at] - factor * self.mean[at]).abs();
                spread += self.spread[at];
                pixels += 1.0;
            }
        }
        off / pixels < SAME_PATTERN.0 + SAME_PATTERN.1 * spread / pixels
    }

    fn learn(&mut self, small: &Small, passed: f32, far: &[bool]) {
        let young = self.young > 0;
        self.young = self.young.saturating_sub(1);
        for at in 0..self.mean.len() {
            let now = small.luma[at];
            let is_still = (now - self.before[at]).abs() < STILL_LEVELS;
            self.still[at] = if is_still { self.still[at] + passed } else { 0.0 };
            let seconds = match () {
                () if young => 0.3,
                // A shadow is far and no body: it goes as slowly as somebody, or every walker would leave a dark way.
                () if !(far[at] || self.mask[at]) => FOLLOWS_S,
                () if self.still[at] > STILL_S => 1.0,
                () => THROUGH_PEOPLE_S,
            };
            let share = (passed / seconds).min(0.5);
            let off = now - self.mean[at];
            self.mean[at] += share * off;
            if !far[at] {
                // The mean absolute difference is 0.8 standard deviations of what a camera's noise does.
                self.spread[at] += share * (1.25 * off.abs() - self.spread[at]);
                self.spread[at] = self.spread[at].clamp(LEAST_SPREAD, 12.0);
            }
            self.before[at] = now;
        }
    }
}

fn window(at: usize, length: usize) -> std::ops::Range<usize> {
    at.saturating_sub(WINDOW)..(at + WINDOW + 1).min(length)
}

/// Single pixels go, small holes are filled: a pixel is what most of its nine are.
fn clean(raw: &[bool], width: usize, height: usize, clean: &mut [bool]) {
    clean.fill(false);
    for y in 1..height.saturating_sub(1) {
        for x in 1..width - 1 {
            let at = y * width + x;
            let of = |row: usize| raw[row - 1..=row + 1].iter().filter(|is| **is).count();
            clean[at] = of(at - width) + of(at) + of(at + width) >= 4;
        }
    }
}
