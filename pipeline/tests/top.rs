//! `usher top` at a running gate, and where none runs.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/crowd.rs"]
mod crowd;
#[path = "support/gate.rs"]
mod gate;

use crowd::write_crowd;
use gate::{Box, pictures, root};
use serde_json::Value;
use std::time::Duration;
use usher_config::crowd::Crowd;

const NAME: &str = "Zebedee Quux";

#[test]
fn a_running_gate_is_told_by_cameras_stages_and_gates_and_names_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let people = folder.path().join("people.yaml");
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    write_crowd(&people, 5, 2, &crowd.people).unwrap();
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &format!("stills:{}", people.display())).unwrap();
    let top = |arguments: &[&str]| gate.usher().arg("top").args(arguments).output().unwrap();

    let none = top(&["--once"]);
    assert_eq!(none.status.code(), Some(78));
    let said = String::from_utf8(none.stderr).unwrap();
    assert!(said.contains("no gate answers at http://127.0.0.1:") && said.contains("`usher run`"), "{said}");

    gate.enrol(NAME, "Judo", &pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let (_running, _) = gate.start().unwrap();
    gate.wait_for("usher_people_total", 1.0, Duration::from_secs(120)).unwrap();
    let told = top(&["--once", "--json", "--interval", "3"]);
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!((&told["site"], &told["ready"]), (&"test".into(), &true.into()), "{told}");
    let camera = &told["cameras"][0];
    assert_eq!((&camera["name"], &camera["gate"], &camera["state"]), (&"cam".into(), &"gate".into(), &"live".into()));
    let rate = |figure: &str| camera[figure].as_f64().unwrap();
    assert!(rate("analysed") + rate("unchanged") > 0.5, "frames are looked at: {told}");
    let stages = told["stages"].as_array().unwrap();
    assert!(stages.iter().any(|stage| stage["per_second"].as_f64().unwrap() > 0.0), "{told}");
    assert_eq!(told["gates"][0]["name"], "gate");

    let words = String::from_utf8(top(&["--once"]).stdout).unwrap();
    for head in ["test: ready, broker up", "CAMERA", "STAGE", "GATE", "cam "] {
        assert!(words.contains(head), "{head}:\n{words}");
    }
    assert!(!words.contains(NAME) && !told.to_string().contains(NAME), "{words}");
}
