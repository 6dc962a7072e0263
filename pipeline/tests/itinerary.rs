//! A thousand visitors' days on games that never were: no rule is broken, by a check that reads nothing but the day.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use jiff::{SignedDuration, Timestamp, civil::DateTime};
use std::{collections::BTreeSet, time::Duration};
use usher::guide::{
    day::{Day, Stop, StopKind, Why, pair},
    games::{Games, games, guests},
    itinerary::{check::faults, solve::Proof},
    plan::{Departure, Departures, Planned, Site, Unplannable, Wanted, day_for, legs::Legs},
    ways::Ways,
};
use usher_config::{
    places::{DIETS, Kind, Place, Position},
    programme::{Session, Status, When},
    value::Name,
};

/// Games with what is made of them.
struct World {
    games: Games,
    ways: Ways,
    legs: Legs,
}

impl World {
    fn of(games: Games) -> Self {
        let ways = Ways::of(&games.places);
        let legs = Legs::of(&games.places, &ways);
        Self { games, ways, legs }
    }

    fn site(&self) -> Site<'_> {
        let (programme, places) = (&self.games.programme, &self.games.places);
        Site { programme, places, ways: &self.ways, legs: &self.legs, departures: None }
    }

    fn plan(&self, wanted: &Wanted) -> Result<Planned, Unplannable> {
        day_for(&self.site(), wanted)
    }

    fn session(&self, id: &str) -> &Session {
        self.games.programme.sessions.iter().find(|session| session.id == id).unwrap()
    }

    fn session_mut(&mut self, id: &str) -> &mut Session {
        self.games.programme.sessions.iter_mut().find(|session| session.id == id).unwrap()
    }

    /// The place of a stop, by its position and name.
    fn place(&self, stop: &Stop) -> &Place {
        let name = if stop.kind == StopKind::Session {
            &self.session(stop.session.as_ref().unwrap()).venue
        } else {
            &stop.title
        };
        self.games.places.places.iter().find(|place| place.name == *name && Some(pair(place.at)) == stop.at).unwrap()
    }

    fn gate(&self, name: &Name) -> Position {
        let is_it = |place: &&Place| place.kind == Kind::Gate && place.name == name.as_str();
        self.games.places.places.iter().find(is_it).unwrap().at
    }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// The venue's clock time in an RFC 3339 text, which has the venue's offset.
fn clock(text: &str) -> DateTime {
    text[..19].parse().unwrap()
}

fn seconds(seconds: u32) -> SignedDuration {
    SignedDuration::from_secs(seconds.into())
}

/// Holds a day against programme, places, paths and wishes, all read anew.
fn hold(world: &World, wanted: &Wanted, day: &Day) {
    let (first, last) = (day.stops.first().unwrap(), day.stops.last().unwrap());
    assert_eq!((first.kind, last.kind), (StopKind::Arrive, StopKind::Leave));
    assert_eq!(at(&first.starts), wanted.at.timestamp());
    assert!(at(&last.ends) <= wanted.until.as_ref().unwrap().timestamp(), "they leave in time");
    assert!(day.route.len() <= 400);
    assert_eq!((day.route.first(), day.route.last()), (first.at.as_ref(), last.at.as_ref()));
    for pair in day.stops.windows(2) {
        walked(world, wanted, &pair[0], &pair[1]);
    }
    let (mut seen, mut meals) = (BTreeSet::new(), Vec::new());
    for stop in &day.stops[1..] {
        assert!(!stop.why.is_empty(), "every stop says why: {stop:?}");
        assert!(at(&stop.starts) <= at(&stop.ends));
        let place = world.place(stop);
        assert!(place.step_free || !wanted.step_free, "{place:?} has steps");
        match stop.kind {
            StopKind::Session => {
                let session = world.session(stop.session.as_ref().unwrap());
                let When::Once { start, end } = session.when else { panic!("held once") };
                assert_eq!((clock(&stop.starts), clock(&stop.ends)), (start, end), "the whole session");
                assert!(!matches!(session.status, Status::SoldOut | Status::Cancelled));
                assert!(wanted.sports.contains(&session.sport));
                assert!(stop.why.contains(&Why::Favourite { sport: session.sport.clone() }));
                assert!(seen.insert((&session.sport, &session.discipline, &session.title)), "seen already");
            }
            StopKind::Meal | StopKind::Rest => {
                let (from, to) = (clock(&stop.starts), clock(&stop.ends));
                assert_eq!(place.opening.windows(from, to), [(from, to)], "open all the time: {place:?}");
                if stop.kind == StopKind::Meal {
                    assert!(matches!(place.kind, Kind::Restaurant | Kind::Cafe | Kind::Kiosk));
                    let diets = wanted.food.iter().filter(|food| DIETS.contains(&food.as_str()));
                    assert!(diets.clone().all(|diet| place.diets.contains(diet)), "{place:?} keeps no {diets:?}");
                    meals.push(from.hour());
                }
            }
            StopKind::Arrive | StopKind::Leave => assert!(matches!(place.kind, Kind::Transit | Kind::Gate)),
        }
    }
    assert!(meals.iter().filter(|hour| **hour < 15).count() <= 1 && meals.len() <= 2, "{meals:?}");
}

