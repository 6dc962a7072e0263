//! Pictures: sizes, points, planes and planar RGB.

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Size {
    /// Pixels from left to right, at least 1.
    pub width: u32,
    /// Pixels from top to bottom, at least 1.
    pub height: u32,
}

/// A position in pixels; (0, 0) is the centre of the top left pixel.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Downwards.
    pub y: f32,
}

/// An upright rectangle in pixels; may reach over the edge of its picture.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rect {
    /// Left edge.
    pub x: f32,
    /// Top edge.
    pub y: f32,
    /// Width, not negative.
    pub width: f32,
    /// Height, not negative.
    pub height: f32,
}

impl Rect {
    /// Area in square pixels.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// The middle.
    pub fn centre(&self) -> Point {
        Point { x: self.x + self.width / 2.0, y: self.y + self.height / 2.0 }
    }

    /// Intersection over union with `other`, 0..=1.
    pub fn iou(&self, other: &Rect) -> f32 {
        let width = (self.x + self.width).min(other.x + other.width) - self.x.max(other.x);
        let height = (self.y + self.height).min(other.y + other.height) - self.y.max(other.y);
        let common = width.max(0.0) * height.max(0.0);
        let union = self.area() + other.area() - common;
        if union > 0.0 { common / union } else { 0.0 }
    }
}

/// One plane of 8-bit samples as a decoder leaves it: `stride` bytes from row to row.
#[derive(Clone, Copy)]
pub struct Plane<'a> {
    /// The samples, at least `stride * (rows - 1) + row bytes` of them.
    pub data: &'a [u8],
    /// Bytes from the start of one row to the start of the next.
    pub stride: usize,
}

/// How samples become RGB (ITU-R BT.601-7, BT.709-6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Matrix {
    /// BT.601, the matrix of standard definition and of JPEG.
    Bt601,
    /// BT.709, the matrix of high definition.
    Bt709,
}

/// Which sample values black and white have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Range {
    /// Luma 16..=235, chroma 16..=240.
    Limited,
    /// 0..=255.
    Full,
}

/// The planes of a picture in one of the layouts that decoders give.
#[derive(Clone, Copy)]
pub enum Planes<'a> {
    /// Luma, then interleaved U and V at half size (rounded up) in both directions.
    Nv12 {
        /// Full size.
        luma: Plane<'a>,
        /// Pairs (U, V), half size.
        chroma: Plane<'a>,
    },
    /// Luma, U and V, the last two at half size (rounded up) in both directions.
    I420 {
        /// Full size.
        luma: Plane<'a>,
        /// Half size.
        u: Plane<'a>,
        /// Half size.
        v: Plane<'a>,
    },
    /// Interleaved R, G, B: pictures from files.
    Rgb(Plane<'a>),
}

/// A picture as it was decoded, borrowed: nothing is converted until a network asks for its few pixels.
#[derive(Clone, Copy)]
pub struct View<'a> {
    /// Size of the picture; planes may be larger.
    pub size: Size,
    /// The samples.
    pub planes: Planes<'a>,
    /// Their matrix; without meaning for [`Planes::Rgb`].
    pub matrix: Matrix,
    /// Their range; without meaning for [`Planes::Rgb`].
    pub range: Range,
}

/// Planar RGB, `(3, height, width)`, f32, 0..=255: what networks are fed with.
#[derive(Clone, Debug, PartialEq)]
pub struct Rgb {
    /// Size of each plane.
    pub size: Size,
    /// R, then G, then B, each row by row.
    pub data: Vec<f32>,
}

impl Rgb {
    /// Left and right exchanged.
    #[must_use]
    pub fn mirrored(&self) -> Self {
        let mut mirrored = self.clone();
        mirrored.data.chunks_exact_mut(self.size.width.max(1) as usize).for_each(<[f32]>::reverse);
        mirrored
    }
}
