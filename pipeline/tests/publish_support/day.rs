//! A day as the guide tells it, for greetings of the tests.

use usher::guide::day::{Day, Stop, StopKind, Why};
use usher_config::{programme::Status, value::Name};

/// A day with a meal and its reasons.
pub fn day() -> Day {
    let stop = |kind, title: &str, why| Stop {
        kind,
        title: title.into(),
        place: "North bank".into(),
        starts: "2026-07-26T12:00:00+02:00".into(),
        ends: "2026-07-26T12:40:00+02:00".into(),
        walk_s: 240,
        walk_m: 300,
        gate: Name::new("north"),
        wait_s: 60,
        session: None,
        status: Some(Status::Moved),
        at: Some([13.4, 52.5]),
        why,
    };
    let why = vec![Why::Wish { food: "vegan".into() }, Why::Near { minutes: 4 }, Why::Popular];
    Day {
        stops: vec![stop(StopKind::Arrive, "Gate", Vec::new()), stop(StopKind::Meal, "The Oar", why)],
        route: vec![[13.4, 52.5], [13.41, 52.5]],
    }
}
