//! A camera's password: it opens the camera, and is found nowhere else, at whatever level anything is logged.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test waits by the machine's own clock, and says no more by another word than unwrap"
)]

#[path = "support/gate.rs"]
mod gate;
#[path = "support/rtsp.rs"]
#[allow(dead_code, reason = "this camera is neither cut nor silenced")]
mod rtsp;

use gate::{Box, Running};
use rtsp::RtspCamera;
use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

const USER: &str = "gate";
const RIGHT: &str = "canary/7:yellow wing";
const WRONG: &str = "canary/8:yellow beak";

/// Everything that GStreamer can say of what travels, and more than usual of all else.
const GST_DEBUG: &str = "*:6,rtsp*:9,tcp*:9,udp*:9,socket*:9,uri*:9,GST_PROPERTIES:9,GST_EVENT:9,default:9";

/// A gate whose camera wants a password, and is told `password`.
fn gate(camera: &str, password: &str) -> Box {
    let written = password.to_owned();
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n  cam: {{ url: \"{camera}\", login: {{ user: {USER}, password_file: secret }} }}\n\
             gates:\n  gate: {{ cameras: [cam] }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n"
        )
    });
    let gate = gate.unwrap();
    let file = gate.folder.path().join("secret");
    fs::write(&file, written + "\n").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    gate
}

/// A command of this gate that says all it can.
fn loudly(gate: &Box, words: &[&str]) -> Command {
    let mut command = gate.usher();
    command.args(words).env("RUST_LOG", "trace").env("GST_DEBUG", GST_DEBUG).env("GST_DEBUG_NO_COLOR", "1");
    command
}

/// The forms in which a password might be told.
fn forms(password: &str) -> Vec<Vec<u8>> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    let escaped: String = password
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    let basic = STANDARD.encode(format!("{USER}:{password}"));
    // Half of it is too much as well, so what is split over lines is found.
    let half = password.split_at(password.len() - 6).1.to_owned();
    let hexadecimal: Vec<String> = password.bytes().map(|byte| format!("{byte:02x}")).collect();
    [password.to_owned(), escaped, basic, half, hexadecimal.join(""), hexadecimal.join(" ")]
        .map(String::into_bytes)
        .into()
}

fn holds(said: &[u8], form: &[u8]) -> bool {
    said.windows(form.len()).any(|window| window == form)
}

fn keeps_quiet(what: &str, said: &[u8]) {
    for password in [RIGHT, WRONG] {
        for form in forms(password) {
            assert!(!holds(said, &form), "{what} tells the password as {}", String::from_utf8_lossy(&form));
        }
    }
}

/// Runs the gate until its log says `word`, then asks it everything.
fn heard(gate: &Box, word: &str) -> Vec<u8> {
    let path = gate.folder.path().join("log");
    let log = fs::File::create(&path).unwrap();
    let running =
        Running(loudly(gate, &["run"]).stdout(log.try_clone().unwrap()).stderr(Stdio::from(log)).spawn().unwrap());
    let begun = Instant::now();
    while !fs::read(&path).is_ok_and(|said| holds(&said, word.as_bytes())) {
        assert!(begun.elapsed() < Duration::from_secs(120), "it never said `{word}`");
        std::thread::sleep(Duration::from_millis(200));
    }
    for page in ["/metrics", "/readyz", "/healthz", "/api/state", "/api/signage", "/operator", "/signage"] {
        keeps_quiet(page, gate.get(page).unwrap().as_bytes());
    }
    let doctor = loudly(gate, &["doctor", "--json", "--timeout", "2"]).output().unwrap();
    keeps_quiet("doctor", &[doctor.stdout, doctor.stderr].concat());
    drop(running);
    fs::read(&path).unwrap()
}

#[test]
fn the_right_password_opens_the_camera_and_no_log_line_page_or_report_tells_it() {
    let camera = RtspCamera::start(None, Some((USER, RIGHT)));
    let gate = gate(&camera.url("main"), RIGHT);
    let said = heard(&gate, "camera live");
    println!("{} bytes of log", said.len());
    // What would tell it was logged: the elements' own words, and the request that carries it.
    assert!(holds(&said, b"rtspsrc") && holds(&said, b"rtspconnection"), "GStreamer's log is on");
    keeps_quiet("the log", &said);

    // Every report there is, on a box that does not run.
    for words in [
        &["check", "--probe", "--json"][..],
        &["check", "--probe"],
        &["doctor", "--json"],
        &["doctor"],
        &["coach", "cam", "--duration", "2"],
        &["dpia", "--json"],
    ] {
        let done = loudly(&gate, words).output().unwrap();
        assert!(!done.stdout.is_empty() || !done.stderr.is_empty(), "{words:?}");
        keeps_quiet(&words.join(" "), &[done.stdout, done.stderr].concat());
    }
    nothing_on_disk(&gate);
}

#[test]
fn a_wrong_password_is_said_to_be_wrong_and_is_not_told_either() {
    let camera = RtspCamera::start(None, Some((USER, RIGHT)));
    let gate = gate(&camera.url("main"), WRONG);
    let said = heard(&gate, "refuses the login");
    keeps_quiet("the log", &said);
    let done = loudly(&gate, &["check", "--probe", "--json"]).output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    keeps_quiet("check", &[done.stdout, done.stderr].concat());
    nothing_on_disk(&gate);
}

#[test]
fn a_password_inside_the_url_is_refused_with_the_mend_and_not_repeated() {
    let gate = gate(&format!("rtsp://{USER}:{WRONG}@127.0.0.1/main").replace(' ', "%20"), RIGHT);
    let done = loudly(&gate, &["run"]).output().unwrap();
    assert_eq!(done.status.code(), Some(78));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("login: { user: …, password_file: … }"), "{said}");
    assert!(!said.contains("beak"), "{said}");
    keeps_quiet("what it says", &[done.stdout, done.stderr].concat());
}

/// No file but the one that was given to it, links aside.
fn nothing_on_disk(gate: &Box) {
    fn look(folder: &Path) {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                look(&entry.path());
            } else if kind.is_file() && entry.file_name() != "secret" {
                keeps_quiet(&entry.path().display().to_string(), &fs::read(entry.path()).unwrap());
            }
        }
    }
    look(gate.folder.path());
}
