//! A wire that misbehaves as a script says: between anybody and a server, over TCP, and over UDP for a camera's pictures.
//!
//! What it does at this moment is one [`Manner`], which is replaced whole. Chance comes from a seed, so that what went wrong goes
//! wrong again. An RTSP conversation over it is told another UDP port in `SETUP` than the client asked for, so that the pictures
//! come this way too.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]
#![allow(clippy::disallowed_methods, reason = "a wire delays in real time")]

use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    io::{ErrorKind, Read as _, Write as _},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long a thread of it sleeps at most before it looks at the manner again.
const GLANCE: Duration = Duration::from_millis(5);
/// A port that this much lies on the way of is a client's; the camera is told the relay's instead.
const ASKED: &str = "client_port=";

/// What a wire does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Manner {
    /// Nothing passes; what comes waits (TCP) or is gone (UDP).
    pub(crate) stalls: bool,
    /// What comes is this late.
    pub(crate) delay: Duration,
    /// So many bytes a second, each way; 0: as many as come.
    pub(crate) rate: usize,
    /// The share of chunks (TCP) or packets (UDP) of which one byte is another.
    pub(crate) corrupts: f64,
    /// The share of packets that are gone (UDP).
    pub(crate) drops: f64,
    /// The share of packets that come after the next (UDP).
    pub(crate) swaps: f64,
    /// Towards the client nothing comes any more: the server's half is closed (TCP).
    pub(crate) half_closes: bool,
    /// Connections are cut, and nobody is let in (TCP).
    pub(crate) cuts: bool,
}

struct Shared {
    to: SocketAddr,
    manner: Mutex<Manner>,
    chance: Mutex<StdRng>,
    ends: AtomicBool,
    connections: AtomicUsize,
    packets: AtomicUsize,
}

/// A wire to a server.
pub(crate) struct Proxy {
    shared: Arc<Shared>,
    at: SocketAddr,
}

impl Proxy {
    /// A wire to `to` that does well for now.
    pub(crate) fn to(to: SocketAddr, seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let at = listener.local_addr().unwrap();
        let shared = Arc::new(Shared {
            to,
            manner: Mutex::default(),
            chance: Mutex::new(StdRng::seed_from_u64(seed)),
            ends: AtomicBool::new(false),
            connections: AtomicUsize::new(0),
            packets: AtomicUsize::new(0),
        });
        let own = shared.clone();
        thread::spawn(move || own.accept(&listener));
        Self { shared, at }
    }

    pub(crate) fn port(&self) -> u16 {
        self.at.port()
    }

    /// From now on.
    pub(crate) fn is(&self, manner: Manner) {
        *self.shared.manner.lock().unwrap() = manner;
    }

    /// How many connections were taken in so far.
    pub(crate) fn connections(&self) -> usize {
        self.shared.connections.load(Ordering::Acquire)
    }

    /// How many packets came by UDP so far.
    pub(crate) fn packets(&self) -> usize {
        self.shared.packets.load(Ordering::Acquire)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.ends.store(true, Ordering::Release);
    }
}

impl Shared {
    fn now(&self) -> Manner {
        *self.manner.lock().unwrap()
    }

    fn ends(&self) -> bool {
        self.ends.load(Ordering::Acquire)
    }

    fn happens(&self, share: f64) -> bool {
        share > 0.0 && self.chance.lock().unwrap().random_bool(share)
    }

    fn spoil(&self, bytes: &mut [u8], share: f64) {
        if !bytes.is_empty() && self.happens(share) {
            let mut chance = self.chance.lock().unwrap();
            let at = chance.random_range(0..bytes.len());
            bytes[at] ^= chance.random_range(1..=255_u8);
        }
    }

    fn accept(self: Arc<Self>, listener: &TcpListener) {
        while !self.ends() {
            match listener.accept() {
                Ok((client, _)) if !self.now().cuts => {
                    self.connections.fetch_add(1, Ordering::AcqRel);
                    let Ok(server) = TcpStream::connect(self.to) else { continue };
                    client.set_nonblocking(false).unwrap();
                    for stream in [&client, &server] {
                        stream.set_nodelay(true).unwrap();
                        stream.set_read_timeout(Some(GLANCE)).unwrap();
                    }
                    let ports = Arc::<Mutex<Vec<(String, String)>>>::default();
                    let pairs =
                        [(client.try_clone().unwrap(), server.try_clone().unwrap(), true), (server, client, false)];
                    for (from, to, upwards) in pairs {
                        let (own, ports) = (self.clone(), ports.clone());
                        thread::spawn(move || own.carry(from, to, upwards, &ports));
                    }
                }
                Ok(_) => {}
                Err(_) => thread::sleep(GLANCE),
            }
        }
    }

