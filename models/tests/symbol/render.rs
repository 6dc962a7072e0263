//! A pass as a gate camera takes it: pinhole, shade, defocus, motion, noise, JPEG.

use qrcode::{Color, EcLevel, QrCode};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f32::consts::PI;
use usher_models::image::Size;

/// What carries the symbol.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Pass {
    /// A white card of A6 (105 mm × 148 mm), quiet zone of four modules and more.
    Card,
    /// A telephone, black around the screen: 1.2 modules of quiet zone at 60 mm, as a 68 mm screen leaves.
    Phone,
}

/// A camera and a pass before it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scene {
    pub(crate) pass: Pass,
    /// Side of the symbol without its quiet zone, mm.
    pub(crate) side_mm: f32,
    /// Horizontal field of view, degrees.
    pub(crate) view_deg: f32,
    /// Picture, pixels.
    pub(crate) size: Size,
    /// From the camera, mm.
    pub(crate) distance_mm: f32,
    /// Largest yaw, pitch and roll, degrees.
    pub(crate) tilt_deg: f32,
    /// Whether a shadow's edge runs across the symbol.
    pub(crate) shade: bool,
    /// Ranges of defocus σ (px), motion (px), noise σ (grey levels), JPEG quality.
    pub(crate) defocus_px: [f32; 2],
    pub(crate) motion_px: [f32; 2],
    pub(crate) noise: [f32; 2],
    pub(crate) quality: [f32; 2],
}

impl Scene {
    /// 1.5 m before a 50° lens, 1280 × 720: 915 pixels a metre.
    pub(crate) fn at_the_gate(pass: Pass) -> Self {
        Self {
            pass,
            side_mm: if pass == Pass::Card { 80.0 } else { 60.0 },
            view_deg: 50.0,
            size: Size { width: 1280, height: 720 },
            distance_mm: 1500.0,
            tilt_deg: 30.0,
            shade: false,
            defocus_px: [0.4, 0.9],
            motion_px: [0.0, 1.0],
            noise: [2.0, 5.0],
            quality: [70.0, 90.0],
        }
    }
}

/// A luma plane and what is in it.
pub(crate) struct Picture {
    pub(crate) luma: Vec<u8>,
    pub(crate) text: String,
    /// The symbol's corners, from its top left, as it is seen upright: top left, top right, bottom right, bottom left.
    pub(crate) corners: [[f32; 2]; 4],
    /// Yaw, pitch, roll in degrees.
    pub(crate) tilt_deg: [f32; 3],
}

/// The text of a pass: upper case, so that all but `#` is alphanumeric.
pub(crate) fn text(random: &mut ChaCha8Rng, host: &str) -> String {
    const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let secret: String = (0..26).map(|_| char::from(BASE32[random.random_range(0..32)])).collect();
    format!("HTTPS://{host}/P#{secret}")
}

/// The symbol of the smallest version, with the most error correction that this version leaves room for.
pub(crate) fn symbol(text: &str) -> QrCode {
    let of = |level| QrCode::with_error_correction_level(text, level).expect("a pass fits into a symbol");
    let smallest = of(EcLevel::L);
    let better = [EcLevel::H, EcLevel::Q, EcLevel::M].map(of);
    better.into_iter().find(|code| code.version() == smallest.version()).unwrap_or(smallest)
}

fn between(random: &mut ChaCha8Rng, [low, high]: [f32; 2]) -> f32 {
    low + (high - low) * random.random::<f32>()
}

fn normal(random: &mut ChaCha8Rng) -> f32 {
    let (u, v) = (1.0 - random.random::<f32>(), random.random::<f32>());
    (-2.0 * u.ln()).sqrt() * (2.0 * PI * v).cos()
}

