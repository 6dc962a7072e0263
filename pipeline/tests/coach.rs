//! The coach against films whose fault is known: drawn walks, spoilt as a camera would spoil them, through real encoders,
//! decoders, detector and tracker.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(clippy::disallowed_methods, reason = "a test of the running binary waits by the machine's own clock")]
#![allow(clippy::print_stdout, reason = "what was measured is told where a test fails")]

#[path = "support/gate.rs"]
mod gate;

use gate::{pictures, root};
use gstreamer as gst;
use gstreamer::prelude::*;
use serde_json::Value;
use std::{
    f32::consts::TAU,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};
use usher::capture::stills::{Stills, scene::Scene};
use usher_config::crowd::{Changes, Crowd, Gait};
use usher_models::image::{Plane, Planes};

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
/// Frames a second of a film.
const FPS: usize = 15;
/// Moments that a frame is made of, so that what moves smears as it does while a shutter is open.
const MOMENTS: usize = 4;

/// A frame's planes, I420 of limited range.
struct Planar {
    luma: Vec<f32>,
    u: Vec<f32>,
    v: Vec<f32>,
}

/// What is wrong with a camera.
#[derive(Clone, Copy, PartialEq)]
enum Fault {
    None,
    /// Faces end at 18 pixels between the eyes.
    Small,
    /// A tenth of the light.
    Dark,
    /// Three stops more than the sensor can hold.
    Bright,
    /// A window at one side of the line.
    SideLit,
    /// The shutter is open from frame to frame, while people sway as they walk.
    SlowShutter,
    /// The same sway, a quick shutter.
    Swaying,
    /// Out of focus.
    Soft,
    /// Five frames a second.
    SlowFrames,
    /// A tenth of the frames is lost on the way.
    Missing,
}

/// Two people, one after the other, whose pictures look at the camera.
fn crowd(fault: Fault) -> Crowd {
    let mut crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    crowd.people.retain(|person| ["oscar", "walter"].contains(&person.who.as_str()));
    crowd.people.iter_mut().for_each(|person| person.looks.truncate(1));
    let near_px = if fault == Fault::Small { 18.0 } else { 60.0 };
    crowd.walk = Gait {
        far_px: near_px / 4.0,
        near_px,
        approach_s: 3.0,
        pause_least_s: 1.0,
        pause_most_s: 1.0,
        leave_s: 0.6,
        gap_s: 1.5,
    };
    crowd.walk.far_px = crowd.walk.far_px.max(8.0);
    crowd.changes = Changes {
        light: 0.0,
        gamma: 0.0,
        cast: 0.0,
        scale: 0.0,
        blur_px: 0.0,
        tilt_deg: 0.0,
        quality: 90,
        motion: 0.0,
        moments: 1,
    };
    crowd.fps = if needs_moments(fault) { (FPS * MOMENTS) as u32 } else { FPS as u32 };
    (crowd.together, crowd.looped) = (1, false);
    crowd
}

fn needs_moments(fault: Fault) -> bool {
    matches!(fault, Fault::SlowShutter | Fault::Swaying)
}

/// Draws, spoils and encodes.
fn film(folder: &Path, name: &str, fault: Fault) -> PathBuf {
    gst::init().unwrap();
    let path = folder.join(format!("{name}.mp4"));
    let mut stills = Stills::of(&crowd(fault), &pictures().unwrap()).unwrap();
    let line = format!(
        "appsrc name=source format=time caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FPS}/1,\
         colorimetry=bt709 ! x264enc speed-preset=ultrafast pass=quant quantizer=14 ! mp4mux ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gstreamer_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let moments = if needs_moments(fault) { MOMENTS } else { 1 };
    for number in 0.. {
        let Some(planar) = exposed(&mut stills, fault, moments) else { break };
        let is_lost = match fault {
            Fault::SlowFrames => number % 3 != 0,
            Fault::Missing => number % 10 == 7,
            _ => false,
        };
        if is_lost {
            continue;
        }
        let bytes = [&planar.luma, &planar.u, &planar.v].into_iter().flatten();
        let mut buffer = gst::Buffer::from_mut_slice(bytes.map(|value| value.round() as u8).collect::<Vec<u8>>());
        let at = gst::ClockTime::from_nseconds(number * 1_000_000_000 / FPS as u64);
        let owned = buffer.get_mut().unwrap();
        owned.set_pts(at);
        owned.set_duration(gst::ClockTime::from_nseconds(1_000_000_000 / FPS as u64));
        source.push_buffer(buffer).unwrap();
    }
    source.end_of_stream().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds);
    assert!(matches!(end.as_ref().map(|end| end.view()), Some(gst::MessageView::Eos(_))), "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    path
}

/// One frame: the mean of the moments at which its shutter is open, spoilt.
fn exposed(stills: &mut Stills, fault: Fault, moments: usize) -> Option<Planar> {
    let mut sum: Option<Planar> = None;
    for moment in 0..moments {
        let (picture, pts) = stills.frame_at(stills.next_pts())?;
        stills.prepare();
        // A quick shutter is open at the first moment only.
        if fault == Fault::Swaying && moment > 0 {
            continue;
        }
        let sway =
            if needs_moments(fault) { (45.0 * (TAU * 0.6 * pts.as_secs_f32()).sin()).round() as isize } else { 0 };
        let view = picture.view();
        let Planes::I420 { luma, u, v } = view.planes else { panic!("stills are I420") };
        let read = |plane: Plane<'_>, width: usize, height: usize, sway: isize| -> Vec<f32> {
            (0..height)
                .flat_map(|y| (0..width).map(move |x| (x, y)))
                .map(|(x, y)| {
                    let x = (x as isize + sway).clamp(0, width as isize - 1) as usize;
                    f32::from(plane.data[y * plane.stride + x])
                })
                .collect()
        };
        let (half_width, half_height) = (WIDTH / 2, HEIGHT / 2);
        let planar = Planar {
            luma: read(luma, WIDTH, HEIGHT, sway),
            u: read(u, half_width, half_height, sway / 2),
            v: read(v, half_width, half_height, sway / 2),
        };
        let planar = lit(planar, fault, stills.scene(), pts);
        sum = Some(match sum {
            None => planar,
            Some(sum) => {
                Planar { luma: added(sum.luma, &planar.luma), u: added(sum.u, &planar.u), v: added(sum.v, &planar.v) }
            }
        });
    }
    let open = if fault == Fault::Swaying { 1 } else { moments } as f32;
    let mean = |plane: Vec<f32>| plane.into_iter().map(|value| value / open).collect();
    let Planar { luma, u, v } = sum?;
    Some(Planar { luma: mean(luma), u: mean(u), v: mean(v) })
}

