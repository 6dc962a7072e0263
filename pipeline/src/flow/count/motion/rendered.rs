//! A rendered hall whose crossings are known, and how well motion counts them.
//!
//! Made to be hard in the ways that gates are: groups walk abreast and hide each other, some wear what the floor looks like,
//! everybody has a shadow, the light drifts, flickers and steps, the camera has noise. Some turn back beyond the line, some
//! walk along it, and people walk both ways at once.
//!
//! `USHER_CROSSINGS=1000 cargo test --release -p usher --lib motion::rendered -- --nocapture` prints the figures of a long run.

use super::*;
use crate::infer::sighting::{Left, Tracked};
use crate::{capture::frame::Camera, clock::Moment, flow::count::border::Way, flow::count::people::People};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::{
    count::{By, Direction},
    value::Name,
};
use usher_models::image::{Matrix, Plane, Planes, Range, Size};

const SIZE: Size = Size { width: 640, height: 360 };
const FPS: f32 = 12.0;
/// The line, as a part of the height.
const LINE: f32 = 0.6;

/// Somebody's way: places of their feet over time, straight between them.
struct Walker {
    begins: f32,
    /// Seconds, x and y of the feet, pixels.
    way: Vec<(f32, f32, f32)>,
    tall: f32,
    coat: f32,
    legs: f32,
    hair: f32,
    gait: f32,
    phase: f32,
    /// 1 in, -1 out, 0 neither.
    truth: i32,
}

fn height_at(y: f32) -> f32 {
    0.1 * SIZE.height as f32 + 0.2 * y
}

impl Walker {
    fn at(&self, now: f32) -> Option<(f32, f32)> {
        let t = now - self.begins;
        let next = self.way.iter().position(|(at, ..)| *at > t)?;
        let ((t0, x0, y0), (t1, x1, y1)) = (*self.way.get(next.checked_sub(1)?)?, self.way[next]);
        let part = (t - t0) / (t1 - t0);
        Some((x0 + part * (x1 - x0), y0 + part * (y1 - y0)))
    }

    fn ends(&self) -> f32 {
        self.begins + self.way.last().map_or(0.0, |last| last.0)
    }
}

/// Everybody of some minutes, `rate` a minute.
fn crowd(dice: &mut ChaCha8Rng, rate: f32, minutes: f32) -> Vec<Walker> {
    let (width, height) = (SIZE.width as f32, SIZE.height as f32);
    let (mut walkers, mut now) = (Vec::new(), 6.0);
    while now < 60.0 * minutes {
        let group = [1, 1, 1, 1, 2, 2, 2, 3, 3, 4][dice.random_range(0..10)];
        now += -(1.0 - dice.random::<f32>()).ln() * 60.0 * group as f32 / rate;
        let goes_in = dice.random::<f32>() < 0.72;
        let kind = dice.random::<f32>();
        let (far, near) = (0.26 * height, 1.34 * height);
        let (x0, x1) = (dice.random_range(0.2..0.8) * width, dice.random_range(0.2..0.8) * width);
        let apart = dice.random_range(0.36..0.55);
        let pace = dice.random_range(0.7..1.0);
        let depth = dice.random_range(0.1..0.25) * height;
        let waits = dice.random_range(0.0..1.2);
        for member in 0..group {
            let side = (member as f32 - (group - 1) as f32 / 2.0) * apart;
            let behind = dice.random_range(-0.05..0.05) * height;
            // Places on the way; sideways in heights of whoever is there, since the hall has perspective.
            let place = |part: f32| {
                let y = far + part * (near - far) + behind;
                (x0 + part * (x1 - x0) + side * height_at(y), y)
            };
            let line = (LINE * height - far) / (near - far);
            let parts: Vec<(f32, f32)> = match kind {
                // Turns back a little beyond the line.
                k if k < 0.05 => vec![(0.0, 0.0), (line + depth / (near - far), waits), (0.0, 0.0)],
                // Stops before the line, then goes on.
                k if k < 0.15 => vec![(0.0, 0.0), (line - 0.12, 2.0 * waits), (1.0, 0.0)],
                _ => vec![(0.0, 0.0), (1.0, 0.0)],
            };
            let mut truth = if kind < 0.05 { 0 } else { 1 };
            let mut way: Vec<(f32, f32, f32)> = Vec::new();
            let mut t = 0.0;
            if kind > 0.96 {
                // Walks along, on one side of the line.
                let y = if goes_in { 0.44 } else { 0.84 } * height + behind;
                let speed = height_at(y) * 0.8;
                let (from, to) = if dice.random() { (-40.0, width + 40.0) } else { (width + 40.0, -40.0) };
                let late = member as f32 * 0.5;
                way = vec![(late, from, y), (late + (width + 80.0) / speed, to, y)];
                truth = 0;
            } else {
                let upside = |part: f32| if goes_in || kind < 0.05 { part } else { 1.0 - part };
                let mut last: Option<f32> = None;
                for (part, rest) in parts {
                    let part = upside(part);
                    if let Some(last) = last {
                        let steps = 12;
                        for step in 1..=steps {
                            let (a, b) = (
                                last + (part - last) * (step - 1) as f32 / steps as f32,
                                last + (part - last) * step as f32 / steps as f32,
                            );
                            let ((xa, ya), (xb, yb)) = (place(a), place(b));
                            // The camera looks down steeply: along the hall a step looks as long as across it.
                            t += (0.9 * (xb - xa)).hypot(yb - ya) / (pace * height_at((ya + yb) / 2.0));
                            way.push((t, xb, yb));
                        }
                    } else {
                        let (x, y) = place(part);
                        way.push((t, x, y));
                    }
                    if rest > 0.0 {
                        t += rest;
                        let (x, y) = place(part);
                        way.push((t, x, y));
                    }
                    last = Some(part);
                }
                truth *= if goes_in { 1 } else { -1 };
            }
            walkers.push(Walker {
                begins: now + dice.random_range(0.0..0.15),
                way,
                tall: dice.random_range(0.9..1.08),
                // A third wear what the floor looks like.
                coat: [38.0, 60.0, 95.0, 118.0, 150.0, 200.0][dice.random_range(0..6)] + dice.random_range(-8.0..8.0),
                legs: [30.0, 48.0, 75.0, 128.0][dice.random_range(0..4)] + dice.random_range(-6.0..6.0),
                hair: dice.random_range(25.0..110.0),
                gait: dice.random_range(1.6..2.1),
                phase: dice.random_range(0.0..std::f32::consts::TAU),
                truth,
            });
        }
    }
    walkers
}

