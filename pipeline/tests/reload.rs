//! A gate whose configuration is changed while it runs: by editors, by renaming, by SIGHUP, well and badly.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test of whole processes waits by the machine's clock"
)]

#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;
#[path = "support/looks.rs"]
mod looks;
#[path = "support/rtsp.rs"]
#[allow(dead_code, reason = "each user of this file needs a part of it")]
mod rtsp;

use gate::{Box, Running};
use listener::Listener;
use looks::{Crowd, camera, gallery, law, names, probe, rules, who};
use rtsp::RtspCamera;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};
use usher::{capture::frame::Camera, identify::tracks::Tracks};

/// On a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(90);

/// The configuration: what differs between the tests' texts is what stands in `cameras`, `gates` and `more`.
struct Text {
    addresses: [SocketAddr; 3],
}

impl Text {
    fn of(&self, cameras: &[(&str, String)], gates: &str, more: &str) -> String {
        let [pages, mqtt, websocket] = self.addresses;
        let cameras: String = cameras.iter().map(|(name, rest)| format!("  {name}: {{ {rest} }}\n")).collect();
        format!(
            "site: test\ndata: data\ncameras:\n{cameras}gates:\n{gates}\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n{more}"
        )
    }
}

/// Looks until `is_so`, and says what was there last where it never is.
fn wait<T: std::fmt::Debug>(what: &str, mut look: impl FnMut() -> T, is_so: impl Fn(&T) -> bool) -> T {
    let begun = Instant::now();
    loop {
        let seen = look();
        if is_so(&seen) {
            return seen;
        }
        assert!(begun.elapsed() < PATIENCE, "{what}: {seen:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

struct Gate {
    gate: Box,
    running: Running,
}

impl Gate {
    fn body(&self, path: &str) -> Value {
        let answer = self.gate.get(path).unwrap();
        serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap()
    }

    /// Every camera with its state.
    fn cameras(&self) -> BTreeMap<String, String> {
        let state = self.body("/api/state");
        let word = |camera: &Value, key: &str| camera[key].as_str().unwrap().to_owned();
        state["cameras"].as_array().unwrap().iter().map(|one| (word(one, "name"), word(one, "state"))).collect()
    }

    fn wait_until_live(&self, cameras: &[&str]) {
        let wanted: BTreeMap<String, String> =
            cameras.iter().map(|name| ((*name).to_owned(), "live".to_owned())).collect();
        wait("cameras are live", || self.cameras(), |seen| *seen == wanted);
    }

    /// What `/readyz` says of the configuration.
    fn told(&self) -> Vec<String> {
        let ready = self.body("/readyz");
        let all = ready["degraded"].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned());
        all.filter(|one| one.starts_with("configuration: ")).collect()
    }

    /// Reloads so far, by result.
    fn reloads(&self, result: &str) -> u32 {
        let (page, of) =
            (self.gate.get("/metrics").unwrap(), format!("usher_config_reloads_total{{result=\"{result}\"}} "));
        page.lines().find_map(|line| line.strip_prefix(&of)?.parse().ok()).unwrap_or(0)
    }

    fn wait_for_reloads(&self, result: &str, count: u32) {
        wait(result, || self.reloads(result), |seen| *seen >= count);
        assert_eq!(self.reloads(result), count, "{result}");
    }

    fn hang_up(&self) {
        kill_process(Pid::from_child(&self.running.0), Signal::HUP).unwrap();
    }

    /// The ids of the threads of this name.
    fn threads(&self, name: &str) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.running.0.id())).unwrap();
        let named =
            |task: &std::path::PathBuf| fs::read_to_string(task.join("comm")).is_ok_and(|comm| comm.trim() == name);
        let tasks = tasks.map(|task| task.unwrap().path()).filter(named);
        tasks.map(|task| task.file_name().unwrap().to_string_lossy().into_owned()).collect()
    }

    /// Frames of a camera that were looked at in any way.
    fn frames(&self, camera: &str) -> f64 {
        let kinds = ["usher_frames_analysed_total", "usher_frames_unchanged_total", "usher_frames_beyond_rate_total"];
        kinds.iter().map(|kind| self.gate.metric_by_camera(kind).unwrap().get(camera).copied().unwrap_or(0.0)).sum()
    }
}

