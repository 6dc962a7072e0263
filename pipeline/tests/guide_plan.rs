//! `usher guide plan` plans a day from three files, and says of wrong ones everything that must be mended.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// A moment on a day that the shipped programme has sessions on, as on any.
const AT: &str = "2026-07-14T09:00:00+02:00";

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name)
}

fn written(folder: &TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// Runs it on the shipped programme and places.
fn plan(visitor: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.args(["guide", "plan", "--programme"]).arg(shipped("programme.yaml"));
    command.arg("--places").arg(shipped("places.geojson")).arg("--visitor").arg(visitor);
    command.args(["--at", AT]).args(more).env_remove("USHER_CONFIG").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

const VISITOR: &str = r#"{"sports":["Athletics","judo"],"food":["vegetarian"],"arrival":"9:15","from":"gate-a",
    "until":"22:00","language":"fr","step_free":true,"waits":{"gate-a":240}}"#;

#[test]
fn the_shipped_site_has_a_day_for_a_visitor() {
    let folder = tempfile::tempdir().unwrap();
    let visitor = written(&folder, "visitor.json", VISITOR);
    let output = plan(&visitor, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["ok"], &answer["proof"]["proof"]), (&Value::Bool(true), &Value::from("optimal")));
    assert_eq!(answer["unplaced"], Value::Array(vec![]), "every venue of the programme is among the places");
    assert!(answer["points"].as_f64().unwrap() > 100.0);
    let stops = answer["day"]["stops"].as_array().unwrap();
    assert_eq!(stops[0]["starts"], "2026-07-14T09:15:00+02:00");
    let kinds: Vec<&str> = stops.iter().map(|stop| stop["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"session") && kinds.contains(&"meal"), "{kinds:?}");
    assert_eq!((kinds.first(), kinds.last()), (Some(&"arrive"), Some(&"leave")));
    let words = said(&plan(&visitor, &[]));
    assert!(
        words.contains("09:15") && words.contains("Athletics") && words.contains("no plan is worth more"),
        "{words}"
    );
}

#[test]
fn a_day_goes_on_from_what_was_planned_before() {
    let folder = tempfile::tempdir().unwrap();
    let visitor = written(&folder, "visitor.json", &VISITOR.replace(r#""arrival":"9:15","#, ""));
    let first = plan(&visitor, &["--json"]);
    let before = written(&folder, "before.json", &String::from_utf8_lossy(&first.stdout));
    let first: Value = serde_json::from_slice(&first.stdout).unwrap();
    let stops = first["day"]["stops"].as_array().unwrap();
    let session = stops.iter().find(|stop| stop["kind"] == "session").unwrap();
    let again = Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["guide", "plan", "--json", "--programme"])
        .arg(shipped("programme.yaml"))
        .arg("--places")
        .arg(shipped("places.geojson"))
        .arg("--visitor")
        .arg(&visitor)
        .args(["--at", session["starts"].as_str().unwrap(), "--before"])
        .arg(&before)
        .output()
        .unwrap();
    let again: Value = serde_json::from_slice(&again.stdout).unwrap();
    assert_eq!(again["day"]["stops"][0], *session, "what runs is finished");
}

#[test]
fn every_problem_of_a_visitors_file_is_named_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let text = r#"{"sports":["Atletics"],"food":["vegetarien"],"arrival":"morning","from":"gate-x"}"#;
    let visitor = written(&folder, "visitor.json", text);
    let output = plan(&visitor, &[]);
    assert_eq!(output.status.code(), Some(78));
    let words = said(&output);
    for mend in [
        "the programme has no sport `Atletics`",
        "did you mean `Athletics`?",
        "did you mean `vegetarian`?",
        "`morning` is no time of day",
        "the places have no gate `gate-x`",
        "4 problems",
    ] {
        assert!(words.contains(mend), "{mend}: {words}");
    }
    let json: Value = serde_json::from_slice(&plan(&visitor, &["--json"]).stdout).unwrap();
    assert_eq!((&json["ok"], json["problems"].as_array().unwrap().len()), (&Value::Bool(false), 4));
}

#[test]
fn a_day_that_cannot_be_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let over = written(&folder, "visitor.json", r#"{"sports":["Judo"],"from":"gate-a","until":"8:00"}"#);
    let output = plan(&over, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("name a later `until`"), "{}", said(&output));
    let no_day = plan(&over, &["--before", &over.display().to_string()]);
    assert!(said(&no_day).contains("name a file that `usher guide plan --json` wrote"), "{}", said(&no_day));
}
