//! Weighted sums of neighbours in a row, and their colours: the second half of scaling a plane.
//!
//! Where an output's inputs lie is known before the first row. Eight outputs are made at a time: windows of eight inputs
//! are loaded, each register's bytes are moved to the outputs that want them, and multiplied and added pairwise. How
//! many outputs share a window depends on how many inputs they have; the three forms are one table, [`Across`].

use crate::{
    kernels::simd::{LANES, Simd, Work},
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
    /// `form` of them for each window in reach for every eight outputs.
    registers: Vec<Register>,
    unit: i16,
}

/// Where the numbers of one register come from.
struct Register {
    /// The bytes that are taken of the windows.
    picks: [u8; 4 * LANES],
    /// The weights of what is taken.
    weights: [i16; 2 * LANES],
    /// Where the windows begin.
    starts: [u32; 2],
}

impl Across {
    pub(crate) fn new(taps: &Taps) -> Self {
        let whole = taps.whole();
        let ((first, end), firsts, count) = (taps.span(), taps.firsts(), taps.count());
        // Whether as many outputs as share a window do lie in one.
        let fits = |form: usize| {
            let is_one_window =
                |run: &[usize]| run.first().zip(run.last()).is_none_or(|(first, last)| last - first + count <= LANES);
            count <= 2 * form && firsts.chunks(4 / form).all(is_one_window)
        };
        let form = [1, 2].into_iter().find(|form| fits(*form)).unwrap_or(4);
        let reach = if form == 4 { count.div_ceil(LANES) } else { 1 };
        let groups = firsts.len().div_ceil(LANES);
        let mut registers = Vec::with_capacity(groups * form * reach);
        for (group, window) in (0..groups).flat_map(|group| (0..reach).map(move |window| (group, window))) {
            for register in 0..form {
                // Which outputs a register holds follows from how registers are added up: see `sums`.
                let outputs = [0, 4].map(|half| group * LANES + half + register * (4 / form));
                registers.push(Register::new(outputs, 4 / form, window, taps, &whole.weights));
            }
        }
        Self { outputs: firsts.len(), first, inputs: end - first, form, reach, registers, unit: whole.total }
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

    /// The tables of a row's outputs, eight at a time.
    #[inline(always)]
    fn groups(&self) -> std::slice::ChunksExact<'_, Register> {
        self.registers.chunks_exact(self.form * self.reach)
    }
}

impl Register {
    /// `together` outputs from each of the two of `outputs` on share a window; it is number `window` of theirs.
    fn new(outputs: [usize; 2], together: usize, window: usize, taps: &Taps, weights: &[i16]) -> Self {
        let (mut starts, mut picks, mut shares) = ([0; 2], [0; 4 * LANES], [0; 2 * LANES]);
        let (firsts, count, (first, _), slots) = (taps.firsts(), taps.count(), taps.span(), LANES / together);
        for (half, outputs) in outputs.into_iter().enumerate() {
            let outputs = outputs.min(firsts.len())..(outputs + together).min(firsts.len());
            let least = firsts[outputs.clone()].first().copied().unwrap_or(first);
            starts[half] = (least - first + window * LANES) as u32;
            for (index, output) in outputs.enumerate() {
                let taken = weights[output * count..][..count].iter().skip(window * LANES).take(slots);
                for (tap, weight) in taken.enumerate() {
                    let (slot, input) = (half * LANES + index * slots + tap, (firsts[output] - least + tap) as u8);
                    (picks[2 * slot], picks[2 * slot + 1]) = (2 * input, 2 * input + 1);
                    shares[slot] = *weight;
                }
            }
        }
        Self { picks, weights: shares, starts }
    }

    #[inline(always)]
    fn products<S: Simd>(&self, simd: S, row: &[i16]) -> S::I {
        simd.products(row, self.starts, &self.picks, &self.weights)
    }
}

/// Eight outputs of a row of [`Across::room`] numbers.
#[inline(always)]
fn sums<S: Simd, const FORM: usize>(simd: S, registers: &[Register], row: &[i16]) -> S::I {
    let (registers, _) = registers.as_chunks::<FORM>();
    let mut sums = form::<S, FORM>(simd, &registers[0], row);
    if FORM == 4 {
        for registers in &registers[1..] {
            sums = simd.add_whole(sums, form::<S, FORM>(simd, registers, row));
        }
    }
    sums
}

