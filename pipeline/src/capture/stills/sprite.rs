//! One walk's pictures of a person: changed by chance, soft at the edge, at several sizes.

use crate::capture::stills::cutout::Cutout;
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder, imageops};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use usher_config::crowd::Changes;

/// Each level is this part of the one before: the drawing's two-tap filter needs no more than that to stay smooth.
const STEP: f32 = 0.75;
/// Levels: the smallest is a quarter of the largest, a walk begins at a third.
const LEVELS: usize = 6;

/// A person to be drawn: at one moment or several, each with the largest size first.
pub(crate) struct Sprite {
    moments: Vec<Vec<Level>>,
}

/// A person at one size, in limited-range BT.709 samples multiplied by their opacity.
pub(crate) struct Level {
    pub(crate) luma: Layer,
    pub(crate) u: Layer,
    pub(crate) v: Layer,
    /// Middle of the face, luma pixels of this level.
    pub(crate) face: (f32, f32),
    /// Height of the face, luma pixels of this level.
    pub(crate) face_px: f32,
}

/// Samples and their opacity, row by row.
pub(crate) struct Layer {
    pub(crate) width: usize,
    pub(crate) height: usize,
    /// Sample times opacity, 0..=255.
    pub(crate) samples: Vec<u8>,
    /// 0 = nothing, 255 = covers.
    pub(crate) opacity: Vec<u8>,
}

/// What chance decided for one walk.
struct Change {
    wear: Wear,
    tilt: f32,
}

/// What chance decided for one moment of it.
struct Wear {
    gain: [f32; 3],
    exponent: f32,
    scale: f32,
    blur_px: f32,
    quality: u8,
    motion: Motion,
}

/// Blur of movement.
struct Motion {
    /// In parts of the face's height.
    length: f32,
    is_upright: bool,
}

impl Change {
    fn draw(changes: &Changes, dice: &mut ChaCha8Rng) -> Self {
        Self {
            wear: Wear::draw(changes, dice),
            tilt: dice.random_range(-changes.tilt_deg..=changes.tilt_deg).to_radians(),
        }
    }
}

impl Wear {
    /// Of several moments some are good and some are bad: what spoils one property spoils the others with it. Of a single
    /// one, each property is drawn by itself.
    fn draw(changes: &Changes, dice: &mut ChaCha8Rng) -> Self {
        let bad = if changes.moments > 1 { dice.random_range(0.0..=1.0) } else { 1.0 };
        let mut around_one = |spread: f32| 1.0 + dice.random_range(-spread..=spread);
        let light = around_one(bad * changes.light);
        Self {
            gain: std::array::from_fn(|_| light * around_one(bad * changes.cast)),
            exponent: around_one(bad * changes.gamma),
            scale: 1.0 - dice.random_range(0.0..=bad * changes.scale),
            blur_px: dice.random_range(0.0..=bad * changes.blur_px),
            quality: dice.random_range(90 - (bad * (90 - changes.quality.min(90)) as f32) as u32..=90) as u8,
            motion: if changes.motion > 0.0 {
                Motion { length: dice.random_range(0.0..=bad * changes.motion), is_upright: dice.random() }
            } else {
                Motion { length: 0.0, is_upright: false }
            },
        }
    }
}

impl Sprite {
    /// `cutout` as it looks in one walk.
    pub(crate) fn of(cutout: &Cutout, changes: &Changes, dice: &mut ChaCha8Rng) -> Self {
        let mut change = Change::draw(changes, dice);
        let mut moments = vec![levels(cutout, &change)];
        for _ in 1..changes.moments {
            change.wear = Wear::draw(changes, dice);
            moments.push(levels(cutout, &change));
        }
        Self { moments }
    }

