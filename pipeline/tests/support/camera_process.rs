//! A real RTSP camera in a process of its own: frozen, killed, started anew with another stream, told to misbehave.
//!
//! A test binary starts itself again as the camera, so that a signal stops everything the camera is. What the camera is
//! told comes by its standard input, a line each; its port goes out first by standard output.

use gstreamer as gst;
use gstreamer::{glib, prelude::*};
use gstreamer_rtsp_server as server;
use rustix::process::{Pid, Signal, kill_process};
use server::prelude::*;
use std::{
    io::{BufRead as _, BufReader, Write as _},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
};

/// The ignored test that a binary must have, and that calls [`be_a_camera`].
pub(crate) const CHILD: &str = "a_camera_in_a_process_of_its_own";
const PORT: &str = "USHER_CAMERA_PORT";
const STREAM: &str = "USHER_CAMERA_STREAM";

/// Frames a second of [`Kind::H264Fast`].
pub(crate) const FAST: u32 = 1000;

/// What a camera sends.
#[derive(Clone, Debug)]
pub(crate) struct Stream {
    /// Width and height, pixels.
    pub(crate) size: (u32, u32),
    pub(crate) kind: Kind,
}

/// How it is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A key frame a second, no frame that waits for a later one.
    H264,
    /// A thousand small frames a second: days of a camera in hours.
    H264Fast,
    /// Pictures that are decoded in another order than shown.
    H264BFrames,
    /// Ten bits a sample.
    H264TenBit,
    /// The RTP clock of 32 bits runs over two seconds after the start.
    H264Wrapping,
    H265,
    Mjpeg,
}

impl Stream {
    pub(crate) fn h264() -> Self {
        Self { size: (320, 240), kind: Kind::H264 }
    }

    fn launch(&self) -> String {
        let (width, height) = self.size;
        let format = if self.kind == Kind::H264TenBit { "I420_10LE" } else { "I420" };
        let quick = "tune=zerolatency speed-preset=ultrafast key-int-max=15";
        let h264 = "rtph264pay name=pay0 pt=96 config-interval=-1";
        let rate = if self.kind == Kind::H264Fast { FAST } else { 15 };
        let coded = match self.kind {
            Kind::H264 | Kind::H264Fast => format!("x264enc name=code {quick} ! valve name=hush ! {h264}"),
            Kind::H264TenBit => {
                format!("x264enc name=code {quick} ! video/x-h264,profile=high-10 ! valve name=hush ! {h264}")
            }
            Kind::H264BFrames => format!(
                "x264enc name=code bframes=3 b-adapt=false b-pyramid=true rc-lookahead=4 speed-preset=veryfast key-int-max=15 \
                 ! valve name=hush ! {h264}"
            ),
            // 90 kHz: two seconds before 2³².
            Kind::H264Wrapping => {
                format!(
                    "x264enc name=code {quick} ! valve name=hush ! {h264} timestamp-offset={}",
                    (1_u64 << 32) - 180_000
                )
            }
            Kind::H265 => "x265enc name=code tune=zerolatency speed-preset=ultrafast key-int-max=15 ! valve name=hush \
                 ! rtph265pay name=pay0 pt=96 config-interval=-1"
                .to_owned(),
            Kind::Mjpeg => "jpegenc name=code ! valve name=hush ! rtpjpegpay name=pay0 pt=26".to_owned(),
        };
        format!(
            "( videotestsrc is-live=true pattern=ball ! capsfilter name=size \
             caps=\"video/x-raw,format={format},width={width},height={height},framerate={rate}/1\" \
             ! identity name=shift ! {coded} )"
        )
    }
}

/// The camera's process. Dropping it is `kill -9`.
pub(crate) struct CameraProcess {
    child: Child,
    port: u16,
}

impl CameraProcess {
    /// On `port`, or on a free one for `None`; returns when it listens.
    pub(crate) fn start(port: Option<u16>, stream: &Stream) -> Self {
        Self::launched(port, &stream.launch())
    }

    /// The same with a launch line of one's own, whose elements are named as [`Stream`]'s are.
    pub(crate) fn launched(port: Option<u16>, launch: &str) -> Self {
        let this = std::env::current_exe().expect("a test knows its file");
        let mut child = Command::new(this)
            .args(["--ignored", "--exact", CHILD, "--nocapture"])
            .env(PORT, port.unwrap_or(0).to_string())
            .env(STREAM, launch)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the camera's process starts");
        let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines();
        let port = said.find_map(|line| line.expect("it speaks").strip_prefix("camera at ")?.parse().ok());
        // What the test harness says later must not block it.
        std::thread::spawn(move || said.for_each(drop));
        Self { child, port: port.expect("the camera said its port") }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self) -> String {
        format!("rtsp://127.0.0.1:{}/main", self.port)
    }

