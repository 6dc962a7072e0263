//! The camera made of pictures: the same crowd from the same seed, and a truth that its pixels bear out.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests wait for a real thread with a deadline")]

#[path = "support/watched.rs"]
mod watched;

use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use usher::capture::{
    frame::Picture,
    latest::{Pace, latest},
    recorded::recorded_stills,
    stills::{Stills, cutout},
};
use usher::{clock::SystemClock, supervise::stop};
use usher_config::{capture::Source, crowd::Crowd};
use usher_models::image::{Planes, Rect};
use watched::{WatchedCamera, camera, settings};

/// Three people in two drawn pictures; nobody real. Each face is a box of one colour of its own, and unchanged.
fn crowd(folder: &Path, more: &str) -> PathBuf {
    const FACES: [(&str, [u32; 4], [u8; 3]); 3] = [
        ("one.png", [120, 120, 90, 120], [200, 40, 40]),
        ("two.png", [80, 120, 90, 120], [40, 200, 40]),
        ("two.png", [480, 120, 90, 120], [40, 40, 200]),
    ];
    for name in ["one.png", "two.png"] {
        let mut picture = image::RgbImage::from_pixel(700, 500, image::Rgb([128; 3]));
        for (_, [x, y, width, height], colour) in FACES.iter().filter(|face| face.0 == name) {
            for (x, y) in (*y..y + height).flat_map(|row| (*x..x + width).map(move |column| (column, row))) {
                picture.put_pixel(x, y, image::Rgb(*colour));
            }
        }
        picture.save(folder.join(name)).unwrap();
    }
    let person = |(who, (name, [x, y, width, height], _)): (&str, &(&str, [u32; 4], [u8; 3]))| {
        let eyes = [x + 20, y + 40, x + 60];
        format!(
            "- {{ who: {who}, looks: [{{ picture: {name}, face: [{x}, {y}, {width}, {height}], \
             eyes: [[{}, {}], [{}, {}]] }}] }}\n",
            eyes[0], eyes[1], eyes[2], eyes[1]
        )
    };
    let people: String = ["red", "green", "blue"].into_iter().zip(&FACES).map(person).collect();
    let unchanged = "{ light: 0, gamma: 0, cast: 0, scale: 0, blur_px: 0, tilt_deg: 0, quality: 90 }";
    let path = folder.join("crowd.yaml");
    std::fs::write(&path, format!("pictures: .\nseed: 5\nchanges: {unchanged}\n{more}people:\n{people}")).unwrap();
    path
}

fn bytes(picture: &Picture) -> Vec<u8> {
    let Planes::I420 { luma, u, v } = picture.view().planes else { panic!("stills are I420") };
    [luma, u, v].iter().flat_map(|plane| plane.data.iter().copied()).collect()
}

/// Mean luma, U and V of the middle of `rect`.
fn mean(picture: &Picture, rect: &Rect) -> [f32; 3] {
    let Planes::I420 { luma, u, v } = picture.view().planes else { panic!("stills are I420") };
    let mean = |plane: usher_models::image::Plane<'_>, per: f32| {
        let (x, y) = ((rect.x + rect.width * 0.3) / per, (rect.y + rect.height * 0.3) / per);
        let (width, height) = ((rect.width * 0.4 / per) as usize, (rect.height * 0.4 / per) as usize);
        let rows = (0..height).flat_map(|row| &plane.data[(y as usize + row) * plane.stride + x as usize..][..width]);
        rows.map(|value| f32::from(*value)).sum::<f32>() / (width * height) as f32
    };
    [mean(luma, 1.0), mean(u, 2.0), mean(v, 2.0)]
}

#[test]
fn the_same_seed_draws_the_same_frames() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowd(folder.path(), "");
    let (mut one, mut other) = (Stills::open(&file, None).unwrap(), Stills::open(&file, None).unwrap());
    for frame in 0..8 {
        let at = Duration::from_millis(frame * 700);
        let (first, pts) = one.frame_at(at).unwrap();
        let (second, same) = other.frame_at(at).unwrap();
        // One of the two makes people ready ahead of time; the frames do not tell.
        one.prepare();
        assert!(pts == same && bytes(&first) == bytes(&second), "frame {frame}");
    }
}

#[test]
fn whoever_the_truth_says_stands_there_is_drawn_there() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowd(folder.path(), "");
    let mut stills = Stills::open(&file, None).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    while stills.next_pts() < stills.scene().round() {
        let (picture, pts) = stills.frame_at(stills.next_pts()).unwrap();
        for present in stills.scene().people_at(pts).iter().filter(|present| present.usable) {
            let [luma, u, v] = mean(&picture, &present.rect);
            let is_it = match present.who.as_str() {
                "red" => v > 160.0 && u < 128.0,
                "green" => luma > 120.0 && u < 110.0 && v < 100.0,
                _ => u > 160.0 && v < 128.0,
            };
            assert!(is_it, "{} at {pts:?}: luma {luma}, u {u}, v {v}", present.who);
            seen.insert(present.who.clone());
        }
    }
    assert_eq!(seen.len(), 3);
}

#[test]
fn a_cut_out_of_a_group_picture_holds_one_face() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowd(folder.path(), "");
    let crowd = Crowd::read(&file).unwrap();
    let portrait = cutout::portrait(&crowd, folder.path(), &crowd.people[1].looks[0]).unwrap();
    let count = |colour: [u8; 3]| portrait.pixels().filter(|pixel| pixel.0 == colour).count();
    assert_eq!(count([40, 200, 40]), 90 * 120, "all of the face");
    assert_eq!(count([40, 40, 200]), 0, "nothing of the neighbour's");
}

#[test]
fn a_crowd_is_a_camera_like_any_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = crowd(folder.path(), "fps: 30\n");
    let mut camera = WatchedCamera::start(&settings(Source::Stills { path }));
    let frames = camera.see(10);
    assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts));
    camera.stop();
}

#[test]
fn a_crowd_is_read_offline_frame_by_frame() {
    let folder = tempfile::tempdir().unwrap();
    let path = crowd(folder.path(), "fps: 10\nwidth: 640\nheight: 360\nwalk: { near_px: 40 }\n");
    let (mut seats, mut frames) = latest(Pace::Wait, [metrics::Counter::noop()]);
    let (_stopper, stop) = stop();
    let until = Duration::from_secs(3);
    let reading = recorded_stills(path, until, camera(), seats.remove(0), SystemClock::start(), stop);
    let mut count = 0;
    while let Some(batch) = frames.take(1, Duration::from_secs(1)) {
        count += batch.len() as u64;
    }
    assert_eq!((reading.join().unwrap(), count), (Ok(30), 30));
}

#[test]
fn a_missing_picture_is_named_with_the_mend() {
    let folder = tempfile::tempdir().unwrap();
    let file = crowd(folder.path(), "");
    std::fs::remove_file(folder.path().join("two.png")).unwrap();
    let error = Stills::open(&file, None).err().unwrap().to_string();
    assert!(error.contains("two.png") && error.contains("run `usher models pictures`"), "{error}");
    let mut camera = WatchedCamera::start(&settings(Source::Stills { path: file }));
    assert!(camera.lost().contains("two.png"));
}
