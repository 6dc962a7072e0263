//! One programme in three formats: YAML, CSV and iCalendar say the same.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use jiff::civil::{Date, DateTime, Weekday};
use proptest::prelude::*;
use std::{fs, path::Path};
use usher_config::programme::{Programme, Session, Status, When, csv, from_text, ics, read};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn word(status: Status) -> &'static str {
    match status {
        Status::OnTime => "on_time",
        Status::Delayed => "delayed",
        Status::Moved => "moved",
        Status::SoldOut => "sold_out",
        Status::Cancelled => "cancelled",
    }
}

/// Start, end and days as YAML and CSV write them.
fn times(when: &When) -> (String, String, Vec<&'static str>) {
    let minute = |at: DateTime| at.strftime("%Y-%m-%d %H:%M").to_string();
    match when {
        When::Once { start, end } => (minute(*start), minute(*end), Vec::new()),
        When::Weekly { days, start, end } => {
            let days = days.iter().map(|day| DAYS[day.to_monday_zero_offset() as usize]).collect();
            (start.strftime("%H:%M").to_string(), end.strftime("%H:%M").to_string(), days)
        }
    }
}

fn as_yaml(sessions: &[Session]) -> String {
    let quoted = |text: &str| serde_json::to_string(text).unwrap();
    let one = |session: &Session| {
        let (start, end, days) = times(&session.when);
        let mut keys = vec![
            format!("id: {}", quoted(&session.id)),
            format!("sport: {}", quoted(&session.sport)),
            format!("title: {}", quoted(&session.title)),
            format!("venue: {}", quoted(&session.venue)),
            format!("start: {start}, end: {end}, status: {}", word(session.status)),
        ];
        keys.extend(session.discipline.iter().map(|text| format!("discipline: {}", quoted(text))));
        keys.extend((!session.place.is_empty()).then(|| format!("place: {}", quoted(&session.place))));
        keys.extend(session.gate.iter().map(|gate| format!("gate: {gate}")));
        keys.extend(session.attendance.iter().map(|people| format!("attendance: {people}")));
        keys.extend((!days.is_empty()).then(|| format!("days: [{}]", days.join(", "))));
        format!("  - {{ {} }}\n", keys.join(", "))
    };
    format!("time_zone: Europe/Berlin\nsessions:\n{}", sessions.iter().map(one).collect::<String>())
}

fn as_csv(sessions: &[Session], separator: u8) -> String {
    let mut writer = ::csv::WriterBuilder::new().delimiter(separator).from_writer(Vec::new());
    let header = "id sport discipline title venue place gate start end days status attendance";
    writer.write_record(header.split(' ')).unwrap();
    for session in sessions {
        let (start, end, days) = times(&session.when);
        let gate = session.gate.as_ref().map(ToString::to_string).unwrap_or_default();
        let people = session.attendance.map(|people| people.to_string()).unwrap_or_default();
        writer
            .write_record([
                &session.id,
                &session.sport,
                session.discipline.as_deref().unwrap_or_default(),
                &session.title,
                &session.venue,
                &session.place,
                &gate,
                &start,
                &end,
                &days.join(" "),
                word(session.status),
                &people,
            ])
            .unwrap();
    }
    format!("# time_zone: Europe/Berlin\n{}", String::from_utf8(writer.into_inner().unwrap()).unwrap())
}

