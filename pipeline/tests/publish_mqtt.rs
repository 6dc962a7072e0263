//! Publishing to a broker of the site's own: mosquitto, killed, silent, with TLS.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests poll a condition until a deadline, and may panic"
)]

#[path = "support/certificates.rs"]
mod certificates;
mod publish_support;

use certificates::certificates;
use publish_support::{Listener, Mosquitto, NAME, Rig, Who, external, free_port, settings, setup, until, visit};
use rumqttc::QoS;
use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::Path,
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};
use usher::{gallery::visitor::VisitorId, health::BrokerState, publish, supervise};
use usher_config::publish::{Broker, Tls};
use uuid::Uuid;

const VISITS: &str = "usher/v1/arena/gate/+/visit";

fn id(body: &serde_json::Value) -> String {
    body["id"].as_str().unwrap().to_owned()
}

#[test]
fn no_visit_is_lost_over_a_broker_killed_three_times() {
    let mut broker = Mosquitto::start();
    // QoS 0 and a kept session: the listener writes nothing while it reads, so it reads to the end what a killed
    // broker had sent; and what comes while it is away is kept for it.
    let who = Who { id: "persistent".into(), clean: false, qos: QoS::AtMostOnce, ..Who::default() };
    let listener = Listener::ready(broker.port, who, &[VISITS]);
    broker.keeps("persistent");
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    let enough = Arc::new(AtomicBool::new(false));
    let feeder = supervise::spawn("feeder", {
        let (visits, clock, enough) = (rig.visits.clone(), rig.clock.clone(), enough.clone());
        move || {
            let mut decided = Vec::new();
            while !enough.load(Ordering::Acquire) {
                let visit = visit(clock.as_ref(), VisitorId(Uuid::new_v4()));
                decided.push(visit.id.to_string());
                visits.send(visit).unwrap();
                std::thread::sleep(Duration::from_millis(2));
            }
            decided
        }
    });
    for _ in 0..3 {
        let before = listener.bodies("/visit").len();
        until("visits arrive", || listener.is_connected() && listener.bodies("/visit").len() > before + 100);
        broker.kill();
        until("usher notices", || matches!(rig.health.broker(), BrokerState::Down { .. }) && rig.health.outbox() > 50);
        broker.up();
        until("usher is back", || rig.health.broker() == BrokerState::Up && listener.is_connected());
    }
    enough.store(true, Ordering::Release);
    let decided = feeder.join().unwrap();
    until("the outbox is empty", || rig.health.outbox() == 0);
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    until("every visit is heard", || {
        times.clear();
        listener.bodies("/visit").iter().for_each(|body| *times.entry(id(body)).or_default() += 1);
        times.len() >= decided.len()
    });
    let missing: Vec<_> = decided.iter().filter(|id| !times.contains_key(*id)).collect();
    assert_eq!(missing, Vec::<&String>::new());
    assert_eq!(times.len(), decided.len(), "nothing but what was decided, once duplicates are filtered by id");
    let twice = times.values().filter(|times| **times > 1).count();
    println!("{} visits over three kills: 0 lost, {twice} sent more than once", decided.len());
    rig.stop();
}

#[test]
fn a_broker_that_acknowledges_nothing_is_left() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(port)));
    let visit = rig.welcome();
    let connections = Arc::new(AtomicUsize::new(0));
    let fake = supervise::spawn("silent-broker", {
        let connections = connections.clone();
        move || {
            while connections.load(Ordering::Acquire) < 2 {
                let (mut stream, _) = silent.accept().unwrap();
                let mut buffer = [0; 4096];
                assert!(stream.read(&mut buffer).unwrap() > 0);
                // As brokers of 3.1.1 do with a version that they do not know.
                if buffer.windows(5).any(|said| said == b"MQTT\x05") {
                    stream.write_all(&[0x20, 2, 0, 1]).unwrap();
                    continue;
                }
                connections.fetch_add(1, Ordering::AcqRel);
                stream.write_all(&[0x20, 2, 0, 0]).unwrap();
                // Reads everything, says nothing, until usher gives it up.
                while stream.read(&mut buffer).is_ok_and(|read| read > 0) {}
            }
        }
    });
    until("usher gives it up and comes again", || connections.load(Ordering::Acquire) == 2);
    assert_eq!(rig.health.outbox(), 1);
    let BrokerState::Down { reason } = rig.health.broker() else { panic!("a silent broker is not up") };
    assert_eq!(reason, "the broker has acknowledged nothing for 5 s");
    fake.join().unwrap();
    assert_eq!(rig.health.outbox(), 1, "what nobody acknowledged is kept");
    assert!(rig.acked.try_recv().is_err());
    // What comes to this port next is a broker that does its work.
    let broker = Broker::Embedded { listen: ([127, 0, 0, 1], port).into(), websocket: ([127, 0, 0, 1], 0).into() };
    rig.stop();
    let rig = Rig::start(data.path(), settings(broker));
    until("the visit is acknowledged", || rig.health.outbox() == 0);
    assert_eq!(rig.published.recent_visits(visit.taken.wall - Duration::from_secs(1)).len(), 1);
    rig.stop();
}

