//! The embedded broker: who may hear and say what.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod publish_support;

use publish_support::{Listener, Rig, Who, free_port, settings, setup, until};
use rumqttc::{LastWill, QoS, SubscribeReasonCode};
use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    os::unix::fs::PermissionsExt,
    path::Path,
    time::Duration,
};
use usher::{
    health::{BrokerState, CameraState},
    publish::{self, WebSocket},
};
use usher_config::publish::Broker;

fn loopback(port: u16) -> SocketAddr {
    ([127, 0, 0, 1], port).into()
}

fn embedded() -> Broker {
    Broker::Embedded { listen: loopback(0), websocket: loopback(0) }
}

fn started(data: &Path) -> (Rig, u16) {
    let rig = Rig::start(data, settings(embedded()));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let port = rig.published.listens().unwrap().port();
    (rig, port)
}

fn integrator(data: &Path) -> Who {
    let password = std::fs::read_to_string(data.join("integrator.password")).unwrap();
    Who { login: Some(("integrator".into(), password)), ..Who::default() }
}

const SCREEN: [&str; 5] = [
    "usher/v1/arena/gate/+/greeting",
    "usher/v1/arena/gate/+/face",
    "usher/v1/arena/programme",
    "usher/v1/arena/box/+/status",
    "usher/v1/arena/camera/+/state",
];

#[test]
fn screens_hear_greetings_and_integrators_hear_everything() {
    let data = tempfile::tempdir().unwrap();
    let (rig, port) = started(data.path());
    let screen = Listener::ready(port, Who::default(), &SCREEN);
    assert_eq!(screen.granted(), [SubscribeReasonCode::Success(QoS::AtLeastOnce); 5]);
    screen.hears_states();
    let turnstile = Listener::ready(port, integrator(data.path()), &["usher/v1/arena/#"]);
    let visit = rig.welcome();
    until("the screen greets", || !screen.bodies("/face").is_empty() && !screen.bodies("/greeting").is_empty());
    until("the turnstile hears", || !turnstile.bodies("/visit").is_empty());
    assert_eq!(turnstile.bodies("/visit")[0]["data"]["visitor"], visit.visitor.to_string());
    assert_eq!(screen.bodies("/visit").len(), 0);
    rig.health.set_camera(&publish_support::name("door"), CameraState::Live);
    until("the camera's state is told", || {
        screen.bodies("/state").last().is_some_and(|body| body["data"]["state"] == "live")
    });
    rig.stop();
}

#[test]
fn a_screen_is_refused_what_it_may_not_hear() {
    let data = tempfile::tempdir().unwrap();
    let (rig, port) = started(data.path());
    let wider =
        ["#", "usher/#", "usher/v1/arena/#", "usher/v1/arena/gate/+/visit", "usher/v1/arena/gate/+/+", "$SYS/#"];
    let screen = Listener::ready(port, Who::default(), &wider);
    assert_eq!(screen.granted(), [SubscribeReasonCode::Failure; 6]);
    let turnstile = Listener::ready(port, integrator(data.path()), &["usher/v1/arena/#", "usher/v1/other/#"]);
    assert_eq!(turnstile.granted()[1], SubscribeReasonCode::Failure);
    rig.welcome();
    until("the visit is heard", || !turnstile.bodies("/visit").is_empty());
    assert_eq!(screen.heard().len(), 0);
    rig.stop();
}

#[test]
fn nobody_but_usher_publishes() {
    let data = tempfile::tempdir().unwrap();
    let (rig, port) = started(data.path());
    let screen = Listener::ready(port, Who::default(), &SCREEN);
    let turnstile = Listener::ready(port, integrator(data.path()), &["usher/v1/arena/#"]);
    let topic = "usher/v1/arena/gate/north/greeting";
    for forger in [&screen, &turnstile] {
        forger.client.publish(topic, QoS::AtLeastOnce, false, "{\"forged\":true}").unwrap();
        forger.client.publish(topic, QoS::AtLeastOnce, true, "{\"forged\":true}").unwrap();
    }
    // What usher says afterwards arrives; what they said before has then had its time.
    rig.welcome();
    until("the greeting comes", || !turnstile.bodies("/greeting").is_empty() && !screen.bodies("/greeting").is_empty());
    let late = Listener::ready(port, Who::default(), &SCREEN);
    late.hears_states();
    for listener in [&screen, &turnstile, &late] {
        assert!(listener.heard().iter().all(|heard| heard.body.get("forged").is_none()));
    }
    rig.stop();
}

