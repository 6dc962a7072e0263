//! Signing in: one token, printed at start, and sessions that end.

use crate::{clock::Moment, web::staff};
use axum::http::{HeaderMap, header};
use rand::RngExt as _;
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    net::IpAddr,
    path::PathBuf,
    sync::{Mutex, MutexGuard},
    time::Duration,
};
use usher_config::value::Secret;

/// How long a session lasts: a shift.
const LASTS: Duration = Duration::from_secs(12 * 60 * 60);
/// Sessions at one time; the oldest gives way.
const MOST: usize = 64;
/// Wrong tokens that one address may send at once; one more every [`MENDS`].
const TRIES: u32 = 5;
const MENDS: Duration = Duration::from_secs(10);
/// Addresses remembered for their wrong tokens.
const ADDRESSES: usize = 1024;

/// The cookie's name.
pub(super) const COOKIE: &str = "usher_session";

/// A fresh token, 128 random bits in hexadecimal. Print it at start, where only who runs the box can read it.
pub fn mint_token() -> Secret {
    Secret::new(hex(&rand::rng().random::<[u8; 16]>()))
}

/// The value of one cookie, if the browser sent it.
pub(super) fn cookie_of(headers: &HeaderMap, name: &str) -> Option<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(ours, _)| *ours == name).map(|(_, value)| value.to_owned())
}

/// Who has signed in.
pub(super) struct Sessions {
    token: [u8; 32],
    staff: Option<PathBuf>,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// Ends by the hash of the cookie: a dump of memory holds no cookie.
    open: HashMap<[u8; 32], Duration>,
    wrong: HashMap<IpAddr, (u32, Duration)>,
}

/// Why somebody was not let in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Another token.
    Wrong,
    /// Too many wrong tokens from this address.
    Wait(Duration),
}

impl Sessions {
    pub(super) fn new(token: &Secret) -> Self {
        Self { token: hash(token.reveal()), staff: None, inner: Mutex::default() }
    }

    /// The same, opened by the tokens of staff in the file at `path` too.
    pub(super) fn and_staff(self, path: PathBuf) -> Self {
        Self { staff: Some(path), ..self }
    }

    /// Opens a session for who sends the token; gives the cookie's value.
    pub(super) fn open(&self, token: &str, from: IpAddr, now: Moment) -> Result<String, Refused> {
        let mut inner = self.lock();
        let (tries, since) = inner.wrong.get(&from).copied().unwrap_or((0, now.steady));
        let mended = (now.steady.saturating_sub(since).as_secs() / MENDS.as_secs()) as u32;
        let tries = tries.saturating_sub(mended);
        if tries >= TRIES {
            return Err(Refused::Wait(MENDS));
        }
        let is_staffs = || self.staff.as_ref().is_some_and(|path| staff::holds(path, token));
        if !same(&hash(token), &self.token) && !is_staffs() {
            if inner.wrong.len() >= ADDRESSES {
                inner.wrong.clear();
            }
            inner.wrong.insert(from, (tries + 1, now.steady));
            return Err(Refused::Wrong);
        }
        inner.wrong.remove(&from);
        inner.open.retain(|_, end| *end > now.steady);
        if inner.open.len() >= MOST
            && let Some(oldest) = inner.open.iter().min_by_key(|(_, end)| **end).map(|(id, _)| *id)
        {
            inner.open.remove(&oldest);
        }
        let cookie = hex(&rand::rng().random::<[u8; 32]>());
        inner.open.insert(hash(&cookie), now.steady + LASTS);
        Ok(cookie)
    }

    /// Whether this cookie's session is open.
    pub(super) fn holds(&self, cookie: &str, now: Moment) -> bool {
        self.lock().open.get(&hash(cookie)).is_some_and(|end| *end > now.steady)
    }

    /// Ends this cookie's session.
    pub(super) fn close(&self, cookie: &str) {
        self.lock().open.remove(&hash(cookie));
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no holder of this lock panics")
    }
}

fn hash(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// Compares in the same time wherever the two differ.
fn same(a: &[u8; 32], b: &[u8; 32]) -> bool {
    std::hint::black_box(a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b))) == 0
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{Clock as _, HandClock};
    use std::{net::Ipv4Addr, time::SystemTime};

    const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[test]
    fn a_session_opens_by_the_token_and_ends() {
        let (clock, sessions) = (HandClock::at(SystemTime::UNIX_EPOCH), Sessions::new(&Secret::new("right".into())));
        assert_eq!(sessions.open("wrong", HERE, clock.now()), Err(Refused::Wrong));
        let cookie = sessions.open("right", HERE, clock.now()).unwrap();
        assert!(sessions.holds(&cookie, clock.now()));
        assert!(!sessions.holds("right", clock.now()));
        let other = sessions.open("right", HERE, clock.now()).unwrap();
        sessions.close(&cookie);
        assert!(!sessions.holds(&cookie, clock.now()));
        assert!(sessions.holds(&other, clock.now()));
        clock.pass(LASTS);
        assert!(!sessions.holds(&other, clock.now()));
    }

    #[test]
    fn guessing_is_slowed_and_only_for_who_guesses() {
        let (clock, sessions) = (HandClock::at(SystemTime::UNIX_EPOCH), Sessions::new(&Secret::new("right".into())));
        for _ in 0..TRIES {
            assert_eq!(sessions.open("wrong", HERE, clock.now()), Err(Refused::Wrong));
        }
        assert_eq!(sessions.open("right", HERE, clock.now()), Err(Refused::Wait(MENDS)));
        assert!(sessions.open("right", IpAddr::from([10, 0, 0, 1]), clock.now()).is_ok());
        clock.pass(MENDS);
        assert!(sessions.open("right", HERE, clock.now()).is_ok());
    }

    #[test]
    fn sessions_are_bounded() {
        let (clock, sessions) = (HandClock::at(SystemTime::UNIX_EPOCH), Sessions::new(&Secret::new("right".into())));
        let first = sessions.open("right", HERE, clock.now()).unwrap();
        for _ in 0..MOST {
            clock.pass(Duration::from_secs(1));
            sessions.open("right", HERE, clock.now()).unwrap();
        }
        assert!(!sessions.holds(&first, clock.now()));
    }

    #[test]
    fn two_tokens_are_never_the_same() {
        assert_ne!(mint_token(), mint_token());
        assert_eq!(mint_token().reveal().len(), 32);
    }
}
