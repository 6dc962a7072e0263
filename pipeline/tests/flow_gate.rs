//! Flow at a running gate: counts, forecasts and what is lost, as whoever listens at the broker hears them.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;
#[expect(dead_code, reason = "one kind of camera is enough here")]
#[path = "support/rtsp.rs"]
mod rtsp;

use crowd::write_crowd;
use gate::{Box, pictures, root};
use listener::Listener;
use rtsp::RtspCamera;
use serde_json::Value;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::TcpStream,
    path::Path,
    time::{Duration, Instant},
};
use usher::publish::contract::schemas;
use usher_config::crowd::Crowd;

const PATIENCE: Duration = Duration::from_secs(150);
const NAME: &str = "Zebedee Quux";

/// The demo's crowd, of whom nobody enrolled at this box.
fn write_strangers(into: &Path) {
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    let strangers: Vec<_> = crowd.people.into_iter().filter(|person| person.enrolled.is_none()).collect();
    write_crowd(into, 11, 2, &strangers).unwrap();
}

/// Two gates: people walk up at one camera of the north gate; a second camera there, and the only one of the south gate, can be cut.
fn venue(crowd: &Path, cut: &RtspCamera) -> Box {
    let (crowd, cut) = (crowd.display().to_string(), cut.url("main"));
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\n\
             cameras:\n  walk: {{ url: \"stills:{crowd}\" }}\n  side: {{ url: \"{cut}\" }}\n  far: {{ url: \"{cut}\" }}\n\
             gates:\n  north: {{ cameras: [walk, side], mode: identification, responsible: the test, lanes: 3, open_lanes: 2, lane_rate: 10, wait_limit: 5 min }}\n  south: {{ cameras: [far] }}\n\
             guide: {{ programme: programme.yaml }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n"
        )
    })
    .unwrap()
}

fn topic(gate: &str, kind: &str) -> String {
    format!("usher/v1/test/gate/{gate}/{kind}")
}

/// What a gate told last.
fn last(listener: &mut Listener, gate: &str, kind: &str) -> Option<Value> {
    let topic = topic(gate, kind);
    let body = listener.heard().iter().rev().find(|(heard, _)| *heard == topic).map(|(_, body)| body.clone())?;
    Some(serde_json::from_slice::<Value>(&body).unwrap()["data"].clone())
}

/// Waits until a gate tells so.
fn until(listener: &mut Listener, gate: &str, kind: &str, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
    let begun = Instant::now();
    loop {
        let told = last(listener, gate, kind);
        if let Some(told) = told.as_ref().filter(|told| holds(told)) {
            return told.clone();
        }
        assert!(begun.elapsed() < PATIENCE, "{gate} never tells {what}: {told:?}");
        std::thread::sleep(Duration::from_millis(100));
    }
}

/// What is answered to this question.
fn post(venue: &Box, path: &str, body: &str) -> Value {
    let answer = send(venue, path, "", body);
    serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap_or_else(|_| panic!("{answer}"))
}

