//! A gate whose process is given no more memory, under a unit that starts it again.
//!
//! A process of Rust ends where memory ends; the libraries in C that decode cameras and keep files tell of an error instead.
//! Whatever comes of it: nothing that was acknowledged is lost, and once there is memory the gate greets, wholly.

use crate::{
    alone, asked,
    bench::{Bench, PATIENCE, visits},
    camera_process::{CameraProcess, Stream},
    listener::Listener,
    mosquitto::Mosquitto,
    tablet::Tablet,
    unit::{ENDLESS, Unit, at_most},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rustix::process::Resource;
use std::{
    collections::BTreeSet,
    fs,
    time::{Duration, Instant},
};

const MIB: u64 = 1 << 20;
/// The most that it may take until everything works and somebody was greeted, once there is memory: judged in the long form.
const HEALS: Duration = Duration::from_secs(30);
/// Cameras that come while memory is short.
const GUESTS: usize = 24;
/// How often somebody enrols while memory is short: no station takes many more.
const ENROLS: Duration = Duration::from_millis(800);

/// One shortage.
#[derive(Clone, Copy, Debug)]
struct Shortage {
    /// Of address space, or of what a process may write to.
    of: Resource,
    /// What it is given beyond what it holds, bytes.
    beyond: u64,
    /// Whether more cameras come meanwhile: their threads and pictures take memory that nothing has given back.
    more: bool,
    /// Whether whoever starts meanwhile has as little: this share of what it held.
    starts_with: Option<f64>,
    /// How long it lasts.
    lasts: Duration,
}

fn plan(faults: Option<u64>) -> Vec<Shortage> {
    let (short, long) = (Duration::from_secs(2), Duration::from_secs(4));
    let Some(faults) = faults else {
        return vec![
            Shortage { of: Resource::As, beyond: 0, more: false, starts_with: None, lasts: short },
            Shortage { of: Resource::Data, beyond: 0, more: true, starts_with: Some(0.2), lasts: long },
        ];
    };
    let mut chance = StdRng::seed_from_u64(faults);
    let mut shortage = || Shortage {
        of: if chance.random() { Resource::As } else { Resource::Data },
        beyond: chance.random_range(0..32) * MIB / 4,
        more: chance.random_bool(0.75),
        starts_with: chance.random_bool(0.5).then(|| chance.random_range(0.02..1.0)),
        lasts: Duration::from_millis(chance.random_range(1_000..9_000)),
    };
    (0..faults).map(|_| shortage()).collect()
}

/// Ids of visits of which a greeting was heard: a visit lies on disk before its greeting is said.
fn greeted(heard: &[(String, Vec<u8>)]) -> BTreeSet<String> {
    let greetings = heard.iter().filter(|(topic, _)| topic.ends_with("/greeting"));
    let told = greetings.map(|(_, body)| serde_json::from_slice::<serde_json::Value>(body).unwrap());
    told.map(|event| event["data"]["visit"].as_str().unwrap().to_owned()).collect()
}

/// Names of the threads that a process has.
fn threads(process: u32) -> BTreeSet<String> {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).into_iter().flatten().flatten();
    tasks.filter_map(|task| Some(fs::read_to_string(task.path().join("comm")).ok()?.trim().to_owned())).collect()
}

/// The threads that a gate is made of; libraries have some of their own, which come and go.
const STAGES: [&str; 18] = [
    "cam-cam",
    "cam-door",
    "infer-1",
    "identify",
    "decide",
    "publish",
    "outbox",
    "sink-mqtt",
    "passes",
    "count",
    "flow",
    "motion",
    "gallery",
    "keeper",
    "guide",
    "heat",
    "reload",
    "web",
];

/// The gate with everything around it, and what it has acknowledged.
struct Pressed<'a> {
    bench: &'a Bench,
    unit: Unit<'a>,
    listener: Listener,
    /// The station, as long as the process that opened it runs.
    tablet: Option<(u32, Tablet)>,
    /// Secrets of those whose enrolment was acknowledged.
    enrolled: Vec<String>,
}