fn added(mut sum: Vec<f32>, more: &[f32]) -> Vec<f32> {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
    sum
}

/// A gain of linear light as one of values that are written with a gamma of 2.2.
fn gain(light: f32) -> f32 {
    light.powf(1.0 / 2.2)
}

fn lit(mut planar: Planar, fault: Fault, scene: &Scene, pts: Duration) -> Planar {
    let by = |planar: &mut Planar, gain_at: &dyn Fn(usize) -> f32| {
        for (at, value) in planar.luma.iter_mut().enumerate() {
            *value = (16.0 + (*value - 16.0) * gain_at(at % WIDTH)).clamp(16.0, 235.0);
        }
        for plane in [&mut planar.u, &mut planar.v] {
            for (at, value) in plane.iter_mut().enumerate() {
                *value = 128.0 + (*value - 128.0) * gain_at(2 * (at % (WIDTH / 2))).min(1.0);
            }
        }
    };
    match fault {
        Fault::Dark => by(&mut planar, &|_| gain(0.05)),
        Fault::Bright => {
            // What is burnt out has no colour either.
            for plane in [&mut planar.u, &mut planar.v] {
                for (at, value) in plane.iter_mut().enumerate() {
                    let (x, y) = (at % (WIDTH / 2), at / (WIDTH / 2));
                    let over = (planar.luma[2 * y * WIDTH + 2 * x] - 16.0) * gain(8.0) / 219.0;
                    *value = 128.0 + (*value - 128.0) / over.max(1.0).powi(4);
                }
            }
            for value in &mut planar.luma {
                *value = (16.0 + (*value - 16.0) * gain(8.0)).min(235.0);
            }
        }
        Fault::SideLit => {
            // The window moves with whoever walks: what is at one side of the face is at its dark side.
            let Some(walker) = scene.people_at(pts).into_iter().next() else { return planar };
            let (centre, eyes) = (walker.rect.centre().x, walker.inter_eye_px);
            by(&mut planar, &|x| {
                let way = ((x as f32 - centre) / eyes + 0.35).clamp(0.0, 0.7) / 0.7;
                gain(0.04 + 0.96 * way)
            });
        }
        Fault::Soft => {
            for _ in 0..2 {
                planar.luma = blurred(&planar.luma, 7);
            }
        }
        _ => {}
    }
    planar
}

/// The mean of a square of `2 * reach + 1` pixels, one direction after the other.
fn blurred(luma: &[f32], reach: usize) -> Vec<f32> {
    let mean = |values: &dyn Fn(usize) -> f32, length: usize| -> Vec<f32> {
        let mut sum: f32 = (0..=2 * reach).map(|at| values(at.saturating_sub(reach).min(length - 1))).sum();
        (0..length)
            .map(|at| {
                let now = sum / (2 * reach + 1) as f32;
                sum += values((at + reach + 1).min(length - 1)) - values(at.saturating_sub(reach));
                now
            })
            .collect()
    };
    let rows: Vec<f32> = luma.chunks(WIDTH).flat_map(|row| mean(&|x| row[x], WIDTH)).collect();
    let columns: Vec<Vec<f32>> = (0..WIDTH).map(|x| mean(&|y| rows[y * WIDTH + x], HEIGHT)).collect();
    (0..HEIGHT).flat_map(|y| columns.iter().map(move |column| column[y])).collect()
}

