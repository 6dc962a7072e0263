//! Luma and chroma to red, green and blue.

use crate::{
    image::{Matrix, Range},
    kernels::across::Mix,
};

/// The affine map from (Y, U, V) samples to RGB, 0..=255 before clamping.
///
/// BT.601-7 and BT.709-6: `R = Y' + 2(1−Kr)·V'`, `B = Y' + 2(1−Kb)·U'`, `G` from `Y' = Kr·R + Kg·G + Kb·B`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct ToRgb {
    luma: f32,
    black: f32,
    red_v: f32,
    green_u: f32,
    green_v: f32,
    blue_u: f32,
}

impl ToRgb {
    pub(crate) fn new(matrix: Matrix, range: Range) -> Self {
        let (kr, kb) = match matrix {
            Matrix::Bt601 => (0.299, 0.114),
            Matrix::Bt709 => (0.2126, 0.0722),
        };
        let kg = 1.0 - kr - kb;
        let (luma, chroma, black) = match range {
            Range::Limited => (255.0 / 219.0, 255.0 / 224.0, 16.0),
            Range::Full => (1.0, 1.0, 0.0),
        };
        Self {
            luma,
            black,
            red_v: chroma * 2.0 * (1.0 - kr),
            green_u: chroma * -2.0 * (1.0 - kb) * kb / kg,
            green_v: chroma * -2.0 * (1.0 - kr) * kr / kg,
            blue_u: chroma * 2.0 * (1.0 - kb),
        }
    }

    /// The same map of sums in which a sample of 1 counts for `units`: of luma, and of chroma.
    pub(crate) fn mix(&self, units: [f32; 2]) -> Mix {
        let [luma, chroma] = units;
        let offset = |u: f32, v: f32| -(self.luma * self.black + (u + v) * 128.0);
        Mix::Chroma {
            luma: self.luma / luma,
            chroma: [self.red_v, self.green_u, self.green_v, self.blue_u].map(|factor| factor / chroma),
            offsets: [offset(0.0, self.red_v), offset(self.green_u, self.green_v), offset(self.blue_u, 0.0)],
        }
    }

    /// R, G and B of one pixel, 0..=255.
    #[cfg(test)]
    pub(crate) fn rgb(&self, y: f32, u: f32, v: f32) -> [f32; 3] {
        let (y, u, v) = ((y - self.black) * self.luma, u - 128.0, v - 128.0);
        let red = y + self.red_v * v;
        let green = y + self.green_u * u + self.green_v * v;
        let blue = y + self.blue_u * u;
        [red.clamp(0.0, 255.0), green.clamp(0.0, 255.0), blue.clamp(0.0, 255.0)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(got: [f32; 3], wanted: [f32; 3]) {
        assert!(got.iter().zip(wanted).all(|(g, w)| (g - w).abs() < 1.6), "{got:?} is not {wanted:?}");
    }

    /// 100 % colour bars, the code values that the two standards give for them in 8 bits.
    #[test]
    fn colour_bars_come_out_as_the_standards_say() {
        let bt601 = ToRgb::new(Matrix::Bt601, Range::Limited);
        near(bt601.rgb(235.0, 128.0, 128.0), [255.0; 3]);
        near(bt601.rgb(16.0, 128.0, 128.0), [0.0; 3]);
        near(bt601.rgb(81.0, 90.0, 240.0), [255.0, 0.0, 0.0]);
        near(bt601.rgb(145.0, 54.0, 34.0), [0.0, 255.0, 0.0]);
        near(bt601.rgb(41.0, 240.0, 110.0), [0.0, 0.0, 255.0]);
        let bt709 = ToRgb::new(Matrix::Bt709, Range::Limited);
        near(bt709.rgb(63.0, 102.0, 240.0), [255.0, 0.0, 0.0]);
        near(bt709.rgb(173.0, 42.0, 26.0), [0.0, 255.0, 0.0]);
        near(bt709.rgb(32.0, 240.0, 118.0), [0.0, 0.0, 255.0]);
        let full = ToRgb::new(Matrix::Bt601, Range::Full);
        near(full.rgb(76.0, 85.0, 255.0), [255.0, 0.0, 0.0]);
        near(full.rgb(29.0, 255.0, 107.0), [0.0, 0.0, 255.0]);
    }

    #[test]
    fn samples_outside_the_gamut_are_clamped() {
        let rgb = ToRgb::new(Matrix::Bt709, Range::Limited).rgb(255.0, 255.0, 255.0);
        assert!(rgb.iter().all(|v| (0.0..=255.0).contains(v)));
    }
}
