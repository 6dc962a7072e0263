//! Remarks: what is allowed in a programme and its places, but deserves a second look.
//!
//! A file that reads without a problem can still be wrong about the world. Nothing here stops a gate; each remark says
//! what looks odd and what to do if it is.

use crate::guide::{
    live::SAME_STOP_M,
    programme::folded,
    ways::{Ways, crossings},
};
use jiff::{Timestamp, Zoned};
use std::collections::{BTreeMap, BTreeSet};
use usher_config::{
    places::{Kind, Place, Places, Position},
    programme::{Programme, Session, When},
    transit::{From, Transit},
};

/// Most remarks of one sort that are told one by one.
const MOST: usize = 8;
/// How many times as often a spelling must stand for the other to look misspelt.
const RARE: usize = 5;
/// Hours by which the sun and the clocks of a place differ at most, summer time apart: zones are wide and follow politics.
/// The west of China differs by more.
const OFF_THE_SUN: f64 = 2.0;

/// Which file a remark is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// The programme.
    Programme,
    /// The places.
    Places,
    /// Public transport.
    Transit,
}

/// Something that deserves a second look.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remark {
    /// Which file it is about.
    pub about: About,
    /// What looks odd: one lower-case sentence.
    pub message: String,
    /// What to do if it is.
    pub mend: String,
}

/// Everything odd about a programme and the places it is held at, at a moment; `ways` are those of the places.
pub fn of(programme: &Programme, places: &Places, ways: &Ways, now: Timestamp) -> Vec<Remark> {
    let mut remarks = Remarks::default();
    over(programme, now, &mut remarks);
    misspelt(programme, &mut remarks);
    unplaced(programme, places, &mut remarks);
    unreached(places, ways, &mut remarks);
    crossed(places, &mut remarks);
    elsewhere(programme, places, now, &mut remarks);
    remarks.0
}

/// Everything odd about public transport beside these places, at a moment.
pub fn of_transit(transit: &Transit, places: &Places, now: Timestamp) -> Vec<Remark> {
    let mut remarks = Remarks::default();
    let today = now.to_zoned(transit.time_zone.clone()).date();
    if let Some(last) = transit.last_day().filter(|last| *last < today) {
        let message = format!("nothing runs any more: the last day of the feed is {last}");
        remarks.add(About::Transit, message, "get the operator's newest feed");
    }
    let stops: Vec<_> = places.places.iter().filter(|place| place.kind == Kind::Transit).collect();
    if stops.is_empty() {
        remarks.add(
            About::Transit,
            "the places have no stop, so nobody is led to a vehicle".to_owned(),
            "add a point of `kind: transit` where people board",
        );
    }
    for stop in stops {
        let near = From::Near(stop.at, SAME_STOP_M);
        if transit.departures(near, &now.to_zoned(transit.time_zone.clone()), 1).is_empty() {
            let message = format!("within {SAME_STOP_M} m of `{}` nothing leaves in the next 24 hours", stop.name);
            remarks.add(About::Transit, message, "check its position, or get a feed that has this stop");
        }
    }
    remarks.0
}

#[derive(Default)]
struct Remarks(Vec<Remark>);

impl Remarks {
    fn add(&mut self, about: About, message: impl Into<String>, mend: impl Into<String>) {
        self.0.push(Remark { about, message: message.into(), mend: mend.into() });
    }

