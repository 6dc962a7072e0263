//! Why somebody was named, and why somebody else was not: a real gate and broker, opened up in Chromium.
//!
//! Somebody enrolled and somebody who did not walk past; `pipeline/web/tests/why.gate.mjs` then asks why, first without
//! having signed in.
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
use std::{fs, path::Path, process::Command, time::Duration};
use usher_config::crowd::Crowd;

const PATIENCE: Duration = Duration::from_secs(90);
const NAME: &str = "Zoë <b>K.</b>";

/// The demo's visitor of whom there are several pictures, and somebody who never enrolled.
fn two_people(into: &Path) {
    let mut people = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap().people;
    people.retain(|person| ["oscar", "walter"].contains(&person.who.as_str()));
    assert_eq!(people.len(), 2);
    write_crowd(into, 5, 1, &people).unwrap();
}

#[test]
fn a_named_and_an_unnamed_decision_are_opened_by_who_has_signed_in_and_by_nobody_else() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = folder.path().join("two.yaml");
    two_people(&crowd);
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n  cam: {{ url: \"stills:{}\" }}\n\
             gates:\n  gate: {{ cameras: [cam], quiet: 5 s, mode: identification, responsible: the test }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", why: {{ pictures: true }} }}\n",
            crowd.display()
        )
    })
    .unwrap();
    gate.enrol(NAME, "Judo", &pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let log = folder.path().join("usher.log");
    let (_running, _) = gate.start_logging(&log).unwrap();
    let mut everything = Listener::of_everything(&gate);
    let visit = everything.wait_for("usher/v1/test/gate/gate/visit", PATIENCE);
    let said = fs::read_to_string(&log).unwrap();
    let token = said.lines().find_map(|line| line.strip_prefix("token")?.split_whitespace().next()).unwrap();

    let web = root().join("pipeline/web");
    let status = Command::new("node")
        .args(["--test", "tests/why.gate.mjs"])
        .current_dir(&web)
        .env("USHER_GATE", gate.pages.to_string())
        .env("USHER_TOKEN", token)
        .env("USHER_NAMED", NAME)
        .env("USHER_VISITOR", visit["data"]["visitor"].as_str().unwrap())
        .env("USHER_FORGET", serde_json::json!([env!("CARGO_BIN_EXE_usher"), "--config", gate.config]).to_string())
        .status()
        .expect("node starts");
    assert!(status.success(), "the view of reasons broke a promise; node's report is above");
}
