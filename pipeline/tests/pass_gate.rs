//! A gate in mode `pass`: nobody is embedded before somebody shows a pass, and then only they are known.
//!
//! Films of the demo's people walking up, with a pass held up in between; the real program, camera to broker.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a test of whole processes")]

#[path = "support/gate.rs"]
mod gate;
#[path = "support/listener.rs"]
mod listener;

use gate::{Box, free, pictures, root};
use gstreamer::{self as gst, prelude::*};
use listener::Listener;
use qrcode::{EcLevel, QrCode};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use usher::capture::stills::Stills;
use usher_config::crowd::{Changes, Crowd, Gait};
use usher_models::image::Planes;

const WIDTH: usize = 1280;
const HEIGHT: usize = 720;
const FPS: u64 = 15;
const PATIENCE: Duration = Duration::from_secs(90);

/// The demo's visitor of whom there are several pictures, and somebody who never enrolled, one after the other.
fn crowd() -> Crowd {
    let mut crowd = Crowd::read(&root().join("config/demo-crowd.yaml")).unwrap();
    crowd.people.retain(|person| ["oscar", "walter"].contains(&person.who.as_str()));
    crowd.people.iter_mut().for_each(|person| person.looks.truncate(1));
    crowd.walk = Gait {
        far_px: 20.0,
        near_px: 60.0,
        approach_s: 2.0,
        pause_least_s: 1.0,
        pause_most_s: 1.0,
        leave_s: 0.5,
        gap_s: 1.0,
    };
    let none = Changes {
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
    (crowd.changes, crowd.fps, crowd.together, crowd.looped) = (none, FPS as u32, 1, false);
    crowd
}

/// A card with a symbol of `text`, three pixels a module, dark on light, at the left of the picture.
fn hold_up(luma: &mut [u8], text: &str) {
    const MODULE: usize = 3;
    let code = QrCode::with_error_correction_level(text, EcLevel::L).unwrap();
    let (width, colours) = (code.width(), code.to_colors());
    let side = (width + 8) * MODULE;
    for y in 0..side {
        for x in 0..side {
            let (column, row) = ((x / MODULE).wrapping_sub(4), (y / MODULE).wrapping_sub(4));
            let is_dark = column < width && row < width && colours[row * width + column] == qrcode::Color::Dark;
            luma[(300 + y) * WIDTH + 60 + x] = if is_dark { 40 } else { 210 };
        }
    }
}

/// `pass` is held up for two seconds, if there is one; then both walk up.
fn film(path: &Path, pass: Option<&str>) {
    gst::init().unwrap();
    let mut stills = Stills::of(&crowd(), &pictures().unwrap()).unwrap();
    let line = format!(
        "appsrc name=source format=time caps=video/x-raw,format=I420,width={WIDTH},height={HEIGHT},framerate={FPS}/1,\
         colorimetry=bt709 ! x264enc speed-preset=ultrafast pass=quant quantizer=18 ! mp4mux ! filesink location={}",
        path.display()
    );
    let pipeline = gst::parse::launch(&line).unwrap().downcast::<gst::Pipeline>().unwrap();
    let source = pipeline.by_name("source").unwrap().downcast::<gstreamer_app::AppSrc>().unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let (mut number, mut is_shown) = (0, pass.is_none());
    let mut push = |luma: &[u8], chroma: &[Vec<u8>; 2]| {
        let mut buffer = gst::Buffer::from_mut_slice([luma, &chroma[0], &chroma[1]].concat());
        let owned = buffer.get_mut().unwrap();
        owned.set_pts(gst::ClockTime::from_nseconds(number * 1_000_000_000 / FPS));
        owned.set_duration(gst::ClockTime::from_nseconds(1_000_000_000 / FPS));
        source.push_buffer(buffer).unwrap();
        number += 1;
    };
    // The pass comes first: whoever shows it walks up afterwards.
    loop {
        let Some((picture, _)) = stills.frame_at(stills.next_pts()) else { break };
        stills.prepare();
        let view = picture.view();
        let Planes::I420 { luma, u, v } = view.planes else { panic!("stills are I420") };
        let rows = |plane: usher_models::image::Plane<'_>, width: usize, height: usize| -> Vec<u8> {
            (0..height).flat_map(|y| plane.data[y * plane.stride..][..width].to_vec()).collect()
        };
        let chroma = [rows(u, WIDTH / 2, HEIGHT / 2), rows(v, WIDTH / 2, HEIGHT / 2)];
        let luma = rows(luma, WIDTH, HEIGHT);
        if let Some(pass) = pass.filter(|_| !is_shown) {
            // In the first picture nobody is there yet.
            let mut shown = luma.clone();
            hold_up(&mut shown, pass);
            (0..2 * FPS).for_each(|_| push(&shown, &chroma));
            is_shown = true;
        }
        push(&luma, &chroma);
    }
    source.end_of_stream().unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(60), &kinds);
    assert!(matches!(end.as_ref().map(|end| end.view()), Some(gst::MessageView::Eos(_))), "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
}

