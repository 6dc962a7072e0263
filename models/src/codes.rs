//! Rows in eight bits, and how wrong a score read from them can be.
//!
//! Eight rows are one block: four bytes of each, side by side, then the next four. One register then holds a step of
//! eight rows, their sums end up in one register, and nothing is ever added across a register.
//!
//! # The bound
//!
//! A row `x` is kept as `x̂ = s·a`, `a` whole numbers of −127..=127; a probe `q` as `q̂ = t·b`, `b` of −63..=63. With what
//! is lost of them, `e = x − x̂` and `f = q − q̂`,
//!
//! > `x·q = x̂·q̂ + x̂·f + e·q`, hence (Cauchy–Schwarz) `x·q ≤ s·t·(a·b) + ‖x̂‖·‖f‖ + ‖e‖·‖q‖`.
//!
//! `a·b` is exact. The three lengths of a side are computed in double precision from what is really stored, so the bound
//! holds however badly `a` and `b` were rounded, and are stored rounded up ([`up`]). Single precision loses, in units of
//! `u = 2⁻²⁴` and of `(‖x̂‖ + ‖e‖)·‖q‖`:
//!
//! * at most `width + 1` in the score by which the row is ranked in the end, in whatever order it is summed;
//! * at most `4 · 3` in `s·t·(a·b)`: four roundings, and `‖q̂‖ ≤ 3·‖q‖` as no `f` is larger than its number was (but for
//!   a rounding) or than half a step;
//! * at most 6 in adding the terms of the bound.
//!
//! `ρ = (width + 32) · 2u` is more than twice the sum and goes with `‖q‖`:
//!
//! > **score of the row ≤ `s·t·(a·b) + ‖x̂‖·(‖f‖ + ρ‖q‖) + ‖e‖·(1 + ρ)‖q‖ + 2⁻¹²⁶`**,
//!
//! the last for underflow, as sides are zero or not shorter than [`SHORTEST`] before they are scaled, nor longer than
//! [`LONGEST`]. A row is passed over only where the right side is no more than the score of the worst of the best so far.

use crate::kernels::simd::{LANES, PROBE_STEPS, ROW_STEPS, RUN};
use zeroize::Zeroizing;

/// The longest vector whose products cannot overflow single precision.
pub(crate) const LONGEST: f64 = 1e15;
/// A vector whose numbers are all smaller is kept as zeros, all of it as loss: its steps could underflow.
const SHORTEST: f32 = 1e-15;
/// Most probes that one pass over the rows serves: their sums fill half of the sixteen registers of AVX2.
pub(crate) const PROBES: usize = 8;

/// What the scores of a block's rows are made of.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bounds {
    /// `s`: the step of each row.
    pub(crate) scale: [f32; LANES],
    /// `‖x̂‖`, rounded up.
    pub(crate) kept: [f32; LANES],
    /// `‖e‖`, rounded up.
    pub(crate) lost: [f32; LANES],
}

/// Bytes of eight rows, [`RUN`] of each.
pub(crate) type Step = [i8; RUN * LANES];

/// The scan copy: rows in eight bits. Wiped on drop.
pub(crate) struct Codes {
    /// Steps of a block.
    steps: usize,
    rows: usize,
    /// `(blocks, steps, 8, 4)`; rows that are not there are zeros.
    bytes: Zeroizing<Vec<Step>>,
    bounds: Vec<Bounds>,
}

impl Codes {
    /// None yet, with room for `rows` of `width` numbers.
    pub(crate) fn with_capacity(width: usize, rows: usize) -> Self {
        let steps = width.div_ceil(RUN).max(1);
        let blocks = rows.div_ceil(LANES);
        let bytes = Zeroizing::new(Vec::with_capacity(blocks * steps));
        Self { steps, rows: 0, bytes, bounds: Vec::with_capacity(blocks) }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows
    }

