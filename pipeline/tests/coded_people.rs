//! People who carry a code walk up to a real camera behind a wire, and both fail: whatever is decided is checked against the code.
//!
//! `USHER_FAULTS` sets how many faults are played (`make soak-faults`: 60); the figures are printed as one line of JSON.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test of whole processes; the camera's process speaks by its output"
)]

#[path = "support/camera_process.rs"]
#[allow(dead_code, reason = "one camera of many")]
mod camera_process;
#[path = "support/coded.rs"]
mod coded;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;
#[path = "support/proxy.rs"]
#[allow(dead_code, reason = "one wire of many")]
mod proxy;

use camera_process::{CameraProcess, be_a_camera};
use coded::{FPS, Truth, film, write_coded_crowd};
use gate::{Box, pictures, root};
use listener::Listener;
use proxy::{Manner, Proxy};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    time::{Duration, Instant},
};
use usher::cli::crowd::png_of;
use usher_config::crowd::{Crowd, Person};

/// Generous: a gate that shares its processors with a dozen others is slow to see anybody.
const PATIENCE: Duration = Duration::from_secs(120);
/// Who never asked to be known.
const STRANGER: &str = "walter";

/// Not a test of its own: the camera of the other.
#[test]
#[ignore = "the camera of the other test, in a process of its own"]
fn a_camera_in_a_process_of_its_own() {
    be_a_camera();
}

fn people() -> Vec<Person> {
    let mut people = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap().people;
    people.retain(|person| ["oscar", "ada", "dalia", STRANGER].contains(&person.who.as_str()));
    people
}

/// What goes wrong between the people and the gate.
#[derive(Clone, Copy, Debug)]
enum Fault {
    Frozen,
    Killed,
    Wire(Manner),
}

fn faults(chance: &mut StdRng, asked: Option<usize>) -> Vec<Fault> {
    let well = Manner::default();
    let all = [
        Fault::Frozen,
        Fault::Wire(Manner { corrupts: 0.3, ..well }),
        Fault::Killed,
        Fault::Wire(Manner { stalls: true, ..well }),
        Fault::Wire(Manner { delay: Duration::from_millis(700), ..well }),
        Fault::Wire(Manner { rate: 30_000, ..well }),
        Fault::Wire(Manner { half_closes: true, ..well }),
        Fault::Wire(Manner { cuts: true, ..well }),
    ];
    match asked {
        Some(faults) => (0..faults).map(|_| all[chance.random_range(0..all.len())]).collect(),
        None => all[..3].to_vec(),
    }
}

