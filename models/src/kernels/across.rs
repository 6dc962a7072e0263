//! Weighted sums of neighbours in a row, and their colours: the second half of scaling a plane.
//!
//! Where an output's inputs lie is known before the first row. Eight outputs are made at a time: windows of eight inputs
//! are loaded, each register's bytes are moved to the outputs that want them, and multiplied and added pairwise. How
//! many outputs share a window depends on how many inputs they have; the three forms are one table, [`Across`].

use crate::{
    kernels::{
        simd::{LANES, Simd, Work},
        tile::eight_mut,
    },
    taps::Taps,
};

/// What every output column is made of: tables for eight outputs at a time.
pub(crate) struct Across {
    /// Outputs.
    outputs: usize,
    /// What the first input of a window is counted from.
    first: usize,
    /// Inputs from `first` on that are used.
    inputs: usize,
    /// Registers for eight outputs: 1, where two inputs an output are enough and four outputs share a window; 2, where
    /// four are and two outputs do; otherwise 4, and an output has windows of its own.
    form: usize,
    /// Windows an output, one after another; 1 but in form 4.
    reach: usize,
    /// For eight outputs and each register, where its two windows begin.
    windows: Vec<[u32; 2]>,
    /// For eight outputs and each register, the bytes that are taken of the windows.
    picks: Vec<[u8; 4 * LANES]>,
    /// The weights of what is taken.
    weights: Vec<[i16; 2 * LANES]>,
    unit: i16,
}

impl Across {
    pub(crate) fn new(taps: &Taps) -> Self {
        let whole = taps.whole();
        let ((first, end), firsts) = (taps.span(), taps.firsts());
        let count = taps.count();
        // Whether as many outputs as share a window do lie in one.
        let fits = |form: usize| {
            let together = 4 / form;
            count <= 2 * form
                && firsts.chunks(together).all(|run| {
                    let least = run.iter().min().copied().unwrap_or(0);
                    run.iter().all(|at| at - least + count <= LANES)
                })
        };
        let form = [1, 2].into_iter().find(|form| fits(*form)).unwrap_or(4);
        let reach = if form == 4 { count.div_ceil(LANES) } else { 1 };
        let groups = firsts.len().div_ceil(LANES);
        let mut made = Self {
            outputs: firsts.len(),
            first,
            inputs: end - first,
            form,
            reach,
            windows: Vec::with_capacity(groups * form * reach),
            picks: Vec::with_capacity(groups * form * reach),
            weights: Vec::with_capacity(groups * form * reach),
            unit: whole.total,
        };
        for group in 0..groups {
            for window in 0..reach {
                for register in 0..form {
                    made.fill(group, window, register, firsts, &whole.weights, count);
                }
            }
        }
        made
    }

    /// One register of the tables. Which outputs it holds follows from how registers are added up: see [`Across::one`].
    fn fill(&mut self, group: usize, window: usize, register: usize, firsts: &[usize], weights: &[i16], count: usize) {
        let (mut starts, mut picks, mut shares) = ([0; 2], [0; 4 * LANES], [0; 2 * LANES]);
        let (together, taps) = (4 / self.form, 2 * self.form);
        for half in 0..2 {
            let outputs = (0..together).map(|i| group * LANES + half * 4 + register * together + i);
            let outputs = outputs.filter(|output| *output < firsts.len());
            let least = outputs.clone().map(|output| firsts[output]).min().unwrap_or(self.first);
            starts[half] = (least - self.first + window * LANES) as u32;
            for (slot, output) in outputs.enumerate() {
                for tap in 0..taps {
                    let (at, tap_at) = (half * LANES + slot * taps + tap, window * LANES + tap);
                    let input = firsts[output] - least + tap;
                    if tap_at < count && input < LANES {
                        (picks[2 * at], picks[2 * at + 1]) = (2 * input as u8, 2 * input as u8 + 1);
                        shares[at] = weights[output * count + tap_at];
                    }
                }
            }
        }
        self.windows.push(starts);
        self.picks.push(picks);
        self.weights.push(shares);
    }

    /// The first input used, and how many there are from it on.
    pub(crate) fn inputs(&self) -> (usize, usize) {
        (self.first, self.inputs)
    }

    /// Numbers that a row must have: windows may reach beyond the last input.
    pub(crate) fn room(&self) -> usize {
        self.inputs + LANES * (self.reach + 1)
    }

    /// What an input of 1 counts for in an output.
    pub(crate) fn unit(&self) -> i16 {
        self.unit
    }

    /// Eight outputs of a row of [`Across::room`] numbers.
    #[inline(always)]
    fn sums<S: Simd, const FORM: usize>(&self, simd: S, group: usize, row: &[i16]) -> S::I {
        let mut sums = self.one::<S, FORM>(simd, group * self.reach, row);
        for window in 1..self.reach {
            let more = self.one::<S, FORM>(simd, group * self.reach + window, row);
            sums = simd.add_whole(sums, more);
        }
        sums
    }

