//! The pages in Chromium, against the real server and broker.
//!
//! Node drives the browser (`pipeline/web/tests`); it says here, by a line of JSON each, what the stages are to show.
//! Each of its connections gets a box of its own, so that its files may run side by side.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "a test starts threads as it likes")]

#[path = "support/gates.rs"]
mod gates;
#[path = "support/reasons.rs"]
mod reasons;
#[path = "support/scene.rs"]
mod scene;

use crossbeam::channel::{Receiver, Sender, bounded, tick};
use gates::{flow, marks, tell_gate};
use reasons::reasons;
use scene::{person, scene};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::Command,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use usher::{
    capture::frame::{Camera, Frame, Zone},
    clock::{Clock, Moment, SystemClock},
    coach::walk::Wanted,
    decide::visit::{Deed, Outcome},
    flow::board::Board,
    gallery::visitor::VisitorId,
    health::{BrokerState, CameraState, Health},
    identify::identification::{Evidence, Verdict},
    infer::{
        sighting::{Portrait, TrackId},
        watched::{Person, Watched},
    },
    publish::progress::{Progress, Step},
    supervise::{Stopper, stop},
    web::{
        self, Figures, Pages, Taps, WebSettings, Websocket,
        flow::{Flow, Mark},
    },
};
use usher_config::{
    decide::Liveness,
    signage::Signage,
    value::{Name, Secret},
};
use usher_models::template::Score;
use uuid::Uuid;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";
/// As hostile as a name may be: markup.
const NAMED: &str = "Zoë <img src=x onerror=document.title='owned'> Ng";

#[test]
fn pages_keep_their_promises_in_chromium() {
    gstreamer::init().expect("GStreamer starts");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    assert!(folder.join("node_modules/playwright-core").is_dir(), "playwright-core is not there; run `make pages`");
    for (program, ask) in [("node", "--version"), ("chromium", "--version"), ("mosquitto", "-h")] {
        let found = Command::new(program).arg(ask).output();
        assert!(found.is_ok(), "{program} is not there; `make test-packages` installs it");
    }

    let control = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = control.local_addr().expect("the port that was taken");
    std::thread::spawn(move || {
        for line in control.incoming().flatten() {
            std::thread::spawn(move || serve(line));
        }
    });
    // All of them take ten minutes: whoever works on one page may ask for its files alone.
    let only = std::env::var("USHER_PAGES").unwrap_or_default();
    let mut files: Vec<_> = std::fs::read_dir(folder.join("tests"))
        .expect("the pages have tests")
        .map(|entry| entry.expect("a folder is readable").path())
        .filter(|path| path.to_string_lossy().ends_with(".test.mjs"))
        .collect();
    files.sort();
    assert!(files.len() >= 5, "tests of the pages are missing: {files:?}");
    files.retain(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(&only)));
    assert!(!files.is_empty(), "no file of the pages' tests begins with USHER_PAGES={only}");
    let status = Command::new("node")
        .arg("--test")
        .args(&files)
        .current_dir(&folder)
        .env("USHER_CONTROL", address.to_string())
        .env("USHER_TOKEN", TOKEN)
        .env("USHER_NAMED", NAMED)
        .status()
        .expect("node starts");
    assert!(status.success(), "a page broke a promise; node's report is above");
}

#[test]
fn a_port_that_is_taken_says_which_key_mends_it() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = taken.local_addr().expect("the port that was taken");
    let (_watched, _outcomes, _progress, taps) = taps();
    let (_stopper, stop) = stop();
    let health = Arc::new(Health::of([]));
    let settings = settings(address, Websocket::Nowhere, false);
    let forgotten = Arc::default();
    let figures = figures(&forgotten, flow(&Arc::default(), &Arc::default()));
    let refused = web::start(settings, taps, health, figures, Box::new(String::new), SystemClock::start(), stop);
    let Err(refused) = refused else { panic!("two servers on one port") };
    let words = refused.to_string();
    assert!(words.contains(&address.to_string()), "{words}");
    assert!(words.contains("free it, or set `web.listen` to another address"), "{words}");
}

/// One box, as node wants it.
struct World {
    clock: Arc<SystemClock>,
    health: Arc<Health>,
    people: Arc<Mutex<Vec<Person>>>,
    forgotten: Arc<AtomicBool>,
    visit: Option<Uuid>,
    board: Arc<Board>,
    marks: Arc<Mutex<Vec<Mark>>>,
    running: Option<Running>,
}

struct Running {
    stopper: Stopper,
    pages: Pages,
    outcomes: Sender<Outcome>,
    progress: Sender<Progress>,
    frames: JoinHandle<()>,
    filming: Arc<AtomicBool>,
}

