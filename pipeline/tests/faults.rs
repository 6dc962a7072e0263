//! The fault bench of cameras: frozen, silent, killed, rebooted as another, out of step, nonsense.
//!
//! `USHER_FAULTS` sets how many random faults are played (`make soak`: 200); their figures are printed as one line of JSON.
#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "tests wait for real cameras with a deadline; the camera's process speaks by its output"
)]

#[path = "support/camera_process.rs"]
mod camera_process;
#[path = "support/faulty.rs"]
mod faulty;
#[path = "support/watched.rs"]
mod watched;

use camera_process::{CameraProcess, Kind, Stream, be_a_camera};
use faulty::played;
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    time::Duration,
};
use usher::{capture::frame::Frame, health::CameraState};
use usher_config::capture::{Camera, Source, Transport};
use usher_models::image::Size;
use watched::{WatchedCamera, settings};

/// The camera's own hour, backwards and forwards.
const HOUR: i64 = 3_600_000_000_000;

fn at(url: String) -> Camera {
    settings(Source::Rtsp { url, transport: Transport::Tcp })
}

fn watch(camera: &CameraProcess) -> WatchedCamera {
    WatchedCamera::start(&at(camera.url()))
}

fn size_of(frame: &Frame) -> (u32, u32) {
    let Size { width, height } = frame.picture.view().size;
    (width, height)
}

/// Frames until one is of this size.
fn see_size(watched: &mut WatchedCamera, wanted: (u32, u32)) {
    while size_of(&watched.see(1)[0]) != wanted {}
}

/// Not a test of its own: the camera that the others start.
#[test]
#[ignore = "the camera of the other tests, in a process that is frozen and killed"]
fn a_camera_in_a_process_of_its_own() {
    be_a_camera();
}

#[test]
fn every_fault_is_noticed_and_every_camera_comes_back() {
    let faults: usize = std::env::var("USHER_FAULTS").map_or(6, |faults| faults.parse().expect("a number"));
    let at_once = if faults > 20 { 6 } else { 2 };
    let figures = played(faults, at_once);
    println!("{}", figures.line());
    assert_eq!(figures.count(), faults, "each came to its end");
    figures.hold();
}

#[test]
fn a_camera_that_returns_with_another_size_and_another_codec_is_read() {
    let mut camera = CameraProcess::start(None, &Stream::h264());
    let mut watched = watch(&camera);
    assert_eq!(size_of(&watched.see(3)[2]), (320, 240));
    let streams = [
        Stream { size: (640, 360), kind: Kind::H265 },
        Stream { size: (352, 288), kind: Kind::Mjpeg },
        Stream { size: (240, 320), kind: Kind::H264 },
    ];
    for stream in streams {
        let port = camera.port();
        drop(camera);
        watched.lost();
        camera = CameraProcess::start(Some(port), &stream);
        see_size(&mut watched, stream.size);
        assert_eq!(watched.see(5).len(), 5);
        assert_eq!(watched.state(), CameraState::Live);
    }
}

#[test]
fn frames_that_are_decoded_in_another_order_arrive_in_the_order_they_are_shown() {
    let camera = CameraProcess::start(None, &Stream { size: (320, 240), kind: Kind::H264BFrames });
    let frames = watch(&camera).see(30);
    assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts));
}

#[test]
fn ten_bits_are_read_as_eight() {
    let camera = CameraProcess::start(None, &Stream { size: (320, 240), kind: Kind::H264TenBit });
    let frames = watch(&camera).see(5);
    let usher_models::image::Planes::I420 { luma, .. } = frames[4].picture.view().planes else {
        panic!("the converter gives I420")
    };
    let white = (0..240).flat_map(|row| &luma.data[row * luma.stride..][..320]).filter(|value| **value > 200).count();
    assert!((50..20_000).contains(&white), "a white ball on black, not {white} white pixels");
}

#[test]
fn a_size_that_changes_within_the_stream_is_followed_on_a_key_frame_and_off_it() {
    let mut camera = CameraProcess::start(None, &Stream::h264());
    let mut watched = watch(&camera);
    watched.see(5);
    camera.resize((640, 480), 0);
    see_size(&mut watched, (640, 480));
    // The key frame is lost: what follows means nothing until the next.
    camera.resize((160, 120), 3);
    see_size(&mut watched, (160, 120));
    assert_eq!(watched.see(20).len(), 20);
    assert_eq!(watched.state(), CameraState::Live);
}

#[test]
fn time_stamps_that_jump_by_an_hour_or_run_over_lose_no_camera() {
    let mut camera = CameraProcess::start(None, &Stream { size: (320, 240), kind: Kind::H264Wrapping });
    let mut watched = watch(&camera);
    // Four seconds of frames: the clock of 32 bits runs over in the middle.
    let frames = watched.see(60);
    assert!(frames.windows(2).all(|pair| pair[0].taken.steady <= pair[1].taken.steady));
    for by in [HOUR, 0, -HOUR, 0] {
        camera.shift(by);
        let frames = watched.see(45);
        let gap = frames.windows(2).map(|pair| pair[1].taken.since(pair[0].taken)).max().unwrap();
        println!("shifted by {by} ns: longest time without a frame {gap:?}");
        while watched.state() != CameraState::Live {
            watched.see(1);
        }
    }
}

#[test]
fn a_camera_that_answers_with_nonsense_is_lost_with_a_reason_and_tried_again() {
    let nonsense = [
        // No stream in it, a stream of sound only, no line that is one, and a length that is not true.
        ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\n", None),
        ("v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=x\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\na=control:a\r\n", None),
        ("\u{1}\u{2}\u{3}=====\r\nm=video -1 RTP/AVP 999999\r\na=rtpmap:999999 \u{7f}/0\r\na=fmtp:\r\n", None),
        (
            "m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 sprop-parameter-sets=!!!!\r\na=control:x\r\n",
            None,
        ),
        ("v=0\r\n", Some(1_000_000)),
    ];
    for (description, length) in nonsense {
        let door = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtsp://{}/main", door.local_addr().unwrap());
        let mut watched = WatchedCamera::start(&Camera { silence: Duration::from_secs(1), ..at(url) });
        // Twice: it is tried again.
        for _ in 0..2 {
            answer(&door, description, length.unwrap_or(description.len()));
        }
        let reason = watched.lost();
        println!("{reason}");
        assert!(reason.starts_with("the stream cannot be read") || reason.contains("ended its stream"), "{reason:?}");
        drop(door);
        watched.stop();
    }
}

/// One connection, answered as a camera would, but for what it describes.
fn answer(door: &TcpListener, description: &str, length: usize) {
    let (mut stream, _) = door.accept().unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    let (mut asked, mut block) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = stream.read(&mut block) {
        asked.extend_from_slice(&block[..read]);
        while let Some(end) = asked.windows(4).position(|four| four == b"\r\n\r\n") {
            let request = String::from_utf8_lossy(&asked[..end]).into_owned();
            asked.drain(..end + 4);
            let number = request.lines().find_map(|line| line.strip_prefix("CSeq: ")).unwrap_or("1");
            let body = if request.starts_with("DESCRIBE") { description } else { "" };
            let length = if body.is_empty() { 0 } else { length };
            let head = format!(
                "RTSP/1.0 200 OK\r\nCSeq: {number}\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY\r\nContent-Type: application/sdp\r\n\
                 Content-Length: {length}\r\n\r\n{body}"
            );
            if stream.write_all(head.as_bytes()).is_err() {
                return;
            }
        }
    }
}
