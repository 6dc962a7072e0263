//! A small picture of the luma: what motion is told by.

use usher_models::image::{Planes, Size, View};

/// Pixels across a small picture, about: somebody a quarter of the picture high is then 45 pixels high.
const ACROSS: u32 = 320;

/// A picture's luma, each pixel the mean of a square of the camera's.
#[derive(Clone, Debug, PartialEq)]
pub struct Small {
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Camera pixels per pixel, either way.
    pub step: usize,
    /// Row by row, 0..=255.
    pub luma: Vec<f32>,
}

impl Small {
    /// The small picture of a decoded one; `None` for pictures without a luma plane, or too small to see anybody in.
    pub fn of(view: &View<'_>) -> Option<Self> {
        let luma = match &view.planes {
            Planes::Nv12 { luma, .. } | Planes::I420 { luma, .. } => luma,
            Planes::Rgb(_) => return None,
        };
        let Size { width, height } = view.size;
        let step = (width / ACROSS).max(1) as usize;
        let (width, height) = (width as usize / step, height as usize / step);
        if width < 32 || height < 24 {
            return None;
        }
        let mut small = Vec::with_capacity(width * height);
        let (mut sums, area) = (vec![0u32; width], (step * step) as f32);
        for y in 0..height {
            sums.fill(0);
            for row in 0..step {
                let from = (y * step + row) * luma.stride;
                let samples = luma.data.get(from..from + width * step)?;
                for (sum, square) in sums.iter_mut().zip(samples.chunks_exact(step)) {
                    *sum += square.iter().map(|value| u32::from(*value)).sum::<u32>();
                }
            }
            small.extend(sums.iter().map(|sum| *sum as f32 / area));
        }
        Some(Self { width, height, step, luma: small })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_models::image::{Matrix, Plane, Range};

    #[test]
    fn a_pixel_is_the_mean_of_its_square() {
        let size = Size { width: 1280, height: 720 };
        let stride = 1344;
        let data: Vec<u8> = (0..stride * 720).map(|i| ((i % stride) / 4 % 2 * 100 + i / stride % 4) as u8).collect();
        let chroma = vec![128; stride * 360];
        let planes = Planes::Nv12 { luma: Plane { data: &data, stride }, chroma: Plane { data: &chroma, stride } };
        let small = Small::of(&View { size, planes, matrix: Matrix::Bt709, range: Range::Limited }).unwrap();
        assert_eq!((small.width, small.height, small.step), (320, 180, 4));
        assert_eq!(small.luma[..4], [1.5, 101.5, 1.5, 101.5]);
    }
}
