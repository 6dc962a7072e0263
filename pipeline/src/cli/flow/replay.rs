//! `usher flow replay`: what would have been counted.

use crate::{
    capture::{
        fault::Fault,
        frame::{Camera, Frame},
        latest::{Latest, Pace, latest, passed_over},
        recorded::{recorded, recorded_stills},
        stills::scene::Scene,
    },
    cli::{Common, MEND_ME, flow::export::word, logging},
    clock::{Clock, HandClock, Moment, SystemClock},
    flow::count::{
        Counter,
        history::{History, Told},
        motion,
        record::{self, Row, Seen},
    },
    infer::{
        self, Outlets,
        sighting::{Left, Passing, Tracked},
    },
    supervise::{Beat, spawn, stop},
    wire,
};
use anyhow::Context as _;
use crossbeam::channel::bounded;
use jiff::tz::TimeZone;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
    thread::JoinHandle,
    time::{Duration, SystemTime},
};
use usher_config::{Config, Problems, count::By, crowd::Crowd, value::Name};

/// Frames on their way to be counted.
const ROOM: usize = 64;

/// Count people in a recording, minute by minute; nothing is published or kept.
///
/// The recording is a film, a crowd file (.yaml), or a record of counts (.csv). Minutes of a film count from its beginning.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The recording.
    file: PathBuf,
    /// Count as this camera of the configuration does. Default: its first.
    #[arg(long, conflicts_with_all = ["by", "line", "zone"])]
    camera: Option<String>,
    /// Count by `faces` or by `motion`, whatever the configuration says; `motion` needs no configuration.
    #[arg(long)]
    by: Option<String>,
    /// Over this line, such as `[[0.1, 0.6], [0.9, 0.6]]`.
    #[arg(long, conflicts_with = "zone")]
    line: Option<String>,
    /// Into this zone, such as `[[0.2, 0.4], [0.8, 0.4], [0.5, 0.9]]`.
    #[arg(long)]
    zone: Option<String>,
    /// How whoever enters walks: down, up, left or right; with a zone inward or outward.
    #[arg(long)]
    direction: Option<String>,
    /// Height of somebody who stands on the line, as a share of the picture's.
    #[arg(long)]
    person: Option<f32>,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    if args.file.extension().is_some_and(|end| end == "csv") {
        return of_record(common, &args.file);
    }
    let config = match configured(common, args) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let cameras = wire::cameras(&config);
    let name = match &args.camera {
        Some(name) => Name::new(name).with_context(|| format!("`{name}` is no camera's name"))?,
        None => cameras.keys().next().context("the configuration has a camera")?.clone(),
    };
    let camera = cameras.get(&name).with_context(|| format!("no camera `{name}` in {}", common.config.display()))?;
    of_pictures(common, &args.file, &config, camera)
}

/// The configuration, or one made of what the command line says.
fn configured(common: &Common, args: &Args) -> Result<Config, Problems> {
    if args.by.is_none() && args.line.is_none() && args.zone.is_none() {
        return usher_config::read(&common.config);
    }
    let mut count = vec![format!("by: {}", args.by.as_deref().unwrap_or("faces"))];
    count.extend(args.line.iter().map(|line| format!("line: {line}")));
    count.extend(args.zone.iter().map(|zone| format!("zone: {zone}")));
    count.extend(args.direction.iter().map(|direction| format!("direction: {direction}")));
    count.extend(args.person.map(|person| format!("person: {person}")));
    let count = count.join(", ");
    let text = format!(
        "site: replay\ncameras:\n  camera: {{ url: /dev/video0, count: {{ {count} }} }}\ngates:\n  gate: {{ cameras: [camera] }}\n"
    );
    let mut config = usher_config::from_text(&text, "the command line", Path::new(""))?;
    // Networks are where the configuration says, if there is one.
    if let Ok(found) = usher_config::read(&common.config) {
        (config.data, config.infer) = (found.data, found.infer);
    }
    Ok(config)
}

fn of_record(common: &Common, file: &Path) -> anyhow::Result<ExitCode> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let kept = record::rows_of(&text);
    anyhow::ensure!(
        !kept.rows.is_empty(),
        "{}: no row of counts; a record begins `{}`",
        file.display(),
        record::HEADER
    );
    let history = History::of(&kept.rows);
    let (mut entered, mut left) = (0, 0);
    for gate in history.gates() {
        for (at, told) in history.told(gate) {
            say(common, &at.to_string(), gate, &told);
            (entered, left) = (entered + u64::from(told.entered), left + u64::from(told.left));
        }
    }
    println!("{}", json!({ "entered": entered, "left": left, "unread_lines": kept.unread }));
    Ok(ExitCode::SUCCESS)
}

