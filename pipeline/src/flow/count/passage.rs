//! One person's way over a border: who crosses and turns back has crossed nothing.
//!
//! A track trembles, so a side counts only beyond a band along the border (hysteresis). A crossing waits before it counts, until
//! the person is out of sight or has stayed on the other side for [`SETTLE`]; whoever turns back meanwhile takes it back. So
//! what is counted is never corrected afterwards, and in and out cancel within one person's way only.

use crate::{
    clock::Moment,
    flow::count::border::{Border, Spot, Way},
};
use std::time::Duration;

/// Whoever stays over the border this long has crossed it; a return after that is a crossing of its own.
pub const SETTLE: Duration = Duration::from_secs(5);

/// A crossing that is sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossed {
    /// Which way.
    pub way: Way,
    /// When, as near as frames tell.
    pub at: Moment,
    /// Where on a line, 0..=1 from its first end.
    pub along: Option<f32>,
}

/// How far somebody has come.
#[derive(Clone, Debug, Default)]
pub struct Passage {
    /// Whether on the side of those who have entered, once that was sure.
    inside: Option<bool>,
    last: Option<Spot>,
    /// The last time that the border itself was passed: when, and where if between its ends.
    cut: Option<(Moment, Option<Option<f32>>)>,
    waits: Option<Crossed>,
}

impl Passage {
    /// Somebody is at `spot`; `band` is how far from the border a side is sure, in heights of the picture.
    pub fn step(&mut self, border: &Border, spot: Spot, band: f32, at: Moment) {
        let off = border.off(spot);
        if let Some(last) = self.last.replace(spot)
            && (border.off(last) > 0.0) != (off > 0.0)
        {
            self.cut = Some((at, border.cut(last, spot)));
        }
        if off.abs() < band {
            return;
        }
        let inside = off > 0.0;
        let before = self.inside.replace(inside);
        if before.is_none_or(|before| before == inside) {
            return;
        }
        let way = if inside { Way::In } else { Way::Out };
        // Beyond the line's ends: on the other side, without having crossed.
        let Some((at, Some(along))) = self.cut.take() else { return };
        self.waits = match self.waits.take() {
            Some(waits) if waits.way == way.back() => None,
            // A second crossing the same way: the return was round an end of the line.
            Some(waits) => Some(waits),
            None => Some(Crossed { way, at, along }),
        };
    }

    /// The crossing that has become sure by `now`.
    pub fn settled(&mut self, now: Moment) -> Option<Crossed> {
        self.waits.take_if(|waits| now.since(waits.at) >= SETTLE)
    }

    /// The crossing that is sure since nobody can turn back any more.
    pub fn ended(&mut self) -> Option<Crossed> {
        self.waits.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::SystemTime;

    fn line() -> Border {
        Border::Line { from: Spot { x: 0.2, y: 0.5 }, to: Spot { x: 1.2, y: 0.5 }, inside: 1.0 }
    }

    fn moment(ms: u64) -> Moment {
        let steady = Duration::from_millis(ms);
        Moment { steady, wall: SystemTime::UNIX_EPOCH + steady }
    }

    /// What counts of a way given as places, ten a second.
    fn counted(way: &[(f32, f32)]) -> Vec<Way> {
        let (mut passage, mut counted) = (Passage::default(), Vec::new());
        for (i, (x, y)) in way.iter().enumerate() {
            let at = moment(i as u64 * 100);
            passage.step(&line(), Spot { x: *x, y: *y }, 0.02, at);
            counted.extend(passage.settled(at).map(|crossed| crossed.way));
        }
        counted.extend(passage.ended().map(|crossed| crossed.way));
        counted
    }

    #[test]
    fn whoever_walks_over_counts_once_each_way() {
        let down: Vec<_> = (0..40).map(|i| (0.6, 0.02 * i as f32)).collect();
        let up: Vec<_> = down.iter().rev().copied().collect();
        assert_eq!((counted(&down), counted(&up)), (vec![Way::In], vec![Way::Out]));
    }

    #[test]
    fn whoever_walks_round_an_end_counts_not_at_all() {
        let way: Vec<_> = (0..40).map(|i| (0.1, 0.02 * i as f32)).collect();
        assert_eq!(counted(&way), []);
    }

    #[test]
    fn whoever_comes_back_after_a_while_counts_both_ways() {
        let mut way: Vec<_> = (0..40).map(|i| (0.6, 0.02 * i as f32)).collect();
        way.extend([(0.6, 0.8); 60]);
        way.extend((0..40).rev().map(|i| (0.6, 0.02 * i as f32)));
        assert_eq!(counted(&way), [Way::In, Way::Out]);
    }

    #[test]
    fn the_crossing_has_the_time_and_place_of_the_line() {
        let mut passage = Passage::default();
        for i in 0..40 {
            passage.step(&line(), Spot { x: 0.7, y: 0.02 * i as f32 }, 0.1, moment(i * 100));
        }
        let crossed = passage.ended().unwrap();
        assert_eq!(crossed.at, moment(2600));
        assert!((crossed.along.unwrap() - 0.5).abs() < 0.001);
    }

    proptest! {
        /// Up to four seconds beyond the line and back, trembling all the way: nothing.
        #[test]
        fn turning_back_counts_nothing(depth in 0.0f32..0.4, there in 5usize..20, waits in 0usize..10, shake in 0f32..0.019, seed: u32) {
            let mut way: Vec<(f32, f32)> = (0..there).map(|i| (0.7, 0.1 + (0.4 + depth) * i as f32 / there as f32)).collect();
            way.extend(std::iter::repeat_n((0.7, 0.5 + depth), waits));
            way.extend((0..there).rev().map(|i| (0.7, 0.1 + (0.4 + depth) * i as f32 / there as f32)));
            let mut dice = seed;
            for spot in &mut way {
                dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                spot.1 += shake * ((dice >> 16) as f32 / 32768.0 - 1.0);
            }
            prop_assert_eq!(counted(&way), []);
        }

        /// Whoever stands on the line and trembles crosses nothing; whoever then goes on crosses once.
        #[test]
        fn trembling_on_the_line_is_one_crossing_at_most(shakes in prop::collection::vec(-0.019f32..0.019, 1..80), goes_on: bool) {
            let mut way: Vec<(f32, f32)> = (0..10).map(|i| (0.7, 0.05 * i as f32)).collect();
            way.extend(shakes.iter().map(|shake| (0.7, 0.5 + shake)));
            if goes_on {
                way.extend((0..10).map(|i| (0.7, 0.55 + 0.04 * i as f32)));
            }
            prop_assert_eq!(counted(&way), if goes_on { vec![Way::In] } else { vec![] });
        }
    }
}
