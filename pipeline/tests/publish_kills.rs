//! Usher and its broker, killed again and again: no visit that lay on disk is lost, no greeting comes late.
//!
//! `USHER_KILLS` sets how often usher is killed (`make soak`: 1,000), the broker a fifth as often; the counts are printed as
//! one line of JSON.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a process that dies decides until it does; tests poll until a deadline, and may panic"
)]

mod publish_support;

use crossbeam::channel::bounded;
use publish_support::{Heard, Listener, Mosquitto, Rig, Who, external, settings, setup, until, visit};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use rumqttc::QoS;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
    thread::JoinHandle,
    time::Duration,
};
use usher::{
    gallery::visitor::VisitorId,
    health::BrokerState,
    publish::progress::{Progress, Step},
    supervise,
};
use usher_config::publish::Publish;
use uuid::Uuid;

/// The test that [`decides`] starts.
const CHILD: &str = "decides_until_it_is_killed";
const PORT: &str = "USHER_TEST_PORT";
const DATA: &str = "USHER_TEST_DATA";
/// How many visits a process decides: none for one that only sends what is left.
const VISITS: &str = "USHER_TEST_VISITS";
/// No greeting is older when it is heard.
const GREETING: Duration = Duration::from_secs(10);
/// A fifth of all kills are of the broker too.
const BROKER: u64 = 5;

fn publishing(port: u16) -> Publish {
    Publish { greeting: GREETING, ..settings(external(port)) }
}

/// Not a test of its own: what is killed.
#[test]
#[ignore = "run by nothing_is_lost_however_often_usher_and_its_broker_are_killed, in a process that dies"]
fn decides_until_it_is_killed() {
    let said = |variable| std::env::var(variable).unwrap();
    let visits: usize = said(VISITS).parse().unwrap();
    let (mut setup, health, clock, acked) = setup(Path::new(&said(DATA)), publishing(said(PORT).parse().unwrap()));
    let (progress, heard) = bounded::<Progress>(4096);
    setup.progress = Some(progress);
    let flow = setup.flow.clone();
    let (decided, arriving) = bounded(256);
    let (notices, noticed) = bounded(8);
    let published = usher::publish::start(setup, arriving, noticed).unwrap();
    let rig = Rig { visits: decided, notices, published, health, clock, acked, flow };
    supervise::spawn("kept", move || {
        for Progress { visit, step, .. } in &heard {
            if step == Step::Stored {
                println!("kept {visit}");
            }
        }
    });
    for _ in 0..visits {
        rig.visits.send(visit(rig.clock.as_ref(), VisitorId(Uuid::new_v4()))).unwrap();
        std::thread::sleep(Duration::from_millis(15));
    }
    until("the outbox is empty", || rig.health.outbox() == 0 && rig.health.broker() == BrokerState::Up);
    println!("all sent");
    std::thread::sleep(Duration::from_secs(3600));
}

/// A process that decides so many visits, and what it says.
fn decides(visits: usize, port: u16, data: &Path) -> (Child, JoinHandle<Vec<String>>) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", CHILD, "--nocapture"])
        .envs([(PORT, port.to_string()), (DATA, data.display().to_string()), (VISITS, visits.to_string())])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let said = BufReader::new(child.stdout.take().unwrap()).lines();
    // The last line may be half a line: it is none.
    let listens = supervise::spawn("said", move || {
        said.map_while(Result::ok).take_while(|line| !line.ends_with("all sent")).collect()
    });
    (child, listens)
}

fn end(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

/// A greeting that came when it should not be shown any more.
fn is_late(heard: &&Heard) -> bool {
    let expires: jiff::Timestamp = heard.body["data"]["expires_at"].as_str().unwrap().parse().unwrap();
    jiff::Timestamp::try_from(heard.at).unwrap() > expires
}

#[test]
fn nothing_is_lost_however_often_usher_and_its_broker_are_killed() {
    let kills: u64 = std::env::var("USHER_KILLS").map_or(10, |kills| kills.parse().expect("a number"));
    let mut chance = StdRng::seed_from_u64(kills);
    let mut broker = Mosquitto::start();
    // QoS 0 and a kept session: it reads to the end what a killed broker had sent.
    let who = Who { id: "persistent".into(), clean: false, qos: QoS::AtMostOnce, ..Who::default() };
    let listener =
        Listener::ready(broker.port, who, &["usher/v1/arena/gate/+/visit", "usher/v1/arena/gate/+/greeting"]);
    broker.keeps("persistent");
    let data = tempfile::tempdir().unwrap();
    let mut kept = BTreeSet::new();
    let mut broker_kills = 0;
    for round in 0..kills {
        let (child, said) = decides(usize::MAX, broker.port, data.path());
        std::thread::sleep(Duration::from_millis(chance.random_range(30..500)));
        if round % BROKER == BROKER - 1 {
            broker.kill();
            broker_kills += 1;
            std::thread::sleep(Duration::from_millis(chance.random_range(0..300)));
            broker.up();
            until("the listener is back", || listener.is_connected());
            std::thread::sleep(Duration::from_millis(chance.random_range(0..300)));
        }
        end(child);
        let lines = said.join().unwrap();
        kept.extend(lines.iter().filter_map(|line| line.rsplit_once("kept ")?.1.parse::<Uuid>().ok()));
    }
    let (child, said) = decides(0, broker.port, data.path());
    said.join().unwrap();
    let mut times: BTreeMap<Uuid, usize> = BTreeMap::new();
    until("every visit is heard", || {
        times.clear();
        let ids = listener.bodies("/visit").into_iter().map(|body| body["id"].as_str().unwrap().parse().unwrap());
        ids.for_each(|id| *times.entry(id).or_default() += 1);
        kept.iter().all(|id| times.contains_key(id)) || listener.quiet_for(Duration::from_secs(10))
    });
    end(child);
    let lost = kept.iter().filter(|id| !times.contains_key(*id)).count();
    let late = listener.heard().iter().filter(|heard| heard.topic.ends_with("/greeting")).filter(is_late).count();
    let greetings = listener.bodies("/greeting").len();
    println!(
        "{}",
        serde_json::json!({
            "soak": "kills", "kills": kills, "broker_kills": broker_kills, "visits_kept": kept.len(), "lost": lost,
            "sent_more_than_once": times.values().filter(|times| **times > 1).count(),
            "greetings": greetings, "late_greetings": late,
        })
    );
    assert!(kept.len() as u64 > kills && greetings > 0, "the kills came too early to mean anything");
    assert_eq!((lost, late), (0, 0));
}
