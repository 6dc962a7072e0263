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
    io::{Read as _, Write as _},
    net::TcpStream,
    time::{Duration, Instant},
};

const PATIENCE: Duration = Duration::from_secs(60);

/// A gate whose camera is away.
fn gate_of(guide: &str, signage: &str) -> Box {
    let absent = free();
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras: {{ a: {{ url: \"rtsp://{absent}/a\" }} }}\ngates: {{ gate-a: {{ cameras: [a] }} }}\n\
             guide: {{ {guide} }}\nsignage: {{ {signage} }}\n\
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
    let gate = gate_of("programme: programme.yaml, places: places.geojson", "language: fr");
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
    let gate = gate_of("programme: programme.yaml, places: places.geojson", "language: fr");
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

/// What is answered to a question with this header.
fn asked(gate: &Box, path: &str, header: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(gate.pages).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{header}\r\n\r\n").unwrap();
    let mut whole = Vec::new();
    stream.read_to_end(&mut whole).unwrap();
    let end = whole.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
    let body = whole.split_off(end + 4);
    (String::from_utf8(whole).unwrap(), body)
}

#[test]
fn the_venues_films_are_sent_in_parts_and_nothing_outside_their_folder_is() {
    let gate = gate_of("programme: programme.yaml", "theme: theme, playlist: films, night: 21:00-06:00");
    let folder = gate.folder.path();
    fs::create_dir(folder.join("theme")).unwrap();
    fs::create_dir(folder.join("films")).unwrap();
    fs::write(folder.join("theme/theme.css"), ":root { --accent: #e4002b; }").unwrap();
    fs::write(folder.join("films/a film.mp4"), vec![7_u8; 100_000]).unwrap();
    fs::write(folder.join("films/notes.txt"), "not shown").unwrap();
    let (running, _) = gate.start().unwrap();

    let (_, body) = asked(&gate, "/api/signage", "Accept: */*");
    let told: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(told["theme"], "/venue/theme/theme.css");
    assert_eq!(told["playlist"], serde_json::json!([{ "url": "/venue/playlist/a%20film.mp4", "kind": "film" }]));
    assert_eq!(told["night"], serde_json::json!({ "from": "21:00", "to": "06:00" }));
    assert_eq!(told["pass_gates"], serde_json::json!(["gate-a"]));

    let (head, body) = asked(&gate, "/venue/playlist/a%20film.mp4", "Range: bytes=10-19");
    assert!(head.starts_with("HTTP/1.1 206") && head.contains("content-range: bytes 10-19/100000"), "{head}");
    assert_eq!(body, [7; 10]);
    let (head, body) = asked(&gate, "/venue/playlist/a%20film.mp4", "Accept: */*");
    assert!(head.contains("content-length: 100000") && head.contains("cache-control: no-cache"), "{head}");
    assert_eq!(body.len(), 100_000);
    let changed = head.lines().find_map(|line| line.strip_prefix("last-modified: ")).unwrap();
    let (head, _) = asked(&gate, "/venue/playlist/a%20film.mp4", &format!("If-Modified-Since: {changed}"));
    assert!(head.starts_with("HTTP/1.1 304"), "{head}");
    for outside in [
        "/venue/playlist/../gate.yaml",
        "/venue/playlist/%2e%2e/gate.yaml",
        "/venue/theme/..%2f..%2fetc%2fpasswd",
        "/venue/playlist/",
    ] {
        let (head, body) = asked(&gate, outside, "Accept: */*");
        assert!(head.starts_with("HTTP/1.1 404") || head.starts_with("HTTP/1.1 400"), "{outside}: {head}");
        assert!(!String::from_utf8_lossy(&body).contains("site: test"), "{outside}");
    }
    drop(running);
}