#[inline(always)]
fn form<S: Simd, const FORM: usize>(simd: S, registers: &[Register; FORM], row: &[i16]) -> S::I {
    let first = registers[0].products(simd, row);
    if FORM == 1 {
        return first;
    }
    let pair = simd.add_neighbours(first, registers[1].products(simd, row));
    if FORM == 2 {
        return pair;
    }
    let (third, fourth) = (registers[2].products(simd, row), registers[3].products(simd, row));
    simd.add_neighbours(pair, simd.add_neighbours(third, fourth))
}

/// Colours from three sums, clamped to 0..=255.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Mix {
    /// Each sum is a colour, times a factor.
    Colours(f32),
    /// The sums are luma, U and V.
    Chroma {
        /// Red, green and blue of luma.
        luma: f32,
        /// Red of V, green of U and V, blue of U.
        chroma: [f32; 4],
        /// Red, green and blue where there are neither luma nor chroma.
        offsets: [f32; 3],
    },
}

/// One row of a picture from its three channels.
pub(crate) struct Row<'a> {
    /// The columns of the first channel, and of the other two.
    pub(crate) across: [&'a Across; 2],
    /// The channels, summed over rows.
    pub(crate) channels: [&'a [i16]; 3],
    pub(crate) mix: Mix,
    /// Red, green and blue, as many pixels as there are outputs.
    pub(crate) into: [&'a mut [f32]; 3],
}

impl Work for Row<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.across.map(|across| across.form) {
            [1, 1] => self.formed::<S, 1, 1>(simd),
            [2, 1] => self.formed::<S, 2, 1>(simd),
            [2, 2] => self.formed::<S, 2, 2>(simd),
            [4, 1] => self.formed::<S, 4, 1>(simd),
            [4, 2] => self.formed::<S, 4, 2>(simd),
            [4, 4] => self.formed::<S, 4, 4>(simd),
            // Chroma has half the inputs: it seldom needs more than luma does.
            [1, 2] => self.formed::<S, 1, 2>(simd),
            [1, _] => self.formed::<S, 1, 4>(simd),
            _ => self.formed::<S, 2, 4>(simd),
        }
    }
}

impl Row<'_> {
    #[inline(always)]
    fn formed<S: Simd, const FIRST: usize, const OTHERS: usize>(self, simd: S) {
        let Row { across: [first, others], channels, mix, into: [red, green, blue] } = self;
        let outputs = first.outputs;
        let (red, green, blue) = (&mut red[..outputs], &mut green[..outputs], &mut blue[..outputs]);
        let (reds, red) = red.as_chunks_mut::<LANES>();
        let (greens, green) = green.as_chunks_mut::<LANES>();
        let (blues, blue) = blue.as_chunks_mut::<LANES>();
        let mut groups = first.groups().zip(others.groups());
        let mix = Mixing::new(simd, mix);
        // No closures over registers, here and below: they would be compiled without the wide instructions.
        for ((red, green), blue) in reds.iter_mut().zip(greens).zip(blues) {
            let Some((first, others)) = groups.next() else { break };
            let values = [
                simd.float(sums::<S, FIRST>(simd, first, channels[0])),
                simd.float(sums::<S, OTHERS>(simd, others, channels[1])),
                simd.float(sums::<S, OTHERS>(simd, others, channels[2])),
            ];
            mix.store(simd, values, [red, green, blue]);
        }
        if let Some((first, others)) = groups.next() {
            let values = [
                simd.float(sums::<S, FIRST>(simd, first, channels[0])),
                simd.float(sums::<S, OTHERS>(simd, others, channels[1])),
                simd.float(sums::<S, OTHERS>(simd, others, channels[2])),
            ];
            let mut tail = [[0.0; LANES]; 3];
            mix.store(simd, values, tail.each_mut());
            for (tail, into) in tail.iter().zip([red, green, blue]) {
                into.copy_from_slice(&tail[..into.len()]);
            }
        }
    }
}

/// A [`Mix`] in registers.
pub(crate) struct Mixing<S: Simd> {
    is_chroma: bool,
    luma: S::F,
    chroma: [S::F; 4],
    offsets: [S::F; 3],
}

