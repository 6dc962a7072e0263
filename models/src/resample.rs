//! Pictures scaled straight from the decoder's planes.
//!
//! A full frame is never turned into RGB: planes are averaged first, and only the few resulting pixels change colour
//! space (both maps are linear, so the order does not matter but for clamping). When a picture shrinks, every output
//! pixel is the **mean of the area** it covers: at 3:1, two taps would look at four of nine samples, and the faces of
//! 20–40 px in the result that YuNet still finds would shimmer with aliasing. When it grows, pixels are interpolated.

use crate::{
    face::Face,
    image::{Point, Rect, Rgb, Size, View},
    kernels::scale::Scaling,
};

/// Where a letterboxed picture lies in its frame: `frame = picture * scale`, about the pixels' outer corners.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fit {
    /// Frame pixels per picture pixel, more than 1 where the frame was shrunk. Both directions.
    pub scale: f32,
    /// The part of the picture that shows the frame; the rest, right or below, is black.
    pub shown: Size,
}

impl Fit {
    /// The fit of a frame of `from` into a picture of `into`, aspect kept.
    pub fn new(from: Size, into: Size) -> Self {
        let scale = (from.width as f32 / into.width.max(1) as f32)
            .max(from.height as f32 / into.height.max(1) as f32)
            .max(1e-6);
        let side = |from: u32, into: u32| ((from as f32 / scale).round() as u32).clamp(1, into.max(1));
        Self { scale, shown: Size { width: side(from.width, into.width), height: side(from.height, into.height) } }
    }

    /// A position of the picture as a position of the frame.
    pub fn point(&self, p: Point) -> Point {
        // Positions count from the centre of the first pixel; scaling is about its corner.
        Point { x: (p.x + 0.5) * self.scale - 0.5, y: (p.y + 0.5) * self.scale - 0.5 }
    }

    /// A face found in the picture as a face of the frame.
    pub fn to_frame(&self, face: &Face) -> Face {
        let corner = self.point(Point { x: face.rect.x, y: face.rect.y });
        let rect = Rect {
            x: corner.x,
            y: corner.y,
            width: face.rect.width * self.scale,
            height: face.rect.height * self.scale,
        };
        Face { rect, landmarks: face.landmarks.map(|p| self.point(p)), confidence: face.confidence }
    }
}

/// The whole view scaled into the top left of a picture of `into`, aspect kept, the rest black.
pub fn letterbox(view: &View<'_>, into: Size) -> (Rgb, Fit) {
    let mut picture = Rgb { size: into, data: Vec::new() };
    let fit = letterbox_into(view, &mut picture);
    (picture, fit)
}

/// As [`letterbox`], into memory that is kept: the size is that of `picture`, its data is replaced.
pub fn letterbox_into(view: &View<'_>, picture: &mut Rgb) -> Fit {
    let fit = Fit::new(view.size, picture.size);
    // What is shown is a whole number of pixels; the region is what those pixels cover at exactly `scale`.
    let (columns, rows) = (fit.shown.width as f32 * fit.scale, fit.shown.height as f32 * fit.scale);
    let region = Rect { x: -0.5, y: -0.5, width: columns, height: rows };
    let (width, height) = (picture.size.width as usize, picture.size.height as usize);
    // Every pixel is written below: none is cleared first.
    picture.data.resize(3 * width * height, 0.0);
    if width == 0 || height == 0 {
        return fit;
    }
    let shown = fit.shown.width as usize;
    let mut scaling = Scaling::new(view, region, fit.shown);
    let (red, rest) = picture.data.split_at_mut(width * height);
    let (green, blue) = rest.split_at_mut(width * height);
    let lines = red.chunks_exact_mut(width).zip(green.chunks_exact_mut(width)).zip(blue.chunks_exact_mut(width));
    for (y, ((red, green), blue)) in lines.enumerate() {
        let line =
            [red, green, blue].map(|line| line.split_at_mut(if y < fit.shown.height as usize { shown } else { 0 }));
        let [red, green, blue] = line.map(|(line, black)| {
            black.fill(0.0);
            line
        });
        if !red.is_empty() {
            scaling.row(y, [red, green, blue]);
        }
    }
    fit
}

/// The pixels of `region` as interleaved R, G, B bytes, `(into.height, into.width, 3)`, stretched to fill `into`.
///
/// The region may reach over the edge: the nearest pixel of the picture is repeated there. For portraits and for the
/// operator's pictures; networks take [`letterbox`] and [`crate::align::aligned`].
pub fn rgb8(view: &View<'_>, region: Rect, into: Size) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(3 * into.width as usize * into.height as usize);
    scaled(view, region, into, |_, [red, green, blue]| {
        for ((r, g), b) in red.iter().zip(green).zip(blue) {
            bytes.extend([r, g, b].map(|v| (v + 0.5) as u8));
        }
    });
    bytes
}

/// Calls `each` with the number and the R, G and B of every row of `region` scaled to `into`, top to bottom.
fn scaled(view: &View<'_>, region: Rect, into: Size, mut each: impl FnMut(usize, [&[f32]; 3])) {
    let mut lines: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; into.width as usize]);
    let mut scaling = Scaling::new(view, region, into);
    for y in 0..into.height as usize {
        scaling.row(y, lines.each_mut().map(Vec::as_mut_slice));
        each(y, lines.each_ref().map(Vec::as_slice));
    }
}
