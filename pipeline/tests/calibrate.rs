//! A site calibrates itself from a recording of people who walked, and its gates use what came of it.
//!
//! The recording is real video: the demo's people, drawn, encoded and read back through the decoders of a camera.
#![allow(clippy::disallowed_methods, reason = "a test runs the binary and waits for it")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

#[path = "support/gate.rs"]
mod gate;

use gate::{Box, pictures, root};
use gstreamer as gst;
use gstreamer::prelude::*;
use serde_json::Value;
use std::{
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Output,
};
use usher::{
    capture::stills::{Stills, scene::Scene},
    cli::crowd::png_of,
};
use usher_config::crowd::{Changes, Crowd, Gait};
use usher_models::image::Planes;

/// One after the other, quickly, in good light.
fn crowd() -> Crowd {
    let mut crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    crowd.fps = 10;
    crowd.together = 1;
    crowd.looped = false;
    crowd.walk =
        Gait { approach_s: 1.5, pause_least_s: 0.0, pause_most_s: 0.0, leave_s: 0.5, gap_s: 0.2, ..Gait::default() };
    crowd.changes = Changes { tilt_deg: 5.0, quality: 80, scale: 0.1, ..Changes::default() };
    crowd
}

/// The crowd's round as H.264.
fn recorded(crowd: &Crowd, path: &Path) {
    gst::init().unwrap();
    let line = format!(
        "appsrc name=src format=time caps=video/x-raw,format=I420,width={},height={},framerate={}/1,colorimetry=bt709 \
         ! x264enc speed-preset=ultrafast quantizer=18 pass=quant ! matroskamux ! filesink location={}",
        crowd.width,
        crowd.height,
        crowd.fps,
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let src = pipeline.by_name("src").unwrap().downcast::<gstreamer_app::AppSrc>().unwrap();
    src.set_property("block", true);
    pipeline.set_state(gst::State::Playing).unwrap();
    let mut stills = Stills::of(crowd, &pictures().unwrap()).unwrap();
    while let Some((picture, pts)) = stills.frame_at(stills.next_pts()) {
        let view = picture.view();
        let Planes::I420 { luma: y, u, v } = view.planes else { panic!("crowds are drawn as I420") };
        let (width, height) = (crowd.width as usize, crowd.height as usize);
        let mut bytes = Vec::with_capacity(width * height * 3 / 2);
        for (plane, width, height) in [(y, width, height), (u, width / 2, height / 2), (v, width / 2, height / 2)] {
            plane.data.chunks(plane.stride).take(height).for_each(|row| bytes.extend(&row[..width]));
        }
        let mut buffer = gst::Buffer::from_slice(bytes);
        buffer.get_mut().unwrap().set_pts(gst::ClockTime::from_nseconds(u64::try_from(pts.as_nanos()).unwrap()));
        src.push_buffer(buffer).unwrap();
    }
    src.end_of_stream().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds);
    assert!(matches!(end.as_ref().map(|end| end.view()), Some(gst::MessageView::Eos(_))), "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

struct Site {
    gate: Box,
    recording: PathBuf,
    /// One entry of a walk log: the recording and all who walk in it.
    logged: String,
}

/// The demo's enrolled people, enrolled; and everybody's walks, recorded.
fn site() -> Site {
    let crowd = crowd();
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), "rtsp://127.0.0.1:9/stream").unwrap();
    for person in &crowd.people {
        if let Some((visitor, look)) = person.enrolled.as_ref().zip(person.enrolled_from()) {
            let file = gate.folder.path().join(format!("{}.png", person.who));
            fs::write(&file, png_of(&pictures().unwrap(), look).unwrap()).unwrap();
            gate.enrol(&visitor.name, &visitor.sport, &file).unwrap();
        }
    }
    let list = gate.usher().args(["list", "--json"]).output().unwrap();
    let list: Value = serde_json::from_slice(&list.stdout).unwrap();
    let id_of = |name: &str| {
        let visitor = list["visitors"].as_array().unwrap().iter().find(|visitor| visitor["name"] == name).unwrap();
        visitor["id"].as_str().unwrap().to_owned()
    };
    let recording = gate.folder.path().join("round.mkv");
    recorded(&crowd, &recording);
    let scene = Scene::of(&crowd);
    let mut logged = "- camera: cam\n  file: round.mkv\n  walks:\n".to_owned();
    for walk in scene.walks(scene.round()) {
        let who = match &crowd.people[walk.person].enrolled {
            Some(visitor) => format!("visitor: {}", id_of(&visitor.name)),
            None => format!("guest: {}", walk.who),
        };
        let (from, to) = (walk.from.as_secs_f64(), walk.to.as_secs_f64());
        writeln!(logged, "  - {{ from: {from:.3}, to: {to:.3}, {who} }}").unwrap();
    }
    Site { gate, recording, logged }
}

