//! A rendered hall, as a camera sees it.
//!
//! Made to be hard in the ways that gates are: some wear what the floor looks like, everybody has a shadow, bags and cases
//! are no part of anybody's shape, the light drifts, flickers and steps, the camera has noise.

use crate::flow::count::motion::rendered::crowd::{Angle, SIZE, Walker};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// The hall without people, and what its camera does to a picture.
pub(crate) struct Hall {
    angle: Angle,
    floor: Vec<f32>,
    dice: ChaCha8Rng,
    noise: Vec<f32>,
}

impl Hall {
    /// A hall whose floor, grain and noise come from `seed`.
    pub(crate) fn new(angle: Angle, seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let grain: Vec<f32> = (0..SIZE.width * SIZE.height).map(|_| dice.random_range(-7.0..7.0)).collect();
        let tile = |x: f32, y: f32| {
            let depth = 90.0 / (y + 60.0);
            let (u, v) = ((x - 320.0) * depth / 26.0, 900.0 / (y + 60.0));
            let joint = (u - u.floor()) < 0.05 || (v - v.floor()) < 0.07;
            let checker = ((u.floor() + v.floor()) as i32).rem_euclid(2) as f32;
            if joint { -22.0 } else { 7.0 * checker }
        };
        let floor = (0..grain.len()).map(|i| {
            let (x, y) = ((i % SIZE.width as usize) as f32, (i / SIZE.width as usize) as f32);
            118.0 + 0.06 * y + 12.0 * (x / 140.0).sin() + tile(x, y) + grain[i]
        });
        let floor = floor.collect();
        let normal = rand_distr::Normal::new(0.0f32, 3.0).unwrap();
        let noise = (0..1 << 18).map(|_| dice.sample(normal)).collect();
        Self { angle, floor, dice, noise }
    }

    /// The luma at `now`, row by row.
    pub(crate) fn picture(&mut self, walkers: &[Walker], now: f32) -> Vec<u8> {
        let (mut picture, angle) = (self.floor.clone(), self.angle);
        let mut present: Vec<(&Walker, f32, f32)> =
            walkers.iter().filter_map(|walker| walker.at(now).map(|(x, y)| (walker, x, y))).collect();
        present.sort_by(|a, b| a.2.total_cmp(&b.2));
        for (walker, x, y) in &present {
            let h = angle.height_at(*y) * walker.tall;
            // Light from the upper left: a long faint shadow and a dark one under the feet.
            shade(&mut picture, x + 0.22 * h, y - 0.02 * h, 0.34 * h, 0.07 * h, 0.72);
            shade(&mut picture, *x, *y, 0.16 * h, 0.045 * h, 0.62);
        }
        for (walker, x, y) in &present {
            body(&mut picture, &angle, walker, *x, *y, now);
        }
        // Daylight drifts, lamps flicker, a cloud comes and goes within seconds.
        let cloud = 1.0 / (1.0 + (-(((now / 47.0).fract() - 0.5) * 94.0)).exp())
            * if (now / 47.0) as i32 % 2 == 0 { 1.0 } else { -1.0 };
        let light = 1.0 + 0.12 * (now / 35.0).sin() + 0.012 * (now * 61.0).sin() + 0.05 * cloud;
        let from = self.dice.random_range(0..self.noise.len());
        let noise = self.noise[from..].iter().chain(&self.noise).chain(&self.noise);
        picture.iter().zip(noise).map(|(value, noise)| (value * light + noise).clamp(0.0, 255.0) as u8).collect()
    }
}

fn ellipse(picture: &mut [f32], x: f32, y: f32, rx: f32, ry: f32, mut paint: impl FnMut(&mut f32, f32, f32)) {
    let (width, height) = (SIZE.width as i32, SIZE.height as i32);
    for row in ((y - ry) as i32).max(0)..((y + ry) as i32 + 1).min(height) {
        for column in ((x - rx) as i32).max(0)..((x + rx) as i32 + 1).min(width) {
            let (u, v) = ((column as f32 - x) / rx, (row as f32 - y) / ry);
            if u * u + v * v <= 1.0 {
                paint(&mut picture[(row * width + column) as usize], u, v);
            }
        }
    }
}

fn shade(picture: &mut [f32], x: f32, y: f32, rx: f32, ry: f32, factor: f32) {
    ellipse(picture, x, y, rx, ry, |value, u, v| {
        let soft = (2.5 * (1.0 - (u * u + v * v).sqrt())).min(1.0);
        *value *= 1.0 - (1.0 - factor) * soft;
    });
}

fn body(picture: &mut [f32], angle: &Angle, walker: &Walker, x: f32, y: f32, now: f32) {
    let h = angle.height_at(y) * walker.tall;
    let w = angle.breadth() * h;
    let swing = (std::f32::consts::TAU * walker.gait / 2.0 * now + walker.phase).sin();
    // Shading: darker to the right, with folds; so no coat is one grey.
    let cloth = |base: f32| {
        move |value: &mut f32, u: f32, v: f32| *value = base * (1.0 - 0.22 * u) + 5.0 * (9.0 * v + 4.0 * u).sin()
    };
    if walker.case {
        ellipse(picture, x + 0.2 * w, y - 0.14 * h, 0.08 * w, 0.14 * h, cloth(44.0));
    }
    for leg in [-1.0, 1.0] {
        let across = leg * 0.055 * w + 0.05 * w * swing * leg;
        ellipse(picture, x + across, y - 0.24 * h, 0.065 * w, 0.25 * h, cloth(walker.legs));
    }
    for arm in [-1.0, 1.0] {
        let (across, up) = (arm * 0.145 * w, (0.6 + 0.02 * swing * arm) * h);
        ellipse(picture, x + across, y - up, 0.045 * w, 0.19 * h, cloth(0.92 * walker.coat));
    }
    let (middle, half) = ((0.86 + walker.hem) / 2.0, (0.86 - walker.hem) / 2.0);
    ellipse(picture, x, y - middle * h, 0.14 * w, (half + 0.01) * h, cloth(walker.coat));
    let (side, bright) = walker.bag;
    if side != 0.0 {
        ellipse(picture, x + side * 0.19 * w, y - 0.45 * h, 0.06 * w, 0.1 * h, cloth(bright));
    }
    ellipse(picture, x, y - 0.915 * h, 0.062 * w, 0.085 * h, |value, u, v| {
        *value = if v < -0.15 { walker.hair } else { 165.0 - 30.0 * u };
    });
}