    /// Bytes of memory in use.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&self.bytes[..]) + size_of_val(&self.bounds[..])
    }

    /// Steps and bounds of some blocks.
    pub(crate) fn blocks(&self, from: usize, to: usize) -> (&[Step], &[Bounds]) {
        (&self.bytes[from * self.steps..to * self.steps], &self.bounds[from..to])
    }

    /// Appends a row of the width, of finite numbers.
    pub(crate) fn push(&mut self, row: &[f32]) {
        let (block, lane) = (self.rows / LANES, self.rows % LANES);
        if lane == 0 {
            reserve(&mut self.bytes, self.steps);
            self.bytes.resize((block + 1) * self.steps, [0; RUN * LANES]);
            self.bounds.push(Bounds::default());
        }
        let code = Code::of(row, ROW_STEPS);
        for (i, byte) in code.bytes.iter().enumerate() {
            self.bytes[block * self.steps + i / RUN][lane * RUN + i % RUN] = *byte;
        }
        let bounds = &mut self.bounds[block];
        (bounds.scale[lane], bounds.kept[lane], bounds.lost[lane]) = (code.scale, up(code.kept), up(code.lost));
        self.rows += 1;
    }

    /// Removes a row that is there; the last takes its place.
    pub(crate) fn swap_remove(&mut self, row: usize) {
        self.rows -= 1;
        let (to, from) = (row / LANES, self.rows / LANES);
        let (lane, last) = (row % LANES, self.rows % LANES);
        for step in 0..self.steps {
            for i in 0..RUN {
                // What leaves is overwritten, and so is what moves, where it was.
                let byte = std::mem::take(&mut self.bytes[from * self.steps + step][last * RUN + i]);
                if row != self.rows {
                    self.bytes[to * self.steps + step][lane * RUN + i] = byte;
                }
            }
        }
        let moved = self.bounds[from];
        let bounds = &mut self.bounds[to];
        (bounds.scale[lane], bounds.kept[lane], bounds.lost[lane]) =
            (moved.scale[last], moved.kept[last], moved.lost[last]);
        if last == 0 {
            self.bytes.truncate(from * self.steps);
            self.bounds.truncate(from);
        }
    }
}

/// At most [`PROBES`] probes in eight bits, for one pass over the rows.
pub(crate) struct Probes {
    /// How many.
    pub(crate) count: usize,
    /// `(steps, count, 4)`.
    pub(crate) bytes: Zeroizing<Vec<[i8; RUN]>>,
    /// What the bytes of each add up to.
    pub(crate) totals: [i32; PROBES],
    /// `t`.
    pub(crate) scale: [f32; PROBES],
    /// What a row's [`Bounds::kept`] is multiplied by: `‖f‖ + ρ‖q‖`.
    pub(crate) of_kept: [f32; PROBES],
    /// What a row's [`Bounds::lost`] is multiplied by: `(1 + ρ)‖q‖`.
    pub(crate) of_lost: [f32; PROBES],
}

impl Probes {
    /// Probes of one width, of finite numbers.
    pub(crate) fn new(probes: &[&[f32]]) -> Self {
        let (count, width) = (probes.len(), probes.first().map_or(0, |probe| probe.len()));
        let none = [0.0; PROBES];
        let bytes = Zeroizing::new(vec![[0; RUN]; width.div_ceil(RUN).max(1) * count]);
        let mut all = Self { count, bytes, totals: [0; PROBES], scale: none, of_kept: none, of_lost: none };
        let rho = (width + 32) as f64 * f64::from(f32::EPSILON);
        for (j, probe) in probes.iter().enumerate() {
            let code = Code::of(probe, PROBE_STEPS);
            for (i, byte) in code.bytes.iter().enumerate() {
                all.bytes[i / RUN * count + j][i % RUN] = *byte;
            }
            all.totals[j] = code.bytes.iter().map(|byte| i32::from(*byte)).sum();
            all.scale[j] = code.scale;
            all.of_kept[j] = up(code.lost + rho * code.length);
            all.of_lost[j] = up((1.0 + rho) * code.length);
        }
        all
    }
}

/// One vector in eight bits.
struct Code {
    bytes: Zeroizing<Vec<i8>>,
    scale: f32,
    /// The length of the vector.
    length: f64,
    /// The length of what the bytes say.
    kept: f64,
    /// The length of what they do not.
    lost: f64,
}

impl Code {
    fn of(vector: &[f32], steps: i8) -> Self {
        let most = vector.iter().fold(0.0_f32, |most, v| most.max(v.abs()));
        let scale = if most < SHORTEST { 0.0 } else { most / f32::from(steps) };
        let inverse = if scale > 0.0 { scale.recip() } else { 0.0 };
        // The nearest whole number, as truncation is one instruction. No more than `steps`: half a step is left to it.
        let nearest = |v: &f32| (v * inverse + 0.5_f32.copysign(*v)) as i8;
        let bytes = Zeroizing::new(vector.iter().map(nearest).collect::<Vec<_>>());
        let (mut length, mut kept, mut lost) = (0.0, 0.0, 0.0);
        for (v, byte) in vector.iter().zip(bytes.iter()) {
            let (v, near) = (f64::from(*v), f64::from(scale) * f64::from(*byte));
            length += v * v;
            kept += near * near;
            lost += (v - near) * (v - near);
        }
        Self { bytes, scale, length: length.sqrt(), kept: kept.sqrt(), lost: lost.sqrt() }
    }
}