    /// Stays connected, sends nothing more.
    pub(crate) fn fall_silent(&mut self) {
        self.tell("silent");
    }

    /// Sends again.
    pub(crate) fn speak(&mut self) {
        self.tell("speak");
    }

    /// Frames are `nanoseconds` later, or earlier, by their own time stamps from now on.
    pub(crate) fn shift(&mut self, nanoseconds: i64) {
        self.tell(&format!("shift {nanoseconds}"));
    }

    /// Another size within the stream; with `lost` the first so many coded frames of it, the key frame among them, are lost.
    pub(crate) fn resize(&mut self, (width, height): (u32, u32), lost: u32) {
        self.tell(&format!("size {width} {height} {lost}"));
    }

    /// Every thread of it stands still, as when its processor hangs; its connections stay.
    pub(crate) fn freeze(&self) {
        self.signal(Signal::STOP);
    }

    /// It goes on.
    pub(crate) fn thaw(&self) {
        self.signal(Signal::CONT);
    }

    fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the process is there");
    }

    fn tell(&mut self, line: &str) {
        writeln!(self.child.stdin.as_mut().expect("it is piped"), "{line}").expect("the camera listens");
    }
}

impl Drop for CameraProcess {
    fn drop(&mut self) {
        // It may be stopped, and then ends all the same.
        let _gone = self.child.kill();
        let _gone = self.child.wait();
    }
}

/// What an element is set to, in streams that begin too.
#[derive(Default)]
struct State {
    silent: bool,
    shift: i64,
    media: Vec<gst::Bin>,
    /// Coded frames that are lost next.
    losing: Arc<Mutex<u32>>,
}

/// Is a camera until it is killed or its parent is gone.
pub(crate) fn be_a_camera() {
    let port = std::env::var(PORT).expect("a parent says the port");
    let launch = std::env::var(STREAM).expect("a parent says what to send");
    gst::init().expect("GStreamer is installed");
    let state = Arc::new(Mutex::new(State::default()));
    let main = glib::MainLoop::new(None, false);
    let camera = server::RTSPServer::new();
    camera.set_address("127.0.0.1");
    camera.set_service(&port);
    let factory = server::RTSPMediaFactory::new();
    factory.set_launch(&launch);
    factory.set_shared(true);
    let own = state.clone();
    factory.connect_media_configure(move |_, media| {
        let bin = media.element().downcast::<gst::Bin>().expect("a launch line makes a bin");
        let mut state = own.lock().expect("no holder of this lock panics");
        lose_frames(&bin, &state.losing);
        state.media.push(bin);
        state.apply();
    });
    camera.mount_points().expect("a server has mount points").add_factory("/main", factory);
    camera.attach(None).expect("the port is free");
    println!("camera at {}", camera.bound_port());
    std::io::stdout().flush().expect("the parent listens");
    let ending = main.clone();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            state.lock().expect("no holder of this lock panics").hear(&line);
        }
        ending.quit();
    });
    main.run();
}

/// Drops coded frames as long as there are any to lose.
fn lose_frames(bin: &gst::Bin, losing: &Arc<Mutex<u32>>) {
    let coded = bin.by_name("code").and_then(|code| code.static_pad("src")).expect("the launch line names its coder");
    let losing = losing.clone();
    coded.add_probe(gst::PadProbeType::BUFFER, move |_, _| {
        let mut left = losing.lock().expect("no holder of this lock panics");
        if *left == 0 {
            return gst::PadProbeReturn::Ok;
        }
        *left -= 1;
        gst::PadProbeReturn::Drop
    });
}

impl State {
    fn hear(&mut self, line: &str) {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["silent"] => self.silent = true,
            ["speak"] => self.silent = false,
            ["shift", by] => self.shift = by.parse().expect("nanoseconds"),
            ["size", width, height, lost] => {
                *self.losing.lock().expect("no holder of this lock panics") = lost.parse().expect("a number");
                let caps = format!("video/x-raw,format=I420,width={width},height={height},framerate=15/1");
                let caps: gst::Caps = caps.parse().expect("the caps are written correctly");
                for element in self.elements("size") {
                    element.set_property("caps", &caps);
                }
            }
            _ => panic!("no such order: {line}"),
        }
        self.apply();
    }

    fn apply(&self) {
        self.elements("hush").for_each(|valve| valve.set_property("drop", self.silent));
        self.elements("shift").for_each(|identity| identity.set_property("ts-offset", self.shift));
    }

    fn elements(&self, name: &str) -> impl Iterator<Item = gst::Element> {
        self.media.iter().filter_map(move |bin| bin.by_name(name))
    }
}
