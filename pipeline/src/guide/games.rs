//! Games that never were: a seeded programme, site and visitors, for tests, benches and the preview of pages.
//!
//! Their shape is that of the published competition schedules of the summer games of 2021 and 2024: each sport has its
//! venue, venues stand in clusters, ball sports play three to five sessions a day from morning to night (9:00, 11:00,
//! 13:30, 17:00, 21:00), the others a morning of heats and an evening of finals (10:00–13:00, 19:00–22:00), and a
//! session lasts 1½ to 3½ hours. Names, ground and numbers are invented.

mod ground;
mod people;

use crate::guide::games::ground::ground;
use jiff::{ToSpan, civil::Date, tz::TimeZone};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_config::{
    places::Places,
    programme::{Programme, Session, Status, When},
    value::Name,
};

pub use crate::guide::games::people::guests;

/// Games.
#[derive(Clone, Debug)]
pub struct Games {
    /// 300 sessions of 16 sports.
    pub programme: Programme,
    /// 200 places and the paths between.
    pub places: Places,
    /// Their days.
    pub days: Vec<Date>,
}

/// How many sessions there are.
pub const SESSIONS: usize = 300;
/// The first day: a Friday.
const FIRST: Date = jiff::civil::date(2026, 7, 24);
/// Where the clocks stand.
const ZONE: &str = "Europe/Paris";
/// A sport: name, disciplines, minutes at which its sessions of a day begin, and how long they last.
type Sport = (&'static str, &'static [&'static str], &'static [u32], u32);

/// The sports, each of which has the venue of its place in this list.
pub(in crate::guide::games) const SPORTS: [Sport; 16] = [
    ("Athletics", &["Track", "Field"], &[600, 1140], 190),
    ("Swimming", &["Heats", "Finals"], &[660, 1230], 120),
    ("Gymnastics", &["Artistic", "Rhythmic"], &[570, 840, 1080], 140),
    ("Basketball", &["Women", "Men"], &[660, 810, 1035, 1260], 120),
    ("Handball", &["Women", "Men"], &[540, 840, 1140], 180),
    ("Volleyball", &["Women", "Men"], &[540, 780, 1020, 1260], 130),
    ("Football", &["Women", "Men"], &[900, 1020, 1140, 1260], 115),
    ("Hockey", &["Women", "Men"], &[600, 750, 1020, 1170], 115),
    ("Tennis", &["Singles", "Doubles"], &[660, 900, 1140], 210),
    ("Table tennis", &["Singles", "Teams"], &[600, 900, 1200], 160),
    ("Badminton", &["Singles", "Doubles"], &[510, 840, 1170], 200),
    ("Judo", &["Elimination", "Final block"], &[600, 960], 150),
    ("Fencing", &["Tables", "Finals"], &[570, 810, 1140], 150),
    ("Boxing", &["Ring A", "Ring B"], &[660, 930, 1200], 165),
    ("Weightlifting", &["Group B", "Group A"], &[660, 900, 1170], 120),
    ("Climbing", &["Speed", "Boulder"], &[600, 780, 960, 1110], 100),
];

/// The games of a seed, over so many days (1 to 30): fewer days make fuller ones.
pub fn games(seed: u64, days: usize) -> Games {
    let mut chance = ChaCha8Rng::seed_from_u64(seed);
    let days: Vec<Date> = (0..days.clamp(1, 30)).map(|day| FIRST.saturating_add((day as i64).days())).collect();
    let places = ground(&mut chance);
    let mut sessions: Vec<Session> = Vec::new();
    // Round by round, each session of each sport on each day, until there are enough.
    'full: for round in 0.. {
        for date in &days {
            for (number, sport) in SPORTS.iter().enumerate() {
                sessions.extend(session(&mut chance, *date, round, number, sport));
                if sessions.len() == SESSIONS {
                    break 'full;
                }
            }
        }
    }
    let time_zone = TimeZone::get(ZONE).unwrap_or(TimeZone::UTC);
    Games { programme: Programme { time_zone, sessions }, places, days }
}

