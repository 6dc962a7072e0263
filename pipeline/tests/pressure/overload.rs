//! Four times the pictures that a gate can look at: what it looks at is fresh, and when they end it is as if they had not been.
//!
//! `USHER_OVERLOAD_S` says for how long (`make soak-overload`: 600). How many frames a second the machine can look at is measured
//! first, in the same run; cameras come and go by the configuration, as they do at a venue.

use crate::{
    ages::Ages,
    alone, asked,
    bench::{Bench, PATIENCE, crowd, greetings, people, visits},
    gate::Running,
    listener::Listener,
    slope::slope,
};
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs,
    net::SocketAddr,
    time::{Duration, Instant},
};

/// No frame is older when it is looked at, nor when what it settles is decided, seconds.
const FRESH: f64 = 0.25;
/// Nor than this, while there is no overload: it is looked at at once, on a machine that does other things too.
const PROMPT: f64 = 0.05;
/// How soon the camera that stays is looked at as before.
const RECOVERS: Duration = Duration::from_secs(2);
/// How many times as much as the machine can look at.
const LOAD: f64 = 4.0;
/// Frames a second of each camera that comes for the overload.
const FPS: f64 = 60.0;
/// Frames a second of the camera that stays.
const DOOR_FPS: f64 = 15.0;
/// What happens to every frame of a camera, one of these.
const FRAMES: [&str; 4] = ["analysed", "unchanged", "beyond_rate", "passed_over"];

/// The camera that stays: somebody is always before it.
const DOOR: &str = "seed: 3\nwidth: 960\nheight: 540\nfps: 15\ntogether: 1\n\
     walk: { approach_s: 1, pause_least_s: 2.5, pause_most_s: 2.5, leave_s: 0.3, gap_s: 0.2 }\n";

/// A camera of the overload: a hall in which somebody stands half of the time.
fn hall(seed: usize) -> String {
    format!(
        "seed: {seed}\nwidth: 640\nheight: 360\nfps: 60\ntogether: 1\n\
         walk: {{ far_px: 20, near_px: 40, approach_s: 2, pause_least_s: 6, pause_most_s: 6, leave_s: 1, gap_s: 9 }}\n"
    )
}

/// How many kinds of hall there are.
const HALLS: usize = 8;

/// The gate with so many cameras of the overload.
struct Config {
    addresses: [SocketAddr; 3],
    station: SocketAddr,
}

