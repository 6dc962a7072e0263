//! Which samples, with which weights, make one resampled pixel.

/// For every output of one axis, a run of `count` neighbouring inputs and their weights, which sum to 1.
pub(crate) struct Taps {
    firsts: Vec<usize>,
    weights: Vec<f32>,
    count: usize,
}

impl Taps {
    /// `outputs` pixels over `length` inputs from `start` on (both in input pixels, edges of pixels at whole numbers),
    /// of an axis of `inputs` pixels. Outside, the nearest input is repeated.
    ///
    /// Shrinking averages what an output covers; growing interpolates between the two nearest.
    pub(crate) fn new(outputs: usize, start: f32, length: f32, inputs: usize) -> Self {
        let (outputs, inputs) = (outputs.max(1), inputs.max(1));
        let step = if length.is_finite() { f64::from(length).max(1e-3) / outputs as f64 } else { 1.0 };
        // Far outside there is only the edge; the bound keeps positions in the range of integers.
        let start = if start.is_finite() { f64::from(start).clamp(-1e6, 1e6) } else { 0.0 };
        let step = step.min(65536.0);
        let count = (if step > 1.0 { step.ceil() as usize + 1 } else { 2 }).min(inputs);
        let (mut firsts, mut weights) = (Vec::with_capacity(outputs), vec![0f32; outputs * count]);
        // The weights of an output then sum to 1: what they cover is `step` long, or there are two that share 1.
        let ahead = if step > 1.0 { step.ceil() as i64 + 1 } else { 2 };
        let share = if step > 1.0 { 1.0 / step } else { 1.0 };
        let last = inputs as i64 - 1;
        for (output, weights) in weights.chunks_exact_mut(count).enumerate() {
            let from = start + output as f64 * step;
            let covered =
                if step > 1.0 { Cover::Area(from, from + step) } else { Cover::Between(from + step / 2.0 - 0.5) };
            let low = covered.low();
            let first = low.clamp(0, last + 1 - count as i64);
            for index in low..low + ahead {
                let tap = (index.clamp(0, last) - first).min(count as i64 - 1);
                weights[tap as usize] += (covered.weight(index) * share) as f32;
            }
            firsts.push(first as usize);
        }
        Self { firsts, weights, count }.trimmed()
    }

    /// Without the taps at the end that no output uses: at 3:1 three are left of four.
    fn trimmed(self) -> Self {
        let leading = |run: &[f32]| run.iter().take_while(|w| **w == 0.0).count();
        let used = |run: &[f32]| run.iter().rposition(|w| *w != 0.0).map_or(1, |at| at + 1 - leading(run));
        let count = self.weights.chunks_exact(self.count).map(used).max().unwrap_or(1);
        if count == self.count {
            return self;
        }
        let (mut firsts, mut weights) = (self.firsts, Vec::with_capacity(self.weights.len()));
        for (first, run) in firsts.iter_mut().zip(self.weights.chunks_exact(self.count)) {
            // A run that starts with unused taps moves up, as far as the shorter run still ends where the longer did.
            let skip = leading(run).min(self.count - count);
            *first += skip;
            weights.extend_from_slice(&run[skip..skip + count]);
        }
        Self { firsts, weights, count }
    }

    /// First input and weights of one output.
    #[inline(always)]
    pub(crate) fn of(&self, output: usize) -> (usize, &[f32]) {
        (self.firsts[output], &self.weights[output * self.count..][..self.count])
    }

    /// The first input used, and the one after the last. First inputs never fall from output to output.
    pub(crate) fn span(&self) -> (usize, usize) {
        let end = |first: &[usize]| first.last().copied().unwrap_or(0) + self.count;
        (self.firsts.first().copied().unwrap_or(0), end(&self.firsts))
    }

    /// Inputs an output.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// First inputs of all outputs.
    pub(crate) fn firsts(&self) -> &[usize] {
        &self.firsts
    }