/// A hall full of edges: rectangles, bars as of shelves and shirts, discs, print, with noise and JPEG.
pub(crate) fn background(size: Size, seed: u64) -> Vec<u8> {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let (width, height) = (size.width as usize, size.height as usize);
    let slope = between(random, [-40.0, 40.0]);
    let mut picture: Vec<f32> =
        (0..width * height).map(|i| 110.0 + slope * ((i % width) as f32 / width as f32 - 0.5)).collect();
    for _ in 0..220 {
        let (w, h) = (random.random_range(8..260), random.random_range(8..260));
        let (left, top) = (random.random_range(0..width), random.random_range(0..height));
        let (one, two) = (between(random, [16.0, 220.0]), between(random, [16.0, 220.0]));
        let (kind, period) = (random.random_range(0..4), random.random_range(2..14));
        for y in top..(top + h).min(height) {
            for x in left..(left + w).min(width) {
                let (dx, dy) = (x - left, y - top);
                let first = match kind {
                    0 => true,
                    1 => (dx / period) % 2 == 0,
                    2 => ((dx / period) * 7919 + (dy / period) * 104_729 + dx / period * dy / period) % 5 < 2,
                    _ => (dx as f32 / w as f32 - 0.5).hypot(dy as f32 / h as f32 - 0.5) < 0.5,
                };
                if first || kind < 3 {
                    picture[y * width + x] = if first { one } else { two };
                }
            }
        }
    }
    let area = [0, 0, width, height];
    blur(&mut picture, area, 0.6);
    picture.iter_mut().for_each(|v| *v += 3.0 * normal(random));
    compress(&mut picture, area, 85.0);
    picture.iter().map(|v| v.round().clamp(0.0, 255.0) as u8).collect()
}

