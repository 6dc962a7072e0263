//! Pictures held up to a camera, and what a gate makes of them.
#![allow(clippy::disallowed_methods, reason = "a test runs the binary and waits for it")]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says no more by another word, and what it left out"
)]

#[path = "support/gate.rs"]
mod gate;

use crossbeam::channel::{bounded, never};
use gate::{pictures, root, set_up};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher::{
    capture::frame::{Camera, Zone},
    cli::crowd::png_of,
    clock::{HandClock, Moment},
    decide::{self, quiet::Quiet, visit::Deed},
    gallery::{
        search::{Enrolled, Gallery},
        visitor::{Visitor, VisitorId},
    },
    identify::{
        identification::{Identification, Verdict},
        threshold::Law,
        tracks::Tracks,
    },
    infer::sighting::{Portrait, Probe, Settled, TrackId},
    supervise::Beat,
};
use usher_config::{crowd::Crowd, decide::Liveness, identify::Rules, value::Name};
use usher_models::{
    image::Rect,
    liveness::Live,
    quality::Quality,
    template::{ModelId, Template},
};
use uuid::Uuid;

const ID: TrackId = TrackId(1);

fn model() -> ModelId {
    ModelId("sface-2021dec".into())
}

fn at(ms: u64) -> Moment {
    let by = Duration::from_millis(ms);
    Moment { steady: by, wall: SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000) + by }
}

fn face(direction: [f32; 3]) -> Template {
    Template::new(model(), direction.to_vec()).unwrap()
}

const ENROLLED: [f32; 3] = [1.0, 0.0, 0.0];
const STRANGER: [f32; 3] = [0.0, 1.0, 0.0];

/// A gate whose gallery holds one person, and one walk past it.
struct Walk {
    tracks: Tracks,
    gallery: Gallery,
    camera: Arc<Camera>,
    settled: Settled,
    said: Vec<Identification>,
}

impl Walk {
    fn new(liveness: Liveness) -> Self {
        let rules = Rules {
            wrong_greetings: 1e-3,
            looks: 3,
            apart: Duration::from_millis(80),
            over: Duration::from_millis(250),
            margin: 0.06,
            household_margin: 0.15,
        };
        let id = VisitorId(Uuid::from_u128(1));
        let visitor = Visitor::named(id, "n", "s", at(u64::MAX >> 20).wall);
        let enrolled = Enrolled { visitor, enrolled: at(0).wall, templates: vec![face(ENROLLED)] };
        let name = |text: &str| Name::new(text).unwrap();
        Self {
            tracks: Tracks::new(rules, Law::of(&model()).unwrap()),
            gallery: Gallery::new(model(), vec![enrolled], at(0).wall),
            camera: Arc::new(Camera {
                name: name("cam"),
                gate: name("north"),
                zone: Zone::default(),
                liveness,
                identifies: true,
            }),
            settled: Settled::default(),
            said: Vec::new(),
        }
    }

    /// Looks at this face every 100 ms; each claimed one is judged as live as this.
    fn looks(mut self, direction: [f32; 3], lives: &[f32]) -> Self {
        for (number, live) in lives.iter().enumerate() {
            let ms = 100 * number as u64;
            let probe = Probe {
                camera: self.camera.clone(),
                track: ID,
                taken: at(ms),
                pts: Duration::from_millis(ms),
                rect: Rect::default(),
                template: face(direction),
                embedded: at(ms + 20),
                quality: Quality {
                    confidence: 0.9,
                    inter_eye_px: 40.0,
                    pose: 0.8,
                    sharpness: 0.6,
                    ..Quality::default()
                },
                portrait: Portrait { width: 1, height: 1, rgb: vec![1, 2, 3].into() },
                settled: self.settled.clone(),
            };
            if !self.settled.is_settled() {
                self.said.extend(self.tracks.look(probe, &self.gallery));
            }
            if self.settled.is_claimed() {
                self.said.extend(self.tracks.live(ID, Live(*live)));
            }
        }
        self
    }

