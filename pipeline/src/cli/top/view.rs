//! What is shown of a look: tables of cameras, stages and gates.

use super::Look;
use crate::metrics::{
    ANALYSED, BEYOND_RATE, DECISIONS, GATE_ENTERED, GATE_LANES, GATE_QUEUE, GATE_WAIT, PASSED_OVER, STAGE_SECONDS,
    UNCHANGED,
};
use serde::Serialize;
use serde_json::Value;
use std::fmt;

/// One look, with rates since the one before.
#[derive(Debug, Serialize)]
pub(super) struct View {
    site: String,
    ready: bool,
    broker: String,
    outbox: u64,
    enrolled: u64,
    cameras: Vec<Camera>,
    stages: Vec<Stage>,
    gates: Vec<Gate>,
    degraded: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Camera {
    name: String,
    gate: String,
    state: String,
    /// Frames a second that went through the detector, that showed nothing new, that came beyond the rate, and that were replaced
    /// before a worker took them.
    analysed: f64,
    unchanged: f64,
    beyond_rate: f64,
    passed_over: f64,
}

#[derive(Debug, Serialize)]
struct Stage {
    name: String,
    per_second: f64,
    /// Bounds of the histogram, milliseconds; absent where nothing came, or beyond the last bound.
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

#[derive(Debug, Serialize)]
struct Gate {
    name: String,
    entered_per_minute: f64,
    decided_per_minute: f64,
    queue: Option<f64>,
    wait_seconds: Option<f64>,
    lanes_open: Option<f64>,
}

impl View {
    pub(super) fn of(before: &Look, now: &Look) -> Self {
        let seconds = now.at.saturating_sub(before.at).as_secs_f64().max(0.001);
        let rate = |name: &str, labels: &[(&str, &str)]| now.figures.rate(&before.figures, name, labels, seconds);
        let words = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let camera = |camera: &Value| {
            let name = words(&camera["name"]);
            let of = |figure| rate(figure, &[("camera", name.as_str())]);
            Camera {
                gate: words(&camera["gate"]),
                state: words(&camera["state"]),
                analysed: of(ANALYSED),
                unchanged: of(UNCHANGED),
                beyond_rate: of(BEYOND_RATE),
                passed_over: of(PASSED_OVER),
                name,
            }
        };
        let stage = |name: String| {
            let labels = [("stage", name.as_str())];
            let quantile = |share| {
                let bound = now.figures.quantile(&before.figures, STAGE_SECONDS, &labels, share);
                bound.filter(|bound| bound.is_finite()).map(|bound| bound * 1e3)
            };
            Stage {
                per_second: rate(&format!("{STAGE_SECONDS}_count"), &labels),
                p50_ms: quantile(0.5),
                p95_ms: quantile(0.95),
                name,
            }
        };
        let gate = |gate: &Value| {
            let name = words(gate);
            let labels = [("gate", name.as_str())];
            // What is not known is told as not a number.
            let known = |figure| now.figures.sum(figure, &labels).filter(|value| value.is_finite());
            Gate {
                entered_per_minute: 60.0 * rate(GATE_ENTERED, &labels),
                decided_per_minute: 60.0 * rate(DECISIONS, &labels),
                queue: known(GATE_QUEUE),
                wait_seconds: known(GATE_WAIT),
                lanes_open: known(GATE_LANES),
                name,
            }
        };
        let all = |value: &Value| value.as_array().cloned().unwrap_or_default();
        Self {
            site: words(&now.state["site"]),
            ready: now.state["ready"] == true,
            broker: words(&now.state["broker"]["state"]),
            outbox: now.state["outbox"].as_u64().unwrap_or(0),
            enrolled: now.state["enrolled"].as_u64().unwrap_or(0),
            cameras: all(&now.state["cameras"]).iter().map(camera).collect(),
            stages: now.figures.values(&format!("{STAGE_SECONDS}_count"), "stage").into_iter().map(stage).collect(),
            gates: all(&now.state["gates"]).iter().map(gate).collect(),
            degraded: now.degraded.clone(),
        }
    }
}

/// A figure, or a dash where there is none.
fn or_dash(value: Option<f64>, digits: usize) -> String {
    value.map_or_else(|| "–".to_owned(), |value| format!("{value:.digits$}"))
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ready = if self.ready { "ready" } else { "not ready" };
        let Self { site, broker, outbox, enrolled, .. } = self;
        writeln!(f, "{site}: {ready}, broker {broker}, {outbox} visits unacknowledged, {enrolled} enrolled\n")?;
        writeln!(
            f,
            "{:<18}{:<14}{:<12}{:>10}{:>11}{:>12}{:>13}",
            "CAMERA", "GATE", "STATE", "analysed/s", "unchanged", "beyond rate", "passed over"
        )?;
        for camera in &self.cameras {
            let Camera { name, gate, state, analysed, unchanged, beyond_rate, passed_over } = camera;
            writeln!(
                f,
                "{name:<18}{gate:<14}{state:<12}{analysed:>10.1}{unchanged:>11.1}{beyond_rate:>12.1}{passed_over:>13.1}"
            )?;
        }
        writeln!(f, "\n{:<32}{:>10}{:>10}{:>10}", "STAGE", "per second", "p50 ms", "p95 ms")?;
        for Stage { name, per_second, p50_ms, p95_ms } in &self.stages {
            let (p50, p95) = (or_dash(*p50_ms, 1), or_dash(*p95_ms, 1));
            writeln!(f, "{name:<32}{per_second:>10.1}{p50:>10}{p95:>10}")?;
        }
        writeln!(
            f,
            "\n{:<18}{:>12}{:>13}{:>9}{:>9}{:>8}",
            "GATE", "entered/min", "decided/min", "queue", "wait s", "lanes"
        )?;
        for Gate { name, entered_per_minute, decided_per_minute, queue, wait_seconds, lanes_open } in &self.gates {
            let (queue, wait, lanes) = (or_dash(*queue, 0), or_dash(*wait_seconds, 0), or_dash(*lanes_open, 0));
            writeln!(f, "{name:<18}{entered_per_minute:>12.1}{decided_per_minute:>13.1}{queue:>9}{wait:>9}{lanes:>8}")?;
        }
        for degraded in &self.degraded {
            writeln!(f, "\n!  {degraded}")?;
        }
        Ok(())
    }
}