/// Walks from one stop to the next again, and waits where one waits.
fn walked(world: &World, wanted: &Wanted, from: &Stop, to: &Stop) {
    let (here, there) = (from.at.unwrap(), to.at.unwrap());
    let position = |[longitude, latitude]: [f64; 2]| Position { longitude, latitude };
    let gate = to.gate.as_ref().filter(|_| to.kind == StopKind::Session && here != there);
    let mut way = vec![position(here)];
    way.extend(gate.map(|gate| world.gate(gate)));
    way.push(position(there));
    let walks = way
        .windows(2)
        .filter(|pair| pair[0] != pair[1])
        .map(|pair| world.ways.walk(pair[0], pair[1], wanted.step_free).expect("a way that can be walked"));
    let (took, far) = walks.fold((0, 0), |(took, far), walk| (took + walk.seconds, far + walk.metres));
    // Each part of the way is rounded by itself.
    assert!(to.walk_s.abs_diff(took) <= 2 && to.walk_m.abs_diff(far) <= 2, "{to:?} takes {took} s, {far} m");
    let waits = to.gate.as_ref().and_then(|gate| wanted.waits.get(gate)).map_or(0, |wait| wait.as_secs() as u32);
    let waits = if to.kind == StopKind::Session { waits } else { 0 };
    assert!(to.wait_s == waits || (to.wait_s == 0 && here == there), "{to:?}");
    assert!(at(&from.ends) + seconds(to.walk_s + to.wait_s) <= at(&to.starts), "{from:?} and {to:?} overlap");
}

#[test]
fn a_thousand_days_break_no_rule_and_are_proven_best() {
    let world = World::of(games(7, 5));
    let (mut sessions, mut meals, mut rests) = (0, 0, 0);
    for wanted in guests(&world.games, 11, 1000) {
        let planned = world.plan(&wanted).unwrap();
        assert_eq!(faults(&planned.problem, &planned.plan), []);
        assert_eq!(planned.proof, Proof::Optimal);
        let told = serde_json::to_string(&planned.day).unwrap();
        let day: Day = serde_json::from_str(&told).unwrap();
        assert_eq!(day, planned.day);
        hold(&world, &wanted, &day);
        let count = |kind| day.stops.iter().filter(|stop| stop.kind == kind).count();
        sessions += count(StopKind::Session);
        meals += count(StopKind::Meal);
        rests += count(StopKind::Rest);
    }
    // Days without anything in them would break no rule either.
    assert!(sessions > 1500 && meals > 1000 && rests > 200, "{sessions} sessions, {meals} meals, {rests} rests");
}

#[test]
fn fuller_days_than_there_ever_were_break_no_rule() {
    let world = World::of(games(8, 1));
    for mut wanted in guests(&world.games, 12, 100) {
        hold(&world, &wanted, &world.plan(&wanted).unwrap().day);
        wanted.sports = world.games.programme.sessions.iter().map(|session| session.sport.clone()).collect();
        let planned = world.plan(&wanted).unwrap();
        assert_eq!(faults(&planned.problem, &planned.plan), []);
        hold(&world, &wanted, &planned.day);
    }
}

/// A world with somebody's day of several sessions in it.
fn told() -> (World, Wanted, Planned) {
    let world = World::of(games(7, 5));
    let found = guests(&world.games, 11, 200).into_iter().find_map(|wanted| {
        let planned = world.plan(&wanted).unwrap();
        let kinds: Vec<StopKind> = planned.day.stops.iter().map(|stop| stop.kind).collect();
        let [_, StopKind::Session, StopKind::Meal, .., StopKind::Session, _] = kinds[..] else { return None };
        Some((wanted, planned))
    });
    let (wanted, planned) = found.unwrap();
    (world, wanted, planned)
}

/// The same visitor, so many minutes after a moment, with what they were told before.
fn later(wanted: &Wanted, day: &Day, from: &str, minutes: i64) -> Wanted {
    let now = (at(from) + SignedDuration::from_mins(minutes)).to_zoned(wanted.at.time_zone().clone());
    Wanted { at: now, before: Some(day.clone()), ..wanted.clone() }
}

