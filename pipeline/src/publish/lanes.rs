//! What programs say over the broker: so many lanes of a gate are open.
//!
//! ```text
//! usher/v1/SITE/gate/GATE/lanes/set    {"lanes": 4}
//! ```
//! Whether it is so is told as it always is, in `gate/GATE/flow`. A message that the broker had kept is from another time and is
//! passed over; so is whatever else cannot be meant, with a warning that says why, once until something else is wrong.

use crate::{flow::desk::Desk, publish::topic::Topics};
use serde::Deserialize;
use std::sync::Mutex;
use usher_config::value::Name;

/// Bytes of the longest message.
pub(crate) const LONGEST: usize = 256;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    lanes: u32,
}

/// Hands on what is said of lanes.
pub(crate) struct Orders {
    desk: Desk,
    /// What was wrong last, so that it is logged once.
    wrong: Mutex<Option<String>>,
}

impl Orders {
    pub(crate) fn to(desk: Desk) -> Self {
        Self { desk, wrong: Mutex::new(None) }
    }

    /// Takes in what came on `topic`, where it is of lanes; `kept` where the broker had kept it.
    pub(crate) fn hear(&self, topic: &str, body: &[u8], kept: bool, topics: &Topics) {
        let Some(gate) = topics.lanes_of(topic) else { return };
        let taken = read(body, kept).and_then(|lanes| self.hand_on(gate.clone(), lanes));
        let mut wrong = self.wrong.lock().expect("no holder of this lock panics");
        let reason = taken.err();
        if let Some(reason) = reason.as_ref().filter(|reason| wrong.as_ref() != Some(*reason)) {
            tracing::warn!(%gate, %reason, "what the broker says of open lanes is passed over");
        }
        *wrong = reason;
    }

    fn hand_on(&self, gate: Name, lanes: u32) -> Result<(), String> {
        let taken = self.desk.hear_lanes(gate, lanes);
        taken.then_some(()).ok_or_else(|| "too much is said at once; say it again in a second".to_owned())
    }
}

/// The lanes that a message says are open; `kept` where the broker had kept it.
///
/// # Errors
/// Why it says none, and what to write.
pub fn read(body: &[u8], kept: bool) -> Result<u32, String> {
    if kept {
        return Err("it was retained, and is from another time; publish it without `retain`".to_owned());
    }
    let mend = r#"write for instance {"lanes": 4}"#;
    if body.len() > LONGEST {
        return Err(format!("it has {} bytes; {mend}", body.len()));
    }
    let said: Said = serde_json::from_slice(body).map_err(|error| format!("{error}; {mend}"))?;
    Ok(said.lanes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{
        desk::{Asked, desk},
        lanes::By,
    };

    #[test]
    fn what_is_meant_is_handed_on_and_what_cannot_be_says_the_mend() {
        let (desk, asked) = desk();
        let (orders, topics) = (Orders::to(desk), Topics::of(&Name::new("arena").unwrap()));
        let say = |topic: &str, body: &[u8], kept| orders.hear(topic, body, kept, &topics);
        say("usher/v1/arena/gate/gate-b/lanes/set", br#"{"lanes": 4}"#, false);
        say("usher/v1/arena/gate/gate-b/lanes/set", br#"{"lanes": 5}"#, true);
        say("usher/v1/other/gate/gate-b/lanes/set", br#"{"lanes": 6}"#, false);
        say("usher/v1/arena/gate/gate-b/lanes", br#"{"lanes": 7}"#, false);
        let heard: Vec<_> = asked.try_iter().collect();
        let [Asked::Lanes(order)] = &heard[..] else { panic!("{heard:?}") };
        assert_eq!((order.gate.as_str(), order.lanes, order.by), ("gate-b", 4, By::Broker));
        for wrong in ["4", "", r#"{"lanes": -1}"#, r#"{"lanes": "4"}"#, r#"{"lanes": 4, "gate": "a"}"#] {
            assert!(read(wrong.as_bytes(), false).unwrap_err().contains(r#"{"lanes": 4}"#), "{wrong}");
        }
        assert!(read(br#"{"lanes": 4}"#, true).unwrap_err().contains("without `retain`"));
        assert!(read(&[b' '; 1000], false).unwrap_err().contains("1000 bytes"));
    }
}
