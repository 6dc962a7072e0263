//! The service: READY=1 when it can greet, WATCHDOG=1 while every stage goes round, an orderly stop, a tight unit.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test waits by the machine's own clock, and says no more by another word than unwrap"
)]

#[path = "support/gate.rs"]
mod gate;

use gate::{Box, free, root};
use std::{
    fs,
    net::TcpListener,
    os::unix::net::UnixDatagram,
    process::{Command, Stdio},
    time::Duration,
};

/// A camera that is never there: refused at once.
fn absent_camera() -> String {
    format!("rtsp://{}/stream", free().unwrap())
}

#[test]
fn a_gate_without_its_camera_is_ready_degraded_and_keeps_the_watchdog_fed() {
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &absent_camera()).unwrap();
    let path = gate.folder.path().join("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut usher = gate.usher();
    let mut child = usher.arg("run").env("NOTIFY_SOCKET", &path).stdout(Stdio::null()).spawn().unwrap();
    let mut told = Vec::new();
    while !(told.contains(&"READY=1".to_owned()) && told.iter().filter(|said| *said == "WATCHDOG=1").count() >= 3) {
        let mut datagram = [0; 512];
        let length = socket.recv(&mut datagram).expect("usher tells systemd within a minute");
        told.extend(String::from_utf8_lossy(&datagram[..length]).lines().map(str::to_owned));
    }
    assert_eq!(told[0], "READY=1", "nothing is said before it is ready: {told:?}");
    let ready = gate.get("/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains("cam"), "the camera that is away is listed: {ready}");

    assert!(Command::new("kill").arg(child.id().to_string()).status().unwrap().success());
    assert!(child.wait().unwrap().success(), "SIGTERM is an orderly stop");
}

#[test]
fn a_port_that_is_taken_is_named_with_its_key_and_ends_with_78() {
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &absent_camera()).unwrap();
    let _taken = TcpListener::bind(gate.pages).unwrap();
    let output = gate.usher().arg("run").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("web.listen") && said.contains(&gate.pages.to_string()), "{said}");
}

#[test]
fn missing_weights_are_named_with_the_mend_and_end_with_78() {
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), &absent_camera()).unwrap();
    fs::remove_file(gate.data().join("models")).unwrap();
    let output = gate.usher().arg("run").output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(78), "{said}");
    assert!(said.contains("usher models install"), "{said}");
}

/// Whatever the groups of this systemd hold: without these, decoders of strangers' pictures have no filter, or no limits.
#[test]
fn the_unit_lets_decoders_confine_themselves() {
    let unit = fs::read_to_string(root().join("systemd/usher.service")).unwrap();
    let filters: Vec<&str> = unit.lines().filter_map(|line| line.strip_prefix("SystemCallFilter=")).collect();
    let taken_away = filters.iter().rposition(|filter| filter.starts_with('~')).unwrap();
    let given: Vec<&str> = filters[taken_away + 1..].iter().flat_map(|filter| filter.split(' ')).collect();
    for call in ["seccomp", "prlimit64", "setrlimit"] {
        assert!(given.contains(&call), "{call} is not given back: {filters:?}");
    }
}

#[test]
fn the_unit_is_exposed_by_no_more_than_1_5() {
    let unit = root().join("systemd/usher.service");
    let output = Command::new("systemd-analyze")
        .args(["security", "--offline=true", "--threshold=15", "--no-pager"])
        .arg(unit)
        .output();
    let output = output.expect("systemd-analyze is there; `make test` installs Debian's package `systemd`");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}