fn as_ics(sessions: &[Session]) -> String {
    let escaped = |text: &str| text.replace('\\', "\\\\").replace(';', "\\;").replace(',', "\\,");
    let one = |session: &Session| {
        let (start, end, rule) = match &session.when {
            When::Once { start, end } => (*start, *end, String::new()),
            When::Weekly { days, start, end } => {
                let date = Date::constant(2026, 7, 13);
                let day = |day: &Weekday| DAYS[day.to_monday_zero_offset() as usize][..2].to_uppercase();
                let days: Vec<String> = days.iter().map(day).collect();
                let rule = format!("RRULE:FREQ=WEEKLY;BYDAY={}\n", days.join(","));
                (date.to_datetime(*start), date.to_datetime(*end), rule)
            }
        };
        let time = |at: DateTime| at.strftime("%Y%m%dT%H%M%S").to_string();
        let mut lines = vec![
            "BEGIN:VEVENT".to_owned(),
            format!("UID:{}", escaped(&session.id)),
            format!("SUMMARY:{}", escaped(&session.title)),
            format!("LOCATION:{}", escaped(&session.venue)),
            format!("DTSTART;TZID=Europe/Berlin:{}", time(start)),
            format!("DTEND;TZID=Europe/Berlin:{}\n{rule}X-USHER-STATUS:{}", time(end), word(session.status)),
            format!("X-SPORT:{}", escaped(&session.sport)),
            format!("X-USHER-PLACE:{}", escaped(&session.place)),
        ];
        lines.extend(session.discipline.iter().map(|text| format!("X-DISCIPLINE:{}", escaped(text))));
        lines.extend(session.gate.iter().map(|gate| format!("X-GATE:{gate}")));
        lines.extend(session.attendance.iter().map(|people| format!("X-ATTENDANCE:{people}")));
        lines.push("END:VEVENT\n".to_owned());
        lines.join("\n")
    };
    format!("BEGIN:VCALENDAR\n{}END:VCALENDAR\n", sessions.iter().map(one).collect::<String>())
}

/// A content line of at most 20 bytes each, as a strict exporter folds it, with the line ends of RFC 5545.
fn folded(text: &str) -> String {
    let mut out = String::new();
    for line in text.lines() {
        let mut length = 0;
        for letter in line.chars() {
            if length + letter.len_utf8() > 20 {
                out.push_str("\r\n ");
                length = 1;
            }
            out.push(letter);
            length += letter.len_utf8();
        }
        out.push_str("\r\n");
    }
    out
}

fn text() -> impl Strategy<Value = String> {
    // No comma in front of a blank in a venue: iCalendar's `LOCATION` holds the place behind it.
    "[A-Za-zé東\"';:#&|\\\\-]{1,8}( [A-Za-z0-9,é%]{1,8}){0,2}"
}

fn session(index: usize) -> impl Strategy<Value = Session> {
    let status = prop_oneof![
        4 => Just(Status::OnTime),
        1 => Just(Status::Delayed),
        1 => Just(Status::SoldOut),
        1 => Just(Status::Cancelled)
    ];
    let texts = (text(), prop::option::of(text()), text(), text(), prop::option::of(text()));
    let when = (0..1000i64, 1..600i64, prop::option::of(prop::collection::btree_set(0..7i8, 1..7)));
    let rest = (prop::option::of(1..4u8), status, prop::option::of(0..100_000u32));
    (texts, when, rest).prop_map(move |((sport, discipline, title, venue, place), (from, lasts, days), rest)| {
        let minutes = |minutes: i64| jiff::SignedDuration::from_mins(minutes);
        let when = match days {
            None => {
                let start = DateTime::constant(2026, 7, 1, 8, 0, 0, 0) + minutes(from * 7);
                When::Once { start, end: start + minutes(lasts) }
            }
            Some(days) => When::Weekly {
                days: days.into_iter().map(|day| Weekday::from_monday_zero_offset(day).unwrap()).collect(),
                start: jiff::civil::Time::constant(0, 1, 0, 0) + minutes(from % 700),
                end: jiff::civil::Time::constant(0, 1, 0, 0) + minutes(from % 700 + lasts),
            },
        };
        Session {
            id: format!("id-{index}"),
            sport,
            discipline,
            title,
            venue,
            // Each its own, so that no two overlap in one.
            place: place.map(|place| format!("{place} {index}")).unwrap_or_default(),
            gate: rest.0.and_then(|gate| usher_config::value::Name::new(&format!("gate-{gate}"))),
            when,
            status: rest.1,
            attendance: rest.2,
        }
    })
}