#[test]
fn whoever_is_named_carries_that_name_in_the_picture_whatever_fails_on_the_way() {
    let asked = std::env::var("USHER_FAULTS").ok().map(|faults| faults.parse::<usize>().expect("a number"));
    let seed = asked.unwrap_or(1) as u64;
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let folder = tempfile::tempdir().unwrap();
    let people = people();
    let crowd = write_coded_crowd(folder.path(), &people);
    let frames = film(&crowd, folder.path());
    let launch = format!(
        "( multifilesrc location={}/%05d.jpg start-index=0 stop-index={} loop=true caps=\"image/jpeg,framerate={FPS}/1\" ! jpegdec \
         ! videoconvert ! capsfilter name=size caps=\"video/x-raw,format=I420\" ! identity name=shift sync=true \
         ! x264enc name=code tune=zerolatency speed-preset=superfast key-int-max={FPS} bitrate=6000 ! valve name=hush \
         ! rtph264pay name=pay0 pt=96 config-interval=-1 )",
        folder.path().display(),
        frames - 1
    );
    let mut camera = CameraProcess::launched(None, &launch);
    let proxy = Proxy::to(([127, 0, 0, 1], camera.port()).into(), seed);
    let url = format!("rtsp://127.0.0.1:{}/main", proxy.port());
    let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras: {{ cam: {{ url: \"{url}\" }} }}\n\
             gates: {{ gate: {{ cameras: [cam], quiet: 1 s, mode: identification, responsible: the test }} }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\nweb: {{ listen: \"{pages}\" }}\n"
        )
    })
    .unwrap();
    let mut known = BTreeMap::new();
    for person in people.iter().filter(|person| person.who != STRANGER) {
        let picture = gate.folder.path().join("given.png");
        // The same picture without a code: nobody is known by it.
        fs::write(&picture, png_of(&pictures().unwrap(), &person.looks[0]).unwrap()).unwrap();
        let arguments = ["enrol", "--agreed", "--json", "--name", &person.who, "--sport", "Judo"];
        let enrolled = gate.usher().args(arguments).arg(&picture).output().unwrap();
        let told: Value = serde_json::from_slice(&enrolled.stdout).unwrap_or_else(|_| panic!("{enrolled:?}"));
        known.insert(told["id"].as_str().unwrap().to_owned(), person.who.clone());
    }
    let (running, _) = gate.start_logging(&folder.path().join("usher.log")).unwrap();
    let log = || fs::read_to_string(folder.path().join("usher.log")).unwrap();
    let mut listener = Listener::of_everything(&gate);
    let mut truth = Truth::of(&people);
    let mut sees_again = |what: &str| {
        truth.hear(listener.heard(), &known);
        let (begun, before) = (Instant::now(), truth.read().len());
        while truth.read().len() == before {
            assert!(begun.elapsed() < PATIENCE, "nobody is known after this: {what}; {truth:?}; {}", log());
            std::thread::sleep(Duration::from_millis(100));
            truth.hear(listener.heard(), &known);
        }
        assert!(truth.wrong().is_empty(), "{what}: {truth:?}");
        begun.elapsed()
    };
    sees_again("the start");

    let faults = faults(&mut chance, asked);
    let mut slowest = Duration::ZERO;
    for fault in &faults {
        let lasts = Duration::from_millis(chance.random_range(500..4000));
        match *fault {
            Fault::Frozen => {
                camera.freeze();
                std::thread::sleep(lasts);
                camera.thaw();
            }
            Fault::Killed => {
                let port = camera.port();
                drop(camera);
                std::thread::sleep(lasts);
                camera = CameraProcess::launched(Some(port), &launch);
            }
            Fault::Wire(manner) => {
                proxy.is(manner);
                std::thread::sleep(lasts);
                proxy.is(Manner::default());
            }
        }
        let took = sees_again(&format!("{fault:?} for {lasts:?}"));
        println!("{fault:?} for {lasts:?}: somebody is known again after {took:?}");
        slowest = slowest.max(took);
    }
    // Each of those who enrolled is known, once all is well.
    let begun = Instant::now();
    while truth.right().len() < known.len() {
        assert!(begun.elapsed() < PATIENCE, "somebody is never known: {truth:?}; {}", log());
        std::thread::sleep(Duration::from_millis(100));
        truth.hear(listener.heard(), &known);
    }
    // What was decided last may still be on its way.
    drop(camera);
    let begun = Instant::now();
    let decided = || gate.metric("usher_visits_acknowledged_total").unwrap() as usize;
    while truth.decided() < decided() || gate.metric("usher_outbox_depth").unwrap() > 0.0 {
        assert!(begun.elapsed() < PATIENCE, "{}", log());
        std::thread::sleep(Duration::from_millis(100));
        truth.hear(listener.heard(), &known);
    }
    drop(running);
    let (read, right, wrong) = (truth.read().len(), truth.right(), truth.wrong());
    println!(
        "{}",
        serde_json::json!({
            "soak": "coded", "faults": faults.len(), "decided": truth.decided(), "shown": truth.shown(), "read": read,
            "right": right.values().sum::<usize>(), "wrong": wrong.len(), "known_again_s_most": slowest.as_secs_f64(),
        })
    );
    assert!(wrong.is_empty(), "{wrong:?}");
    // Had the gate taken them for each other, this would have told.
    let mut others: Vec<&String> = known.values().collect();
    others.rotate_left(1);
    let exchanged = known.keys().cloned().zip(others.into_iter().cloned()).collect();
    let mut exchanged_truth = Truth::of(&people);
    exchanged_truth.hear(listener.heard(), &exchanged);
    assert_eq!((exchanged_truth.wrong().len(), exchanged_truth.right().len()), (read, 0));
    // Of a frame that the wire spoilt the code may be spoilt too.
    assert!(read * 10 >= truth.decided() * 7, "codes are read: {read} of {}; {truth:?}", truth.decided());
}
