//! How old frames are when they are looked at and decided about, as the gate itself counts it.
#![allow(dead_code, reason = "each user of this file needs a part of it")]

use crate::gate::Box;

/// Frames counted so far, by the bucket of their age.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ages(Vec<(f64, f64)>);

impl Ages {
    /// Of `at`, `look` or `decision`; nothing yet where nobody answers.
    pub(crate) fn asked(gate: &Box, at: &str) -> Option<Self> {
        Some(Self::of(&gate.get("/metrics").ok()?, at))
    }

    /// The same, in a page of metrics.
    pub(crate) fn of(page: &str, at: &str) -> Self {
        let of_it = format!("usher_frame_age_seconds_bucket{{at=\"{at}\",le=\"");
        let row = |line: &str| {
            let (bound, count) = line.strip_prefix(&of_it)?.split_once("\"} ")?;
            Some((if bound == "+Inf" { f64::INFINITY } else { bound.parse().ok()? }, count.parse().ok()?))
        };
        Self(page.lines().filter_map(row).collect())
    }

    /// Those counted since `before`.
    pub(crate) fn since(&self, before: &Self) -> Self {
        let then = |bound: f64| before.0.iter().find(|row| row.0 == bound).map_or(0.0, |row| row.1);
        Self(self.0.iter().map(|(bound, count)| (*bound, count - then(*bound))).collect())
    }

    /// How many.
    pub(crate) fn count(&self) -> f64 {
        self.0.last().map_or(0.0, |row| row.1)
    }

    /// How many are older than a bucket's bound, seconds.
    pub(crate) fn older_than(&self, bound: f64) -> f64 {
        let younger = self.0.iter().find(|row| row.0 >= bound).map_or(0.0, |row| row.1);
        self.count() - younger
    }

    /// The least bound that so large a share of them is not older than, seconds; 0 where there are none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let wanted = self.count() * share;
        self.0.iter().find(|row| row.1 >= wanted && self.count() > 0.0).map_or(0.0, |row| row.0)
    }
}