struct Hall {
    floor: Vec<f32>,
    dice: ChaCha8Rng,
    noise: Vec<f32>,
}

impl Hall {
    fn new(seed: u64) -> Self {
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
        Self { floor, dice, noise }
    }

    fn picture(&mut self, walkers: &[Walker], now: f32) -> Vec<u8> {
        let mut picture = self.floor.clone();
        let mut present: Vec<(&Walker, f32, f32)> =
            walkers.iter().filter_map(|walker| walker.at(now).map(|(x, y)| (walker, x, y))).collect();
        present.sort_by(|a, b| a.2.total_cmp(&b.2));
        for (walker, x, y) in &present {
            let h = height_at(*y) * walker.tall;
            // Light from the upper left: a long faint shadow and a dark one under the feet.
            shade(&mut picture, x + 0.22 * h, y - 0.02 * h, 0.34 * h, 0.07 * h, 0.72);
            shade(&mut picture, *x, *y, 0.16 * h, 0.045 * h, 0.62);
        }
        for (walker, x, y) in &present {
            body(&mut picture, walker, *x, *y, now);
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

fn body(picture: &mut [f32], walker: &Walker, x: f32, y: f32, now: f32) {
    let h = height_at(y) * walker.tall;
    let swing = (std::f32::consts::TAU * walker.gait / 2.0 * now + walker.phase).sin();
    // Shading: darker to the right, with folds; so no coat is one grey.
    let cloth = |base: f32| {
        move |value: &mut f32, u: f32, v: f32| *value = base * (1.0 - 0.22 * u) + 5.0 * (9.0 * v + 4.0 * u).sin()
    };
    for leg in [-1.0, 1.0] {
        ellipse(
            picture,
            x + leg * 0.055 * h + 0.05 * h * swing * leg,
            y - 0.24 * h,
            0.065 * h,
            0.25 * h,
            cloth(walker.legs),
        );
    }
    for arm in [-1.0, 1.0] {
        ellipse(
            picture,
            x + arm * 0.145 * h,
            y - (0.6 + 0.02 * swing * arm) * h,
            0.045 * h,
            0.19 * h,
            cloth(0.92 * walker.coat),
        );
    }
    ellipse(picture, x, y - 0.63 * h, 0.14 * h, 0.23 * h, cloth(walker.coat));
    ellipse(picture, x, y - 0.915 * h, 0.062 * h, 0.085 * h, |value, u, v| {
        *value = if v < -0.15 { walker.hair } else { 165.0 - 30.0 * u };
    });
}

/// What was counted, and what was true: each way and by minute.
#[derive(Debug, Default)]
struct Figures {
    counted: [u32; 2],
    truth: [u32; 2],
}

impl Figures {
    fn add(&mut self, other: &Self) {
        for way in 0..2 {
            self.counted[way] += other.counted[way];
            self.truth[way] += other.truth[way];
        }
    }

    fn crossings(&self) -> u32 {
        self.truth.iter().sum()
    }

    /// The error of the two counts as a share of all crossings.
    fn error(&self) -> f64 {
        let off: u32 = (0..2).map(|way| self.counted[way].abs_diff(self.truth[way])).sum();
        f64::from(off) / f64::from(self.crossings().max(1))
    }
}

fn count(person: Option<f32>) -> Count {
    let border = Border::Line { ends: [[0.01, LINE], [0.99, LINE]], direction: Direction::Down };
    Count { by: By::Motion, border, person, ..Count::default() }
}

fn camera() -> Arc<Camera> {
    let name = Name::new("hall").unwrap();
    let (zone, liveness) = (crate::capture::frame::Zone::default(), usher_config::decide::Liveness::Off);
    Arc::new(Camera { name: name.clone(), gate: name, zone, liveness, identifies: false })
}

fn run(seed: u64, rate: f32, minutes: f32, person: Option<f32>) -> Figures {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let walkers = crowd(&mut dice, rate, minutes);
    let mut figures = Figures::default();
    for walker in &walkers {
        figures.truth[0] += u32::from(walker.truth == 1);
        figures.truth[1] += u32::from(walker.truth == -1);
    }
    let (mut hall, camera) = (Hall::new(seed ^ 77), camera());
    let mut motion = Motion::new(count(person), TrackIds::default());
    let mut people = People::new(count(person));
    let end = walkers.iter().map(Walker::ends).fold(60.0 * minutes, f32::max) + 3.0;
    let chroma = vec![128; (SIZE.width * SIZE.height / 2) as usize];
    let mut crossed = Vec::new();
    for frame in 0..(end * FPS) as u32 {
        let now = frame as f32 / FPS;
        let picture = hall.picture(&walkers, now);
        dump(&picture, frame);
        let stride = SIZE.width as usize;
        let planes = Planes::Nv12 { luma: Plane { data: &picture, stride }, chroma: Plane { data: &chroma, stride } };
        let view = View { size: SIZE, planes, matrix: Matrix::Bt709, range: Range::Limited };
        let steady = Duration::from_secs_f32(now);
        let taken = Moment { steady, wall: SystemTime::UNIX_EPOCH + steady };
        let moved = motion.see(&view, taken);
        for track in moved.left {
            people.leave(&Left { camera: camera.clone(), track: track.id, from: track.begun, to: track.seen });
        }
        let tracked = Tracked { camera: camera.clone(), taken, size: SIZE, people: moved.people };
        crossed.extend(people.see(&tracked));
    }
    crossed.extend(people.end());
    figures.counted = [Way::In, Way::Out].map(|way| crossed.iter().filter(|crossed| crossed.way == way).count() as u32);
    figures
}

/// Writes a picture where `USHER_RENDERED` says, to look at.
fn dump(picture: &[u8], frame: u32) {
    if let Some(folder) = std::env::var_os("USHER_RENDERED").filter(|_| frame.is_multiple_of(24)) {
        let mut text = format!("P5 {} {} 255\n", SIZE.width, SIZE.height).into_bytes();
        text.extend_from_slice(picture);
        std::fs::write(std::path::Path::new(&folder).join(format!("{frame:05}.pgm")), text).unwrap();
    }
}

#[test]
fn rendered_crowds_are_counted_within_two_in_a_hundred() {
    let wanted: u32 = std::env::var("USHER_CROSSINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(60);
    // Beyond 40 a minute people hide each other for too long: docs/flow-count.md says how many are lost.
    let rates = [2.0, 10.0, 20.0, 40.0];
    let (mut all, mut seed) = (Figures::default(), 0);
    while all.crossings() < wanted {
        for rate in rates {
            // As many crossings at every rate.
            let minutes = wanted as f32 / 4.0 / rate;
            let of = run(1000 + seed, rate, minutes.min(1.0), Some(0.22));
            println!("{rate} a minute: {of:?}, error {:.1} %", 100.0 * of.error());
            all.add(&of);
            seed += 1;
        }
    }
    println!("motion, {} crossings: {all:?}, error {:.2} %", all.crossings(), 100.0 * all.error());
    assert!(all.error() <= 0.02, "{:.2} %", 100.0 * all.error());
}
