//! When one camera saw, and when it did not.

use std::{collections::VecDeque, time::Duration};

/// A camera that looked at nothing for this long did not see: whoever hurries is past by then. Under load every camera is still
/// looked at twice a second.
pub const BLINK: Duration = Duration::from_secs(3);

/// When one camera saw, by steady time.
pub struct Sight {
    /// When it last looked.
    last: Option<Duration>,
    people: usize,
    /// When it did not see.
    holes: VecDeque<(Duration, Duration)>,
    begun: Duration,
}

impl Sight {
    /// A camera that has not looked yet, and does not see since `begun`.
    pub fn new(begun: Duration) -> Self {
        Self { last: None, people: 0, holes: VecDeque::new(), begun }
    }

    /// It looked `at`, and saw so many people.
    pub fn look(&mut self, at: Duration, people: usize) {
        let hole = match self.last {
            Some(last) => (at.saturating_sub(last) > BLINK).then_some((last, at)),
            None => (at.saturating_sub(self.begun) > BLINK).then_some((self.begun, at)),
        };
        self.holes.extend(hole);
        self.last = Some(self.last.map_or(at, |last| last.max(at)));
        self.people = people;
    }

    /// Whether it sees now.
    pub fn sees(&self, now: Duration) -> bool {
        self.last.is_some_and(|last| now.saturating_sub(last) <= BLINK)
    }

    /// Since when it sees without a hole; `None` where it does not see now.
    pub fn since(&self, now: Duration) -> Option<Duration> {
        self.sees(now).then(|| self.holes.back().map_or(self.begun, |(_, to)| *to))
    }

    /// How many people it sees; `None` where it never looked.
    pub fn people(&self) -> Option<usize> {
        self.last.map(|_| self.people)
    }

    /// Whether it saw from `begin` to `end` without a hole, as is known by then.
    pub fn saw(&self, begin: Duration, end: Duration) -> bool {
        self.saw_all(begin, end, end)
    }

    /// Whether it saw from `begin` to `end` without a hole, as is known `now`.
    pub fn saw_all(&self, begin: Duration, end: Duration, now: Duration) -> bool {
        let Some(last) = self.last else { return false };
        let now_dark = now.saturating_sub(last) > BLINK && last < end;
        let is_in = |(from, to): &(Duration, Duration)| *from < end && *to > begin;
        begin >= self.begun && !now_dark && !self.holes.iter().any(is_in)
    }

    /// Forgets holes that ended before `then`.
    pub fn forget(&mut self, then: Duration) {
        while self.holes.pop_front_if(|(_, to)| *to < then).is_some() {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_camera_that_was_away_did_not_see_the_minutes_it_was_away_in() {
        let mut sight = Sight::new(s(0));
        (0..=70).for_each(|at| sight.look(s(at), 1));
        assert!(sight.saw_all(s(0), s(60), s(70)) && sight.sees(s(72)) && !sight.sees(s(74)));
        assert!(!sight.saw_all(s(60), s(120), s(130)), "nothing came after 70 s");
        (100..=200).for_each(|at| sight.look(s(at), 0));
        assert!(!sight.saw_all(s(60), s(120), s(200)) && sight.saw_all(s(120), s(180), s(200)));
    }

    #[test]
    fn a_camera_that_came_late_did_not_see_its_first_minute() {
        let mut sight = Sight::new(s(0));
        assert_eq!(sight.people(), None);
        (20..=130).for_each(|at| sight.look(s(at), 2));
        assert!(!sight.saw_all(s(0), s(60), s(130)) && sight.saw_all(s(60), s(120), s(130)));
        assert_eq!(sight.people(), Some(2));
    }
}