/// Topics of which the broker keeps what was said last: whoever subscribes now is told it.
fn kept_by_the_broker(gate: &Box) -> Vec<String> {
    let mut listener = Listener::of_everything(gate);
    // Retained messages come at once, and in no order that is promised.
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_secs(1) {
        std::thread::sleep(Duration::from_millis(50));
        listener.heard();
    }
    listener.heard().iter().map(|(topic, _)| topic.clone()).collect()
}

const ZONE: &str = "zone: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]";

#[test]
fn a_running_gate_takes_up_what_changes_and_an_untouched_camera_notices_nothing() {
    let [kept, other, third] = [(); 3].map(|()| RtspCamera::start(None, None));
    let url = |camera: &RtspCamera| format!("url: \"{}\"", camera.url("main"));
    let mut addresses = None;
    let [first_kept, first_other] = [url(&kept), url(&other)];
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |free| {
        addresses = Some(free);
        Text { addresses: free }.of(
            &[("kept", first_kept), ("other", first_other)],
            "  gate: { cameras: [kept, other] }\n",
            "",
        )
    });
    let (gate, text) = (gate.unwrap(), Text { addresses: addresses.unwrap() });
    let (running, _) = gate.start_logging(&gate.folder.path().join("log")).unwrap();
    let (config, log) = (gate.config.clone(), gate.folder.path().join("log"));
    let usher = Gate { gate, running };
    usher.wait_until_live(&["kept", "other"]);
    let (thread, frames) = (usher.threads("cam-kept"), usher.frames("kept"));
    assert_eq!((thread.len(), kept.connections(), other.connections()), (1, 1, 1));

    // Another zone and another line, written in place by an editor that cuts the file short first: no connection breaks.
    let zoned = format!("{}, {ZONE}, count: {{ line: [[0, 0.5], [1, 0.5]] }}", url(&other));
    let both = "  gate: { cameras: [kept, other], quiet: 1 min }\n";
    fs::write(&config, "").unwrap();
    fs::write(&config, text.of(&[("kept", url(&kept)), ("other", zoned)], both, "")).unwrap();
    usher.wait_for_reloads("applied", 1);
    assert_eq!((kept.connections(), other.connections()), (1, 1), "a zone is told and breaks no connection");

    // One camera and its gate go, another camera and gate come, renamed into place: what was told of those that are gone is told no more.
    let gates = "  gate: { cameras: [kept], quiet: 1 min }\n  second: { cameras: [third] }\n";
    let tells = |what: &str| kept_by_the_broker(&usher.gate).iter().any(|topic| topic.contains(what));
    assert!(tells("/camera/other/") && tells("/camera/kept/") && tells("/gate/gate/"), "all of them are told of");
    let next = config.with_extension("new");
    fs::write(&next, text.of(&[("kept", url(&kept)), ("third", url(&third))], gates, "")).unwrap();
    fs::rename(&next, &config).unwrap();
    usher.wait_for_reloads("applied", 2);
    usher.wait_until_live(&["kept", "third"]);
    assert!(usher.threads("cam-other").is_empty() && usher.threads("cam-third").len() == 1);
    let metrics = usher.gate.get("/metrics").unwrap();
    assert!(metrics.contains("camera=\"kept\"") && !metrics.contains("camera=\"other\""), "{metrics}");
    assert_eq!(usher.body("/api/state")["gates"], serde_json::json!(["gate", "second"]));
    wait("the broker keeps nothing of the camera that is gone", || tells("/camera/other/"), |told| !told);
    assert!(tells("/camera/kept/") && tells("/camera/third/") && tells("/gate/second/"), "and all of the others");
    wait("frames of the new camera", || usher.frames("third"), |seen| *seen > 0.0);

    // A broken file: the old configuration stays, and the error is told with its line until the file is well again.
    let gates = "  gate: { cameras: [kept], quite: 1 min }\n  second: { cameras: [third] }\n";
    let broken = text.of(&[("kept", url(&kept)), ("third", url(&third))], gates, "");
    let line = broken.lines().position(|line| line.contains("quite")).unwrap() + 1;
    fs::write(&config, &broken).unwrap();
    usher.wait_for_reloads("refused", 1);
    let told = usher.told();
    assert!(told.len() == 1 && told[0].contains(&format!("gate.yaml:{line}:")), "{told:?}");
    assert!(told[0].contains("did you mean `quiet`?") && told[0].contains("stays in force"), "{told:?}");
    usher.hang_up();
    usher.wait_for_reloads("refused", 2);
    usher.wait_until_live(&["kept", "third"]);

    // Mended, and asked to look at once; what waits for a restart is named with its line. Somebody answers for the gate from now on.
    let gates = "  gate: { cameras: [kept], quiet: 2 min, mode: identification, responsible: the test }\n  second: { cameras: [third] }\n";
    let mended =
        text.of(&[("kept", url(&kept)), ("third", url(&third))], gates, "infer:\n  analysed_fps: 10\n  workers: 2\n");
    let line = mended.lines().position(|line| line.contains("workers")).unwrap() + 1;
    fs::write(&config, &mended).unwrap();
    usher.hang_up();
    usher.wait_for_reloads("applied", 3);
    let told = usher.told();
    assert!(
        told.contains(&format!("configuration: waits for a restart: infer.workers (gate.yaml:{line})")),
        "{told:?}"
    );
    assert!(!told.iter().any(|one| one.contains("stays in force")), "{told:?}");
    let audit = fs::read_dir(usher.gate.data()).unwrap().map(|entry| entry.unwrap().path());
    let written = |path: &std::path::PathBuf| {
        path.is_file() && String::from_utf8_lossy(&fs::read(path).unwrap()).contains("the test")
    };
    assert!(audit.filter(written).count() >= 1, "who answers for the gate is written down");
    usher.hang_up();
    usher.wait_for_reloads("unchanged", 1);

    // All the while the untouched camera kept its thread and its connection, and its frames went on.
    assert_eq!((usher.threads("cam-kept"), kept.connections()), (thread, 1));
    wait("frames go on", || usher.frames("kept"), |seen| *seen > frames + 15.0);
    let metrics = usher.gate.get("/metrics").unwrap();
    assert!(!metrics.contains("usher_camera_lost_total{camera=\"kept\""), "{metrics}");
    let said = fs::read_to_string(&log).unwrap();
    assert_eq!(said.matches("the configuration cannot be taken up").count(), 1, "said once: {said}");
    assert_eq!(said.matches("these wait for a restart").count(), 1, "said once: {said}");
}