#[test]
fn what_is_acknowledged_is_timed_from_the_first_look() {
    let broker = Mosquitto::start();
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let visit = rig.welcome();
    let acked = rig.acked.recv_timeout(Duration::from_secs(10)).unwrap();
    assert_eq!(acked.visit, visit.id);
    assert!(acked.since_first >= acked.since_settling, "{acked:?}");
    rig.stop();
}

#[test]
fn an_orderly_stop_sends_what_is_left_and_says_offline() {
    let broker = Mosquitto::start();
    let listener = Listener::ready(broker.port, Who::default(), &["usher/v1/arena/#"]);
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let wanted: Vec<String> = (0..100).map(|_| rig.welcome().id.to_string()).collect();
    rig.stop();
    until("all is heard", || listener.bodies("/status").last().is_some_and(|body| body["data"]["state"] == "offline"));
    let visits: Vec<String> = listener.bodies("/visit").iter().map(id).collect();
    assert_eq!(visits, wanted, "all of them, in order of decision");
    let offline = listener.bodies("/status").iter().filter(|body| body["data"]["state"] == "offline").count();
    assert_eq!(offline, 1, "said in order: the last will stays unsaid");
    let late = Listener::ready(broker.port, Who::default(), &["usher/v1/arena/#"]);
    late.hears_states();
    assert!(late.heard().iter().all(|heard| heard.retained));
    assert_eq!(late.bodies("camera/door/state")[0]["data"]["state"], "connecting");
    assert_eq!(late.bodies("/greeting").len() + late.bodies("/face").len(), 0, "no person is ever retained");
}

#[test]
#[ignore = "run by the_last_will_says_offline_when_usher_is_killed, in a process that dies"]
fn dies_while_publishing() {
    let port = std::env::var("USHER_TEST_PORT").unwrap().parse().unwrap();
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    println!("up");
    std::thread::sleep(Duration::from_secs(60));
}

#[test]
fn the_last_will_says_offline_when_usher_is_killed() {
    let broker = Mosquitto::start();
    let listener = Listener::ready(broker.port, Who::default(), &["usher/v1/arena/box/+/status"]);
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "dies_while_publishing", "--nocapture"])
        .env("USHER_TEST_PORT", broker.port.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().ends_with("up")));
    until("the box is online", || listener.bodies("/status").iter().any(|body| body["data"]["state"] == "online"));
    child.kill().unwrap();
    child.wait().unwrap();
    until("the box is offline", || listener.bodies("/status").last().unwrap()["data"]["state"] == "offline");
}

/// Whether any file of `folder` holds `text`.
fn holds(folder: &Path, text: &[u8]) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|file| std::fs::read(file.unwrap().path()).unwrap());
    files.into_iter().any(|bytes| bytes.windows(text.len()).any(|window| window == text))
}

#[test]
fn a_greeting_is_never_sent_late_and_never_on_disk() {
    let mut broker = Mosquitto::start();
    let who = Who { id: "screen".into(), clean: false, ..Who::default() };
    drop(Listener::ready(broker.port, who, &["usher/v1/arena/gate/#"]));
    broker.stop();
    let data = tempfile::tempdir().unwrap();
    let mut short = settings(external(broker.port));
    short.greeting = Duration::from_millis(300);
    let rig = Rig::start(data.path(), short);
    let late = rig.welcome();
    rig.notice();
    until("the visit is on disk", || rig.health.outbox() == 1);
    assert!(holds(data.path(), late.id.as_bytes()));
    for personal in [NAME.as_bytes(), b"rowing", b"Lake", b"/9j/"] {
        assert!(!holds(data.path(), personal), "greetings and faces live in memory only");
    }
    std::thread::sleep(Duration::from_millis(400));
    broker.up();
    until("the visit is acknowledged", || rig.health.outbox() == 0);
    let who = Who { id: "screen".into(), clean: false, ..Who::default() };
    let listener = Listener::ready(broker.port, who, &["usher/v1/arena/gate/#"]);
    until("the visit is heard", || !listener.bodies("/visit").is_empty());
    rig.stop();
    let perishable = ["/greeting", "/face", "/notice"].iter().map(|kind| listener.bodies(kind).len());
    assert_eq!(perishable.sum::<usize>(), 0, "they had expired");
}