impl Pressed<'_> {
    /// Somebody enrols; whether that was acknowledged.
    fn enrols(&mut self) -> bool {
        let Some((_, tablet)) = &self.tablet else { return false };
        // An answer that never comes, or says no, acknowledges nothing.
        let Ok((201, told)) = tablet.try_enrol("Nadia") else { return false };
        self.enrolled.push(told["pass"]["code"].as_str().unwrap().to_owned());
        true
    }

    /// As many questions at once as a gate is asked on a busy day: each takes memory.
    fn ask(&self) {
        for path in ["/metrics", "/operator", "/flow", "/signage"] {
            let _it_may_be_down = self.bench.gate.get(path);
        }
    }

    /// Frames that each camera has had looked at, or let go.
    fn frames(&self) -> Option<Vec<f64>> {
        let seen = |camera: &str| {
            let kinds = ["analysed", "unchanged", "beyond_rate"].map(|kind| format!("usher_frames_{kind}_total"));
            kinds.iter().filter_map(|kind| self.bench.gate.metric_by_camera(kind).ok()?.get(camera).copied()).sum()
        };
        self.bench.gate.get("/healthz").is_ok().then(|| ["cam", "door"].map(seen).to_vec())
    }

    /// Waits until everything works, and holds what was acknowledged against what is there.
    fn is_well_again(&mut self) -> Duration {
        let (bench, begun) = (self.bench, Instant::now());
        let before = greeted(self.listener.heard()).len();
        let mut first = None;
        bench.until("everything works again", PATIENCE, || {
            let Some(process) = self.unit.tend() else { return false };
            if !bench.ready().contains("\"degraded\":[]") {
                return false;
            }
            // Both cameras see, from a moment on at which nothing is wrong.
            let Some(frames) = self.frames() else { return false };
            let (then, seen) = first.get_or_insert((process, frames.clone()));
            if *then != process {
                first = None;
                return false;
            }
            frames.iter().zip(seen).all(|(now, then)| *now > *then) && greeted(self.listener.heard()).len() > before
        });
        let took = begun.elapsed();
        let process = self.unit.tend().expect("it runs");
        let running = threads(process);
        let missing: Vec<&str> = STAGES.into_iter().filter(|stage| !running.contains(*stage)).collect();
        assert!(missing.is_empty(), "half dead: {missing:?} of {running:?}");
        if self.tablet.as_ref().is_none_or(|(opened, _)| *opened != process) {
            self.tablet = Some((process, bench.tablet()));
        }
        bench.until("somebody can enrol", PATIENCE, || self.unit.tend().is_some() && self.enrols());
        let (_, tablet) = self.tablet.as_ref().expect("it is open");
        for secret in &self.enrolled {
            assert_eq!(tablet.shows(secret).0, 200, "an enrolment that was acknowledged is kept");
        }
        // Whoever was asked about is forgotten, so that the box does not fill up.
        for secret in self.enrolled.drain(..) {
            let (status, told) = tablet.forget(&secret);
            assert_eq!((status, told["receipt"].is_null()), (200, false), "{told}");
        }
        took
    }

    /// Has the gate take up its configuration with more cameras, or without them.
    fn more_cameras(&self, come: bool) {
        let names: Vec<String> = (0..GUESTS).map(|number| format!("guest-{number}")).collect();
        let cameras: String =
            names.iter().map(|name| format!("  {name}: {{ url: \"stills:crowd.yaml\" }}\n")).collect();
        let less = "gates: { gate: { cameras: [".to_owned();
        let more = format!("{cameras}{less}{}, ", names.join(", "));
        let (from, to) = if come { (&less, &more) } else { (&more, &less) };
        let config = &self.bench.gate.config;
        let text = fs::read_to_string(config).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(config, text.replacen(from, to, 1)).unwrap();
        self.unit.hang_up();
    }

    /// Plays one; whether the process ended of it, and how long it took until all was well.
    fn play(&mut self, shortage: Shortage) -> (bool, Duration) {
        let (ends, begun) = (self.unit.ends.len(), Instant::now());
        let field = if shortage.of == Resource::As { "VmSize" } else { "VmData" };
        let held = self.unit.holds(field).expect("it runs");
        self.unit.limit = shortage.starts_with.map(|share| (shortage.of, (held as f64 * share) as u64));
        assert!(self.unit.confine(shortage.of, at_most(held + shortage.beyond)));
        if shortage.more {
            self.more_cameras(true);
        }
        let mut due = Duration::ZERO;
        while begun.elapsed() < shortage.lasts {
            if self.unit.tend().is_some() && begun.elapsed() >= due {
                self.ask();
                self.enrols();
                due += ENROLS;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        if shortage.more {
            self.more_cameras(false);
        }
        self.unit.limit = None;
        let _if_it_runs = self.unit.confine(shortage.of, ENDLESS);
        (self.unit.ends.len() > ends, self.is_well_again())
    }
}

#[test]
fn a_gate_without_memory_is_started_again_and_nothing_acknowledged_is_lost() {
    let _alone = alone();
    let faults = asked("USHER_FAULTS");
    let door = CameraProcess::start(None, &Stream::h264());
    let cameras = [("cam", "stills:crowd.yaml".to_owned()), ("door", door.url())];
    // A broker of the site's own: it does not end with the gate.
    let bench = Bench::with(&cameras, |mqtt, _| format!("\"mqtt://{mqtt}\""));
    let _broker = Mosquitto::at(bench.gate.mqtt.port(), "allow_anonymous true\n");
    let listener = Listener::of_everything_elsewhere(&bench.gate);
    let unit = Unit::start(&bench);
    let mut pressed = Pressed { bench: &bench, unit, listener, tablet: None, enrolled: Vec::new() };
    pressed.is_well_again();

    let (mut survived, mut well_after) = (0, Vec::new());
    let plan = plan(faults);
    for shortage in &plan {
        let (ended, took) = pressed.play(*shortage);
        println!("{shortage:?}: ended {ended}, well again after {took:?}");
        survived += usize::from(!ended);
        well_after.push(took);
    }
    assert!(survived < plan.len(), "no shortage was felt: nothing was tried");
    assert_eq!(pressed.unit.unfed, 0, "it ends at once, or goes on: nothing stands half dead until its watchdog bites");

    let Pressed { unit, mut listener, .. } = pressed;
    let before = greeted(listener.heard());
    bench.until("every visit of which a greeting was said is heard", PATIENCE, || {
        before.is_subset(&visits(listener.heard()).0)
    });
    bench.until("nothing waits", PATIENCE, || bench.gate.metric("usher_outbox_depth").is_ok_and(|depth| depth == 0.0));
    let ends = unit.ends.len();
    drop(unit);
    let (ids, of) = visits(listener.heard());
    assert!(of.is_subset(&bench.known), "somebody who never asked to be known was decided");
    well_after.sort();
    assert!(faults.is_none() || well_after.iter().all(|took| *took < HEALS), "{well_after:?}");
    println!(
        "{}",
        serde_json::json!({
            "soak": "pressure", "of": "memory", "faults": plan.len(), "survived": survived, "processes_ended": ends,
            "visits_heard": ids.len(), "greeted_and_not_heard": 0, "audit_whole": bench.audit_is_whole(),
            "well_again_s_p50": well_after[well_after.len() / 2].as_secs_f64(),
            "well_again_s_most": well_after.last().unwrap().as_secs_f64(),
        })
    );
}