/// The length of a vector.
pub(crate) fn length(vector: &[f32]) -> f64 {
    vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt()
}

/// In single precision, and no less: a millionth is more than either precision rounds off.
fn up(v: f64) -> f32 {
    (v * (1.0 + 1e-6)) as f32 + f32::MIN_POSITIVE
}

/// Makes room for `more`. A vector that grows by itself leaves its numbers behind where they were; this one wipes them.
pub(crate) fn reserve<T: Clone + zeroize::Zeroize>(numbers: &mut Zeroizing<Vec<T>>, more: usize) {
    if numbers.capacity() - numbers.len() < more {
        let mut larger = Zeroizing::new(Vec::with_capacity((2 * numbers.len()).max(numbers.len() + more)));
        larger.extend_from_slice(numbers);
        *numbers = larger;
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Numbers that are hard on eight bits: halves of a step, of every size, too small to be scaled.
    pub(crate) fn hard() -> impl Strategy<Value = f32> {
        let half = |steps: f32| (-127..127_i8).prop_map(move |step| (f32::from(step) + 0.5) / steps);
        prop_oneof![
            4 => -1.0..1.0_f32,
            1 => half(127.0),
            1 => half(63.0),
            1 => prop::sample::select(vec![0.0, 1.0, -1.0, 1e13, -1e-13, 1e-15, 1e-30, f32::MIN_POSITIVE, 1e-42]),
        ]
    }

    fn bound(codes: &Codes, row: usize, probes: &Probes) -> f64 {
        let (steps, bounds) = codes.blocks(row / LANES, row / LANES + 1);
        let lane = row % LANES;
        let products = steps
            .iter()
            .zip(probes.bytes.iter())
            .flat_map(|(step, probe)| (0..RUN).map(move |i| f64::from(step[lane * RUN + i]) * f64::from(probe[i])));
        let estimate = products.sum::<f64>() * f64::from(bounds[0].scale[lane]) * f64::from(probes.scale[0]);
        let kept = f64::from(bounds[0].kept[lane]) * f64::from(probes.of_kept[0]);
        estimate + kept + f64::from(bounds[0].lost[lane]) * f64::from(probes.of_lost[0])
    }

    proptest! {
        #[test]
        fn no_score_exceeds_its_bound((rows, probe) in (1..60_usize).prop_flat_map(|width| {
            let vector = move || prop::collection::vec(hard(), width);
            (prop::collection::vec(vector(), 1..20), vector())
        })) {
            let mut codes = Codes::with_capacity(probe.len(), 0);
            rows.iter().for_each(|row| codes.push(row));
            let probes = Probes::new(&[&probe]);
            for (i, row) in rows.iter().enumerate() {
                let score = row.iter().zip(&probe).map(|(x, q)| f64::from(*x) * f64::from(*q)).sum::<f64>();
                prop_assert!(score <= bound(&codes, i, &probes));
            }
        }
    }

    #[test]
    fn the_bound_is_tight_enough_to_be_of_use() {
        let unit = |seed| {
            let numbers = crate::kernels::numbers(128, seed);
            let length = length(&numbers) as f32;
            numbers.iter().map(|v| v / length).collect::<Vec<_>>()
        };
        let mut codes = Codes::with_capacity(128, 1);
        codes.push(&unit(1));
        let probe = unit(2);
        let score = unit(1).iter().zip(&probe).map(|(x, q)| f64::from(x * q)).sum::<f64>();
        assert!(bound(&codes, 0, &Probes::new(&[&probe])) - score < 0.03);
    }

    #[test]
    fn what_is_removed_is_wiped() {
        let mut codes = Codes::with_capacity(5, 0);
        (0..9).for_each(|i| codes.push(&[i as f32 + 1.0; 5]));
        codes.swap_remove(8);
        assert_eq!((codes.len(), codes.bytes.len(), codes.bounds.len()), (8, 2, 1));
        (0..7).for_each(|_| codes.swap_remove(0));
        assert_eq!(codes.bytes.iter().flat_map(|step| &step[RUN..]).filter(|byte| **byte != 0).count(), 0);
    }
}
