//! The scan of a gallery: which rows could score more than a limit, and what they do score.
//!
//! The first reads every row, in eight bits, once for up to eight probes; memory is what it waits for. The second reads
//! the few rows that are left, in single precision. Why no other row can score more: [`crate::codes`].

use crate::{
    codes::{Bounds, Probes, Step},
    kernels::simd::{LANES, Simd, Work},
};

/// A row that could be among the best of a probe.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Candidate {
    /// Which probe of the pass.
    pub(crate) probe: usize,
    /// Which row.
    pub(crate) row: usize,
}

/// Finds the rows of some blocks that could score more than a limit.
pub(crate) struct Scan<'a> {
    /// `(blocks, steps)`.
    pub(crate) steps: &'a [Step],
    /// One a block.
    pub(crate) bounds: &'a [Bounds],
    /// The first row of the first block.
    pub(crate) first: usize,
    /// Between one and [`crate::codes::PROBES`].
    pub(crate) probes: &'a Probes,
    /// What a row must be able to exceed, one a probe.
    pub(crate) limits: &'a [f32],
    /// Where they are appended, rows rising for each probe. Rows that only fill up the last block may be among them.
    pub(crate) found: &'a mut Vec<Candidate>,
}

impl Work for Scan<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.probes.count {
            1 => self.pass::<S, 1>(simd),
            2 => self.pass::<S, 2>(simd),
            3 => self.pass::<S, 3>(simd),
            4 => self.pass::<S, 4>(simd),
            5 => self.pass::<S, 5>(simd),
            6 => self.pass::<S, 6>(simd),
            7 => self.pass::<S, 7>(simd),
            _ => self.pass::<S, 8>(simd),
        }
    }
}

impl Scan<'_> {
    #[inline(always)]
    fn pass<S: Simd, const Q: usize>(self, simd: S) {
        let Self { steps, bounds, first, probes, limits, found } = self;
        let steps_of_block = steps.len() / bounds.len().max(1);
        let bytes = probes.bytes.as_chunks::<Q>().0;
        let zero = simd.splat(0.0);
        let underflow = simd.splat(f32::MIN_POSITIVE);
        for (index, (block, bounds)) in steps.chunks_exact(steps_of_block.max(1)).zip(bounds).enumerate() {
            let mut sums = [simd.begin(0); Q];
            for (sum, total) in sums.iter_mut().zip(probes.totals) {
                *sum = simd.begin(total);
            }
            for (step, bytes) in block.iter().zip(bytes) {
                let rows = simd.bytes(step);
                for (sum, bytes) in sums.iter_mut().zip(bytes) {
                    *sum = simd.add_products(rows, bytes, *sum);
                }
            }
            let (scale, kept, lost) = (simd.load(&bounds.scale), simd.load(&bounds.kept), simd.load(&bounds.lost));
            for (probe, sum) in sums.into_iter().enumerate() {
                let margin = simd.mul_add(kept, simd.splat(probes.of_kept[probe]), underflow);
                let margin = simd.mul_add(lost, simd.splat(probes.of_lost[probe]), margin);
                let estimate = simd.mul_add(simd.finish(sum), scale, zero);
                let most = simd.mul_add(estimate, simd.splat(probes.scale[probe]), margin);
                let over = simd.over(most, simd.splat(limits[probe]));
                if over != 0 {
                    keep(found, probe, first + index * LANES, over);
                }
            }
        }
    }
}

#[cold]
fn keep(found: &mut Vec<Candidate>, probe: usize, first: usize, over: u8) {
    found.extend((0..LANES).filter(|lane| over >> lane & 1 == 1).map(|lane| Candidate { probe, row: first + lane }));
}

/// Scores candidates by their rows in single precision.
pub(crate) struct Rerank<'a> {
    /// `(rows, width)`.
    pub(crate) rows: &'a [f32],
    /// Each of the width.
    pub(crate) probes: &'a [&'a [f32]],
    /// Of rows that are there.
    pub(crate) candidates: &'a [Candidate],
    /// One a candidate.
    pub(crate) scores: &'a mut [f32],
}

impl Work for Rerank<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        for (candidate, score) in self.candidates.iter().zip(self.scores) {
            let probe = self.probes[candidate.probe];
            let row = &self.rows[candidate.row * probe.len()..][..probe.len()];
            *score = dot(simd, row, probe);
        }
    }
}

/// Four times eight sums, which do not wait for each other.
const SUMS: usize = 4;

#[inline(always)]
fn dot<S: Simd>(simd: S, a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<LANES>();
    let (b8, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [simd.splat(0.0); SUMS];
    let (a32, a8) = a8.as_chunks::<SUMS>();
    let (b32, b8) = b8.as_chunks::<SUMS>();
    for (a, b) in a32.iter().zip(b32) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum = simd.mul_add(simd.load(a), simd.load(b), *sum);
        }
    }
    for ((sum, a), b) in sums.iter_mut().zip(a8).zip(b8) {
        *sum = simd.mul_add(simd.load(a), simd.load(b), *sum);
    }
    let mut rest = [[0.0; LANES]; 2];
    rest[0][..a_rest.len()].copy_from_slice(a_rest);
    rest[1][..b_rest.len()].copy_from_slice(b_rest);
    sums[SUMS - 1] = simd.mul_add(simd.load(&rest[0]), simd.load(&rest[1]), sums[SUMS - 1]);
    let mut eight = [0.0; LANES];
    simd.store(simd.add(simd.add(sums[0], sums[1]), simd.add(sums[2], sums[3])), &mut eight);
    eight.iter().sum()
}
