//! Who was seen by two cameras: told by time and place, never by who they are.
//!
//! Cameras that look at one place see everybody there, each a little earlier or later than the other. A crossing that one
//! camera sees is the one that another camera saw before if it went the same way, at most `within` earlier or later, and
//! near it on the line, where both drew one; each is matched with one other of each camera at most, the nearest first.

use crate::flow::count::border::Way;
use std::{collections::VecDeque, time::Duration};
use usher_config::value::Name;

/// Farther apart on the line than this share of it, two crossings are of two people: two cameras see a line from two sides,
/// and perspective moves its middle.
const ALONG: f32 = 0.3;
/// How much later than it happened a crossing may be told: whoever stays in the picture is waited for.
const LATE: Duration = Duration::from_secs(15);

/// Somebody who crossed.
struct Seen {
    way: Way,
    at: Duration,
    along: Option<f32>,
    by: Vec<Name>,
}

/// What was seen at one place lately.
#[derive(Default)]
pub struct Same {
    seen: VecDeque<Seen>,
}

impl Same {
    /// Whether a crossing that `camera` saw `at` (steady time) is of somebody whom no other camera told of.
    pub fn is_new(&mut self, camera: &Name, way: Way, at: Duration, along: Option<f32>, within: Duration) -> bool {
        let old = |seen: &Seen| at.saturating_sub(seen.at) > within + LATE;
        while self.seen.front().is_some_and(old) {
            self.seen.pop_front();
        }
        let cost = |seen: &Seen| {
            let apart = at.abs_diff(seen.at);
            let far = match (along, seen.along) {
                (Some(a), Some(b)) => (a - b).abs() / ALONG,
                _ => 0.0,
            };
            let fits = seen.way == way && apart <= within && far <= 1.0 && !seen.by.contains(camera);
            fits.then(|| apart.as_secs_f32() / within.as_secs_f32().max(1e-3) + far)
        };
        let best = self.seen.iter().enumerate().filter_map(|(index, seen)| Some((cost(seen)?, index)));
        match best.min_by(|a, b| a.0.total_cmp(&b.0)) {
            Some((_, index)) => {
                self.seen[index].by.push(camera.clone());
                false
            }
            None => {
                self.seen.push_back(Seen { way, at, along, by: vec![camera.clone()] });
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const WITHIN: Duration = Duration::from_secs(3);

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn count(told: &[(&str, Way, u64, Option<f32>)]) -> usize {
        let mut same = Same::default();
        let is_new = |(camera, way, ms, along): &&(&str, Way, u64, Option<f32>)| {
            same.is_new(&name(camera), *way, Duration::from_millis(*ms), *along, WITHIN)
        };
        told.iter().filter(is_new).count()
    }

    #[test]
    fn whoever_two_cameras_see_counts_once() {
        assert_eq!(count(&[("a", Way::In, 1000, None), ("b", Way::In, 1800, None)]), 1);
    }

    #[test]
    fn one_camera_never_says_the_same_person_twice() {
        assert_eq!(count(&[("a", Way::In, 1000, None), ("a", Way::In, 1200, None)]), 2);
    }

    #[test]
    fn another_way_another_time_or_another_place_is_another_person() {
        assert_eq!(count(&[("a", Way::In, 1000, None), ("b", Way::Out, 1100, None)]), 2);
        assert_eq!(count(&[("a", Way::In, 1000, None), ("b", Way::In, 4100, None)]), 2);
        assert_eq!(count(&[("a", Way::In, 1000, Some(0.1)), ("b", Way::In, 1100, Some(0.8))]), 2);
    }

    proptest! {
        /// Both cameras see everybody, the second up to half a second later or earlier: everybody counts once.
        #[test]
        fn everybody_seen_by_all_cameras_counts_once(gaps in prop::collection::vec((0u64..4000, -500i64..500), 1..80)) {
            let (mut told, mut at) = (Vec::new(), 10_000u64);
            for (gap, lag) in &gaps {
                at += gap;
                told.push(("a", Way::In, at, None));
                told.push(("b", Way::In, at.saturating_add_signed(*lag), None));
            }
            told.sort_by_key(|(.., at, _)| *at);
            prop_assert_eq!(count(&told), gaps.len());
        }

        /// Nobody vanishes: the count is never below that of the camera which saw most, nor above what all said.
        #[test]
        fn the_count_lies_between_the_busiest_camera_and_all_of_them(
            told in prop::collection::vec((0usize..3, any::<bool>(), 0u64..30_000), 0..60),
        ) {
            let mut told: Vec<_> = told.into_iter()
                .map(|(camera, goes_in, at)| (["a", "b", "c"][camera], if goes_in { Way::In } else { Way::Out }, at, None))
                .collect();
            told.sort_by_key(|(.., at, _)| *at);
            let of = |camera: &str| told.iter().filter(|(by, ..)| *by == camera).count();
            let counted = count(&told);
            prop_assert!(counted >= of("a").max(of("b")).max(of("c")) && counted <= told.len());
        }
    }
}