/// `background` with the pass of `scene` before it.
pub(crate) fn picture(scene: &Scene, background: &[u8], host: &str, seed: u64) -> Picture {
    let random = &mut ChaCha8Rng::seed_from_u64(seed);
    let text = text(random, host);
    let code = symbol(&text);
    let (modules, colours) = (code.width() as i32, code.to_colors());
    let tilt = [(); 3].map(|()| between(random, [-scene.tilt_deg, scene.tilt_deg]));
    let [yaw, pitch, roll] = tilt.map(f32::to_radians);
    let (width, height) = (scene.size.width as f32, scene.size.height as f32);
    let focal = width / 2.0 / (scene.view_deg / 2.0).to_radians().tan();
    // Rotation: roll about the axis, then pitch, then yaw. Columns are the pass's right, down, normal.
    let (sy, cy, sp, cp, sr, cr) = (yaw.sin(), yaw.cos(), pitch.sin(), pitch.cos(), roll.sin(), roll.cos());
    let turned = |x: f32, y: f32| {
        let (x, y) = (cr * x - sr * y, sr * x + cr * y);
        let (y, z) = (cp * y, sp * y);
        [cy * x + sy * z, y, -sy * x + cy * z]
    };
    let (right, down) = (turned(1.0, 0.0), turned(0.0, 1.0));
    let room = 0.75 * scene.side_mm * focal / scene.distance_mm + 8.0;
    let middle = [between(random, [room, width - room]), between(random, [room, height - room])];
    let centre = [
        (middle[0] - width / 2.0) / focal * scene.distance_mm,
        (middle[1] - height / 2.0) / focal * scene.distance_mm,
        scene.distance_mm,
    ];
    let pixel = |u: f32, v: f32| {
        let p: [f32; 3] = std::array::from_fn(|i| centre[i] + right[i] * u + down[i] * v);
        [p[0] / p[2] * focal + width / 2.0 - 0.5, p[1] / p[2] * focal + height / 2.0 - 0.5]
    };
    let half = scene.side_mm / 2.0;
    let (half_width, half_height, screen) = match scene.pass {
        Pass::Card => (half * 105.0 / 80.0, half * 148.0 / 80.0, f32::INFINITY),
        Pass::Phone => (half * 72.0 / 60.0, half * 146.0 / 60.0, half * 68.0 / 60.0),
    };
    let outline = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    let card = outline.map(|(u, v)| pixel(u * half_width, v * half_height));
    // On the grid of JPEG's blocks, so that a compressed cut is the same as a compressed frame.
    let near = |axis: usize| card.iter().fold(f32::MAX, |least, p| least.min(p[axis] - 6.0)).max(0.0) as usize / 8 * 8;
    let far = |axis: usize, limit: u32| {
        let edge = card.iter().fold(0.0, |most: f32, p| most.max(p[axis] + 6.0)) as usize;
        edge.min(limit as usize).div_ceil(8) * 8
    };
    let area = [near(0), near(1), far(0, scene.size.width), far(1, scene.size.height)];
    let angle = between(random, [0.0, 2.0 * PI]);
    let (edge_u, edge_v, offset) = (angle.cos(), angle.sin(), between(random, [-0.4, 0.4]) * scene.side_mm);
    let ratio = between(random, [0.35, 0.5]);
    let soft_mm = if random.random::<bool>() { 0.5 } else { between(random, [4.0, 30.0]) };
    let lit = |u: f32, v: f32| {
        let share = ((u * edge_u + v * edge_v - offset) / soft_mm + 0.5).clamp(0.0, 1.0);
        if scene.shade { ratio + (1.0 - ratio) * share } else { 1.0 }
    };
    let module = scene.side_mm / modules as f32;
    // None beside the pass; else the luma.
    let drawn = |x: f32, y: f32| {
        let ray = [(x + 0.5 - width / 2.0) / focal, (y + 0.5 - height / 2.0) / focal, 1.0];
        let normal = turned_normal(right, down);
        let depth = dot(normal, centre) / dot(normal, ray);
        let at: [f32; 3] = std::array::from_fn(|i| ray[i] * depth - centre[i]);
        let (u, v) = (dot(at, right), dot(at, down));
        if u.abs() > half_width || v.abs() > half_height {
            return None;
        }
        let (column, row) = (((u + half) / module).floor() as i32, ((v + half) / module).floor() as i32);
        let inside = (0..modules).contains(&column) && (0..modules).contains(&row);
        let dark = u.abs() > screen
            || v.abs() > half_height * 0.93
            || inside && colours[(row * modules + column) as usize] == Color::Dark;
        Some(lit(u, v) * if dark { 30.0 } else { 200.0 })
    };
    let (motion, heading) = (between(random, scene.motion_px), between(random, [0.0, PI]));
    let [left, top, end, bottom] = area;
    let stride = scene.size.width as usize;
    let mut cut = Vec::with_capacity((end - left) * (bottom - top));
    for y in top..bottom {
        for x in left..end {
            let behind = f32::from(background[y * stride + x]);
            let sum: f32 = (0..16)
                .map(|i: u8| {
                    // A 4 × 4 raster over the pixel; its sixteen samples are spread over the exposure as well.
                    let time = f32::from((i * 7) % 16) / 15.0 - 0.5;
                    let (dx, dy) = (f32::from(i % 4) / 4.0 - 0.375, f32::from(i / 4) / 4.0 - 0.375);
                    let (mx, my) = (motion * time * heading.cos(), motion * time * heading.sin());
                    drawn(x as f32 + dx + mx, y as f32 + dy + my).unwrap_or(behind)
                })
                .sum();
            cut.push(sum / 16.0);
        }
    }
    let whole = [0, 0, end - left, bottom - top];
    blur(&mut cut, whole, between(random, scene.defocus_px));
    let noise = between(random, scene.noise);
    cut.iter_mut().for_each(|v| *v = (*v + noise * normal(random)).round().clamp(0.0, 255.0));
    compress(&mut cut, whole, between(random, scene.quality));
    let mut luma = background.to_vec();
    for (row, y) in cut.chunks_exact(end - left).zip(top..bottom) {
        for (v, x) in row.iter().zip(left..end) {
            luma[y * stride + x] = v.round().clamp(0.0, 255.0) as u8;
        }
    }
    let corners = outline.map(|(u, v)| pixel(u * half, v * half));
    Picture { luma, text, corners, tilt_deg: tilt }
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn turned_normal(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

/// Gaussian, σ in pixels; edges repeat.
fn blur(picture: &mut [f32], [_, _, width, height]: [usize; 4], sigma: f32) {
    let weights: Vec<f32> = (-3..=3).map(|i| (-(i * i) as f32 / (2.0 * sigma * sigma)).exp()).collect();
    let total: f32 = weights.iter().sum();
    let mut line = Vec::new();
    let mut along = |picture: &mut [f32], start: usize, step: usize, count: usize| {
        line.clear();
        line.extend((0..count).map(|i| picture[start + i * step]));
        for i in 0..count {
            let sum: f32 = (0..7).map(|k| weights[k] * line[(i + k).clamp(3, count + 2) - 3]).sum();
            picture[start + i * step] = sum / total;
        }
    };
    (0..height).for_each(|y| along(picture, y * width, 1, width));
    (0..width).for_each(|x| along(picture, x, width, height));
}

/// What baseline JPEG leaves of luma: 8 × 8 DCT, quantised with table K.1 of ITU-T T.81 scaled as libjpeg does.
fn compress(picture: &mut [f32], [_, _, width, height]: [usize; 4], quality: f32) {
    const TABLE: [u8; 64] = [
        16, 11, 10, 16, 24, 40, 51, 61, 12, 12, 14, 19, 26, 58, 60, 55, 14, 13, 16, 24, 40, 57, 69, 56, 14, 17, 22, 29,
        51, 87, 80, 62, 18, 22, 37, 56, 68, 109, 103, 77, 24, 35, 55, 64, 81, 104, 113, 92, 49, 64, 78, 87, 103, 121,
        120, 101, 72, 92, 95, 98, 112, 100, 103, 99,
    ];
    let scale = if quality < 50.0 { 50.0 / quality } else { 2.0 - quality / 50.0 };
    let wave: [[f32; 8]; 8] = std::array::from_fn(|k| {
        let norm = if k == 0 { 0.125_f32.sqrt() } else { 0.5 };
        std::array::from_fn(|i| norm * ((2 * i + 1) as f32 * k as f32 * PI / 16.0).cos())
    });
    // T·B·Tᵀ with T the wave or its transpose.
    let both = |block: [[f32; 8]; 8], forth: bool| {
        let t = |k: usize, i: usize| if forth { wave[k][i] } else { wave[i][k] };
        let mut half = [[0.0_f32; 8]; 8];
        for (k, row) in half.iter_mut().enumerate() {
            for (i, from) in block.iter().enumerate() {
                row.iter_mut().zip(from).for_each(|(v, b)| *v += t(k, i) * b);
            }
        }
        let mut full = [[0.0_f32; 8]; 8];
        for (from, row) in half.iter().zip(&mut full) {
            for (k, v) in row.iter_mut().enumerate() {
                *v = (0..8).map(|i| t(k, i) * from[i]).sum();
            }
        }
        full
    };
    for top in (0..height / 8 * 8).step_by(8) {
        for left in (0..width / 8 * 8).step_by(8) {
            let at = |y: usize, x: usize| (top + y) * width + left + x;
            let block = std::array::from_fn(|y| std::array::from_fn(|x| picture[at(y, x)] - 128.0));
            let mut waves = both(block, true);
            for (i, v) in waves.iter_mut().flatten().enumerate() {
                let step = (f32::from(TABLE[i]) * scale).round().max(1.0);
                *v = (*v / step).round() * step;
            }
            for (y, row) in both(waves, false).into_iter().enumerate() {
                (0..8).for_each(|x| picture[at(y, x)] = row[x] + 128.0);
            }
        }
    }
}
