//! The modules of a symbol that was found, and its text.
//!
//! Where a module is two pixels wide, defocus, motion and compression mix it with its neighbours. How they do is the
//! same all over the symbol, and some three hundred modules are known beforehand: from them an equaliser is
//! learnt for each symbol (least squares, as is usual for modems) that takes the neighbours' share off again.

use crate::symbol::{
    fit::{Fit, Projection},
    level::Level,
    pattern::{Known, modules},
};
use rqrr::{BitGrid, Grid};
use zeroize::Zeroizing;

/// Neighbours that the equaliser sees, the module itself in the middle, and a constant.
const TAPS: usize = 10;
/// Pull towards no equaliser, in modules that would say so.
const RIDGE: f64 = 6.0;
/// Share of the known modules that may come out wrong. With more, data would be wrong beyond correction: what decodes
/// then is chance.
const WRONG: f32 = 0.12;
/// Most bytes a symbol of version 6 holds, as text: 322 digits (ISO/IEC 18004, table 7).
const TEXT: usize = 512;
/// How `rqrr` tells error correction level L (ISO/IEC 18004, table 12).
const LEVEL_L: u16 = 0b01;

/// In which the equaliser works.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Scale {
    /// Logarithm of the grey level: the edge of a hard shadow does least.
    Tone,
    /// Grey level over its mean around: blur is linear.
    Luma,
}

/// Modules as numbers, and room to compute them. Kept from frame to frame.
#[derive(Default)]
pub(crate) struct Modules {
    side: usize,
    /// `(side + 2, side + 2)`, a ring of the quiet zone around.
    seen: Vec<f32>,
    flat: Vec<f32>,
    /// `(side, side)`, light above 0.
    light: Vec<f32>,
}

/// Colours for `rqrr`; `turned` is a module that is told wrong on purpose.
struct Colours<'a> {
    side: usize,
    light: &'a [f32],
    turned: Option<usize>,
}

impl BitGrid for Colours<'_> {
    fn size(&self) -> usize {
        self.side
    }

    fn bit(&self, y: usize, x: usize) -> bool {
        let at = y * self.side + x;
        (self.light[at] < 0.0) != (self.turned == Some(at))
    }
}

impl Modules {
    /// The text of the symbol at `fit`, if it can be told.
    pub(crate) fn text(
        &mut self,
        level: &Level,
        fit: &Fit,
        known: &[Known],
        scale: Scale,
    ) -> Option<Zeroizing<String>> {
        self.side = modules(fit.version);
        self.sample(level, &Projection::new(self.side, &fit.corners), scale);
        self.flatten(scale);
        let wrong = self.equalise(known);
        if wrong > WRONG * known.len() as f32 {
            return None;
        }
        let (text, correction) = self.decode(None)?;
        (correction != LEVEL_L || self.sure()).then_some(text)
    }

    /// Whether the text stays the same with one module more told wrong, wherever it is.
    ///
    /// Level L of a small symbol corrects seven codewords or fewer; one in some thousand random symbols is within that of
    /// a valid one, but hardly any is within less.
    fn sure(&self) -> bool {
        let Some((text, _)) = self.decode(None) else { return false };
        let middle = self.side * self.side / 2;
        let mut turned = [1, self.side / 3, self.side / 2 - 1].into_iter();
        turned.all(|shift| self.decode(Some(middle + shift)).is_some_and(|(again, _)| *again == *text))
    }

    fn sample(&mut self, level: &Level, projection: &Projection, scale: Scale) {
        let picture = if scale == Scale::Tone { &level.tone } else { &level.luma };
        let side = self.side as i32;
        self.seen.clear();
        for v in -1..=side {
            for u in -1..=side {
                let at = projection.pixel(u as f32 + 0.5, v as f32 + 0.5);
                self.seen.push(cubic(picture, level.width, level.height, at.x, at.y));
            }
        }
    }

    /// Takes the light off: each module against the mean of the seven by seven around it.
    fn flatten(&mut self, scale: Scale) {
        let row = self.side + 2;
        self.flat.clear();
        for y in 0..row {
            for x in 0..row {
                let (mut sum, mut count) = (0.0, 0.0);
                for v in y.saturating_sub(3)..(y + 4).min(row) {
                    for seen in &self.seen[v * row + x.saturating_sub(3)..v * row + (x + 4).min(row)] {
                        sum += seen;
                        count += 1.0;
                    }
                }
                let (seen, mean) = (self.seen[y * row + x], sum / count);
                self.flat.push(if scale == Scale::Tone { seen - mean } else { (seen - mean) / (mean + 8.0) });
            }
        }
        let power: f32 = self.flat.iter().map(|v| v * v).sum::<f32>() / self.flat.len() as f32;
        let gain = 1.0 / power.sqrt().max(1e-6);
        self.flat.iter_mut().for_each(|v| *v *= gain);
    }

