//! Public transport: what a feed says of the next vehicles, and what a broken one is told.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use jiff::{Zoned, civil::Date, tz::TimeZone};
use proptest::prelude::*;
use std::{collections::BTreeMap, fs, io::Write};
use tempfile::TempDir;
use usher_config::{
    places::Position,
    transit::{From, Transit, read, read_near},
};

type Feed = BTreeMap<&'static str, String>;

/// Two lines at one station: U2 by its own times, past midnight too; the shuttle every ten minutes.
fn feed() -> Feed {
    let text = |lines: &[&str]| lines.join("\n") + "\n";
    BTreeMap::from([
        ("agency.txt", text(&["agency_id,agency_name,agency_timezone", "1,City,Europe/Berlin"])),
        ("routes.txt", text(&["route_id,route_short_name,route_long_name", "u2,U2,", "sh,,Stadium shuttle"])),
        (
            "calendar.txt",
            text(&[
                "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date",
                "week,1,1,1,1,1,0,0,20260701,20260731",
            ]),
        ),
        (
            "calendar_dates.txt",
            text(&["service_id,date,exception_type", "week,20260715,2", "week,20260718,1", "day,20260714,1"]),
        ),
        (
            "trips.txt",
            text(&[
                "route_id,service_id,trip_id,trip_headsign",
                "u2,week,t1,Pankow",
                "u2,week,t2,",
                "sh,day,s1,\"Lake, north\"",
            ]),
        ),
        ("frequencies.txt", text(&["trip_id,start_time,end_time,headway_secs", "s1,22:00:00,22:30:00,600"])),
        (
            "stops.txt",
            text(&[
                "stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station",
                "p1,North Park,52.5201,13.4001,0,st",
                "st,North Park (station),52.5200,13.4000,1,",
                "p2,Lakeside,52.5300,13.4000,,",
                "p3,Town hall,52.6000,13.4000,,",
                "door,Entrance,,,2,st",
            ]),
        ),
        (
            "stop_times.txt",
            text(&[
                "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type",
                "t1,22:00:00,22:01:00,p1,1,0",
                "t1,22:05:00,22:05:00,p2,2,0",
                "t1,22:20:00,22:20:00,p3,3,0",
                "t2,,25:10:00,p1,10,",
                "t2,25:30:00,25:30:00,p3,20,",
                "s1,6:00:00,6:00:00,p2,0,0",
                "s1,6:07:00,6:07:30,p1,1,0",
                "s1,6:20:00,6:20:00,p3,2,0",
            ]),
        ),
    ])
}

fn folder(feed: &Feed) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in feed {
        fs::write(folder.path().join(name), text).unwrap();
    }
    folder
}

