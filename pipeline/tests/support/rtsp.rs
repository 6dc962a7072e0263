//! A real RTSP camera on loopback: served, cut, brought back, silenced.

use gstreamer as gst;
use gstreamer::{glib, prelude::*};
use gstreamer_rtsp_server as server;
use server::prelude::*;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    thread::JoinHandle,
};

/// A camera that streams H.264 at `/main`, 320x240, 15 frames a second. Dropping it cuts it off.
pub(crate) struct RtspCamera {
    port: u16,
    is_secure: bool,
    silent: Silence,
    connections: Arc<AtomicU32>,
    main: glib::MainLoop,
    thread: Option<JoinHandle<()>>,
}

/// The valves of a camera's streams, and whether they are closed.
#[derive(Default)]
struct Hushed {
    on: bool,
    valves: Vec<gst::Element>,
}

type Silence = Arc<Mutex<Hushed>>;

/// What a camera asks of whoever connects.
enum Door {
    /// User and password.
    Login(String, String),
    /// TLS, by the certificate in this folder.
    Certificate(PathBuf),
}

/// A role of the server's own access lists.
const ROLE: &str = "viewer";

impl RtspCamera {
    /// On `port`, or on a free one for `None`; asks for `login` (user, password) where there is one.
    pub(crate) fn start(port: Option<u16>, login: Option<(&str, &str)>) -> Self {
        Self::with(port, login.map(|(user, password)| Door::Login(user.to_owned(), password.to_owned())))
    }

    /// On a free port, over TLS with `server.pem` and `server.key` of `folder`.
    pub(crate) fn start_secure(folder: &Path) -> Self {
        Self::with(None, Some(Door::Certificate(folder.to_owned())))
    }

    fn with(port: Option<u16>, door: Option<Door>) -> Self {
        gst::init().expect("GStreamer is installed");
        let silent = Silence::default();
        let is_secure = matches!(door, Some(Door::Certificate(_)));
        let (tell, told) = std::sync::mpsc::sync_channel(1);
        let (hush, connections) = (silent.clone(), Arc::<AtomicU32>::default());
        let counted = connections.clone();
        let thread = std::thread::Builder::new()
            .name("rtsp-camera".into())
            .spawn(move || serve(port, door, &hush, counted, &tell))
            .expect("the system has a thread to give");
        let (port, main) = told.recv().expect("the RTSP server starts");
        Self { port, is_secure, silent, connections, main, thread: Some(thread) }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}://127.0.0.1:{}/{path}", if self.is_secure { "rtsps" } else { "rtsp" }, self.port)
    }

    /// How often somebody has connected so far.
    #[allow(dead_code, reason = "each user of this file needs a part of it")]
    pub(crate) fn connections(&self) -> u32 {
        self.connections.load(Ordering::Relaxed)
    }

    /// Stays connected, sends nothing more.
    pub(crate) fn fall_silent(&self) {
        let mut silence = self.silent.lock().expect("no holder of this lock panics");
        silence.on = true;
        silence.valves.iter().for_each(|valve| valve.set_property("drop", true));
    }

    /// Power off: every connection is closed.
    pub(crate) fn cut(mut self) {
        self.end();
    }

    fn end(&mut self) {
        // By the loop itself: a loop that is told to quit before it runs would run for ever.
        let main = self.main.clone();
        self.main.context().invoke(move || main.quit());
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the server's thread ends in order");
        }
    }
}

impl Drop for RtspCamera {
    fn drop(&mut self) {
        self.end();
    }
}

fn serve(
    port: Option<u16>,
    door: Option<Door>,
    silent: &Silence,
    connections: Arc<AtomicU32>,
    tell: &std::sync::mpsc::SyncSender<(u16, glib::MainLoop)>,
) {
    let context = glib::MainContext::new();
    let main = glib::MainLoop::new(Some(&context), false);
    context
        .with_thread_default(|| {
            let camera = server::RTSPServer::new();
            camera.set_address("127.0.0.1");
            camera.set_service(&port.unwrap_or(0).to_string());
            let factory = server::RTSPMediaFactory::new();
            factory.set_launch(
                "( videotestsrc is-live=true pattern=ball ! video/x-raw,width=320,height=240,framerate=15/1 \
                 ! x264enc tune=zerolatency speed-preset=ultrafast key-int-max=15 ! valve name=hush ! rtph264pay name=pay0 pt=96 )",
            );
            factory.set_shared(true);
            let silent = silent.clone();
            factory.connect_media_configure(move |_, media| hush(media, &silent));
            if let Some(door) = door {
                let auth = server::RTSPAuth::new();
                let mut token = server::RTSPToken::builder().field("media.factory.role", ROLE).build();
                match door {
                    Door::Login(user, password) => {
                        auth.add_basic(&server::RTSPAuth::make_basic(&user, &password), &token);
                    }
                    Door::Certificate(folder) => {
                        let of = |file: &str| folder.join(file);
                        let own = gio::TlsCertificate::from_files(of("server.pem"), of("server.key"));
                        auth.set_tls_certificate(Some(&own.expect("the files hold a certificate and its key")));
                        auth.set_default_token(Some(&mut token));
                    }
                }
                camera.set_auth(Some(&auth));
                let role = gst::Structure::builder(ROLE)
                    .field("media.factory.access", true)
                    .field("media.factory.construct", true)
                    .build();
                factory.add_role_from_structure(&role);
            }
            camera.connect_client_connected(move |_, _| {
                connections.fetch_add(1, Ordering::Relaxed);
            });
            camera.mount_points().expect("a server has mount points").add_factory("/main", factory);
            let source = camera.attach(Some(&context)).expect("the port is free");
            let port = u16::try_from(camera.bound_port()).expect("it is bound");
            tell.send((port, main.clone())).expect("the test waits for it");
            main.run();
            context.find_source_by_id(&source).expect("it is attached to this context").destroy();
            camera.client_filter(Some(&mut |_: &server::RTSPServer, _: &server::RTSPClient| {
                server::RTSPFilterResult::Remove
            }));
            // The clients' sockets are closed by the loop's last turns.
            while context.iteration(false) {}
        })
        .expect("the context is this thread's own");
}

/// Hands out the valve of a stream that begins, and closes it at once where the camera is silent already.
fn hush(media: &server::RTSPMedia, silent: &Silence) {
    let valve = media.element().downcast::<gst::Bin>().ok().and_then(|bin| bin.by_name("hush"));
    let valve = valve.expect("the launch line names its valve");
    let mut silence = silent.lock().expect("no holder of this lock panics");
    valve.set_property("drop", silence.on);
    silence.valves.push(valve);
}