/// A box with one camera for each film.
fn coached(films: &[(&str, PathBuf)]) -> gate::Box {
    let camera = |(name, path): &(&str, PathBuf)| format!("  {name}: {{ url: \"file:{}\" }}\n", path.display());
    let cameras: String = films.iter().map(camera).collect();
    let names: Vec<&str> = films.iter().map(|(name, _)| *name).collect();
    gate::Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n{cameras}gates:\n  gate: {{ cameras: [{}] }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\" }}\n",
            names.join(", ")
        )
    })
    .unwrap()
}

fn coach(gate: &gate::Box, arguments: &[&str]) -> (String, String) {
    let output = gate.usher().arg("coach").args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    (text(&output.stdout), text(&output.stderr))
}

/// What limits a camera, worst first, and all that was said.
fn limits(gate: &gate::Box, camera: &str) -> (Vec<String>, Value) {
    let told: Value = serde_json::from_str(&coach(gate, &[camera, "--json"]).0).unwrap();
    let limits = told["limits"].as_array().unwrap().iter().map(|of| of["limit"].as_str().unwrap().to_owned()).collect();
    println!("{camera}: {limits:?} {}", told["figures"]["faces"]);
    (limits, told)
}

#[test]
fn each_fault_of_a_camera_is_found_and_a_good_camera_is_called_good() {
    let faults = [
        ("good", Fault::None, None),
        ("small", Fault::Small, Some("small")),
        ("dark", Fault::Dark, Some("dark")),
        ("bright", Fault::Bright, Some("bright")),
        ("side-lit", Fault::SideLit, Some("side_lit")),
        ("slow-shutter", Fault::SlowShutter, Some("slow_shutter")),
        ("swaying", Fault::Swaying, None),
        ("soft", Fault::Soft, Some("soft")),
        ("slow-frames", Fault::SlowFrames, Some("slow_frames")),
        ("missing", Fault::Missing, Some("unsteady")),
    ];
    let folder = tempfile::tempdir().unwrap();
    let films: Vec<(&str, PathBuf)> =
        faults.iter().map(|(name, fault, _)| (*name, film(folder.path(), name, *fault))).collect();
    let gate = coached(&films);
    let mut wrong = Vec::new();
    for (name, _, expected) in faults {
        let (found, told) = limits(&gate, name);
        if told["figures"]["walks"] != 2 || found.first().map(String::as_str) != expected {
            wrong.push(format!("{name}: {} walks, {found:?}", told["figures"]["walks"]));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn a_second_run_shows_before_and_after_and_nothing_of_a_person_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let films =
        [("cam", film(folder.path(), "cam", Fault::Small)), ("cam-2", film(folder.path(), "cam-2", Fault::None))];
    let gate = coached(&films);
    let kept = folder.path().join("before.json");
    let file = kept.display().to_string();
    let (words, progress) = coach(&gate, &["cam", "--save", &file, "--distance", "3"]);
    assert!(
        words.contains("what limits recognition most: faces are 19 px between the eyes at the line; 23 are needed"),
        "{words}"
    );
    assert!(
        words.contains("move the camera from 3.0 m to 2.5 m before the line, or take a lens of 1.2 times"),
        "{words}"
    );
    assert!(progress.contains("walk 2:"), "{progress}");
    let (words, _) = coach(&gate, &["cam-2", "--before", &file]);
    assert!(words.contains("cam-2 is good"), "{words}");
    let line = words.lines().find(|line| line.starts_with("between the eyes at the line, px")).unwrap();
    assert!(line.contains("19 → "), "{line}");

    // Numbers only, and nothing beside the file: neither pictures nor templates nor times of day.
    let told: Value = serde_json::from_slice(&fs::read(&kept).unwrap()).unwrap();
    let mut leaves = vec![&told["figures"]];
    while let Some(value) = leaves.pop() {
        match value {
            Value::Object(fields) => leaves.extend(fields.values()),
            Value::Number(_) | Value::Null => {}
            other => panic!("{other} is kept"),
        }
    }
    assert!(fs::metadata(&kept).unwrap().len() < 3000);
    let left: Vec<_> = fs::read_dir(gate.data()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["models"]);
    let nothing = gate.usher().args(["coach", "cam", "--before", "/nonexistent"]).output().unwrap();
    assert!(String::from_utf8_lossy(&nothing.stderr).contains("a file that `usher coach --save` wrote"));
}

#[test]
fn a_camera_without_walkers_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("empty.mp4");
    gst::init().unwrap();
    let line = format!(
        "videotestsrc num-buffers=30 pattern=smpte ! video/x-raw,format=I420,width=640,height=360,framerate=15/1 ! x264enc ! mp4mux ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &kinds).unwrap();
    pipeline.set_state(gst::State::Null).unwrap();
    let (found, told) = limits(&coached(&[("empty", path)]), "empty");
    assert_eq!(found, ["nobody"], "{told}");
    assert!(told["limits"][0]["mend"].as_str().unwrap().contains("walk up to the line"));
}
