//! `usher doctor` looks over everything a gate stands on, and says the mend of whatever is wrong.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/port.rs"]
mod port;

use port::free;
use serde_json::Value;
use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    process::Command,
    thread,
};

/// A box with one camera where nobody answers; its pages at `web`.
fn written(web: SocketAddr) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usher.yaml");
    let [camera, mqtt, websocket] = [(); 3].map(|()| free());
    let text = format!(
        "site: test\ndata: data\n\
         cameras: {{ c: {{ url: \"rtsp://{camera}/\", login: {{ user: u, password: secret-word }} }} }}\ngates: {{ g: {{ cameras: [c] }} }}\n\
         publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\nweb: {{ listen: \"{web}\" }}\n"
    );
    fs::write(&path, text).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    (folder, path)
}

fn doctor(config: &PathBuf) -> (i32, Value) {
    let output = Command::new(env!("CARGO_BIN_EXE_usher"))
        .args(["doctor", "--timeout", "1", "--json", "--config"])
        .arg(config)
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&output.stdout).contains("secret-word"), "a password was told");
    (output.status.code().unwrap(), serde_json::from_slice(&output.stdout).unwrap())
}

/// State and words of all that was found about something.
fn about(said: &Value, what: &str) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let all = said["findings"].as_array().unwrap().iter().filter(|finding| finding["what"] == what);
    all.map(|finding| (text(&finding["state"]), format!("{} {}", text(&finding["found"]), text(&finding["mend"]))))
        .collect()
}

#[test]
fn a_box_without_anything_is_told_everything_it_lacks() {
    let (folder, path) = written(free());
    let (code, said) = doctor(&path);
    assert_eq!((code, &said["ok"]), (1, &Value::Bool(false)), "{said}");
    let one = |what: &str| about(&said, what).first().unwrap_or_else(|| panic!("nothing about {what}: {said}")).clone();
    assert_eq!(one("configuration").0, "good");
    assert!(one("weights").1.contains("usher models install --data"), "{said}");
    assert_eq!(one("camera c").0, "bad");
    assert_eq!(one("broker").0, "good", "its ports are free");
    assert!(one("data folder").1.contains("install -d -m 700"), "{said}");
    assert!(one("decoders").1.contains("H.264: avdec_h264"), "{said}");
    assert!(one("permissions").1.contains("holds a password"), "{said}");

    let data = folder.path().join("data");
    fs::create_dir(&data).unwrap();
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    let (_, said) = doctor(&path);
    assert!(about(&said, "data folder")[0].1.contains("can be read by others"), "{said}");
    assert!(about(&said, "permissions").is_empty(), "{said}");
    assert!(about(&said, "disk")[0].1.contains("free"), "{said}");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).unwrap();
    assert_eq!(about(&doctor(&path).1, "data folder")[0].0, "good");
}

#[test]
fn a_gate_that_runs_is_asked_instead_of_robbed_of_its_cameras() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let web = listener.local_addr().unwrap();
    let gate = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut asked = [0; 512];
        let read = stream.read(&mut asked).unwrap();
        let body = r#"{"ready":true,"degraded":["camera c: it shows the same picture for 5 s","broker: refused"]}"#;
        write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len()).unwrap();
        String::from_utf8_lossy(&asked[..read]).into_owned()
    });
    let (_folder, path) = written(web);
    let (_, said) = doctor(&path);
    assert!(gate.join().unwrap().starts_with("GET /readyz "));
    assert_eq!(about(&said, "gate")[0].0, "good", "{said}");
    assert_eq!(about(&said, "camera c"), [("bad".to_owned(), "it shows the same picture for 5 s ".to_owned())]);
    assert_eq!(about(&said, "broker")[0].0, "bad");
}

#[test]
fn a_broken_configuration_is_told_with_its_mends_and_the_machine_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usher.yaml");
    fs::write(&path, "site: A\nlooks: 3\n").unwrap();
    let (code, said) = doctor(&path);
    assert_eq!(code, 78, "{said}");
    let problems = about(&said, "configuration");
    assert!(problems.len() >= 4 && problems.iter().all(|(state, _)| state == "bad"), "{said}");
    assert!(problems.iter().any(|(_, words)| words.contains("usher.yaml:2:1: unknown key `looks`")), "{said}");
    assert_eq!(about(&said, "decoders").len() + about(&said, "clock").len(), 2, "{said}");
}