    fn over(mut self) -> Self {
        self.said.extend(self.tracks.gone(ID));
        self
    }

    fn verdicts(&self) -> Vec<Verdict> {
        self.said.iter().map(|said| said.verdict).collect()
    }
}

fn is_known(verdict: &Verdict) -> bool {
    matches!(verdict, Verdict::Known { .. })
}

/// What was done, and how many visits were decided.
fn deeds(said: Vec<Identification>) -> (Vec<Deed>, usize) {
    let (identifications, identifications_out) = bounded(64);
    let (visits, visits_out) = bounded(64);
    let (outcomes, outcomes_out) = bounded(64);
    said.into_iter().for_each(|said| identifications.send(said).unwrap());
    drop(identifications);
    let clock = HandClock::at(SystemTime::UNIX_EPOCH);
    decide::run(
        &identifications_out,
        &never(),
        &visits,
        &bounded(1).0,
        &outcomes,
        Quiet::new([]),
        &*clock,
        &Beat::default(),
    );
    drop((visits, outcomes));
    (outcomes_out.iter().map(|outcome| outcome.deed).collect(), visits_out.iter().count())
}

#[test]
fn a_gate_that_requires_liveness_greets_a_live_person_once_five_looks_say_so() {
    let walk = Walk::new(Liveness::Required).looks(ENROLLED, &[0.9; 4]);
    assert_eq!(walk.verdicts(), [], "four looks are not enough to say");
    let walk = Walk::new(Liveness::Required).looks(ENROLLED, &[0.9; 6]).over();
    assert!(is_known(&walk.verdicts()[0]) && walk.said[0].live.is_some_and(|live| (live.0 - 0.9).abs() < 1e-6));
    assert!(walk.settled.is_settled());
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed], 1));
}

#[test]
fn a_gate_that_requires_liveness_refers_what_seems_not_live_and_decides_no_visit() {
    for lives in [&[0.1; 12][..], &[0.9; 4], &[0.2, 0.9, 0.1, 0.3, 0.2, 0.4]] {
        let walk = Walk::new(Liveness::Required).looks(ENROLLED, lives).over();
        assert_eq!(walk.verdicts(), [Verdict::Suspect { is_greeted: false }], "{lives:?}");
        assert_eq!(walk.said[0].portrait.rgb.len(), 0, "no face travels on");
        assert_eq!(deeds(walk.said), (vec![Deed::Referred], 0));
    }
}

#[test]
fn a_bad_beginning_can_still_become_a_greeting() {
    let lives = [0.2, 0.2, 0.9, 0.9, 0.9, 0.9, 0.9];
    let walk = Walk::new(Liveness::Required).looks(ENROLLED, &lives).over();
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed], 1));
}

#[test]
fn an_advisory_gate_greets_and_tells_the_operator_once() {
    let walk = Walk::new(Liveness::Advisory).looks(ENROLLED, &[0.1; 12]).over();
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed, Deed::Doubted], 1));
    let walk = Walk::new(Liveness::Advisory).looks(ENROLLED, &[0.9; 12]).over();
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed], 1));
    let walk = Walk::new(Liveness::Advisory).looks(ENROLLED, &[0.1; 4]).over();
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed], 1), "too few looks to say");
}

#[test]
fn nobody_is_judged_whom_no_enrolled_person_leads_or_whose_gate_does_not_ask() {
    for liveness in [Liveness::Advisory, Liveness::Required] {
        let walk = Walk::new(liveness).looks(STRANGER, &[0.1; 12]).over();
        assert!(!walk.settled.is_claimed());
        assert_eq!(deeds(walk.said), (vec![Deed::Counted], 0));
    }
    let walk = Walk::new(Liveness::Off).looks(ENROLLED, &[0.1; 12]).over();
    assert!(!walk.settled.is_claimed());
    assert_eq!(deeds(walk.said), (vec![Deed::Welcomed], 1));
}

