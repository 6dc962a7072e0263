//! Whoever stays outside the opt-in zone is not embedded, stored or published; and whoever looked for it would see it.
//!
//! The canaries are real faces. They walk past a real gate outside its zone; then every file, mapped file, log line and byte on
//! the loopback interface is searched for them. The same search is held against a gate that leaks one of them, and against
//! leaks of every other form.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test waits by the machine's own clock, and says no more by another word than unwrap"
)]

#[path = "support/canary.rs"]
mod canary;
#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use canary::{Canaries, Capture, files_below, mapped};
use crowd::write_crowd;
use gate::{Box, pictures, root};
use listener::Listener;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use usher::cli::crowd::png_of;
use usher_config::crowd::{Crowd, Person};

/// A corner that nobody's face comes to.
const CORNER: &str = "[[0.98, 0.98], [1, 0.98], [1, 1], [0.98, 1]]";

/// Four people in one picture each.
fn canaries() -> Vec<Person> {
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    let mut people = crowd.people;
    people.retain(|person| ["oscar", "walter", "ada", "bianca"].contains(&person.who.as_str()));
    people.iter_mut().for_each(|person| person.looks.truncate(1));
    assert_eq!(people.len(), 4);
    people
}

fn faces(people: &[Person]) -> Vec<Vec<u8>> {
    people.iter().map(|person| png_of(&pictures().unwrap(), &person.looks[0]).unwrap()).collect()
}

/// A gate that these people walk past.
fn gate_with(people: &[Person], zone: &str) -> (Box, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let crowd = folder.path().join("crowd.yaml");
    write_crowd(&crowd, 5, 2, people).unwrap();
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n  cam: {{ url: \"stills:{}\", zone: {zone} }}\n\
             gates:\n  gate: {{ cameras: [cam], quiet: 5 s, mode: identification, responsible: the test }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n",
            crowd.display()
        )
    })
    .unwrap();
    (gate, folder)
}

/// Where one of them was found.
fn search(canaries: &mut Canaries, places: Vec<(String, Vec<u8>)>) -> Vec<String> {
    let mut found = Vec::new();
    for (place, bytes) in places {
        found.extend(canaries.found(&bytes).into_iter().map(|what| format!("{place}: {what}")));
    }
    found
}

/// Files, mapped files and captured streams of a run; the pictures to enrol from were given by hand and are not its own.
fn places(gate: &Box, mapped: Vec<(String, Vec<u8>)>, capture: Capture, given: &[PathBuf]) -> Vec<(String, Vec<u8>)> {
    let streams = capture.end();
    assert!(streams.iter().map(Vec::len).sum::<usize>() > 1000, "the broker's traffic was captured");
    let own = files_below(gate.folder.path()).into_iter().filter(|file| !given.contains(file));
    let own = own.filter(|file| !file.ends_with("loopback.pcap"));
    let files = own.map(|file| (file.display().to_string(), fs::read(&file).unwrap()));
    let streams = streams.into_iter().map(|stream| ("loopback".to_owned(), stream));
    files.chain(mapped).chain(streams).collect()
}

fn embedded(gate: &Box) -> f64 {
    let page = gate.get("/metrics").unwrap();
    let of = "usher_stage_seconds_count{stage=\"embed\"} ";
    page.lines().find_map(|line| line.strip_prefix(of)?.parse().ok()).unwrap_or(0.0)
}

