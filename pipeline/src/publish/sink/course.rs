//! The course of connections: what one teaches for the next.

use crate::publish::sink::{
    line::{Address, Version},
    reason::{self, Broken, How},
    wire::Refused,
};
use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_millis(250);
/// After a broker that hangs up on whoever publishes what it forbids: greetings, which it may take, wait no longer.
const REFUSED_WAIT: Duration = Duration::from_secs(2);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// A connection that stood for so long was well: the next try comes early again.
pub(crate) const WELL: Duration = Duration::from_secs(10);
/// So many connections in a row that the broker ended a moment after it took us in: somebody else takes our place, or it does not
/// like what we say.
const DUEL: u32 = 3;

/// What is known from one connection to the next.
pub struct Course {
    wait: Duration,
    asked: Version,
    version: Version,
    /// Whether the broker has taken us in by this version.
    is_understood: bool,
    /// Connections in a row that the broker ended soon after it took us in.
    cut_short: u32,
    /// What the broker would not have, and has not taken since.
    pub(crate) refused: Option<Refused>,
}

impl Course {
    /// Begins with this version; from MQTT 5 it turns to 3.1.1 where a broker does not know it.
    pub(crate) fn by(asked: Version) -> Self {
        Self { wait: FIRST_WAIT, asked, version: asked, is_understood: false, cut_short: 0, refused: None }
    }

    /// How the broker is spoken to next.
    pub(crate) fn version(&self) -> Version {
        self.version
    }

    /// Whether another client and we throw each other out.
    pub(crate) fn is_fought_for(&self) -> bool {
        self.cut_short >= DUEL
    }

    /// How long to wait before the next connection: half to all of it by `chance`, 0..=1, so that boxes that lost one broker together
    /// do not come back together.
    pub fn next(&mut self, chance: f64) -> Duration {
        self.next_wait().mul_f64(0.5 + chance.clamp(0.0, 1.0) / 2.0)
    }

    fn next_wait(&mut self) -> Duration {
        let wait = self.wait;
        self.wait = (wait * 2).min(LONGEST_WAIT);
        wait
    }

    /// Takes in how a connection broke that stood for so long (`None`: never); what is to be said of it.
    pub(crate) fn learn(&mut self, mut broken: Broken, stood: Option<Duration>, address: &Address) -> Broken {
        match stood {
            None => {
                if broken.how == How::Spoken && !self.is_understood && self.asked == Version::Five {
                    self.version = self.version.other();
                }
            }
            Some(stood) => {
                self.is_understood = true;
                if let Some(refused) = &self.refused {
                    broken.reason.clone_from(&refused.reason);
                    self.wait = REFUSED_WAIT;
                } else if stood >= WELL {
                    self.cut_short = 0;
                    self.wait = FIRST_WAIT;
                } else if broken.how != How::Away {
                    self.cut_short += 1;
                }
            }
        }
        if broken.how == How::TakenOver {
            self.cut_short = DUEL;
        }
        if self.is_fought_for() {
            // Whoever comes back at once throws the other out, who does the same.
            self.wait = LONGEST_WAIT;
            if broken.how != How::TakenOver {
                broken.reason = reason::cut_short(address);
            }
        }
        broken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address() -> Address {
        let (host, client_id) = ("10.0.0.9".to_owned(), "usher-arena-box-1".to_owned());
        Address { host, port: 1883, tls: None, login: None, client_id, version: Version::Five }
    }

    fn broken(how: How) -> Broken {
        Broken { reason: "it broke".to_owned(), how }
    }

    const MOMENT: Option<Duration> = Some(Duration::from_secs(1));
    const LONG: Option<Duration> = Some(Duration::from_secs(60));

    #[test]
    fn whoever_does_not_know_the_version_is_spoken_to_by_the_other_and_whoever_is_away_is_not() {
        let mut course = Course::by(Version::Five);
        course.learn(broken(How::Away), None, &address());
        assert_eq!(course.version(), Version::Five);
        course.learn(broken(How::Spoken), None, &address());
        assert_eq!(course.version(), Version::Four);
        course.learn(broken(How::Spoken), LONG, &address());
        course.learn(broken(How::Spoken), None, &address());
        assert_eq!(course.version(), Version::Four, "it was understood");
        let mut embedded = Course::by(Version::Four);
        embedded.learn(broken(How::Spoken), None, &address());
        assert_eq!(embedded.version(), Version::Four);
    }

    #[test]
    fn a_duel_is_told_and_not_fought() {
        let mut course = Course::by(Version::Four);
        for _ in 0..DUEL - 1 {
            assert_eq!(course.learn(broken(How::Spoken), MOMENT, &address()).reason, "it broke");
            course.next_wait();
        }
        let told = course.learn(broken(How::Spoken), MOMENT, &address()).reason;
        assert!(told.contains("hangs up on usher again and again") && told.contains("`usher-arena-box-1`"), "{told}");
        assert!(course.is_fought_for());
        assert_eq!((course.next_wait(), course.next_wait()), (LONGEST_WAIT, LONGEST_WAIT));
        // The other has gone.
        course.learn(broken(How::Spoken), LONG, &address());
        assert!(!course.is_fought_for());
        assert_eq!(course.next_wait(), FIRST_WAIT);
        // MQTT 5 says it at once.
        assert_eq!(course.learn(broken(How::TakenOver), MOMENT, &address()).reason, "it broke");
        assert!(course.is_fought_for());
    }

    #[test]
    fn a_broker_that_goes_and_comes_is_waited_for_longer_and_longer() {
        let mut course = Course::by(Version::Five);
        let waits: Vec<u128> = (0..7).map(|_| course.next_wait().as_millis()).collect();
        assert_eq!(waits, [250, 500, 1000, 2000, 4000, 8000, 8000]);
    }
}
