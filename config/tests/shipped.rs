//! The files that are shipped: they are read, complete, and equal to the code.
//!
//! Schemas and `docs/config.md` are generated: `BLESS=1 cargo test -p usher-config --test shipped` writes them anew.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use std::{collections::BTreeSet, fs, path::Path, time::Duration};
use usher_config::{
    Config,
    crowd::Crowd,
    document::{json_schema, table},
    from_text,
    gallery::{Gallery, Notice},
    guide::Guide,
    identify::Rules,
    infer::{Device, Infer},
    places,
    places::Kind,
    programme,
    publish::{Broker, Publish},
    read,
    signage::Signage,
    value::Size,
    web::{Web, Why},
};

fn here(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// What a section is when nothing is written.
fn defaults() -> (Infer, Gallery, Rules, Guide, Publish, Signage, Web) {
    (
        Infer {
            device: Device::Auto,
            detector: "yunet".to_owned(),
            embedder: "sface".to_owned(),
            next_embedder: None,
            liveness: "minifasnet".to_owned(),
            mirror_looks: false,
            input: Size { width: 640, height: 384 },
            confidence: 0.6,
            inter_eye_px: 20.0,
            workers: None,
            analysed_fps: 15,
            calm_fps: 8,
            unchanged: Duration::from_secs(1),
        },
        Gallery { key: None, keep: Duration::from_secs(24 * 3600), event_ends: None, notice: Notice::default() },
        Rules {
            wrong_greetings: 0.001,
            looks: 3,
            apart: Duration::from_millis(80),
            over: Duration::from_millis(250),
            margin: 0.06,
            household_margin: 0.15,
        },
        Guide::default(),
        Publish {
            broker: Broker::Embedded {
                listen: "127.0.0.1:1883".parse().unwrap(),
                websocket: "127.0.0.1:8083".parse().unwrap(),
            },
            greeting: Duration::from_secs(8),
            face: true,
            keep: Duration::from_secs(72 * 3600),
        },
        Signage {
            language: "en".to_owned(),
            theme: None,
            playlist: None,
            slide: Duration::from_secs(10),
            night: None,
            keys: Vec::new(),
        },
        Web { listen: "127.0.0.1:8080".parse().unwrap(), why: Why { pictures: false }, enrol: None },
    )
}

fn sections(config: Config) -> (Infer, Gallery, Rules, Guide, Publish, Signage, Web) {
    (config.infer, config.gallery, config.rules, config.guide, config.publish, config.signage, config.web)
}

const SHORT: &str = "site: north-park\ncameras:\n  gate-b-1: { url: rtsp://192.168.50.11/stream }\n\
                     gates:\n  gate-b: { cameras: [gate-b-1] }\n";

#[test]
fn the_short_file_means_the_documented_defaults() {
    let config = from_text(SHORT, "short.yaml", Path::new("")).unwrap();
    let camera = &config.cameras.values().next().unwrap();
    assert_eq!((camera.latency, camera.silence), (Duration::from_millis(100), Duration::from_secs(2)));
    assert!(camera.zone.is_empty() && camera.login.is_none());
    assert_eq!(config.gates.values().next().unwrap().quiet, Duration::from_secs(600));
    assert_eq!(sections(config), defaults());
}

#[test]
fn usher_yaml_shows_every_default() {
    let mut shown = read(&here("usher.yaml")).unwrap();
    let mut short = from_text(SHORT, "short.yaml", Path::new("")).unwrap();
    for camera in shown.cameras.values_mut() {
        assert_eq!(camera.login.take().unwrap().password.reveal(), "change-me");
    }
    for config in [&mut shown, &mut short] {
        config.data = std::path::PathBuf::new();
        config.flow.record = std::path::PathBuf::new();
    }
    assert_eq!(shown, short);
}

#[test]
fn usher_yaml_shows_every_key() {
    let text = fs::read_to_string(here("usher.yaml")).unwrap();
    let words: BTreeSet<&str> = text.split(|c: char| !(c.is_alphanumeric() || c == '_')).collect();
    for row in table(&usher_config::json_schema()).lines().skip(2) {
        let path = row.split('`').nth(1).unwrap();
        let key = path.rsplit('.').next().unwrap();
        assert!(words.contains(key), "usher.yaml does not show `{path}`");
    }
}

#[test]
fn the_demo_its_crowd_and_its_programme_are_read() {
    let sessions = programme::read(&here("programme.yaml")).unwrap().sessions;
    assert!(sessions.len() >= 20);
    let demo = read(&here("demo.yaml")).unwrap();
    assert_eq!(demo.guide.programme, Some(here("programme.yaml")));
    Crowd::read(&here("demo-crowd.yaml")).unwrap();
}

#[test]
fn the_shipped_site_has_the_programmes_venues_and_gates_and_much_to_eat() {
    let (site, remarks) = places::read_remarked(&here("places.geojson")).unwrap();
    assert!(remarks.is_empty(), "{remarks:?}");
    let names = |kind: Kind| -> BTreeSet<&str> {
        site.places.iter().filter(|place| place.kind == kind).map(|place| place.name.as_str()).collect()
    };
    for session in programme::read(&here("programme.yaml")).unwrap().sessions {
        assert!(names(Kind::Venue).contains(session.venue.as_str()), "{}", session.venue);
        assert!(session.gate.is_none_or(|gate| names(Kind::Gate).contains(gate.as_str())));
    }
    assert!(site.places.iter().filter(|place| place.kind.is_food()).count() >= 25);
    for diet in places::DIETS {
        assert!(site.places.iter().any(|place| place.diets.iter().any(|met| met == diet)), "{diet}");
    }
    assert!(Kind::ALL.iter().all(|(_, kind)| site.places.iter().any(|place| place.kind == *kind)));
    assert!(site.paths.iter().any(|path| !path.step_free) && site.areas.iter().any(|area| area.kind == "water"));
}

#[test]
fn every_shipped_yaml_points_editors_at_its_schema() {
    for entry in fs::read_dir(here("")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|end| end != "yaml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let schema = text.lines().next().and_then(|line| line.strip_prefix("# yaml-language-server: $schema="));
        let schema = schema.unwrap_or_else(|| panic!("{} names no schema in its first line", path.display()));
        assert!(here(schema).is_file(), "{} names {schema}, which is not there", path.display());
    }
}

/// Holds a generated file against what the code generates; with `BLESS=1`, writes it.
fn fresh(path: &Path, made: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, made).unwrap();
    }
    let found = fs::read_to_string(path).unwrap_or_default();
    assert!(found == made, "{} is stale: run `BLESS=1 cargo test -p usher-config --test shipped`", path.display());
}

