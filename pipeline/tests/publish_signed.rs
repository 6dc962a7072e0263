//! Signed events: whoever acts on them believes all that a box says, and nothing that anybody else does.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "a test lives by the machine's clock, and may panic"
)]

mod publish_support;

use data_encoding::BASE64;
use publish_support::{Listener as Subscriber, Mosquitto, Rig, Who, external, name, settings, until};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rumqttc::QoS;
use serde_json::json;
use std::{
    collections::BTreeMap,
    io::Write as _,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};
use usher::{
    clock::Clock as _,
    gallery::key::BoxKey,
    health::BrokerState,
    publish::{
        payload::{self, Event, rfc3339},
        signature::EventKey,
        topic::Topics,
        trust::{Listener, Refused},
    },
};
use uuid::Uuid;

const DAYS: Duration = Duration::from_secs(72 * 3600);

/// Something that comes from a broker, and whether a listener is to believe it then.
struct Step {
    kind: &'static str,
    topic: String,
    body: Vec<u8>,
    now: SystemTime,
    is_wanted: bool,
}

fn visit(gate: &str, id: Uuid, at: SystemTime) -> Vec<u8> {
    let data = payload::Visit {
        visit: id,
        gate: name(gate),
        camera: name("door"),
        visitor: Uuid::new_v4(),
        first_look_at: rfc3339(at),
        decided_at: rfc3339(at),
        score: Some(0.71),
        second: None,
        threshold: 0.45,
        looks: 3,
        enrolled: 11,
    };
    Event::new(id, "/usher/arena/box/box-1", at, data).until(at + DAYS).json()
}

fn notice(gate: &str, id: Uuid, at: SystemTime) -> Vec<u8> {
    let end = at + Duration::from_secs(8);
    let data = payload::Notice { gate: name(gate), expires_at: rfc3339(end) };
    Event::new(id, "/usher/arena/box/box-1", at, data).until(end).json()
}

fn programme(id: Uuid, at: SystemTime) -> Vec<u8> {
    let data = payload::Programme { box_name: name("box-1"), changes: vec![] };
    Event::new(id, "/usher/arena/box/box-1", at, data).json()
}

/// A thousand events of a box among a thousand forgeries of ten kinds, over some minutes.
fn steps(key: &EventKey, seed: u64) -> Vec<Step> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let thief = EventKey::of(&BoxKey::random());
    let topics = Topics::of(&name("arena"));
    let mut now = SystemTime::now();
    let mut steps: Vec<Step> = Vec::new();
    for turn in 0..1000_usize {
        now += Duration::from_millis(random.random_range(50..400));
        let (gate, other) = if random.random() { ("north", "south") } else { ("south", "north") };
        let make = |what: usize, at: SystemTime| match what {
            0 => (topics.visit(&name(gate)), visit(gate, Uuid::new_v4(), at)),
            1 => (topics.notice(&name(gate)), notice(gate, Uuid::new_v4(), at)),
            _ => (topics.programme(), programme(Uuid::new_v4(), at)),
        };
        let (topic, body) = make(turn % 3, now);
        let sent = key.signed(&topic, &body);
        // What an attacker can make of what they heard, or would like to say.
        let (momentary, bare) = make(turn % 2, now);
        let heard = key.signed(&momentary, &bare);
        let kind = turn % 10;
        let (kind, forged_topic, forged, at) = match kind {
            0 => {
                let mut changed = heard.clone();
                let at = random.random_range(0..changed.len());
                changed[at] ^= 1 << random.random_range(0..8);
                ("altered", momentary, changed, now)
            }
            1 => ("another key", momentary.clone(), thief.signed(&momentary, &bare), now),
            2 => ("replayed", topic.clone(), sent.clone(), now + Duration::from_millis(20)),
            3 => {
                let (topic, old) = make(1, now - Duration::from_secs(9));
                ("expired", topic.clone(), key.signed(&topic, &old), now)
            }
            4 => ("another gate's", momentary.replace(gate, other), heard, now),
            5 => {
                let mut cut = heard;
                let keep = cut.len() - 2 - random.random_range(1..=128);
                cut.truncate(keep);
                cut.extend(b"\"}");
                ("signature cut short", momentary, cut, now)
            }
            6 => {
                let (tail, mut swapped) = (heard[heard.len() - 144..].to_vec(), make(turn % 2, now).1);
                swapped.pop();
                ("payload swapped", momentary, [swapped, tail].concat(), now)
            }
            7 => ("not signed", momentary, bare, now),
            8 => {
                // Of a retained state an older telling, after a newer one.
                let (topic, newer) = make(2, now);
                steps.push(Step {
                    kind: "honest",
                    topic: topic.clone(),
                    body: key.signed(&topic, &newer),
                    now,
                    is_wanted: true,
                });
                let older = make(2, now - Duration::from_millis(1 + random.random_range(0..100_000)));
                ("older state", topic.clone(), key.signed(&topic, &older.1), now)
            }
            _ => {
                // Written anew, with a longer life.
                let mut event: serde_json::Value = serde_json::from_slice(&heard).unwrap();
                event["expiresat"] = json!(rfc3339(now + DAYS * 2));
                let body = serde_json::to_vec(&event).unwrap();
                ("longer life", momentary, body, now)
            }
        };
        // Of two kinds the honest one has been said already, or comes first so that the forgery follows it.
        if kind != "older state" {
            let is_replay_of_a_state = kind == "replayed" && turn % 3 == 2;
            let body = if is_replay_of_a_state {
                key.signed(&topics.visit(&name(gate)), &visit(gate, Uuid::new_v4(), now))
            } else {
                sent
            };
            let topic = if is_replay_of_a_state { topics.visit(&name(gate)) } else { topic };
            let again = (kind == "replayed").then(|| (topic.clone(), body.clone()));
            steps.push(Step { kind: "honest", topic, body, now, is_wanted: true });
            let (topic, body) = again.unwrap_or((forged_topic, forged));
            steps.push(Step { kind, topic, body, now: at, is_wanted: false });
        } else {
            steps.push(Step { kind, topic: forged_topic, body: forged, now: at, is_wanted: false });
        }
    }
    steps
}