fn sessions(day: &Day) -> Vec<&str> {
    day.stops.iter().filter_map(|stop| stop.session.as_deref()).collect()
}

#[test]
fn a_session_begins_when_the_programme_says_whenever_its_visitor_walked_up() {
    let (world, wanted, planned) = told();
    let walked_up = Wanted { at: wanted.at.saturating_add(SignedDuration::from_millis(-640)), ..wanted };
    let begins = |day: &Day| -> Vec<String> {
        let sessions = day.stops.iter().filter(|stop| stop.kind == StopKind::Session);
        sessions.map(|stop| stop.starts.clone()).collect()
    };
    let found = begins(&world.plan(&walked_up).unwrap().day);
    assert_eq!(found, begins(&planned.day));
    assert!(found.iter().all(|starts| starts.contains(":00+") || starts.ends_with(":00Z")), "{found:?}");
}

#[test]
fn planning_again_finishes_what_was_begun_and_keeps_the_rest() {
    let (world, wanted, planned) = told();
    let first = &planned.day.stops[1];
    let again = world.plan(&later(&wanted, &planned.day, &first.starts, 5)).unwrap();
    assert_eq!(again.day.stops[0], *first, "where they are comes first");
    assert_eq!(again.day.stops[1..], planned.day.stops[2..], "nothing has changed, so nothing changes");
    assert_eq!(faults(&again.problem, &again.plan), []);
}

#[test]
fn nobody_is_sent_to_lunch_twice() {
    let (world, wanted, planned) = told();
    let meal = &planned.day.stops[2];
    assert_eq!(meal.kind, StopKind::Meal);
    let again = world.plan(&later(&wanted, &planned.day, &meal.ends, 0)).unwrap();
    let had = |day: &Day| day.stops.iter().filter(|stop| stop.kind == StopKind::Meal).count();
    assert_eq!(had(&again.day), had(&planned.day) - 1);
}

#[test]
fn a_session_that_moves_is_planned_at_its_new_time_or_not_at_all() {
    let (mut world, wanted, planned) = told();
    let last = sessions(&planned.day).last().unwrap().to_string();
    let session = world.session_mut(&last);
    let When::Once { start, end } = session.when else { panic!("held once") };
    let hour = SignedDuration::from_mins(40);
    session.when = When::Once { start: start.checked_sub(hour).unwrap(), end: end.checked_sub(hour).unwrap() };
    session.status = Status::Moved;
    let again = world.plan(&wanted).unwrap();
    hold(&world, &wanted, &again.day);
    world.session_mut(&last).status = Status::Cancelled;
    let again = world.plan(&Wanted { before: Some(planned.day), ..wanted.clone() }).unwrap();
    hold(&world, &wanted, &again.day);
    assert!(!sessions(&again.day).contains(&last.as_str()), "a cancelled session is nobody's plan, told before or not");
}

#[test]
fn a_gate_that_jams_is_waited_for_or_left_alone() {
    let (world, mut wanted, planned) = told();
    let gate = planned.day.stops.iter().find_map(|stop| stop.gate.clone().filter(|_| stop.session.is_some())).unwrap();
    wanted.waits.insert(gate.clone(), Duration::from_secs(45 * 60));
    let again = world.plan(&wanted).unwrap();
    hold(&world, &wanted, &again.day);
    let there = again.day.stops.iter().filter(|stop| stop.session.is_some() && stop.gate.as_ref() == Some(&gate));
    assert!(there.into_iter().all(|stop| stop.wait_s == 2700 || stop.walk_s == 0));
    assert!(again.points <= planned.points, "a queue makes no day better");
}

#[test]
fn what_cameras_count_now_makes_a_meal_popular_or_quiet_and_says_nothing_of_the_evening() {
    let (mut world, mut wanted, planned) = told();
    for (number, place) in world.games.places.places.iter_mut().enumerate().filter(|(_, place)| place.kind.is_food()) {
        place.popularity = None;
        place.camera = Name::new(&format!("camera-{number}"));
    }
    let cameras: Vec<Name> = world.games.places.places.iter().filter_map(|place| place.camera.clone()).collect();
    wanted.at = later(&wanted, &planned.day, &planned.day.stops[2].starts, -20).at;
    let at = wanted.at.timestamp();
    let mut day_with = |people: f64| {
        wanted.seen = cameras.iter().map(|camera| (camera.clone(), people)).collect();
        let planned = world.plan(&wanted).unwrap();
        hold(&world, &wanted, &planned.day);
        planned
    };
    let (quiet, busy) = (day_with(0.1), day_with(60.0));
    let meals = |planned: &Planned, why: &Why| -> Vec<(bool, bool)> {
        let meals = planned.day.stops.iter().filter(|stop| stop.kind == StopKind::Meal);
        let soon = |stop: &Stop| stop.starts.parse::<Timestamp>().unwrap() <= at + SignedDuration::from_hours(1);
        meals.map(|stop| (soon(stop), stop.why.contains(why))).collect()
    };
    let lunch = meals(&quiet, &Why::Quiet);
    assert!(lunch.iter().any(|(soon, _)| *soon), "{lunch:?}");
    assert!(lunch.iter().all(|(soon, quiet)| soon == quiet), "{lunch:?}");
    assert!(meals(&busy, &Why::Popular).iter().all(|(soon, popular)| soon == popular));
    assert!(busy.points > quiet.points, "where many go, more like it");
}

