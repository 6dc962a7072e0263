//! A gate that gets a share of a processor only, or shares all of them with busy threads.

use crate::{
    ages::Ages,
    alone, asked,
    bench::{Bench, PATIENCE, greetings, visits},
    gate::Running,
    listener::Listener,
    throttle::{Hogs, Throttle},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// No frame is older than this when it is looked at, as long as there is a processor, seconds.
const FRESH: f64 = 0.25;
/// Nor than this under any pressure: a camera of thirty pictures a second puts a newer one in its place before. The last bucket.
const OLDEST: f64 = 2.5;

/// What presses.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Pressure {
    /// So many busy threads on every processor.
    Hogs(usize),
    /// So much of one processor, by the kernel's quota.
    Quota(f64),
    /// So much of the time, by signals.
    Signals(f64),
}

impl Pressure {
    fn word(self) -> &'static str {
        match self {
            Self::Hogs(_) => "hogs",
            Self::Quota(_) => "quota",
            Self::Signals(_) => "signals",
        }
    }
}

/// What came of one.
#[derive(Default)]
struct Pressed {
    looks: f64,
    greeted: usize,
    /// How old frames were: the bound that 99 of 100 are not above, and the one that none is, seconds.
    most_of_them_s: f64,
    oldest_s: f64,
    /// From its end until a whole second in which every frame is fresh and nothing is wrong.
    well_after: Duration,
}

/// Whether this machine lets a control group be made.
fn has_quota(running: &Running) -> bool {
    Throttle::by_the_kernel(&running.0, 1.0).is_some()
}

/// Plays one until it has lasted for `least` and somebody was greeted under it after that.
fn play(bench: &Bench, running: &Running, listener: &mut Listener, pressure: Pressure, least: Duration) -> Pressed {
    let (begun, before) = (Instant::now(), Ages::asked(&bench.gate, "look").unwrap());
    let greeted = greetings(listener.heard());
    let hogs = match pressure {
        Pressure::Hogs(each) => Some(Hogs::on_each(each)),
        _ => None,
    };
    let throttle = match pressure {
        Pressure::Quota(share) => Some(Throttle::by_the_kernel(&running.0, share).expect("it could be made before")),
        Pressure::Signals(share) => Some(Throttle::by_hand(&running.0, share)),
        Pressure::Hogs(_) => None,
    };
    let what = format!("greetings go on under {pressure:?}");
    // Whoever was on the way when it began is greeted by then.
    bench.until(&what, PATIENCE, || begun.elapsed() >= least);
    let on_the_way = greetings(listener.heard());
    bench.until(&what, PATIENCE, || greetings(listener.heard()) > on_the_way);
    let told = bench.ready();
    assert!(told.starts_with("HTTP/1.1 200"), "{pressure:?}: {told}");
    assert!(throttle.as_ref().is_none_or(Throttle::is_felt), "{pressure:?}: nothing was pressed");
    drop((hogs, throttle));
    let ages = Ages::asked(&bench.gate, "look").unwrap().since(&before);
    assert_eq!(ages.older_than(OLDEST), 0.0, "{pressure:?}: a queue grew: {ages:?}");
    let (looks, under) = (ages.count(), greetings(listener.heard()) - greeted);

    // As before: nothing is wrong, and a second goes by in which no frame is old.
    let (mut from, mut ages_then) = (Instant::now(), Ages::asked(&bench.gate, "look").unwrap());
    let ended = from;
    bench.until("all is as before", PATIENCE, || {
        let now = Ages::asked(&bench.gate, "look").unwrap();
        let since = now.since(&ages_then);
        if since.older_than(FRESH) > 0.0 {
            (from, ages_then) = (Instant::now(), now);
        }
        let is_fresh = since.count() > 3.0 && from.elapsed() > Duration::from_secs(1);
        is_fresh && bench.ready().contains("\"degraded\":[]")
    });
    Pressed {
        looks,
        greeted: under,
        most_of_them_s: ages.quantile(0.99),
        oldest_s: ages.quantile(1.0),
        well_after: from.duration_since(ended),
    }
}

#[test]
fn a_gate_with_little_of_a_processor_goes_on_names_nobody_wrongly_and_no_queue_grows() {
    let _alone = alone();
    let faults = asked("USHER_FAULTS");
    let bench = Bench::busy();
    let running = bench.run(|_| {});
    let mut listener = Listener::of_everything(&bench.gate);
    bench.until("somebody is greeted", PATIENCE, || greetings(listener.heard()) > 0);
    // Where no group may be made, signals do what it would.
    let quota = has_quota(&running);
    let quota_or_signals = |share| if quota { Pressure::Quota(share) } else { Pressure::Signals(share) };
    let mut chance = StdRng::seed_from_u64(faults.unwrap_or(0));
    let plan: Vec<Pressure> = match faults {
        None => vec![Pressure::Hogs(4), quota_or_signals(0.2), Pressure::Signals(0.3)],
        Some(faults) => (0..faults)
            .map(|_| match chance.random_range(0..3) {
                0 => Pressure::Hogs(chance.random_range(1..=8)),
                1 => quota_or_signals(chance.random_range(0.15..0.3)),
                _ => Pressure::Signals(chance.random_range(0.15..0.6)),
            })
            .collect(),
    };
    let least = Duration::from_secs(if faults.is_some() { 10 } else { 2 });
    let mut all: BTreeMap<&str, Vec<Pressed>> = BTreeMap::new();
    for pressure in plan {
        let pressed = play(&bench, &running, &mut listener, pressure, least);
        all.entry(pressure.word()).or_default().push(pressed);
    }
    let log = bench.log();
    assert!(!log.contains("stages hang") && !log.contains("ended unasked"), "the unit would have ended it: {log}");
    let before = greetings(listener.heard());
    bench.until("greetings go on", PATIENCE, || greetings(listener.heard()) > before);
    bench.until("the broker has every visit", PATIENCE, || {
        let decided = bench.decided();
        visits(listener.heard()).0.len() as f64 == decided && bench.decided() == decided
    });
    let decided = bench.decided();
    drop(running);
    let (ids, of) = visits(listener.heard());
    assert!(of.is_subset(&bench.known), "somebody who never asked to be known was decided");
    assert!(bench.audit_is_whole());
    let figures = |of: &Vec<Pressed>| {
        let most = |take: fn(&Pressed) -> f64| of.iter().map(take).fold(0.0, f64::max);
        serde_json::json!({
            "faults": of.len(), "looks": of.iter().map(|one| one.looks).sum::<f64>(),
            "greetings": of.iter().map(|one| one.greeted).sum::<usize>(),
            "age_99_of_100_s_at_most": most(|one| one.most_of_them_s), "age_s_at_most": most(|one| one.oldest_s),
            "fresh_after_s_at_most": most(|one| one.well_after.as_secs_f64()),
        })
    };
    let all: BTreeMap<&str, serde_json::Value> = all.iter().map(|(word, of)| (*word, figures(of))).collect();
    println!(
        "{}",
        serde_json::json!({
            "soak": "pressure", "of": "processor", "quota_by_the_kernel": quota, "by": all,
            "visits_decided": decided, "visits_heard": ids.len(),
        })
    );
}