#[test]
fn looks_of_before_name_nobody_once_their_gate_may_know_them_no_more() {
    let mut crowd = Crowd::new(7);
    let person = crowd.person();
    let (gallery, then) = (gallery(std::slice::from_ref(&person)), camera("cam"));
    let with = |change: &dyn Fn(&mut Camera)| {
        let mut now = Camera::clone(&then);
        change(&mut now);
        BTreeMap::from([(now.name.clone(), Arc::new(now))])
    };
    let other = camera("other").name.clone();
    for (what, now, is_named) in [
        ("nothing", with(&|_| {}), true),
        ("its zone", with(&|now| now.zone.corners = vec![[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]), true),
        ("its mode", with(&|now| now.identifies = false), false),
        ("its gate", with(&|now| now.gate = other.clone()), false),
        ("it was removed", BTreeMap::new(), false),
    ] {
        let mut tracks = Tracks::new(rules(), law());
        let mut look = |tracks: &mut Tracks, ms| tracks.look(probe(&then, 1, ms, crowd.look(&person, 0.95)), &gallery);
        // Two of the three looks that a name takes, then the change, then the third: by itself it names nobody.
        assert!([0, 130].iter().all(|ms| look(&mut tracks, *ms).is_none()));
        tracks.take_up(rules(), &now);
        let said: Vec<_> = look(&mut tracks, 260).into_iter().collect();
        assert_eq!(names(&said), if is_named { vec![who(0)] } else { vec![] }, "{what} changed");
    }
}
