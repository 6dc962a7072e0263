//! The third finder pattern where the search saw two.
//!
//! In shade and out of focus one of three is easily lost: its light ring is a few grey levels high. Two tell where to
//! look and how large it is, and a template sees what five runs do not.

use crate::{
    image::Point,
    symbol::{
        finder::Finder,
        fit::{Projection, affine, score},
        level::Level,
        pattern::{FINDER, Known, modules},
    },
};

/// Places that are searched in one level.
pub(crate) const PAIRS: usize = 12;
/// How far from where an untilted symbol has it, and in which steps; shares of the distance of the two that were found,
/// steps of which there are twenty two in version 3. Two turns by 30° move it by a third.
const REACH: (i16, f32) = (10, 0.034);
/// What the template must score.
const SEEN: f32 = 0.4;

/// Two finder patterns and where a third may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pair {
    /// Places in the list of finder patterns.
    pub(crate) of: [usize; 2],
    /// Top left, top right, bottom left.
    middles: [Point; 3],
    /// Which of the middles is guessed.
    missing: usize,
    hits: u32,
}

/// The pairs that most rows showed.
pub(crate) fn pairs(finders: &[Finder], pairs: &mut Vec<Pair>) {
    pairs.clear();
    for (i, p) in finders.iter().enumerate() {
        for (j, q) in finders.iter().enumerate() {
            let (x, y) = (q.at.x - p.at.x, q.at.y - p.at.y);
            let (module, sizes) = (f32::midpoint(p.module, q.module), p.module / q.module);
            let hits = p.hits.min(q.hits);
            let long = x.hypot(y) / module;
            if i == j || hits < 3 || !(0.6..1.7).contains(&sizes) || !(11.0..50.0).contains(&long) {
                continue;
            }
            let at = |x: f32, y: f32| Point { x: p.at.x + x, y: p.at.y + y };
            // Clockwise quarter turns, as pictures are seen.
            for (missing, middles) in [
                (2, [p.at, q.at, at(-y, x)]),
                (1, [p.at, at(y, -x), q.at]),
                (0, [at((x - y) / 2.0, f32::midpoint(x, y)), p.at, q.at]),
            ] {
                pairs.push(Pair { of: [i, j], middles, missing, hits });
            }
        }
    }
    pairs.sort_by_key(|pair| std::cmp::Reverse(pair.hits));
    pairs.truncate(PAIRS);
}

impl Pair {
    /// The middles, the guessed one moved to where a finder pattern is seen.
    pub(crate) fn complete(&self, level: &Level, known: &[(usize, Vec<Known>)]) -> Option<[Point; 3]> {
        let part = |known: &'_ [Known], part: usize| known[part * FINDER..(part + 1) * FINDER].to_vec();
        // The two that were found tell the version: it says how wide a module is.
        let seen = |(version, known): &(usize, Vec<Known>)| {
            let projection = Projection::new(modules(*version), &affine(self.middles, *version));
            let parts = (0..3).filter(|i| *i != self.missing);
            parts.map(|i| score(level, &projection, &part(known, i))).sum::<f32>()
        };
        let scores = known.iter().map(|of| (of, seen(of)));
        let (version, known) = scores.max_by(|(_, a), (_, b)| a.total_cmp(b))?.0;
        let template = part(known, self.missing);
        let [a, b] = match self.missing {
            0 => [1, 2],
            1 => [0, 2],
            _ => [0, 1],
        }
        .map(|i: usize| self.middles[i]);
        let (steps, share) = REACH;
        let stride = (a.x - b.x).hypot(a.y - b.y) * share;
        let (mut best, mut middles) = (SEEN, None);
        for (u, v) in (-steps..=steps).flat_map(|u| (-steps..=steps).map(move |v| (u, v))) {
            let mut moved = self.middles;
            moved[self.missing].x += f32::from(u) * stride;
            moved[self.missing].y += f32::from(v) * stride;
            let score = score(level, &Projection::new(modules(*version), &affine(moved, *version)), &template);
            if score > best {
                (best, middles) = (score, Some(moved));
            }
        }
        middles
    }
}