impl Config {
    fn text(&self, halls: usize) -> String {
        let ([pages, mqtt, websocket], station) = (self.addresses, self.station);
        let names: Vec<String> = (0..halls).map(|number| format!("hall-{number}")).collect();
        let cameras: String = (0..halls)
            .map(|number| format!("  hall-{number}: {{ url: \"stills:hall-{}.yaml\" }}\n", number % HALLS))
            .collect();
        let identifies = "quiet: 1 s, mode: identification, responsible: the test";
        let gate = if halls == 0 {
            String::new()
        } else {
            format!("  hall: {{ cameras: [{}], {identifies} }}\n", names.join(", "))
        };
        format!(
            "site: test\ndata: data\ncameras:\n  door: {{ url: \"stills:door.yaml\" }}\n{cameras}\
             gates:\n  gate: {{ cameras: [door], {identifies} }}\n{gate}\
             gallery: {{ keep: 24 h, notice: {{ controller: The Test Venue, contact: privacy@test.example }} }}\n\
             infer: {{ analysed_fps: 60, calm_fps: 60, unchanged: 0 s }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", enrol: {{ listen: \"{station}\" }} }}\n"
        )
    }
}

/// What the gate has counted until a moment.
struct Counted {
    at: Instant,
    analysed: f64,
    offered: f64,
    door: f64,
    looks: Ages,
    decisions: Ages,
}

impl Counted {
    fn now(bench: &Bench) -> Self {
        let page = bench.gate.get("/metrics").unwrap();
        let at = Instant::now();
        let sum = |kind: &str, camera: &str| -> f64 {
            let of_it = format!("usher_frames_{kind}_total{{camera=\"{camera}");
            let rows = page.lines().filter(|line| line.starts_with(&of_it));
            rows.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
        };
        Self {
            at,
            analysed: sum("analysed", ""),
            offered: FRAMES.iter().map(|kind| sum(kind, "")).sum(),
            door: sum("analysed", "door"),
            looks: Ages::of(&page, "look"),
            decisions: Ages::of(&page, "decision"),
        }
    }

    /// A second, since `before`.
    fn rate(&self, before: &Self, of: fn(&Self) -> f64) -> f64 {
        (of(self) - of(before)) / self.at.duration_since(before.at).as_secs_f64()
    }
}

/// The gate under load.
struct Loaded {
    bench: Bench,
    running: Running,
    config: Config,
}

impl Loaded {
    /// How often it was looked what the configuration says.
    fn looked(&self) -> f64 {
        self.bench.gate.metric("usher_config_reloads_total").unwrap()
    }

    /// Has the gate take up so many cameras of the overload; from when on it has.
    fn takes(&self, halls: usize) -> Instant {
        let before = self.looked();
        fs::write(&self.bench.gate.config, self.config.text(halls)).unwrap();
        kill_process(Pid::from_child(&self.running.0), Signal::HUP).unwrap();
        self.bench.until("the configuration is taken up", PATIENCE, || self.looked() > before);
        Instant::now()
    }

    fn waits_until_live(&self) {
        self.bench.until("every camera is live", PATIENCE, || self.bench.ready().contains("\"degraded\":[]"));
    }

    /// Counts for so long.
    fn counts(&self, long: Duration) -> (Counted, Counted) {
        let before = Counted::now(&self.bench);
        std::thread::sleep(long);
        (before, Counted::now(&self.bench))
    }

    /// Frames a second that the machine can look at: cameras are added until a tenth of their frames is passed over.
    fn capacity(&self, long: Duration) -> f64 {
        for halls in [4, 8, 16, 32] {
            self.takes(halls);
            self.waits_until_live();
            let (before, after) = self.counts(long);
            let (offered, analysed) = (after.rate(&before, |now| now.offered), after.rate(&before, |now| now.analysed));
            println!("{halls} cameras: {offered:.0} frames a second, {analysed:.0} looked at");
            if analysed < 0.9 * offered {
                return analysed;
            }
        }
        panic!("this machine looks at whatever comes: it needs more cameras than 32");
    }
}

#[test]
fn four_times_the_load_makes_nothing_old_and_is_over_when_it_ends() {
    let _alone = alone();
    let asked = asked("USHER_OVERLOAD_S");
    let (lasts, look) = asked.map_or((Duration::from_secs(5), Duration::from_secs(1)), |seconds| {
        (Duration::from_secs(seconds), Duration::from_secs(15))
    });
    let mut addresses = None;
    let mut files = vec![("door.yaml".to_owned(), crowd(DOOR, &people()))];
    files.extend((0..HALLS).map(|number| (format!("hall-{number}.yaml"), crowd(&hall(number + 10), &people()))));
    let bench = Bench::configured(&files, |free, station| {
        let config = Config { addresses: free, station };
        // As many workers as there can be are opened at the start, for as many cameras.
        let text = config.text(std::thread::available_parallelism().unwrap().get());
        addresses = Some(config);
        text
    });
    let running = bench.run(|_| {});
    let loaded = Loaded { bench, running, config: addresses.unwrap() };
    let bench = &loaded.bench;
    let mut listener = Listener::of_everything(&bench.gate);
    loaded.waits_until_live();
    let capacity = loaded.capacity(look);

    // As it is without overload.
    loaded.takes(0);
    bench.until("somebody is greeted", PATIENCE, || greetings(listener.heard()) > 0);
    let (before, after) = loaded.counts(look);
    let calm = (after.rate(&before, |now| now.door), after.looks.since(&before.looks));

    let halls = ((LOAD * capacity - DOOR_FPS) / FPS).ceil() as usize;
    loaded.takes(halls);
    loaded.waits_until_live();
    let (from, mut samples) = (Counted::now(bench), Vec::new());
    let greeted = greetings(listener.heard());
    while from.at.elapsed() < lasts || greetings(listener.heard()) <= greeted {
        assert!(from.at.elapsed() < lasts + PATIENCE, "greetings go on: {}", bench.log());
        assert!(bench.ready().starts_with("HTTP/1.1 200"));
        samples.push((from.at.elapsed().as_secs_f64() / 3600.0, loaded.running.memory_mib().unwrap().0));
        std::thread::sleep(Duration::from_millis(500));
    }
    let until = Counted::now(bench);
    let greeted = greetings(listener.heard()) - greeted;

    // It ends; from when on is a whole second as before?
    let ended = loaded.takes(0);
    let mut since = vec![Counted::now(bench)];
    let is_as_before = |(from, to): (&Counted, &Counted)| {
        to.looks.since(&from.looks).older_than(PROMPT.max(calm.1.quantile(1.0))) == 0.0
            && to.rate(from, |now| now.door) >= 0.9 * calm.0
    };
    let recovery = loop {
        assert!(ended.elapsed() < PATIENCE, "never as before, {} frames a second: {}", calm.0, bench.log());
        std::thread::sleep(Duration::from_millis(100));
        since.push(Counted::now(bench));
        let to = since.last().expect("there are two");
        let from = since.iter().rev().find(|from| to.at.duration_since(from.at) >= Duration::from_secs(1));
        if let Some(from) = from.filter(|from| is_as_before((from, to))) {
            break from.at.saturating_duration_since(ended);
        }
    };

    bench.until("the broker has every visit", PATIENCE, || {
        // By what waits and what was acknowledged: decisions of a gate that was taken away are told no more.
        let acknowledged = bench.gate.metric("usher_visits_acknowledged_total").unwrap();
        visits(listener.heard()).0.len() as f64 == acknowledged
            && bench.gate.metric("usher_outbox_depth").unwrap() == 0.0
    });
    let log = bench.log();
    assert!(!log.contains("stages hang") && !log.contains("ended unasked"), "the unit would have ended it: {log}");
    let (_, of) = visits(listener.heard());
    assert!(of.is_subset(&bench.known), "somebody who never asked to be known was decided");

    let (looks, decisions) = (until.looks.since(&from.looks), until.decisions.since(&from.decisions));
    let offered = until.rate(&from, |now| now.offered);
    let settled = &samples[samples.len() / 5..];
    let (memory, memory_at_most) = slope(settled);
    let mib = |of: &[(f64, f64)]| of.iter().map(|sample| sample.1).sum::<f64>() / of.len() as f64;
    let tenth = (settled.len() / 10).max(1);
    let resident = (mib(&settled[..tenth]), mib(&settled[settled.len() - tenth..]));
    println!(
        "{}",
        serde_json::json!({
            "soak": "overload", "seconds": until.at.duration_since(from.at).as_secs(), "cameras": halls + 1,
            "capacity_fps": capacity.round(), "offered_fps": offered.round(), "times_capacity": (10.0 * offered / capacity).round() / 10.0,
            "looked_at_fps": until.rate(&from, |now| now.analysed).round(), "looks": looks.count(),
            "looks_older_than_250_ms": looks.older_than(FRESH), "age_99_of_100_s": looks.quantile(0.99), "age_most_s": looks.quantile(1.0),
            "decisions": decisions.count(), "decisions_older_than_250_ms": decisions.older_than(FRESH),
            "decision_age_50_of_100_s": decisions.quantile(0.5), "decision_age_most_s": decisions.quantile(1.0),
            "greetings": greeted, "resident_mib": [resident.0.round(), resident.1.round()],
            "mib_an_hour": memory.round(), "mib_an_hour_at_most": memory_at_most.round(),
            "door_fps": [calm.0, until.rate(&from, |now| now.door)], "recovered_after_s": recovery.as_secs_f64(),
        })
    );
    assert!(looks.count() > 0.0 && decisions.count() > 0.0);
    if asked.is_some() {
        assert!(offered > 0.85 * LOAD * capacity, "{offered} frames a second are no fourfold {capacity}");
        assert_eq!(looks.older_than(FRESH), 0.0, "no frame waits for so long: {looks:?}");
        assert_eq!(decisions.older_than(FRESH), 0.0, "nor is decided about so late: {decisions:?}");
        assert!(recovery <= RECOVERS, "{recovery:?}");
        assert!((resident.1 - resident.0).abs() < 16.0, "memory is flat: {resident:?} MiB");
    }
}
