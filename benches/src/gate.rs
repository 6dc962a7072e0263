//! From the first usable face to the broker's acknowledgement, at one 720p camera: how long, and how many frames a second?
//!
//! Goal: p95 <= 500 ms and >= 8 analysed frames a second on two cores without a GPU. The work is the demo's own: a
//! crowd of real faces, a sealed gallery, an embedded broker, an outbox that syncs to disk.

use crate::process::root;
use anyhow::Context;
use serde_json::{Value, json};
use std::process::Command;

pub(crate) const QUESTION: &str = "From the first usable face to the broker's acknowledgement, at one 720p camera: how long, and how many frames a second?";
/// Long enough for a whole round of the crowd and part of another.
const SECONDS: u32 = 150;

pub(crate) fn answer() -> anyhow::Result<Value> {
    let demo = root().join("config/demo.yaml");
    let seconds = SECONDS.to_string();
    let mut usher = Command::new(root().join("target/release/usher"));
    let output = usher.arg("demo").arg("--config").arg(demo).args(["--headless", "--duration", &seconds]).output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().rev().find(|line| line.starts_with('{')).with_context(|| {
        format!("the demo printed no JSON line; it said: {}", String::from_utf8_lossy(&output.stderr))
    })?;
    let said: Value = serde_json::from_str(line)?;
    let p95 = said["first_face_to_ack_ms"]["p95"].as_f64();
    let fps = said["analysed_fps"].as_f64();
    Ok(json!({
        "demo": said,
        "goals": { "p95_ms_at_most": 500, "analysed_fps_at_least": 8 },
        "met": p95.is_some_and(|ms| ms <= 500.0) && fps.is_some_and(|fps| fps >= 8.0),
    }))
}
