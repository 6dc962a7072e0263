//! Rows of samples: weighted sums of them, and their colours.

use crate::{
    colour::ToRgb,
    kernels::simd::loops::{Lanes, fma, vectorised},
    taps::Taps,
};

/// `sums[i] += samples[i] * weight`.
pub(crate) fn add_row(sums: &mut [f32], samples: &[u8], weight: f32) {
    vectorised(AddRow { sums, samples, weight });
}

struct AddRow<'a> {
    sums: &'a mut [f32],
    samples: &'a [u8],
    weight: f32,
}

impl Lanes for AddRow<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for (sum, sample) in self.sums.iter_mut().zip(self.samples) {
            *sum = fma::<FMA>(f32::from(*sample), self.weight, *sum);
        }
    }
}

/// `line[x] = Σ weight · sums`, over channel `channel` of `channels` interleaved ones. `sums` starts at the first
/// input of `taps`.
pub(crate) fn sum_taps(line: &mut [f32], sums: &[f32], taps: &Taps, channels: usize, channel: usize) {
    let work = SumTaps { line, sums, taps, channels, channel };
    // The usual numbers of taps as constants: a loop of known length is unrolled.
    match taps.count() {
        1 => vectorised(Counted::<1>(work)),
        2 => vectorised(Counted::<2>(work)),
        3 => vectorised(Counted::<3>(work)),
        4 => vectorised(Counted::<4>(work)),
        5 => vectorised(Counted::<5>(work)),
        _ => work.any(),
    }
}

struct SumTaps<'a> {
    line: &'a mut [f32],
    sums: &'a [f32],
    taps: &'a Taps,
    channels: usize,
    channel: usize,
}

impl SumTaps<'_> {
    fn any(self) {
        let ((firsts, weights), (start, _), count) = (self.taps.parts(), self.taps.span(), self.taps.count());
        for ((out, first), weights) in self.line.iter_mut().zip(firsts).zip(weights.chunks_exact(count)) {
            let from = (first - start) * self.channels + self.channel;
            let window = self.sums[from..].iter().step_by(self.channels);
            *out = window.zip(weights).map(|(sum, weight)| sum * weight).sum();
        }
    }
}

struct Counted<'a, const N: usize>(SumTaps<'a>);

impl<const N: usize> Lanes for Counted<'_, N> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        let SumTaps { line, sums, taps, channels, channel } = self.0;
        let ((firsts, weights), (start, _)) = (taps.parts(), taps.span());
        for ((out, first), weights) in line.iter_mut().zip(firsts).zip(weights.as_chunks::<N>().0) {
            let from = (first - start) * channels + channel;
            let window = &sums[from..=from + (N - 1) * channels];
            let mut sum = 0.0;
            for (tap, weight) in weights.iter().enumerate() {
                sum = fma::<FMA>(window[tap * channels], *weight, sum);
            }
            *out = sum;
        }
    }
}

/// Y, U and V in place to R, G and B.
pub(crate) fn convert_row(to_rgb: &ToRgb, y: &mut [f32], u: &mut [f32], v: &mut [f32]) {
    vectorised(Convert { to_rgb, y, u, v });
}

struct Convert<'a> {
    to_rgb: &'a ToRgb,
    y: &'a mut [f32],
    u: &'a mut [f32],
    v: &'a mut [f32],
}

impl Lanes for Convert<'_> {
    type Output = ();
    #[inline(always)]
    fn run<const FMA: bool>(self) {
        for ((y, u), v) in self.y.iter_mut().zip(self.u).zip(self.v) {
            [*y, *u, *v] = self.to_rgb.rgb(*y, *u, *v);
        }
    }
}