#[test]
fn the_schemas_are_fresh() {
    for (name, schema) in [
        ("usher.schema.json", usher_config::json_schema()),
        ("programme.schema.json", programme::json_schema()),
        ("places.schema.json", places::json_schema()),
        ("crowd.schema.json", json_schema::<Crowd>()),
        ("walks.schema.json", usher_config::walks::json_schema()),
        ("wishes.schema.json", usher_config::wishes::json_schema()),
    ] {
        fresh(&here(name), &(serde_json::to_string_pretty(&schema).unwrap() + "\n"));
    }
}

/// The table with a mark at each key that waits for a restart.
fn marked(table: &str) -> String {
    let key = |row: &str| row.strip_prefix("| `").and_then(|rest| rest.split_once('`')).map(|(key, _)| key.to_owned());
    let row = |row: &str| match key(row).filter(|key| usher_config::reload::waits(key)) {
        Some(key) => row.replacen(&format!("| `{key}` |"), &format!("| `{key}` ↻ |"), 1),
        None => row.to_owned(),
    };
    table.lines().map(|line| row(line) + "\n").collect()
}

#[test]
fn the_documentation_is_fresh() {
    let text = format!(
        "# Configuration\n\n\
         Generated from the types in `config/src` (a test holds it fresh); `config/usher.yaml` shows the same by example.\n\
         `*` stands for a name of your own. Times are written `500 ms`, `2 s`, `10 min`, `24 h`, sizes `640x384`; relative\n\
         paths are relative to the folder of the file. `usher check FILE` reports every problem of a file at once. A gate that runs\n\
         takes up what changes, except keys marked ↻, which wait for a restart (docs/operate.md).\n\n\
         ## usher.yaml\n\n{}\n## programme.yaml\n\n\
         A session is held once (`start: 2026-07-14 10:00`) or repeats (`start: 10:00`, `days: daily`), by the clocks of\n\
         `time_zone`.\n\n{}",
        marked(&table(&usher_config::json_schema())),
        table(&programme::json_schema())
    );
    fresh(&here("../docs/config.md"), &text);
}

#[test]
fn the_documentation_of_places_has_every_property() {
    let path = here("../docs/guide-places.md");
    let text = fs::read_to_string(&path).unwrap();
    let marks = [
        "<!-- properties: generated from config/src/places/property.rs, see the test `shipped` -->\n",
        "<!-- end of properties -->",
    ];
    let (before, rest) = text.split_once(marks[0]).unwrap();
    let (_, after) = rest.split_once(marks[1]).unwrap();
    fresh(&path, &format!("{before}{}{}{}{after}", marks[0], places::table(), marks[1]));
}
