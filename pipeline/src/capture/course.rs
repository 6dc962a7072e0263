//! The course of a camera: when it counts as lost, and when it is tried again.
//!
//! Rules and memory without pipeline, thread and clock: [`crate::capture::start`] drives them at a gate, the simulator
//! drives the same. What counts as lost was measured on a real RTSP server: a camera that is killed shows as the *end* of
//! its stream, one that is connected but silent shows as nothing at all, so the age of the last frame counts.

use crate::{
    capture::{backoff::Backoff, fault::Fault},
    clock::Moment,
    health::CameraState,
};
use std::{collections::VecDeque, time::Duration};

/// How often whoever reads a camera looks up from waiting for a frame: for the stop, the age of the last frame, errors.
pub const GLANCE: Duration = Duration::from_millis(50);
/// The first frame may take this long: connecting, and the wait for the stream's next key frame.
const FIRST_FRAME: Duration = Duration::from_secs(10);
/// Where earlier openings gave one: twice as long as the middle one of the last few took, and not less than this. A camera
/// that takes a connection while it is ill may never give a frame over it, though it is well by then, and each wait for it
/// counts.
const NEXT_FIRST_FRAME: Duration = Duration::from_secs(5);
/// Openings that are remembered: one that waited for a machine which stood still says nothing of the next.
const REMEMBERED: usize = 5;
/// A camera that gave frames for this long was well: the next try comes early again.
const WELL: Duration = Duration::from_secs(5);
/// Between two knocks at the door of a camera that does not answer, before chance.
const KNOCK: Duration = Duration::from_millis(400);
/// After a refused login: cameras lock an account after five to ten wrong ones, mostly within minutes.
const REFUSED: Duration = Duration::from_secs(60);

/// What to do about a camera that is lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Open it now.
    Open,
    /// Open it after this long.
    Wait(Duration),
    /// Knock at its door, and hear after this long whether somebody answered ([`Course::heard`]).
    Knock(Duration),
}

/// One camera, for as long as the process lives.
pub struct Course {
    silence: Duration,
    has_door: bool,
    backoff: Backoff,
    lost: Option<Moment>,
    /// The first frame of this opening.
    first: Option<Moment>,
    /// The last frame of this opening, or the opening itself.
    last: Option<Moment>,
    was_away: bool,
    /// When it was opened.
    begun: Option<Moment>,
    /// How long the last first frames took, the newest at the end.
    took: VecDeque<Duration>,
}

impl Course {
    /// A camera that was not opened yet. `silence`: how old its last frame may be; `has_door`: whether one can knock there.
    pub fn new(silence: Duration, has_door: bool) -> Self {
        Self {
            silence,
            has_door,
            backoff: Backoff::default(),
            lost: None,
            first: None,
            last: None,
            was_away: false,
            begun: None,
            took: VecDeque::new(),
        }
    }

    /// It is opened, once more or for the first time.
    pub fn begin(&mut self, now: Moment) {
        (self.first, self.last, self.begun) = (None, Some(now), Some(now));
    }

    /// Whether this opening has given a frame.
    pub fn has_begun(&self) -> bool {
        self.first.is_some()
    }

    /// A frame has come; true where that may be news.
    pub fn frame(&mut self, now: Moment) -> bool {
        if self.first.is_none() {
            self.took.extend(self.begun.map(|begun| now.since(begun)));
            let excess = self.took.len().saturating_sub(REMEMBERED);
            self.took.drain(..excess);
        }
        let first = *self.first.get_or_insert(now);
        self.last = Some(now);
        if now.since(first) >= WELL {
            self.backoff.reset();
        }
        let is_news = now == first || self.lost.is_some();
        self.lost = None;
        is_news
    }

    /// Whether no frame has come for too long.
    ///
    /// # Errors
    /// [`Fault::Silent`] where that is so.
    pub fn glance(&self, now: Moment) -> Result<(), Fault> {
        let age = self.age(now);
        if age > self.patience() { Err(Fault::Silent(age)) } else { Ok(()) }
    }

    /// How long no frame may come from now on before the camera is lost.
    pub fn patience_left(&self, now: Moment) -> Duration {
        self.patience().saturating_sub(self.age(now))
    }

