//! The reader: frames in, codes out.

use crate::{
    image::{Plane, Point, Size},
    symbol::{
        finder::{Finder, KEPT, Search},
        fit::{Fit, Triple, guess, triples},
        level::{Level, tones},
        modules::{Modules, Scale},
        pattern::{Known, VERSIONS, known},
        third::{Pair, pairs},
    },
};
use std::fmt;
use zeroize::Zeroizing;

/// Sizes a frame is searched in: itself, a half, a quarter. Modules of 1.1 to 22 pixels.
const LEVELS: usize = 3;
/// Smallest side of a level, pixels: version 2 with modules of one pixel.
const SMALLEST: usize = 25;
/// Symbols of one level that are refined and sampled, decoded or not.
const REFINED: usize = 16;

/// A code that was read.
pub struct Code {
    /// What it says. A pass has a secret in it: not to be logged, shown or kept.
    pub text: Zeroizing<String>,
    /// Corners of the symbol without its quiet zone, frame pixels: top left, top right, bottom right, bottom left of the
    /// symbol as it is printed.
    pub corners: [Point; 4],
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Code").field("text", &"…").field("corners", &self.corners).finish()
    }
}

/// Reads QR codes of versions 2 to 6 from luma; keeps its buffers from frame to frame.
///
/// What it costs is bounded whatever the picture shows: a pass over the pixels, and per level a fixed number of looks at
/// finder patterns, of fits and of decodings.
pub struct Reader {
    tones: [u8; 256],
    levels: [Level; LEVELS],
    search: Search,
    finders: Vec<Finder>,
    triples: Vec<Triple>,
    pairs: Vec<Pair>,
    modules: Modules,
    /// Refinements that the level may still make.
    left: usize,
    /// Function patterns by version.
    known: Vec<(usize, Vec<Known>)>,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

impl Reader {
    /// A reader; its buffers grow with the first frame.
    #[must_use]
    pub fn new() -> Self {
        Self {
            tones: tones(),
            levels: std::array::from_fn(|_| Level::default()),
            search: Search::default(),
            finders: Vec::new(),
            triples: Vec::new(),
            pairs: Vec::new(),
            modules: Modules::default(),
            left: 0,
            known: VERSIONS.map(|version| (version, known(version))).collect(),
        }
    }

    /// The codes of a frame, each text once. `luma` is 8-bit, of limited or full range; `size` in pixels. A plane that is
    /// smaller than `size` says has no codes.
    ///
    /// A text is what a symbol holds, from whoever held it up: whether it is a pass is the caller's to judge.
    pub fn read(&mut self, luma: Plane<'_>, size: Size) -> Vec<Code> {
        let mut codes: Vec<Code> = Vec::new();
        let (width, height) = (size.width as usize, size.height as usize);
        let rows = height.checked_sub(1).and_then(|rows| rows.checked_mul(luma.stride)?.checked_add(width));
        if width == 0 || luma.stride < width || rows.is_none_or(|bytes| luma.data.len() < bytes) {
            return codes;
        }
        for index in 0..LEVELS {
            let (finer, rest) = self.levels.split_at_mut(index);
            match finer.last() {
                Some(finer) => rest[0].halve(finer),
                None => rest[0].fill(width, height, luma.data.chunks(luma.stride)),
            }
            if rest[0].width.min(rest[0].height) < SMALLEST {
                break;
            }
            rest[0].prepare(&self.tones);
            self.level(index, &mut codes);
        }
        codes
    }

    /// The codes of one level, added to those of the levels before.
    fn level(&mut self, index: usize, codes: &mut Vec<Code>) {
        self.search.run(&self.levels[index], &mut self.finders);
        let frame = |p: Point| {
            let scale = f32::from(1_u8 << index);
            Point { x: (p.x + 0.5) * scale - 0.5, y: (p.y + 0.5) * scale - 0.5 }
        };
        self.finders.retain(|finder| !codes.iter().any(|code| inside(&code.corners, frame(finder.at))));
        let mut used = [false; KEPT];
        self.left = REFINED;
        triples(&self.finders, &mut self.triples);
        for at in 0..self.triples.len() {
            let triple = self.triples[at];
            if triple.of.iter().all(|i| !used[*i])
                && let Some(code) = self.symbol(index, triple.of.map(|i| self.finders[i].at))
            {
                triple.of.iter().for_each(|i| used[*i] = true);
                keep(codes, code, frame);
            }
        }
        pairs(&self.finders, &mut self.pairs);
        self.left += REFINED / 2;
        for at in 0..self.pairs.len() {
            let pair = self.pairs[at];
            if pair.of.iter().all(|i| !used[*i])
                && let Some(middles) = pair.complete(&self.levels[index], &self.known)
                && let Some(code) = self.symbol(index, middles)
            {
                pair.of.iter().for_each(|i| used[*i] = true);
                keep(codes, code, frame);
            }
        }
    }