#[test]
fn a_greeting_outlives_a_short_absence_of_the_broker() {
    let mut broker = Mosquitto::start();
    let who = Who { id: "screen".into(), clean: false, ..Who::default() };
    let listener = Listener::ready(broker.port, who, &["usher/v1/arena/gate/#"]);
    broker.keeps("screen");
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    broker.stop();
    let visit = rig.welcome();
    until("usher notices", || matches!(rig.health.broker(), BrokerState::Down { .. }));
    broker.up();
    until("all of it is heard", || {
        ["/visit", "/greeting", "/face"].iter().all(|topic| !listener.bodies(topic).is_empty())
    });
    let greeting = &listener.bodies("/greeting")[0]["data"];
    assert_eq!((&greeting["name"], &greeting["visit"]), (&NAME.into(), &visit.id.to_string().into()));
    assert_eq!(greeting["sessions"].as_array().unwrap().len(), 3);
    assert_eq!(listener.bodies("/face")[0]["subject"], visit.id.to_string());
    rig.stop();
}

#[test]
fn whoever_was_forgotten_meanwhile_is_not_greeted() {
    let broker = Mosquitto::start();
    let listener = Listener::ready(broker.port, Who::default(), &["usher/v1/arena/gate/#"]);
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    rig.visits.send(visit(rig.clock.as_ref(), VisitorId(Uuid::nil()))).unwrap();
    rig.stop();
    until("the visit is heard", || !listener.bodies("/visit").is_empty());
    assert!(listener.heard().iter().all(|heard| heard.topic.ends_with("/visit")));
}

#[test]
fn tls_with_client_certificates_reaches_the_broker() {
    let folder = tempfile::tempdir().unwrap();
    certificates(folder.path());
    let at = |file: &str| folder.path().join(file);
    let show = |file: &str| at(file).display().to_string();
    let tls_port = free_port();
    let broker = Mosquitto::with(&format!(
        "allow_anonymous true\nlistener {tls_port} 127.0.0.1\ncafile {}\ncertfile {}\nkeyfile {}\nrequire_certificate true\n",
        show("ca.pem"),
        show("server.pem"),
        show("server.key")
    ));
    let tls = |ca: &str, client: bool| Tls {
        ca: Some(at(ca)),
        certificate: client.then(|| at("client.pem")),
        key: client.then(|| at("client.key")),
    };
    let secure = |tls: Tls| Broker::External {
        host: "127.0.0.1".into(),
        port: tls_port,
        tls: Some(tls),
        login: None,
        websocket: None,
    };
    let listener = Listener::ready(broker.port, Who::default(), &[VISITS]);
    let data = tempfile::tempdir().unwrap();
    for refused in [tls("other.pem", true), tls("ca.pem", false)] {
        let rig = Rig::start(data.path(), settings(secure(refused)));
        until("the broker is refused", || matches!(rig.health.broker(), BrokerState::Down { .. }));
        rig.stop();
    }
    let rig = Rig::start(data.path(), settings(secure(tls("ca.pem", true))));
    let visit = rig.welcome();
    until("the visit is heard", || listener.bodies("/visit").iter().any(|body| id(body) == visit.id.to_string()));
    rig.stop();

    let mend = |tls: Tls| {
        let (setup, ..) = setup(data.path(), settings(secure(tls)));
        // Nobody sends.
        let (_visits, arriving) = crossbeam::channel::bounded(1);
        publish::start(setup, arriving, crossbeam::channel::never()).err().unwrap().to_string()
    };
    let absent = mend(tls("absent.pem", true));
    assert!(absent.ends_with("check publish.broker.tls.ca"), "{absent}");
    let half = mend(Tls { key: None, ..tls("ca.pem", true) });
    assert!(half.contains("give both publish.broker.tls.certificate and publish.broker.tls.key, or neither"), "{half}");
    let swapped = mend(Tls { certificate: Some(at("server.pem")), ..tls("ca.pem", true) });
    assert!(swapped.ends_with("belong together"), "{swapped}");
}
