//! How well motion counts a rendered hall whose crossings are known, by a camera that looks down steeply and one that does not.
//!
//! `USHER_CROSSINGS=1000 cargo test --release -p usher --lib motion::rendered -- --nocapture` prints the figures of a long run.

use crate::{
    capture::frame::{Camera, Zone},
    clock::Moment,
    flow::count::{
        border::Way,
        motion::{
            Motion,
            rendered::{
                crowd::{Angle, FLAT, LINE, PERSON, SIZE, STEEP, Walker, crowd},
                hall::Hall,
            },
        },
        people::People,
    },
    infer::{
        sighting::{Left, Tracked},
        track::TrackIds,
    },
};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::{
    count::{Border, By, Count, Direction},
    decide::Liveness,
    value::Name,
};
use usher_models::image::{Matrix, Plane, Planes, Range, View};

const FPS: f32 = 12.0;
/// What a long run may err by, as docs/flow-count.md says.
const STEEP_ERROR: f64 = 0.02;
const FLAT_ERROR: f64 = 0.1;

/// What was counted, and what was true: each way.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// In and out.
    pub(crate) counted: [u32; 2],
    /// The same.
    pub(crate) truth: [u32; 2],
}

impl Figures {
    /// Adds those of another run.
    pub(crate) fn add(&mut self, other: &Self) {
        for way in 0..2 {
            self.counted[way] += other.counted[way];
            self.truth[way] += other.truth[way];
        }
    }

    /// How many crossed, either way.
    pub(crate) fn crossings(&self) -> u32 {
        self.truth.iter().sum()
    }

    /// The error of the two counts as a share of all crossings.
    pub(crate) fn error(&self) -> f64 {
        let off: u32 = (0..2).map(|way| self.counted[way].abs_diff(self.truth[way])).sum();
        f64::from(off) / f64::from(self.crossings().max(1))
    }
}

/// Over a line across the hall.
pub(crate) fn count(person: Option<f32>) -> Count {
    let border = Border::Line { ends: [[0.01, LINE], [0.99, LINE]], direction: Direction::Down };
    Count { by: By::Motion, border, person, ..Count::default() }
}

fn camera() -> Arc<Camera> {
    let name = Name::new("hall").unwrap();
    Arc::new(Camera {
        name: name.clone(),
        gate: name,
        zone: Zone::default(),
        liveness: Liveness::Off,
        identifies: false,
    })
}

/// One hall for some minutes.
pub(crate) fn run(seed: u64, angle: Angle, rate: f32, minutes: f32, person: Option<f32>) -> Figures {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    let walkers = crowd(&mut dice, &angle, rate, minutes);
    let mut figures = Figures::default();
    for walker in &walkers {
        figures.truth[0] += u32::from(walker.truth == 1);
        figures.truth[1] += u32::from(walker.truth == -1);
    }
    let (mut hall, camera) = (Hall::new(angle, seed ^ 77), camera());
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

/// People a minute.
const RATES: [u32; 7] = [1, 2, 5, 10, 20, 40, 60];

/// Counts at every rate for a minute, again and again until so many have crossed; at rates that give few crossings only every
/// third time. Crossings weigh as they fall.
fn all(angle: Angle, wanted: u32, rates: &[u32]) -> Figures {
    let (mut all, mut by_rate, mut round) = (Figures::default(), std::collections::BTreeMap::new(), 0);
    while all.crossings() < wanted {
        for rate in rates.iter().copied().filter(|rate| *rate >= 10 || round % 3 == 0) {
            let of = run(100 * (201 + round) + u64::from(rate), angle, rate as f32, 1.0, Some(PERSON));
            by_rate.entry(rate).or_insert_with(Figures::default).add(&of);
            all.add(&of);
        }
        round += 1;
    }
    for (rate, of) in &by_rate {
        println!("{}, {rate} a minute: {of:?}, error {:.1} %", angle.name, 100.0 * of.error());
    }
    println!("{}, {} crossings: {all:?}, error {:.2} %", angle.name, all.crossings(), 100.0 * all.error());
    all
}

#[test]
fn rendered_crowds_of_up_to_sixty_a_minute_are_counted() {
    let long = std::env::var("USHER_CROSSINGS").ok().and_then(|text| text.parse().ok());
    if let Some(wanted) = long {
        let (steep, flat) = (all(STEEP, wanted, &RATES), all(FLAT, wanted, &RATES));
        assert!(steep.error() <= STEEP_ERROR && flat.error() <= FLAT_ERROR);
    } else {
        // A hundred crossings: one mistake more or less is a hundredth.
        let steep = all(STEEP, 1, &[10, 20, 40, 60]);
        assert!(steep.error() <= 2.0 * STEEP_ERROR, "{:.2} %", 100.0 * steep.error());
    }
}