    /// The smallest level that is no smaller than a face of `face_px`, or the largest there is.
    /// At the moment that `frame` shows.
    pub(crate) fn level_for(&self, face_px: f32, frame: u64) -> &Level {
        // Neighbouring frames show different moments, in no order that repeats soon (Knuth's multiplicative hash).
        let moment = (frame.wrapping_mul(2_654_435_761) >> 16) as usize % self.moments.len();
        let levels = &self.moments[moment];
        levels.iter().rev().find(|level| level.face_px >= face_px).unwrap_or(&levels[0])
    }
}

fn levels(cutout: &Cutout, change: &Change) -> Vec<Level> {
    let Change { wear, tilt, .. } = change;
    let soft = softened(&cutout.rgb, wear);
    let soft = moved(soft, &wear.motion, cutout.face_px);
    let changed = compressed(&lit(&soft, wear), wear.quality);
    let (width, height) = changed.dimensions();
    let mut paint = tilted(&changed, cutout, *tilt);
    let mut levels = Vec::with_capacity(LEVELS);
    for index in 0..LEVELS {
        let scale = STEP.powi(index as i32);
        let to = |px: u32| ((px as f32 * scale).round() as u32).max(4);
        if index > 0 {
            paint = imageops::thumbnail(&paint, to(width), to(height));
        }
        let (across, down) = (paint.width() as f32 / width as f32, paint.height() as f32 / height as f32);
        levels.push(level(&paint, (cutout.face.0 * across, cutout.face.1 * down), cutout.face_px * down));
    }
    levels
}

/// Every pixel the mean of those along the way that the face moved.
fn moved(rgb: RgbImage, motion: &Motion, face_px: f32) -> RgbImage {
    let reach = (motion.length * face_px / 2.0).round() as i64;
    if reach == 0 {
        return rgb;
    }
    let (width, height) = (i64::from(rgb.width()) - 1, i64::from(rgb.height()) - 1);
    RgbImage::from_fn(rgb.width(), rgb.height(), |x, y| {
        let mut sum = [0u32; 3];
        for step in -reach..=reach {
            let (right, down) = if motion.is_upright { (0, step) } else { (step, 0) };
            let (x, y) = ((i64::from(x) + right).clamp(0, width), (i64::from(y) + down).clamp(0, height));
            let Rgb(colour) = rgb.get_pixel(x as u32, y as u32);
            sum.iter_mut().zip(colour).for_each(|(sum, value)| *sum += u32::from(*value));
        }
        Rgb(sum.map(|sum| (sum / (2 * reach as u32 + 1)) as u8))
    })
}

fn softened(rgb: &RgbImage, wear: &Wear) -> RgbImage {
    let (width, height) = rgb.dimensions();
    let to = |px: u32| ((px as f32 * wear.scale).round() as u32).max(4);
    let small = imageops::thumbnail(rgb, to(width), to(height));
    let full = imageops::resize(&small, width, height, imageops::FilterType::Triangle);
    if wear.blur_px > 0.2 { imageops::fast_blur(&full, wear.blur_px) } else { full }
}

fn lit(rgb: &RgbImage, wear: &Wear) -> RgbImage {
    let table = |gain: f32| -> [u8; 256] {
        std::array::from_fn(|value| {
            let lit = (value as f32 / 255.0).powf(wear.exponent) * gain;
            (lit * 255.0).clamp(0.0, 255.0) as u8
        })
    };
    let [red, green, blue] = wear.gain.map(table);
    let mut lit = rgb.clone();
    for Rgb([r, g, b]) in lit.pixels_mut() {
        (*r, *g, *b) = (red[*r as usize], green[*g as usize], blue[*b as usize]);
    }
    lit
}

fn compressed(rgb: &RgbImage, quality: u8) -> RgbImage {
    let mut bytes = Vec::new();
    let written = JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(rgb);
    written.expect("an RGB picture in memory can be written as JPEG");
    image::load_from_memory(&bytes).expect("what was just written can be read").into_rgb8()
}

