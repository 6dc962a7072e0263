//! `usher check` tells everything that must be mended, in words and in JSON, and by its exit code.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

#[path = "support/port.rs"]
mod port;

use port::free;
use serde_json::Value;
use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output},
};

fn usher(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usher")).args(arguments).env_remove("USHER_CONFIG").output().unwrap()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name).display().to_string()
}

/// A configuration in a folder of its own, its broker and camera at the given places.
fn written(broker: &str, camera: &str) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usher.yaml");
    let text = format!(
        "site: test\ndata: data\ncameras:\n  c: {{ url: \"{camera}\" }}\ngates:\n  g: {{ cameras: [c] }}\n\
         publish: {{ broker: {broker} }}\n"
    );
    std::fs::write(&path, text).unwrap();
    (folder, path)
}

#[test]
fn the_shipped_configuration_is_ok() {
    let output = usher(&["check", &shipped("usher.yaml"), "--json"]);
    let said = json(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!((&said["ok"], &said["problems"]), (&Value::Bool(true), &Value::Array(vec![])));
    assert!(said["cameras"].is_null() && said["broker"].is_null());
    let output = usher(&["--config", &shipped("usher.yaml"), "check"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8_lossy(&output.stdout).contains("ok (1 camera, 1 gate)"));
}

#[test]
fn missing_weights_are_a_warning_with_the_mend() {
    let (_folder, path) = written("embedded", "/dev/video0");
    let said = json(&usher(&["check", &path.display().to_string(), "--json"]));
    let warnings = said["warnings"].as_array().unwrap();
    assert_eq!(warnings.len(), 2, "{said}");
    assert!(warnings.iter().all(|warning| warning.as_str().unwrap().contains("usher models install --data")), "{said}");
}

#[test]
fn what_places_and_configuration_call_differently_is_a_warning() {
    let (folder, path) = written("embedded", "/dev/video0");
    let point = |more: &str| {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[13.4,52.5]}},"properties":{{{more}}}}}"#
        )
    };
    let features = [
        point(r#""kind":"gate","name":"gate-a""#),
        point(r#""kind":"cafe","name":"Bean","camera":"food""#),
        point(r#""kind":"cafe","name":"Leaf","camera":"c""#),
    ];
    let places = format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(","));
    std::fs::write(folder.path().join("places.geojson"), places).unwrap();
    let text = std::fs::read_to_string(&path).unwrap() + "guide: { places: places.geojson }\n";
    std::fs::write(&path, text).unwrap();
    let output = usher(&["check", &path.display().to_string(), "--json"]);
    let said = json(&output);
    let warnings: Vec<&str> = said["warnings"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    let told = |part: &str| warnings.iter().filter(|warning| warning.contains(part)).count();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert_eq!(
        told("no gate `g`, so no day can begin there: add a point of `kind: gate` with that name (there are: gate-a)"),
        1,
        "{said}"
    );
    assert_eq!(told("`Bean` is counted by camera `food`, which is none of the cameras"), 1, "{said}");
    assert_eq!(told("`Leaf`"), 0, "{said}");
}

#[test]
fn problems_end_with_78_and_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usher.yaml");
    std::fs::write(&path, "site: A\nlooks: 3\n").unwrap();
    let output = usher(&["check", &path.display().to_string(), "--json"]);
    let said = json(&output);
    assert_eq!((output.status.code(), &said["ok"]), (Some(78), &Value::Bool(false)));
    let problems = said["problems"].as_array().unwrap();
    assert_eq!(problems.len(), 4, "{said}");
    for key in ["file", "line", "column", "key", "message", "mend"] {
        assert!(problems.iter().all(|problem| !problem[key].is_null()), "{key}: {said}");
    }
    let output = usher(&["check", &path.display().to_string()]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("`looks` belongs under `rules`") && words.contains("4 problems"), "{words}");
    assert_eq!(output.status.code(), Some(78));
}

#[test]
fn a_broken_programme_is_a_problem_too() {
    let (folder, path) = written("embedded", "/dev/video0");
    std::fs::write(folder.path().join("day.yaml"), "time_zone: Mars\nsessions: []\n").unwrap();
    let text = std::fs::read_to_string(&path).unwrap() + "guide: { programme: day.yaml }\n";
    std::fs::write(&path, text).unwrap();
    let output = usher(&["check", &path.display().to_string(), "--json"]);
    assert_eq!(output.status.code(), Some(78));
    assert!(json(&output)["problems"][0]["file"].as_str().unwrap().ends_with("day.yaml"));
}

#[test]
fn every_problem_of_the_files_of_flow_is_told_with_its_line_and_mend() {
    let (folder, path) = written("embedded", "/dev/video0");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir(at("earlier")).unwrap();
    std::fs::write(at("day.yaml"), "time_zone: Europe/Berlin\nsessions: []\n").unwrap();
    let flow = "guide: { programme: day.yaml }\nflow: { history: earlier, weather: weather.csv }\n";
    std::fs::write(&path, std::fs::read_to_string(&path).unwrap() + flow).unwrap();
    // A row is missing, one is empty and the clocks change: that is a history. A file of another gate is none.
    let good = "when,visitors\n2026-03-29 01:00,4\n2026-03-29 03:00,2\n2026-03-29 04:00,\n2026-03-29 06:00,5\n";
    std::fs::write(at("earlier/g.csv"), good).unwrap();
    std::fs::write(at("earlier/north.csv"), good).unwrap();
    std::fs::write(at("weather.csv"), "time,rain_mm,temperature_c\n2026-03-29T00:00Z,0.5,-3\n2026-03-29T01:00Z,,4\n")
        .unwrap();
    let output = usher(&["check", &path.display().to_string(), "--json"]);
    let said = json(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    let warnings = said["warnings"].as_array().unwrap();
    let strange = |warning: &&Value| warning.as_str().unwrap().contains("north.csv is of no gate");
    assert_eq!(warnings.iter().filter(strange).count(), 1, "{said}");
    assert!(!warnings.iter().any(|warning| warning.as_str().unwrap().contains("g.csv: steps")), "{said}");

    // By Berlin's clocks 02:30 was left out in March; a row comes twice; a cell is no number; another is below zero.
    let bad = "when,visitors\n2026-03-29 01:00,4\n2026-03-29 01:30,2\n2026-03-29 02:30,1\n2026-03-29 03:00,two\n\
               2026-03-29 03:30,5\n2026-03-29 03:30,5\n2026-03-29 04:00,-1\n";
    std::fs::write(at("earlier/g.csv"), bad).unwrap();
    let weather = "time,rain_mm,temperature_c\n2026-03-29T00:00Z,0.5,-3\nsoon,1,4\n2026-03-29T01:00Z,wet,warm\n";
    std::fs::write(at("weather.csv"), weather).unwrap();
    let output = usher(&["check", &path.display().to_string(), "--json"]);
    let said = json(&output);
    assert_eq!((output.status.code(), &said["ok"]), (Some(78), &Value::Bool(false)), "{said}");
    let problems = said["problems"].as_array().unwrap();
    let told: Vec<(&str, u64, &str)> = problems
        .iter()
        .map(|one| {
            let file = one["file"].as_str().unwrap().rsplit('/').next().unwrap();
            assert!(one["mend"].as_str().unwrap().len() > 10, "{one}");
            (file, one["line"].as_u64().unwrap(), one["message"].as_str().unwrap())
        })
        .collect();
    let wanted = [
        ("g.csv", 4, "`2026-03-29 02:30` was left out by the clocks of Europe/Berlin"),
        ("g.csv", 5, "`two` is no count"),
        ("g.csv", 7, "its time `2026-03-29 03:30` is the same as that of the row above"),
        ("g.csv", 8, "a count of -1 is below zero"),
        ("weather.csv", 3, "`soon` is no time"),
        ("weather.csv", 4, "`wet` is no amount of rain"),
        ("weather.csv", 4, "`warm` is no temperature"),
    ];
    assert_eq!(told.len(), wanted.len(), "{told:?}");
    for ((file, line, message), (its, at, part)) in told.into_iter().zip(wanted) {
        assert_eq!((file, line), (its, at), "{message}");
        assert!(message.contains(part), "{message}");
    }
    // In words: the file's place, as a compiler would say it.
    let output = usher(&["check", &path.display().to_string()]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("earlier/g.csv:5: `two` is no count") && words.contains("7 problems"), "{words}");
}

#[test]
fn a_history_of_steps_that_nothing_is_learnt_from_is_a_warning() {
    let (folder, path) = written("embedded", "/dev/video0");
    std::fs::create_dir(folder.path().join("earlier")).unwrap();
    let counts = "timestamp,count\n2026-03-29T10:00:00Z,1\n2026-03-29T10:00:07Z,0\n2026-03-29T10:00:14Z,2\n";
    std::fs::write(folder.path().join("earlier/g.csv"), counts).unwrap();
    let text = std::fs::read_to_string(&path).unwrap() + "flow: { history: earlier }\n";
    std::fs::write(&path, text).unwrap();
    let said = json(&usher(&["check", &path.display().to_string(), "--json"]));
    let warnings = said["warnings"].to_string();
    assert!(warnings.contains("steps of 7 s make no whole minutes, so nothing is learnt from it"), "{said}");
}

#[test]
fn a_probe_says_what_does_not_answer() {
    let (_folder, path) = written(&format!("\"mqtt://{}\"", free()), &format!("rtsp://{}/stream", free()));
    let output = usher(&["check", &path.display().to_string(), "--json", "--probe", "--timeout", "3"]);
    let said = json(&output);
    assert_eq!((output.status.code(), &said["ok"]), (Some(1), &Value::Bool(false)), "{said}");
    let answers = (&said["cameras"]["c"]["ok"], &said["broker"]["ok"]);
    assert_eq!(answers, (&Value::Bool(false), &Value::Bool(false)), "{said}");
    assert!(said["broker"]["reason"].as_str().unwrap().contains("check address"), "{said}");
}

#[test]
fn a_probe_sees_that_a_port_is_taken() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let broker = format!("{{ listen: \"{}\", websocket: \"{}\" }}", taken.local_addr().unwrap(), free());
    let (_folder, path) = written(&broker, "/dev/no-such-camera");
    let said = json(&usher(&["check", &path.display().to_string(), "--json", "--probe", "--timeout", "1"]));
    assert!(said["broker"]["reason"].as_str().unwrap().contains("choose another port"), "{said}");
}

/// What was said to standard error, and the exit code, where nobody reads standard output.
fn unread(arguments: &[&str]) -> (String, Option<i32>) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    let command = command.args(arguments).env_remove("USHER_CONFIG").stdout(writer);
    let output = command.stderr(std::process::Stdio::piped()).output().unwrap();
    (String::from_utf8_lossy(&output.stderr).into_owned(), output.status.code())
}

#[test]
fn a_command_whose_words_nobody_reads_ends_quietly() {
    for arguments in
        [&["schema", "config"][..], &["flow", "simulate", "--json"], &["flow", "simulate"], &["models", "list"]]
    {
        assert_eq!(unread(arguments), (String::new(), Some(141)), "{arguments:?}");
    }
    // Nor does it matter that nobody hears what is wrong.
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    let status =
        command.args(["check", "/nowhere/usher.yaml"]).env_remove("USHER_CONFIG").stderr(writer).status().unwrap();
    assert_eq!(status.code(), Some(78));
}

#[test]
fn schemas_are_printed_as_json() {
    for (of, key) in [("config", "properties"), ("programme", "properties"), ("events", "greeting")] {
        let output = usher(&["schema", of]);
        assert_eq!(output.status.code(), Some(0));
        assert!(json(&output)[key].is_object(), "{of}");
    }
}
