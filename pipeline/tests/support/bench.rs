//! A gate that greets without end, for those who play faults on it: whoever is enrolled walks up, and one who is not.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(dead_code, reason = "each user of this file needs a part of it")]

use crate::{
    gate::{Box, Running, free, pictures, root},
    tablet::Tablet,
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    net::SocketAddr,
    process::Command,
    time::{Duration, Instant},
};
use usher::cli::crowd::png_of;
use usher_config::crowd::{Crowd, Person};

/// Generous: a gate that shares its processors with a dozen others is slow to see anybody.
pub(crate) const PATIENCE: Duration = Duration::from_secs(120);
/// No greeting is older when it is heard.
pub(crate) const GREETING: &str = "10 s";
/// Who never asked to be known.
pub(crate) const STRANGER: &str = "walter";

/// Everybody who walks up, in one picture each.
pub(crate) fn people() -> Vec<Person> {
    let mut people = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap().people;
    people.retain(|person| ["oscar", "ada", STRANGER].contains(&person.who.as_str()));
    people.iter_mut().for_each(|person| person.looks.truncate(1));
    people
}

/// A crowd file of these people; `shape` is its size, its rate and how they walk.
pub(crate) fn crowd(shape: &str, people: &[Person]) -> String {
    let mut crowd = format!("{shape}pictures: {}\nlooped: true\npeople:\n", pictures().unwrap().display());
    for person in people {
        let look = &person.looks[0];
        crowd += &format!(
            "- who: {}\n  looks:\n  - {{ picture: {}, face: {:?}, eyes: {:?} }}\n",
            person.who,
            look.picture.display(),
            look.face,
            look.eyes
        );
    }
    crowd
}

/// How the people of [`Bench::new`] come.
const WALKS: &str = "seed: 3\nwidth: 960\nheight: 540\ntogether: 2\n\
     walk: { approach_s: 1, pause_least_s: 2.5, pause_most_s: 2.5, leave_s: 0.3, gap_s: 0.2 }\n";

fn embedded(mqtt: SocketAddr, websocket: SocketAddr) -> String {
    format!("embedded, listen: \"{mqtt}\", websocket: \"{websocket}\"")
}

/// A gate before which these people walk up without end, and its station.
pub(crate) struct Bench {
    pub(crate) gate: Box,
    pub(crate) station: SocketAddr,
    /// Ids of those who asked to be known.
    pub(crate) known: BTreeSet<String>,
}

impl Bench {
    /// One camera of five pictures a second, an embedded broker.
    pub(crate) fn new() -> Self {
        Self::made(5, &[("cam", "stills:crowd.yaml".to_owned())], "", embedded)
    }

    /// The same, with as much to do as one processor has time for about half of: each of thirty pictures a second is looked at.
    pub(crate) fn busy() -> Self {
        let every = "infer: { analysed_fps: 30, calm_fps: 30, unchanged: 0 s }\n";
        Self::made(30, &[("cam", "stills:crowd.yaml".to_owned())], every, embedded)
    }

    /// These cameras at one gate, and `broker` as it is configured.
    pub(crate) fn with(cameras: &[(&str, String)], broker: impl FnOnce(SocketAddr, SocketAddr) -> String) -> Self {
        Self::made(5, cameras, "", broker)
    }

    fn made(
        fps: u32,
        cameras: &[(&str, String)],
        more: &str,
        broker: impl FnOnce(SocketAddr, SocketAddr) -> String,
    ) -> Self {
        let names = cameras.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let cameras: String = cameras.iter().map(|(name, url)| format!("  {name}: {{ url: \"{url}\" }}\n")).collect();
        let files = [("crowd.yaml".to_owned(), crowd(&format!("fps: {fps}\n{WALKS}"), &people()))];
        Self::configured(&files, |[pages, mqtt, websocket], station| {
            format!(
                "site: test\ndata: data\ncameras:\n{cameras}\
                 gates: {{ gate: {{ cameras: [{names}], quiet: 1 s, mode: identification, responsible: the test }} }}\n\
                 gallery: {{ keep: 24 h, notice: {{ controller: The Test Venue, contact: privacy@test.example }} }}\n\
                 publish: {{ greeting: {GREETING}, broker: {{ url: {} }} }}\n\
                 web: {{ listen: \"{pages}\", enrol: {{ listen: \"{station}\" }} }}\n{more}",
                broker(mqtt, websocket)
            )
        })
    }