/// The whole answer to a POST, with further lines of its head.
fn send(venue: &Box, path: &str, head: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(venue.pages).unwrap();
    let (at, length) = (venue.pages, body.len());
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{head}\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn count(told: &Value) -> u64 {
    told["entered_total"].as_u64().unwrap()
}

#[test]
fn counts_and_forecasts_are_heard_and_a_camera_that_dies_is_a_gap_and_not_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let strangers = folder.path().join("strangers.yaml");
    write_strangers(&strangers);
    let camera = RtspCamera::start(None, None);
    let venue = venue(&strangers, &camera);
    let picture = pictures().unwrap().join("face-recognition/obama.jpg");
    venue.enrol(NAME, "Judo", &picture).unwrap();
    let list = venue.usher().args(["list", "--json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let visitor = list["visitors"][0]["id"].as_str().unwrap().to_owned();

    let (running, _) = venue.start().unwrap();
    let mut listener = Listener::of_everything(&venue);
    let begun = Instant::now();
    for gate in ["north", "south"] {
        listener.wait_for(&topic(gate, "flow"), Duration::from_secs(12));
    }
    println!("both gates were told {:.1} s after the box was ready", begun.elapsed().as_secs_f64());
    for gate in ["north", "south"] {
        let forecast = until(&mut listener, gate, "forecast", "what comes next", |told| told["horizons"].is_array());
        let ahead: Vec<_> =
            forecast["horizons"].as_array().unwrap().iter().map(|one| one["minutes"].as_u64().unwrap()).collect();
        assert_eq!(ahead, [5, 15, 30, 60]);
        assert!(forecast["day"].as_array().unwrap().len() <= 96);
    }
    println!("and forecast after {:.1} s", begun.elapsed().as_secs_f64());
    assert!(begun.elapsed() < Duration::from_secs(60), "a forecast within a minute");

    // Who walks is counted, once all cameras have seen a whole minute.
    let whole = until(&mut listener, "north", "flow", "that all of it is counted", |told| {
        told["counting"] == "whole" && count(told) >= 8 && told["entered_last_minute"].as_u64() > Some(0)
    });
    assert_eq!(whole["lost_cameras"], serde_json::json!([]));
    assert_eq!(
        (&whole["limit_seconds"], &whole["queue"]["lanes_open"]),
        (&Value::from(300), &Value::from(2)),
        "{whole}"
    );
    let left = venue.metric("usher_people_total").unwrap();
    assert!((count(&whole) as f64 - left).abs() <= 3.0, "{} counted, {left} tracks ended", count(&whole));
    let south = until(&mut listener, "south", "flow", "that all of it is counted", |told| told["counting"] == "whole");
    assert_eq!((count(&south), &south["entered_last_minute"]), (0, &Value::from(0)), "nobody came, and that was seen");
    assert!(venue.metric("usher_gate_entered_total").unwrap() >= 8.0);

    // The box answers what would be with another lane, and the page has what it needs.
    let answer = post(&venue, "/api/flow/what-if", r#"{"gate":"north","lanes":3,"minutes":10}"#);
    let steps = |key: &str| answer[key].as_array().unwrap_or_else(|| panic!("{answer}")).clone();
    let (is, would) = (steps("as_is"), steps("would_be"));
    assert_eq!((is.len(), is.last().unwrap()["lanes"].as_u64()), (would.len(), Some(2)));
    assert_eq!((would[0]["lanes"].as_u64(), would.last().unwrap()["lanes"].as_u64()), (Some(2), Some(3)));
    let glance = venue.get("/api/flow").unwrap();
    assert!(glance.contains("\"whole\":true") && glance.contains("\"gate\":\"south\""), "{glance}");
    assert!(venue.get("/api/flow/gates/north").unwrap().contains("\"wait_seconds\":["));

    // Screens and pages tell the programme's time, whatever zone the box is in.
    let signage = venue.get("/api/signage").unwrap();
    let signage: Value = serde_json::from_str(signage.split_once("\r\n\r\n").unwrap().1).unwrap();
    let hour = &signage["time"].as_str().unwrap()[11..13];
    assert!(["10", "11"].contains(&hour), "the programme is in a zone where it is ten in the morning: {signage}");

    // Told again every ten seconds, and each body as the contract says; nobody is in any.
    listener.heard();
    let schemas = schemas();
    let told = |listener: &mut Listener, kind: &str| -> Vec<Vec<u8>> {
        let ends = |(topic, _): &&(String, Vec<u8>)| topic.ends_with(kind);
        listener.heard().iter().filter(ends).map(|(_, body)| body.clone()).collect()
    };
    for kind in ["flow", "forecast"] {
        let schema = jsonschema::validator_for(&schemas[kind]).unwrap();
        let bodies = told(&mut listener, kind);
        assert!(!bodies.is_empty());
        for body in bodies {
            let event: Value = serde_json::from_slice(&body).unwrap();
            let faults: Vec<_> = schema.iter_errors(&event).map(|fault| fault.to_string()).collect();
            assert_eq!(faults, Vec::<String>::new(), "{event}");
            let text = String::from_utf8(body).unwrap();
            assert!(!text.contains(NAME) && !text.contains("Zebedee") && !text.contains(&visitor), "{text}");
        }
    }
    let seconds = begun.elapsed().as_secs() as usize;
    let heard = listener.heard().iter().filter(|(heard, _)| *heard == topic("north", "flow")).count();
    assert!(heard >= seconds / 10 - 1, "{heard} times in {seconds} s");

    // Cut: the one gate is counted in part, the other not at all, and neither tells a nought.
    drop(camera);
    let cut = Instant::now();
    let south = until(&mut listener, "south", "flow", "that nobody sees", |told| told["counting"] == "none");
    println!("that nobody sees was told {:.1} s after the cut", cut.elapsed().as_secs_f64());
    assert!(south.get("entered_last_minute").is_none(), "{south}");
    assert_eq!(south["lost_cameras"], serde_json::json!(["far"]));
    let lost =
        |told: &Value| told["advice"].as_array().unwrap().iter().filter(|one| one["kind"] == "camera_lost").count();
    assert_eq!(lost(&south), 1, "one advice of one cause: {south}");
    let north = until(&mut listener, "north", "flow", "that a part is not seen", |told| told["counting"] == "partial");
    assert_eq!((&north["lost_cameras"], lost(&north)), (&serde_json::json!(["side"]), 1));
    assert!(count(&north) >= count(&whole), "what was counted stays counted");
    let page = venue.get("/metrics").unwrap();
    assert!(page.contains("usher_gate_inside{gate=\"south\"} NaN"), "what is not known is not a number");
    let walked = fs::read_dir(venue.data().join("flow")).unwrap().count();
    assert!(walked >= 1, "the counts are kept");
    drop(running);
}

/// The head that shows a session of whoever has the token that usher printed at its start.
fn signed_in(venue: &Box, log: &Path) -> String {
    let said = fs::read_to_string(log).unwrap();
    let token = said.lines().find_map(|line| line.strip_prefix("token")?.split_whitespace().next()).unwrap();
    let answer = send(venue, "/api/sign-in", "", &format!("{{\"token\":\"{token}\"}}"));
    let cookie =
        answer.lines().find_map(|line| line.to_ascii_lowercase().starts_with("set-cookie: ").then(|| &line[12..]));
    format!("Cookie: {}\r\n", cookie.unwrap_or_else(|| panic!("{answer}")).split(';').next().unwrap())
}

#[test]
fn open_lanes_are_said_by_staff_and_programs_told_to_all_written_down_and_kept_over_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let strangers = folder.path().join("strangers.yaml");
    write_strangers(&strangers);
    let camera = RtspCamera::start(None, None);
    let venue = venue(&strangers, &camera);
    let log = folder.path().join("usher.log");
    let (running, _) = venue.start_logging(&log).unwrap();
    let mut listener = Listener::of_everything(&venue);
    let are_open = |listener: &mut Listener, lanes: u64| {
        until(listener, "north", "flow", "its open lanes", |told| told["queue"]["lanes_open"] == lanes)
    };
    are_open(&mut listener, 2);

    // Over HTTP: who has signed in, for lanes that there are.
    let say = |head: &str, body: &str| send(&venue, "/api/flow/lanes", head, body);
    let status = |answer: &str| answer.split(' ').nth(1).unwrap_or_default().to_owned();
    assert_eq!(status(&say("", r#"{"gate":"north","lanes":3}"#)), "401", "staff only");
    let session = signed_in(&venue, &log);
    let refused = say(&session, r#"{"gate":"north","lanes":4}"#);
    assert!(status(&refused) == "422" && refused.contains('3'), "there are three: {refused}");
    assert_eq!(status(&say(&session, r#"{"gate":"south","lanes":1}"#)), "422", "it was not said how it is built");
    assert_eq!(status(&say(&session, r#"{"gate":"nowhere","lanes":1}"#)), "404");
    assert_eq!(status(&say(&session, r#"{"gate":"north","lanes":3}"#)), "204");
    are_open(&mut listener, 3);

    // Over MQTT: what is said now, and nothing that was kept or cannot be.
    let set = topic("north", "lanes/set");
    listener.publish(&set, false, r#"{"lanes": 9}"#);
    listener.publish(&set, true, r#"{"lanes": 2}"#);
    listener.publish(&set, false, "many");
    listener.publish(&set, false, r#"{"lanes": 1}"#);
    are_open(&mut listener, 1);
    drop((listener, running));

    // What was said last holds.
    let (running, _) = venue.start_logging(&log).unwrap();
    let mut listener = Listener::of_everything(&venue);
    are_open(&mut listener, 1);
    drop((listener, running));
    let audit = fs::read_to_string(venue.data().join("audit.log")).unwrap();
    let said: Vec<Value> = audit.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let lanes = said.iter().filter(|line| line["gate"] == "north" && line.get("open").is_some());
    let lanes: Vec<_> = lanes.map(|line| (line["open"].as_u64().unwrap(), line["by"].as_str().unwrap())).collect();
    assert_eq!(lanes.first(), Some(&(3, "operator")), "{audit}");
    assert_eq!(lanes.last(), Some(&(1, "broker")), "{audit}");
    assert!(venue.usher().args(["audit", "verify"]).status().unwrap().success());
}