    #[inline(always)]
    fn one<S: Simd, const FORM: usize>(&self, simd: S, at: usize, row: &[i16]) -> S::I {
        match FORM {
            1 => self.register(simd, at, row),
            2 => simd.add_neighbours(self.register(simd, 2 * at, row), self.register(simd, 2 * at + 1, row)),
            _ => simd.add_neighbours(
                simd.add_neighbours(self.register(simd, 4 * at, row), self.register(simd, 4 * at + 1, row)),
                simd.add_neighbours(self.register(simd, 4 * at + 2, row), self.register(simd, 4 * at + 3, row)),
            ),
        }
    }

    #[inline(always)]
    fn register<S: Simd>(&self, simd: S, at: usize, row: &[i16]) -> S::I {
        let [low, high] = self.windows[at];
        let windows = [window(row, low as usize), window(row, high as usize)];
        simd.products(windows, &self.picks[at], &self.weights[at])
    }
}

#[inline(always)]
fn window(row: &[i16], start: usize) -> &[i16; LANES] {
    row[start..start + LANES].try_into().expect("eight numbers are eight numbers")
}

/// Colours from three sums, clamped to 0..=255: `colour = Σ factor · sum + offset`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    /// For each colour, what the three sums are multiplied by.
    pub(crate) factors: [[f32; 3]; 3],
    /// Added to each colour.
    pub(crate) offsets: [f32; 3],
}

/// One row of a picture from its three channels.
pub(crate) struct Row<'a> {
    /// The columns of the first channel, and of the other two.
    pub(crate) across: [&'a Across; 2],
    /// The channels, summed over rows.
    pub(crate) channels: [&'a [i16]; 3],
    pub(crate) mix: &'a Mix,
    /// Red, green and blue, as many pixels as there are outputs.
    pub(crate) into: [&'a mut [f32]; 3],
}

impl Work for Row<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match (self.across[0].form, self.across[1].form) {
            (1, 1) => self.formed::<S, 1, 1>(simd),
            (2, 1) => self.formed::<S, 2, 1>(simd),
            (2, 2) => self.formed::<S, 2, 2>(simd),
            (4, 1) => self.formed::<S, 4, 1>(simd),
            (4, 2) => self.formed::<S, 4, 2>(simd),
            (4, 4) => self.formed::<S, 4, 4>(simd),
            (1, 2) => self.formed::<S, 1, 2>(simd),
            (1, _) => self.formed::<S, 1, 4>(simd),
            _ => self.formed::<S, 2, 4>(simd),
        }
    }
}

impl Row<'_> {
    #[inline(always)]
    fn formed<S: Simd, const FIRST: usize, const OTHERS: usize>(self, simd: S) {
        let Row { across: [first, others], channels, mix, into: [red, green, blue] } = self;
        // No closures over registers, here and below: they would be compiled without the wide instructions.
        let zero = simd.splat(0.0);
        let mut colours = Colours { factors: [[zero; 3]; 3], offsets: [zero; 3] };
        for colour in 0..3 {
            colours.offsets[colour] = simd.splat(mix.offsets[colour]);
            for channel in 0..3 {
                colours.factors[colour][channel] = simd.splat(mix.factors[colour][channel]);
            }
        }
        let pixels = first.outputs.min(others.outputs).min(red.len()).min(green.len()).min(blue.len());
        let whole = pixels / LANES;
        for group in 0..=whole {
            let values = [
                simd.float(first.sums::<S, FIRST>(simd, group, channels[0])),
                simd.float(others.sums::<S, OTHERS>(simd, group, channels[1])),
                simd.float(others.sums::<S, OTHERS>(simd, group, channels[2])),
            ];
            if group < whole {
                let into = [eight_mut(red, group), eight_mut(green, group), eight_mut(blue, group)];
                colours.store(simd, values, into);
            } else {
                let mut tail = [[0.0; LANES]; 3];
                colours.store(simd, values, tail.each_mut());
                for (tail, into) in tail.iter().zip([&mut *red, &mut *green, &mut *blue]) {
                    into[whole * LANES..pixels].copy_from_slice(&tail[..pixels % LANES]);
                }
            }
            if (group + 1) * LANES >= pixels {
                break;
            }
        }
    }
}

/// A [`Mix`] in registers.
struct Colours<S: Simd> {
    factors: [[S::F; 3]; 3],
    offsets: [S::F; 3],
}

impl<S: Simd> Colours<S> {
    #[inline(always)]
    fn store(&self, simd: S, values: [S::F; 3], into: [&mut [f32; LANES]; 3]) {
        for (colour, into) in into.into_iter().enumerate() {
            let mut made = self.offsets[colour];
            for channel in 0..3 {
                made = simd.mul_add(values[channel], self.factors[colour][channel], made);
            }
            simd.store(simd.min(simd.max(made, simd.splat(0.0)), simd.splat(255.0)), into);
        }
    }
}