fn gate_before(film: &Path) -> Box {
    let enrol = free();
    Box::configured(env!("CARGO_BIN_EXE_usher"), |[pages, mqtt, websocket]| {
        format!(
            "site: test\ndata: data\ncameras:\n  cam: {{ url: \"file:{}\" }}\ngates:\n  gate-a: {{ cameras: [cam], quiet: 3 s }}\n\
             gallery: {{ notice: {{ controller: The Test Venue, contact: privacy@test.example }} }}\n\
             guide: {{ programme: programme.yaml, places: places.geojson }}\n\
             publish: {{ broker: {{ url: embedded, listen: \"{mqtt}\", websocket: \"{websocket}\" }} }}\n\
             web: {{ listen: \"{pages}\", enrol: {{ listen: \"{enrol}\" }} }}\n",
            film.display()
        )
    })
    .unwrap()
}

fn embedded(gate: &Box) -> f64 {
    let page = gate.get("/metrics").unwrap();
    let of = "usher_stage_seconds_count{stage=\"embed\"} ";
    page.lines().find_map(|line| line.strip_prefix(of)?.parse().ok()).unwrap_or(0.0)
}

/// Enrols by the command line; the pass in the answer.
fn enrol(gate: &Box, name: &str, picture: Option<PathBuf>) -> String {
    let mut command = gate.usher();
    command.args(["enrol", "--agreed", "--json", "--name", name, "--sport", "Table tennis"]).args(picture);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice::<Value>(&output.stdout).unwrap()["pass"].as_str().unwrap().to_owned()
}

/// What a telephone is told of the day by the station at `address`: status and body.
fn asked(address: &str, path: &str, body: &Value) -> (u64, Value) {
    let script = "const [url, body] = process.argv.slice(1); \
        const answer = await fetch(url, { method: 'POST', body }); \
        const text = await answer.text(); \
        const is = answer.headers.get('content-type').startsWith('application/json'); \
        console.log(JSON.stringify([answer.status, is ? JSON.parse(text) : text]))";
    let output = Command::new("node")
        .args(["--input-type=module", "-e", script, &format!("{address}{path}"), &body.to_string()])
        .env("NODE_TLS_REJECT_UNAUTHORIZED", "0")
        .output()
        .expect("node starts; `make test-packages` installs it");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let told: (u64, Value) = serde_json::from_slice(&output.stdout).unwrap();
    told
}

/// The greeting has a day, and the symbol beside it leads to the same, without a name.
fn takes_the_day_along(greeting: &Value, pass: &str) {
    let stops = greeting["day"]["stops"].as_array().unwrap_or_else(|| panic!("no day in {greeting}"));
    let sessions: Vec<_> = stops.iter().filter(|stop| stop["kind"] == "session").collect();
    assert!(!sessions.is_empty(), "{greeting}");
    assert!(stops.iter().any(|stop| stop["kind"] == "meal"), "{greeting}");
    let (address, key) = greeting["take"].as_str().unwrap().split_once("/D#").unwrap();
    let address = address.to_lowercase();
    let (status, told) = asked(&address, "/api/day", &json!({ "key": key }));
    assert_eq!(status, 200, "{told}");
    let titles = |day: &Value| -> Vec<Value> {
        let stops = day["stops"].as_array().unwrap();
        stops.iter().filter(|stop| stop["kind"] == "session").map(|stop| stop["title"].clone()).collect()
    };
    assert_eq!(titles(&told["day"]), titles(&greeting["day"]));
    assert!(!told.to_string().contains("Nia"), "{told}");
    let (status, calendar) = asked(&address, "/api/day/calendar", &json!({ "key": key }));
    assert_eq!((status, calendar.as_str().unwrap().matches("BEGIN:VCALENDAR").count()), (200, 1));
    // What is near, with its reasons; a position far from the venue is none.
    let near = |by: Value| asked(&address, "/api/nearby", &by);
    let (status, found) = near(json!({ "key": key, "at": stops[1]["at"] }));
    assert_eq!((status, &found["here"]), (200, &json!(true)), "{found}");
    let places = found["places"].as_array().unwrap();
    assert!(!places.is_empty() && places.iter().all(|place| !place["why"].as_array().unwrap().is_empty()), "{found}");
    let (status, found) = near(json!({ "key": key, "at": [0.0, 0.0] }));
    assert_eq!((status, &found["here"]), (200, &json!(false)), "{found}");
    assert_eq!(near(json!({ "key": key, "secret": "A" })).0, 400);
    assert_eq!(near(json!({ "key": "AAAAAAAAAAAAAAAA" })).0, 404);
    // The key is no pass, and no pass is a key.
    let secret = pass.rsplit('#').next().unwrap();
    assert_eq!(asked(&address, "/api/pass", &json!({ "secret": key })).0, 404);
    assert_eq!(asked(&address, "/api/day", &json!({ "key": secret })).0, 404);
    assert_eq!(asked(&address, "/api/day", &json!({ "key": "AAAAAAAAAAAAAAAA" })).0, 404);
    assert_eq!(near(json!({ "secret": secret })).0, 200);
    // Behind the pass lies the same day.
    let (status, told) = asked(&address, "/api/pass/day", &json!({ "secret": secret }));
    assert_eq!((status, titles(&told["day"])), (200, titles(&greeting["day"])), "{told}");
    // Whoever is forgotten has no day either, and the symbol leads nowhere.
    let (status, _receipt) = asked(&address, "/api/pass/forget", &json!({ "secret": secret }));
    assert_eq!(status, 200);
    let begun = Instant::now();
    while asked(&address, "/api/day", &json!({ "key": key })).0 != 404 {
        assert!(begun.elapsed() < PATIENCE, "the day of somebody forgotten is still told");
    }
}

