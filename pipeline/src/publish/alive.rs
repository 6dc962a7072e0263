//! Signs of life: what a screen says of itself.
//!
//! Whoever may open the signage page may say this, so it is believed in one thing only: that a screen of that name was there.
//! Everything else is text of a stranger, cut and cleaned before anybody sees it.

use crate::{
    clock::Moment,
    health::{Health, Screen},
    publish::{access::MOST_ALIVE, topic::Topics},
};
use serde::Deserialize;
use usher_config::value::Name;

/// Longest text that is taken in, letters.
const LONGEST: usize = 160;

/// Most faults of one screen.
const FAULTS: usize = 5;

/// What a screen says, as the signage page writes it; whatever else stands there is passed over.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Said {
    gate: String,
    version: String,
    shows: String,
    width: u32,
    height: u32,
    faults: Vec<String>,
}

/// Takes in what came on `topic`, where a screen said it.
pub(crate) fn hear(topic: &str, body: &[u8], topics: &Topics, health: &Health, now: Moment) {
    let Some(name) = topics.screen_of(topic).filter(|_| body.len() <= MOST_ALIVE) else { return };
    let Some(screen) = read(body, now) else { return };
    if health.set_screen(&name, screen) {
        tracing::info!(screen = %name, "a screen is here");
    }
}

/// Reads a sign of life. `None`: no JSON object, so no sign of life of ours.
pub(crate) fn read(body: &[u8], at: Moment) -> Option<Screen> {
    let said: Said = serde_json::from_slice(body).ok()?;
    let plain = |text: &str| text.chars().filter(|c| !c.is_control()).take(LONGEST).collect::<String>();
    Some(Screen {
        gate: Name::new(&said.gate),
        version: plain(&said.version),
        shows: plain(&said.shows),
        size: (said.width, said.height),
        faults: said.faults.iter().take(FAULTS).map(|fault| plain(fault)).collect(),
        seen: at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, SystemTime};

    fn now() -> Moment {
        Moment { wall: SystemTime::UNIX_EPOCH, steady: Duration::ZERO }
    }

    #[test]
    fn a_screen_is_read_and_its_texts_are_cut() {
        let long = "x".repeat(1000);
        let body = serde_json::json!({
            "screen": "north", "gate": "gate-a", "version": "abc", "shows": "idle", "width": 1920, "height": 1080,
            "faults": [long, "a\u{7}b", "c", "d", "e", "f"], "more": [1, 2],
        });
        let screen = read(body.to_string().as_bytes(), now()).unwrap();
        assert_eq!((screen.gate, screen.size), (Name::new("gate-a"), (1920, 1080)));
        assert_eq!(screen.faults.iter().map(String::len).collect::<Vec<_>>(), [LONGEST, 2, 1, 1, 1]);
    }

    #[test]
    fn what_is_no_sign_of_life_is_none() {
        for body in ["", "null", "[1]", "{\"width\": -1}", "{\"faults\": 3}", "\u{0}"] {
            assert!(read(body.as_bytes(), now()).is_none(), "{body}");
        }
    }
}
