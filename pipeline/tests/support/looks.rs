//! Looks at people who are not there: directions that score with each other as faces do.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(dead_code, reason = "each user of this file needs a part of it")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher::{
    capture::frame::{Camera, Zone},
    clock::Moment,
    gallery::{
        search::{Enrolled, Gallery},
        visitor::{Household, Visitor, VisitorId},
    },
    identify::{
        identification::{Identification, Verdict},
        threshold::Law,
        tracks::Tracks,
    },
    infer::sighting::{Portrait, Probe, Settled, TrackId},
};
use usher_config::{decide::Liveness, identify::Rules, value::Name};
use usher_models::{
    image::Rect,
    quality::Quality,
    template::{ModelId, Template},
};
use uuid::Uuid;

pub(crate) fn model() -> ModelId {
    ModelId("sface-2021dec".into())
}

pub(crate) fn rules() -> Rules {
    Rules {
        wrong_greetings: 1e-3,
        looks: 3,
        apart: Duration::from_millis(80),
        over: Duration::from_millis(250),
        margin: 0.06,
        household_margin: 0.15,
    }
}

pub(crate) fn law() -> Law {
    Law::of(&model()).unwrap()
}

pub(crate) fn at(ms: u64) -> Moment {
    let by = Duration::from_millis(ms);
    Moment { steady: by, wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + by }
}

pub(crate) fn camera(name: &str) -> Arc<Camera> {
    let (name, gate) = (Name::new(name).unwrap(), Name::new("north").unwrap());
    Arc::new(Camera { name, gate, zone: Zone::default(), liveness: Liveness::Off, identifies: true })
}

pub(crate) fn who(n: usize) -> VisitorId {
    VisitorId(Uuid::from_u128(n as u128 + 1))
}

/// Directions in a space whose two strangers score as SFace's do: standard deviation .118, one pair in a thousand above
/// .365, one in a hundred thousand above .50 (SFace: .370 and .475, so this crowd is a little more alike than real ones).
const DIMENSIONS: usize = 72;

pub(crate) struct Crowd(ChaCha8Rng);

impl Crowd {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }

    pub(crate) fn person(&mut self) -> Vec<f32> {
        // Twelve evenly distributed numbers make a normal one.
        let v: Vec<f32> =
            (0..DIMENSIONS).map(|_| (0..12).map(|_| self.0.random_range(-0.5..0.5_f32)).sum::<f32>()).collect();
        unit(v)
    }

    /// A look at a person that scores about `likeness` with a perfect one.
    pub(crate) fn look(&mut self, person: &[f32], likeness: f32) -> Template {
        let noise = self.person();
        let share = (1.0 - likeness * likeness).sqrt();
        let v = person.iter().zip(noise).map(|(p, n)| likeness * p + share * n).collect();
        Template::new(model(), v).unwrap()
    }
}

pub(crate) fn unit(v: Vec<f32>) -> Vec<f32> {
    let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
    v.into_iter().map(|x| x / length).collect()
}

pub(crate) fn gallery(people: &[Vec<f32>]) -> Gallery {
    gathered(people, None)
}

/// The same, all of them one household.
pub(crate) fn family(people: &[Vec<f32>]) -> Gallery {
    gathered(people, Some(Household(Uuid::from_u128(1))))
}

fn gathered(people: &[Vec<f32>], household: Option<Household>) -> Gallery {
    let person = |(n, v): (usize, &Vec<f32>)| Enrolled {
        visitor: Visitor { household, ..Visitor::named(who(n), &format!("n{n}"), "s", at(u64::MAX >> 20).wall) },
        enrolled: at(0).wall,
        templates: vec![Template::new(model(), v.clone()).unwrap()],
    };
    Gallery::new(model(), people.iter().enumerate().map(person).collect(), at(0).wall)
}

pub(crate) fn probe(camera: &Arc<Camera>, track: u64, ms: u64, template: Template) -> Probe {
    Probe {
        camera: camera.clone(),
        track: TrackId(track),
        taken: at(ms),
        pts: Duration::from_millis(ms),
        rect: Rect::default(),
        template,
        embedded: at(ms + 20),
        quality: Quality { confidence: 0.9, inter_eye_px: 40.0, pose: 0.8, sharpness: 0.6, ..Quality::default() },
        portrait: Portrait { width: 1, height: 1, rgb: vec![1, 2, 3].into() },
        settled: Settled::default(),
    }
}

/// Walks once before the camera: looks at the given times and likenesses; everything that identify said.
pub(crate) fn walk(
    tracks: &mut Tracks,
    gallery: &Gallery,
    crowd: &mut Crowd,
    person: &[f32],
    track: u64,
    looks: &[(u64, f32)],
) -> Vec<Identification> {
    let camera = camera("cam");
    let mut said = Vec::new();
    for (ms, likeness) in looks {
        let look = crowd.look(person, *likeness);
        said.extend(tracks.look(probe(&camera, track, *ms, look), gallery));
    }
    said.extend(tracks.gone(TrackId(track)));
    said
}

pub(crate) fn names(said: &[Identification]) -> Vec<VisitorId> {
    let mut names: Vec<_> = said
        .iter()
        .filter_map(|i| match i.verdict {
            Verdict::Known { visitor, .. } => Some(visitor),
            _ => None,
        })
        .collect();
    names.dedup();
    names
}

pub(crate) const SIX_LOOKS: [u64; 6] = [0, 120, 240, 360, 480, 600];

pub(crate) fn looks(likeness: f32) -> Vec<(u64, f32)> {
    SIX_LOOKS.iter().map(|ms| (*ms, likeness)).collect()
}