#[test]
fn only_who_shows_a_pass_is_known_and_only_for_the_day() {
    let folder = tempfile::tempdir().unwrap();
    let camera = folder.path().join("camera.mp4");
    film(&camera, None);
    let gate = gate_before(&camera);
    let face = pictures().unwrap().join("face-recognition/obama.jpg");
    let refused = gate
        .usher()
        .args(["enrol", "--agreed", "--custody", "box", "--name", "O", "--sport", "Table tennis"])
        .arg(&face)
        .output()
        .unwrap();
    assert!(
        String::from_utf8_lossy(&refused.stderr).contains("say `--custody visitor`"),
        "the box may hold nobody's key here"
    );
    let oscar = enrol(&gate, "Oscar", Some(face));
    let nia = enrol(&gate, "Nia", None);
    let greeting = "usher/v1/test/gate/gate-a/greeting";

    // Nobody shows a pass: people are counted, nobody is embedded, also not whoever enrolled.
    let (running, _) = gate.start().unwrap();
    gate.wait_for("usher_people_total", 2.0, PATIENCE).unwrap();
    assert_eq!(embedded(&gate), 0.0, "somebody was embedded who had shown no pass");
    assert_eq!(gate.metric("usher_decisions_total").unwrap(), 0.0);
    drop(running);

    // A pass without a face greets when it is shown; still nobody is embedded.
    film(&camera, Some(&nia));
    let (running, _) = gate.start().unwrap();
    let mut screen = Listener::of_everything(&gate);
    let shown = screen.wait_for(greeting, PATIENCE);
    assert_eq!(shown["data"]["name"], "Nia", "{shown}");
    takes_the_day_along(&shown["data"], &nia);
    gate.wait_for("usher_people_total", 2.0, PATIENCE).unwrap();
    assert_eq!(embedded(&gate), 0.0);
    drop((screen, running));

    // A pass with a face lets the face greet; whoever else walks by is nobody.
    film(&camera, Some(&oscar));
    let (running, _) = gate.start().unwrap();
    let mut screen = Listener::of_everything(&gate);
    let shown = screen.wait_for(greeting, PATIENCE);
    assert_eq!(shown["data"]["name"], "Oscar", "{shown}");
    assert!(embedded(&gate) > 0.0);
    drop((screen, running));

    // Power off: the key is gone with the memory, and nobody is known until a pass is shown again.
    film(&camera, None);
    let (running, _) = gate.start().unwrap();
    gate.wait_for("usher_people_total", 2.0, PATIENCE).unwrap();
    assert_eq!(embedded(&gate), 0.0, "somebody was still unlocked after a restart");
    drop(running);
    let listed: Value =
        serde_json::from_slice(&gate.usher().args(["list", "--json"]).output().unwrap().stdout).unwrap();
    assert_eq!((listed["visitors"].as_array().unwrap().len(), &listed["locked"]), (0, &1.into()));
    let name = fs::read(gate.data().join("gallery.db")).unwrap();
    assert!(!name.windows(5).any(|window| window == b"Oscar"));
}