#[test]
fn whoever_poses_as_another_is_refused() {
    let data = tempfile::tempdir().unwrap();
    let (rig, port) = started(data.path());
    let login = |user: &str, password: &str| Some((user.to_owned(), password.to_owned()));
    let will = LastWill::new("usher/v1/arena/gate/north/greeting", "{\"forged\":true}", QoS::AtLeastOnce, false);
    let refused = [
        Who { login: login("integrator", "guess"), ..Who::default() },
        Who { login: login("usher", "guess"), ..Who::default() },
        Who { login: login("screen", ""), ..Who::default() },
        Who { login: login("root", "guess"), ..Who::default() },
        // Would end usher's own connection.
        Who { id: "usher-arena-box-1".into(), ..Who::default() },
        // The broker asks nobody whether a last will may be said.
        Who { will: Some(will.clone()), ..Who::default() },
        Who { will: Some(will), ..integrator(data.path()) },
        // Names would wait in the session.
        Who { clean: false, ..Who::default() },
    ];
    for (number, who) in refused.into_iter().enumerate() {
        let poser = Listener::start(port, who, &SCREEN);
        until("it is refused", || poser.errors().iter().any(|error| error.contains("Connection refused")));
        assert!(!poser.is_connected(), "poser {number}");
    }
    assert_eq!(rig.health.broker(), BrokerState::Up, "usher's own connection stands");
    let mode = |file: &str| data.path().join(file).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode("integrator.password"), 0o600);
    assert!(!data.path().join("screen.password").exists(), "nobody signs in as a screen on loopback");
    rig.stop();
}

#[test]
fn beyond_loopback_a_screen_signs_in() {
    let data = tempfile::tempdir().unwrap();
    let open = SocketAddr::from(([0, 0, 0, 0], 0));
    let rig = Rig::start(data.path(), settings(Broker::Embedded { listen: open, websocket: open }));
    until("the broker acknowledges", || rig.health.broker() == BrokerState::Up);
    let port = rig.published.listens().unwrap().port();
    let anonymous = Listener::start(port, Who::default(), &SCREEN);
    until("it is refused", || anonymous.errors().iter().any(|error| error.contains("NotAuthorized")));
    let screens = rig.published.screens().clone();
    let (user, password) = screens.login.unwrap();
    assert!(matches!(screens.websocket, Some(WebSocket::SameHost(_))));
    assert_eq!(std::fs::read_to_string(data.path().join("screen.password")).unwrap(), password.reveal());
    let who = Who { login: Some((user, password.reveal().to_owned())), ..Who::default() };
    let screen = Listener::ready(port, who, &SCREEN);
    assert_eq!(screen.granted(), [SubscribeReasonCode::Success(QoS::AtLeastOnce); 5]);
    rig.stop();
}

#[test]
fn browsers_are_let_in_by_websocket() {
    let data = tempfile::tempdir().unwrap();
    let (rig, _) = started(data.path());
    let Some(WebSocket::At(url)) = rig.published.screens().websocket.clone() else { panic!("on loopback") };
    let host = url.strip_prefix("ws://").unwrap().strip_suffix("/mqtt").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    let request = format!(
        "GET /mqtt HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: mqtt\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = [0; 512];
    let read = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..read]).to_lowercase();
    assert!(answer.starts_with("http/1.1 101"), "{answer}");
    assert!(answer.contains("sec-websocket-protocol: mqtt"), "{answer}");
    rig.stop();
}

#[test]
fn a_port_that_is_taken_is_named_with_its_key() {
    let data = tempfile::tempdir().unwrap();
    let refused = |listen: SocketAddr, websocket: SocketAddr| {
        let (setup, ..) = setup(data.path(), settings(Broker::Embedded { listen, websocket }));
        // Nobody sends.
        let (_visits, arriving) = crossbeam::channel::bounded(1);
        publish::start(setup, arriving, crossbeam::channel::never()).err().unwrap().to_string()
    };
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = holder.local_addr().unwrap();
    assert_eq!(
        refused(taken, loopback(0)),
        format!("{taken} is taken by another program; stop that program, or set publish.broker.listen to another port")
    );
    let websocket = refused(loopback(0), taken);
    assert!(websocket.ends_with("set publish.broker.websocket to another port"), "{websocket}");
    let elsewhere = refused(SocketAddr::from(([192, 0, 2, 1], free_port())), loopback(0));
    assert!(elsewhere.ends_with("set publish.broker.listen to an address and port of this machine"), "{elsewhere}");
}

#[test]
fn the_same_port_is_free_again_after_a_stop() {
    let data = tempfile::tempdir().unwrap();
    let (rig, port) = started(data.path());
    let screen = Listener::ready(port, Who::default(), &SCREEN);
    rig.stop();
    let again = Broker::Embedded { listen: loopback(port), websocket: loopback(0) };
    let rig = Rig::start(data.path(), settings(again));
    until("the screen comes back by itself", || screen.is_connected() && screen.granted().len() >= 10);
    rig.welcome();
    until("it greets", || !screen.bodies("/greeting").is_empty());
    rig.stop();
}