#[test]
fn bystanders_leave_no_trace_and_a_gate_that_leaks_one_is_caught() {
    let people = canaries();
    let faces = faces(&people);
    let mut canaries = Canaries::of(&faces);

    // Everybody is outside the zone: one of them is enrolled even, and not recognised there.
    let (gate, _folder) = gate_with(&people, CORNER);
    let given = gate.folder.path().join("given.png");
    fs::write(&given, &faces[0]).unwrap();
    gate.enrol("Oscar", "Judo", &given).unwrap();
    let capture = Capture::begin(gate.folder.path());
    let (running, _) = gate.start_logging(&gate.folder.path().join("usher.log")).unwrap();
    let _listener = Listener::of_everything(&gate);
    gate.wait_for("usher_people_total", 5.0, Duration::from_secs(120)).unwrap();
    assert_eq!(embedded(&gate), 0.0, "somebody outside the zone was embedded");
    assert_eq!(gate.metric("usher_decisions_total").unwrap(), 0.0);
    let maps = mapped(running.0.id());
    assert!(!maps.is_empty(), "the gallery's shared memory is a mapped file");
    drop(running);
    assert!(fs::metadata(gate.folder.path().join("usher.log")).unwrap().len() > 0, "the log was kept");
    let found = search(&mut canaries, places(&gate, maps, capture, std::slice::from_ref(&given)));
    assert!(found.is_empty(), "bystanders were found: {found:?}");

    // The mutant: the same gate, but it does not mind its zone. It embeds, and shows the face of somebody outside.
    let (mutant, _folder) = gate_with(&people, "[]");
    let given = mutant.folder.path().join("given.png");
    fs::write(&given, &faces[0]).unwrap();
    mutant.enrol("Oscar", "Judo", &given).unwrap();
    let capture = Capture::begin(mutant.folder.path());
    let (running, _) = mutant.start_logging(&mutant.folder.path().join("usher.log")).unwrap();
    let _listener = Listener::of_everything(&mutant);
    mutant.wait_for("usher_visits_acknowledged_total", 1.0, Duration::from_secs(120)).unwrap();
    std::thread::sleep(Duration::from_secs(1));
    assert!(embedded(&mutant) > 0.0);
    let maps = mapped(running.0.id());
    drop(running);
    let found = search(&mut canaries, places(&mutant, maps, capture, &[given]));
    let caught =
        |found: &[String], place: &str, what: &str| found.iter().any(|f| f.starts_with(place) && f.contains(what));
    assert!(caught(&found, "loopback", "canary 0: a"), "the face that the mutant published was not seen: {found:?}");
    assert!(found.iter().all(|found| found.starts_with("loopback")), "what is on disk is sealed: {found:?}");
}

#[test]
fn a_leak_of_any_form_is_found_and_a_strangers_face_is_none() {
    let people = canaries();
    let faces = faces(&people);
    let mut canaries = Canaries::of(&faces[1..]);
    let template = canaries.template(0).vector().to_vec();
    let raw: Vec<u8> = template.iter().flat_map(|v| v.to_le_bytes()).collect();
    let jpeg = {
        let mut bytes = std::io::Cursor::new(Vec::new());
        image::load_from_memory(&faces[1]).unwrap().to_rgb8().write_to(&mut bytes, image::ImageFormat::Jpeg).unwrap();
        bytes.into_inner()
    };
    let text = template.iter().map(|v| format!("{v:.4}")).collect::<Vec<_>>().join(", ");
    let leaks: [(&str, Vec<u8>, &str); 6] = [
        ("numbers", [b"abc", raw.as_slice(), b"rest"].concat(), "a template"),
        ("numbers in base64", STANDARD.encode(&raw).into_bytes(), "a template in base64"),
        ("numbers in a log", format!("WARN template=[{text}] reason=test").into_bytes(), "a template in text"),
        ("a JPEG", [b"header", jpeg.as_slice(), b"trailer"].concat(), "a JPEG picture"),
        ("a PNG", faces[1].clone(), "a PNG picture"),
        (
            "a JPEG in JSON",
            format!("{{\"face\":\"{}\"}}", STANDARD.encode(&jpeg)).into_bytes(),
            "a JPEG picture in base64",
        ),
    ];
    for (form, bytes, what) in leaks {
        let found = canaries.found(&bytes);
        assert!(found.iter().any(|found| found.contains("canary 0") && found.ends_with(what)), "{form}: {found:?}");
    }
    // Oscar is nobody's canary here.
    assert!(canaries.found(&faces[0]).is_empty());
    assert!(canaries.found(&[0; 100_000]).is_empty());
    assert!(files_below(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")).len() > 10);
}
