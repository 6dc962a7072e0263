//! The contract in `docs/events`: fresh, and kept by real events.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

mod publish_support;

use publish_support::{Listener, Rig, Who, settings, until};
use std::{collections::BTreeMap, path::PathBuf};
use usher::publish::contract::{asyncapi, schemas};
use usher_config::publish::Broker;

fn docs(file: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../docs/events").join(file)
}

#[test]
fn docs_events_is_generated_from_the_types() {
    let mut files: Vec<_> =
        schemas().into_iter().map(|(name, schema)| (format!("{name}.schema.json"), schema)).collect();
    files.push(("asyncapi.json".into(), asyncapi()));
    for (file, value) in files {
        let wanted = serde_json::to_string_pretty(&value).unwrap() + "\n";
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(docs(&file), &wanted).unwrap();
        }
        let written = std::fs::read_to_string(docs(&file)).unwrap_or_default();
        assert!(
            written == wanted,
            "docs/events/{file} is stale; BLESS=1 cargo test --test publish_contract writes it anew"
        );
    }
}

#[test]
fn what_is_sent_is_what_the_contract_says() {
    let data = tempfile::tempdir().unwrap();
    let at = ([127, 0, 0, 1], 0).into();
    let rig = Rig::start(data.path(), settings(Broker::Embedded { listen: at, websocket: at }));
    let password = std::fs::read_to_string(data.path().join("integrator.password")).unwrap();
    let who = Who { login: Some(("integrator".into(), password)), ..Who::default() };
    let listener = Listener::ready(rig.published.listens().unwrap().port(), who, &["usher/v1/arena/#"]);
    rig.welcome();
    rig.notice();
    rig.count(12);
    let kinds = [
        ("visit", "/visit"),
        ("greeting", "/greeting"),
        ("face", "/face"),
        ("notice", "/notice"),
        ("flow", "/flow"),
        ("forecast", "/forecast"),
        ("programme", "/programme"),
        ("status", "/status"),
        ("camera", "/state"),
    ];
    until("every kind is heard", || kinds.iter().all(|(_, end)| !listener.bodies(end).is_empty()));
    rig.stop();
    // What is heard from now on, as a last state, is not asked about.
    let heard = listener.heard();
    let (schemas, asyncapi) = (schemas(), asyncapi());
    let stray = heard.iter().find(|heard| !kinds.iter().any(|(_, end)| heard.topic.ends_with(end)));
    assert!(stray.is_none(), "{stray:?}");
    let mut events = BTreeMap::new();
    for (kind, end) in kinds {
        let schema = jsonschema::validator_for(&schemas[kind]).unwrap();
        let address = asyncapi["channels"][kind]["address"].as_str().unwrap();
        assert!(address.starts_with("usher/v1/{site}/") && address.ends_with(end), "{address}");
        for body in heard.iter().filter(|heard| heard.topic.ends_with(end)).map(|heard| &heard.body) {
            let faults: Vec<String> = schema.iter_errors(body).map(|error| error.to_string()).collect();
            assert_eq!(faults, Vec::<String>::new(), "{kind}");
            // An event may come twice (as it is sent and as the last state, or sent anew), and is the same event then.
            let first = events.entry(body["id"].to_string()).or_insert_with(|| body.clone());
            assert_eq!(first, body, "every event has its own id");
            // The contract says enough: a body without its data is refused.
            let mut hollow = body.clone();
            hollow.as_object_mut().unwrap().retain(|key, _| !key.starts_with("data"));
            assert!(!schema.is_valid(&hollow), "{kind}");
        }
    }
    assert!(events.len() >= kinds.len());
}
