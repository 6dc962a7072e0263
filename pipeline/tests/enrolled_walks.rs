//! A visitor who enrolled is welcomed: visit, greeting and face, with the right name and the sport's next sessions.
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
use std::{path::Path, time::Duration};
use usher_config::crowd::{Crowd, Person};

const PATIENCE: Duration = Duration::from_secs(90);

/// A crowd of one: the demo's visitor of whom there are several pictures, in the looks not enrolled from.
fn one_visitor(into: &Path) {
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    let several = |person: &Person| person.enrolled.is_some() && person.looks.len() > 1;
    let person = crowd.people.into_iter().find(several).unwrap();
    let enrolled_from = Path::new("face-recognition/obama.jpg");
    assert!(person.looks.iter().all(|look| look.picture != enrolled_from), "enrolled from it below");
    write_crowd(into, 5, 1, &[person]).unwrap();
}

#[test]
fn somebody_enrolled_while_the_gate_runs_is_welcomed_and_once_forgotten_is_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = folder.path().join("visitor.yaml");
    one_visitor(&crowd);
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &format!("stills:{}", crowd.display())).unwrap();
    let (_running, _) = gate.start().unwrap();
    let mut everything = Listener::of_everything(&gate);

    // Nobody has enrolled: the walks before the enrolment name nobody. How many came is told of a gate; who came is not.
    gate.wait_for("usher_decisions_total", 1.0, PATIENCE).unwrap();
    let about_gates = |topic: &str| topic.ends_with("/flow") || topic.ends_with("/forecast");
    assert!(everything.heard().iter().all(|(topic, _)| !topic.contains("/gate/") || about_gates(topic)));

    gate.enrol("Mina K.", "Table tennis", &pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let greeting = everything.wait_for("usher/v1/test/gate/gate/greeting", PATIENCE);
    assert_eq!(greeting["specversion"], "1.0");
    assert_eq!(greeting["data"]["name"], "Mina K.");
    assert_eq!(greeting["data"]["sport"], "Table tennis");
    let sessions = greeting["data"]["sessions"].as_array().unwrap();
    assert!((1..=3).contains(&sessions.len()), "{sessions:?}");
    assert!(
        sessions.iter().all(|session| session["place"].is_string() && session["starts"].is_string()),
        "{sessions:?}"
    );
    let visit = everything.wait_for("usher/v1/test/gate/gate/visit", PATIENCE);
    assert!(!visit.to_string().contains("Mina"), "a visit carries no name: {visit}");
    let face = everything.wait_for("usher/v1/test/gate/gate/face", PATIENCE);
    assert_eq!(face["datacontenttype"], "image/jpeg");
    assert_eq!(face["subject"], greeting["data"]["visit"], "the page matches face and greeting by the visit");

    let forgotten = gate.usher().args(["forget", "--everyone"]).output().unwrap();
    assert!(forgotten.status.success(), "{}", String::from_utf8_lossy(&forgotten.stderr));
    let begun = std::time::Instant::now();
    while gate.metric("usher_enrolled").unwrap() > 0.0 {
        assert!(begun.elapsed() < PATIENCE, "the gate never heard of the forgetting");
        std::thread::sleep(Duration::from_millis(50));
    }
    let (decided, welcomed) =
        (gate.metric("usher_decisions_total").unwrap(), gate.metric("usher_visits_acknowledged_total").unwrap());
    gate.wait_for("usher_decisions_total", decided + 3.0, PATIENCE).unwrap();
    assert!(gate.metric("usher_visits_acknowledged_total").unwrap() <= welcomed + 1.0, "one may have been under way");
}
