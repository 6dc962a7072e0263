//! Meters: what flow tells, for Prometheus.
//!
//! What is not known is not a number: a gauge that kept its last value, or fell to nought, would say of a dead camera that nobody
//! comes. Labels are gates, minutes and kinds of advice.

use crate::{
    flow::told::{AdviceKind, GateFlow, GateForecast},
    metrics::{
        GATE_ADVICE, GATE_COVERAGE, GATE_ENTERED, GATE_ERROR, GATE_FORECAST, GATE_FORECAST_WAIT, GATE_INSIDE,
        GATE_LANES, GATE_LEFT, GATE_LOST_CAMERAS, GATE_QUEUE, GATE_WAIT,
    },
};
use metrics::{counter, gauge};

/// Every kind of advice, with its word in labels.
const KINDS: [(AdviceKind, &str); 6] = [
    (AdviceKind::Over, "over"),
    (AdviceKind::OverSoon, "over_soon"),
    (AdviceKind::OpenLanes, "open_lanes"),
    (AdviceKind::CloseLanes, "close_lanes"),
    (AdviceKind::Steer, "steer"),
    (AdviceKind::CameraLost, "camera_lost"),
];

/// One gate's meters.
#[derive(Default)]
pub struct Meters {
    /// What the gate's counters stand at; a gate's own count begins anew with each day, a counter never goes back.
    entered: u64,
    left: u64,
}

impl Meters {
    /// Takes in how the gate is.
    pub fn flow(&mut self, flow: &GateFlow) {
        let gate = || flow.gate.to_string();
        counter!(GATE_ENTERED, "gate" => gate()).increment(grown(&mut self.entered, flow.entered_total));
        counter!(GATE_LEFT, "gate" => gate()).increment(grown(&mut self.left, flow.left_total));
        gauge!(GATE_INSIDE, "gate" => gate()).set(flow.inside.map_or(f64::NAN, |inside| inside as f64));
        gauge!(GATE_LOST_CAMERAS, "gate" => gate()).set(flow.lost_cameras.len() as f64);
        let queue = flow.queue.as_ref();
        gauge!(GATE_QUEUE, "gate" => gate()).set(queue.map_or(f64::NAN, |queue| queue.length.value));
        gauge!(GATE_WAIT, "gate" => gate()).set(queue.map_or(f64::NAN, |queue| queue.wait_seconds.value));
        gauge!(GATE_LANES, "gate" => gate()).set(queue.map_or(f64::NAN, |queue| f64::from(queue.lanes_open)));
        for (kind, word) in KINDS {
            let count = flow.advice.iter().filter(|advice| advice.kind == kind).count();
            gauge!(GATE_ADVICE, "gate" => gate(), "kind" => word).set(count as f64);
        }
    }

    /// Takes in what comes next.
    pub fn forecast(&self, forecast: &GateForecast) {
        let gate = || forecast.gate.to_string();
        for horizon in &forecast.horizons {
            let minutes = || horizon.minutes.to_string();
            gauge!(GATE_FORECAST, "gate" => gate(), "minutes" => minutes()).set(horizon.arrivals.median);
            let wait = horizon.wait_seconds.map_or(f64::NAN, |wait| wait.median);
            gauge!(GATE_FORECAST_WAIT, "gate" => gate(), "minutes" => minutes()).set(wait);
        }
        for grade in &forecast.grades {
            let minutes = || grade.minutes.to_string();
            gauge!(GATE_ERROR, "gate" => gate(), "minutes" => minutes()).set(grade.mean_absolute_error);
            for (interval, held) in [("80", grade.coverage80), ("95", grade.coverage95)] {
                let held = held.unwrap_or(f64::NAN);
                gauge!(GATE_COVERAGE, "gate" => gate(), "minutes" => minutes(), "interval" => interval).set(held);
            }
        }
    }
}

/// How much a count has grown since `before`; one that is smaller began anew.
fn grown(before: &mut u64, now: u64) -> u64 {
    let grown = now.checked_sub(*before).unwrap_or(now);
    *before = now;
    grown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::board::tests::{flow, forecast};
    use crate::flow::told::{Fan, Grade, Horizon};
    use metrics_exporter_prometheus::PrometheusBuilder;

    #[test]
    fn a_count_that_begins_anew_goes_on() {
        let mut before = 0;
        let counts = [3, 5, 5, 1, 2].map(|now| grown(&mut before, now));
        assert_eq!(counts, [3, 2, 0, 1, 1]);
    }

    #[test]
    fn what_is_not_known_is_not_a_number() {
        let recorder = PrometheusBuilder::new().build_recorder();
        let page = recorder.handle();
        metrics::with_local_recorder(&recorder, || {
            let mut meters = Meters::default();
            meters.flow(&flow("gate-a", 7));
            let fan = Fan { median: 4.5, ..Fan::default() };
            let horizon = Horizon { minutes: 15, arrivals: fan, queue: None, wait_seconds: None };
            let grade = Grade {
                minutes: 15,
                forecasts: 9,
                mean_absolute_error: 1.5,
                mase: None,
                coverage80: Some(0.8),
                coverage95: None,
            };
            let next = GateForecast { horizons: vec![horizon], grades: vec![grade], ..forecast("gate-a") };
            meters.forecast(&next);
        });
        let page = page.render();
        for line in [
            "usher_gate_entered_total{gate=\"gate-a\"} 7",
            "usher_gate_queue_people{gate=\"gate-a\"} NaN",
            "usher_gate_inside{gate=\"gate-a\"} NaN",
            "usher_gate_advice{gate=\"gate-a\",kind=\"steer\"} 0",
            "usher_gate_forecast_per_minute{gate=\"gate-a\",minutes=\"15\"} 4.5",
            "usher_gate_forecast_wait_seconds{gate=\"gate-a\",minutes=\"15\"} NaN",
            "usher_gate_forecast_coverage_ratio{gate=\"gate-a\",minutes=\"15\",interval=\"80\"} 0.8",
            "usher_gate_forecast_coverage_ratio{gate=\"gate-a\",minutes=\"15\",interval=\"95\"} NaN",
        ] {
            assert!(page.lines().any(|told| told == line), "{line} is missing from\n{page}");
        }
    }
}
