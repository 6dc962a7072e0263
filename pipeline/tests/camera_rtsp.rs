//! A network camera, against a real RTSP server on loopback.
#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests wait for real servers with a deadline")]

#[path = "support/certificates.rs"]
mod certificates;
#[path = "support/rtsp.rs"]
mod rtsp;
#[path = "support/watched.rs"]
mod watched;

use rtsp::RtspCamera;
use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};
use usher::{
    capture::{fault::Fault, probe::probe},
    clock::{Clock, SystemClock},
    health::CameraState,
};
use usher_config::{
    capture::{Camera, Source, Transport},
    login::Login,
    reach::Network,
    text::Textual as _,
    value::{Name, Secret},
};
use usher_models::image::{Planes, Size};
use watched::{WatchedCamera, settings};

fn at(url: String, transport: Transport) -> Camera {
    settings(Source::Rtsp { url, transport })
}

fn logged_in(url: String, user: &str, password: &str) -> Camera {
    let login = Login { user: user.into(), password: Secret::new(password.into()) };
    Camera { login: Some(login), ..at(url, Transport::Tcp) }
}

fn try_once(settings: &Camera) -> Result<usher::capture::probe::Probed, Fault> {
    let clock: Arc<dyn Clock> = SystemClock::start();
    probe(&Name::new("cam").unwrap(), settings, Duration::from_secs(20), &clock)
}

#[test]
fn frames_arrive_over_tcp_as_the_decoder_left_them() {
    let server = RtspCamera::start(None, None);
    let mut camera = WatchedCamera::start(&at(server.url("main"), Transport::Tcp));
    let frames = camera.see(10);
    assert!(frames.windows(2).all(|pair| pair[0].pts < pair[1].pts && pair[0].taken.steady <= pair[1].taken.steady));
    let view = frames[0].picture.view();
    assert_eq!(view.size, Size { width: 320, height: 240 });
    let Planes::I420 { luma, .. } = view.planes else { panic!("the software decoder gives I420") };
    let white = (0..240).flat_map(|row| &luma.data[row * luma.stride..][..320]).filter(|value| **value > 200).count();
    assert!((50..20_000).contains(&white), "a white ball on black, not {white} white pixels");
    assert_eq!(camera.state(), CameraState::Live);
}

#[test]
fn frames_arrive_over_udp() {
    let server = RtspCamera::start(None, None);
    let mut camera = WatchedCamera::start(&at(server.url("main"), Transport::Udp));
    assert_eq!(camera.see(10).len(), 10);
}

#[test]
fn a_camera_that_is_cut_is_lost_and_comes_back_by_itself() {
    let server = RtspCamera::start(None, None);
    let port = server.port();
    let mut camera = WatchedCamera::start(&at(server.url("main"), Transport::Tcp));
    camera.see(5);
    server.cut();
    let reason = camera.lost();
    assert!(reason.contains("ended its stream") || reason.contains("nothing answers"), "{reason}");
    let _returned = RtspCamera::start(Some(port), None);
    while camera.state() != CameraState::Live {
        camera.see(1);
    }
    camera.see(5);
}

#[test]
fn a_camera_that_is_connected_but_silent_is_lost() {
    let server = RtspCamera::start(None, None);
    let mut camera = WatchedCamera::start(&at(server.url("main"), Transport::Tcp));
    camera.see(5);
    server.fall_silent();
    let reason = camera.lost();
    assert!(reason.starts_with("no frame for 2") && reason.contains("check the camera's stream"), "{reason}");
}

#[test]
fn a_stopped_camera_ends_though_its_server_is_away() {
    let gone = RtspCamera::start(None, None);
    let url = gone.url("main");
    gone.cut();
    let mut camera = WatchedCamera::start(&at(url, Transport::Tcp));
    let reason = camera.lost();
    assert!(reason.contains("nothing answers at 127.0.0.1:") && reason.contains("check address, cable"), "{reason}");
    camera.stop();
}

#[test]
fn a_wrong_path_is_said_with_the_mend() {
    let server = RtspCamera::start(None, None);
    let fault = try_once(&at(server.url("other"), Transport::Tcp)).unwrap_err();
    assert_eq!(fault, Fault::NoSuchStream(format!("127.0.0.1:{}", server.port())));
    assert!(fault.to_string().ends_with("check the path in `url`"));
}

