//! The fault bench of the box: a disk that is full, read-only, slow or hangs, and a clock that jumps, under a gate that greets.
//!
//! The people who walk up are known: whoever is enrolled is decided once each walk, and `walter` never asked to be known.
//! `USHER_FAULTS` sets how many faults are played (`make soak-faults`: 60); the figures are printed as one line of JSON.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/bench.rs"]
mod bench;
#[path = "support/failing_box.rs"]
mod failing_box;
#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;
#[path = "support/tablet.rs"]
mod tablet;

use bench::{Bench, PATIENCE, greetings, visits};
use failing_box::FailingBox;
use gate::Running;
use listener::Listener;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use serde_json::Value;
use std::time::{Duration, Instant};
use tablet::Tablet;

/// The most that healing may take, from the moment at which the disk is well.
const HEALS: Duration = Duration::from_secs(10);

/// How long it takes until health says nothing of the disk any more.
fn heals(bench: &Bench) -> Duration {
    bench.until("the disk is well", PATIENCE, || {
        let told = bench.ready();
        told.starts_with("HTTP/1.1 200") && !told.contains("outbox: ") && !told.contains("gallery: ")
    })
}

/// The gate, running on this box, and its station.
fn run(bench: &Bench, own: &FailingBox) -> (Running, Tablet) {
    (bench.run(|command| own.under(command)), bench.tablet())
}

/// Plays one fault; how long it took to be told, and to heal.
fn play(
    bench: &Bench,
    own: &FailingBox,
    tablet: &Tablet,
    listener: &mut Listener,
    fault: &str,
    forgets: &str,
) -> (Duration, Duration) {
    let before = greetings(listener.heard());
    own.disk_is(fault);
    let alarm = bench.until("health tells of the outbox", PATIENCE, || bench.ready().contains("outbox: "));

    bench.until("health tells of the gallery", PATIENCE, || bench.ready().contains("gallery: "));
    assert_eq!(bench.gate.metric("usher_disk_fails").unwrap(), 2.0, "{fault}: alarms can be set on both");

    // No consent that cannot be kept, and nobody is told that they are forgotten who is not.
    let (status, refused) = tablet.enrol("Nadia");
    assert_eq!(status, 507, "{fault}: {refused}");
    let sentence = refused["message"].as_str().unwrap();
    assert!(sentence.contains("disk") && sentence.contains("tell staff"), "{fault}: {sentence}");
    // What hangs answers after 20 seconds, and does what it was asked when it can.
    if fault != "hangs" {
        let (status, told) = tablet.forget(forgets);
        assert_eq!((status, told["receipt"].is_null()), (507, true), "{fault}: {told}");
    }

    // Meanwhile whoever walks up is greeted.
    bench.until("greetings go on", PATIENCE, || greetings(listener.heard()) > before);
    own.disk_is("well");
    let heals = heals(bench);
    assert!(heals < HEALS, "{fault}: {heals:?}");
    assert_eq!(bench.gate.metric("usher_disk_fails").unwrap(), 0.0);
    (alarm, heals)
}

#[test]
fn a_disk_that_fails_in_any_way_stops_no_gate_keeps_no_consent_by_half_and_heals_by_itself() {
    let faults: usize = std::env::var("USHER_FAULTS").map_or(0, |faults| faults.parse().expect("a number"));
    let seed = faults as u64;
    println!("seed {seed}");
    let mut chance = StdRng::seed_from_u64(seed);
    let bench = Bench::new();
    let own = FailingBox::of(&bench.gate.data());
    let (running, tablet) = run(&bench, &own);
    let mut listener = Listener::of_everything(&bench.gate);
    let secret_of = |(status, told): (u16, Value)| {
        assert_eq!(status, 201, "{told}");
        told["pass"]["code"].as_str().unwrap().to_owned()
    };
    let mut secret = secret_of(tablet.enrol("Nadia"));
    bench.until("somebody is greeted", PATIENCE, || greetings(listener.heard()) > 0);

    let words = ["full", "read-only", "hangs"];
    let plan: Vec<&str> = if faults == 0 {
        words.to_vec()
    } else {
        (0..faults).map(|_| words[chance.random_range(0..words.len())]).collect()
    };
    let mut figures = Vec::new();
    for fault in plan {
        figures.push(play(&bench, &own, &tablet, &mut listener, fault, &secret));
        // Whoever asked to be forgotten while it could not be is still there, or has been since it can; never half.
        let (status, kept) = tablet.shows(&secret);
        assert!(status == 404 || (status == 200 && !kept["receipt"].is_null()), "{fault}: {status} {kept}");
        if status == 200 {
            let (status, told) = tablet.forget(&secret);
            assert_eq!((status, told["receipt"].is_null()), (200, false), "{told}");
        }
        assert_eq!(tablet.shows(&secret).0, 404);
        secret = secret_of(tablet.enrol("Nadia"));
    }

    // A slow disk is no fault: everything goes on.
    own.disk_is("slow 150");
    let before = greetings(listener.heard());
    assert_eq!(tablet.enrol("Nadia").0, 201);
    bench.until("greetings go on", PATIENCE, || greetings(listener.heard()) > before);
    own.disk_is("well");
    heals(&bench);

    assert!(!bench.log().contains("stages hang"), "the watchdog would have ended it: {}", bench.log());
    bench.until("the broker has every visit", PATIENCE, || {
        let decided = bench.decided();
        visits(listener.heard()).0.len() as f64 == decided && bench.decided() == decided
    });
    let decided = bench.decided();
    drop(running);
    let (ids, of) = visits(listener.heard());
    assert!(of.is_subset(&bench.known), "somebody who never asked to be known was decided");
    let is_whole = bench.audit_is_whole();
    let of = |take: fn(&(Duration, Duration)) -> Duration| {
        figures.iter().map(take).max().unwrap_or_default().as_millis() as u64
    };
    println!(
        "{}",
        serde_json::json!({
            "soak": "disk", "faults": figures.len(), "visits_decided": decided, "visits_heard": ids.len(), "audit_whole": is_whole,
            "greetings": greetings(listener.heard()), "told_ms_most": of(|figure| figure.0), "healed_ms_most": of(|figure| figure.1),
        })
    );
}