/// How many of each kind were believed, and how many there were.
type Counts = BTreeMap<&'static str, (usize, usize)>;

fn counted<'a>(steps: impl Iterator<Item = (&'a Step, bool)>) -> Counts {
    let mut counts = Counts::new();
    for (step, believed) in steps {
        let (all, of) = counts.entry(step.kind).or_default();
        *all += usize::from(believed);
        *of += 1;
    }
    counts
}

fn web() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web")
}

#[test]
fn of_a_thousand_forgeries_none_is_believed_and_of_a_thousand_events_all() {
    let key = EventKey::of(&BoxKey::random());
    let steps = steps(&key, 7);
    let mut listener = Listener::new(vec![key.public()], "usher/v1/arena/#", DAYS);
    let believed: Vec<bool> =
        steps.iter().map(|step| listener.believe(&step.topic, &step.body, step.now).is_ok()).collect();
    let counts = counted(steps.iter().zip(believed.iter().copied()));
    println!("here:        {counts:?}");
    for (kind, (believed, of)) in &counts {
        assert_eq!(*believed, if *kind == "honest" { *of } else { 0 }, "{kind}: {believed} of {of}");
    }
    let forged: usize = counts.iter().filter(|(kind, _)| **kind != "honest").map(|(_, (_, of))| of).sum();
    assert_eq!((counts["honest"].1, forged), (1000, 1000));

    // The big screen says the same of each of them.
    let millis = |at: SystemTime| at.duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64() * 1000.0;
    let told: Vec<_> = steps
        .iter()
        .map(|step| json!({ "topic": step.topic, "body": BASE64.encode(&step.body), "now": millis(step.now) }))
        .collect();
    let file = tempfile::NamedTempFile::new().unwrap();
    serde_json::to_writer(&file, &json!({ "keys": [key.public().to_string()], "steps": told })).unwrap();
    let done = Command::new("node").arg("tests/trust.vectors.mjs").arg(file.path()).current_dir(web()).output();
    let done = done.expect("this test needs node");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    let there: Vec<bool> = serde_json::from_slice(&done.stdout).unwrap();
    println!("on a screen: {:?}", counted(steps.iter().zip(there.iter().copied())));
    for ((step, here), there) in steps.iter().zip(&believed).zip(&there) {
        assert_eq!(here, there, "{}", step.kind);
        assert_eq!(step.is_wanted, *there, "{}", step.kind);
    }
}

#[test]
fn why_an_event_is_refused_is_said() {
    let key = EventKey::of(&BoxKey::random());
    let now = SystemTime::now();
    let topic = "usher/v1/arena/gate/north/visit";
    let ago = |time: Duration| key.signed(topic, &visit("north", Uuid::new_v4(), now - time));
    let mut listener = Listener::new(vec![key.public()], "usher/v1/arena/gate/north/visit", Duration::from_secs(30));
    let fresh = ago(Duration::from_secs(1));
    assert_eq!(listener.believe(topic, &fresh, now), Ok(()));
    assert_eq!(listener.believe(topic, &fresh, now), Err(Refused::Replayed));
    assert_eq!(listener.believe(topic, &ago(Duration::from_secs(31)), now), Err(Refused::Old));
    assert_eq!(listener.believe(topic, &ago(DAYS), now), Err(Refused::Expired));
    let ahead = key.signed(topic, &visit("north", Uuid::new_v4(), now + Duration::from_secs(120)));
    assert_eq!(listener.believe(topic, &ahead, now), Err(Refused::Ahead));
    assert_eq!(listener.believe("usher/v1/arena/gate/south/visit", &fresh, now), Err(Refused::Elsewhere));
    assert_eq!(listener.believe(topic, b"{}", now), Err(Refused::Unsigned));
    assert_eq!(listener.believe(topic, &key.signed(topic, b"{}"), now), Err(Refused::Unreadable));
    // What has no end could be said again for ever.
    let mut endless: serde_json::Value = serde_json::from_slice(&visit("north", Uuid::new_v4(), now)).unwrap();
    endless.as_object_mut().unwrap().remove("expiresat");
    let endless = key.signed(topic, &serde_json::to_vec(&endless).unwrap());
    assert_eq!(listener.believe(topic, &endless, now), Err(Refused::Unreadable));
}

