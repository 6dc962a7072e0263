//! Scaling from planes against a slow computation.

use proptest::prelude::*;
use usher_models::{
    face::Face,
    image::{Matrix, Plane, Planes, Point, Range, Rect, Size, View},
    resample::{Fit, letterbox, rgb8},
};

/// A picture in three layouts of the same samples, rows padded by `gap` bytes of rubbish.
struct Layouts {
    size: Size,
    y: Vec<u8>,
    u: Vec<u8>,
    v: Vec<u8>,
    uv: Vec<u8>,
    rgb: Vec<u8>,
    gap: usize,
}

impl Layouts {
    fn new(width: usize, height: usize, gap: usize, seed: u8) -> Self {
        let (cw, ch) = (width.div_ceil(2), height.div_ceil(2));
        let sample = |i: usize, salt: usize| ((i * 73 + salt * 151 + usize::from(seed) * 31) * (i / 7 + 3) % 251) as u8;
        let plane = |row: usize, rows: usize, salt: usize| -> Vec<u8> {
            (0..(row + gap) * rows).map(|i| if i % (row + gap) < row { sample(i, salt) } else { 255 }).collect()
        };
        let (u, v) = (plane(cw, ch, 2), plane(cw, ch, 3));
        let uv = (0..(2 * cw + gap) * ch)
            .map(|i| match (i / (2 * cw + gap), i % (2 * cw + gap)) {
                (row, column) if column < 2 * cw => [&u, &v][column % 2][row * (cw + gap) + column / 2],
                _ => 255,
            })
            .collect();
        let size = Size { width: width as u32, height: height as u32 };
        Self { size, y: plane(width, height, 1), u, v, uv, rgb: plane(3 * width, height, 4), gap }
    }

    fn view(&self, layout: usize) -> View<'_> {
        let (width, cw) = (self.size.width as usize, self.size.width.div_ceil(2) as usize);
        let plane = |data, row: usize| Plane { data, stride: row + self.gap };
        let luma = plane(&self.y, width);
        let planes = match layout {
            0 => Planes::Nv12 { luma, chroma: plane(&self.uv, 2 * cw) },
            1 => Planes::I420 { luma, u: plane(&self.u, cw), v: plane(&self.v, cw) },
            _ => Planes::Rgb(plane(&self.rgb, 3 * width)),
        };
        View { size: self.size, planes, matrix: Matrix::Bt709, range: Range::Limited }
    }

    /// Channel `c` of RGB at one output pixel that covers `[x, x + sx) × [y, y + sy)` of the picture.
    fn naive(&self, layout: usize, (x, y): (f64, f64), (sx, sy): (f64, f64)) -> [f64; 3] {
        let (w, h) = (self.size.width as usize, self.size.height as usize);
        let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
        let mean = |data: &[u8], step: usize, offset: usize, (w, h): (usize, usize), halved: f64| {
            let (across, down) = (weights(x / halved, sx / halved, w), weights(y / halved, sy / halved, h));
            let row = step * w + self.gap;
            let mut sum = 0.0;
            for (j, wy) in down.iter().enumerate() {
                for (i, wx) in across.iter().enumerate() {
                    sum += wx * wy * f64::from(data[j * row + i * step + offset]);
                }
            }
            sum
        };
        if layout == 2 {
            return [0, 1, 2].map(|c| mean(&self.rgb, 3, c, (w, h), 1.0));
        }
        let l = (mean(&self.y, 1, 0, (w, h), 1.0) - 16.0) * 255.0 / 219.0;
        let u = (mean(&self.u, 1, 0, (cw, ch), 2.0) - 128.0) * 255.0 / 224.0;
        let v = (mean(&self.v, 1, 0, (cw, ch), 2.0) - 128.0) * 255.0 / 224.0;
        // BT.709-6, written out.
        [l + 1.5748 * v, l - 0.187_324 * u - 0.468_124 * v, l + 1.8556 * u].map(|c| c.clamp(0.0, 255.0))
    }
}

/// The weight of every sample of an axis: area covered when shrinking, linear between centres when growing.
fn weights(from: f64, length: f64, n: usize) -> Vec<f64> {
    let mut weights = vec![0.0; n];
    for index in (from.floor() as i64 - 2)..=((from + length).ceil() as i64 + 2) {
        let at = index as f64;
        let weight = if length > 1.0 {
            ((from + length).min(at + 1.0) - from.max(at)).max(0.0) / length
        } else {
            (1.0 - (from + length / 2.0 - 0.5 - at).abs()).max(0.0)
        };
        weights[index.clamp(0, n as i64 - 1) as usize] += weight;
    }
    weights
}