/// Greetings heard so far: when each was decided, and when it ends, in seconds since 1970.
fn spans(heard: &[(String, Vec<u8>)]) -> Vec<(i64, i64)> {
    let at = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    let greetings = heard.iter().filter(|(topic, _)| topic.ends_with("/greeting"));
    let told = greetings.map(|(_, body)| serde_json::from_slice::<Value>(body).unwrap());
    told.map(|event| (at(&event["time"]), at(&event["data"]["expires_at"]))).collect()
}

#[test]
fn a_clock_that_jumps_by_an_hour_or_begins_in_1970_silences_no_gate_and_keeps_nobody_longer() {
    let bench = Bench::new();
    let own = FailingBox::of(&bench.gate.data());
    let truth = || jiff::Timestamp::now().as_second();
    let (running, tablet) = run(&bench, &own);
    let mut listener = Listener::of_everything(&bench.gate);
    bench.until("somebody is greeted", PATIENCE, || greetings(listener.heard()) > 0);
    let goes_on = |listener: &mut Listener, off: i64| {
        own.clock_is_off_by(off);
        let jumped = Instant::now();
        // Whoever was on the way when the clock jumped was decided by the old time.
        let before = greetings(listener.heard()) + 1;
        bench.until("greetings go on", PATIENCE, || greetings(listener.heard()) > before);
        println!("off by {off} s: the second greeting came after {:?}", jumped.elapsed());
        let (decided, ends) = *spans(listener.heard()).last().unwrap();
        let error = decided - (truth() + off);
        assert!((-30..=1).contains(&error), "off by {off} s: decided {error} s from what the clock shows");
        assert_eq!(ends - decided, 10, "for as long as ever");
    };
    for off in [3600, -3600] {
        goes_on(&mut listener, off);
        let (status, told) = tablet.enrol("Nadia");
        assert_eq!(status, 201, "{told}");
        // Times are sure that were: nobody is kept longer since the clock was set back.
        let ends = told["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
        assert!(ends <= truth() + off.max(0) + 24 * 3600 + 60, "off by {off} s: {told}");
    }
    own.clock_is_off_by(0);
    let decided = bench.decided();
    bench.until("the broker has every visit", PATIENCE, || visits(listener.heard()).0.len() as f64 >= decided);
    assert!(visits(listener.heard()).1.is_subset(&bench.known));
    drop((listener, running, tablet));

    let in_1970 = 60 - truth();
    own.clock_is_off_by(in_1970);
    let (running, tablet) = run(&bench, &own);
    let mut listener = Listener::of_everything(&bench.gate);
    bench.until("somebody is greeted", PATIENCE, || greetings(listener.heard()) > 0);
    let (decided, _) = spans(listener.heard())[0];
    assert!(decided < 3600, "the box does not know better: {decided}");
    let (status, told) = tablet.enrol("Nadia");
    assert_eq!(status, 201, "{told}");
    let ends = told["expires_at"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_second();
    assert!((0..=24 * 3600 + 60).contains(&(ends - truth())), "the time floor says when it is: {told}");
    // Somebody tells it the time.
    goes_on(&mut listener, 0);
    let decided = bench.decided();
    bench.until("the broker has every visit", PATIENCE, || visits(listener.heard()).0.len() as f64 >= decided);
    assert!(visits(listener.heard()).1.is_subset(&bench.known));
    assert!(!bench.log().contains("stages hang"), "{}", bench.log());
    drop(running);
    assert!(bench.audit_is_whole());
}
