//! A region of a picture scaled row by row, straight from the planes.

use crate::{
    colour::ToRgb,
    image::{Plane, Planes, Rect, Size, View},
    kernels::{
        across::{Across, Mix, Row},
        rows::Down,
        simd::isa::Isa,
    },
    taps::Taps,
};

/// The rows of `region`, stretched to fill `into`. Outside of the picture the nearest pixel is repeated.
pub(crate) struct Scaling<'a> {
    planes: Planes<'a>,
    /// Of luma or colours.
    full: Axes,
    /// Of chroma; none where there is none.
    half: Option<Axes>,
    mix: Mix,
    /// Channels summed over rows.
    sums: [Vec<i16>; 3],
    isa: Isa,
}

impl<'a> Scaling<'a> {
    pub(crate) fn new(view: &View<'a>, region: Rect, into: Size) -> Self {
        Self::with(Isa::best(), view, region, into)
    }

    pub(crate) fn with(isa: Isa, view: &View<'a>, region: Rect, into: Size) -> Self {
        let (width, height) = (into.width as usize, into.height as usize);
        let axes = |size: Size, halved: f32| {
            let across = Taps::new(width, (region.x + 0.5) / halved, region.width / halved, size.width as usize);
            let down = Taps::new(height, (region.y + 0.5) / halved, region.height / halved, size.height as usize);
            Axes { across: Across::new(&across), down: Down::new(down) }
        };
        let full = axes(view.size, 1.0);
        let half = match view.planes {
            Planes::Rgb(_) => None,
            _ => {
                let size = Size { width: view.size.width.div_ceil(2), height: view.size.height.div_ceil(2) };
                Some(axes(size, 2.0))
            }
        };
        let others = half.as_ref().unwrap_or(&full);
        let unit = |axes: &Axes| f32::from(axes.across.unit()) * f32::from(axes.down.unit());
        let mix = match view.planes {
            Planes::Rgb(_) => Mix::Colours(1.0 / unit(&full)),
            _ => ToRgb::new(view.matrix, view.range).mix([unit(&full), unit(others)]),
        };
        let sums = [&full, others, others].map(|axes| vec![0; axes.across.room()]);
        Self { planes: view.planes, full, half, mix, sums, isa }
    }

    /// Row `y` as red, green and blue, 0..=255, each as long as `into` is wide.
    pub(crate) fn row(&mut self, y: usize, into: [&mut [f32]; 3]) {
        let [first, second, third] = self.sums.each_mut().map(Vec::as_mut_slice);
        let others = self.half.as_ref().unwrap_or(&self.full);
        match self.planes {
            Planes::Rgb(plane) => self.full.sum(plane, y, [first, second, third]),
            Planes::Nv12 { luma, chroma } => {
                self.full.sum(luma, y, [first]);
                others.sum(chroma, y, [second, third]);
            }
            Planes::I420 { luma, u, v } => {
                self.full.sum(luma, y, [first]);
                others.sum(u, y, [second]);
                others.sum(v, y, [third]);
            }
        }
        let across = [&self.full.across, &others.across];
        self.isa.run(Row { across, channels: self.sums.each_ref().map(Vec::as_slice), mix: self.mix, into });
    }
}

/// What every output row and column is made of.
struct Axes {
    across: Across,
    down: Down,
}

impl Axes {
    /// The rows of a plane of `C` interleaved channels that output row `y` covers, summed.
    fn sum<const C: usize>(&self, plane: Plane<'_>, y: usize, sums: [&mut [i16]; C]) {
        let (first, inputs) = self.across.inputs();
        // A plane shorter than promised reads as zeros instead of ending the process.
        let row = |row: usize| {
            let from = row.checked_mul(plane.stride)?.checked_add(first * C)?;
            plane.data.get(from..from.checked_add(inputs * C)?).map(|samples| samples.as_chunks::<C>().0)
        };
        self.down.sum(y, row, &mut sums.map(|sums| &mut sums[..inputs]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Matrix, Range};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn every_instruction_set_makes_the_same_rows(
            width in 1u32..90, height in 1u32..60, gap in 0usize..7, layout in 0usize..3, x in -30f32..60.0, y in -30f32..60.0,
            w in 0.5f32..200.0, h in 0.5f32..200.0, into_width in 1u32..40, into_height in 1u32..12, short in 0usize..4000
        ) {
            let data: Vec<u8> = (0..300 * 60usize).map(|i| ((i * 73 % 253) ^ (i / 7 % 256)) as u8).collect();
            let half = width.div_ceil(2) as usize;
            let plane = |row: usize| Plane { data: &data[..data.len() - short], stride: row + gap };
            let planes = match layout {
                0 => Planes::Nv12 { luma: plane(width as usize), chroma: plane(2 * half) },
                1 => Planes::I420 { luma: plane(width as usize), u: plane(half), v: plane(half) },
                _ => Planes::Rgb(plane(3 * width as usize)),
            };
            let view = View { size: Size { width, height }, planes, matrix: Matrix::Bt709, range: Range::Limited };
            let (region, into) = (Rect { x, y, width: w, height: h }, Size { width: into_width, height: into_height });
            let rows = |isa: Isa| {
                let mut scaling = Scaling::with(isa, &view, region, into);
                let mut lines = vec![[const { Vec::new() }; 3]; into_height as usize];
                for (y, line) in lines.iter_mut().enumerate() {
                    line.iter_mut().for_each(|line| line.resize(into_width as usize, -1.0));
                    scaling.row(y, line.each_mut().map(Vec::as_mut_slice));
                }
                lines.into_iter().flatten().flatten().collect::<Vec<f32>>()
            };
            for isa in Isa::all() {
                for (made, portable) in rows(isa).into_iter().zip(rows(Isa::Portable)) {
                    prop_assert!((made - portable).abs() < 1e-3, "{isa:?}: {made} {portable}");
                }
            }
        }
    }
}