fn say(common: &Common, minute: &str, gate: &Name, told: &Told) {
    let counting = told.closed.map_or("open", word);
    if common.json {
        let Told { entered, left, .. } = told;
        println!(
            "{}",
            json!({ "minute": minute, "gate": gate, "entered": entered, "left": left, "counting": counting })
        );
    } else {
        let seen = if counting == "whole" { "" } else { "  (not all of the minute was seen)" };
        println!("{minute:>20}  gate {gate}  entered {:4}  left {:4}{seen}", told.entered, told.left);
    }
}

fn of_pictures(common: &Common, file: &Path, config: &Config, camera: &Arc<Camera>) -> anyhow::Result<ExitCode> {
    let clock = SystemClock::start();
    let begun = clock.now();
    let (_stopper, stop) = stop();
    let (mut seats, frames) = latest(Pace::Wait, [passed_over(&camera.name)]);
    let seat = seats.pop().context("one camera has one seat")?;
    let reading: JoinHandle<Result<u64, Fault>> = if file.extension().is_some_and(|end| end == "yaml" || end == "yml") {
        let until = Scene::of(&Crowd::read(file)?).round();
        recorded_stills(file.to_owned(), until, camera.clone(), seat, clock.clone(), stop)
    } else {
        recorded(file.to_owned(), camera.clone(), seat, clock.clone(), stop)
    };
    let (flow, passing) = bounded(ROOM);
    let following = follow(config, &camera.name, frames, flow)?;
    let zero = Moment { steady: Duration::ZERO, wall: SystemTime::UNIX_EPOCH };
    let mut counter = Counter::new(config, TimeZone::UTC, zero);
    let (mut history, side) = (History::default(), config.cameras[&camera.name].count.at);
    let (mut last, mut base, mut entered, mut left) = (zero, None, 0u64, 0u64);
    let mut take = |rows: Vec<Row>| {
        for row in rows.into_iter().filter(|row| row.side == side) {
            (entered, left) = (entered + u64::from(row.entered), left + u64::from(row.left));
            let told = history.add(&row);
            let is_over = row.seen == Seen::Open || told.closed.is_some();
            if is_over && row.gate == camera.gate {
                say(common, &format!("{}", row.at.as_second() / 60), &row.gate, &told);
            }
        }
    };
    for passing in passing {
        // From the first frame on, by the recording's own time.
        let base = *base.get_or_insert_with(|| earliest(&passing));
        let passing = since(passing, base);
        last = last.max(latest_of(&passing));
        counter.hear(&passing, last);
        take(counter.turn(last));
    }
    take(counter.end(last));
    following.join().map_err(|_| anyhow::anyhow!("following people ended in a panic"))??;
    let frames = reading.join().map_err(|_| anyhow::anyhow!("reading ended in a panic"))?;
    let frames = frames.with_context(|| file.display().to_string())?;
    let seconds = clock.now().since(begun).as_secs_f64();
    println!("{}", json!({ "frames": frames, "entered": entered, "left": left, "seconds": seconds }));
    Ok(ExitCode::SUCCESS)
}

/// Starts whoever follows people, by faces or by motion.
fn follow(
    config: &Config,
    camera: &Name,
    frames: Latest<Frame>,
    flow: crossbeam::channel::Sender<Passing>,
) -> anyhow::Result<JoinHandle<anyhow::Result<()>>> {
    // Nobody hears what faces tell; nothing is sent there, since nobody is awaited.
    let (sightings, unheard) = bounded(1);
    let (watched, passes) = (bounded(1).0, bounded(1).0);
    let outlets = Outlets { sightings, flow, watched, passes };
    let still: Arc<dyn Clock> = HandClock::at(SystemTime::UNIX_EPOCH);
    if config.cameras[camera].count.by == By::Motion {
        let cameras = motion::Cameras::of(config);
        return Ok(spawn("motion", move || {
            let _unheard = unheard;
            motion::run(cameras, frames, &outlets, &*still, &Beat::default());
            Ok(())
        }));
    }
    let mut worker = wire::workers(config, &still, 1)?.pop().context("one camera has a worker")?;
    worker.engine.embed_where(Arc::new(|_| false));
    Ok(spawn("infer", move || {
        let _unheard = unheard;
        Ok(infer::run(worker, frames, &outlets, &Beat::default())?)
    }))
}

fn earliest(passing: &Passing) -> Moment {
    match passing {
        Passing::Tracked(tracked) => tracked.taken,
        Passing::Left(left) => left.from,
    }
}

fn latest_of(passing: &Passing) -> Moment {
    match passing {
        Passing::Tracked(tracked) => tracked.taken,
        Passing::Left(left) => left.to,
    }
}

fn since(passing: Passing, base: Moment) -> Passing {
    let shift = |moment: Moment| {
        let steady = moment.since(base);
        Moment { steady, wall: SystemTime::UNIX_EPOCH + steady }
    };
    match passing {
        Passing::Tracked(tracked) => Passing::Tracked(Tracked { taken: shift(tracked.taken), ..tracked }),
        Passing::Left(left) => Passing::Left(Left { from: shift(left.from), to: shift(left.to), ..left }),
    }
}