fn sessions() -> impl Strategy<Value = Vec<Session>> {
    (1..6usize).prop_flat_map(|count| (0..count).map(session).collect::<Vec<_>>())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_programme_is_the_same_in_yaml_csv_and_icalendar(sessions in sessions()) {
        let read = |read: Result<Programme, _>| read.map_err(|problems| TestCaseError::fail(format!("{problems}")));
        let yaml = read(from_text(&as_yaml(&sessions), "a.yaml"))?;
        prop_assert_eq!(&yaml.sessions, &sessions);
        for separator in [b',', b';', b'\t'] {
            let table = read(csv::from_text(&as_csv(&sessions, separator), "a.csv"))?;
            prop_assert_eq!((&table.sessions, table.time_zone), (&sessions, yaml.time_zone.clone()));
        }
        for text in [as_ics(&sessions), folded(&as_ics(&sessions))] {
            let calendar = read(ics::from_text(&text, "a.ics"))?;
            prop_assert_eq!((&calendar.sessions, calendar.time_zone), (&sessions, yaml.time_zone.clone()));
        }
    }
}

#[test]
fn three_bad_rows_of_ten_thousand_are_the_three_that_are_named() {
    let mut text = String::from("# time_zone: Europe/Berlin\nsport,title,venue,place,start,end,gate\n");
    for row in 3..=10_002 {
        let (hour, day) = (row % 23, row % 28 + 1);
        let line = match row {
            77 => "Rowing,Heats,Lake,Lane 77,2026-07-14 10:00,2026-07-14 09:00,gate-a\n".to_owned(),
            5_000 => "Rowing,Heats,Lake,Lane 5000,2026-07-32 10:00,2026-07-14 11:00,gate-a\n".to_owned(),
            10_002 => "Rowing,,Lake,Lane 10002,2026-07-14 10:00,2026-07-14 11:00,gate-a\n".to_owned(),
            _ => format!(
                "Rowing,Heats,Lake,Lane {row},2026-07-{day:02} {hour:02}:00,2026-07-{day:02} {hour:02}:30,gate-a\n"
            ),
        };
        text.push_str(&line);
    }
    let problems = csv::from_text(&text, "results.csv").unwrap_err();
    let places: Vec<_> = problems.iter().map(|problem| (problem.line, problem.column, problem.key.as_str())).collect();
    assert_eq!(places, [(77, 44, "end"), (5_000, 29, "start"), (10_002, 8, "title")]);
    assert!(problems.iter().all(|problem| !problem.mend.is_empty()));
    let good: String = text
        .lines()
        .enumerate()
        .filter(|(index, _)| ![76, 4_999, 10_001].contains(index))
        .fold(String::new(), |text, (_, line)| text + line + "\n");
    assert_eq!(csv::from_text(&good, "results.csv").unwrap().sessions.len(), 9_997);
}

#[test]
fn ten_thousand_sessions_of_yaml_are_read_as_well() {
    let session = |index: usize| {
        format!(
            "  - {{ id: s{index}, sport: Rowing, discipline: Four, title: Heats, venue: Lake, place: Lane {index}, gate: gate-a, \
             start: 2026-07-14 10:00, end: 2026-07-14 11:00, status: delayed, attendance: 10 }}\n"
        )
    };
    let text = format!("time_zone: UTC\nsessions:\n{}", (0..10_000).map(session).collect::<String>());
    assert_eq!(from_text(&text, "a.yaml").unwrap().sessions.len(), 10_000);
    let more = text + &session(10_000);
    let problems = from_text(&more, "a.yaml").unwrap_err().to_string();
    assert!(problems.contains("more than 10000"), "{problems}");
}

/// The sessions of a calendar with this zone and these events.
fn calendar(zone: &str, events: &[&str]) -> Vec<Session> {
    let events: String = events.iter().map(|event| format!("BEGIN:VEVENT\n{event}\nEND:VEVENT\n")).collect();
    let text = format!("BEGIN:VCALENDAR\n{zone}{events}END:VCALENDAR\n");
    ics::from_text(&text, "a.ics").unwrap_or_else(|problems| panic!("{problems}\n{text}")).sessions
}

fn starts(sessions: &[Session]) -> Vec<String> {
    let start = |session: &Session| match &session.when {
        When::Once { start, .. } => start.strftime("%m-%d %H:%M").to_string(),
        When::Weekly { days, start, .. } => format!("{} days {}", days.len(), start.strftime("%H:%M")),
    };
    sessions.iter().map(start).collect()
}

const BERLIN: &str = "X-WR-TIMEZONE:Europe/Berlin\n";
const JUDO: &str = "UID:judo@example.org\nSUMMARY:Bouts\\, men\nCATEGORIES:Judo,Indoor\nLOCATION:Hall 2\\, Mat 1";

