//! `usher check` tells everything that must be mended, in words and in JSON, and by its exit code.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use serde_json::Value;
use std::{
    net::{SocketAddr, TcpListener},
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

/// An address where nobody listens: it was free a moment ago.
fn nobody() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
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
fn a_probe_says_what_does_not_answer() {
    let (_folder, path) = written(&format!("\"mqtt://{}\"", nobody()), &format!("rtsp://{}/stream", nobody()));
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
    let broker = format!("{{ listen: \"{}\", websocket: \"{}\" }}", taken.local_addr().unwrap(), nobody());
    let (_folder, path) = written(&broker, "/dev/no-such-camera");
    let said = json(&usher(&["check", &path.display().to_string(), "--json", "--probe", "--timeout", "1"]));
    assert!(said["broker"]["reason"].as_str().unwrap().contains("choose another port"), "{said}");
}

#[test]
fn schemas_are_printed_as_json() {
    for (of, key) in [("config", "properties"), ("programme", "properties"), ("events", "greeting")] {
        let output = usher(&["schema", of]);
        assert_eq!(output.status.code(), Some(0));
        assert!(json(&output)[key].is_object(), "{of}");
    }
}
