//! The crowd: people with synthetic faces, what they agreed to, and their walks.
//!
//! A face is a direction in 80 dimensions: two strangers' cosines then have the tail that SFace's were measured to have
//! (`identify/laws.json`: one of 10,000 pairs reaches 0.42). A look is that direction with noise, so that one person's looks
//! score 0.64 to 0.81 with their enrolment. Some are like others: twins, families who declared it, and families who did not.

use crate::day::{Day, EVENING, Gate};
use rand::RngExt as _;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution as _, StandardNormal};
use std::time::Duration;
use usher_models::template::{ModelId, Template};

/// Dimensions of a face.
const WIDTH: usize = 80;

/// The embedder whose law is used.
pub(crate) fn model() -> ModelId {
    ModelId("sface-2021dec".into())
}

pub(crate) type Face = [f32; WIDTH];

/// Somebody.
pub(crate) struct Person {
    pub(crate) face: Face,
    /// When they enrol, if ever: before opening, or during the day.
    pub(crate) enrols: Option<Duration>,
    /// When they ask to be forgotten.
    pub(crate) forgets: Option<Duration>,
    /// When what they agreed to ends, from the morning on.
    pub(crate) expires: Duration,
    /// Whether they keep their key themselves.
    pub(crate) own_key: bool,
    /// Whether they wanted no face kept.
    pub(crate) faceless: bool,
    /// Whom they declared to be taken for.
    pub(crate) household: Option<usize>,
    /// Whether somebody who enrolled looks like them.
    pub(crate) has_double: bool,
}

/// Somebody in front of a camera.
#[derive(Clone, Debug)]
pub(crate) struct Walk {
    pub(crate) person: usize,
    pub(crate) camera: usize,
    pub(crate) from: Duration,
    pub(crate) to: Duration,
    /// Shows their pass while they walk up.
    pub(crate) shows: bool,
}

fn noise(random: &mut ChaCha8Rng) -> Face {
    let mut face = [0.0; WIDTH];
    face.iter_mut().for_each(|v| *v = StandardNormal.sample(random));
    unit(face)
}

fn unit(mut face: Face) -> Face {
    let length = face.iter().map(|v| v * v).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    face.iter_mut().for_each(|v| *v /= length);
    face
}

/// A face whose cosine with `face` is about `like`.
fn near(face: &Face, like: f32, random: &mut ChaCha8Rng) -> Face {
    let (other, rest) = (noise(random), (1.0 - like * like).max(0.0).sqrt());
    let mut found = *face;
    found.iter_mut().zip(other).for_each(|(v, n)| *v = like * *v + rest * n);
    unit(found)
}

/// One picture of `face`; `likeness` is what it has of them.
pub(crate) fn template(face: &Face, likeness: f32, random: &mut ChaCha8Rng) -> Template {
    Template::new(model(), near(face, likeness, random).to_vec()).expect("a unit vector is a template")
}

/// Everybody of a day.
pub(crate) fn people(day: &Day, random: &mut ChaCha8Rng) -> Vec<Person> {
    let (count, end) = ((day.walks / 4).max(8), day.lasts() - EVENING);
    let mut people: Vec<Person> = Vec::with_capacity(count);
    while people.len() < count {
        let enrols = random.random_bool(0.4).then(|| {
            let is_late = random.random_bool(0.15);
            if is_late { end.mul_f64(random.random()) } else { Duration::ZERO }
        });
        let double = (!people.is_empty() && random.random_bool(0.06)).then(|| random.random_range(0..people.len()));
        let face = match double {
            Some(other) => near(&people[other].face, random.random_range(0.45..0.95), random),
            None => noise(random),
        };
        let is_declared = double.is_some() && random.random_bool(0.5);
        if let Some(other) = double {
            people[other].has_double = true;
        }
        let is_leaving = enrols.is_some() && random.random_bool(0.12);
        let is_short = random.random_bool(0.05);
        people.push(Person {
            face,
            enrols,
            forgets: enrols.filter(|_| is_leaving).map(|from| from + (end - from).mul_f64(random.random())),
            expires: if is_short {
                end.mul_f64(random.random_range(0.2..1.0))
            } else {
                Duration::from_secs(3 * 86_400)
            },
            own_key: random.random_bool(0.4),
            faceless: random.random_bool(0.1),
            household: double.filter(|_| is_declared),
            has_double: double.is_some(),
        });
    }
    people
}

/// Their walks, by time. Somebody who walks alone takes seconds; groups come together, some turn back and come again, and some
/// go to two gates.
pub(crate) fn walks(day: &Day, gates: &[Gate], people: &[Person], random: &mut ChaCha8Rng) -> Vec<Walk> {
    let end = day.lasts() - EVENING;
    let mut walks = Vec::with_capacity(day.walks);
    while walks.len() < day.walks {
        let from = end.mul_f64(random.random());
        let gate = random.random_range(0..gates.len());
        let together = if random.random_bool(0.2) { random.random_range(2..5) } else { 1 };
        for _ in 0..together {
            let person = random.random_range(0..people.len());
            let own = &gates[gate].cameras;
            let (camera, shows) = (own[random.random_range(0..own.len())], random.random_bool(0.7));
            let from = from + Duration::from_millis(random.random_range(0..800));
            let to = from + Duration::from_millis(random.random_range(1_500..6_000));
            walks.push(Walk { person, camera, from, to, shows });
            if random.random_bool(0.15) {
                // Turns back and comes again; or is seen by the gate's other camera, or goes to another gate.
                let from = to + Duration::from_millis(random.random_range(500..40_000));
                let to = from + Duration::from_millis(random.random_range(1_500..6_000));
                let gate = if random.random_bool(0.5) { gate } else { random.random_range(0..gates.len()) };
                let own = &gates[gate].cameras;
                let camera = own[random.random_range(0..own.len())];
                walks.push(Walk { person, camera, from, to, shows: false });
            }
        }
    }
    walks.truncate(day.walks);
    walks.sort_by_key(|walk| walk.from);
    walks
}

/// Half of those who leave do so in front of a gate, seconds after they walked up: while they are being greeted.
pub(crate) fn change_of_mind(people: &mut [Person], walks: &[Walk], random: &mut ChaCha8Rng) {
    for walk in walks {
        let person = &mut people[walk.person];
        if person.forgets.is_some() && person.enrols.is_some_and(|at| at < walk.from) && random.random_bool(0.3) {
            person.forgets = Some(walk.from + Duration::from_millis(random.random_range(300..15_000)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng as _;

    #[test]
    fn strangers_are_as_unlike_as_they_were_measured_and_one_person_as_like() {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let cosine = |a: &Face, b: &Face| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let faces: Vec<Face> = (0..700).map(|_| noise(&mut random)).collect();
        let pairs = (0..700).flat_map(|a| (0..a).map(move |b| (a, b)));
        let reach = pairs.filter(|(a, b)| cosine(&faces[*a], &faces[*b]) >= 0.37).count();
        let share = reach as f64 / (700.0 * 699.0 / 2.0);
        assert!((2e-4..1.5e-3).contains(&share), "one of a thousand pairs reaches .37: {share}");
        let own = template(&faces[0], 0.9, &mut random).compare(&template(&faces[0], 0.85, &mut random)).unwrap().0;
        assert!((0.6..0.9).contains(&own), "{own}");
    }
}