    /// Several of a sort: one by one, and how many more there are.
    fn add_all<T>(&mut self, about: About, all: &[T], said: impl Fn(&T) -> (String, String)) {
        for one in all.iter().take(MOST) {
            let (message, mend) = said(one);
            self.add(about, message, mend);
        }
        if all.len() > MOST {
            let more = count(all.len() - MOST, "more of that sort is", "more of that sort are");
            self.add(about, format!("{more} not listed"), "mend these first");
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// Sessions that are over.
fn over(programme: &Programme, now: Timestamp, remarks: &mut Remarks) {
    let end = |session: &Session| match &session.when {
        When::Once { end, .. } => end.to_zoned(programme.time_zone.clone()).ok(),
        When::Weekly { .. } => None,
    };
    let mut over: Vec<(Zoned, &Session)> =
        programme.sessions.iter().filter_map(|session| Some((end(session)?, session))).collect();
    over.retain(|(end, _)| end.timestamp() <= now);
    let Some((end, last)) = over.iter().max_by(|one, other| one.0.cmp(&other.0)) else { return };
    let date = end.strftime("%Y-%m-%d %H:%M");
    if over.len() == programme.sessions.len() {
        let message = format!("every session is over; the last, `{}`, ended {date}", last.title);
        remarks.add(About::Programme, message, "check the dates, or bring the next programme");
    } else {
        let sessions = count(over.len(), "session is", "sessions are");
        let message = format!("{sessions} over; the last of them, `{}`, ended {date}", last.title);
        remarks.add(About::Programme, message, "check the dates; sessions that are over are shown to nobody");
    }
}

/// Sports whose spelling is rare, while one very like it is frequent.
fn misspelt(programme: &Programme, remarks: &mut Remarks) {
    let mut counts: BTreeMap<String, (usize, &str)> = BTreeMap::new();
    for session in &programme.sessions {
        counts.entry(folded(&session.sport)).or_insert((0, &session.sport)).0 += 1;
    }
    let rare: Vec<(&str, usize, &str, usize)> = counts
        .iter()
        .filter_map(|(spelling, (times, sport))| {
            let like = counts.iter().filter(|(other, (often, _))| *often >= RARE * times && alike(spelling, other));
            let (_, (often, other)) = like.max_by_key(|(_, (often, _))| *often)?;
            Some((*sport, *times, *other, *often))
        })
        .collect();
    remarks.add_all(About::Programme, &rare, |(sport, times, other, often)| {
        let message =
            format!("the sport `{sport}` has {}, `{other}` has {often}", count(*times, "session", "sessions"));
        (message, format!("write `{other}` if that is meant: visitors choose a sport by its spelling"))
    });
}

/// Whether two different names are one letter or two apart.
fn alike(one: &str, other: &str) -> bool {
    let shorter = one.chars().count().min(other.chars().count());
    one != other && strsim::damerau_levenshtein(one, other) <= if shorter < 8 { 1 } else { 2 }
}

/// Venues and gates of the programme that the places do not have.
fn unplaced(programme: &Programme, places: &Places, remarks: &mut Remarks) {
    let of = |kind: Kind| places.places.iter().filter(move |place| place.kind == kind);
    let nearest = |name: &str, kind: Kind| {
        let near = of(kind).map(|place| (strsim::damerau_levenshtein(&folded(name), &folded(&place.name)), place));
        let near = near.filter(|(edits, _)| *edits <= 1 + name.chars().count() / 5).min_by_key(|(edits, _)| *edits);
        near.map(|(_, place)| format!("did you mean `{}`? write both the same", place.name))
    };
    let missing = |names: BTreeMap<String, &str>, kind: Kind| -> Vec<String> {
        let placed: BTreeSet<String> = of(kind).map(|place| folded(&place.name)).collect();
        names.into_iter().filter(|(name, _)| !placed.contains(name)).map(|(_, name)| name.to_owned()).collect()
    };
    let venues = programme.sessions.iter().map(|session| (folded(&session.venue), session.venue.as_str())).collect();
    remarks.add_all(About::Places, &missing(venues, Kind::Venue), |venue| {
        let mend = || "draw it, as a point or polygon of that name: without it no itinerary leads there".to_owned();
        (
            format!("the programme's venue `{venue}` is not among the places"),
            nearest(venue, Kind::Venue).unwrap_or_else(mend),
        )
    });
    let gates = programme.sessions.iter().filter_map(|session| session.gate.as_ref());
    let gates = gates.map(|gate| (folded(gate.as_str()), gate.as_str())).collect();
    remarks.add_all(About::Places, &missing(gates, Kind::Gate), |gate| {
        let mend = || "draw it, as a point of that name: without it nobody is led through it".to_owned();
        (
            format!("the programme's gate `{gate}` is not among the places"),
            nearest(gate, Kind::Gate).unwrap_or_else(mend),
        )
    });
    if of(Kind::Gate).next().is_none() && !places.places.is_empty() {
        let mend = "draw the gates as points of kind `gate`, by their names in the configuration";
        remarks.add(About::Places, "there is no gate among the places", mend);
    }
}

/// Places that cannot be walked to from most others, with steps or without.
fn unreached(places: &Places, ways: &Ways, remarks: &mut Remarks) {
    let at: Vec<Position> = places.places.iter().map(|place| place.at).collect();
    let astray = |step_free: bool| -> BTreeSet<usize> {
        let parts = ways.parts(&at, step_free);
        let mut sizes: BTreeMap<usize, usize> = BTreeMap::new();
        parts.iter().flatten().for_each(|part| *sizes.entry(*part).or_default() += 1);
        let most = sizes.into_iter().max_by_key(|(_, size)| *size).map(|(part, _)| part);
        (0..parts.len()).filter(|place| parts[*place].is_none() || parts[*place] != most).collect()
    };
    let any = astray(false);
    let told: Vec<&Place> = any.iter().map(|index| &places.places[*index]).collect();
    remarks.add_all(About::Places, &told, |place| {
        let mend = "draw a path there that meets the others, point on point".to_owned();
        (format!("no path leads from the rest of the site to {}", named(place)), mend)
    });
    let steps = astray(true).into_iter().filter(|index| !any.contains(index)).map(|index| &places.places[index]);
    let steps: Vec<&Place> = steps.filter(|place| place.step_free).collect();
    remarks.add_all(About::Places, &steps, |place| {
        let mend = "draw the way without steps, or write `\"step_free\": false` there if there is none".to_owned();
        (format!("only steps lead to {}", named(place)), mend)
    });
}

/// What a place is called in a sentence.
fn named(place: &Place) -> String {
    if place.name.is_empty() {
        let Position { longitude, latitude } = place.at;
        return format!("the {} at [{longitude}, {latitude}]", place.kind);
    }
    format!("{} `{}`", place.kind, place.name)
}

/// Paths that cross without meeting.
fn crossed(places: &Places, remarks: &mut Remarks) {
    remarks.add_all(About::Places, &crossings(places), |Position { longitude, latitude }| {
        let message = format!("two paths cross at [{longitude:.6}, {latitude:.6}] without a point of both");
        (message, "give both a point there if people can turn; leave it if one is a bridge".to_owned())
    });
}

/// A site whose clocks are not those of its longitude, while they would be those of its latitude.
fn elsewhere(programme: &Programme, places: &Places, now: Timestamp, remarks: &mut Remarks) {
    let Some(place) = places.places.first() else { return };
    let Position { longitude, latitude } = place.at;
    let info = programme.time_zone.to_offset_info(now);
    let summer = if info.dst().is_dst() { 1.0 } else { 0.0 };
    let offset = f64::from(info.offset().seconds()) / 3600.0 - summer;
    let off = |degrees: f64| {
        let hours = (degrees / 15.0 - offset).rem_euclid(24.0);
        hours.min(24.0 - hours)
    };
    if off(longitude) <= OFF_THE_SUN {
        return;
    }
    let zone = programme.time_zone.iana_name().unwrap_or("the programme's time zone");
    let message =
        format!("the places lie at {longitude:.2}° east and {latitude:.2}° north, where clocks differ from {zone}");
    let mend = if off(latitude) <= OFF_THE_SUN && longitude.abs() <= 90.0 {
        "if these are swapped, write longitude first in every position; else mend `time_zone`"
    } else {
        "check `time_zone` in the programme, and the positions"
    };
    remarks.add(About::Places, message, mend);
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: &str = "2026-07-14T12:00:00Z";

    fn remarks(sessions: &[&str], features: &[&str]) -> Vec<String> {
        let programme = format!("time_zone: Europe/Berlin\nsessions:\n{}", sessions.concat());
        let places = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
        let programme = usher_config::programme::from_text(&programme, "p").unwrap();
        let places = usher_config::places::from_text(&places, "g").unwrap();
        let found = of(&programme, &places, &Ways::of(&places), NOW.parse().unwrap());
        assert!(found.iter().all(|remark| !remark.mend.is_empty()));
        found.into_iter().map(|remark| format!("{}; {}", remark.message, remark.mend)).collect()
    }

    fn session(sport: &str, venue: &str, when: &str) -> String {
        format!(
            "  - {{ sport: {sport}, title: {sport} {when}, venue: {venue}, place: '{sport} {when}', {} }}\n",
            match when {
                "daily" => "start: '10:00', end: '11:00', days: daily".to_owned(),
                date => format!("start: {date} 10:00, end: {date} 11:00"),
            }
        )
    }

    fn place(kind: &str, name: &str, at: [f64; 2]) -> String {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[{},{}]}},"properties":{{"kind":"{kind}","name":"{name}"}}}}"#,
            at[0], at[1]
        )
    }

    fn path(line: &str, step_free: bool) -> String {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"LineString","coordinates":{line}}},"properties":{{"step_free":{step_free}}}}}"#
        )
    }

    fn said(sessions: &[String], features: &[String]) -> Vec<String> {
        let texts = |all: &[String]| -> Vec<String> { all.to_vec() };
        let (sessions, features) = (texts(sessions), texts(features));
        remarks(
            &sessions.iter().map(String::as_str).collect::<Vec<_>>(),
            &features.iter().map(String::as_str).collect::<Vec<_>>(),
        )
    }

    #[test]
    fn nothing_is_said_of_what_is_right() {
        let features = [place("venue", "Arena", [13.4, 52.5]), place("gate", "gate-a", [13.401, 52.5])];
        assert_eq!(said(&[session("Judo", "Arena", "daily")], &features), [""; 0]);
    }

    #[test]
    fn sessions_that_are_over_are_counted() {
        let features = [place("venue", "Arena", [13.4, 52.5]), place("gate", "gate-a", [13.401, 52.5])];
        let over = [session("Judo", "Arena", "2026-07-12"), session("Judo", "Arena", "2026-07-13")];
        let found = said(&over, &features);
        assert!(
            found[0].starts_with("every session is over; the last, `Judo 2026-07-13`, ended 2026-07-13 11:00; check"),
            "{found:?}"
        );
        let found = said(&[over[0].clone(), session("Judo", "Arena", "2026-07-15")], &features);
        assert!(found[0].starts_with("1 session is over; the last of them, `Judo 2026-07-12`"), "{found:?}");
    }

    #[test]
    fn a_rare_spelling_beside_a_frequent_one_looks_misspelt() {
        let features = [place("venue", "Arena", [13.4, 52.5]), place("gate", "gate-a", [13.401, 52.5])];
        let mut sessions: Vec<String> =
            (10..16).map(|day| session("Athletics", "Arena", &format!("2026-08-{day}"))).collect();
        sessions.push(session("Atheltics", "Arena", "2026-08-20"));
        sessions.push(session("Rowing", "Arena", "2026-08-21"));
        let found = said(&sessions, &features);
        assert_eq!(
            found,
            [
                "the sport `Atheltics` has 1 session, `Athletics` has 6; write `Athletics` if that is meant: visitors choose a sport by its spelling"
            ]
        );
    }

    #[test]
    fn venues_that_are_not_drawn_are_named_with_the_nearest() {
        let features = [place("venue", "Aquatics Center", [13.4, 52.5])];
        let found = said(&[session("Diving", "Aquatics Centre", "daily"), session("Judo", "Hall", "daily")], &features);
        assert!(
            found[0].contains("venue `Aquatics Centre` is not among the places; did you mean `Aquatics Center`?"),
            "{found:?}"
        );
        assert!(found[1].contains("venue `Hall` is not among the places; draw it"), "{found:?}");
        assert!(found[2].starts_with("there is no gate among the places"), "{found:?}");
    }

    #[test]
    fn what_no_path_reaches_is_named_and_what_only_steps_reach_too() {
        let features = [
            place("venue", "Arena", [13.4, 52.5]),
            place("gate", "gate-a", [13.401, 52.5]),
            place("cafe", "Up", [13.405, 52.5]),
            place("cafe", "Away", [13.4, 52.51]),
            path("[[13.4,52.5],[13.401,52.5]]", true),
            path("[[13.401,52.5],[13.405,52.5]]", false),
            path("[[13.4005,52.4999],[13.4005,52.5001]]", true),
        ];
        let found = said(&[session("Judo", "Arena", "daily")], &features);
        assert!(found[0].starts_with("no path leads from the rest of the site to cafe `Away`; draw"), "{found:?}");
        assert!(found[1].starts_with("only steps lead to cafe `Up`; draw"), "{found:?}");
        assert!(found[2].starts_with("two paths cross at [13.400500, 52.500000] without a point of both"), "{found:?}");
        assert_eq!(found.len(), 3);
    }

    #[test]
    fn a_site_under_another_sun_than_its_clocks_may_be_swapped() {
        let features = [place("venue", "Arena", [52.5, 13.4]), place("gate", "gate-a", [52.501, 13.4])];
        let found = said(&[session("Judo", "Arena", "daily")], &features);
        assert!(found[0].contains("where clocks differ from Europe/Berlin; if these are swapped"), "{found:?}");
        let features = [place("venue", "Arena", [151.2, -33.9]), place("gate", "gate-a", [151.201, -33.9])];
        let found = said(&[session("Judo", "Arena", "daily")], &features);
        assert!(found[0].ends_with("check `time_zone` in the programme, and the positions"), "{found:?}");
    }
}
