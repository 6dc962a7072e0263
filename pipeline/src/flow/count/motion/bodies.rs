//! Bodies in a mask: where people of a known size stand so that they explain what moves.
//!
//! Whoever is followed is looked for first, near where they should be by now, the nearest to the camera before those behind;
//! what they do not explain is searched for more people, the best fit first, until nothing that is left is as large as
//! somebody. Pixels that are explained count neither for nor against those behind, so groups are told apart while they
//! hide each other.

use usher_models::image::Rect;

/// Width of somebody who walks, in their heights.
pub const WIDTH: f32 = 0.36;
/// A pixel of the floor inside of a body counts against it by this.
const AGAINST: f32 = 0.6;
/// Where somebody's feet are nobody's legs go on: what moves below counts against a body, so that of two who hide each other
/// the nearer one is found at their own feet.
const BELOW: [f32; 4] = [0.2, 1.02, 0.8, 1.14];
const AGAINST_BELOW: f32 = 0.4;
/// Least fit of somebody new, and of somebody who is followed: parts of a body's area.
const NEW: f32 = 0.34;
const FOLLOWED: f32 = 0.2;
/// How far from where they should be people are looked for, in their heights.
const NEAR: f32 = 0.12;
/// More people than this are not told apart in one picture.
const MOST: usize = 60;
/// The parts of a body: left, top, right, bottom, as parts of its width and height. Head, trunk with arms, legs.
const PARTS: [[f32; 4]; 3] = [[0.3, 0.0, 0.7, 0.16], [0.06, 0.16, 0.94, 0.58], [0.16, 0.58, 0.84, 0.98]];

/// How high somebody is whose feet are at a height of the picture: `at + slope * y`, pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stature {
    /// At the upper edge.
    pub at: f32,
    /// Per pixel downwards.
    pub slope: f32,
}

impl Stature {
    /// Of somebody whose feet are at `y`.
    pub fn height(&self, y: f32) -> f32 {
        (self.at + self.slope * y).max(8.0)
    }

    /// The box of somebody whose feet are at (`x`, `y`).
    fn rect(&self, x: f32, y: f32) -> Rect {
        let height = self.height(y);
        let width = WIDTH * height;
        Rect { x: x - width / 2.0, y: y - height, width, height }
    }
}

/// Sums over every rectangle of a mask.
struct Sums {
    width: usize,
    height: usize,
    sums: Vec<u32>,
}

impl Sums {
    fn new(width: usize, height: usize) -> Self {
        Self { width, height, sums: vec![0; (width + 1) * (height + 1)] }
    }

    fn take(&mut self, mask: &[bool]) {
        let stride = self.width + 1;
        for y in 0..self.height {
            let mut row = 0;
            for x in 0..self.width {
                row += u32::from(mask[y * self.width + x]);
                self.sums[(y + 1) * stride + x + 1] = self.sums[y * stride + x + 1] + row;
            }
        }
    }

    fn of(&self, [left, top, right, bottom]: [usize; 4]) -> u32 {
        let at = |x: usize, y: usize| self.sums[y * (self.width + 1) + x];
        at(right, bottom) + at(left, top) - at(right, top) - at(left, bottom)
    }
}

/// Looks for bodies in masks of one size.
pub struct Bodies {
    width: usize,
    height: usize,
    all: Sums,
    free: Sums,
}

impl Bodies {
    /// For masks of this size.
    pub fn new(width: usize, height: usize) -> Self {
        Self { width, height, all: Sums::new(width, height), free: Sums::new(width, height) }
    }

    /// The boxes of everybody in `mask`, whoever was `foreseen` first.
    pub fn find(&mut self, mask: &[bool], stature: &Stature, foreseen: &[Rect]) -> Vec<Rect> {
        let mut left = mask.to_vec();
        self.all.take(mask);
        self.free.take(mask);
        let mut found = Vec::new();
        let mut expected: Vec<&Rect> = foreseen.iter().collect();
        expected.sort_by(|a, b| (b.y + b.height).total_cmp(&(a.y + a.height)));
        for rect in expected {
            if let Some(body) = self.near(stature, rect) {
                self.explain(&mut left, &body);
                found.push(body);
            }
        }
        while found.len() < MOST {
            let Some(body) = self.best(stature) else { break };
            self.explain(&mut left, &body);
            found.push(body);
        }
        found
    }

    /// How well somebody fits: the share of their body that moves and is not explained, less what of it does not move.
    fn fit(&self, body: &Rect) -> f32 {
        let (mut moves, mut floor, mut whole) = (0.0, 0.0, 0.0);
        let clamp = |value: f32, most: usize| value.round().clamp(0.0, most as f32) as usize;
        let pixels = |[left, top, right, bottom]: [f32; 4]| {
            [
                clamp(body.x + left * body.width, self.width),
                clamp(body.y + top * body.height, self.height),
                clamp(body.x + right * body.width, self.width),
                clamp(body.y + bottom * body.height, self.height),
            ]
        };
        for shape @ [left, top, right, bottom] in PARTS {
            let part = pixels(shape);
            let area = ((part[2] - part[0]) * (part[3] - part[1])) as f32;
            moves += self.free.of(part) as f32;
            floor += area - self.all.of(part) as f32;
            whole += (right - left) * body.width * (bottom - top) * body.height;
        }
        let [left, top, right, bottom] = BELOW;
        let below = self.free.of(pixels(BELOW)) as f32;
        let below = below / ((right - left) * body.width * (bottom - top) * body.height).max(1.0);
        (moves - AGAINST * floor) / whole.max(1.0) - AGAINST_BELOW * below
    }

    fn near(&self, stature: &Stature, rect: &Rect) -> Option<Rect> {
        let (x, y) = (rect.centre().x, rect.y + rect.height);
        let height = stature.height(y);
        let reach = (NEAR * height).max(2.0);
        let steps = (reach / 1.5).ceil() as i32;
        let mut best: Option<(f32, Rect)> = None;
        for down in -steps..=steps {
            for right in -steps..=steps {
                let (dx, dy) = (right as f32 * reach / steps as f32, down as f32 * reach / steps as f32);
                let body = stature.rect(x + dx, y + dy);
                let worth = self.fit(&body) - 0.1 * (dx.hypot(dy) / reach).powi(2);
                if best.as_ref().is_none_or(|(most, _)| worth > *most) {
                    best = Some((worth, body));
                }
            }
        }
        best.filter(|(worth, _)| *worth >= FOLLOWED).map(|(_, body)| body)
    }

    fn best(&self, stature: &Stature) -> Option<Rect> {
        let mut best: Option<(f32, Rect)> = None;
        for y in (self.height / 12..=self.height + self.height / 16).step_by(2) {
            for x in (2..self.width).step_by(2) {
                let body = stature.rect(x as f32, y as f32);
                let fit = self.fit(&body);
                if fit >= NEW && best.as_ref().is_none_or(|(most, _)| fit > *most) {
                    best = Some((fit, body));
                }
            }
        }
        best.map(|(_, body)| body)
    }

    fn explain(&mut self, left: &mut [bool], body: &Rect) {
        let margin = 0.06 * body.width;
        let clamp = |value: f32, most: usize| value.clamp(0.0, most as f32) as usize;
        let columns = clamp(body.x - margin, self.width)..clamp(body.x + body.width + margin, self.width);
        for y in clamp(body.y - margin, self.height)..clamp(body.y + body.height + margin, self.height) {
            left[y * self.width..][columns.clone()].fill(false);
        }
        self.free.take(left);
    }
}
