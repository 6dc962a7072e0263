//! Whatever is done to a file, reading it ends in a configuration or in problems, never in a panic.

use proptest::prelude::*;
use std::path::Path;
use usher_config::{from_text, places, programme};

const USHER: &str = include_str!("../usher.yaml");
const PROGRAMME: &str = include_str!("../programme.yaml");
const TABLE: &str = include_str!("bad/programme-table.csv");
const CALENDAR: &str = include_str!("bad/programme-calendar.ics");
const SERIES: &str = include_str!("bad/programme-series.ics");
const PLACES: &str = include_str!("bad/places-properties.geojson");

/// What people and editors put where it does not belong.
const PIECES: &[&str] = &[
    "\t",
    "\n",
    "  ",
    ":",
    ": ",
    "- ",
    "{",
    "}",
    "[",
    "]",
    "&a ",
    "*a",
    "<<: *a",
    "!!str ",
    "|",
    ">",
    "\"",
    "'",
    "#",
    "%",
    "@",
    "`",
    "---\n",
    "...\n",
    "?",
    "~",
    "null",
    "\u{0}",
    "\u{feff}",
    "é",
    "東",
    "🙂",
    "\r\n",
    "\u{2028}",
    "99999999999999999999",
    "-1",
    ".inf",
    "1e999",
    "0x10",
    "rtsp://a:b@c/",
    "password: x",
    "login: ",
    "cameras: ",
    "site: ",
    "2026-13-40 25:61",
    ";",
    ",",
    "\"\"",
    "BEGIN:VEVENT\n",
    "END:VEVENT\n",
    "\n ",
    ";TZID=",
    "RRULE:FREQ=",
    "RRULE:FREQ=SECONDLY;COUNT=4294967295\n",
    ";UNTIL=99991231T235959Z",
    ";COUNT=0",
    ";INTERVAL=65535",
    ";BYDAY=-53MO",
    ";BYMONTHDAY=31;BYMONTH=2",
    "DURATION:-P9999999W\n",
    "EXDATE:\n",
    "RDATE:00010101T000000\n",
    "RECURRENCE-ID:20260714T100000Z\n",
    "T000000Z",
    "0000",
    "9999-12-31 23:59",
    "[[",
    "]]]",
    "{\"kind\": \"cafe\"}",
    "\"opening_hours\": \"Mo-Fr 10:00-26:00+, sunset-Dec 40\", ",
    "\\u0000",
    "\\",
    "null, ",
    "1e308",
    "[13.4, 52.5], ",
];

