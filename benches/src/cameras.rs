//! How many 720p cameras at 10 analysed frames a second each does this machine sustain, and where does its time go?
//!
//! Cameras are H.264 files at their own speed, 25 frames a second, all of the same film of people walking, so that
//! all crowds come at once: the worst case for a scheduler. Every frame whose turn it is goes to the detector
//! (`unchanged: 0 s`). A number of cameras is sustained when each has at least 9.8 analysed frames a second.

use crate::{
    cpu,
    film::{FPS, Film, crowd_file},
    process::{Box, Running, root},
};
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use usher::cli::crowd::enrol;
use usher_models::image::Size;

pub(crate) const QUESTION: &str =
    "How many 720p cameras at 10 analysed frames a second each are sustained, and where does the time go?";
const SIZE: Size = Size { width: 1280, height: 720 };
const LONG: Duration = Duration::from_secs(20);
const LEAST_FPS: f64 = 9.8;
const MOST_CAMERAS: usize = 32;
/// Until every camera runs, and for how long they are then watched.
const SETTLE: Duration = Duration::from_secs(3);
const WATCHED: Duration = Duration::from_secs(8);
const STAGES: [&str; 6] = ["scale", "detect", "crop", "embed", "portrait", "identify"];

pub(crate) fn answer() -> anyhow::Result<Value> {
    let film = Film::of(SIZE, LONG)?;
    let (mut rows, mut sustained, mut refused, mut shares) = (Vec::new(), 0, MOST_CAMERAS + 1, Value::Null);
    let mut next = 1;
    while sustained + 1 < refused {
        let row = run(&film, next)?;
        println!("{row}");
        if row["sustained"] == true {
            (sustained, shares) = (next, row["cpu_share"].clone());
        } else {
            refused = next;
        }
        rows.push(row);
        next = if refused > MOST_CAMERAS { (2 * next).min(MOST_CAMERAS) } else { (sustained + refused) / 2 };
        if next == sustained {
            break;
        }
    }
    let inference = shares["detect"].as_f64().unwrap_or(f64::NAN) + shares["embed"].as_f64().unwrap_or(f64::NAN);
    Ok(json!({
        "cameras": format!("{}x{} H.264 files, {FPS} frames a second, at their own speed", SIZE.width, SIZE.height),
        "sustained": sustained,
        "rows": rows,
        "cpu_share_at_most_cameras": shares,
        "inference_share": inference,
        "goal_inference_share_at_most": 0.5,
        "met": inference <= 0.5,
    }))
}

fn run(film: &Film, cameras: usize) -> anyhow::Result<Value> {
    let each = |line: &dyn Fn(usize) -> String| (1..=cameras).map(line).collect::<String>();
    let gate = Box::configured(root().join("target/release/usher"), |[pages, mqtt, websocket]| {
        let urls = each(&|n| format!("  cam-{n}: {{ url: \"file:{}\" }}\n", film.file.display()));
        let gates = each(&|n| {
            format!("  gate-{n}: {{ cameras: [cam-{n}], quiet: 5 s, mode: identification, responsible: the bench }}\n")
        });
        format!(
            "site: bench\ndata: data\ncameras:\n{urls}gates:\n{gates}infer: {{ analysed_fps: 10, calm_fps: 10, unchanged: 0 s }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n"
        )
    })?;
    let config = usher_config::read(&gate.config)?;
    enrol(&config, [(crowd_file().as_path(), &film.crowd)].into_iter())?;
    let (running, _) = gate.start()?;
    std::thread::sleep(SETTLE);
    let before = Seen::now(&gate, &running)?;
    std::thread::sleep(WATCHED);
    let after = Seen::now(&gate, &running)?;
    let seconds = after.at.duration_since(before.at).as_secs_f64();
    let fps: Vec<f64> = after
        .analysed
        .iter()
        .map(|(camera, frames)| (frames - before.analysed.get(camera).copied().unwrap_or(0.0)) / seconds)
        .collect();
    let least = fps.iter().copied().fold(f64::INFINITY, f64::min);
    let sustained = fps.len() == cameras && least >= LEAST_FPS;
    Ok(json!({
        "cameras": cameras,
        "least_analysed_fps": least,
        "mean_analysed_fps": fps.iter().sum::<f64>() / fps.len() as f64,
        "passed_over_a_second": (after.passed_over - before.passed_over) / seconds,
        "cores_busy": (after.total() - before.total()) / seconds,
        "sustained": sustained,
        "cpu_share": shares(&before, &after),
    }))
}

/// What one moment shows.
struct Seen {
    at: std::time::Instant,
    analysed: BTreeMap<String, f64>,
    passed_over: f64,
    stages: BTreeMap<&'static str, f64>,
    threads: BTreeMap<String, f64>,
}

impl Seen {
    fn now(gate: &Box, running: &Running) -> anyhow::Result<Self> {
        Ok(Self {
            at: std::time::Instant::now(),
            analysed: gate.metric_by_camera("usher_frames_analysed_total")?,
            passed_over: gate.metric("usher_frames_passed_over_total")?,
            stages: STAGES
                .into_iter()
                .map(|stage| Ok((stage, gate.stage_seconds(stage)?)))
                .collect::<anyhow::Result<_>>()?,
            threads: cpu::by_thread(running.0.id())?,
        })
    }

    fn total(&self) -> f64 {
        self.threads.values().sum()
    }
}

/// Shares of the processor time between two moments. Threads tell decoding (whatever is not usher's own by name),
/// searching (`identify`) and inference apart; within the workers, the stages' timers do.
fn shares(before: &Seen, after: &Seen) -> Value {
    let spent = |of: &dyn Fn(&str) -> bool| -> f64 {
        let threads = after.threads.iter().filter(|(name, _)| of(name));
        threads.map(|(name, seconds)| seconds - before.threads.get(name).copied().unwrap_or(0.0)).sum()
    };
    let is_worker = |name: &str| name.starts_with("infer-");
    const OWN: [&str; 12] = [
        "usher",
        "main",
        "signals",
        "publish",
        "sink-mqtt",
        "gallery",
        "broker",
        "web",
        "decide",
        "identify",
        "flow",
        "cam-",
    ];
    let is_own = |name: &str| is_worker(name) || OWN.iter().any(|own| name.starts_with(own)) || name.contains("tokio");
    let all = spent(&|_| true);
    let (workers, search) = (spent(&is_worker), spent(&|name| name == "identify"));
    let timed = |stage: &str| after.stages[stage] - before.stages[stage];
    let in_workers: f64 = STAGES[..5].iter().map(|stage| timed(stage)).sum();
    // Timers run on while a worker waits for a core; its processor time is split in their proportions.
    let of_workers =
        |stages: &[&str]| stages.iter().map(|stage| timed(stage)).sum::<f64>() / in_workers * workers / all;
    let decode = spent(&|name| !is_own(name)) / all;
    let (scale, detect, embed) =
        (of_workers(&["scale", "crop", "portrait"]), of_workers(&["detect"]), of_workers(&["embed"]));
    json!({ "decode": decode, "preprocessing": scale, "detect": detect, "embed": embed, "search": search / all,
        "rest": 1.0 - decode - scale - detect - embed - search / all })
}
