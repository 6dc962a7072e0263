//! The guide at a running gate: what changes in its files reaches the screens, and what is broken there changes nothing.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;

use gate::{Box, free};
use listener::Listener;
use serde_json::Value;
use std::{
    fs,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A gate whose camera is away.
fn gate_of(guide: &str) -> Box {
    let absent = free().unwrap();
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras: {{ a: {{ url: \"rtsp://{absent}/a\" }} }}\ngates: {{ gate-a: {{ cameras: [a] }} }}\n\
             guide: {{ {guide} }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n"
        )
    })
    .unwrap()
}

/// Sessions of which screens are told that they are not held as announced.
fn changes(event: &Value) -> Vec<(String, String)> {
    let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
    let told = event["data"]["changes"].as_array().unwrap();
    told.iter().map(|change| (word(change, "title"), word(change, "status"))).collect()
}

/// Waits until the last event on the programme tells exactly this.
fn tells(screen: &mut Listener, wanted: &[(&str, &str)]) -> Value {
    let topic = "usher/v1/test/programme";
    screen.wait_for(topic, PATIENCE);
    let begun = Instant::now();
    loop {
        let last = screen.heard().iter().rev().find(|(heard, _)| heard == topic).map(|(_, body)| body.clone());
        let event: Value = serde_json::from_slice(&last.unwrap()).unwrap();
        let told = changes(&event);
        if told.iter().map(|(title, status)| (title.as_str(), status.as_str())).eq(wanted.iter().copied()) {
            return event;
        }
        assert!(begun.elapsed() < PATIENCE, "the screens are told {told:?}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn ready(gate: &Box) -> String {
    gate.get("/readyz").unwrap()
}

fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "not within a minute: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_session_that_moves_reaches_the_screens_and_a_broken_programme_does_not() {
    let gate = gate_of("programme: programme.yaml, places: places.geojson");
    let (running, _) = gate.start().unwrap();
    let mut screen = Listener::of_everything(&gate);
    tells(&mut screen, &[]);
    let file = gate.folder.path().join("programme.yaml");
    let shipped = fs::read_to_string(&file).unwrap();
    let moved = shipped.replacen(
        "title: Mixed doubles, venue: Exhibition Hall 1, place: Table 1,",
        "title: Mixed doubles, venue: Exhibition Hall 2, place: Mat 4, status: moved,",
        1,
    );
    assert_ne!(moved, shipped);
    let begun = Instant::now();
    fs::write(&file, &moved).unwrap();
    let told = tells(&mut screen, &[("Mixed doubles", "moved")]);
    println!("a session that moved was told after {} ms", begun.elapsed().as_millis());
    assert_eq!(told["data"]["changes"][0]["venue"], "Exhibition Hall 2");

    // What was read last stays, and health says what is wrong and where.
    fs::write(&file, moved.replacen("start: 19:30", "start: half past seven", 1)).unwrap();
    until("health names the file", || ready(&gate).contains("half past seven"));
    assert!(ready(&gate).starts_with("HTTP/1.1 200"));
    // Mended: health is well again, and the day is as announced.
    fs::write(&file, &shipped).unwrap();
    tells(&mut screen, &[]);
    until("health is well", || !ready(&gate).contains("guide:"));
    drop((screen, running));
}

#[test]
fn a_gate_starts_with_a_guide_that_cannot_be_read_and_says_so() {
    let gate = gate_of("programme: programme.yaml, places: places.geojson");
    let broken = gate.folder.path().join("places.geojson");
    let whole = fs::read_to_string(&broken).unwrap();
    fs::write(&broken, &whole[..whole.len() / 2]).unwrap();
    let log = gate.folder.path().join("usher.log");
    let (running, _) = gate.start_logging(&log).unwrap();
    assert!(fs::read_to_string(&log).unwrap().contains("places.geojson"));
    until("health names the file", || ready(&gate).contains("guide:"));
    assert!(gate.get("/api/map").unwrap().starts_with("HTTP/1.1 404"));
    fs::write(&broken, &whole).unwrap();
    until("the map is there", || gate.get("/api/map").unwrap().starts_with("HTTP/1.1 200"));
    until("health is well", || !ready(&gate).contains("guide:"));
    drop(running);
}