#[test]
fn through_a_real_broker_all_that_a_box_says_is_believed_and_nothing_that_a_thief_says() {
    let broker = Mosquitto::start();
    let subscriber = Subscriber::ready(broker.port, Who::default(), &["usher/v1/arena/#"]);
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let heard = |end: &str| subscriber.heard().into_iter().filter(|heard| heard.topic.ends_with(end)).count();
    // No more at once than may wait in memory: of a flood the oldest greetings go.
    for ten in 1..=5 {
        for _ in 0..10 {
            rig.welcome();
        }
        until("ten more are heard", || heard("/face") == 10 * ten);
    }
    rig.notice();
    rig.count(12);
    until("all is heard", || {
        let moments =
            heard("/visit") == 50 && heard("/greeting") == 50 && heard("/face") == 50 && heard("/notice") == 1;
        moments
            && heard("/flow") > 0
            && heard("/forecast") > 0
            && heard("/status") > 0
            && heard("/state") > 0
            && heard("/programme") > 0
    });
    // A thief on the same broker says all of it again, and of another gate, and changed.
    let honest = subscriber.heard();
    let mut sent = 0;
    let mut say = |topic: String, body: Vec<u8>| {
        subscriber.client.publish(topic, QoS::AtLeastOnce, false, body).unwrap();
        sent += 1;
    };
    for heard in honest.iter().filter(|heard| heard.body.get("expiresat").is_some()) {
        say(heard.topic.clone(), heard.bytes.clone());
        say(heard.topic.replace("/north/", "/south/"), heard.bytes.clone());
        let mut changed = heard.bytes.clone();
        let at = changed.len() / 2;
        changed[at] ^= 1;
        say(heard.topic.clone(), changed);
    }
    until("the thief is heard as well", || subscriber.heard().len() >= honest.len() + sent);
    let key = rig.published.key();
    let mut listener = Listener::new(vec![key], "usher/v1/arena/#", Duration::from_secs(3600));
    let now = rig.clock.now().wall;
    let all = subscriber.heard();
    let believed: Vec<bool> =
        all.iter().map(|heard| listener.believe(&heard.topic, &heard.bytes, now).is_ok()).collect();
    let (first, rest) = believed.split_at(honest.len());
    assert!(
        first.iter().all(|believed| *believed),
        "{} of {} believed",
        first.iter().filter(|b| **b).count(),
        first.len()
    );
    // The box goes on: its flow may have come between.
    let stolen =
        rest.iter().zip(&all[honest.len()..]).filter(|(b, heard)| **b && heard.body.get("expiresat").is_some()).count();
    assert_eq!(stolen, 0, "of {sent} stolen");
    rig.stop();

    // The same from the command line, as a turnstile would: only the visits of its gate, each once.
    let mut lines = Vec::new();
    for heard in &all {
        lines.extend([heard.topic.as_bytes(), b" ", &heard.bytes, b"\n"].concat());
    }
    let mut child = Command::new(env!("CARGO_BIN_EXE_usher"))
        .args([
            "events",
            "verify",
            "--within",
            "1h",
            "--topic",
            "usher/v1/arena/gate/north/visit",
            "--key",
            &key.to_string(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    let feeding = usher::supervise::spawn("feeding", move || input.write_all(&lines).unwrap());
    let done = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    let printed = String::from_utf8(done.stdout).unwrap();
    assert_eq!(printed.lines().count(), 50);
    assert!(printed.lines().all(|line| line.starts_with("usher/v1/arena/gate/north/visit {")));
    assert_eq!(done.status.code(), Some(1), "some were refused");
    let said = String::from_utf8(done.stderr).unwrap();
    assert!(said.contains("it was heard before") && !said.contains(publish_support::NAME), "{said}");

    // And the same by the example that integrators get.
    let has_cryptography = Command::new("python3").args(["-c", "import cryptography"]).status().unwrap().success();
    assert!(has_cryptography, "this test needs apt-get install python3-cryptography");
    let mut child = Command::new("python3")
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/events/verify.py"))
        .args([&key.to_string(), "usher/v1/arena/gate/north/visit", "3600"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = Vec::new();
    for heard in &all {
        lines.extend([heard.topic.as_bytes(), b" ", &heard.bytes, b"\n"].concat());
    }
    let mut input = child.stdin.take().unwrap();
    let feeding = usher::supervise::spawn("feeding", move || input.write_all(&lines).unwrap());
    let done = child.wait_with_output().unwrap();
    feeding.join().unwrap();
    assert_eq!(String::from_utf8(done.stdout).unwrap(), printed, "the example believes what usher believes");
}
