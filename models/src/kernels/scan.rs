//! The scan of a gallery: which rows could score more than a limit, and what they do score.
//!
//! The first reads every row, in eight bits, once for up to eight probes; memory is what it waits for. The second reads
//! the few rows that are left, in single precision. Why no other row can score more: [`crate::codes`].

use crate::{
    codes::{Bounds, Probes, Step},
    kernels::simd::{LANES, Simd, Work},
};

/// Bytes ahead of the scan that memory is asked for: a whole page, which the processor does not look past by itself.
/// Measured in one process, call by call: 12 % off the time of a probe over a million rows, 27 % over 100,000.
const AHEAD: usize = 4096;

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
                simd.prefetch(step, AHEAD);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        codes::Codes,
        kernels::{
            numbers,
            simd::{PROBE_STEPS, ROW_STEPS, RUN, isa::Isa},
        },
    };
    use proptest::prelude::*;

    /// What the products of one block add up to.
    struct Sums<'a> {
        steps: &'a [Step],
        probe: &'a [[i8; RUN]],
        sums: &'a mut [f32; LANES],
    }

    impl Work for Sums<'_> {
        #[inline(always)]
        fn run<S: Simd>(self, simd: S) {
            let mut sums = simd.begin(self.probe.as_flattened().iter().map(|byte| i32::from(*byte)).sum());
            for (step, probe) in self.steps.iter().zip(self.probe) {
                sums = simd.add_products(simd.bytes(step), probe, sums);
            }
            simd.store(simd.finish(sums), self.sums);
        }
    }

    fn bytes<const N: usize>(most: i8) -> impl Strategy<Value = [i8; N]> {
        proptest::array::uniform(prop_oneof![-most..=most, Just(most), Just(-most)])
    }

    proptest! {
        #[test]
        fn sums_of_bytes_are_those_of_the_portable_twin(
            both in prop::collection::vec((bytes::<{ RUN * LANES }>(ROW_STEPS), bytes::<RUN>(PROBE_STEPS)), 1..70),
        ) {
            let (steps, probe): (Vec<_>, Vec<_>) = both.into_iter().unzip();
            let sums = |isa: Isa| {
                let mut sums = [0.0; LANES];
                isa.run(Sums { steps: &steps, probe: &probe, sums: &mut sums });
                sums
            };
            for isa in Isa::all() {
                prop_assert_eq!(sums(isa), sums(Isa::Portable));
            }
        }

        #[test]
        fn every_row_over_the_limit_is_found_whatever_the_instructions(
            (width, rows, count) in (1..70_usize, 1..50_usize, 1..=8_usize), limit in -1.0..1.0_f32, seed: u64,
        ) {
            let (of_rows, of_probes) = (numbers(width * rows, seed), numbers(width * count, !seed));
            let mut codes = Codes::with_capacity(width, 0);
            of_rows.chunks_exact(width).for_each(|row| codes.push(row));
            let probes = of_probes.chunks_exact(width).collect::<Vec<_>>();
            let batch = Probes::new(&probes);
            let (steps, bounds) = codes.blocks(0, rows.div_ceil(LANES));
            let mut over = Vec::new();
            for (probe, numbers) in probes.iter().enumerate() {
                for (row, x) in of_rows.chunks_exact(width).enumerate() {
                    if x.iter().zip(*numbers).map(|(x, q)| f64::from(*x) * f64::from(*q)).sum::<f64>() > f64::from(limit) {
                        over.push(Candidate { probe, row });
                    }
                }
            }
            for isa in Isa::all() {
                let mut found = Vec::new();
                isa.run(Scan { steps, bounds, first: 0, probes: &batch, limits: &[limit; 8], found: &mut found });
                prop_assert!(over.iter().all(|candidate| found.contains(candidate)));
                prop_assert!(found.iter().all(|candidate| candidate.row < rows.next_multiple_of(LANES)));
                found.retain(|candidate| candidate.row < rows);
                let mut scores = vec![0.0; found.len()];
                isa.run(Rerank { rows: &of_rows, probes: &probes, candidates: &found, scores: &mut scores });
                for (candidate, score) in found.iter().zip(scores) {
                    let row = &of_rows[candidate.row * width..][..width];
                    let plain = row.iter().zip(probes[candidate.probe]).map(|(x, q)| x * q).sum::<f32>();
                    prop_assert!((score - plain).abs() < 1e-4);
                }
            }
        }
    }

    #[test]
    fn nothing_saturates_at_the_extremes() {
        for (row, probe) in [(ROW_STEPS, PROBE_STEPS), (-ROW_STEPS, PROBE_STEPS), (ROW_STEPS, -PROBE_STEPS)] {
            let (steps, probe) = ([[row; RUN * LANES]; 32], [[probe; RUN]; 32]);
            for isa in Isa::all() {
                let mut sums = [0.0; LANES];
                isa.run(Sums { steps: &steps, probe: &probe, sums: &mut sums });
                assert_eq!(sums, [128.0 * f32::from(row) * f32::from(probe[0][0]); LANES]);
            }
        }
    }
}
