//! The examples of `docs/brokers`, on real servers: certificates, and who may do what.
//!
//! mosquitto must be there; where nats-server is not, its test says so in its output.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "tests poll a condition until a deadline, and may panic"
)]

mod publish_support;

use publish_support::{Heard, Listener, Rig, Who, free_port, name, settings, until};
use rumqttc::{QoS, TlsConfiguration};
use std::{
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::Duration,
};
use usher::{clock::Clock as _, health::BrokerState};
use usher_config::publish::{Broker, Tls};

fn docs(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/brokers").join(file)
}

/// A server of somebody else's, with an example's configuration; ended by its process id.
struct Server {
    folder: tempfile::TempDir,
    port: u16,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _gone_is_fine = self.child.kill();
        let _ended = self.child.wait();
    }
}

impl Server {
    /// `program` with the example `file`, adapted to this test by `adapt`, whose port of MQTT over TLS is told.
    fn start(program: &str, file: &str, adapt: impl Fn(String, &Path, u16) -> String) -> Self {
        // rumqttc asks for the process's provider.
        let _first_wins = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        certificates(at, &["box-1", "screen-north", "turnstile-north", "monitor"]);
        certificates(&at.join("strangers"), &["box-1"]);
        for example in ["mosquitto.acl", file] {
            let text = std::fs::read_to_string(docs(example)).unwrap();
            std::fs::write(
                at.join(example),
                text.replace("FOLDER", &at.display().to_string()).replace("SITE", "arena"),
            )
            .unwrap();
        }
        let port = free_port();
        let text = std::fs::read_to_string(at.join(file)).unwrap();
        std::fs::write(at.join(file), adapt(text, at, port)).unwrap();
        let log = std::fs::File::create(at.join("log")).unwrap();
        let child =
            Command::new(program).arg("-c").arg(at.join(file)).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let mut server = Self { folder, port, child };
        until("the broker listens", || {
            assert!(server.child.try_wait().unwrap().is_none(), "it ended: {}", server.log());
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        server
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    fn at(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    /// The client whose certificate is `name` in `folder`; nobody's for `None`.
    fn client(&self, certificate: Option<&str>) -> TlsConfiguration {
        let read = |file: String| std::fs::read(self.at(&file)).unwrap();
        let client_auth = certificate.map(|name| (read(format!("{name}.pem")), read(format!("{name}.key"))));
        TlsConfiguration::Simple { ca: read("ca.pem".into()), alpn: None, client_auth }
    }

    fn listener(&self, certificate: Option<&str>, filters: &[&str]) -> Listener {
        Listener::start(self.port, Who { tls: Some(self.client(certificate)), ..Who::default() }, filters)
    }

    /// Subscribed. A broker may refuse some of the filters; it answers all of them.
    fn ready(&self, certificate: &str, filters: &[&str]) -> Listener {
        let listener = self.listener(Some(certificate), filters);
        until("the listener is subscribed", || listener.granted().len() >= filters.len());
        listener
    }

    /// How usher reaches it, by the box's certificate.
    fn broker(&self) -> Broker {
        let tls = Tls {
            ca: Some(self.at("ca.pem")),
            certificate: Some(self.at("box-1.pem")),
            key: Some(self.at("box-1.key")),
        };
        Broker::External { host: "127.0.0.1".into(), port: self.port, tls: Some(tls), login: None, websocket: None }
    }
}

fn certificates(folder: &Path, names: &[&str]) {
    let done =
        Command::new("sh").arg(docs("certificates.sh")).arg(folder).arg("127.0.0.1").args(names).output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

const GREETING: &str = "usher/v1/arena/gate/north/greeting";
const VISIT: &str = "usher/v1/arena/gate/north/visit";
/// What no client of these tests but usher may say.
const FORGED: &str = r#"{"forged":true}"#;

fn is_forged(heard: &Heard) -> bool {
    heard.body["forged"] == true
}

/// What the table of `docs/events` promises, held against a broker.
fn keeps_its_promises(server: &Server) {
    let data = tempfile::tempdir().unwrap();
    let rig = Rig::start(data.path(), settings(server.broker()));
    until("usher is connected by its certificate", || rig.health.broker() == BrokerState::Up);

    // Nobody, and somebody with a certificate of the same name by another authority.
    let nobody = server.listener(None, &[GREETING]);
    let stranger = server.listener(Some("strangers/box-1"), &[GREETING]);
    until("both are refused", || !nobody.errors().is_empty() && !stranger.errors().is_empty());

    let monitor = server.ready("monitor", &["usher/v1/arena/#"]);
    let screen = server.listener(
        Some("screen-north"),
        &[GREETING, "usher/v1/arena/gate/south/greeting", "usher/v1/arena/gate/+/greeting", VISIT],
    );
    let turnstile = server.listener(Some("turnstile-north"), &[VISIT, GREETING]);
    until("they are answered", || screen.granted().len() >= 4 && turnstile.granted().len() >= 2);

    // Whatever they say is heard by nobody, but a screen's sign of life.
    let said = [
        (&screen, GREETING),
        (&screen, VISIT),
        (&screen, "usher/v1/arena/screen/screen-south/alive"),
        (&turnstile, VISIT),
        (&turnstile, GREETING),
        (&monitor, GREETING),
    ];
    for (who, topic) in said {
        who.client.publish(topic, QoS::AtMostOnce, false, FORGED).unwrap();
        std::thread::sleep(Duration::from_millis(50));
    }
    let alive = r#"{"gate":"north","shows":"idle"}"#;
    until("a screen's sign of life is heard", || {
        screen.client.publish("usher/v1/arena/screen/screen-north/alive", QoS::AtMostOnce, false, alive).unwrap();
        std::thread::sleep(Duration::from_millis(50));
        rig.health.screens(rig.clock.now()).contains_key(&name("screen-north"))
    });
    assert_eq!(rig.health.screens(rig.clock.now()).len(), 1, "a screen speaks of itself only");

    // A visit at each of two gates.
    rig.welcome();
    let mut elsewhere = rig.visit();
    let mut camera = usher::capture::frame::Camera::clone(&elsewhere.camera);
    camera.gate = name("south");
    elsewhere.camera = Arc::new(camera);
    rig.visits.send(elsewhere).unwrap();
    until("the monitor hears both", || monitor.bodies("/visit").len() == 2 && monitor.bodies("/greeting").len() == 2);
    until("the turnstile and the screen hear theirs", || !turnstile.heard().is_empty() && !screen.heard().is_empty());
    // What was on its way to them came before this.
    rig.welcome();
    until("so do they once more", || turnstile.bodies("/visit").len() == 2 && screen.bodies("/greeting").len() >= 2);

    assert!(monitor.heard().iter().all(|heard| !is_forged(heard)), "nobody but usher says anything");
    assert!(turnstile.heard().iter().all(|heard| heard.topic == VISIT), "a turnstile hears visits at its gate");
    assert!(screen.heard().iter().all(|heard| heard.topic == GREETING), "a screen hears its own gate, and no visits");
    let key = rig.published.key();
    assert!(
        monitor
            .heard()
            .iter()
            .filter(|heard| heard.topic.contains("/gate/"))
            .all(|heard| key.has_signed(&heard.topic, &heard.bytes))
    );
    for refused in [&nobody, &stranger] {
        assert!(
            !refused.is_connected() && refused.heard().is_empty() && refused.granted().is_empty(),
            "{:?}",
            refused.errors()
        );
    }
    rig.stop();
}

#[test]
fn mosquitto_as_the_example_has_it_admits_by_certificate_and_lets_each_do_its_own() {
    let program = ["/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"];
    let program = program.into_iter().find(|path| Path::new(path).exists());
    let program = program.expect("this test needs mosquitto: apt-get install mosquitto");
    let server = Server::start(program, "mosquitto.conf", |text, at, port| {
        let text = text.replace("listener 8883", &format!("listener {port} 127.0.0.1"));
        let text = text.replace("listener 8884", &format!("listener {} 127.0.0.1", free_port()));
        // The files are this test's user's.
        format!("{text}\nuser root\npersistence_location {}/\n", at.display())
    });
    keeps_its_promises(&server);
}

#[test]
fn nats_as_the_example_has_it_admits_by_certificate_and_lets_each_do_its_own() {
    let programs = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
    let program = programs.into_iter().find(|path| Path::new(path).exists());
    let program = program.expect("this test needs nats-server: apt-get install nats-server");
    let server = Server::start(program, "nats.conf", |text, _, port| {
        text.replace("0.0.0.0:8883", &format!("127.0.0.1:{port}"))
            .replace("127.0.0.1:4222", &format!("127.0.0.1:{}", free_port()))
    });
    keeps_its_promises(&server);
}