fn zipped(feed: &Feed, inside: &str) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut zip = zip::ZipWriter::new(fs::File::create(folder.path().join("feed.zip")).unwrap());
    for (name, text) in feed {
        zip.start_file(format!("{inside}{name}"), zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(text.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
    folder
}

fn transit(feed: &Feed) -> Transit {
    read(folder(feed).path()).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Line, direction and time of the next vehicles.
fn next(transit: &Transit, from: From<'_>, now: &str, count: usize) -> Vec<String> {
    let now: Zoned = format!("{now}[Europe/Berlin]").parse().unwrap();
    let told = |one: usher_config::transit::Departure| {
        format!("{} {} {}", one.line, one.towards, one.at.strftime("%a %H:%M:%S"))
    };
    transit.departures(from, &now, count).into_iter().map(told).collect()
}

#[test]
fn the_next_vehicles_are_told_with_line_direction_and_time() {
    let transit = transit(&feed());
    // A Tuesday.
    assert_eq!(
        next(&transit, From::Stop("p1"), "2026-07-14T22:00:00", 4),
        [
            "U2 Pankow Tue 22:01:00",
            "Stadium shuttle Lake, north Tue 22:07:30",
            "Stadium shuttle Lake, north Tue 22:17:30",
            "Stadium shuttle Lake, north Tue 22:27:30",
        ]
    );
    assert_eq!(
        next(&transit, From::Stop("Lakeside"), "2026-07-14T22:05:30", 1),
        ["Stadium shuttle Lake, north Tue 22:10:00"]
    );
}

#[test]
fn a_day_of_service_goes_on_past_midnight_and_its_headsign_may_be_its_last_stop() {
    let transit = transit(&feed());
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-14T22:28:00", 2), ["U2 Town hall Wed 01:10:00"]);
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-15T00:30:00", 1), ["U2 Town hall Wed 01:10:00"]);
    // Nothing runs on the 15th, and again on the 16th.
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-15T02:00:00", 9), Vec::<String>::new());
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-16T02:00:00", 1), ["U2 Pankow Thu 22:01:00"]);
    // A Saturday that runs all the same, and one that does not.
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-18T12:00:00", 1), ["U2 Pankow Sat 22:01:00"]);
    assert_eq!(next(&transit, From::Stop("p1"), "2026-07-25T12:00:00", 1), Vec::<String>::new());
    assert_eq!(transit.last_day(), Some(Date::constant(2026, 7, 31)));
}

#[test]
fn nobody_is_sent_to_where_a_trip_ends_and_each_journey_is_told_once() {
    let transit = transit(&feed());
    assert_eq!(next(&transit, From::Stop("Town hall"), "2026-07-14T00:00:00", 9), Vec::<String>::new());
    let here = Position { longitude: 13.4002, latitude: 52.5201 };
    let near = next(&transit, From::Near(here, 1500.0), "2026-07-14T22:00:00", 9);
    assert_eq!(near.iter().filter(|told| told.contains("Pankow")).count(), 1, "{near:?}");
    assert_eq!(near[0], "U2 Pankow Tue 22:01:00");
    assert!(next(&transit, From::Near(here, 3.0), "2026-07-14T22:00:00", 9).is_empty());
    assert_eq!(
        next(&transit, From::Stop("north park (STATION)"), "2026-07-14T22:00:00", 1),
        ["U2 Pankow Tue 22:01:00"]
    );
}

#[test]
fn a_folder_a_zip_file_and_a_zipped_folder_say_the_same() {
    let plain = next(&transit(&feed()), From::Stop("p1"), "2026-07-14T20:00:00", 9);
    assert_eq!(plain.len(), 5);
    for inside in ["", "city-2026/"] {
        let zip = zipped(&feed(), inside);
        let transit = read(&zip.path().join("feed.zip")).unwrap();
        assert_eq!(next(&transit, From::Stop("p1"), "2026-07-14T20:00:00", 9), plain);
    }
}

#[test]
fn only_stops_that_are_near_are_kept_and_directions_stay_known() {
    let folder = folder(&feed());
    let here = Position { longitude: 13.4, latitude: 52.52 };
    let transit = read_near(folder.path(), &[here], 500.0).unwrap();
    assert_eq!(transit.stops.iter().map(|stop| stop.id.as_str()).collect::<Vec<_>>(), ["p1", "st"]);
    let told = next(&transit, From::Near(here, 500.0), "2026-07-14T20:00:00", 9);
    assert_eq!(told.len(), 5);
    assert_eq!(told[4], "U2 Town hall Wed 01:10:00");
}

#[test]
fn the_hour_is_the_feeds_when_the_clocks_change() {
    let mut feed = feed();
    feed.insert("calendar_dates.txt", "service_id,date,exception_type\nweek,20261025,1\nday,20261025,1\n".to_owned());
    // On the day of 25 hours noon is still twelve, and 1:10 of the day after is 25:10.
    let transit = transit(&feed);
    assert_eq!(next(&transit, From::Stop("p1"), "2026-10-25T21:00:00", 9)[0], "U2 Pankow Sun 22:01:00");
    assert_eq!(next(&transit, From::Stop("p1"), "2026-10-25T23:00:00", 9), ["U2 Town hall Mon 01:10:00"]);
}

fn problems(feed: &Feed) -> Vec<String> {
    let folder = folder(feed);
    let above = format!("{}/", folder.path().display());
    let problems = read(folder.path()).map(drop).unwrap_err();
    assert!(!problems.to_string().is_empty());
    problems.iter().map(|problem| problem.to_string().replace(&above, "")).collect()
}

#[test]
fn everything_that_is_wrong_with_a_feed_is_told_by_file_and_line() {
    let mut feed = feed();
    feed.remove("routes.txt");
    feed.insert("agency.txt", "agency_timezone\nEurope/Berlinn\n".to_owned());
    feed.insert("calendar.txt", "service_id,monday,start_date,end_date\n".to_owned());
    feed.get_mut("calendar_dates.txt").unwrap().push_str("day,14.7.2026,1\nday,20260714,3\n");
    feed.get_mut("stops.txt").unwrap().push_str("p9,Swapped,,13.4,0,\nq,Q,134.1,52.5,0,\n");
    feed.get_mut("stop_times.txt").unwrap().push_str("t9,6:00:00,6:00:00,p1,1,0\n");
    assert_eq!(problems(&feed), [
        "agency.txt:2:1: `Europe/Berlinn` is no time zone; did you mean `Europe/Berlin`?",
        "routes.txt:1:1: `routes.txt` is missing from the feed; fetch the feed again, or ask whoever publishes it: GTFS requires \
         the file",
        "calendar.txt:1:1: the column `tuesday` is missing; fetch the feed again, or ask whoever publishes it: GTFS requires the \
         column",
    ].into_iter().map(str::to_owned).chain([
        "wednesday", "thursday", "friday", "saturday", "sunday"
    ].map(|day| format!("calendar.txt:1:1: the column `{day}` is missing; fetch the feed again, or ask whoever publishes it: GTFS \
                         requires the column"))).chain([
        "calendar_dates.txt:5:1: `14.7.2026` is no date, such as `20260714`",
        "calendar_dates.txt:6:1: `exception_type` is `3`, which is neither 1 (runs) nor 2",
        "trips.txt:2:1: the trip's route `u2` is not in `routes.txt`",
        "trips.txt:3:1: the trip's route `u2` is not in `routes.txt`",
        "trips.txt:4:1: the trip's route `sh` is not in `routes.txt`",
        "frequencies.txt:2:1: the trip `s1` is not in `trips.txt`",
        "stops.txt:7:1: the stop has no position",
        "stops.txt:8:1: `134.1` are no degrees from -90 to 90",
    ].map(|said| format!("{said}; tell whoever publishes the feed, or use the version before"))).chain(
        ["t1", "t1", "t1", "t2", "t2", "s1", "s1", "s1", "t9"].iter().zip(2..).map(|(trip, line)| format!(
            "stop_times.txt:{line}:1: the trip `{trip}` is not in `trips.txt`; tell whoever publishes the feed, or use the version \
             before"
        ))
    ).collect::<Vec<_>>());
}

#[test]
fn a_feed_without_days_or_without_any_file_is_told_so() {
    let mut none = feed();
    none.remove("calendar.txt");
    none.insert("calendar_dates.txt", "service_id,date,exception_type\nweek,20260715,2\nday,20260714,2\n".to_owned());
    assert_eq!(
        problems(&none),
        ["calendar.txt:1:1: nothing runs on any day of this feed; fetch a feed that is valid now"]
    );
    let empty = problems(&Feed::new());
    assert!(empty.iter().any(|said| said.contains("neither `calendar.txt` nor `calendar_dates.txt`")), "{empty:?}");
    assert!(
        ["agency", "routes", "trips", "stops", "stop_times"]
            .iter()
            .all(|file| empty.iter().any(|said| said.contains(file)))
    );
    let folder = tempfile::tempdir().unwrap();
    let gone = read(&folder.path().join("feed.zip")).unwrap_err().to_string();
    assert!(gone.contains("check the path"), "{gone}");
    fs::write(folder.path().join("feed.zip"), "<html>please log in</html>").unwrap();
    let page = read(&folder.path().join("feed.zip")).unwrap_err().to_string();
    assert!(page.contains("this is no zip file") && page.contains("fetch the feed"), "{page}");
}

/// A trip of the feed that the oracle knows: service days, pattern and when it is held.
#[derive(Clone, Debug)]
struct Made {
    days: Vec<i8>,
    begins: u32,
    stops: Vec<usize>,
    every: Option<(u32, u32, u32)>,
}

fn made() -> impl Strategy<Value = Made> {
    let days = prop::collection::btree_set(1..8i8, 1..5).prop_map(|days| days.into_iter().collect());
    let every = prop::option::weighted(0.3, (0..80_000u32, 1..8000u32, 200..2000u32));
    let stops = Just((0..5).collect::<Vec<usize>>())
        .prop_shuffle()
        .prop_flat_map(|stops| prop::sample::subsequence(stops, 2..5));
    (days, 0..100_000u32, stops, every).prop_map(|(days, begins, stops, every)| Made {
        days,
        begins,
        stops,
        every: every.map(|(from, lasts, every)| (from, from + lasts, every)),
    })
}

const HOP: u32 = 240;

fn clock(seconds: u32) -> String {
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// A feed of these trips, on days of July 2026.
fn feed_of(trips: &[Made]) -> Feed {
    let mut feed = feed();
    feed.remove("calendar.txt");
    let (mut dates, mut lines, mut times, mut every) = (
        "service_id,date,exception_type\n".to_owned(),
        "route_id,service_id,trip_id,trip_headsign\n".to_owned(),
        "trip_id,departure_time,stop_id,stop_sequence\n".to_owned(),
        "trip_id,start_time,end_time,headway_secs\n".to_owned(),
    );
    for (index, trip) in trips.iter().enumerate() {
        for day in &trip.days {
            dates.push_str(&format!("s{index},202607{day:02},1\n"));
        }
        lines.push_str(&format!("u2,s{index},t{index},to {index}\n"));
        for (place, stop) in trip.stops.iter().enumerate() {
            let departs = clock(trip.begins + place as u32 * HOP);
            times.push_str(&format!("t{index},{departs},p{stop},{}\n", place * 3));
        }
        if let Some((from, to, headway)) = trip.every {
            every.push_str(&format!("t{index},{},{},{headway}\n", clock(from), clock(to)));
        }
    }
    let stops: String = (0..5).map(|stop| format!("p{stop},Stop {stop},52.5{stop},13.4\n")).collect();
    feed.insert("stops.txt", format!("stop_id,stop_name,stop_lat,stop_lon\n{stops}"));
    feed.insert("calendar_dates.txt", dates);
    feed.insert("trips.txt", lines);
    feed.insert("stop_times.txt", times);
    feed.insert("frequencies.txt", every);
    feed
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn departures_are_those_that_counting_by_hand_finds(
        trips in prop::collection::vec(made(), 1..8), stop in 0..5usize, day in 1..9i8, hour in 0..24i8, count in 1..9usize
    ) {
        let transit = transit(&feed_of(&trips));
        let zone = TimeZone::get("Europe/Berlin").unwrap();
        let now = Date::constant(2026, 7, day).at(hour, 30, 0, 0).to_zoned(zone.clone()).unwrap();
        let mut expected = Vec::new();
        for (index, trip) in trips.iter().enumerate() {
            for service in &trip.days {
                let begin = Date::constant(2026, 7, *service).at(0, 0, 0, 0).to_zoned(zone.clone()).unwrap();
                let starts: Vec<u32> = match trip.every {
                    None => vec![trip.begins],
                    Some((from, to, every)) => (from..to).step_by(every as usize).collect(),
                };
                let boarded = &trip.stops[..trip.stops.len() - 1];
                for (place, _) in boarded.iter().enumerate().filter(|(_, at)| **at == stop) {
                    for start in &starts {
                        let seconds = i64::from(start + place as u32 * HOP);
                        expected.push((begin.timestamp().as_second() + seconds, format!("to {index}")));
                    }
                }
            }
        }
        let now_s = now.timestamp().as_second();
        expected.retain(|(at, _)| (now_s..now_s + 24 * 3600).contains(at));
        expected.sort();
        let found = transit.departures(From::Stop(&format!("p{stop}")), &now, count);
        let mut all: Vec<_> = transit.departures(From::Stop(&format!("p{stop}")), &now, 100_000)
            .into_iter().map(|one| (one.at.timestamp().as_second(), one.towards)).collect();
        all.sort();
        prop_assert_eq!(&all, &expected);
        let times: Vec<i64> = found.iter().map(|one| one.at.timestamp().as_second()).collect();
        prop_assert_eq!(times, expected.iter().map(|(at, _)| *at).take(count).collect::<Vec<_>>());
    }

    #[test]
    fn a_changed_feed_never_panics(
        file in 0..8usize, at in any::<prop::sample::Index>(), lasts in 0..20usize,
        piece in prop::sample::select(&["", ",", "\"", "\n", "99:99:99", "-1", "4294967295", "\u{0}", "é", "t1", "20269999", "1e400"][..])
    ) {
        let mut feed = feed();
        let name = *feed.keys().nth(file).unwrap();
        let mut text: Vec<char> = feed[name].chars().collect();
        let at = at.index(text.len());
        let end = (at + lasts).min(text.len());
        text.splice(at..end, piece.chars());
        feed.insert(name, text.into_iter().collect());
        let folder = folder(&feed);
        match read(folder.path()) {
            Ok(transit) => {
                let now: Zoned = "2026-07-14T20:00:00[Europe/Berlin]".parse().unwrap();
                for stop in &transit.stops {
                    prop_assert!(transit.departures(From::Stop(&stop.id), &now, 50).len() <= 50);
                }
            }
            Err(problems) => prop_assert!(!problems.to_string().is_empty()),
        }
    }
}