/// `rgb` turned by `tilt` about its face, with opacity as the fourth channel and the colours multiplied by it.
fn tilted(rgb: &RgbImage, cutout: &Cutout, tilt: f32) -> image::RgbaImage {
    let (sin, cos) = tilt.sin_cos();
    let (width, height) = (rgb.width() as f32, rgb.height() as f32);
    image::RgbaImage::from_fn(rgb.width(), rgb.height(), |x, y| {
        let (right, down) = (x as f32 - cutout.face.0, y as f32 - cutout.face.1);
        let (right, down) = (right * cos + down * sin, down * cos - right * sin);
        let (x, y) = (right + cutout.face.0, down + cutout.face.1);
        let edge = x.min(y).min(width - 1.0 - x).min(height - 1.0 - y) / (0.04 * cutout.face_px);
        let opacity = outline(right / cutout.face_px, down / cutout.face_px) * edge.clamp(0.0, 1.0);
        if opacity <= 0.0 {
            return image::Rgba([0; 4]);
        }
        let Rgb(colour) = imageops::interpolate_bilinear(rgb, x, y).unwrap_or(Rgb([0; 3]));
        let [r, g, b] = colour.map(|value| (f32::from(value) * opacity).round() as u8);
        image::Rgba([r, g, b, (opacity * 255.0).round() as u8])
    })
}

/// Opacity of head and shoulders, 0..=1, at a place in face heights right of and below the middle of the face.
fn outline(right: f32, down: f32) -> f32 {
    let step = |from: f32, to: f32, at: f32| {
        let t = ((at - from) / (to - from)).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    };
    let head = step(0.0, 0.16, 1.0 - (right / 0.66).hypot((down + 0.08) / 0.84));
    let half_width = 0.40 + 0.66 * step(0.40, 0.95, down);
    let body = step(0.0, 0.12, half_width - right.abs()) * step(0.25, 0.42, down) * (1.0 - step(1.45, 1.85, down));
    head.max(body)
}

/// The planes of a painted level (ITU-R BT.709, limited range).
fn level(paint: &image::RgbaImage, face: (f32, f32), face_px: f32) -> Level {
    let (width, height) = (paint.width() as usize, paint.height() as usize);
    let pixel =
        |x: usize, y: usize| paint.get_pixel(x.min(width - 1) as u32, y.min(height - 1) as u32).0.map(f32::from);
    let byte = |value: f32| value.clamp(0.0, 255.0).round() as u8;
    let mut luma = Layer::new(width, height);
    for y in 0..height {
        for x in 0..width {
            let [r, g, b, a] = pixel(x, y);
            luma.samples.push(byte(16.0 / 255.0 * a + 0.1826 * r + 0.6142 * g + 0.0620 * b));
            luma.opacity.push(a as u8);
        }
    }
    let (mut u, mut v) =
        (Layer::new(width.div_ceil(2), height.div_ceil(2)), Layer::new(width.div_ceil(2), height.div_ceil(2)));
    for y in 0..u.height {
        for x in 0..u.width {
            let four =
                [pixel(2 * x, 2 * y), pixel(2 * x + 1, 2 * y), pixel(2 * x, 2 * y + 1), pixel(2 * x + 1, 2 * y + 1)];
            let [r, g, b, a] = std::array::from_fn(|i| four.iter().map(|pixel| pixel[i]).sum::<f32>() / 4.0);
            u.samples.push(byte(128.0 / 255.0 * a - 0.1006 * r - 0.3386 * g + 0.4392 * b));
            v.samples.push(byte(128.0 / 255.0 * a + 0.4392 * r - 0.3989 * g - 0.0403 * b));
            u.opacity.push(byte(a));
            v.opacity.push(byte(a));
        }
    }
    Level { luma, u, v, face, face_px }
}

impl Layer {
    fn new(width: usize, height: usize) -> Self {
        let samples = width * height;
        Self { width, height, samples: Vec::with_capacity(samples), opacity: Vec::with_capacity(samples) }
    }
}
