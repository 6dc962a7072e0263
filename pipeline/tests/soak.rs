//! Days of a gate in hours: a camera of a thousand small frames a second, another that is cut and comes back again and again.
//!
//! `USHER_FRAMES` and `USHER_RECONNECTS` say how many (`make soak`: 7,800,000, three days of thirty a second, and 10,000);
//! what came of memory and descriptors is printed as one line of JSON.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests wait for real cameras with a deadline; the camera's process speaks by its output"
)]

#[expect(dead_code, reason = "one kind of camera is enough here")]
#[path = "support/camera_process.rs"]
mod camera_process;
#[path = "support/gate.rs"]
mod gate;
#[expect(dead_code, reason = "one kind of camera is enough here")]
#[path = "support/rtsp.rs"]
mod rtsp;
#[path = "support/slope.rs"]
mod slope;

use camera_process::{CameraProcess, Kind, Stream, be_a_camera};
use gate::{Box, Running};
use rtsp::RtspCamera;
use slope::slope;
use std::{
    fs,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

/// Frames, whatever became of them.
const FRAMES: [&str; 4] = [
    "usher_frames_analysed_total",
    "usher_frames_unchanged_total",
    "usher_frames_beyond_rate_total",
    "usher_frames_passed_over_total",
];
/// Longest time in which a camera that was cut must be seen again: a guard, not what is promised.
const PATIENCE: Duration = Duration::from_secs(60);

fn asked(variable: &str, short: u64) -> u64 {
    std::env::var(variable).map_or(short, |number| number.parse().expect("a number"))
}

/// Not a test of its own: the camera that the other starts.
#[test]
#[ignore = "the camera of the other test, in a process of its own"]
fn a_camera_in_a_process_of_its_own() {
    be_a_camera();
}

/// Frames of a camera so far.
fn frames(gate: &Box, camera: &str) -> u64 {
    FRAMES.iter().map(|name| gate.metric_by_camera(name).unwrap().get(camera).copied().unwrap_or(0.0) as u64).sum()
}

fn descriptors(running: &Running) -> usize {
    fs::read_dir(format!("/proc/{}/fd", running.0.id())).unwrap().count()
}

/// Descriptors and threads with both cameras live: the least of a few looks, since requests of this test come and go.
fn held(gate: &Box, running: &Running) -> (usize, usize) {
    let looks = (0..20).map(|_| {
        std::thread::sleep(Duration::from_millis(100));
        let threads = fs::read_dir(format!("/proc/{}/task", running.0.id())).unwrap().count();
        (descriptors(running), threads)
    });
    assert!(gate.get("/readyz").is_ok());
    let (descriptors, threads): (Vec<usize>, Vec<usize>) = looks.unzip();
    (descriptors.into_iter().min().unwrap(), threads.into_iter().min().unwrap())
}

#[test]
fn a_gate_holds_no_more_after_days_of_frames_and_cuts_than_it_did_before() {
    let (most_frames, most_cuts) = (asked("USHER_FRAMES", 10_000), asked("USHER_RECONNECTS", 12));
    let steady = CameraProcess::start(None, &Stream { size: (64, 64), kind: Kind::H264Fast });
    let door = RtspCamera::start(None, None);
    let port = door.port();
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n  steady: {{ url: \"{}\" }}\n  door: {{ url: \"{}\" }}\n\
             gates:\n  gate: {{ cameras: [steady, door] }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n",
            steady.url(),
            door.url("main")
        )
    })
    .unwrap();
    let (running, _) = gate.start().unwrap();
    let wait = |what: &str, holds: &dyn Fn() -> bool| {
        let begun = Instant::now();
        while !holds() {
            assert!(begun.elapsed() < PATIENCE, "{what} takes more than a minute");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    let lost = |gate: &Box| gate.metric("usher_camera_lost_total").unwrap() as u64;
    let both_live = || frames(&gate, "steady") > 50 && frames(&gate, "door") > 5;
    wait("the first frame of both", &both_live);

    // A fifth of it is for what is made once: threads, buffers, caches.
    let (mut camera, mut cuts, mut samples) = (Some(door), 0, Vec::new());
    let (mut before, begun, is_over) = (None, Instant::now(), Arc::new(AtomicBool::new(false)));
    while !is_over.load(Ordering::Relaxed) {
        let seen = frames(&gate, "steady");
        is_over.store(seen >= most_frames && cuts >= most_cuts, Ordering::Relaxed);
        if before.is_none() && seen >= most_frames / 5 && cuts >= most_cuts / 5 {
            before = Some((held(&gate, &running), running.memory_mib().unwrap().0, Instant::now()));
        }
        if let Some((.., since)) = &before {
            samples.push((since.elapsed().as_secs_f64() / 3600.0, running.memory_mib().unwrap().0));
        }
        if cuts < most_cuts {
            let losses = lost(&gate);
            camera.take().unwrap().cut();
            wait("that it is noticed", &|| lost(&gate) > losses);
            // It is away until usher has seen that: whoever flaps is tried ever more rarely.
            wait("that it is away", &|| gate.get("/readyz").unwrap().contains("nothing answers"));
            let at = frames(&gate, "door");
            camera = Some(RtspCamera::start(Some(port), None));
            wait("that it is back", &|| frames(&gate, "door") > at);
            cuts += 1;
        } else {
            std::thread::sleep(Duration::from_secs(1));
        }
    }
    wait("that both are live", &|| gate.get("/readyz").unwrap().contains("\"degraded\":[]"));
    let ((descriptors, threads), mib, _) = before.unwrap();
    let (after, after_mib) = (held(&gate, &running), running.memory_mib().unwrap().0);
    let (slope, at_most) = slope(&samples);
    println!(
        "{{\"soak\":\"days\",\"frames\":{},\"reconnects\":{cuts},\"minutes\":{:.1},\"resident_mib\":[{mib:.1},{after_mib:.1}],\
         \"mib_an_hour\":{slope:.2},\"mib_an_hour_at_most\":{at_most:.2},\"descriptors\":[{descriptors},{}],\"threads\":[{threads},{}]}}",
        frames(&gate, "steady"),
        begun.elapsed().as_secs_f64() / 60.0,
        after.0,
        after.1
    );
    // The pools of GLib let threads go when they idle, and take one or two again.
    assert!(after.1 <= threads + 2, "{threads} threads, then {}", after.1);
    if begun.elapsed() > Duration::from_secs(30 * 60) {
        assert_eq!(after.0, descriptors, "descriptors are what they were");
        assert!(at_most < 1.0, "{at_most} MiB an hour at most");
    } else {
        // A minute after its start a gate still opens what it opens once, and a slope needs time: no descriptor for every other cut,
        // no more memory than pools that fill up.
        assert!(after.0 < descriptors + most_cuts as usize / 2, "{descriptors} descriptors, then {}", after.0);
        assert!(after_mib - mib < 48.0, "{mib} MiB, then {after_mib}");
    }
}