    /// Weights in whole numbers, `count` an output, and what they sum to for every output.
    ///
    /// Where the weights are fractions of a small number, as at 3:1 (thirds) or 5:4 (fifths), that is the sum and they
    /// are exact; otherwise they are rounded so that the sum is [`FINE`].
    pub(crate) fn whole(&self) -> Whole {
        let exact = (1..=SMALL).find_map(|total| {
            let share = |weight: &f32| {
                let exact = weight * f32::from(total);
                let nearest = (exact + 0.5) as i16;
                ((exact - f32::from(nearest)).abs() < 1e-5 * f32::from(total)).then_some(nearest)
            };
            let weights: Vec<i16> = self.weights.iter().map(share).collect::<Option<_>>()?;
            // What is nearly a fraction everywhere might still not add up.
            let adds_up = |run: &[i16]| run.iter().map(|w| i32::from(*w)).sum::<i32>() == i32::from(total);
            weights.chunks_exact(self.count).all(adds_up).then_some(Whole { weights, total })
        });
        exact.unwrap_or_else(|| Whole { weights: self.rounded(), total: FINE })
    }

    /// Weights whose sum is [`FINE`] exactly. What is lost in one is given to the next: no tint, whatever the count.
    fn rounded(&self) -> Vec<i16> {
        let mut weights = Vec::with_capacity(self.weights.len());
        for run in self.weights.chunks_exact(self.count) {
            let (mut sum, mut given) = (0.0, 0);
            for (index, weight) in run.iter().enumerate() {
                sum += weight * f32::from(FINE);
                // The cast ends at `FINE`, should rounding go beyond.
                let up_to = if index + 1 == self.count { FINE } else { (sum + 0.5) as i16 };
                weights.push(up_to - given);
                given = up_to;
            }
        }
        weights
    }
}

/// The greatest total of exact weights: 128 times 255 is still a signed number of 16 bits.
const SMALL: i16 = 128;
/// The total of rounded weights, the greatest there is in 16 bits.
const FINE: i16 = i16::MAX;

/// Weights as whole numbers.
pub(crate) struct Whole {
    /// As many an output as there are taps.
    pub(crate) weights: Vec<i16>,
    /// Their sum for every output.
    pub(crate) total: i16,
}

impl Whole {
    /// Whether the weighted sum of 8-bit samples is a signed number of 16 bits, without any rounding.
    pub(crate) fn is_exact(&self) -> bool {
        self.total <= SMALL
    }
}

enum Cover {
    /// From one position to another.
    Area(f64, f64),
    /// A position between the centres of two inputs.
    Between(f64),
}

impl Cover {
    /// The first input that may have a weight.
    fn low(&self) -> i64 {
        let (Self::Area(at, _) | Self::Between(at)) = *self;
        // As `floor`, which is a call where the baseline has no instruction for it.
        let whole = at as i64;
        whole - i64::from(at < whole as f64)
    }

    fn weight(&self, index: i64) -> f64 {
        let index = index as f64;
        match *self {
            Self::Area(from, to) => (to.min(index + 1.0) - from.max(index)).max(0.0),
            Self::Between(centre) => (1.0 - (centre - index).abs()).max(0.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn three_to_one_is_the_mean_of_three() {
        let taps = Taps::new(4, 0.0, 12.0, 12);
        for output in 0..4 {
            let (first, weights) = taps.of(output);
            assert_eq!((first, weights), (output * 3, &[1.0 / 3.0; 3][..]));
        }
    }

    #[test]
    fn one_to_one_copies() {
        let taps = Taps::new(5, 0.0, 5.0, 5);
        for output in 0..5 {
            let (first, weights) = taps.of(output);
            let sum: f32 = weights.iter().enumerate().map(|(i, w)| (first + i) as f32 * w).sum();
            assert_eq!(sum, output as f32);
        }
    }

    proptest! {
        #[test]
        fn weights_sum_to_one_and_stay_inside(
            outputs in 1usize..200, start in -500f32..500.0, length in 0f32..900.0, inputs in 1usize..300
        ) {
            let taps = Taps::new(outputs, start, length, inputs);
            prop_assert!(taps.firsts().is_sorted());
            for output in 0..outputs {
                let (first, weights) = taps.of(output);
                prop_assert!(first + weights.len() <= inputs);
                prop_assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-4);
                prop_assert!(weights.iter().all(|w| *w >= 0.0));
            }
        }
    }
}
