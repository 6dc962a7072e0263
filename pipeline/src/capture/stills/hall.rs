//! The empty hall behind a crowd: drawn once, nobody in it.
//!
//! Not a flat colour: a detector that calls a lamp or a door a face should get the chance to.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use usher_models::image::Size;

/// The hall's planes in I420, limited-range BT.709, without padding.
pub(crate) struct Hall {
    pub(crate) luma: Vec<u8>,
    pub(crate) u: Vec<u8>,
    pub(crate) v: Vec<u8>,
}

impl Hall {
    /// A hall of `size`; `seed` moves its lamps, doors and grain.
    pub(crate) fn of(size: Size, seed: u64) -> Self {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        let lamps: Vec<f32> = (0..7).map(|lamp| (lamp as f32 + dice.random_range(0.2..0.8)) / 7.0).collect();
        let doors: Vec<(f32, f32)> = (0..4)
            .map(|door| ((door as f32 + dice.random_range(0.1..0.5)) / 4.0, dice.random_range(0.05..0.09)))
            .collect();
        let (width, height) = (size.width as usize, size.height as usize);
        let mut luma = vec![0; width * height];
        for (y, row) in luma.chunks_exact_mut(width).enumerate() {
            let down = y as f32 / height as f32;
            for (x, value) in row.iter_mut().enumerate() {
                let across = x as f32 / width as f32;
                let light = light_at(across, down, &lamps, &doors) + dice.random_range(-2.5..2.5);
                *value = light.clamp(16.0, 235.0) as u8;
            }
        }
        let (half_width, half_height) = (width.div_ceil(2), height.div_ceil(2));
        let tint = |warm: f32, cold: f32| -> Vec<u8> {
            let row = |y: usize| {
                let down = y as f32 / half_height as f32;
                std::iter::repeat_n((128.0 + warm + (cold - warm) * down) as u8, half_width)
            };
            (0..half_height).flat_map(row).collect()
        };
        Self { luma, u: tint(-9.0, 5.0), v: tint(7.0, -2.0) }
    }
}

fn light_at(across: f32, down: f32, lamps: &[f32], doors: &[(f32, f32)]) -> f32 {
    let wall = 150.0 - 45.0 * (across - 0.5).abs() - 40.0 * down;
    let mut light = match down {
        // Ceiling with a row of lamps.
        _ if down < 0.12 => {
            let lamp = lamps.iter().map(|lamp| (-((across - lamp) * 40.0).powi(2)).exp()).sum::<f32>();
            120.0 + 100.0 * lamp * (-((down - 0.06) * 45.0).powi(2)).exp()
        }
        // Floor with a sheen towards the door.
        _ if down > 0.72 => 70.0 + 50.0 * (1.0 - (across - 0.5).abs() * 2.0) * (1.0 - (down - 0.72) / 0.28),
        _ => wall,
    };
    if (0.22..0.72).contains(&down) {
        for (left, width) in doors {
            let inside = across - left;
            if (0.0..*width).contains(&inside) {
                let frame = inside.min(width - inside) < 0.006;
                light = if frame { 60.0 } else { wall + 35.0 * (inside / width) };
            }
        }
    }
    // Lines of the floor lead to the middle of the hall.
    if down > 0.72 && ((across - 0.5) / (down - 0.45) * 6.0).rem_euclid(1.0) < 0.05 {
        light -= 14.0;
    }
    light
}
