//! Files as cameras and as recordings, through the real decoders.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests wait for real decoders with a deadline")]

#[path = "support/watched.rs"]
mod watched;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_video::{VideoFormat, VideoInfo};
use std::{
    path::{Path, PathBuf},
    time::Duration,
};
use usher::{
    capture::{
        fault::Fault,
        frame::{Frame, Picture, Unmappable, Zone},
        latest::{Pace, latest},
        recorded::recorded,
    },
    clock::SystemClock,
    supervise::stop,
};
use usher_config::capture::Source;
use usher_models::image::{Planes, Point, Size};
use watched::{WatchedCamera, camera, settings};

/// A file made by GStreamer's own encoders.
fn film(folder: &Path, name: &str, raw: &str, coded: &str, frames: u32) -> PathBuf {
    gst::init().unwrap();
    let path = folder.join(name);
    let line = format!("videotestsrc num-buffers={frames} ! {raw} ! {coded} ! filesink location={}", path.display());
    let pipeline = gst::parse::launch(&line).unwrap();
    pipeline.set_state(gst::State::Playing).unwrap();
    let kinds = [gst::MessageType::Eos, gst::MessageType::Error];
    let end = pipeline.bus().unwrap().timed_pop_filtered(gst::ClockTime::from_seconds(30), &kinds);
    assert!(matches!(end.as_ref().map(|end| end.view()), Some(gst::MessageView::Eos(_))), "{end:?}");
    pipeline.set_state(gst::State::Null).unwrap();
    path
}

const RAW: &str = "video/x-raw,format=I420,width=320,height=240,framerate=25/1";
const MP4: &str = "x264enc speed-preset=ultrafast key-int-max=10 ! mp4mux";

/// Reads a recording to its end at the waiting pace, looking at every frame.
fn read(path: &Path, mut look: impl FnMut(&Frame)) -> Result<u64, Fault> {
    let (mut seats, mut frames) = latest(Pace::Wait, [metrics::Counter::noop()]);
    let (_stopper, stop) = stop();
    let reading = recorded(path.to_owned(), camera(), seats.remove(0), SystemClock::start(), stop);
    while let Some(batch) = frames.take(1, Duration::from_secs(1)) {
        batch.iter().for_each(&mut look);
    }
    reading.join().unwrap()
}

#[test]
fn a_recording_loses_no_frame_and_keeps_its_own_time() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), "a.mp4", RAW, MP4, 60);
    let mut times = Vec::new();
    let count = read(&path, |frame| times.push((frame.pts, frame.taken.steady))).unwrap();
    assert_eq!((count, times.len()), (60, 60));
    for (at, pair) in times.windows(2).enumerate() {
        let (pts, taken) = (pair[1].0 - pair[0].0, pair[1].1 - pair[0].1);
        assert!(pts.abs_diff(Duration::from_millis(40)) < Duration::from_millis(1), "frame {at}: {pts:?}");
        assert_eq!(pts, taken, "frame {at}");
    }
}

#[test]
fn a_file_plays_as_a_camera_and_begins_again_without_being_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = film(folder.path(), "short.mp4", RAW, MP4, 10);
    let mut camera = WatchedCamera::start(&settings(Source::File { path }));
    let frames = camera.see(25);
    assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts), "its time goes on over the end");
    assert!(frames[24].pts > Duration::from_millis(400));
    assert_eq!(camera.state(), usher::health::CameraState::Live);
}

#[test]
fn odd_sizes_are_read_to_their_last_column() {
    let folder = tempfile::tempdir().unwrap();
    let raw = "video/x-raw,format=I420,width=321,height=243,framerate=25/1";
    let path = film(folder.path(), "odd.mkv", raw, "avenc_ffv1 ! matroskamux", 3);
    let count = read(&path, |frame| {
        let view = frame.picture.view();
        assert_eq!(view.size, Size { width: 321, height: 243 });
        let Planes::I420 { luma, u, v } = view.planes else { panic!("ffv1 gives I420") };
        assert!(luma.stride >= 321 && luma.data.len() >= luma.stride * 242 + 321);
        for chroma in [u, v] {
            assert!(chroma.stride >= 161 && chroma.data.len() >= chroma.stride * 121 + 161);
        }
    });
    assert_eq!(count, Ok(3));
}

#[test]
fn a_file_in_another_layout_is_converted_once_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let raw = "video/x-raw,format=Y42B,width=320,height=240,framerate=25/1";
    let path = film(folder.path(), "422.mkv", raw, "jpegenc ! matroskamux", 5);
    let count = read(&path, |frame| assert!(!matches!(frame.picture.view().planes, Planes::Rgb(_))));
    assert_eq!(count, Ok(5));
}

#[test]
fn what_is_no_film_is_said_and_what_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let text = folder.path().join("notes.mp4");
    std::fs::write(&text, "this is no film\n".repeat(200)).unwrap();
    let fault = read(&text, |_| {}).unwrap_err();
    assert!(matches!(fault, Fault::Unreadable(_) | Fault::Missing(_)), "{fault:?}");
    let missing = folder.path().join("missing.mp4");
    let fault = read(&missing, |_| {}).unwrap_err();
    assert_eq!(fault, Fault::NotThere(missing));
    assert!(fault.to_string().ends_with("check that it exists and may be read"));
}

#[test]
fn a_device_that_is_not_there_is_lost_with_its_name() {
    let mut camera = WatchedCamera::start(&settings(Source::V4l2 { device: "/dev/video-none".into() }));
    assert!(camera.lost().starts_with("/dev/video-none cannot be opened"), "{}", camera.lost());
}

#[test]
fn pictures_in_other_layouts_are_refused_by_name() {
    gst::init().unwrap();
    let picture = |format: VideoFormat| {
        let info = VideoInfo::builder(format, 33, 17).build().unwrap();
        Picture::new(gst::Buffer::with_size(info.size()).unwrap(), &info)
    };
    for format in [VideoFormat::Nv12, VideoFormat::I420] {
        assert_eq!(picture(format).unwrap().size(), Size { width: 33, height: 17 });
    }
    let Err(Unmappable::Format(format)) = picture(VideoFormat::Rgb) else { panic!("RGB is not read") };
    assert_eq!(format, "RGB");
}

#[test]
fn a_zone_holds_what_is_inside_it_and_an_empty_one_everything() {
    let size = Size { width: 200, height: 100 };
    let point = |x: f32, y: f32| Point { x, y };
    let zone = Zone { corners: vec![[0.25, 0.0], [0.75, 0.0], [0.5, 1.0]] };
    assert!(zone.holds(point(100.0, 50.0), size));
    assert!(!zone.holds(point(20.0, 10.0), size) && !zone.holds(point(180.0, 90.0), size));
    assert!(Zone::default().holds(point(-3.0, 500.0), size));
}