fn cameras() -> Vec<Arc<Camera>> {
    let zone = Zone { corners: vec![[0.05, 0.1], [0.95, 0.1], [0.98, 0.97], [0.02, 0.97]] };
    [("north-1", "north"), ("north-2", "north"), ("south-1", "south")]
        .map(|(camera, gate)| {
            Arc::new(Camera {
                name: name(camera),
                gate: name(gate),
                zone: zone.clone(),
                liveness: Liveness::Off,
                identifies: true,
            })
        })
        .to_vec()
}

fn name(text: &str) -> Name {
    Name::new(text).expect("a name of this test")
}

fn settings(listen: SocketAddr, websocket: Websocket, portraits: bool) -> WebSettings {
    WebSettings {
        listen,
        token: Secret::new(TOKEN.into()),
        site: name("arena"),
        zone: jiff::tz::TimeZone::system(),
        gates: vec![name("north"), name("south")],
        pass_gates: vec![name("south")],
        keys: Vec::new(),
        signage: Signage {
            language: "en".into(),
            theme: None,
            playlist: None,
            slide: Duration::from_secs(10),
            night: None,
            keys: Vec::new(),
        },
        alive: "usher/v1/arena/screen/".into(),
        map: Arc::new(|| None),
        cameras: cameras(),
        websocket,
        screen: None,
        looks: 3,
        portraits,
        wanted: Wanted { inter_eye_px: 20.0, apart: Duration::from_millis(80), looks: 3 },
    }
}

/// Everybody is somebody, until they are forgotten.
fn figures(forgotten: &Arc<AtomicBool>, flow: Flow) -> Figures {
    let (named, asked) = (forgotten.clone(), forgotten.clone());
    Figures {
        enrolled: Box::new(|| 612),
        threshold: Box::new(|| 0.462),
        promised: Box::new(|| 0.001),
        name_of: Box::new(move |_| (!named.load(Ordering::Acquire)).then(|| NAMED.into())),
        is_enrolled: Box::new(move |_| !asked.load(Ordering::Acquire)),
        flow,
    }
}

fn taps() -> (Sender<Watched>, Sender<Outcome>, Sender<Progress>, Taps) {
    // As small as in the product: taps may lose.
    let (watched, seen): (_, Receiver<Watched>) = bounded(4);
    let (outcomes, decided) = bounded(64);
    let (progress, told) = bounded(64);
    (watched, outcomes, progress, Taps { watched: seen, outcomes: decided, progress: told })
}

fn serve(line: TcpStream) {
    let mut answers = line.try_clone().expect("a socket is cloned");
    let clock = SystemClock::start();
    let health = Arc::new(Health::of(cameras().iter().map(|camera| camera.name.clone())));
    let mut world = World {
        clock,
        health,
        people: Arc::default(),
        forgotten: Arc::default(),
        visit: None,
        board: Arc::default(),
        marks: Arc::default(),
        running: None,
    };
    for asked in BufReader::new(line).lines().map_while(Result::ok) {
        let asked: Value = serde_json::from_str(&asked).expect("node sends JSON");
        let answer = world.obey(&asked);
        if writeln!(answers, "{answer}").is_err() {
            break;
        }
    }
    // Node has gone: so does its box.
    world.stop();
}

impl World {
    fn obey(&mut self, asked: &Value) -> Value {
        let text = |key: &str| asked[key].as_str().unwrap_or_default().to_owned();
        match text("do").as_str() {
            "start" => {
                let websocket = match asked["websocket"].as_u64() {
                    Some(port) => Websocket::Here(port as u16),
                    None => Websocket::Nowhere,
                };
                let listen = asked["listen"].as_str().unwrap_or("127.0.0.1:0").parse().expect("an address");
                return self.start(listen, websocket, asked["portraits"].as_bool() == Some(true));
            }
            "stop" => self.stop(),
            "ready" => self.health.set_ready(),
            "outbox" => self.health.set_outbox(asked["depth"].as_u64().expect("a number")),
            "broker" => {
                let up = asked["up"].as_bool() == Some(true);
                let down = || BrokerState::Down { reason: "connection refused".into() };
                self.health.set_broker(if up { BrokerState::Up } else { down() });
            }
            "camera" => {
                let lost = CameraState::Lost { reason: text("reason"), since: self.clock.now(), tries: 2 };
                let state = if text("state") == "live" { CameraState::Live } else { lost };
                self.health.set_camera(&name(&text("name")), state);
            }
            "people" => {
                let people = asked["people"].as_array().expect("a list").iter().map(person);
                *self.people.lock().expect("no holder of this lock panics") = people.collect();
            }
            "outcome" => {
                let outcome = self.outcome(asked);
                self.visit = outcome.visit.or(self.visit);
                self.running.as_ref().expect("the box runs").outcomes.send(outcome).expect("the tap is read");
            }
            // Of the last visit.
            "progress" => {
                let step = if text("step") == "stored" { Step::Stored } else { Step::Acknowledged };
                let told = Progress { visit: self.visit.expect("somebody was welcomed"), step, at: self.clock.now() };
                self.running.as_ref().expect("the box runs").progress.send(told).expect("the tap is read");
            }
            "gate" => tell_gate(&self.board, asked, self.clock.now().wall),
            "marks" => *self.marks.lock().expect("no holder of this lock panics") = marks(&asked["marks"]),
            "flow" => drop(self.health.set_flow("history", asked["trouble"].as_str().map(str::to_owned))),
            "forget" => self.forgotten.store(true, Ordering::Release),
            other => panic!("node asks for {other:?}"),
        }
        json!({})
    }

