//! Every key of the configuration is either taken up by a running gate or named as waiting for a restart: nothing is silently ignored.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by ending")]

use serde_json::{Value, json};
use std::{collections::BTreeSet, fs, path::Path};
use usher_config::{
    Config,
    document::table,
    from_text,
    reload::{AT_RESTART, held, waits},
};

/// A key, its other value, and what else is written for that to be allowed; null takes away.
type Other = (&'static str, Value, Vec<(&'static str, Value)>);

/// Each key of the schema with another value than that of [`base`], and what else must be written for it to be allowed.
fn others() -> Vec<Other> {
    let text = |pairs: &[(&'static str, &str)]| -> Vec<Other> {
        pairs.iter().map(|(key, other)| (*key, json!(other), Vec::new())).collect()
    };
    let mut all = text(&[
        ("site", "south-park"),
        ("data", "elsewhere"),
        ("cameras.*.url", "rtsps://192.168.50.12/stream"),
        ("cameras.*.login.user", "other"),
        ("cameras.*.login.password", "another"),
        ("cameras.*.ca", "other.pem"),
        ("cameras.*.transport", "udp"),
        ("cameras.*.count.by", "motion"),
        ("cameras.*.count.direction", "up"),
        ("cameras.*.count.at", "back"),
        ("cameras.*.count.within", "5 s"),
        ("cameras.*.latency", "200 ms"),
        ("cameras.*.silence", "4 s"),
        ("gates.*.quiet", "20 min"),
        ("gates.*.liveness", "required"),
        ("gates.*.responsible", "Lee"),
        ("gates.*.wait_limit", "9 min"),
        ("infer.device", "cpu"),
        ("infer.embedder", "mobilefacenet"),
        ("infer.detector", "own"),
        ("infer.next_embedder", "mobilefacenet"),
        ("infer.liveness", "minifasnet+own"),
        ("infer.input", "320x192"),
        ("infer.unchanged", "2 s"),
        ("gallery.key", "box.key"),
        ("gallery.keep", "48 h"),
        ("gallery.event_ends", "2026-12-06T23:00+09:00"),
        ("gallery.notice.controller", "somebody"),
        ("gallery.notice.contact", "somewhere"),
        ("gallery.notice.texts", "texts"),
        ("rules.wrong_greetings", "1 per 2000 visitors who never enrolled"),
        ("rules.apart", "90 ms"),
        ("rules.over", "300 ms"),
        ("guide.programme", "programme.yaml"),
        ("guide.places", "places.geojson"),
        ("guide.transit", "transit.zip"),
        ("flow.record", "counts"),
        ("flow.keep", "90 d"),
        ("flow.history", "history"),
        ("flow.weather", "weather.csv"),
        ("publish.broker.url", "mqtts://other.example:8883"),
        ("publish.broker.websocket", "wss://other.example:8884/mqtt"),
        ("publish.broker.login.user", "other"),
        ("publish.broker.login.password", "another"),
        ("publish.broker.tls.ca", "other.pem"),
        ("publish.greeting", "9 s"),
        ("publish.keep", "24 h"),
        ("signage.language", "ko"),
        ("signage.theme", "theme"),
        ("signage.playlist", "playlist"),
        ("signage.slide", "20 s"),
        ("signage.night", "21:00-06:00"),
        ("web.listen", "127.0.0.1:8081"),
        ("web.enrol.listen", "127.0.0.1:8444"),
        ("web.enrol.address", "https://other.example"),
    ]);
    let mut also = |key, other, with: Vec<(&'static str, Value)>| all.push((key, other, with));
    let triangle = json!([[0.2, 0.3], [0.8, 0.3], [0.5, 1.0]]);
    let none = Vec::new;
    also("cameras.*.login.password_file", json!("other.pem"), vec![("cameras.*.login.password", Value::Null)]);
    also("cameras.*.zone", triangle.clone(), none());
    also("cameras.*.count.line", json!([[0.0, 0.4], [1.0, 0.4]]), none());
    let no_line = vec![("cameras.*.count.line", Value::Null), ("cameras.*.count.direction", Value::Null)];
    also("cameras.*.count.zone", triangle, no_line);
    also("cameras.*.count.person", json!(0.3), vec![("cameras.*.count.by", json!("motion"))]);
    also("capture.allow", json!(["192.168.0.0/16"]), none());
    also("cameras.*.count.place", Value::Null, vec![("cameras.gate-b-2.count.place", Value::Null)]);
    also(
        "gates.*.cameras",
        json!(["gate-b-1", "gate-b-2", "gate-b-3"]),
        vec![("cameras.gate-b-3.url", json!("/dev/video1"))],
    );
    also("gates.*.mode", json!("pass"), vec![("gates.*.responsible", Value::Null)]);
    also("gates.*.lanes", json!(9), none());
    also("gates.*.open_lanes", json!(3), none());
    also("gates.*.lane_rate", json!(12.0), none());
    also("infer.mirror_looks", json!(true), none());
    also("infer.confidence", json!(0.7), none());
    also("infer.inter_eye_px", json!(30.0), none());
    also("infer.workers", json!(3), none());
    also("infer.analysed_fps", json!(10), none());
    also("infer.calm_fps", json!(5), none());
    also("gallery.notice.guardian_age", json!(18), none());
    also("rules.looks", json!(4), none());
    also("rules.margin", json!(0.07), none());
    also("rules.household_margin", json!(0.2), none());
    let embedded = ["login", "tls", "websocket"].map(|key| match key {
        "login" => ("publish.broker.login", Value::Null),
        "tls" => ("publish.broker.tls", Value::Null),
        _ => ("publish.broker.websocket", Value::Null),
    });
    let embedded = embedded.into_iter().chain([("publish.broker.url", json!("embedded"))]).collect();
    also("publish.broker.listen", json!("127.0.0.1:1884"), embedded);
    also(
        "publish.broker.login.password_file",
        json!("other.pem"),
        vec![("publish.broker.login.password", Value::Null)],
    );
    also("publish.broker.tls.certificate", json!("other.pem"), vec![("publish.broker.tls.key", json!("other.pem"))]);
    also("publish.broker.tls.key", json!("other.pem"), vec![("publish.broker.tls.certificate", json!("other.pem"))]);
    also("publish.face", json!(false), none());
    also("signage.keys", json!(["d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"]), none());
    also("web.why.pictures", json!(true), none());
    also("web.enrol.certificate", json!("other.pem"), vec![("web.enrol.key", json!("other.pem"))]);
    also("web.enrol.key", json!("other.pem"), vec![("web.enrol.certificate", json!("other.pem"))]);
    all
}

fn base() -> Value {
    json!({
        "site": "north-park",
        "data": "data",
        "cameras": { "gate-b-1": {
            "url": "rtsps://192.168.50.11/stream",
            "login": { "user": "usher", "password": "change-me" },
            "ca": "ca.pem",
            "count": { "line": [[0.0, 0.5], [1.0, 0.5]], "direction": "down", "place": "door" },
        }, "gate-b-2": { "url": "/dev/video0", "count": { "place": "door" } } },
        "gates": { "gate-b": {
            "cameras": ["gate-b-1", "gate-b-2"], "liveness": "advisory", "mode": "identification", "responsible": "Kim",
            "lanes": 8, "open_lanes": 4, "lane_rate": 10.0, "wait_limit": "5 min",
        } },
        "gallery": { "notice": { "controller": "the organiser", "contact": "them" } },
        "publish": { "broker": {
            "url": "mqtts://broker.example:8883", "websocket": "wss://broker.example:8884/mqtt",
            "login": { "user": "usher", "password": "change-me" }, "tls": { "ca": "ca.pem" },
        } },
        "web": { "enrol": { "listen": "127.0.0.1:8443", "address": "https://gate.example" } },
    })
}

/// Writes a value at a key; `*` is the name of the base's own. Null takes it away.
fn set(document: &mut Value, key: &str, value: &Value) {
    let (mut node, parts) = (document, key.split('.').collect::<Vec<_>>());
    let own = if key.starts_with("gates") { "gate-b" } else { "gate-b-1" };
    let (last, above) = parts.split_last().unwrap();
    for part in above {
        let part = if *part == "*" { own } else { part };
        node = node.as_object_mut().unwrap().entry(part).or_insert(json!({}));
    }
    match value {
        Value::Null => drop(node.as_object_mut().unwrap().remove(*last)),
        value => drop(node.as_object_mut().unwrap().insert((*last).to_owned(), value.clone())),
    }
}

/// A folder with every file that the texts name.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ca.pem", "other.pem", "box.key", "programme.yaml", "places.geojson", "transit.zip", "weather.csv"] {
        fs::write(folder.path().join(name), "x\n").unwrap();
    }
    fs::create_dir_all(folder.path().join("data/models")).unwrap();
    fs::write(folder.path().join("data/models/own.safetensors"), "").unwrap();
    for name in ["texts", "history", "theme", "playlist", "counts"] {
        fs::create_dir(folder.path().join(name)).unwrap();
    }
    for name in ["texts/en.txt", "theme/theme.css"] {
        fs::write(folder.path().join(name), "x\n").unwrap();
    }
    folder
}