proptest! {
    #[test]
    fn a_letterbox_is_the_mean_of_what_each_pixel_covers(
        width in 1usize..70, height in 1usize..50, gap in 0usize..9, layout in 0usize..3, seed in any::<u8>(),
        into_width in 1u32..40, into_height in 1u32..40
    ) {
        let layouts = Layouts::new(width, height, gap, seed);
        let into = Size { width: into_width, height: into_height };
        let (picture, fit) = letterbox(&layouts.view(layout), into);
        let pixels = (into_width * into_height) as usize;
        prop_assert_eq!(picture.data.len(), 3 * pixels);
        for y in 0..into_height {
            for x in 0..into_width {
                let at = |c: usize| f64::from(picture.data[c * pixels + (y * into_width + x) as usize]);
                let wanted = if x < fit.shown.width && y < fit.shown.height {
                    let scale = f64::from(fit.scale);
                    layouts.naive(layout, (f64::from(x) * scale, f64::from(y) * scale), (scale, scale))
                } else {
                    [0.0; 3]
                };
                for (c, wanted) in wanted.into_iter().enumerate() {
                    prop_assert!((at(c) - wanted).abs() < 0.05, "({x}, {y}, {c}): {} {wanted}", at(c));
                }
            }
        }
    }

    #[test]
    fn a_region_may_reach_over_every_edge(
        width in 1usize..40, height in 1usize..40, layout in 0usize..3, x in -60f32..60.0, y in -60f32..60.0,
        w in 0.5f32..90.0, h in 0.5f32..90.0, into_width in 1u32..20, into_height in 1u32..20
    ) {
        let layouts = Layouts::new(width, height, 3, 1);
        let region = Rect { x, y, width: w, height: h };
        let bytes = rgb8(&layouts.view(layout), region, Size { width: into_width, height: into_height });
        prop_assert_eq!(bytes.len(), 3 * (into_width * into_height) as usize);
        let (sx, sy) = (f64::from(w) / f64::from(into_width), f64::from(h) / f64::from(into_height));
        for (i, pixel) in bytes.as_chunks::<3>().0.iter().enumerate() {
            let (column, row) = ((i as u32 % into_width) as f64, (i as u32 / into_width) as f64);
            let at = (f64::from(x + 0.5) + column * sx, f64::from(y + 0.5) + row * sy);
            for (got, wanted) in pixel.iter().zip(layouts.naive(layout, at, (sx, sy))) {
                prop_assert!((f64::from(*got) - wanted).abs() < 0.6, "{pixel:?} {wanted}");
            }
        }
    }

    #[test]
    fn nonsense_regions_and_planes_do_not_panic(
        x in any::<f32>(), y in any::<f32>(), w in any::<f32>(), h in any::<f32>(), short in 0usize..200
    ) {
        let data = vec![7u8; short];
        let plane = Plane { data: &data, stride: 16 };
        let size = Size { width: 16, height: 16 };
        for planes in [Planes::Rgb(plane), Planes::Nv12 { luma: plane, chroma: plane }, Planes::I420 { luma: plane, u: plane, v: plane }] {
            let view = View { size, planes, matrix: Matrix::Bt601, range: Range::Full };
            rgb8(&view, Rect { x, y, width: w, height: h }, Size { width: 4, height: 4 });
        }
    }

    #[test]
    fn a_position_comes_back_where_it_was(
        width in 1u32..4000, height in 1u32..4000, into_width in 1u32..1000, into_height in 1u32..1000, x in 0f32..1.0, y in 0f32..1.0
    ) {
        let fit = Fit::new(Size { width, height }, Size { width: into_width, height: into_height });
        prop_assert!(fit.shown.width <= into_width && fit.shown.height <= into_height);
        let frame = Point { x: x * width as f32 - 0.5, y: y * height as f32 - 0.5 };
        let small = Point { x: (frame.x + 0.5) / fit.scale - 0.5, y: (frame.y + 0.5) / fit.scale - 0.5 };
        let rect = Rect { x: small.x, y: small.y, width: 2.0, height: 3.0 };
        let face = fit.to_frame(&Face { rect, landmarks: [small; 5], confidence: 0.5 });
        let tolerance = 1e-3 * (width + height) as f32;
        prop_assert!((face.landmarks[0].x - frame.x).abs() <= tolerance && (face.rect.y - frame.y).abs() <= tolerance);
        prop_assert!((face.rect.width - 2.0 * fit.scale).abs() <= tolerance);
    }
}