    fn start(&mut self, listen: SocketAddr, websocket: Websocket, portraits: bool) -> Value {
        let (watched, outcomes, progress, taps) = taps();
        let (stopper, stop) = stop();
        let clock: Arc<dyn Clock> = self.clock.clone();
        let prometheus = Box::new(|| "usher_enrolled 612\n".to_owned());
        let settings = settings(listen, websocket, portraits);
        let figures = figures(&self.forgotten, flow(&self.board, &self.marks));
        let pages =
            web::start(settings, taps, self.health.clone(), figures, prometheus, clock, stop).expect("the box starts");
        let filming = Arc::new(AtomicBool::new(true));
        let frames = {
            let (people, clock) = (self.people.clone(), self.clock.clone());
            let (filming, health) = (filming.clone(), self.health.clone());
            std::thread::spawn(move || film(&watched, &people, &*clock, &filming, &health))
        };
        let address = pages.address;
        self.running = Some(Running { stopper, pages, outcomes, progress, frames, filming });
        json!({ "address": address.to_string(), "port": address.port() })
    }

    fn stop(&mut self) {
        let Some(running) = self.running.take() else { return };
        running.filming.store(false, Ordering::Release);
        drop(running.stopper);
        running.pages.thread.join().expect("the pages end in order");
        running.frames.join().expect("the film ends in order");
    }

    fn outcome(&self, asked: &Value) -> Outcome {
        let deed = match asked["deed"].as_str() {
            Some("welcomed") => Deed::Welcomed,
            Some("already_greeted") => Deed::AlreadyGreeted,
            Some("referred") => Deed::Referred,
            _ => Deed::Counted,
        };
        let best = Score(asked["best"].as_f64().unwrap_or(0.2) as f32);
        let verdict = match deed {
            Deed::Welcomed | Deed::AlreadyGreeted => Verdict::Known { visitor: VisitorId(Uuid::new_v4()), score: best },
            Deed::Referred => Verdict::Alike,
            Deed::Doubted => Verdict::Suspect { is_greeted: true },
            Deed::Counted => Verdict::Unknown,
        };
        let evidence = Evidence {
            looks: 5,
            over: Duration::from_millis(310),
            best: Some(best),
            second: asked["second"].as_f64().map(|second| Score(second as f32)),
            threshold: Score(0.462),
            enrolled: 612,
        };
        let camera = cameras().into_iter().find(|camera| asked["camera"] == camera.name.as_str()).expect("a camera");
        let track = TrackId(asked["track"].as_u64().expect("a track"));
        let at = self.clock.now();
        let before = |ms| Moment { steady: at.steady.saturating_sub(Duration::from_millis(ms)), ..at };
        let is_named = matches!(verdict, Verdict::Known { .. });
        let portrait = Portrait { width: 320, height: 320, rgb: vec![120; 320 * 320 * 3].into() };
        Outcome {
            camera,
            track,
            at,
            verdict,
            deed,
            evidence,
            live: None,
            reasons: Arc::new(reasons(verdict, evidence, before(7))),
            first: before(341),
            taken: before(31),
            judged: Some(before(1)),
            visit: (deed == Deed::Welcomed).then(Uuid::new_v4),
            // Were it there of anybody else, it would have to be dropped.
            portrait: if is_named || asked["leaks"] == true { portrait } else { Portrait::default() },
        }
    }
}

/// Sends a drawn scene of every live camera, about fifteen times a second.
fn film(watched: &Sender<Watched>, people: &Mutex<Vec<Person>>, clock: &dyn Clock, on: &AtomicBool, health: &Health) {
    let cameras = cameras();
    for _ in tick(Duration::from_millis(66)) {
        if !on.load(Ordering::Acquire) {
            return;
        }
        let states = health.cameras();
        for (i, camera) in cameras.iter().enumerate() {
            if states.get(&camera.name) != Some(&CameraState::Live) {
                continue;
            }
            // The first camera has everybody, so that the others show a scene without anybody.
            let people =
                if i == 0 { people.lock().expect("no holder of this lock panics").clone() } else { Vec::new() };
            let taken = clock.now();
            let frame = Frame { camera: camera.clone(), taken, pts: taken.steady, picture: scene(&people) };
            // The tap loses rather than waits.
            let _lost = watched.try_send(Watched { frame: Arc::new(frame), people, analysed: true, done: clock.now() });
        }
    }
}
