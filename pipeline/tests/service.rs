//! The service: READY=1 when it can greet, WATCHDOG=1 while every stage goes round, an orderly stop, a tight unit.
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
#[path = "support/unit_filter.rs"]
mod unit_filter;

use crowd::write_crowd;
use gate::{Box, Running, free, pictures, root};
use listener::Listener;
use std::{
    fs,
    net::TcpListener,
    os::unix::{net::UnixDatagram, process::CommandExt as _},
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};
use usher::gallery::{confinement::Confined, decoder::Decoder};
use usher_config::crowd::Crowd;

/// A camera that is never there: refused at once.
fn absent_camera() -> String {
    format!("rtsp://{}/stream", free())
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
    let hear = |told: &mut Vec<String>| {
        let mut datagram = [0; 512];
        let length = socket.recv(&mut datagram).expect("usher tells systemd within a minute");
        told.extend(String::from_utf8_lossy(&datagram[..length]).lines().map(str::to_owned));
    };
    while !(told.contains(&"READY=1".to_owned()) && told.iter().filter(|said| *said == "WATCHDOG=1").count() >= 3) {
        hear(&mut told);
    }
    assert_eq!(told[0], "READY=1", "nothing is said before it is ready: {told:?}");
    let ready = gate.get("/readyz").unwrap();
    assert!(ready.starts_with("HTTP/1.1 200"), "{ready}");
    assert!(ready.contains("cam"), "the camera that is away is listed: {ready}");

    // As `systemctl reload` does: it says when it begins, by the clock that systemd asks for, and when it is done.
    assert!(Command::new("kill").args(["-HUP", &child.id().to_string()]).status().unwrap().success());
    let mut told = Vec::new();
    while !told.contains(&"READY=1".to_owned()) {
        hear(&mut told);
    }
    let at = told.iter().position(|said| said == "RELOADING=1").expect("it says that it begins");
    assert!(told[at + 1].starts_with("MONOTONIC_USEC="), "{told:?}");

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

/// What the child below runs under the unit's filter.
const CONFIG: &str = "USHER_TEST_FILTERED_CONFIG";

/// Becomes the service, under its own filter; first what its enrolment desk does with a visitor's picture.
#[test]
#[ignore = "run by the_service_does_all_of_its_work_under_its_own_filter, in a process that is filtered for good"]
fn a_filtered_service() {
    let config = std::env::var_os(CONFIG).expect("the test that runs this says which configuration");
    let usher = Path::new(env!("CARGO_BIN_EXE_usher"));
    let picture = fs::read(pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    unit_filter::confine_as_the_unit();
    let mut decoder = Decoder::new(usher);
    assert!(decoder.decode(&picture).unwrap().size().width > 100);
    assert_eq!(decoder.confined().unwrap(), Confined::Filtered, "the decoder sets a filter within the filter");
    drop(decoder);
    let failed = Command::new(usher).arg("--config").arg(config).arg("run").exec();
    panic!("usher could not be started: {failed}");
}

#[test]
fn the_service_does_all_of_its_work_under_its_own_filter() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = folder.path().join("crowd.yaml");
    let mut people = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap().people;
    people.retain(|person| person.who == "oscar");
    write_crowd(&crowd, 5, 1, &people).unwrap();
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\n\
             cameras:\n  cam: {{ url: \"stills:{}\" }}\n  away: {{ url: \"{}\" }}\n\
             gates:\n  gate: {{ cameras: [cam, away], quiet: 5 s, mode: identification, responsible: the test, lanes: 2 }}\n\
             gallery: {{ notice: {{ controller: The Test Venue, contact: privacy@test.example }} }}\n\
             guide: {{ programme: programme.yaml, places: places.geojson }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", enrol: {{ listen: \"{}\" }} }}\n",
            crowd.display(),
            absent_camera(),
            free()
        )
    })
    .unwrap();
    gate.enrol("Ada", "Judo", &pictures().unwrap().join("face-recognition/obama.jpg")).unwrap();
    let mut service = Command::new(std::env::current_exe().unwrap());
    service.args(["a_filtered_service", "--exact", "--ignored", "--nocapture"]).env(CONFIG, &gate.config);
    let mut running = Running(service.spawn().unwrap());
    let begun = Instant::now();
    while !gate.get("/readyz").is_ok_and(|answer| answer.starts_with("HTTP/1.1 200")) {
        assert_eq!(running.0.try_wait().unwrap(), None, "it ended: the filter took away what it needs");
        assert!(begun.elapsed() < Duration::from_secs(90), "it is never ready");
        std::thread::sleep(Duration::from_millis(50));
    }
    let mut everything = Listener::of_everything(&gate);
    everything.wait_for("usher/v1/test/gate/gate/visit", Duration::from_secs(90));
    everything.wait_for("usher/v1/test/gate/gate/greeting", Duration::from_secs(10));
    everything.wait_for("usher/v1/test/gate/gate/flow", Duration::from_secs(30));
    assert!(gate.get("/").unwrap().starts_with("HTTP/1.1 200"));
    assert!(gate.get("/metrics").unwrap().contains("usher_stage_seconds_sum"));
    drop(everything);
    let filtered = fs::read_to_string(format!("/proc/{}/status", running.0.id())).unwrap();
    assert!(filtered.lines().any(|line| line == "Seccomp:\t2"), "{filtered}");
    assert!(Command::new("kill").arg(running.0.id().to_string()).status().unwrap().success());
    let ended = running.0.wait().unwrap();
    assert!(ended.success(), "it stops in order: {ended}");
}