fn evaluate(folder: &Path, data: &Path, args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.args(["evaluate", "liveness"]).arg(folder).args(args).args(["--config", "/nonexistent"]);
    command.arg("--data").arg(data).output().unwrap()
}

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn rates_of_pictures_come_with_their_numbers_and_intervals() {
    let folder = tempfile::tempdir().unwrap();
    let crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    // Cut-outs of pictures are no attack; as one, they show how the other rate is told.
    for species in ["live", "print"] {
        fs::create_dir_all(folder.path().join(species).join("somebody")).unwrap();
        for (number, person) in crowd.people.iter().take(4).enumerate() {
            let png = png_of(&pictures().unwrap(), &person.looks[0]).unwrap();
            fs::write(folder.path().join(species).join(format!("somebody/{number}.png")), png).unwrap();
        }
    }
    let models = set_up("models", "USHER_MODELS").unwrap();
    let said = said(&evaluate(folder.path(), models.parent().unwrap(), &["--json"]));
    let (bpcer, apcer) = (&said["species"]["live"]["bpcer"], &said["species"]["print"]["apcer"]);
    let errors = |rate: &Value| rate["errors"].as_u64().unwrap();
    assert_eq!((bpcer["trials"].as_u64(), apcer["trials"].as_u64()), (Some(4), Some(4)), "{said}");
    assert_eq!(errors(bpcer) + errors(apcer), 4, "the same pictures are right as one or as the other: {said}");
    assert!(apcer["interval"][1].as_f64().unwrap() - apcer["interval"][0].as_f64().unwrap() > 0.3, "four say little");
    let refused = evaluate(tempfile::tempdir().unwrap().path(), models.parent().unwrap(), &[]);
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("make `live`"));
    let refused = evaluate(folder.path(), models.parent().unwrap(), &["--networks", "minifasnet+elsewhere"]);
    let words = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(refused.status.code() == Some(78) && words.contains("usher models import"), "{words}");
}

#[test]
fn minivisions_own_networks_tell_its_own_pictures_apart() {
    let shared = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let (Some(networks), Some(shown)) = (shared("USHER_MINIVISION"), shared("USHER_PAD")) else {
        println!("NOT RUN on minivision's files: set USHER_MINIVISION to the folder of its two networks and USHER_PAD");
        println!("to that of its three pictures, of which no install step obtains any");
        return;
    };
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    fs::create_dir(data.path().join("models")).unwrap();
    let models = set_up("models", "USHER_MODELS").unwrap();
    for name in ["yunet.safetensors", "yunet.safetensors.sha256"] {
        fs::copy(models.join(name), data.path().join("models").join(name)).unwrap();
    }
    for name in ["2.7_80x80_MiniFASNetV2.pth", "4_0_0_80x80_MiniFASNetV1SE.pth"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
        command.args(["models", "import"]).arg(networks.join(name)).args(["--as", "minifasnet", "--data"]);
        let refused = command.arg(data.path()).output().unwrap();
        assert_eq!(refused.status.code(), Some(78), "nobody said under which licence");
        assert!(command.args(["--licence", "Apache-2.0"]).status().unwrap().success());
    }
    for (species, name) in [("live", "image_T1.jpg"), ("one", "image_F1.jpg"), ("other", "image_F2.jpg")] {
        fs::create_dir(folder.path().join(species)).unwrap();
        fs::copy(shown.join(name), folder.path().join(species).join(name)).unwrap();
    }
    let both = "2-7-80x80-minifasnetv2+4-0-0-80x80-minifasnetv1se";
    let said = said(&evaluate(folder.path(), data.path(), &["--networks", both, "--json"]));
    let mean = |species: &str| said["species"][species]["mean"].as_f64().unwrap();
    println!("live {:.3}, spoofs {:.3} and {:.3}", mean("live"), mean("one"), mean("other"));
    assert!(mean("live") > 0.9 && mean("one") < 0.3 && mean("other") < 0.1, "{said}");
}