    fn age(&self, now: Moment) -> Duration {
        self.last.map_or(Duration::ZERO, |last| now.since(last))
    }

    fn patience(&self) -> Duration {
        if self.has_begun() {
            return self.silence;
        }
        let mut took: Vec<Duration> = self.took.iter().copied().collect();
        took.sort();
        let middle = took.get(took.len().saturating_sub(1) / 2).map(|middle| 2 * *middle);
        self.silence.max(middle.map_or(FIRST_FRAME, |middle| middle.clamp(NEXT_FIRST_FRAME, FIRST_FRAME)))
    }

    /// It is lost: why, since when, and how often it was tried.
    pub fn lose(&mut self, fault: &Fault, now: Moment) -> CameraState {
        let since = *self.lost.get_or_insert(now);
        CameraState::Lost { reason: fault.to_string(), since, tries: self.backoff.tries() }
    }

    /// What to do about `fault`; `chance` is 0..=1.
    pub fn after(&mut self, fault: &Fault, chance: f64) -> Next {
        self.was_away = false;
        match fault {
            Fault::Login(_) => Next::Wait(REFUSED),
            Fault::Unreachable(_) if self.has_door => knock(chance),
            _ => Next::Wait(self.backoff.next(chance)),
        }
    }

    /// What to do now that somebody has answered a knock, or nobody has; `chance` is 0..=1.
    pub fn heard(&mut self, answered: bool, chance: f64) -> Next {
        match (answered, self.was_away) {
            // It has come; whoever answers may not be ready yet, so the next waits are short again.
            (true, true) => {
                self.backoff.begin_anew();
                Next::Open
            }
            // Somebody is there and was all along: what fails is not the way there.
            (true, false) => Next::Wait(self.backoff.next(chance)),
            (false, _) => {
                self.was_away = true;
                self.backoff.tried();
                knock(chance)
            }
        }
    }
}

fn knock(chance: f64) -> Next {
    Next::Knock(KNOCK.mul_f64(0.75 + 0.5 * chance.clamp(0.0, 1.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn at(ms: u64) -> Moment {
        Moment { steady: Duration::from_millis(ms), wall: SystemTime::UNIX_EPOCH }
    }

    fn away() -> Fault {
        Fault::Unreachable("10.0.0.7:554".into())
    }

    #[test]
    fn a_camera_that_comes_back_is_opened_at_the_first_answer() {
        let mut course = Course::new(Duration::from_secs(2), true);
        assert_eq!(course.after(&away(), 0.5), Next::Knock(KNOCK));
        assert_eq!(course.heard(false, 0.5), Next::Knock(KNOCK));
        assert_eq!(course.heard(true, 0.5), Next::Open);
        assert_eq!(course.after(&away(), 0.5), Next::Knock(KNOCK));
        assert_eq!(course.heard(true, 0.5), Next::Wait(Duration::from_millis(250)), "it was there all along");
    }

    #[test]
    fn a_frame_may_be_late_once_and_then_not() {
        let mut course = Course::new(Duration::from_secs(2), true);
        course.begin(at(0));
        assert!(course.glance(at(10_000)).is_ok());
        assert_eq!(course.glance(at(10_050)), Err(Fault::Silent(Duration::from_millis(10_050))));
        assert!(course.frame(at(10_060)) && !course.frame(at(10_100)));
        assert!(course.glance(at(12_100)).is_ok() && course.glance(at(12_150)).is_err());
    }

    #[test]
    fn a_first_frame_is_waited_for_as_long_as_it_took_before() {
        let mut course = Course::new(Duration::from_secs(2), true);
        let patience = |course: &mut Course, takes: u64| {
            course.begin(at(0));
            let left = course.patience_left(at(0));
            course.frame(at(takes));
            left.as_millis()
        };
        let waits = [6_000, 100, 4_000, 4_000, 1].map(|takes| patience(&mut course, takes));
        assert_eq!(waits, [10_000, 10_000, 5_000, 8_000, 8_000]);
    }

    #[test]
    fn a_refused_login_is_not_tried_again_for_a_minute() {
        let mut course = Course::new(Duration::from_secs(2), true);
        assert_eq!(course.after(&Fault::Login("10.0.0.7:554".into()), 0.5), Next::Wait(Duration::from_secs(60)));
    }
}