#[test]
fn times_of_utc_of_another_zone_of_windows_and_of_nobody_are_told_by_the_venues_clocks() {
    let event = |time: &str| format!("{JUDO}\n{time}");
    for time in [
        "DTSTART:20260714T080000Z\nDTEND:20260714T100000Z",
        "DTSTART;TZID=Asia/Tashkent:20260714T130000\nDURATION:PT2H",
        "DTSTART;TZID=W. Europe Standard Time:20260714T100000\nDTEND:20260714T100000Z",
        "DTSTART;TZID=\"(UTC+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna\":20260714T100000\nDURATION:P0DT2H",
        "DTSTART:20260714T100000\nDTEND:20260714T120000",
        "DTSTART;TZID=/freeassociation.sourceforge.net/Europe/Berlin:20260714T100000\nDTEND:20260714T120000",
    ] {
        let sessions = calendar(BERLIN, &[&event(time)]);
        assert_eq!(starts(&sessions), ["07-14 10:00"], "{time}");
        assert_eq!(
            sessions[0].when,
            When::Once {
                start: DateTime::constant(2026, 7, 14, 10, 0, 0, 0),
                end: DateTime::constant(2026, 7, 14, 12, 0, 0, 0)
            }
        );
        let (venue, place) = (sessions[0].venue.as_str(), sessions[0].place.as_str());
        assert_eq!(
            (sessions[0].sport.as_str(), sessions[0].title.as_str(), venue, place),
            ("Judo", "Bouts, men", "Hall 2", "Mat 1")
        );
    }
}

#[test]
fn a_zone_that_the_calendar_defines_is_known_by_its_location() {
    let zone = "BEGIN:VTIMEZONE\nTZID:Customized Time Zone\nX-LIC-LOCATION:Europe/Berlin\nBEGIN:STANDARD\nDTSTART:16010101T030000\n\
                TZOFFSETFROM:+0200\nTZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nEND:VTIMEZONE\n";
    let event = format!("{JUDO}\nDTSTART;TZID=Customized Time Zone:20260714T100000\nDURATION:PT1H");
    assert_eq!(starts(&calendar(&format!("X-WR-TIMEZONE:Asia/Tashkent\n{zone}"), &[&event])), ["07-14 13:00"]);
}

#[test]
fn a_series_with_an_end_is_written_out_and_one_without_repeats() {
    let event = |rule: &str| format!("{JUDO}\nDTSTART;TZID=Europe/Berlin:20260714T220000\nDURATION:PT1H\nRRULE:{rule}");
    for (rule, expected) in [
        ("FREQ=DAILY;COUNT=3", vec!["07-14 22:00", "07-15 22:00", "07-16 22:00"]),
        // The end of the last by UTC, by the venue's clocks, and by its day alone.
        ("FREQ=DAILY;UNTIL=20260716T200000Z", vec!["07-14 22:00", "07-15 22:00", "07-16 22:00"]),
        ("FREQ=DAILY;UNTIL=20260716T220000", vec!["07-14 22:00", "07-15 22:00", "07-16 22:00"]),
        ("FREQ=DAILY;UNTIL=20260715", vec!["07-14 22:00", "07-15 22:00"]),
        ("FREQ=WEEKLY;BYDAY=TU,TH;COUNT=3", vec!["07-14 22:00", "07-16 22:00", "07-21 22:00"]),
        ("FREQ=WEEKLY;INTERVAL=2;COUNT=2", vec!["07-14 22:00", "07-28 22:00"]),
        ("FREQ=DAILY", vec!["7 days 22:00"]),
        ("FREQ=WEEKLY;BYDAY=SA,SU", vec!["2 days 22:00"]),
        ("FREQ=WEEKLY", vec!["1 days 22:00"]),
    ] {
        let sessions = calendar(BERLIN, &[&event(rule)]);
        assert_eq!(starts(&sessions), expected, "{rule}");
        let ids: std::collections::BTreeSet<&String> = sessions.iter().map(|session| &session.id).collect();
        assert_eq!(ids.len(), sessions.len());
    }
}

