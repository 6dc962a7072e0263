//! What does the whole stage of flow cost at 200 gates that are looked at once a second?
//!
//! Two hundred gates with eight lanes, a limit and two weeks of history each, in the busy hour: some 40 people a minute come to each,
//! and half of the gates have a queue. Every second of ten minutes the stage reads the tallies, lets every queue live on, learns steps,
//! forecasts and projects each gate once a minute, looks for advice, and tells each gate every ten seconds. Times are processor time
//! of its thread, without the cameras' side, which is counted apart.

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};
use usher::{
    clock::{Clock, HandClock},
    flow::{
        board::Board,
        count::{border::Way, tally::Tallies},
        lanes::OpenLanes,
        stage::{Setup, Stage},
    },
    guide::{concierge::Concierge, live::Live},
    health::Health,
    supervise::Beat,
};
use usher_config::{guide::Guide, value::Name};

pub(crate) const QUESTION: &str = "What does the whole stage of flow cost at 200 gates, an update a second each?";
const GATES: usize = 200;
/// Days of history, in steps of five minutes.
const DAYS: i64 = 14;
/// Seconds that are played before it is measured, and measured.
const SECONDS: (u64, u64) = (240, 600);
/// 17:00 UTC on some day.
const BEGUN: i64 = 1_785_085_200;

fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn history(gate: usize) -> anyhow::Result<String> {
    let mut text = "timestamp,count\n".to_owned();
    let begun = Timestamp::from_second(BEGUN)?;
    for step in 0..DAYS * 288 {
        let at = begun - SignedDuration::from_mins(5 * (DAYS * 288 - step));
        let busy = 200.0 * (-0.5 * (((step % 288) as f64 - 280.0) / 20.0).powi(2)).exp();
        let noise = ((step * 7919 + gate as i64 * 104_729) % 41) as f64;
        writeln!(text, "{at},{}", (busy + noise).round())?;
    }
    Ok(text)
}

pub(crate) fn answer() -> anyhow::Result<Value> {
    let folder = tempfile::tempdir()?;
    let mut text = "site: arena\ndata: data\ncameras:\n".to_owned();
    for gate in 0..GATES {
        writeln!(text, "  cam-{gate}: {{ url: \"rtsp://127.0.0.1/{gate}\" }}")?;
        std::fs::write(folder.path().join(format!("gate-{gate}.csv")), history(gate)?)?;
    }
    text.push_str("gates:\n");
    for gate in 0..GATES {
        let built = "lanes: 8, open_lanes: 4, lane_rate: 10, wait_limit: 5 min";
        writeln!(text, "  gate-{gate}: {{ cameras: [cam-{gate}], {built} }}")?;
    }
    let config =
        usher_config::from_text(&text, "bench.yaml", folder.path()).map_err(|wrong| anyhow::anyhow!("{wrong}"))?;
    let clock = HandClock::at(UNIX_EPOCH + Duration::from_secs(BEGUN as u64));
    let tallies = Arc::new(Tallies::of(&config, TimeZone::UTC, clock.now()));
    let (live, _) = Live::open(&Guide::default());
    let board = Arc::<Board>::default();
    let setup = Setup {
        site: config.site.clone(),
        gates: config.gates.iter().map(|(name, gate)| (name.clone(), gate.lanes)).collect(),
        backs: BTreeSet::new(),
        open: OpenLanes::forgetful(),
        tallies: tallies.clone(),
        zone: TimeZone::UTC,
        history: Some(folder.path().to_owned()),
        record: None,
        weather: None,
        live: live.clone(),
        concierge: Arc::new(Concierge::new(live, None)),
        health: Arc::new(Health::of([])),
        board: board.clone(),
    };
    let cameras: Vec<Name> = config.cameras.keys().cloned().collect();
    let mut stage = Stage::new(setup, clock.now());
    let (mut learnt, mut took, mut counted, mut longest) = (0.0, 0.0, 0.0, 0.0_f64);
    for second in 0..SECONDS.0 + SECONDS.1 {
        for round in 0..5 {
            clock.pass(Duration::from_millis(200));
            let now = clock.now();
            let begun = cpu_s();
            if round == 0 {
                for (gate, camera) in cameras.iter().enumerate() {
                    let standing = if gate % 2 == 0 { 60 } else { 5 } + (second as usize * 7 + gate) % 5;
                    tallies.saw(camera, now, standing);
                    if !(second + gate as u64).is_multiple_of(3) {
                        tallies.cross(camera, Way::In, now.steady, now, true);
                    }
                }
                let _recorded = tallies.turn(now, false);
            }
            let counting = cpu_s() - begun;
            let begun = cpu_s();
            stage.round(&*clock, &Beat::default());
            let staged = cpu_s() - begun;
            if second < SECONDS.0 {
                learnt += staged;
            } else {
                (took, counted, longest) = (took + staged, counted + counting, longest.max(staged));
            }
        }
    }
    let told = board.gates().1;
    ensure!(
        told.len() == GATES && told.values().all(|gate| gate.forecast.is_some()),
        "all gates are told and forecast"
    );
    let queued =
        told.values().filter(|gate| gate.flow.told.queue.is_some_and(|queue| queue.length.value > 20.0)).count();
    ensure!(queued >= GATES / 3, "queues are there to be worked out: {queued}");
    let share = took / SECONDS.1 as f64;
    Ok(json!({
        "gates": GATES,
        "gates_with_a_queue": queued,
        "seconds": SECONDS.1,
        "days_of_history": DAYS,
        "learning_and_first_minutes_cpu_s": learnt,
        "share_of_one_core": share,
        "longest_round_cpu_s": longest,
        "share_of_the_cameras_side": counted / SECONDS.1 as f64,
        "goal": "less than 5 % of one core",
        "met": share < 0.05,
    }))
}
