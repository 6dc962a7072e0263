//! What the mail promises whoever is forgotten while something of theirs waits.

use super::*;
use crate::{
    capture::frame::{Camera, Zone},
    clock::HandClock,
    decide::visit::Visit,
    flow::board::Board,
    gallery::{
        key::BoxKey,
        visitor::{Visitor, VisitorId},
    },
    identify::identification::Evidence,
    infer::sighting::{Portrait, TrackId},
    publish::{self, Guided, Setup, outbox::Outbox, teller::Teller},
};
use std::{
    collections::BTreeSet,
    sync::Mutex,
    time::{Duration, SystemTime},
};
use usher_config::{
    decide::Liveness,
    publish::{Broker, Publish},
};
use usher_models::{image::Rect, template::Score};

/// Topics and bodies handed over.
#[derive(Default)]
struct Said(Vec<(String, String)>);

impl Line for Said {
    fn publish(&mut self, topic: &str, body: Vec<u8>, _retained: bool) -> Result<(), String> {
        self.0.push((topic.to_owned(), String::from_utf8(body).unwrap()));
        Ok(())
    }

    fn listen(&mut self, _alive: String, _lanes: String) -> bool {
        true
    }
}

impl Said {
    fn of(&self, kind: &str) -> Vec<&str> {
        self.0.iter().filter(|(topic, _)| topic.ends_with(kind)).map(|(_, body)| body.as_str()).collect()
    }
}

struct Bench {
    gone: Arc<Mutex<BTreeSet<VisitorId>>>,
    teller: Teller,
    mail: Mail,
    clock: Arc<HandClock>,
    _folder: tempfile::TempDir,
}

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = HandClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let quiet = Duration::from_secs(600);
        let outbox = Arc::new(Outbox::open(&folder.path().join("outbox.db"), quiet, clock.clone()).unwrap());
        let gone: Arc<Mutex<BTreeSet<VisitorId>>> = Arc::default();
        let (known, asked) = (gone.clone(), gone.clone());
        let broker = Broker::External { host: "h".into(), port: 1, tls: None, login: None, websocket: None };
        let (greeting, keep) = (Duration::from_secs(8), Duration::from_secs(3600));
        let setup = Setup {
            settings: Publish { broker, greeting, face: true, keep },
            site: name("arena"),
            box_name: name("box"),
            data: folder.path().to_owned(),
            quiet,
            visitors: Arc::new(move |id| {
                let is_known = !known.lock().unwrap().contains(&id);
                is_known.then(|| Visitor::named(id, "Mina", "Judo", SystemTime::UNIX_EPOCH))
            }),
            forgotten: Box::new(move |ids| {
                let gone = asked.lock().unwrap();
                ids.iter().copied().filter(|id| gone.contains(id)).collect()
            }),
            guide: Box::new(|_, _, _| Guided::default()),
            changes: Box::new(|_| Vec::new()),
            flow: Arc::new(Board::default()),
            lanes: None,
            health: Arc::new(Health::of([])),
            clock: clock.clone(),
            acked: None,
            progress: None,
        };
        let (teller, mail, _) = publish::over(setup, &outbox, Arc::new(EventKey::of(&BoxKey::random())));
        Self { gone, teller, mail, clock, _folder: folder }
    }

    fn visit(&self, visitor: VisitorId) -> Visit {
        let now = self.clock.now();
        let camera = Camera {
            name: name("door"),
            gate: name("north"),
            zone: Zone::default(),
            liveness: Liveness::Off,
            identifies: true,
        };
        let evidence = Evidence {
            looks: 3,
            over: Duration::from_millis(300),
            best: Some(Score(0.7)),
            second: None,
            threshold: Score(0.5),
            enrolled: 2,
        };
        Visit {
            id: Uuid::now_v7(),
            camera: Arc::new(camera),
            track: TrackId(1),
            visitor,
            first: now,
            taken: now,
            pts: Duration::ZERO,
            rect: Rect::default(),
            evidence,
            portrait: Portrait { width: 2, height: 2, rgb: vec![9; 12].into() },
        }
    }

    fn round(&self, wire: &mut Wire, line: &mut Said) {
        self.mail.step(wire, line, &mut None).unwrap();
    }
}

fn somebody(n: u128) -> VisitorId {
    VisitorId(Uuid::from_u128(n))
}

#[test]
fn whoever_is_forgotten_while_the_broker_is_away_is_greeted_no_more() {
    let bench = Bench::new();
    let (leaves, stays) = (somebody(0xaaaa_0001), somebody(0xaaaa_0002));
    bench.teller.take_in(&[bench.visit(leaves), bench.visit(stays)]);
    let mut course = bench.mail.course();
    let (mut wire, mut line) = (bench.mail.begin(&mut course), Said::default());
    bench.round(&mut wire, &mut line);
    assert!(line.0.is_empty(), "the broker has accepted nobody yet");
    bench.gone.lock().unwrap().insert(leaves);
    bench.mail.connected(&mut wire);
    bench.round(&mut wire, &mut line);
    assert_eq!((line.of("/greeting").len(), line.of("/face").len()), (1, 1), "{:?}", line.0);
}

#[test]
fn whoever_is_forgotten_while_their_visit_waits_for_the_disk_is_nobody_on_it() {
    let bench = Bench::new();
    let leaves = somebody(0xaaaa_0001);
    let visit = bench.visit(leaves);
    bench.gone.lock().unwrap().insert(leaves);
    bench.teller.take_in(&[visit]);
    let mut course = bench.mail.course();
    let (mut wire, mut line) = (bench.mail.begin(&mut course), Said::default());
    bench.mail.connected(&mut wire);
    bench.round(&mut wire, &mut line);
    let visits = line.of("/visit");
    assert!(visits.len() == 1 && !visits[0].contains(&leaves.to_string()), "{visits:?}");
    assert_eq!(line.of("/greeting").len(), 0);
}

#[test]
fn whoever_is_forgotten_while_their_visits_wait_to_be_sent_is_nobody_in_them() {
    let mut bench = Bench::new();
    let (leaves, window) = (somebody(0xaaaa_0001), usize::from(WINDOW));
    // States go first and take room, so that the last of the first window is read and waits.
    bench.teller.look_round();
    for who in 0..2 * window {
        let who = if who == window - 1 { leaves } else { somebody(1 + who as u128) };
        bench.teller.take_in(&[bench.visit(who)]);
    }
    // Greetings have their time and go; visits stay.
    bench.clock.pass(Duration::from_secs(9));
    bench.mail.sweep();
    let mut course = bench.mail.course();
    let (mut wire, mut line) = (bench.mail.begin(&mut course), Said::default());
    bench.mail.connected(&mut wire);
    bench.round(&mut wire, &mut line);
    bench.gone.lock().unwrap().insert(leaves);
    bench.teller.look_round();
    let acknowledge = |bench: &Bench, wire: &mut Wire, line: &mut Said| {
        for packet in 1..=WINDOW {
            wire.number(packet);
            bench.mail.acknowledged(wire, packet);
        }
        bench.mail.let_go(wire);
        bench.round(wire, line);
    };
    for _ in 0..4 {
        acknowledge(&bench, &mut wire, &mut line);
    }
    let visits = line.of("/visit");
    assert_eq!(visits.len(), 2 * window);
    assert!(!visits.iter().any(|body| body.contains(&leaves.to_string())));
    assert_eq!(visits.iter().filter(|body| body.contains(&Uuid::nil().to_string())).count(), 1);
}