impl<S: Simd> Mixing<S> {
    #[inline(always)]
    pub(crate) fn new(simd: S, mix: Mix) -> Self {
        let (is_chroma, luma, chroma, offsets) = match mix {
            Mix::Colours(factor) => (false, factor, [0.0; 4], [0.0; 3]),
            Mix::Chroma { luma, chroma, offsets } => (true, luma, chroma, offsets),
        };
        let ([a, b, c, d], [red, green, blue]) = (chroma, offsets);
        Self {
            is_chroma,
            luma: simd.splat(luma),
            chroma: [simd.splat(a), simd.splat(b), simd.splat(c), simd.splat(d)],
            offsets: [simd.splat(red), simd.splat(green), simd.splat(blue)],
        }
    }

    /// Eight pixels of three sums.
    #[inline(always)]
    pub(crate) fn store(&self, simd: S, [first, second, third]: [S::F; 3], [red, green, blue]: [&mut [f32; LANES]; 3]) {
        let ([red_v, green_u, green_v, blue_u], offsets) = (self.chroma, self.offsets);
        let (luma, (r, g, b)) = (self.luma, (offsets[0], offsets[1], offsets[2]));
        let mut made = [simd.mul_add(first, luma, r), second, third];
        if self.is_chroma {
            made[0] = simd.mul_add(third, red_v, made[0]);
            made[1] = simd.mul_add(second, green_u, simd.mul_add(third, green_v, simd.mul_add(first, luma, g)));
            made[2] = simd.mul_add(second, blue_u, simd.mul_add(first, luma, b));
        } else {
            made[1] = simd.mul_add(second, luma, g);
            made[2] = simd.mul_add(third, luma, b);
        }
        let (black, white) = (simd.splat(0.0), simd.splat(255.0));
        simd.store(simd.min(simd.max(made[0], black), white), red);
        simd.store(simd.min(simd.max(made[1], black), white), green);
        simd.store(simd.min(simd.max(made[2], black), white), blue);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::simd::isa::Isa;
    use proptest::prelude::*;

    /// A row of three channels by `isa`, and the same in double precision.
    fn both(isa: Isa, taps: &Taps, row: &[u8]) -> ([Vec<f32>; 3], Vec<f64>) {
        let (across, outputs) = (Across::new(taps), taps.firsts().len());
        let (first, inputs) = across.inputs();
        // As rows leave them at 128 a sample.
        let mut sums = vec![0; across.room()];
        for (sum, sample) in sums.iter_mut().zip(&row[first..first + inputs]) {
            *sum = i16::from(*sample) * 128;
        }
        let mut lines: [Vec<f32>; 3] = std::array::from_fn(|_| vec![-1.0; outputs]);
        let mix = Mix::Colours(1.0 / (128.0 * f32::from(across.unit())));
        isa.run(Row {
            across: [&across; 2],
            channels: [&sums, &sums, &sums],
            mix,
            into: lines.each_mut().map(Vec::as_mut_slice),
        });
        let wanted = (0..outputs).map(|output| {
            let (first, weights) = taps.of(output);
            row[first..].iter().zip(weights).map(|(sample, weight)| f64::from(*sample) * f64::from(*weight)).sum()
        });
        (lines, wanted.collect())
    }

    proptest! {
        #[test]
        fn columns_are_what_double_precision_says(
            outputs in 1usize..70, start in -40f32..300.0, length in 0.5f32..600.0,
            row in proptest::collection::vec(any::<u8>(), 1..400)
        ) {
            let taps = Taps::new(outputs, start, length, row.len());
            let (portable, wanted) = both(Isa::Portable, &taps, &row);
            for isa in Isa::all() {
                for (line, portable) in both(isa, &taps, &row).0.iter().zip(&portable) {
                    for ((got, twin), wanted) in line.iter().zip(portable).zip(&wanted) {
                        // A weight is rounded to 1/32767: half a unit of each, as if all fell on one side.
                        let bound = 1e-3 + 255.0 * 0.5 / 32767.0 * taps.count() as f64;
                        prop_assert!((f64::from(*got) - wanted).abs() < bound, "{got} {wanted}");
                        prop_assert!((got - twin).abs() < 1e-3, "{got} {twin}");
                    }
                }
            }
        }
    }
}