    /// A gate of this configuration, told addresses for pages, MQTT and WebSocket, and for a station; `files` lie beside it.
    pub(crate) fn configured(
        files: &[(String, String)],
        text: impl FnOnce([SocketAddr; 3], SocketAddr) -> String,
    ) -> Self {
        let station = free();
        let gate = Box::configured(env!("CARGO_BIN_EXE_usher"), |addresses| text(addresses, station)).unwrap();
        files.iter().for_each(|(name, text)| fs::write(gate.folder.path().join(name), text).unwrap());
        let mut known = BTreeSet::new();
        for person in people().iter().filter(|person| person.who != STRANGER) {
            let picture = gate.folder.path().join("given.png");
            fs::write(&picture, png_of(&pictures().unwrap(), &person.looks[0]).unwrap()).unwrap();
            let arguments = ["enrol", "--agreed", "--json", "--name", &person.who, "--sport", "Judo"];
            let enrolled = gate.usher().args(arguments).arg(&picture).output().unwrap();
            let told: Value = serde_json::from_slice(&enrolled.stdout).unwrap_or_else(|_| panic!("{enrolled:?}"));
            known.insert(told["id"].as_str().unwrap().to_owned());
        }
        Self { gate, station, known }
    }

    /// All that the gate has said.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.gate.folder.path().join("usher.log")).unwrap_or_default()
    }

    /// `usher run`, whose words go to the log.
    pub(crate) fn command(&self) -> Command {
        let log = File::options().create(true).append(true).open(self.gate.folder.path().join("usher.log")).unwrap();
        let mut command = self.gate.usher();
        command.arg("run").stdout(log.try_clone().unwrap()).stderr(log);
        command
    }

    /// The gate, running, changed by `on` before it starts.
    pub(crate) fn run(&self, on: impl FnOnce(&mut Command)) -> Running {
        let mut command = self.command();
        on(&mut command);
        let running = Running(command.spawn().unwrap());
        self.until("the gate is ready", PATIENCE, || self.ready().starts_with("HTTP/1.1 200"));
        running
    }

    /// Its station, opened with the token that it said last.
    pub(crate) fn tablet(&self) -> Tablet {
        let said = self.log();
        let token = said.lines().rev().find_map(|line| line.strip_prefix("token")?.split_whitespace().next());
        Tablet::opened(self.station, &self.gate.data(), token.unwrap())
    }

    /// What `/readyz` answers; nothing where nobody does.
    pub(crate) fn ready(&self) -> String {
        self.gate.get("/readyz").unwrap_or_default()
    }

    /// Waits until `holds`; how long that took.
    pub(crate) fn until(&self, what: &str, patience: Duration, mut holds: impl FnMut() -> bool) -> Duration {
        let begun = Instant::now();
        while !holds() {
            let told = self.ready();
            assert!(begun.elapsed() < patience, "waited in vain for this: {what}; {told}; {}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
        begun.elapsed()
    }

    /// Visits decided since the gate started.
    pub(crate) fn decided(&self) -> f64 {
        self.asked_decided().unwrap()
    }

    /// The same; nothing where nobody answers.
    pub(crate) fn asked_decided(&self) -> Option<f64> {
        let page = self.gate.get("/metrics").ok()?;
        let welcomed = page.lines().filter(|line| line.starts_with("usher_decisions_total{"));
        let welcomed = welcomed.filter(|line| line.contains("deed=\"welcomed\""));
        Some(welcomed.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// That the audit log agrees with who is enrolled.
    pub(crate) fn audit_is_whole(&self) -> bool {
        let verified = self.gate.usher().args(["audit", "verify", "--json"]).output().unwrap();
        let report: Value = serde_json::from_slice(&verified.stdout).unwrap();
        assert_eq!(report["whole"], true, "{report}");
        true
    }
}

/// Of what was heard: how many greetings.
pub(crate) fn greetings(heard: &[(String, Vec<u8>)]) -> usize {
    heard.iter().filter(|(topic, _)| topic.ends_with("/greeting")).count()
}

/// Ids of visits, and of whom.
pub(crate) fn visits(heard: &[(String, Vec<u8>)]) -> (BTreeSet<String>, BTreeSet<String>) {
    let visits = heard.iter().filter(|(topic, _)| topic.ends_with("/visit"));
    let told = visits.map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    told.map(|event| (text(&event["id"]), text(&event["data"]["visitor"]))).unzip()
}
