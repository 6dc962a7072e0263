//! Pictures that do not change go without the detector, and no walk-through is lost by it.
//!
//! The demo's crowd walks twice, once with every picture given to the detector, once with unchanged ones left out; the
//! same people are found, named, and found no more than one forced interval later. Recordings in the folder
//! `USHER_CLIPS`, where that is set, are held to the same.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "the support waits by the machine's own clock, and a test says no more by another word than unwrap"
)]

#[path = "support/gate.rs"]
mod gate;

use crossbeam::channel::{bounded, never};
use gate::{Box, root};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use usher::{
    accuracy::walks::{Tally, Walks},
    capture::{
        latest::{Pace, latest},
        recorded::{recorded, recorded_stills},
        stills::scene::Scene,
    },
    cli::crowd::{Enrolled, enrol},
    clock::{Clock, HandClock},
    decide::{self, quiet::Quiet},
    gallery::{current::Current, store::Store},
    identify::{self, threshold::Law},
    infer::{self, Outlets, sighting::Passing, watched::Watched},
    supervise::{Beat, spawn, stop},
    wire,
};
use usher_config::{Config, crowd::Crowd};

/// As shipped: an empty, unchanged picture is looked at again after this.
const FORCED: Duration = Duration::from_secs(1);
/// More than any run has frames, people or visits.
const PLENTY: usize = 1 << 16;
/// Of the demo's crowd; a round of it takes longer, and every walk in it is of the same kind.
const LONG: Duration = Duration::from_secs(75);

/// What a run found.
struct Found {
    /// Frames given to the detector, and frames left out.
    analysed: usize,
    unchanged: usize,
    /// First and last sight of each track, stream time; by first sight.
    tracks: Vec<(Duration, Duration)>,
    /// When each walk of a crowd was first seen.
    seen: BTreeMap<u64, Duration>,
    tally: Tally,
}

/// A crowd of pictures up to a time, or a recording to its end.
enum Film {
    Crowd(PathBuf, Duration),
    Clip(PathBuf),
}

fn run(config: &Config, film: &Film, enrolled: &Enrolled, unchanged: Duration) -> Found {
    let mut config = config.clone();
    config.infer.unchanged = unchanged;
    let camera = wire::cameras(&config).into_values().next().unwrap();
    let clock = HandClock::at(SystemTime::UNIX_EPOCH);
    let still: std::sync::Arc<dyn Clock> = clock.clone();
    let worker = wire::workers(&config, &still, 1).unwrap().remove(0);
    let model = worker.engine.model();
    let gallery = Current::of(&Store::of(&config).unwrap(), &model, clock.now().wall).unwrap();
    let law = Law::of(&model).unwrap();

    let (mut seats, frames) = latest(Pace::Wait, [metrics::Counter::noop()]);
    let (sightings, sightings_out) = bounded(PLENTY);
    let (flow, flow_out) = bounded::<Passing>(PLENTY);
    let (watched, watched_out) = bounded::<Watched>(PLENTY);
    let (identifications, identifications_out) = bounded(PLENTY);
    let (visits, visits_out) = bounded(PLENTY);
    let (outcomes, _for_nobody) = bounded(1);
    let (_stopper, stop) = stop();
    let seat = seats.remove(0);
    let reading = match film {
        Film::Crowd(path, until) => recorded_stills(path.clone(), *until, camera, seat, clock.clone(), stop),
        Film::Clip(path) => recorded(path.clone(), camera, seat, clock.clone(), stop),
    };
    let scene = match film {
        Film::Crowd(path, _) => Some(Scene::of(&Crowd::read(path).unwrap())),
        Film::Clip(_) => None,
    };
    let truth = scene.clone();
    let watching = spawn("watching", move || watch(&watched_out, truth.as_ref()));
    let outlets = Outlets { sightings, flow, watched, passes: bounded(1).0 };
    infer::run(worker, frames, &outlets, &Beat::default()).unwrap();
    drop(outlets);
    reading.join().unwrap().unwrap();
    identify::run(
        &sightings_out,
        &identifications,
        &gallery,
        config.rules.clone(),
        law,
        &usher::health::Health::of([]),
        &*clock,
        &Beat::default(),
    );
    drop(identifications);
    let quiet = Quiet::new(config.gates.iter().map(|(name, gate)| (name.clone(), gate.quiet)));
    decide::run(&identifications_out, &never(), &visits, &bounded(1).0, &outcomes, quiet, &*clock, &Beat::default());
    drop(visits);

    let mut tally = Tally::default();
    if let (Some(scene), Film::Crowd(_, until)) = (scene, film) {
        let mut walks = Walks::new(std::boxed::Box::new(scene), enrolled.clone());
        for visit in &visits_out {
            walks.judge(visit.pts, &visit.rect, visit.visitor);
        }
        tally = walks.tally(Duration::ZERO, *until);
    }
    let span = |passing| match passing {
        Passing::Left(left) => Some((left.from.steady, left.to.steady)),
        Passing::Tracked(_) => None,
    };
    let mut tracks: Vec<_> = flow_out.iter().filter_map(span).collect();
    tracks.sort_unstable();
    let (analysed, unchanged, seen) = watching.join().unwrap();
    Found { analysed, unchanged, tracks, seen, tally }
}

