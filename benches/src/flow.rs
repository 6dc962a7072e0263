//! What do forecasts of 200 gates cost: an update a second each, and a whole day of each?
//!
//! Two hundred gates with four weeks of history in steps of five minutes, an event every other evening. An update is what a
//! gate does in a second: look five, 15, 30 and 60 minutes ahead; every 300th brings the count of a step, which is
//! graded and learnt from. A day is what each gate's day costs in all: its seasons fitted anew, which its first step brings
//! about, and 288 steps forecast with both intervals. Times are processor time of one thread.

use anyhow::ensure;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use usher::flow::{
    forecast::{Forecaster, Settings, events::Event},
    series::Series,
};

pub(crate) const QUESTION: &str = "What do forecasts of 200 gates cost, each second and for a day?";
/// Gates.
const GATES: usize = 200;
/// Steps of a day.
const DAY: usize = 288;
/// Days of history.
const DAYS: usize = 28;
/// Seconds that are played.
const SECONDS: usize = 600;

/// Processor time of this thread, in seconds.
fn cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

fn count(gate: usize, step: usize) -> f64 {
    let (day, hour) = (step / DAY, (step % DAY) as f64 / 12.0);
    let bulge = |middle: f64, wide: f64| (-0.5 * ((hour - middle) / wide).powi(2)).exp();
    let event = if day.is_multiple_of(2) { 120.0 * bulge(18.2, 0.5) } else { 0.0 };
    // A cheap noise that is the same on every machine.
    let noise = ((step * 7919 + gate * 104_729) % 101) as f64 / 100.0 + 0.5;
    ((12.0 * bulge(12.0, 3.0) + event) * noise).round()
}

pub(crate) fn answer() -> anyhow::Result<Value> {
    let start: Timestamp = "2026-06-01T00:00:00Z".parse()?;
    let step = SignedDuration::from_mins(5);
    let at = |step: usize| start + SignedDuration::from_mins(5 * step as i64);
    let event = |day: usize| {
        let start = at(day * DAY + 19 * 12);
        Event { start, end: start + SignedDuration::from_hours(2), attendance: Some(1800.0), share: 1.0 }
    };
    let events: Vec<Event> = (0..DAYS + 3).step_by(2).map(event).collect();
    let begun = cpu_s();
    let mut gates: Vec<Forecaster> = (0..GATES)
        .map(|gate| {
            let counts = (0..DAYS * DAY).map(|step| Some(count(gate, step))).collect();
            let history = Series { start, step, counts };
            Forecaster::new(Settings::new(step, TimeZone::UTC), Some(&history), events.clone(), None)
        })
        .collect();
    let made_s = cpu_s() - begun;
    // The first step of a new day fits the seasons.
    let first = DAYS * DAY;
    let (mut fit_s, mut longest_s, mut people) = (0.0, 0.0_f64, 0.0);
    for (gate, forecaster) in gates.iter_mut().enumerate() {
        let begun = cpu_s();
        forecaster.observe(at(first), Some(count(gate, first)));
        let fitted_s = cpu_s() - begun;
        fit_s += fitted_s;
        longest_s = longest_s.max(fitted_s);
    }
    let begun = cpu_s();
    for forecaster in &gates {
        people += forecaster.path(at(first + 1), DAY).iter().map(|fan| fan.median).sum::<f64>();
    }
    let path_s = cpu_s() - begun;
    let begun = cpu_s();
    for second in 0..SECONDS {
        let seen = first + 1 + second / 300;
        for (gate, forecaster) in gates.iter_mut().enumerate() {
            if second.is_multiple_of(300) {
                forecaster.observe(at(seen), Some(count(gate, seen)));
            }
            people += forecaster.forecast(at(seen + 1), &[5, 15, 30, 60])[0].median;
        }
    }
    let second_s = (cpu_s() - begun) / SECONDS as f64;
    ensure!(people > 0.0, "somebody comes");
    let day_s = fit_s + path_s;
    let met = second_s < 0.05 && day_s < 10.0;
    Ok(json!({
        "gates": GATES,
        "step_minutes": 5,
        "days_of_history": DAYS,
        "made_from_history_cpu_s": made_s,
        "a_day_of_all_gates_cpu_s": day_s,
        "of_that_fitted_cpu_s": fit_s,
        "of_that_forecast_cpu_s": path_s,
        "longest_fit_of_a_gate_cpu_ms": 1000.0 * longest_s,
        "a_second_of_all_gates_cpu_ms": 1000.0 * second_s,
        "goals": { "a_second_of_all_gates_cpu_ms_at_most": 50, "a_day_of_all_gates_s_at_most": 10 },
        "met": met,
    }))
}
