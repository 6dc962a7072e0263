//! How well tracks of faces are counted: a crowd whose truth is known, seen by a detector that errs.
//!
//! Boxes tremble by a twentieth of their height, one face of twelve is missed, people hide each other for up to one and a half
//! seconds, posters and reflections are taken for faces. `USHER_CROSSINGS=1000 cargo test --release -p usher --lib
//! count::faces -- --nocapture` prints the figures of a long run.

use crate::{
    capture::frame::Camera,
    clock::Moment,
    flow::count::{border::Way, people::People},
    infer::{
        sighting::{Left, Tracked},
        track::{TrackIds, Tracker},
    },
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::{
    count::{Border, By, Count, Direction},
    value::Name,
};
use usher_models::{
    face::Face,
    image::{Point, Rect, Size},
};

const SIZE: Size = Size { width: 1280, height: 720 };
const LINE: f32 = 0.55;

/// Somebody: when they come, how they walk.
struct Walker {
    begins: f32,
    x: (f32, f32),
    seconds: f32,
    /// Whether they turn back beyond the line.
    back: bool,
    /// While they are hidden, in seconds since they came.
    hidden: (f32, f32),
}

impl Walker {
    /// The face at a time: height, centre.
    fn at(&self, now: f32) -> Option<(f32, f32, f32)> {
        let t = (now - self.begins) / self.seconds;
        if !(0.0..1.0).contains(&t) || (self.hidden.0..self.hidden.1).contains(&(now - self.begins)) {
            return None;
        }
        let part = if self.back { 0.62 * (1.0 - (2.0 * t - 1.0).abs()) } else { t };
        // Nearer is lower and larger.
        let depth = 1.0 / (1.0 - 0.72 * part);
        let y = 0.22 + 0.62 * (depth - 1.0) / (1.0 / 0.28 - 1.0) * 1.15;
        Some((34.0 * depth, self.x.0 + part * (self.x.1 - self.x.0), y * SIZE.height as f32))
    }

    fn crosses(&self) -> bool {
        !self.back
    }
}

fn crowd(dice: &mut ChaCha8Rng, rate: f32, minutes: f32) -> Vec<Walker> {
    let (mut walkers, mut now) = (Vec::new(), 2.0);
    while now < 60.0 * minutes {
        let group = [1, 1, 1, 2, 2, 3, 4][dice.random_range(0..7)];
        now += -(1.0 - dice.random::<f32>()).ln() * 60.0 * group as f32 / rate;
        let (from, to) = (dice.random_range(300.0..900.0), dice.random_range(250.0..1000.0));
        let (seconds, back) = (dice.random_range(4.0..8.0), dice.random::<f32>() < 0.05);
        for member in 0..group {
            let side = member as f32 * dice.random_range(80.0..110.0);
            let begins = now + dice.random_range(0.0..0.4);
            let hidden = if dice.random::<f32>() < 0.2 {
                let from = dice.random_range(0.5..seconds - 0.5);
                (from, from + dice.random_range(0.2..1.5))
            } else {
                (0.0, 0.0)
            };
            walkers.push(Walker { begins, x: (from + side * 0.6, to + side), seconds, back, hidden });
        }
    }
    walkers
}

fn count(border: Border) -> Count {
    Count { by: By::Faces, border, ..Count::default() }
}

fn face(height: f32, x: f32, y: f32) -> Face {
    let width = 0.75 * height;
    let rect = Rect { x: x - width / 2.0, y: y - height / 2.0, width, height };
    Face { rect, landmarks: [Point { x, y }; 5], confidence: 0.8 }
}

/// Counted in, counted out, and how many crossed.
fn run(seed: u64, rate: f32, minutes: f32, of: &Count) -> (u32, u32, u32) {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let walkers = crowd(&mut dice, rate, minutes);
    let picture = of.border == Border::Picture;
    let truth = walkers.iter().filter(|walker| walker.crosses() || picture).count() as u32;
    let name = Name::new("c").unwrap();
    let (zone, liveness) = (crate::capture::frame::Zone::default(), usher_config::decide::Liveness::Off);
    let camera = Arc::new(Camera { name: name.clone(), gate: name, zone, liveness, identifies: false });
    let (mut tracker, mut people) = (Tracker::new(TrackIds::default()), People::new(of.clone()));
    let (mut crossed, mut now) = (Vec::new(), 0.0);
    let end = walkers.iter().map(|walker| walker.begins + walker.seconds).fold(0.0, f32::max) + 3.0;
    while now < end {
        // Eight to fifteen frames a second, as the load is.
        now += dice.random_range(0.066..0.125);
        let steady = Duration::from_secs_f32(now);
        let taken = Moment { steady, wall: SystemTime::UNIX_EPOCH + steady };
        let mut faces = Vec::new();
        for walker in &walkers {
            let Some((height, x, y)) = walker.at(now) else { continue };
            if dice.random::<f32>() < 0.08 || y > SIZE.height as f32 {
                continue;
            }
            let mut shake = || height * dice.random_range(-0.087f32..0.087);
            faces.push(face(height + shake(), x + shake(), y + shake()));
        }
        // A reflection somewhere, once in five seconds; a poster beside the line that is now and then a face.
        if dice.random::<f32>() < 0.02 {
            faces.push(face(
                dice.random_range(25.0..90.0),
                dice.random_range(0.0..1280.0),
                dice.random_range(0.0..720.0),
            ));
        }
        if !picture && dice.random::<f32>() < 0.1 {
            faces.push(face(50.0, 1180.0, 390.0 + dice.random_range(-3.0..3.0)));
        }
        for track in tracker.follow(&faces, taken).into_iter().filter(|track| track.is_believed()) {
            people.leave(&Left { camera: camera.clone(), track: track.id, from: track.begun, to: track.seen });
        }
        let seen = tracker.seen_at(taken).filter(|track| track.is_believed());
        let seen = seen.map(|track| (track.id, track.face.rect)).collect();
        crossed.extend(people.see(&Tracked { camera: camera.clone(), taken, size: SIZE, people: seen }));
    }
    crossed.extend(people.end());
    let of = |way| crossed.iter().filter(|crossed| crossed.way == way).count() as u32;
    (of(Way::In), of(Way::Out), truth)
}

/// Runs crowds of 1 to 60 a minute until enough have crossed; answers with the error as a share of the crossings.
fn error(what: &str, of: &Count, seed: u64) -> f64 {
    let wanted: u32 = std::env::var("USHER_CROSSINGS").ok().and_then(|text| text.parse().ok()).unwrap_or(200);
    let (mut off, mut crossed, mut seed) = (0i64, 0, seed);
    let mut totals = (0, 0);
    while crossed < wanted {
        for rate in [1.0, 5.0, 15.0, 30.0, 60.0] {
            let (entered, left, truth) = run(seed, rate, (wanted as f32 / 5.0 / rate).min(10.0), of);
            println!("{what}, {rate} a minute: {entered} in, {left} out, {truth} true");
            (totals.0, totals.1, crossed, seed) = (totals.0 + entered, totals.1 + left, crossed + truth, seed + 1);
        }
    }
    off += i64::from(totals.0.abs_diff(crossed)) + i64::from(totals.1);
    let error = off as f64 / f64::from(crossed);
    println!("{what}, {crossed} crossings: {} in, {} out, error {:.2} %", totals.0, totals.1, 100.0 * error);
    error
}

#[test]
fn faces_over_a_line_are_counted_within_two_in_a_hundred() {
    let ends = [[0.0, LINE], [1.0, LINE]];
    let error = error("faces over a line", &count(Border::Line { ends, direction: Direction::Down }), 10);
    assert!(error <= 0.02, "{:.2} %", 100.0 * error);
}

#[test]
fn faces_that_leave_the_picture_are_counted_within_four_in_a_hundred() {
    // Without a line, whoever is lost for too long counts twice: the default is simple, a line is better.
    let error = error("faces that leave", &count(Border::Picture), 50);
    assert!(error <= 0.04, "{:.2} %", 100.0 * error);
}
