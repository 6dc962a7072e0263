//! Screens say that they live: who is believed, on which broker, and what health makes of it.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod publish_support;

use publish_support::{Listener, Mosquitto, Rig, Who, external, name, settings, until};
use rumqttc::QoS;
use usher::{clock::Clock as _, health::BrokerState};
use usher_config::publish::Broker;

const SAID: &str = r#"{"screen":"hall","gate":"north","version":"1","shows":"idle","width":1920,"height":1080,"faults":["playlist: a.mp4 cannot be played"]}"#;

fn embedded() -> Broker {
    let at = ([127, 0, 0, 1], 0).into();
    Broker::Embedded { listen: at, websocket: at }
}

fn alive(screen: &str) -> String {
    format!("usher/v1/arena/screen/{screen}/alive")
}

/// Says `body` of `screen` until it is heard: what is said before usher listens is lost, as between screens and boxes.
fn is_heard(rig: &Rig, from: &Listener, screen: &str) {
    until("the screen is heard", || {
        from.client.publish(alive(screen), QoS::AtMostOnce, false, SAID).unwrap();
        rig.health.screens(rig.clock.now()).contains_key(&name(screen))
    });
}

#[test]
fn a_screen_that_says_it_lives_is_seen_in_health() {
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(embedded()));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let port = rig.published.listens().unwrap().port();
    let screen = Listener::ready(port, Who::default(), &["usher/v1/arena/gate/north/greeting"]);
    is_heard(&rig, &screen, "hall");
    let seen = rig.health.screens(rig.clock.now()).remove(&name("hall")).unwrap();
    assert_eq!((seen.gate, seen.size), (Some(name("north")), (1920, 1080)));
    assert_eq!(seen.faults, ["playlist: a.mp4 cannot be played"]);
    rig.stop();
}

#[test]
fn what_a_screen_may_not_say_is_heard_by_nobody() {
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(embedded()));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let port = rig.published.listens().unwrap().port();
    let password = std::fs::read_to_string(data.path().join("integrator.password")).unwrap();
    let who = Who { login: Some(("integrator".into(), password)), ..Who::default() };
    let everything = Listener::ready(port, who, &["usher/v1/arena/#"]);
    let screen = Listener::ready(port, Who::default(), &["usher/v1/arena/gate/north/greeting"]);
    let large = format!(r#"{{"shows":"{}"}}"#, "x".repeat(5000));
    let refused = [
        // A state that stays would say of a dead screen that it lives.
        (alive("kept"), true, SAID),
        (alive("large"), false, large.as_str()),
        (alive("Not-a-Name"), false, SAID),
        ("usher/v1/arena/screen/hall/greeting".to_owned(), false, SAID),
        ("usher/v1/arena/programme".to_owned(), true, SAID),
        ("usher/v1/other/screen/hall/alive".to_owned(), false, SAID),
    ];
    for (topic, retained, body) in refused {
        screen.client.publish(topic, QoS::AtLeastOnce, retained, body).unwrap();
    }
    // A turnstile is no screen.
    everything.client.publish(alive("turnstile"), QoS::AtLeastOnce, false, SAID).unwrap();
    is_heard(&rig, &screen, "hall");
    assert_eq!(rig.health.screens(rig.clock.now()).keys().collect::<Vec<_>>(), [&name("hall")]);
    let strays: Vec<_> = everything
        .heard()
        .into_iter()
        .filter(|heard| heard.body.get("screen").is_some() && heard.topic != alive("hall"))
        .collect();
    assert!(strays.is_empty(), "{strays:?}");
    rig.stop();
}

#[test]
fn screens_are_seen_through_a_broker_of_the_sites_own_too() {
    let broker = Mosquitto::start();
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(external(broker.port)));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let screen = Listener::ready(broker.port, Who::default(), &["usher/v1/arena/gate/north/greeting"]);
    is_heard(&rig, &screen, "hall");
    rig.stop();
}
