//! Nobody who did not enrol is named, stored or published.
//!
//! The real binary with real weights, a sealed gallery with somebody in it, an embedded broker with somebody who may
//! read everything, and a crowd of real faces of whom nobody enrolled.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test waits by the machine's own clock, and says no more by another word than unwrap"
)]

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;

use crowd::write_crowd;
use gate::{Box, pictures, root};
use listener::Listener;
use std::{fs, path::Path, time::Duration};
use usher_config::crowd::Crowd;

/// The demo's crowd without those who enrolled.
fn strangers(into: &Path) -> usize {
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    let strangers: Vec<_> = crowd.people.into_iter().filter(|person| person.enrolled.is_none()).collect();
    write_crowd(into, 11, 2, &strangers).unwrap();
    strangers.len()
}

fn files_below(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files.extend(files_below(&entry.path()));
        } else if kind.is_file() {
            files.push(entry.path());
        }
    }
    files
}

#[test]
fn an_unenrolled_crowd_walks_through_and_nothing_is_named_stored_or_published() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = folder.path().join("strangers.yaml");
    assert!(strangers(&crowd) >= 10, "the demo's crowd has strangers in it");
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &format!("stills:{}", crowd.display())).unwrap();
    gate.enrol("Somebody Else", "Judo", &pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let names_before: Vec<_> = files_below(&gate.data());
    let (running, _) = gate.start().unwrap();
    let mut everything = Listener::of_everything(&gate);

    // They really walk, are really looked at, and are counted.
    gate.wait_for("usher_people_total", 10.0, Duration::from_secs(120)).unwrap();
    gate.wait_for("usher_decisions_total", 6.0, Duration::from_secs(120)).unwrap();
    assert_eq!(gate.metric("usher_enrolled").unwrap(), 1.0);
    assert_eq!(gate.metric("usher_visits_acknowledged_total").unwrap(), 0.0);
    assert_eq!(gate.metric("usher_outbox_depth").unwrap(), 0.0);
    let heard = everything.heard();
    assert!(heard.iter().any(|(topic, _)| topic.ends_with("/status")), "the listener hears the box: {heard:?}");
    // How many came is told of a gate; who came is not.
    let about_gates = |topic: &str| topic.ends_with("/flow") || topic.ends_with("/forecast");
    let about_people = |topic: &str| topic.contains("/gate/") && !about_gates(topic);
    let leaked: Vec<_> = heard.iter().filter(|(topic, _)| about_people(topic)).map(|(topic, _)| topic).collect();
    assert!(leaked.is_empty(), "published about people who never enrolled: {leaked:?}");
    drop(running);

    // One row of the one visitor, no visit, no picture in any file; only the outbox, passwords and the key of events are new.
    let list = gate.usher().args(["list", "--json"]).output().unwrap();
    let list: serde_json::Value = serde_json::from_slice(&list.stdout).unwrap();
    assert_eq!(list["visitors"].as_array().map(Vec::len), Some(1), "{list}");
    for file in files_below(&gate.data()) {
        let bytes = fs::read(&file).unwrap();
        for (kind, mark) in [("JPEG", &b"\xff\xd8\xff"[..]), ("PNG", &b"\x89PNG"[..]), ("WebP", &b"WEBPVP8"[..])] {
            let found = bytes.windows(mark.len()).any(|window| window == mark);
            assert!(!found, "{} holds a {kind} picture", file.display());
        }
        if file.parent().is_some_and(|folder| folder.ends_with("flow")) {
            // Counts by minute: times, gates and figures.
            let kept = usher::flow::count::record::rows_of(&String::from_utf8(bytes).unwrap());
            assert_eq!(kept.unread, 0, "{}", file.display());
            continue;
        }
        let known = ["outbox.db", "gallery.db", "screen.password", "integrator.password", "events.key"];
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let expected = names_before.contains(&file) || known.iter().any(|known| name.starts_with(known));
        assert!(expected, "a new file: {}", file.display());
    }
}
