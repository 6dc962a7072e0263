//! How many camera frames a processor second, from a file to the broker, against the pipeline a user would write?
//!
//! Both read the same 1080p H.264 film of people walking, name the people they know and publish to the same mosquitto.
//! usher is `usher run` as shipped, on the film as a camera at its own speed; the other is `peers/pipeline.py` as fast
//! as it goes: OpenCV reads, YuNet looks at every frame, SFace at every face of every frame, paho publishes, one thread
//! each. Processor time is user and system of the whole process while frames are read; starting, loading and enrolling
//! are not in it. usher's frames are all that arrive decoded, analysed or not: what to look at is its own business, as
//! long as it names the same people.

use crate::{
    broker::Mosquitto,
    cpu,
    film::{FPS, Film, crowd_file},
    process::{Box, root},
};
use anyhow::{Context, ensure};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    process::Command,
    time::{Duration, Instant},
};
use usher::cli::crowd::enrol;
use usher_models::image::Size;

pub(crate) const QUESTION: &str =
    "How many camera frames a processor second, file to broker, against the pipeline a user would write in Python?";
const SIZE: Size = Size { width: 1920, height: 1080 };
/// Of the film; several groups walk up in it.
const LONG: Duration = Duration::from_secs(30);
/// Interleaved; `USHER_ROUNDS` asks for another number.
const ROUNDS: usize = 3;
/// How many times the frames of the other one.
const GOAL: f64 = 6.0;
/// Every frame that reached usher is in one of these.
const FRAMES: [&str; 4] = [
    "usher_frames_analysed_total",
    "usher_frames_unchanged_total",
    "usher_frames_beyond_rate_total",
    "usher_frames_passed_over_total",
];

/// One run of either.
struct Run {
    frames: f64,
    cpu_s: f64,
    names: BTreeSet<String>,
    notes: Value,
}

impl Run {
    fn rate(&self) -> f64 {
        self.frames / self.cpu_s
    }

    fn told(&self) -> Value {
        json!({ "frames": self.frames, "cpu_s": self.cpu_s, "frames_per_cpu_s": self.rate(),
            "named": self.names, "notes": self.notes })
    }
}

pub(crate) fn answer() -> anyhow::Result<Value> {
    let python = root().join("benches/peers/.venv/bin/python");
    let film = Film::of(SIZE, LONG)?;
    let asked = std::env::var("USHER_ROUNDS").ok().and_then(|rounds| rounds.parse().ok());
    let (mut rounds, mut ratios, mut agree) = (Vec::new(), Vec::new(), true);
    for _ in 0..asked.unwrap_or(ROUNDS) {
        let usher = usher(&film)?;
        if !python.exists() {
            rounds.push(json!({ "usher": usher.told(), "python": "absent: `make bench-peers` fetches it" }));
            continue;
        }
        let python = peer(&film, &python)?;
        agree &= usher.names == python.names && !usher.names.is_empty();
        ratios.push(usher.rate() / python.rate());
        rounds.push(json!({ "usher": usher.told(), "python": python.told(), "ratio": ratios.last() }));
    }
    ratios.sort_by(f64::total_cmp);
    let median = ratios.get(ratios.len() / 2).copied();
    Ok(json!({
        "film": format!("{}x{} H.264, {FPS} frames a second, {} s", SIZE.width, SIZE.height, LONG.as_secs()),
        "threads": "usher: one worker, one thread a network, the decoder as GStreamer sets it up; Python: one thread each, decoder included",
        "rounds": rounds,
        "ratio": { "median": median, "least": ratios.first(), "most": ratios.last() },
        "agree": agree && median.is_some(),
        "goal_ratio_at_least": GOAL,
        "met": agree && median.is_some_and(|median| median >= GOAL),
    }))
}

fn usher(film: &Film) -> anyhow::Result<Run> {
    let broker = Mosquitto::start()?;
    let gate = Box::configured(root().join("target/release/usher"), |[pages, ..]| {
        format!(
            "site: bench\ndata: data\ncameras:\n  cam: {{ url: \"file:{}\" }}\ngates:\n  gate: {{ cameras: [cam], quiet: 10 s, mode: identification, responsible: the bench }}\n\
             guide: {{ programme: programme.yaml }}\npublish: {{ broker: {{ url: \"mqtt://{}\" }} }}\nweb: {{ listen: \"{pages}\" }}\n",
            film.file.display(),
            broker.address
        )
    })?;
    let config = usher_config::read(&gate.config)?;
    enrol(&config, [(crowd_file().as_path(), &film.crowd)].into_iter())?;
    let heard = broker.listen("usher/v1/bench/gate/gate/greeting")?;
    let (running, _) = gate.start()?;
    let frames = || FRAMES.iter().map(|name| gate.metric(name)).sum::<anyhow::Result<f64>>();
    let begun = Instant::now();
    while frames()? == 0.0 {
        ensure!(begun.elapsed() < Duration::from_secs(20), "no frame reached usher");
        std::thread::sleep(Duration::from_millis(20));
    }
    let (frames_before, cpu_before) = (frames()?, cpu::seconds(running.0.id())?);
    // The film begins anew at its end; what comes then is not looked at.
    std::thread::sleep(LONG - Duration::from_millis(500));
    let (cpu_s, read) = (cpu::seconds(running.0.id())? - cpu_before, frames()? - frames_before);
    let mut notes = json!({});
    for name in FRAMES {
        notes[name] = json!(gate.metric(name)?);
    }
    for stage in ["scale", "detect", "crop", "embed", "portrait", "identify"] {
        notes[stage] = json!(gate.stage_seconds(stage)?);
    }
    let names = heard.try_iter().filter_map(|event| Some(event["data"]["name"].as_str()?.to_owned())).collect();
    Ok(Run { frames: read, cpu_s, names, notes })
}

fn peer(film: &Film, python: &std::path::Path) -> anyhow::Result<Run> {
    let broker = Mosquitto::start()?;
    let heard = broker.listen("peers/welcome")?;
    let models = crate::process::set_up("models", "USHER_MODELS")?;
    let mut command = Command::new(python);
    command.arg(root().join("benches/peers/pipeline.py")).arg(&film.file);
    command.args(["--broker", &broker.address.to_string(), "--models"]).arg(models);
    command.args(["--frames", &(LONG.as_secs() as u32 * FPS - FPS / 2).to_string(), "--enrol"]);
    let output = command.args(film.visitors.iter().map(|(_, picture)| picture)).output()?;
    ensure!(output.status.success(), "pipeline.py: {}", String::from_utf8_lossy(&output.stderr));
    let said: Value = serde_json::from_slice(&output.stdout)?;
    let number = |key: &str| said[key].as_f64().with_context(|| format!("pipeline.py says no {key}"));
    let person = |event: Value| Some(film.visitors.get(event["person"].as_u64()? as usize)?.0.clone());
    let names = heard.try_iter().filter_map(person).collect();
    let notes = json!({ "faces_embedded": said["faces"], "published": said["published"], "seconds": said["seconds"] });
    Ok(Run { frames: number("frames")?, cpu_s: number("cpu_seconds")?, names, notes })
}