    /// Learns the equaliser from the known modules and applies it; how many of them it still gets wrong.
    fn equalise(&mut self, known: &[Known]) -> f32 {
        let mut equations = [[0.0_f64; TAPS + 1]; TAPS];
        for (i, row) in equations.iter_mut().enumerate() {
            row[i] = RIDGE;
            row[TAPS] = if i == 4 { RIDGE } else { 0.0 };
        }
        let inside = |module: &&Known| module.at.iter().all(|v| (0..self.side as i8).contains(v));
        let target = |module: &Known| if module.dark { -1.0 } else { 1.0 };
        for module in known.iter().filter(inside) {
            let [x, y] = module.at.map(|v| v as usize);
            let taps = self.taps(x, y).map(f64::from);
            for (row, tap) in equations.iter_mut().zip(taps) {
                for (sum, other) in row.iter_mut().zip(taps) {
                    *sum += tap * other;
                }
                row[TAPS] += tap * target(module);
            }
        }
        let weights = solve(equations).map(|v| v as f32);
        self.light.clear();
        for y in 0..self.side {
            for x in 0..self.side {
                let value = self.taps(x, y).iter().zip(weights).map(|(tap, weight)| tap * weight).sum();
                self.light.push(value);
            }
        }
        let wrong = |module: &&Known| {
            let [x, y] = module.at.map(|v| v as usize);
            (self.light[y * self.side + x] < 0.0) != module.dark
        };
        known.iter().filter(inside).filter(wrong).count() as f32
    }

    /// What the equaliser sees of a module.
    fn taps(&self, x: usize, y: usize) -> [f32; TAPS] {
        let row = self.side + 2;
        std::array::from_fn(|i| if i == TAPS - 1 { 1.0 } else { self.flat[(y + i / 3) * row + x + i % 3] })
    }

    /// Text and error correction level. What `rqrr` had on the stack meanwhile is not wiped.
    fn decode(&self, turned: Option<usize>) -> Option<(Zeroizing<String>, u16)> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(TEXT));
        let grid = Grid::new(Colours { side: self.side, light: &self.light, turned });
        let meta = grid.decode_to(&mut *bytes).ok()?;
        let text = std::str::from_utf8(&bytes).ok().filter(|text| !text.is_empty())?;
        Some((Zeroizing::new(text.to_owned()), meta.ecc_level))
    }
}

/// Gauss's elimination; the matrix is positive definite because of the ridge.
fn solve(mut rows: [[f64; TAPS + 1]; TAPS]) -> [f64; TAPS] {
    for i in 0..TAPS {
        let pivot = rows[i];
        for row in &mut rows[i + 1..] {
            let factor = row[i] / pivot[i];
            row.iter_mut().zip(pivot).skip(i).for_each(|(v, p)| *v -= factor * p);
        }
    }
    let mut solution = [0.0; TAPS];
    for i in (0..TAPS).rev() {
        let known: f64 = (i + 1..TAPS).map(|j| rows[i][j] * solution[j]).sum();
        solution[i] = (rows[i][TAPS] - known) / rows[i][i];
    }
    solution
}

/// A sample between pixels (R. Keys, Cubic convolution interpolation, 1981, a = -1/2); the edge repeats.
fn cubic(picture: &[u8], width: usize, height: usize, x: f32, y: f32) -> f32 {
    let weights = |f: f32| {
        let (f2, f3) = (f * f, f * f * f);
        [-0.5 * f3 + f2 - 0.5 * f, 1.5 * f3 - 2.5 * f2 + 1.0, -1.5 * f3 + 2.0 * f2 + 0.5 * f, 0.5 * f3 - 0.5 * f2]
    };
    // What is not finite becomes 0 here.
    let (x, y) = (x.max(0.0).min((width - 1) as f32), y.max(0.0).min((height - 1) as f32));
    let (column, row) = (x as usize, y as usize);
    let (across, down) = (weights(x - column as f32), weights(y - row as f32));
    let at = |v: usize, i: usize, limit: usize| (v + i).saturating_sub(1).min(limit - 1);
    let mut sum = 0.0;
    for (j, wy) in down.into_iter().enumerate() {
        let line = &picture[at(row, j, height) * width..][..width];
        let along: f32 = across.into_iter().enumerate().map(|(i, wx)| wx * f32::from(line[at(column, i, width)])).sum();
        sum += wy * along;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::pattern::VERSIONS;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    #[test]
    fn random_modules_never_panic_and_never_say_anything() {
        let mut random = ChaCha8Rng::seed_from_u64(7);
        for round in 0..300 {
            for version in VERSIONS {
                let side = modules(version);
                let light = (0..side * side).map(|_| random.random::<f32>() - 0.5).collect();
                let modules = Modules { side, light, ..Modules::default() };
                let said = modules.decode(None).is_some_and(|_| modules.sure());
                assert!(!said, "round {round}, version {version}");
            }
        }
    }

    #[test]
    fn the_equaliser_solves_its_equations() {
        let mut rows = [[0.0; TAPS + 1]; TAPS];
        for (i, row) in rows.iter_mut().enumerate() {
            row[i] = 4.0;
            row[(i + 1) % TAPS] += 1.0;
            row[TAPS] = 4.0 * i as f64 + ((i + 1) % TAPS) as f64;
        }
        for (i, v) in solve(rows).into_iter().enumerate() {
            assert!((v - i as f64).abs() < 1e-9, "{v} instead of {i}");
        }
    }
}