    /// The symbol whose finder patterns have these middles.
    fn symbol(&mut self, index: usize, middles: [Point; 3]) -> Option<Code> {
        let level = &self.levels[index];
        let guesses =
            self.known.iter().filter_map(|(version, known)| Some((guess(level, middles, *version, known)?, known)));
        let mut guesses: Vec<(Fit, &Vec<Known>)> = guesses.collect();
        guesses.sort_by(|(a, _), (b, _)| b.score.total_cmp(&a.score));
        for (mut fit, known) in guesses.into_iter().take(2) {
            self.left = self.left.checked_sub(1)?;
            fit.refine(level, known);
            let mut scales = [Scale::Tone, Scale::Luma].into_iter();
            if let Some(text) = scales.find_map(|scale| self.modules.text(level, &fit, known, scale)) {
                return Some(Code { text, corners: fit.corners });
            }
        }
        None
    }
}

/// Adds a code of a level, unless its text is there.
fn keep(codes: &mut Vec<Code>, code: Code, frame: impl Fn(Point) -> Point) {
    if codes.iter().all(|other| *other.text != *code.text) {
        codes.push(Code { corners: code.corners.map(frame), ..code });
    }
}

/// Whether `p` lies in the quadrilateral, its corners clockwise as pictures are seen.
fn inside(corners: &[Point; 4], p: Point) -> bool {
    (0..4).all(|i| {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        (b.x - a.x) * (p.y - a.y) - (b.y - a.y) * (p.x - a.x) >= 0.0
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::symbol::{finder::LOOKS, fit::TRIPLES, third::PAIRS};
    use proptest::prelude::*;
    use qrcode::{Color, EcLevel, QrCode, Version};

    const PASS: &str = "HTTPS://USHER.LOCAL:8443/P#ABCDEFGHIJKLMNOPQRSTUVWXYZ";

    /// A symbol of `version`, `module` pixels a module, upright on white, its corner at (`left`, `top`).
    fn drawn(text: &str, size: Size, version: i16, module: usize, [left, top]: [usize; 2]) -> Vec<u8> {
        let code = QrCode::with_version(text, Version::Normal(version), EcLevel::L).unwrap();
        let mut luma = vec![200; (size.width * size.height) as usize];
        for y in 0..code.width() * module {
            for x in 0..code.width() * module {
                if code[(x / module, y / module)] == Color::Dark {
                    luma[(top + y) * size.width as usize + left + x] = 30;
                }
            }
        }
        luma
    }

    fn read(luma: &[u8], size: Size) -> Vec<Code> {
        Reader::new().read(Plane { data: luma, stride: size.width as usize }, size)
    }

    #[test]
    fn a_clean_symbol_is_read_where_it_is() {
        let size = Size { width: 640, height: 480 };
        for (version, module) in [(3, 2), (3, 3), (3, 5), (3, 7), (3, 12), (4, 3), (5, 4), (6, 2), (6, 9)] {
            let codes = read(&drawn(PASS, size, version, module, [40, 30]), size);
            assert_eq!(codes.len(), 1, "version {version}, {module} pixels a module");
            assert_eq!(*codes[0].text, PASS);
            let side = ((17 + 4 * version) as usize * module) as f32;
            let expected = [(0.0, 0.0), (side, 0.0), (side, side), (0.0, side)];
            for (corner, (x, y)) in codes[0].corners.iter().zip(expected) {
                let off = (corner.x - x - 39.5).hypot(corner.y - y - 29.5);
                assert!(off < 0.5 * module as f32 + 0.5, "{corner:?} is {off} pixels off");
            }
        }
    }

    #[test]
    fn a_turned_symbol_is_read_and_its_corners_turn_with_it() {
        let size = Size { width: 200, height: 200 };
        let mut luma = drawn(PASS, size, 3, 3, [50, 60]);
        luma.reverse();
        let codes = read(&luma, size);
        assert_eq!(codes.iter().map(|code| code.text.as_str()).collect::<Vec<_>>(), [PASS]);
        assert!((codes[0].corners[0].x - 149.5).abs() < 1.5 && (codes[0].corners[0].y - 139.5).abs() < 1.5);
    }

    #[test]
    fn a_picture_without_a_code_gives_none() {
        let size = Size { width: 320, height: 240 };
        let pictures: [fn(usize) -> u8; 4] =
            [|_| 0, |_| 255, |i| (i % 320 / 2) as u8, |i| if (i / 320 / 3 + i % 320 / 3) % 2 == 0 { 30 } else { 200 }];
        for picture in pictures {
            let luma: Vec<u8> = (0..320 * 240).map(picture).collect();
            assert!(read(&luma, size).is_empty());
        }
    }

    #[test]
    fn a_plane_smaller_than_its_size_has_no_codes() {
        let size = Size { width: 640, height: 480 };
        let luma = drawn(PASS, size, 3, 4, [40, 30]);
        let mut reader = Reader::new();
        for (bytes, stride) in [(luma.len() - 1, 640), (luma.len(), 639), (luma.len(), 641), (0, 0), (0, usize::MAX)] {
            assert!(reader.read(Plane { data: &luma[..bytes], stride }, size).is_empty());
        }
        assert!(reader.read(Plane { data: &luma, stride: 640 }, Size { width: 0, height: 0 }).is_empty());
        assert_eq!(reader.read(Plane { data: &luma, stride: 640 }, size).len(), 1);
    }

    #[test]
    fn a_picture_full_of_finder_patterns_costs_no_more_than_is_allowed() {
        let mut reader = Reader::new();
        for (module, pitch) in [(2, 8), (2, 11), (3, 9), (4, 8), (4, 11)] {
            let luma: Vec<u8> = (0..1280 * 720)
                .map(|i| {
                    let [x, y]: [i32; 2] = [i % 1280, i / 1280].map(|v| v / module % pitch - 4);
                    if matches!(x.abs().max(y.abs()), 0 | 1 | 3) { 30 } else { 200 }
                })
                .collect();
            for index in 0..LEVELS {
                let (finer, rest) = reader.levels.split_at_mut(index);
                match finer.last() {
                    Some(finer) => rest[0].halve(finer),
                    None => rest[0].fill(1280, 720, luma.chunks(1280)),
                }
                rest[0].prepare(&reader.tones);
                let mut codes = Vec::new();
                reader.level(index, &mut codes);
                assert!(codes.is_empty());
                assert!(reader.search.looks <= LOOKS && reader.finders.len() <= KEPT);
                assert!(reader.triples.len() <= TRIPLES && reader.pairs.len() <= PAIRS);
                if index == 0 {
                    assert_eq!(reader.finders.len(), KEPT, "the picture is not as hostile as it is meant to be");
                }
            }
        }
    }

    #[test]
    fn two_passes_are_read_at_once_and_one_seen_twice_is_one() {
        let size = Size { width: 640, height: 300 };
        for (text, count) in [(PASS, 1), ("HTTPS://USHER.LOCAL:8443/P#234567ABCDEFGHIJKLMNOPQRST", 2)] {
            let mut luma = drawn(PASS, size, 3, 3, [40, 30]);
            let other = drawn(text, size, 4, 4, [300, 60]);
            luma.iter_mut().zip(other).for_each(|(a, b)| *a = b.min(*a));
            let codes = read(&luma, size);
            assert_eq!(codes.len(), count);
            assert!(codes.iter().any(|code| *code.text == PASS) && codes.iter().any(|code| *code.text == text));
        }
    }

    #[test]
    fn debug_shows_no_text() {
        let code = Code { text: Zeroizing::new(PASS.to_owned()), corners: [Point::default(); 4] };
        let shown = format!("{code:?}");
        assert!(!shown.contains("HTTPS") && !shown.contains("ABC") && shown.contains('…'), "{shown}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn whatever_the_picture_shows_nothing_panics(
            width in 1_u32..150, height in 1_u32..150, gap in 0_usize..5, seed in any::<u64>(), cell in 1_usize..6,
        ) {
            let stride = width as usize + gap;
            let luma: Vec<u8> = (0..stride * height as usize)
                .map(|i| {
                    let at = (i % stride / cell + i / stride / cell * 977) as u64;
                    (at.wrapping_add(seed).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 33) as u8
                })
                .collect();
            let codes = Reader::new().read(Plane { data: &luma, stride }, Size { width, height });
            prop_assert!(codes.is_empty());
        }
    }
}