    /// Carries one direction of one connection until either end is gone.
    fn carry(
        self: Arc<Self>,
        mut from: TcpStream,
        mut to: TcpStream,
        upwards: bool,
        ports: &Mutex<Vec<(String, String)>>,
    ) {
        let (mut waiting, mut block) = (std::collections::VecDeque::<(Instant, Vec<u8>)>::new(), [0; 4096]);
        let (mut is_open, mut free_at) = (true, Instant::now());
        while !self.ends() {
            let manner = self.now();
            if manner.cuts || (manner.half_closes && !upwards) {
                let how = if manner.cuts { Shutdown::Both } else { Shutdown::Write };
                let _gone = to.shutdown(how);
                return;
            }
            if is_open && !manner.stalls && waiting.len() < 64 {
                match from.read(&mut block) {
                    Ok(0) => is_open = false,
                    Ok(read) => {
                        let mut bytes = self.translated(&block[..read], upwards, ports);
                        self.spoil(&mut bytes, manner.corrupts);
                        waiting.push_back((Instant::now() + manner.delay, bytes));
                    }
                    Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                    Err(_) => is_open = false,
                }
            } else {
                thread::sleep(GLANCE);
            }
            let now = Instant::now();
            while !manner.stalls && free_at <= now && waiting.front().is_some_and(|(due, _)| *due <= now) {
                let (_, bytes) = waiting.pop_front().unwrap();
                if to.write_all(&bytes).is_err() {
                    let _gone = from.shutdown(Shutdown::Both);
                    return;
                }
                if manner.rate > 0 {
                    free_at = now + Duration::from_secs_f64(bytes.len() as f64 / manner.rate as f64);
                }
            }
            if !is_open && waiting.is_empty() {
                let _gone = to.shutdown(Shutdown::Write);
                return;
            }
        }
        let _gone = to.shutdown(Shutdown::Both);
    }

    /// What is said of UDP ports, so that pictures come by a relay; anything else is as it was.
    fn translated(self: &Arc<Self>, bytes: &[u8], upwards: bool, ports: &Mutex<Vec<(String, String)>>) -> Vec<u8> {
        let begins = if upwards { b"SETUP ".as_slice() } else { b"RTSP/1.0 ".as_slice() };
        if !bytes.starts_with(begins) {
            return bytes.to_vec();
        }
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if upwards && let Some(asked) = ports_in(&text) {
            let own = self.relays(&asked);
            ports.lock().unwrap().push((asked, own));
        }
        for (asked, own) in ports.lock().unwrap().iter() {
            let (was, is) = if upwards { (asked, own) } else { (own, asked) };
            text = text.replace(&format!("{ASKED}{was}"), &format!("{ASKED}{is}"));
        }
        text.into_bytes()
    }

    /// Two relays, for pictures and for reports, to the ports of `asked`; theirs, written likewise.
    fn relays(self: &Arc<Self>, asked: &str) -> String {
        let (first, second) = asked.split_once('-').unwrap();
        // Cameras want an even port and the next one.
        loop {
            let one = UdpSocket::bind("127.0.0.1:0").unwrap();
            let port = one.local_addr().unwrap().port();
            let Ok(other) = UdpSocket::bind(("127.0.0.1", port | 1)) else { continue };
            if port % 2 == 1 {
                continue;
            }
            for (socket, to) in [(one, first), (other, second)] {
                let (own, to) = (self.clone(), SocketAddr::from(([127, 0, 0, 1], to.parse().unwrap())));
                thread::spawn(move || own.relay(&socket, to));
            }
            return format!("{port}-{}", port + 1);
        }
    }

    fn relay(&self, socket: &UdpSocket, to: SocketAddr) {
        socket.set_read_timeout(Some(GLANCE)).unwrap();
        let (mut held, mut block) = (None::<Vec<u8>>, [0; 65536]);
        let mut late = std::collections::VecDeque::<(Instant, Vec<u8>)>::new();
        while !self.ends() {
            let manner = self.now();
            if let Ok((read, _)) = socket.recv_from(&mut block) {
                self.packets.fetch_add(1, Ordering::AcqRel);
                let mut packet = block[..read].to_vec();
                if manner.stalls || self.happens(manner.drops) {
                    continue;
                }
                self.spoil(&mut packet, manner.corrupts);
                let due = Instant::now() + manner.delay;
                if held.is_none() && self.happens(manner.swaps) {
                    held = Some(packet);
                    continue;
                }
                late.push_back((due, packet));
                late.extend(held.take().map(|packet| (due, packet)));
            }
            while late.front().is_some_and(|(due, _)| *due <= Instant::now()) {
                let (_, packet) = late.pop_front().unwrap();
                let _nobody_listens_any_more = socket.send_to(&packet, to);
            }
        }
    }
}

/// The ports that a client asks for, as it writes them.
fn ports_in(text: &str) -> Option<String> {
    let ports = &text[text.find(ASKED)? + ASKED.len()..];
    let end = ports.find(|c: char| !c.is_ascii_digit() && c != '-')?;
    ports[..end].contains('-').then(|| ports[..end].to_owned())
}