#[test]
fn what_is_promised_is_kept_unless_something_is_clearly_better() {
    let (world, wanted, planned) = told();
    // Their second best lunch was promised to them.
    let best = planned.day.stops[2].clone();
    let mut other = World::of(world.games.clone());
    other.games.places.places.iter_mut().find(|place| place.name == best.title).unwrap().opening =
        "off".parse().unwrap();
    let promised = other.plan(&wanted).unwrap();
    assert_ne!(promised.day.stops[2].title, best.title);
    let again = world.plan(&Wanted { before: Some(promised.day.clone()), ..wanted.clone() }).unwrap();
    let difference = planned.points - promised.points;
    assert!(difference < 15.0, "the seed's second best is nearly as good: {difference}");
    assert_eq!(again.day, promised.day);
}

/// A stop that a vehicle leaves every ten minutes.
struct Shuttle;

impl Departures for Shuttle {
    fn next(&self, _: Position, from: &jiff::Zoned, how_many: usize) -> Vec<Departure> {
        let leave = |minutes: i64| from.checked_add(SignedDuration::from_mins(10 * minutes)).unwrap();
        let one = |at| Departure { line: "S".to_owned(), towards: "Town".to_owned(), at };
        (1..=how_many as i64).map(|number| one(leave(number))).collect()
    }
}

#[test]
fn the_way_home_says_when_vehicles_leave() {
    let (world, wanted, planned) = told();
    let site = Site { departures: Some(&Shuttle), ..world.site() };
    let day = day_for(&site, &wanted).unwrap().day;
    let last = day.stops.last().unwrap();
    let home = clock(&planned.day.stops.last().unwrap().ends);
    let next = home.checked_add(SignedDuration::from_mins(10)).unwrap();
    let at = format!("{:02}:{:02}", next.hour(), next.minute());
    assert_eq!(last.why[0], Why::Departs { line: "S".to_owned(), towards: "Town".to_owned(), at });
    assert_eq!(last.why.iter().filter(|why| matches!(why, Why::Departs { .. })).count(), 3);
}

#[test]
fn what_cannot_be_planned_says_why_and_what_to_do() {
    let (mut world, wanted, _) = told();
    let said = |world: &World, wanted: &Wanted| world.plan(wanted).map(|planned| planned.day).unwrap_err().to_string();
    let nowhere = Wanted { from: Name::new("gate-z").unwrap(), ..wanted.clone() };
    let known = "there are: gate-a, gate-b, gate-c, gate-d, gate-e, gate-f";
    assert!(said(&world, &nowhere).contains("no gate `gate-z`") && said(&world, &nowhere).contains(known));
    let over = Wanted { until: Some(wanted.at.clone()), ..wanted.clone() };
    assert!(said(&world, &over).contains("name a later `until`"));
    let soon = wanted.at.checked_add(SignedDuration::from_secs(1)).unwrap();
    assert!(said(&world, &Wanted { until: Some(soon), ..wanted.clone() }).contains("name a later `until`"));
    let venue = world.games.programme.sessions[0].venue.clone();
    let sport = world.games.programme.sessions[0].sport.clone();
    world.games.places.places.retain(|place| place.name != venue);
    let world = World::of(world.games);
    let planned = world.plan(&Wanted { sports: vec![sport], ..wanted.clone() }).unwrap();
    assert_eq!(planned.unplaced, BTreeSet::from([venue]), "a venue that is nowhere is told");
    let mut games = world.games.clone();
    games.programme.sessions.clear();
    let empty = World::of(games);
    let day = empty.plan(&wanted).unwrap().day;
    assert!(
        day.stops.iter().all(|stop| stop.kind != StopKind::Session),
        "an empty programme is a day without sessions"
    );
}