/// A round's session of a sport on a day; none where the sport has fewer, but for further courts once all have been.
fn session(chance: &mut impl Rng, date: Date, round: usize, number: usize, sport: &Sport) -> Option<Session> {
    let (name, disciplines, begins, minutes) = *sport;
    let court = round / 5;
    let next = begins.get(round % 5 + 1);
    let begins = begins.get(round % 5)? + 5 * chance.random_range(0..=4_u32);
    let minutes = minutes + 5 * chance.random_range(0..=6_u32) - 15;
    // The next of the day is in the same place.
    let minutes = next.map_or(minutes, |next| minutes.min(next - begins));
    let start = date.to_datetime(jiff::civil::Time::midnight()).saturating_add(i64::from(begins).minutes());
    let end = start.saturating_add(i64::from(minutes).minutes());
    let discipline = disciplines[(round + date.day() as usize) % disciplines.len()];
    let title = match name {
        // Shown again and again: whoever has seen it need not see it twice that day.
        "Climbing" if round.is_multiple_of(2) => "Speed relay".to_owned(),
        _ => format!("{discipline}, session {}", round + 1),
    };
    let status = match chance.random_range(0..100) {
        0..8 => Status::SoldOut,
        8..10 => Status::Cancelled,
        10..13 => Status::Delayed,
        13..15 => Status::Moved,
        _ => Status::OnTime,
    };
    Some(Session {
        id: format!("{}-{}-{round}", name.replace(' ', "-").to_lowercase(), date.day()),
        sport: name.to_owned(),
        discipline: Some(discipline.to_owned()),
        title,
        venue: venue(number),
        place: if court == 0 { "Main stand".to_owned() } else { format!("Court {}", court + 1) },
        gate: Name::new(["gate-a", "gate-b", "gate-c", "gate-d", "gate-e", "gate-f"][number % 6])
            .filter(|_| number % 3 != 2),
        when: When::Once { start, end },
        status,
        attendance: Some(500 * chance.random_range(2..=60)),
    })
}

/// The venue of the sport of a number.
pub(in crate::guide::games) fn venue(number: usize) -> String {
    const NAMES: [&str; 16] = [
        "Olive Stadium",
        "Heron Pool",
        "Linden Hall",
        "Quarry Arena",
        "Mill Arena",
        "Harbour Hall",
        "Meadow Ground",
        "Brick Lane Pitch",
        "Orchard Courts",
        "Lantern Hall",
        "Weaver Hall",
        "Stone Hall",
        "Glass Pavilion",
        "Foundry",
        "Kiln House",
        "Tower Wall",
    ];
    NAMES[number % NAMES.len()].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    #[test]
    fn games_have_the_shape_they_promise() {
        for days in [1, 5, 9] {
            let games = games(7, days);
            let sessions = &games.programme.sessions;
            assert_eq!((sessions.len(), games.places.places.len(), games.days.len()), (SESSIONS, 200, days));
            assert_eq!(sessions.iter().map(|session| &session.sport).collect::<BTreeSet<_>>().len(), 16);
            assert_eq!(sessions.iter().map(|session| &session.id).collect::<BTreeSet<_>>().len(), SESSIONS, "{days}");
            assert!(games.places.paths.iter().any(|path| !path.step_free), "there are steps");
        }
    }

    #[test]
    fn a_seed_is_always_the_same_games() {
        let text = |seed| format!("{:?}", games(seed, 5));
        assert_eq!(text(3), text(3));
        assert_ne!(text(3), text(4));
    }

    #[test]
    fn no_two_sessions_are_in_one_place_at_one_time() {
        let mut places: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for session in games(7, 5).programme.sessions {
            let When::Once { start, end } = session.when else { panic!("held once") };
            places.entry((session.venue, session.place)).or_default().push((start, end));
        }
        for mut times in places.into_values() {
            times.sort();
            assert!(times.windows(2).all(|pair| pair[0].1 <= pair[1].0), "{times:?}");
        }
    }
}