fn read(document: &Value, folder: &Path) -> Config {
    from_text(&document.to_string(), "gate.yaml", folder).unwrap_or_else(|problems| panic!("{document}\n{problems}"))
}

/// The keys of the schema that hold values, as the documentation lists them.
fn keys() -> BTreeSet<String> {
    let table = table(&usher_config::json_schema());
    let rows: Vec<(&str, &str)> = table
        .lines()
        .skip(2)
        .map(|row| {
            let mut cells = row.split('|').skip(1);
            (cells.next().unwrap().trim().trim_matches('`'), cells.next().unwrap().trim())
        })
        .collect();
    let holds_keys =
        |key: &str| rows.iter().any(|(other, _)| other.strip_prefix(key).is_some_and(|rest| rest.starts_with('.')));
    rows.iter().map(|(key, _)| *key).filter(|key| !holds_keys(key)).map(str::to_owned).collect()
}

#[test]
fn every_key_is_taken_up_or_named_as_waiting() {
    let (folder, others) = (folder(), others());
    let tried: BTreeSet<String> = others.iter().map(|(key, ..)| (*key).to_owned()).collect();
    let all = keys();
    assert!(all.len() >= 80, "{all:?}");
    assert_eq!(tried, all, "a key was added: decide whether a running gate takes it up, and try it here");
    let (mut taken, mut waiting) = (0, 0);
    for (key, other, with) in &others {
        let (mut before, mut after) = (base(), base());
        for (also, value) in with {
            set(&mut before, also, value);
            set(&mut after, also, value);
        }
        if key.ends_with(".password_file") || key.ends_with(".certificate") || key.ends_with(".key") && with.len() == 1
        {
            // These come in pairs: one file before, another after.
            set(&mut before, key, &json!("ca.pem"));
            fs::write(folder.path().join("ca.pem"), "before\n").unwrap();
        } else if *key == "gates.*.mode" {
            set(&mut before, "gates.*.responsible", &json!("Kim"));
        } else if *key == "cameras.*.count.place" {
            [("cameras.gate-b-1", "door"), ("cameras.gate-b-2", "door")]
                .iter()
                .for_each(|(camera, place)| set(&mut before, &format!("{camera}.count.place"), &json!(place)));
        } else if *key == "cameras.*.count.at" {
            // At the back of the queue nobody sees the same people as at the gate.
            for document in [&mut before, &mut after] {
                set(document, "cameras.gate-b-2.count.place", &Value::Null);
                set(document, "cameras.gate-b-1.count.place", &Value::Null);
            }
        } else if *key == "gates.*.cameras" {
            // Whose the camera is: another gate's before.
            set(&mut before, "gates.other.cameras", &json!(["gate-b-3"]));
        }
        set(&mut after, key, other);
        let [running, read] = [&before, &after].map(|document| read(document, folder.path()));
        assert_ne!(running, read, "`{key}` means nothing else");
        let found = held(&running, &read, true);
        let path = key.replace("cameras.*", "cameras.gate-b-1").replace("gates.*", "gates.gate-b");
        if waits(key) {
            waiting += 1;
            let names = |waits: &String| {
                path == *waits || path.strip_prefix(waits.as_str()).is_some_and(|rest| rest.starts_with('.'))
            };
            assert!(found.waiting.iter().any(names), "`{key}` is not named: {:?}", found.waiting);
            assert_eq!(found.config, running, "`{key}` waits, and what runs stays");
        } else {
            taken += 1;
            assert_eq!((&found.waiting, &found.config), (&Vec::new(), &read), "`{key}` is taken up as it was read");
        }
    }
    println!("{taken} keys are taken up, {waiting} wait for a restart");
}

#[test]
fn what_waits_is_a_key_each_and_none_is_listed_twice() {
    let table = table(&usher_config::json_schema());
    for key in AT_RESTART {
        assert!(table.contains(&format!("| `{key}` |")), "`{key}` is no key");
        let above =
            AT_RESTART.iter().filter(|other| key.strip_prefix(**other).is_some_and(|rest| rest.starts_with('.')));
        assert_eq!(above.count(), 0, "`{key}` waits already with what holds it");
    }
    assert!(AT_RESTART.is_sorted());
}

#[test]
fn liveness_waits_where_no_network_judges_it() {
    let (folder, mut off) = (folder(), base());
    set(&mut off, "gates.*.liveness", &json!("off"));
    let [running, read] = [&off, &base()].map(|document| read(document, folder.path()));
    let found = held(&running, &read, false);
    assert_eq!((found.waiting, found.config), (vec!["gates.gate-b.liveness".to_owned()], running.clone()));
    assert_eq!(held(&running, &read, true).config, read, "where one was opened at start it is taken up");
}
