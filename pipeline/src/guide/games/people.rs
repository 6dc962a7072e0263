//! The games' visitors.

use crate::guide::{
    games::{Games, SPORTS},
    liking::Seen,
    plan::Wanted,
};
use jiff::{ToSpan, civil::Time};
use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::time::Duration;
use usher_config::value::Name;

/// What so many visitors of a seed want, each on one of the games' days; one to three sports each.
pub fn guests(games: &Games, seed: u64, how_many: usize) -> Vec<Wanted> {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let gates: Vec<Name> =
        ["gate-a", "gate-b", "gate-c", "gate-d", "gate-e", "gate-f"].into_iter().filter_map(Name::new).collect();
    let mut guest = || {
        let date = games.days[chance.random_range(0..games.days.len())];
        let time = |quarters: i64| {
            let at = date.to_datetime(Time::midnight()).saturating_add((15 * quarters).minutes());
            at.to_zoned(games.programme.time_zone.clone()).ok()
        };
        let mut sports: Vec<String> = SPORTS.iter().map(|(name, ..)| (*name).to_owned()).collect();
        sports.shuffle(&mut chance);
        sports.truncate([1, 2, 2, 3, 3, 3][chance.random_range(0..6)]);
        let mut food: Vec<String> =
            ["vegetarian", "vegan", "halal", "kosher", "gluten_free", "noodles", "sweet"].map(str::to_owned).into();
        food.shuffle(&mut chance);
        food.truncate([0, 0, 1, 1, 2][chance.random_range(0..5)]);
        let from = gates[chance.random_range(0..gates.len())].clone();
        // Most come in the morning; half stay to the end.
        let at = time([34, 36, 38, 40, 42, 48, 56, 64][chance.random_range(0..8)] + chance.random_range(0..2))?;
        let until = time([80, 88, 92, 94][chance.random_range(0..4)])?;
        let waits = gates.iter().filter(|_| chance.random_bool(0.6)).cloned().collect::<Vec<_>>();
        let waits =
            waits.into_iter().map(|gate| (gate, Duration::from_secs(60 * chance.random_range(0..25)))).collect();
        let step_free = chance.random_bool(0.1);
        Some(Wanted { sports, food, step_free, from, at, until: Some(until), waits, seen: Seen::new(), before: None })
    };
    (0..how_many).filter_map(|_| guest()).collect()
}