#[test]
fn the_right_login_opens_a_camera_and_the_wrong_one_is_said_without_being_shown() {
    let server = RtspCamera::start(None, Some(("gate", "open-sesame")));
    let probed = try_once(&logged_in(server.url("main"), "gate", "open-sesame")).unwrap();
    assert_eq!((probed.width, probed.height, probed.format.as_str()), (320, 240, "I420"));
    let fault = try_once(&logged_in(server.url("main"), "gate", "open-barley")).unwrap_err();
    assert_eq!(fault, Fault::Login(format!("127.0.0.1:{}", server.port())));
    let said = format!("{fault} {fault:?}");
    assert!(said.contains("check `user` and `password_file`") && !said.contains("barley"), "{said}");
}

#[test]
fn a_camera_over_tls_is_believed_by_its_authority_and_by_no_other() {
    let folder = tempfile::tempdir().unwrap();
    certificates::certificates(folder.path());
    let server = RtspCamera::start_secure(folder.path());
    let trusting =
        |ca: Option<&str>, url: String| Camera { ca: ca.map(|ca| folder.path().join(ca)), ..at(url, Transport::Tcp) };
    let probed = try_once(&trusting(Some("ca.pem"), server.url("main"))).unwrap();
    assert_eq!((probed.width, probed.height), (320, 240));
    let stranger = Fault::Certificate(format!("127.0.0.1:{}", server.port()));
    assert_eq!(try_once(&trusting(Some("other.pem"), server.url("main"))).unwrap_err(), stranger);
    assert_eq!(
        try_once(&trusting(None, server.url("main"))).unwrap_err(),
        stranger,
        "the system knows no such authority"
    );
    // The certificate is of 127.0.0.1: under another name it may be another camera's.
    let other_name = server.url("main").replace("127.0.0.1", "localhost");
    assert!(matches!(try_once(&trusting(Some("ca.pem"), other_name)).unwrap_err(), Fault::Certificate(_)));
    let nowhere = try_once(&trusting(Some("nowhere.pem"), server.url("main"))).unwrap_err();
    assert_eq!(nowhere, Fault::NotThere(folder.path().join("nowhere.pem")));
}

/// Answers one RTSP connection: every request with 200, but DESCRIBE with the way to `elsewhere`.
fn sends_elsewhere(elsewhere: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
        loop {
            let request: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
            let Some(first) = request.first() else { return };
            let sequence = request.iter().find(|line| line.starts_with("CSeq:")).cloned().unwrap_or_default();
            let answer = if first.starts_with("DESCRIBE") {
                format!("RTSP/1.0 302 Moved Temporarily\r\n{sequence}\r\nLocation: rtsp://{elsewhere}/main\r\n\r\n")
            } else {
                format!("RTSP/1.0 200 OK\r\n{sequence}\r\nPublic: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN\r\n\r\n")
            };
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
    });
    address
}

#[test]
fn a_camera_that_sends_us_outside_is_not_followed() {
    let outside = TcpListener::bind("127.0.0.2:0").unwrap();
    let camera = sends_elsewhere(outside.local_addr().unwrap());
    let only_here = vec![Network::read("127.0.0.1/32").unwrap()];
    let url = format!("rtsp://{camera}/main");
    let fault = try_once(&Camera { within: only_here, ..at(url.clone(), Transport::Tcp) }).unwrap_err();
    assert_eq!(fault, Fault::Outside(camera.to_string()));
    outside.set_nonblocking(true).unwrap();
    if let Ok((mut stream, _)) = outside.accept() {
        stream.set_nonblocking(false).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        let mut said = Vec::new();
        let _closed_or_silent = stream.read_to_end(&mut said);
        assert_eq!(String::from_utf8_lossy(&said), "", "nothing is said there");
    }
    // The list and nothing else is in the way.
    let main = RtspCamera::start(None, None);
    let camera = sends_elsewhere(main.url("main")["rtsp://".len()..].trim_end_matches("/main").parse().unwrap());
    assert!(try_once(&at(format!("rtsp://{camera}/main"), Transport::Tcp)).is_ok());
}

#[test]
fn a_camera_outside_is_not_called() {
    let outside = TcpListener::bind("127.0.0.2:0").unwrap();
    let address = outside.local_addr().unwrap();
    let only_here = vec![Network::read("127.0.0.1/32").unwrap()];
    let fault =
        try_once(&Camera { within: only_here, ..at(format!("rtsp://{address}/main"), Transport::Tcp) }).unwrap_err();
    assert_eq!(fault, Fault::Outside(address.to_string()));
    outside.set_nonblocking(true).unwrap();
    assert!(outside.accept().is_err(), "nobody came");
}

#[test]
fn a_probe_tells_what_a_camera_gives() {
    let server = RtspCamera::start(None, None);
    let probed = try_once(&at(server.url("main"), Transport::Tcp)).unwrap();
    assert_eq!((probed.width, probed.height), (320, 240));
    assert!(probed.fps > 0.0 && probed.first_frame > Duration::ZERO, "{probed:?}");
}
