//! `usher coach`: a walk test of one camera.

use crate::{
    capture::{
        self,
        fault::Fault,
        frame::{Camera, Frame},
        latest::{Latest, Pace, latest},
        recorded::{recorded, recorded_stills},
    },
    cli::{Common, MEND_ME, logging},
    clock::{Clock, SystemClock},
    coach::{
        advice::advice,
        figures::{Arrivals, Figures},
        follow::Follower,
        report::{Place, Told, rows, told},
        walk::{Walk, Walking, Wanted},
    },
    health::{CameraState, Health},
    infer::networks,
    supervise::{Beat, Stop, Stopper, stop},
    wire,
};
use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};
use usher_config::{
    Config,
    capture::{Camera as Settings, Source},
    value::Name,
};

/// How long to wait for a frame before looking whether the time is over.
const GLANCE: Duration = Duration::from_millis(100);

/// Say what limits recognition at a camera, and what to change. Somebody walks through meanwhile; figures are kept, of a
/// person nothing.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Which camera of the configuration. Default: the first. Of a recording or `stills:` its own time counts.
    camera: Option<String>,
    /// How long to watch. Ctrl-C ends sooner.
    #[arg(long, value_name = "TIME", default_value = "60s", value_parser = humantime::parse_duration)]
    duration: Duration,
    /// Metres from the lens to a face at the line, to be told ways in metres.
    #[arg(long, value_name = "METRES", value_parser = metres)]
    distance: Option<f32>,
    /// Keep the figures in this file.
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Show the figures of this file, kept by an earlier run, beside those of now.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
}

/// What `--save` keeps.
#[derive(Serialize, Deserialize)]
struct Kept {
    camera: Name,
    figures: Figures,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    logging(common);
    let before = args.before.as_deref().map(read).transpose()?;
    let config = match usher_config::read(&common.config) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let camera = chosen(&config, args.camera.as_deref())?;
    let follower = match networks::open_detector(&config) {
        Ok(detector) => Follower::new(detector),
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let wanted = Wanted::of(&config);
    if !common.json {
        let seconds = args.duration.as_secs();
        eprintln!(
            "Camera {}: walk up as visitors do, stop at the line for a second or two, go on; again and again for {seconds} s.",
            camera.name
        );
    }
    let number = AtomicU64::new(0);
    let each = |walk: &Walk| {
        let number = 1 + number.fetch_add(1, Ordering::Relaxed);
        let (first, line, looks) = (walk.first_px, walk.line_px, walk.looks);
        if !common.json {
            eprintln!("walk {number}: {first:.0} px between the eyes when found, {line:.0} at the line, {looks} looks");
        }
    };
    let (walks, arrivals) = watched(&config.cameras[&camera.name], &camera, follower, &wanted, args.duration, each)?;
    let figures = Figures::of(&walks, Some(arrivals.stream()));
    let place = Place { distance_m: args.distance };
    let limits: Vec<Told> = advice(&figures, &wanted).iter().map(|limit| told(limit, &figures, &place)).collect();
    if let Some(file) = &args.save {
        let kept = Kept { camera: camera.name.clone(), figures: figures.clone() };
        std::fs::write(file, serde_json::to_string_pretty(&kept)?)
            .with_context(|| format!("{} cannot be written; name a file in a folder of yours", file.display()))?;
    }
    let before = before.map(|kept| kept.figures);
    if common.json {
        let good = limits.is_empty();
        println!(
            "{:#}",
            json!({ "camera": camera.name, "good": good, "limits": limits, "figures": figures, "before": before })
        );
    } else {
        say(&camera.name, &figures, before.as_ref(), &limits);
    }
    Ok(ExitCode::SUCCESS)
}

fn say(camera: &Name, figures: &Figures, before: Option<&Figures>, limits: &[Told]) {
    match limits {
        [] => println!("{camera} is good: nothing here limits recognition."),
        [worst, rest @ ..] => {
            println!("{camera}: what limits recognition most: {}.\n  Mend: {}.", worst.found_words, worst.mend);
            for limit in rest {
                println!("Then: {}.\n  Mend: {}.", limit.found_words, limit.mend);
            }
        }
    }
    println!();
    let rows = rows(figures, before);
    let width = rows.iter().map(|row| row.name.chars().count()).max().unwrap_or(0);
    for row in rows {
        let fill = " ".repeat(width - row.name.chars().count());
        match row.before {
            Some(before) => println!("{}{fill}  {before:>7} → {}", row.name, row.now),
            None => println!("{}{fill}  {:>7}", row.name, row.now),
        }
    }
}

/// Watches a camera for `duration`; `each` hears of every walk as it ends.
fn watched(
    settings: &Settings,
    camera: &Arc<Camera>,
    mut follower: Follower,
    wanted: &Wanted,
    duration: Duration,
    each: impl Fn(&Walk),
) -> anyhow::Result<(Vec<Walk>, Arrivals)> {
    let clock: Arc<dyn Clock> = SystemClock::start();
    let enough = Arc::new(AtomicBool::new(false));
    signal_hook::flag::register(signal_hook::consts::SIGINT, enough.clone())?;
    let mut filmed = Filmed::start(settings, camera, duration, &clock);
    let (mut walking, mut walks, mut arrivals) = (Walking::default(), Vec::new(), Arrivals::default());
    let (begun, mut first, mut lost) = (clock.now(), None, None);
    while !enough.load(Ordering::Relaxed) {
        let Some(frames) = filmed.frames.take(1, GLANCE) else { break };
        for frame in frames {
            let pts = frame.pts.saturating_sub(*first.get_or_insert(frame.pts));
            if pts >= duration {
                enough.store(true, Ordering::Relaxed);
                break;
            }
            arrivals.came(frame.picture.size(), pts);
            follower.follow(&frame)?.into_iter().for_each(|glimpse| walking.see(glimpse));
            walks.extend(walking.over(frame.taken.steady, wanted).into_iter().inspect(&each));
        }
        if let Some(health) = &filmed.health {
            let state = health.cameras().remove(&camera.name);
            match (state, &lost) {
                (Some(CameraState::Lost { reason, .. }), None) => {
                    arrivals.faults += 1;
                    lost = Some(reason);
                }
                (Some(CameraState::Live), Some(_)) => lost = None,
                _ => {}
            }
            if clock.now().since(begun) >= duration {
                break;
            }
        }
    }
    walks.extend(walking.end(wanted).into_iter().inspect(&each));
    arrivals.passed_over = filmed.end(first.is_some())?;
    match (first, lost) {
        (Some(_), _) => Ok((walks, arrivals)),
        (None, Some(reason)) => bail!("camera {}: {reason}", camera.name),
        (None, None) => bail!("camera {} gave no frame; `usher check --probe` says why", camera.name),
    }
}

/// A camera's frames: live, or a recording's as fast as they are taken.
struct Filmed {
    frames: Latest<Frame>,
    passed_over: Arc<AtomicU64>,
    /// Of a live camera.
    health: Option<Arc<Health>>,
    reading: Option<JoinHandle<Result<u64, Fault>>>,
    stopper: Stopper,
    live: Option<JoinHandle<()>>,
}

impl Filmed {
    fn start(settings: &Settings, camera: &Arc<Camera>, duration: Duration, clock: &Arc<dyn Clock>) -> Self {
        let (stopper, stop): (Stopper, Stop) = stop();
        let passed_over = Arc::new(AtomicU64::new(0));
        let counter = metrics::Counter::from_arc(passed_over.clone());
        let is_recorded = matches!(settings.source, Source::File { .. } | Source::Stills { .. });
        let (mut seats, frames) = latest(if is_recorded { Pace::Wait } else { Pace::Live }, [counter]);
        let seat = seats.remove(0);
        let (at, clock) = (camera.clone(), clock.clone());
        let mut filmed = Self { frames, passed_over, health: None, reading: None, stopper, live: None };
        match &settings.source {
            Source::File { path } => filmed.reading = Some(recorded(path.clone(), at, seat, clock, stop)),
            Source::Stills { path } => {
                filmed.reading = Some(recorded_stills(path.clone(), duration, at, seat, clock, stop));
            }
            _ => {
                let health = Arc::new(Health::of([camera.name.clone()]));
                filmed.live = Some(capture::start(at, settings, seat, health.clone(), clock, Beat::default(), stop));
                filmed.health = Some(health);
            }
        }
        filmed
    }