impl Site {
    fn run(&self, args: &[&str]) -> Output {
        self.gate.usher().args(args).output().unwrap()
    }

    fn log(&self, times: usize) -> String {
        let path = self.gate.folder.path().join("walks.yaml");
        fs::write(&path, format!("recordings:\n{}", self.logged.repeat(times))).unwrap();
        path.display().to_string()
    }
}

fn said(output: &Output) -> Value {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

fn why(output: &Output) -> String {
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_site_is_measured_and_calibrated_by_its_own_walks() {
    let site = site();
    let config = site.gate.config.display().to_string();
    let log = site.log(1);

    // Measured: who walked is told by the log, who was named by the gate.
    let measured = said(&site.run(&["evaluate", "walks", &config, "--log", &log, "--json"]));
    let of = |what: &str, figure: &str| measured[what][figure].as_f64().unwrap();
    assert!(of("fnir", "trials") >= 13.0 && of("fpir", "trials") >= 8.0, "{measured}");
    assert_eq!((of("fpir", "errors"), of("misidentified", "errors")), (0.0, 0.0), "{measured}");
    assert!(of("fnir", "errors") <= 0.35 * of("fnir", "trials"), "{measured}");

    // Too little: nothing is claimed, nothing written.
    let refused = why(&site.run(&["calibrate", "--log", &log]));
    assert!(refused.contains("support no threshold") && refused.contains("add them to the log"), "{refused}");
    let file = site.gate.data().join("calibration.json");
    assert!(!file.exists());

    // Enough for some shares and not for the one that is asked for.
    let calibrated = said(&site.run(&["calibrate", "--log", &site.log(4), "--json"]));
    let supported = calibrated["supported"].as_array().unwrap();
    assert!(supported.len() >= 2, "{calibrated}");
    let shares: Vec<f64> = supported.iter().map(|point| point["target"].as_f64().unwrap()).collect();
    assert!(shares.iter().all(|share| *share >= 0.1), "three in so many people: {calibrated}");
    assert!(calibrated["unsupported"]["missing"].as_u64().unwrap() > 2900, "{calibrated}");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("signature") && !text.contains("visitor"), "scores and counts only: {text}");

    // The gate uses it; changed by anybody, it stops the start with the mend.
    let recording = site.recording.display().to_string();
    let replayed = site.run(&["replay", "--camera", "cam", &recording]);
    assert!(replayed.status.success(), "{}", String::from_utf8_lossy(&replayed.stderr));
    fs::write(&file, text.replacen("0.", "0.0", 1)).unwrap();
    let refused = why(&site.run(&["replay", "--camera", "cam", &recording]));
    assert!(refused.contains("was changed, or comes from another box"), "{refused}");
}

#[test]
fn a_walk_log_that_does_not_fit_the_site_says_so() {
    let gate = Box::with_camera(env!("CARGO_BIN_EXE_usher"), "rtsp://127.0.0.1:9/stream").unwrap();
    let path = gate.folder.path().join("walks.yaml");
    let config = gate.config.display().to_string();
    let measured = |walks: &str| {
        fs::write(&path, walks).unwrap();
        why(&gate.usher().args(["evaluate", "walks", &config, "--log"]).arg(&path).output().unwrap())
    };
    let one = |walk: &str| format!("recordings:\n- {{ camera: cam, file: none.mkv, walks: [{walk}] }}\n");
    assert!(measured(&one("{ from: 1, to: 2, visitor: 0193 }")).contains("`usher list` shows the ids"));
    assert!(measured(&one("{ from: 1, to: 2, guest: ann }")).contains("none.mkv"));
    assert!(measured(&one("{ from: 2, to: 1, guest: ann }")).contains("ends before it begins"));
    assert!(
        measured(&one("{ from: 1, to: 2, guest: ann }").replace("camera: cam", "camera: tor"))
            .contains("no camera `tor`")
    );
    let refused = why(&gate.usher().args(["calibrate", "--log"]).arg(&path).output().unwrap());
    assert!(refused.contains("0 visitors are enrolled"), "{refused}");
}