/// Counts frames; notes when each walk was first believed in.
fn watch(
    watched: &crossbeam::channel::Receiver<Watched>,
    truth: Option<&Scene>,
) -> (usize, usize, BTreeMap<u64, Duration>) {
    let (mut analysed, mut unchanged, mut seen) = (0, 0, BTreeMap::new());
    for Watched { frame, people, analysed: was_analysed, .. } in watched {
        if was_analysed {
            analysed += 1;
        } else {
            unchanged += 1;
        }
        for present in truth.filter(|_| !people.is_empty()).map(|truth| truth.people_at(frame.pts)).unwrap_or_default()
        {
            if people.iter().any(|person| person.rect.iou(&present.rect) > 0.3) {
                seen.entry(present.walk).or_insert(frame.pts);
            }
        }
    }
    (analysed, unchanged, seen)
}

/// A configuration over an empty data folder, and that folder.
fn configuration(url: &str) -> (Box, Config) {
    let gate = Box::with_camera("usher", url).unwrap();
    let config = usher_config::read(&gate.config).unwrap();
    (gate, config)
}

#[test]
fn the_demos_crowd_is_found_and_named_the_same_and_no_later_than_a_forced_look() {
    let path = root().join("config/demo-crowd.yaml");
    let (_folder, config) = configuration(&format!("stills:{}", path.display()));
    let crowd = Crowd::read(&path).unwrap();
    let enrolled = enrol(&config, [(path.as_path(), &crowd)].into_iter()).unwrap();
    let film = Film::Crowd(path, LONG);
    let every = run(&config, &film, &enrolled, Duration::ZERO);
    let spared = run(&config, &film, &enrolled, FORCED);
    println!(
        "every picture: {} analysed; unchanged ones left out: {} analysed, {} left out",
        every.analysed, spared.analysed, spared.unchanged
    );

    assert_eq!(every.unchanged, 0);
    assert!(spared.unchanged > 0 && spared.analysed + spared.unchanged == every.analysed);
    assert!(every.tally.named_right >= 5, "too few walks to say anything: {:?}", every.tally);
    assert_eq!(every.tally, spared.tally);
    assert_eq!(every.tracks.len(), spared.tracks.len());
    let walks = |found: &Found| found.seen.keys().copied().collect::<Vec<_>>();
    assert_eq!(walks(&every), walks(&spared));
    for (walk, seen) in &spared.seen {
        assert!(*seen <= every.seen[walk] + FORCED, "walk {walk}: {seen:?}, not {:?}", every.seen[walk]);
    }
}

#[test]
fn whoever_is_in_a_recording_is_found_no_later_than_a_forced_look() {
    let Some(folder) = std::env::var_os("USHER_CLIPS") else {
        println!("USHER_CLIPS names no folder of recordings: not tested on any");
        return;
    };
    let mut clips: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    clips.retain(|path| path.extension().is_some_and(|end| end == "mp4" || end == "mkv"));
    assert!(!clips.is_empty(), "no recording in USHER_CLIPS");
    for clip in clips {
        compare(&clip);
    }
}

fn compare(clip: &Path) {
    let (_folder, config) = configuration(&format!("file:{}", clip.display()));
    let film = Film::Clip(clip.to_owned());
    let every = run(&config, &film, &Enrolled::new(), Duration::ZERO);
    let spared = run(&config, &film, &Enrolled::new(), FORCED);
    println!(
        "{}: {} tracks, {} analysed; unchanged ones left out: {} tracks, {} analysed, {} left out",
        clip.file_name().unwrap().to_string_lossy(),
        every.tracks.len(),
        every.analysed,
        spared.tracks.len(),
        spared.analysed,
        spared.unchanged,
    );
    // Tracks have no names here: whoever was in sight for longer than a forced interval must be in sight again.
    for (from, to) in every.tracks.iter().filter(|(from, to)| *to - *from > FORCED) {
        let again = spared.tracks.iter().any(|(begun, ended)| *begun <= *from + FORCED && *ended > *from);
        assert!(again, "{}: nobody at {from:?} to {to:?}", clip.display());
    }
}
