//! `usher guide check` tells everything that is wrong with a programme and its places, and what looks odd.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use serde_json::Value;
use std::{
    path::Path,
    process::{Command, Output},
};

fn usher(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_usher")).args(arguments).env_remove("USHER_CONFIG").output().unwrap()
}

fn shipped(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../config").join(name).display().to_string()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A file in a folder, by its path.
fn written(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path.display().to_string()
}

#[test]
fn the_shipped_programme_and_site_go_together_without_a_remark() {
    let output = usher(&["guide", "check", &shipped("programme.yaml"), &shipped("places.geojson")]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(words.starts_with("ok (") && words.ends_with("; no remarks)\n"), "{words}");
    let said = json(&usher(&["guide", "check", &shipped("programme.yaml"), &shipped("places.geojson"), "--json"]));
    assert_eq!(
        (&said["ok"], &said["problems"], &said["remarks"]),
        (&Value::Bool(true), &Value::Array(vec![]), &Value::Array(vec![]))
    );
    assert!(said["counts"]["places"].as_u64() >= Some(60), "{said}");
}

#[test]
fn the_problems_of_both_files_are_told_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let programme = written(&folder, "day.yaml", "time_zone: Mars\nsessions: []\n");
    let places = written(
        &folder,
        "site.geojson",
        "{ \"type\": \"FeatureCollection\", \"features\": [\n\
         { \"type\": \"Feature\", \"geometry\": { \"type\": \"Point\", \"coordinates\": [13.4, 52.5] }, \"properties\": { \"kind\": \"cafe\", \"name\": \"A\", \"price\": 9 } }\n] }\n",
    );
    let output = usher(&["guide", "check", &programme, &places]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(78), "{words}");
    assert!(
        words.contains("day.yaml:1:12") && words.contains("site.geojson:2:138") && words.contains("2 problems"),
        "{words}"
    );
    let said = json(&usher(&["guide", "check", &programme, &places, "--json"]));
    let places: Vec<_> = said["problems"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| (one["line"].as_u64().unwrap(), one["key"].clone()))
        .collect();
    assert_eq!(places, [(1, "time_zone".into()), (2, "features[0].properties.price".into())]);
}

#[test]
fn what_looks_odd_is_a_remark_and_no_failure() {
    let folder = tempfile::tempdir().unwrap();
    let places = written(
        &folder,
        "site.geojson",
        "{ \"type\": \"FeatureCollection\", \"features\": [\n\
         { \"type\": \"Feature\", \"geometry\": { \"type\": \"Point\", \"coordinates\": [13.4, 52.5] }, \"properties\": { \"kind\": \"venue\", \"name\": \"Arena Eastt\", \"wheelchair\": \"yes\" } }\n] }\n",
    );
    let output = usher(&["guide", "check", &shipped("programme.yaml"), &places]);
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{words}");
    assert!(words.contains("site.geojson:2:140: `wheelchair` is not read; write `\"step_free\": true`"), "{words}");
    assert!(
        words.contains("the programme's venue `Arena East` is not among the places; did you mean `Arena Eastt`?"),
        "{words}"
    );
    let said = json(&usher(&["guide", "check", &shipped("programme.yaml"), &places, "--json"]));
    assert_eq!(
        (&said["ok"], &said["remarks"][0]["line"], &said["remarks"][1]["line"]),
        (&true.into(), &2.into(), &Value::Null)
    );
}

#[test]
fn the_shipped_site_is_as_its_schema_says_and_the_broken_ones_are_not() {
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(shipped("places.schema.json")).unwrap()).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    let site: Value = serde_json::from_str(&std::fs::read_to_string(shipped("places.geojson")).unwrap()).unwrap();
    let errors: Vec<String> = schema.iter_errors(&site).map(|error| error.to_string()).collect();
    assert!(errors.is_empty(), "{errors:?}");
    for (name, of) in [("places-properties", 20), ("places-geometry", 10)] {
        let path =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../config/tests/bad").join(name).with_extension("geojson");
        let broken: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        // Each feature by itself: an editor marks each.
        let refused = broken["features"].as_array().unwrap().iter().filter(|feature| {
            !schema.is_valid(&serde_json::json!({ "type": "FeatureCollection", "features": [feature] }))
        });
        let refused = refused.count();
        assert!(refused >= of, "{name}: {refused}");
    }
}

/// A feed of one line that calls at one stop, every day until `last`.
fn feed(folder: &tempfile::TempDir, name: &str, last: &str, position: &str) -> String {
    let at = folder.path().join(name);
    std::fs::create_dir(&at).unwrap();
    for (file, text) in [
        ("agency.txt", "agency_id,agency_name,agency_url,agency_timezone\nA,Lines,https://example.org,Europe/Berlin\n".to_owned()),
        ("stops.txt", format!("stop_id,stop_name,stop_lat,stop_lon\nS,Park,{position}\nE,End,52.60,13.40\n")),
        ("routes.txt", "route_id,agency_id,route_short_name,route_type\nR,A,U2,1\n".to_owned()),
        ("calendar.txt", format!("service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\nD,1,1,1,1,1,1,1,20200101,{last}\n")),
        ("trips.txt", "route_id,service_id,trip_id,trip_headsign\nR,D,T,City\n".to_owned()),
        ("stop_times.txt", "trip_id,arrival_time,departure_time,stop_id,stop_sequence\nT,10:00:00,10:00:00,S,1\nT,10:20:00,10:20:00,E,2\n".to_owned()),
    ] {
        std::fs::write(at.join(file), text).unwrap();
    }
    at.display().to_string()
}

#[test]
fn public_transport_is_checked_with_them() {
    let folder = tempfile::tempdir().unwrap();
    let (programme, places) = (shipped("programme.yaml"), shipped("places.geojson"));
    let check = |feed: &str| usher(&["guide", "check", &programme, &places, "--transit", feed, "--json"]);
    let over = json(&check(&feed(&folder, "over", "20200201", "52.50,13.40")));
    assert!(over["remarks"].to_string().contains("the last day of the feed is 2020-02-01"), "{over}");
    let far = json(&check(&feed(&folder, "far", "20991231", "48.10,11.50")));
    assert!(far["remarks"].to_string().contains("nothing leaves in the next 24 hours"), "{far}");
    let broken = folder.path().join("far/stop_times.txt");
    std::fs::remove_file(broken).unwrap();
    let output = check(&folder.path().join("far").display().to_string());
    assert_eq!(output.status.code(), Some(78));
    assert!(json(&output)["problems"].to_string().contains("stop_times.txt"), "{}", json(&output));
}