#[test]
fn a_series_keeps_its_hour_when_the_clocks_change() {
    let event = format!("{JUDO}\nDTSTART;TZID=Europe/Berlin:20261024T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=3");
    assert_eq!(starts(&calendar(BERLIN, &[&event])), ["10-24 10:00", "10-25 10:00", "10-26 10:00"]);
    assert_eq!(starts(&calendar("X-WR-TIMEZONE:UTC\n", &[&event])), ["10-24 08:00", "10-25 09:00", "10-26 09:00"]);
}

#[test]
fn an_occurrence_that_is_left_out_moved_delayed_or_cancelled_is_told_so_under_its_own_id() {
    let series = format!(
        "{JUDO}\nDTSTART;TZID=Europe/Berlin:20260714T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5\n\
         EXDATE;TZID=Europe/Berlin:20260715T100000"
    );
    let change = |day: u8, start: &str, more: &str| {
        format!("{JUDO}\nRECURRENCE-ID:202607{day}T080000Z\nDTSTART;TZID=Europe/Berlin:{start}\nDURATION:PT1H{more}")
    };
    let delayed = change(16, "20260716T113000", "\nSEQUENCE:1");
    let moved = change(17, "20260719T100000", "");
    let cancelled = change(18, "20260718T100000", "\nSTATUS:CANCELLED");
    let sessions = calendar(BERLIN, &[&moved, &series, &delayed, &cancelled]);
    let told: Vec<_> =
        sessions.iter().zip(starts(&sessions)).map(|(one, at)| (one.id.as_str(), at, one.status)).collect();
    let id = |day: u8| format!("judo@example.org/2026-07-{day}T10:00");
    assert_eq!(
        told,
        [
            (id(14).as_str(), "07-14 10:00".to_owned(), Status::OnTime),
            (id(16).as_str(), "07-16 11:30".to_owned(), Status::Delayed),
            (id(17).as_str(), "07-19 10:00".to_owned(), Status::Moved),
            (id(18).as_str(), "07-18 10:00".to_owned(), Status::Cancelled),
        ]
    );
}

#[test]
fn the_files_ending_says_what_it_is_and_another_ending_is_refused_with_the_three() {
    let folder = tempfile::tempdir().unwrap();
    let yaml = read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("programme.yaml")).unwrap();
    for (name, text) in [
        ("a.yml", as_yaml(&yaml.sessions)),
        ("a.CSV", as_csv(&yaml.sessions, b',')),
        ("a.tsv", as_csv(&yaml.sessions, b'\t')),
        ("a.ics", as_ics(&yaml.sessions)),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        assert_eq!(read(&path).unwrap().sessions, yaml.sessions, "{name}");
    }
    for name in ["a.xlsx", "programme"] {
        let path = folder.path().join(name);
        fs::write(&path, "").unwrap();
        let said = read(&path).unwrap_err().to_string();
        assert!([".yaml", ".csv", ".ics"].iter().all(|ending| said.contains(ending)), "{said}");
    }
}

#[test]
fn what_spreadsheets_do_to_a_table_is_understood() {
    let text = "\u{feff}sep=;\r\n\"# time_zone: Europe/Berlin\";;;;;\r\n\
                Title;SPORT; venue ;Start;End;Days;Status\r\n\
                \"Heats; 100 m\r\nwomen\";Athletics;Stadium;10:00:00;11:30:00;Sat/Sun;Sold Out\r\n;;;;;;\r\n";
    let text = text.replace("\"# time_zone: Europe/Berlin\"", "# time_zone: Europe/Berlin");
    let sessions = csv::from_text(&text, "a.csv").unwrap_or_else(|problems| panic!("{problems}")).sessions;
    assert_eq!(
        (sessions.len(), sessions[0].title.as_str(), sessions[0].status),
        (1, "Heats; 100 m women", Status::SoldOut)
    );
    assert!(matches!(&sessions[0].when, When::Weekly { days, .. } if days == &[Weekday::Saturday, Weekday::Sunday]));
}

#[test]
fn the_shipped_table_and_calendar_say_the_same() {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |name: &str| read(&here.join(name)).unwrap_or_else(|problems| panic!("{problems}")).sessions;
    let (table, calendar) = (read("programme.csv"), read("programme.ics"));
    assert_eq!(table.len(), 7);
    assert_eq!(table, calendar);
}
