//! The enrolment station: the real program, a real browser with a camera, the real API over TLS.
//!
//! Node drives both (`pipeline/web/tests/{station,enrol}.gate.mjs`). The camera's clip is made here of a demo picture.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;

use gate::{Box, free, pictures, root};
use image::{ImageFormat, imageops};
use serde_json::Value;
use std::{
    fs,
    io::Cursor,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Command,
};

/// Half of the gates compare everybody, half only who shows a pass, so that visitors are offered both.
fn station(enrol: SocketAddr) -> Box {
    let absent = [free().unwrap(), free().unwrap()];
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\n\
             cameras: {{ a: {{ url: \"rtsp://{}/a\" }}, b: {{ url: \"rtsp://{}/b\" }} }}\n\
             gates:\n  east: {{ cameras: [a], mode: identification, responsible: the test }}\n  west: {{ cameras: [b] }}\n\
             gallery:\n  event_ends: \"2026-12-06T23:00+09:00\"\n  keep: 24 h\n\
             \x20 notice: {{ controller: The Test Venue, contact: privacy@test.example }}\n\
             guide: {{ programme: programme.yaml }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", enrol: {{ listen: \"{enrol}\" }} }}\n",
            absent[0], absent[1]
        )
    })
    .unwrap()
}

/// Head and shoulders of a demo picture as a tablet's camera sees them: one frame, and a stream of it.
fn clip(folder: &Path) -> (PathBuf, PathBuf) {
    let whole = image::open(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap().into_rgb8();
    let height = whole.width() * 3 / 4;
    let head = imageops::crop_imm(&whole, 0, 0, whole.width(), height.min(whole.height())).to_image();
    let frame = imageops::resize(&head, 1280, 960, imageops::FilterType::Triangle);
    let mut jpeg = Cursor::new(Vec::new());
    frame.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let (picture, film) = (folder.join("frame.jpg"), folder.join("face.mjpeg"));
    fs::write(&picture, jpeg.get_ref()).unwrap();
    fs::write(&film, jpeg.get_ref().repeat(10)).unwrap();
    (picture, film)
}

#[test]
fn visitors_enrol_themselves_and_are_forgotten_by_their_pass() {
    let folder = root().join("pipeline/web");
    assert!(folder.join("node_modules/axe-core").is_dir(), "axe-core is not there; run `make pages`");
    let enrol = free().unwrap();
    let gate = station(enrol);
    let log = gate.folder.path().join("usher.log");
    let (running, _) = gate.start_logging(&log).unwrap();
    let said = fs::read_to_string(&log).unwrap();
    let token = said.lines().find_map(|line| line.strip_prefix("token")?.split_whitespace().next()).unwrap();
    let page = said.lines().find_map(|line| line.strip_prefix("enrol")).unwrap().trim();
    assert_eq!(page, format!("https://{enrol}/enrol"));
    let (picture, film) = clip(gate.folder.path());
    for script in ["tests/enrol.gate.mjs", "tests/staff.gate.mjs", "tests/station.gate.mjs"] {
        let status = Command::new("node")
            .args(["--test", script])
            .current_dir(&folder)
            .env("USHER_URL", format!("https://{enrol}"))
            .env("USHER_PAGES", format!("http://{}", gate.pages))
            .env("USHER_TOKEN", token)
            .env("USHER_PICTURE", &picture)
            .env("USHER_CLIP", &film)
            .status()
            .expect("node starts; `make test-packages` installs it");
        assert!(status.success(), "{script}: node's report is above");
    }
    drop(running);

    let verified = gate.usher().args(["audit", "verify", "--json"]).output().unwrap();
    let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
    assert_eq!(report["whole"], true, "{report}");
    let said = fs::read_to_string(&log).unwrap();
    assert!(!said.contains("Zoë") && !said.contains("Mallory"), "a name was logged");
    assert!(gate.data().join("tls/box.key").is_file());
}

/// What only a box that is told what to answer shows: trouble of every kind.
#[test]
fn the_page_says_what_is_wrong_and_where_it_is_mended() {
    let told = ["--test-name-pattern", "hints, sides|every refusal|only staff open", "tests/enrol.gate.mjs"];
    for arguments in [told.as_slice(), &["tests/staff.gate.mjs"]] {
        let status = Command::new("node")
            .arg("--test")
            .args(arguments)
            .current_dir(root().join("pipeline/web"))
            .env_remove("USHER_URL")
            .status()
            .expect("node starts; `make test-packages` installs it");
        assert!(status.success(), "{arguments:?}: node's report is above");
    }
}

#[test]
fn the_document_of_the_api_is_fresh() {
    let path = root().join("docs/api/openapi.json");
    let made = serde_json::to_string_pretty(&usher::web::enrol::openapi::document()).unwrap() + "\n";
    if std::env::var_os("BLESS").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, &made).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        found == made,
        "docs/api/openapi.json is stale: run `BLESS=1 cargo test --release -p usher --test station`"
    );
    assert!(made.contains("\"openapi\": \"3.1.0\"") && made.contains("/api/pass/forget"));
}

#[test]
fn staff_have_tokens_of_their_own_that_are_kept_as_hashes() {
    let gate = station(free().unwrap());
    let usher = |arguments: &[&str]| gate.usher().args(arguments).output().unwrap();
    let added = usher(&["staff", "add", "desk-1"]);
    let token = String::from_utf8(added.stdout).unwrap().trim().to_owned();
    assert_eq!(token.len(), 32);
    assert_eq!(String::from_utf8(usher(&["staff", "list"]).stdout).unwrap().trim(), "desk-1");
    assert!(!fs::read_to_string(gate.data().join("staff.json")).unwrap().contains(&token));
    assert!(usher(&["staff", "remove", "desk-1"]).status.success());
    let again = usher(&["staff", "remove", "desk-1"]);
    assert!(String::from_utf8_lossy(&again.stderr).contains("`usher staff list` shows who has"));
}
