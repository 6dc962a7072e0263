//! Finder patterns: dark, light, dark, light, dark as 1 : 1 : 3 : 1 : 1 along any line through their middle.
//!
//! Where the tone crosses the mean around it is told to a fraction of a pixel, so that modules of less than two pixels
//! still have widths. Tones are sharpened along the line first: defocus that is half a module wide leaves little of
//! the light ring.

use crate::{
    image::Point,
    symbol::level::{Level, MODULE_PX},
};

/// Places that are looked at across the line before a level is given up as hostile. Busy halls have some hundreds.
pub(crate) const LOOKS: usize = 6000;
/// Distinct patterns that are remembered while a level is searched.
const REMEMBERED: usize = 192;
/// Patterns that go on. Two passes have six; stripes and print add some.
pub(crate) const KEPT: usize = 40;
/// How much of the second difference is taken off a tone, in even and odd rows: little is right for large modules and
/// noise, much for small ones out of focus (finder patterns found among 100 rendered passes, `docs/accuracy-pass.md`).
const SHARPENING: [f32; 2] = [1.5, 3.0];

/// A finder pattern as a level shows it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Finder {
    /// The middle, pixels of the level.
    pub(crate) at: Point,
    /// Module, pixels, as measured along rows and columns.
    pub(crate) module: f32,
    /// Rows that showed it.
    pub(crate) hits: u32,
}

/// Rows of a search, kept from frame to frame.
#[derive(Default)]
pub(crate) struct Search {
    means: Vec<f32>,
    values: Vec<f32>,
    /// Places looked at across the line, of the level searched last.
    pub(crate) looks: usize,
}

/// Crossings of a line: the last six places where dark and light change.
struct Crossings {
    at: [f32; 6],
    count: usize,
}

impl Crossings {
    fn push(&mut self, at: f32) {
        self.at.rotate_left(1);
        self.at[5] = at;
        self.count += 1;
    }

    /// Middle and module when the five runs are those of a finder pattern.
    fn pattern(&self) -> Option<(f32, f32)> {
        let runs: [f32; 5] = std::array::from_fn(|i| self.at[i + 1] - self.at[i]);
        let module = (self.at[5] - self.at[0]) / 7.0;
        if self.count < 6 || !(MODULE_PX[0]..=MODULE_PX[1]).contains(&module) {
            return None;
        }
        // Half a module, as ISO/IEC 18004 allows, and what noise moves a crossing by.
        let slack = 0.5 * module + 0.35;
        let single = [0, 1, 3, 4].into_iter().all(|i| (runs[i] - module).abs() < slack);
        let middle = f32::midpoint(self.at[2], self.at[3]);
        (single && (runs[2] - 3.0 * module).abs() < 1.3 * slack).then_some((middle, module))
    }
}

impl Search {
    /// The patterns of `level` into `found`, those that most rows showed first.
    pub(crate) fn run(&mut self, level: &Level, found: &mut Vec<Finder>) {
        found.clear();
        self.looks = 0;
        for y in 0..level.height {
            for span in level.spans(y) {
                self.row(level, y, span.start, span.end, found);
            }
            if self.looks >= LOOKS {
                break;
            }
        }
        found.retain(|finder| finder.hits >= 2);
        found.sort_by_key(|finder| std::cmp::Reverse(finder.hits));
        found.truncate(KEPT);
    }