/// What opening hours are made of.
const HOURS: &[&str] = &[
    "Mo",
    "-",
    "Fr",
    ",",
    " ",
    "10:00",
    "-",
    "22:00",
    "; ",
    "off",
    "24/7",
    "PH",
    "Dec 25",
    "week 10-20",
    "2026",
    "sunset",
    "+",
    "26:00",
    "48:00",
    "49:00",
    "unknown",
    "\"by arrangement\"",
    "||",
    "Feb 29",
    "Su[1]",
    "Su[-1]",
    "easter",
    "00:00",
    "open",
    "/",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    Remove(usize, usize),
    Repeat(usize, usize),
    SwapLines(usize, usize),
    Cut(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => (any::<usize>(), any::<usize>()).prop_map(|(at, piece)| Change::Insert(at, piece)),
        3 => (any::<usize>(), 1..30usize).prop_map(|(at, length)| Change::Remove(at, length)),
        1 => (any::<usize>(), 1..60usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        2 => (any::<usize>(), any::<usize>()).prop_map(|(one, other)| Change::SwapLines(one, other)),
        1 => any::<usize>().prop_map(Change::Cut),
    ]
}

fn changed(text: &str, changes: &[Change]) -> String {
    let mut chars: Vec<char> = text.chars().collect();
    for change in changes {
        let length = chars.len().max(1);
        match *change {
            Change::Insert(at, piece) => {
                let at = (at % length).min(chars.len());
                chars.splice(at..at, PIECES[piece % PIECES.len()].chars());
            }
            Change::Remove(at, count) => {
                let at = (at % length).min(chars.len());
                chars.drain(at..(at + count).min(chars.len()));
            }
            Change::Repeat(at, count) => {
                let at = (at % length).min(chars.len());
                let again: Vec<char> = chars[at..(at + count).min(chars.len())].to_vec();
                chars.splice(at..at, again);
            }
            Change::SwapLines(one, other) => {
                let text: String = chars.iter().collect();
                let mut lines: Vec<&str> = text.split_inclusive('\n').collect();
                let count = lines.len().max(1);
                if !lines.is_empty() {
                    lines.swap(one % count, other % count);
                }
                chars = lines.concat().chars().collect();
            }
            Change::Cut(at) => chars.truncate(at % length),
        }
    }
    chars.into_iter().collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_changed_configuration_never_panics(changes in prop::collection::vec(change(), 1..8)) {
        let text = changed(USHER, &changes);
        if let Err(problems) = from_text(&text, "usher.yaml", Path::new("/nowhere")) {
            prop_assert!(!problems.to_string().is_empty());
            prop_assert!(!problems.coloured().is_empty());
            for problem in problems.iter() {
                prop_assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1);
            }
        }
    }

    #[test]
    fn a_changed_programme_never_panics(changes in prop::collection::vec(change(), 1..8)) {
        let text = changed(PROGRAMME, &changes);
        if let Err(problems) = programme::from_text(&text, "programme.yaml") {
            prop_assert!(!problems.to_string().is_empty());
        }
    }

    #[test]
    fn a_changed_table_never_panics(changes in prop::collection::vec(change(), 1..8)) {
        let text = changed(TABLE, &changes);
        if let Err(problems) = programme::csv::from_text(&text, "programme.csv") {
            prop_assert!(!problems.to_string().is_empty());
            for problem in problems.iter() {
                prop_assert!(!problem.mend.is_empty() && problem.line <= text.lines().count() + 1);
            }
        }
    }

    #[test]
    fn a_changed_calendar_never_panics(
        which in prop::sample::select(&[CALENDAR, SERIES][..]),
        changes in prop::collection::vec(change(), 1..8)
    ) {
        let text = changed(which, &changes);
        if let Err(problems) = programme::ics::from_text(&text, "programme.ics") {
            prop_assert!(!problems.to_string().is_empty());
            for problem in problems.iter() {
                prop_assert!(!problem.mend.is_empty() && problem.line <= text.lines().count() + 1);
            }
        }
    }

    #[test]
    fn changed_places_never_panic(changes in prop::collection::vec(change(), 1..8)) {
        let text = changed(PLACES, &changes);
        if let Err(problems) = places::from_text(&text, "places.geojson") {
            prop_assert!(!problems.to_string().is_empty());
            prop_assert!(!problems.coloured().is_empty());
            for problem in problems.iter() {
                prop_assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1);
            }
        }
    }

    #[test]
    fn opening_hours_of_any_kind_never_panic(
        words in prop::collection::vec(prop::sample::select(HOURS), 0..8),
        other in "\\PC{0,6}",
    ) {
        let text = words.concat() + &other;
        if let Ok(opening) = text.parse::<places::Opening>() {
            let (from, to) = ("2026-02-28T23:30".parse().unwrap(), "2026-03-02T07:15".parse().unwrap());
            let windows = opening.windows(from, to);
            for pair in windows.windows(2) {
                prop_assert!(pair[0].1 < pair[1].0);
            }
            prop_assert!(windows.iter().all(|(opens, closes)| from <= *opens && opens < closes && *closes <= to));
            prop_assert!(!opening.is_always() || windows == [(from, to)]);
        }
    }

    #[test]
    fn any_text_at_all_never_panics(text in "\\PC{0,200}") {
        let _ = from_text(&text, "usher.yaml", Path::new(""));
        let _ = places::from_text(&text, "places.geojson");
    }

    #[test]
    fn a_password_is_never_shown_wherever_the_file_breaks(changes in prop::collection::vec(change(), 1..3)) {
        let text = USHER.replace("change-me", "hunter2");
        let mut text = changed(&text, &changes);
        // Only where the key itself is still there can anyone know that the value is a password.
        if !text.contains("password: hunter2") {
            text.push_str("\npassword: hunter2\n");
        }
        if let Err(problems) = from_text(&text, "usher.yaml", Path::new("/nowhere")) {
            let count = text.matches("hunter2").count() - text.matches("password: hunter2").count();
            if count == 0 {
                prop_assert!(!problems.to_string().contains("hunter2"), "{}\n---\n{}", problems, text);
                prop_assert!(!problems.to_json().to_string().contains("hunter2"));
            }
        }
    }
}

#[test]
fn a_comment_that_names_a_key_and_no_value_is_a_problem_like_any_other() {
    for head in ["# time_zone\n", "# sports\n# time_zone\n", "#time zone"] {
        let text = format!("{head}sport,title,venue,place,start,end\n");
        let problems = programme::csv::from_text(&text, "day.csv").unwrap_err();
        assert!(problems.iter().all(|problem| !problem.mend.is_empty()), "{problems}");
    }
}