    /// Lets go of the camera. Frames passed over, or why a recording could not be read where it `began` not even.
    fn end(self, began: bool) -> anyhow::Result<u64> {
        drop((self.stopper, self.frames));
        if let Some(live) = self.live {
            let _ended = live.join();
        }
        if let Some(reading) = self.reading {
            match reading.join() {
                // What was seen of a recording that breaks off is as good as a shorter one.
                Ok(Err(fault)) if !began => return Err(fault.into()),
                _ => {}
            }
        }
        Ok(self.passed_over.load(Ordering::Relaxed))
    }
}

fn chosen(config: &Config, asked: Option<&str>) -> anyhow::Result<Arc<Camera>> {
    let cameras = wire::cameras(config);
    match asked {
        None => Ok(cameras.into_values().next().context("the configuration has a camera")?),
        Some(asked) => {
            let name = Name::new(asked).context("not a camera's name")?;
            let names = cameras.keys().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            Ok(cameras.get(&name).with_context(|| format!("no camera `{asked}`; there are {names}"))?.clone())
        }
    }
}

fn read(file: &Path) -> anyhow::Result<Kept> {
    let mend = || format!("{} holds no figures; name a file that `usher coach --save` wrote", file.display());
    serde_json::from_str(&std::fs::read_to_string(file).with_context(mend)?).with_context(mend)
}

fn metres(text: &str) -> Result<f32, String> {
    let metres: f32 = text.trim().trim_end_matches('m').trim_end().parse().map_err(|_| "write metres, such as 2.5")?;
    if (0.3..=50.0).contains(&metres) { Ok(metres) } else { Err("write metres from 0.3 to 50".to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distance_is_metres() {
        assert_eq!((metres("2.5"), metres("4 m")), (Ok(2.5), Ok(4.0)));
        for wrong in ["", "far", "0", "-2", "400"] {
            assert!(metres(wrong).unwrap_err().contains("metres"), "{wrong}");
        }
    }
}