    fn row(&mut self, level: &Level, y: usize, from: usize, to: usize, found: &mut Vec<Finder>) {
        let sharpening = SHARPENING[y % 2];
        self.means.resize(to - from, 0.0);
        level.means(y, from, &mut self.means);
        let tones = &level.tone[y * level.width..][from..to];
        self.values.clear();
        self.values.extend(tones.windows(3).zip(&self.means[1..]).map(|(window, mean)| {
            let [a, b, c] = [window[0], window[1], window[2]].map(f32::from);
            b - mean + sharpening * (b - f32::midpoint(a, c))
        }));
        // The first pixels of the last runs, by number of the run. Most runs are ruled out by whole pixels.
        let (mut starts, mut run, mut dark) = ([0_usize; 8], 0_usize, false);
        for i in 0..self.values.len() {
            if (self.values[i] < 0.0) == dark {
                continue;
            }
            dark = !dark;
            run += 1;
            starts[run % 8] = i;
            if dark || run < 6 {
                continue;
            }
            let start: [usize; 6] = std::array::from_fn(|k| starts[(run + 3 + k) % 8]);
            if !roughly(&start) || self.looks == LOOKS {
                continue;
            }
            let at = start.map(|i| {
                let (last, value) = (self.values[i.saturating_sub(1)], self.values[i]);
                // Pixel `i` of the values is the one after `i` of the span.
                (from + i) as f32 + if i == 0 { 0.0 } else { last / (last - value) }
            });
            if let Some((x, module)) = (Crossings { at, count: 6 }).pattern() {
                self.looks += 1;
                if let Some((y, upright)) = across(level, x, y as f32, module, sharpening) {
                    remember(found, x, y, f32::midpoint(module, upright));
                }
            }
        }
    }
}

/// Whether five runs of whole pixels may be a finder pattern: each is off by less than a pixel.
fn roughly(start: &[usize; 6]) -> bool {
    let module = (start[5] - start[0]) as f32 / 7.0;
    let near = |i: usize, modules: f32| {
        let run = (start[i + 1] - start[i]) as f32;
        (run - modules * module).abs() < modules.sqrt() * (0.5 * module + 0.35) + 1.2
    };
    module > MODULE_PX[0] - 0.15
        && module < MODULE_PX[1] + 0.15
        && near(2, 3.0)
        && [0, 1, 3, 4].into_iter().all(|i| near(i, 1.0))
}

/// The same pattern along the column through (x, y): its middle and module.
fn across(level: &Level, x: f32, y: f32, module: f32, sharpening: f32) -> Option<(f32, f32)> {
    // A pattern turned by 30° about one axis is shorter by an eighth; twice as long or half is something else.
    let reach = (2.0 * 4.5 * module) as i32;
    let (mut crossings, mut last) = (Crossings { at: [0.0; 6], count: 0 }, 0.0_f32);
    let mut best: Option<(f32, f32)> = None;
    let mut window = [0.0_f32; 3];
    let first = y as i32 - reach;
    for (i, row) in (first..=y as i32 + reach).enumerate() {
        let Some(tone) = level.tone(x, row as f32) else { continue };
        window = [window[1], window[2], tone];
        if i < 2 {
            continue;
        }
        let at = row as f32 - 1.0;
        let value = window[1] - level.mean(x, at) + sharpening * (window[1] - f32::midpoint(window[0], window[2]));
        if (value < 0.0) != (last < 0.0) {
            crossings.push(at - 1.0 + last / (last - value));
            if value >= 0.0
                && let Some((middle, upright)) = crossings.pattern()
                && (middle - y).abs() < 2.0 * module
                && (0.5..2.0).contains(&(upright / module))
                && best.is_none_or(|(other, _)| (middle - y).abs() < (other - y).abs())
            {
                best = Some((middle, upright));
            }
        }
        last = value;
    }
    best
}

/// Adds a sighting to the pattern it belongs to, or begins one.
fn remember(found: &mut Vec<Finder>, x: f32, y: f32, module: f32) {
    let same = |finder: &&mut Finder| {
        (finder.at.x - x).abs() < 2.0 * module && (finder.at.y - y).abs() < 2.0 * module && {
            let ratio = finder.module / module;
            (0.6..1.6).contains(&ratio)
        }
    };
    if let Some(finder) = found.iter_mut().find(same) {
        let share = 1.0 / (finder.hits + 1) as f32;
        finder.at.x += (x - finder.at.x) * share;
        finder.at.y += (y - finder.at.y) * share;
        finder.module += (module - finder.module) * share;
        finder.hits += 1;
    } else if found.len() < REMEMBERED {
        found.push(Finder { at: Point { x, y }, module, hits: 1 });
    }
}
