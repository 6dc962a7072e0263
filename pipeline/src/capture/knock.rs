//! Whether anybody is at a camera's door: one connection, closed at once, on a thread of its own.
//!
//! A camera that reboots is away for half a minute. Opening a pipeline at every try is dear and, with waits that
//! grow, late; a knock costs one packet there and one back, so it may come twice a second, and the pipeline is opened
//! when somebody answers. Resolving a name may block for as long as the resolver likes: hence the thread.

use crate::supervise;
use crossbeam::channel::{Receiver, TryRecvError, bounded};
use std::{
    net::{SocketAddr, TcpStream, ToSocketAddrs as _},
    time::Duration,
};
use usher_config::reach::Network;

/// How long a door may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);
/// RFC 2326 §3.2, RFC 7826 §4.2.
const PORTS: [(&str, u16); 2] = [("rtsp", 554), ("rtsps", 322)];

/// Knocks at one door, one after the other.
pub(crate) struct Knocks {
    camera: String,
    door: String,
    within: Vec<Network>,
    answer: Option<Receiver<bool>>,
}

impl Knocks {
    /// At the door of `url`, where that lies in one of these networks; `None` where its scheme has none.
    pub(crate) fn at(camera: &str, url: &str, within: &[Network]) -> Option<Self> {
        Some(Self { camera: camera.to_owned(), door: door(url)?, within: within.to_vec(), answer: None })
    }

    /// Knocks, unless an answer is still awaited. Never waits.
    pub(crate) fn knock(&mut self) {
        if self.answer.is_some() {
            return;
        }
        let (answer, answered) = bounded(1);
        let (door, within) = (self.door.clone(), self.within.clone());
        // Not joined: a resolver that hangs would hold the camera.
        let _detached = supervise::spawn(&format!("knock-{}", self.camera), move || {
            let may = |address: &SocketAddr| within.iter().any(|network| network.holds(address.ip()));
            let opens = |address: &SocketAddr| TcpStream::connect_timeout(address, PATIENCE).is_ok();
            let opened =
                door.to_socket_addrs().is_ok_and(|addresses| addresses.filter(may).any(|address| opens(&address)));
            // Nobody listens any more when the process stops.
            let _lost = answer.send(opened);
        });
        self.answer = Some(answered);
    }

    /// Whether somebody has answered since the last knock. Never waits.
    pub(crate) fn is_answered(&mut self) -> bool {
        let heard = self.answer.as_ref().map(Receiver::try_recv);
        match heard {
            None | Some(Err(TryRecvError::Empty)) => false,
            Some(answer) => {
                self.answer = None;
                answer == Ok(true)
            }
        }
    }
}

/// `host:port` of `url`, by its scheme's own port where it names none; without login and path.
fn door(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let (_, usual) = PORTS.into_iter().find(|(known, _)| *known == scheme)?;
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    let host = authority.rsplit_once('@').map_or(authority, |(_login, host)| host);
    // A bracket closes an IPv6 address, whose colons are no port.
    let named = host.rsplit_once(':').is_some_and(|(before, port)| {
        !port.is_empty()
            && port.bytes().all(|digit| digit.is_ascii_digit())
            && (!before.contains(':') || before.ends_with(']'))
    });
    Some(if named { host.to_owned() } else { format!("{host}:{usual}") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;
    use usher_config::reach::private;

    /// Waits for the answer, which a door's own patience bounds.
    fn answered(knocks: &mut Knocks) -> bool {
        knocks.knock();
        let answer = knocks.answer.clone().expect("it has knocked");
        while answer.is_empty() {
            assert!(!knocks.is_answered(), "no answer yet");
            std::thread::yield_now();
        }
        knocks.is_answered()
    }

    #[test]
    fn a_door_is_host_and_port_whatever_the_url_says_beside() {
        let cases = [
            ("rtsp://cam/main", Some("cam:554")),
            ("rtsps://cam/main", Some("cam:322")),
            ("rtsp://gate:se@cret@10.0.0.7:8554/a?b=c:9", Some("10.0.0.7:8554")),
            ("rtsp://[fe80::1]/main", Some("[fe80::1]:554")),
            ("rtsp://[fe80::1]:8554", Some("[fe80::1]:8554")),
            ("file:///films/a.mp4", None),
            ("v4l2:/dev/video0", None),
        ];
        for (url, wanted) in cases {
            assert_eq!(door(url).as_deref(), wanted, "{url}");
        }
    }

    #[test]
    fn somebody_at_home_answers_and_nobody_does_not() {
        let home = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("rtsp://{}/main", home.local_addr().unwrap());
        let mut knocks = Knocks::at("cam", &url, &private()).unwrap();
        assert!(answered(&mut knocks));
        let elsewhere: Vec<Network> =
            private().into_iter().filter(|network| !network.holds([127, 0, 0, 1].into())).collect();
        assert!(!answered(&mut Knocks::at("cam", &url, &elsewhere).unwrap()), "it lies outside: nobody knocks there");
        drop(home);
        assert!(!answered(&mut knocks));
        assert!(!knocks.is_answered(), "an answer is heard once");
    }
}
