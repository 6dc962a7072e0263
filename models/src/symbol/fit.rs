//! Where a symbol lies: the projection from modules to pixels under which its function patterns are seen best.
//!
//! Three finder patterns give an affine first guess for each version; the alignment pattern gives the perspective; then
//! the four corners are moved, one coordinate at a time, while the known modules agree better. There is no search for
//! edges in it, and so nothing that a module of two pixels could be too small for.

use crate::{
    image::Point,
    symbol::{
        finder::Finder,
        level::Level,
        pattern::{Known, PARTS, modules},
    },
};

/// Triples of finder patterns that are measured. One pass has one good triple.
pub(crate) const TRIPLES: usize = 60;
/// What a first guess must score to be worth refining. True symbols start above .5.
const PLAUSIBLE: f32 = 0.3;
/// Weight of each part in the score: a finder pattern has 81 modules, a timing pattern a dozen, the alignment pattern 25.
const WEIGHTS: [f32; PARTS] = [1.0, 1.0, 1.0, 0.4, 0.4, 0.6];
/// How far the fourth corner is looked for, modules, and in which steps. A symbol of 29 modules held at 0.3 m and tilted
/// by 30° is off by four.
const FOURTH: (i16, f32) = (6, 0.75);
/// Steps of the refinement, modules.
const STEPS: [f32; 5] = [0.5, 0.25, 0.25, 0.12, 0.06];

/// A projective map from modules (0..=side) to pixels of a level.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Projection([f32; 8]);

impl Projection {
    /// The map that takes the corners of a symbol of `side` modules to `corners`: top left, top right, bottom right,
    /// bottom left (P. Heckbert, Fundamentals of texture mapping and image warping, 1989, 2.2.2).
    pub(crate) fn new(side: usize, corners: &[Point; 4]) -> Self {
        let [p, q, r, s] = *corners;
        let (ax, ay, bx, by) = (q.x - r.x, q.y - r.y, s.x - r.x, s.y - r.y);
        let (cx, cy) = (p.x - q.x + r.x - s.x, p.y - q.y + r.y - s.y);
        let area = ax * by - bx * ay;
        let (g, h) = ((cx * by - bx * cy) / area, (ax * cy - cx * ay) / area);
        let n = 1.0 / side as f32;
        let (gn, hn) = (g * n, h * n);
        Self([
            (q.x - p.x) * n + gn * q.x,
            (s.x - p.x) * n + hn * s.x,
            p.x,
            (q.y - p.y) * n + gn * q.y,
            (s.y - p.y) * n + hn * s.y,
            p.y,
            gn,
            hn,
        ])
    }

    /// Where a place among the modules is seen. Not finite when the corners span nothing.
    #[inline]
    pub(crate) fn pixel(&self, u: f32, v: f32) -> Point {
        let [a, b, c, d, e, f, g, h] = self.0;
        let w = 1.0 / (g * u + h * v + 1.0);
        Point { x: (a * u + b * v + c) * w, y: (d * u + e * v + f) * w }
    }
}

/// A symbol's place in a level.
#[derive(Clone, Debug)]
pub(crate) struct Fit {
    /// Version of the symbol.
    pub(crate) version: usize,
    /// Top left, top right, bottom right, bottom left; pixels of the level.
    pub(crate) corners: [Point; 4],
    /// How well the function patterns are seen, -1..=1.
    pub(crate) score: f32,
}

/// Three finder patterns that may belong to one symbol: top left, top right, bottom left, as places in the list.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Triple {
    /// Places in the list of finder patterns.
    pub(crate) of: [usize; 3],
    cost: f32,
}

/// The likeliest triples, best first.
pub(crate) fn triples(finders: &[Finder], triples: &mut Vec<Triple>) {
    triples.clear();
    let least = 3.2 * modules(2) as f32 / 7.0; // modules between the middles, less what tilt takes
    for (i, a) in finders.iter().enumerate() {
        for (j, b) in finders.iter().enumerate() {
            let (bx, by) = (b.at.x - a.at.x, b.at.y - a.at.y);
            let long = bx.hypot(by);
            let sizes = ratio(a.module, b.module);
            if i == j || sizes > 1.7 || long < least * a.module || long > 60.0 * a.module {
                continue;
            }
            for (k, c) in finders.iter().enumerate() {
                let (cx, cy) = (c.at.x - a.at.x, c.at.y - a.at.y);
                let other = cx.hypot(cy);
                let (cosine, sine) = ((bx * cx + by * cy) / (long * other), (bx * cy - by * cx) / (long * other));
                let legs = ratio(long, other);
                let sizes = sizes.max(ratio(a.module, c.module));
                // A turn by 30° about each axis leaves legs within 1 : 1.4 and angles within 60°..120°.
                if k == i || k == j || sine < 0.7 || cosine.abs() > 0.7 || legs > 1.8 || sizes > 1.7 {
                    continue;
                }
                let cost = cosine.abs() + (legs - 1.0) + (sizes - 1.0);
                triples.push(Triple { of: [i, j, k], cost });
            }
        }
    }
    triples.sort_by(|a, b| a.cost.total_cmp(&b.cost));
    triples.truncate(TRIPLES);
}

fn ratio(a: f32, b: f32) -> f32 {
    a.max(b) / a.min(b)
}

/// The corners of a symbol whose finder patterns have these middles, seen without perspective.
pub(crate) fn affine([a, b, c]: [Point; 3], version: usize) -> [Point; 4] {
    let side = modules(version) as f32;
    let place = |u: f32, v: f32| Point {
        x: a.x + ((b.x - a.x) * (u - 3.5) + (c.x - a.x) * (v - 3.5)) / (side - 7.0),
        y: a.y + ((b.y - a.y) * (u - 3.5) + (c.y - a.y) * (v - 3.5)) / (side - 7.0),
    };
    [place(0.0, 0.0), place(side, 0.0), place(side, side), place(0.0, side)]
}

/// First guess: the corners that three finder patterns give a symbol of `version`, and how well it is seen there.
pub(crate) fn guess(level: &Level, middles: [Point; 3], version: usize, known: &[Known]) -> Option<Fit> {
    let corners = affine(middles, version);
    let score = score(level, &Projection::new(modules(version), &corners), known);
    (score >= PLAUSIBLE).then_some(Fit { version, corners, score })
}

impl Fit {
    /// Moves the corners to where the function patterns are seen best.
    pub(crate) fn refine(&mut self, level: &Level, known: &[Known]) {
        let side = modules(self.version);
        let step = |a: Point, b: Point| {
            let n = side as f32;
            Point { x: (b.x - a.x) / n, y: (b.y - a.y) / n }
        };
        let (right, down) = (step(self.corners[0], self.corners[1]), step(self.corners[0], self.corners[3]));
        let moved =
            |p: Point, u: f32, v: f32| Point { x: p.x + right.x * u + down.x * v, y: p.y + right.y * u + down.y * v };
        let from = self.corners[2];
        let alignment = &known[known.len() - 25..];
        let (reach, stride) = FOURTH;
        let (mut best, mut fourth) = (f32::MIN, from);
        for (u, v) in (-reach..=reach).flat_map(|u| (-reach..=reach).map(move |v| (u, v))) {
            let (u, v) = (f32::from(u) * stride, f32::from(v) * stride);
            self.corners[2] = moved(from, u, v);
            // Nearer is likelier: data can look like an alignment pattern too.
            let score = score(level, &Projection::new(side, &self.corners), alignment) - 0.05 * u.hypot(v);
            if score > best {
                (best, fourth) = (score, self.corners[2]);
            }
        }
        self.corners[2] = fourth;
        self.score = score(level, &Projection::new(side, &self.corners), known);
        for size in STEPS {
            for corner in [2, 0, 1, 3] {
                for (u, v) in [(size, 0.0), (-size, 0.0), (0.0, size), (0.0, -size)] {
                    let before = self.corners[corner];
                    self.corners[corner] = moved(before, u, v);
                    let score = score(level, &Projection::new(side, &self.corners), known);
                    if score > self.score {
                        self.score = score;
                    } else {
                        self.corners[corner] = before;
                    }
                }
            }
        }
    }
}

/// How well the known modules are told apart, -1..=1: for each part the correlation of tone with colour.
pub(crate) fn score(level: &Level, projection: &Projection, known: &[Known]) -> f32 {
    #[derive(Clone, Copy, Default)]
    struct Sums {
        // Of light modules, of dark ones.
        count: [f32; 2],
        tone: [f32; 2],
        square: f32,
    }
    let mut sums = [Sums::default(); PARTS];
    for module in known {
        let [u, v] = module.at.map(|v| f32::from(v) + 0.5);
        let at = projection.pixel(u, v);
        if let Some(tone) = level.tone(at.x, at.y) {
            let part = &mut sums[module.part];
            let dark = usize::from(module.dark);
            part.count[dark] += 1.0;
            part.tone[dark] += tone;
            part.square += tone * tone;
        }
    }
    let (mut total, mut weights) = (0.0, 0.0);
    for (part, weight) in sums.iter().zip(WEIGHTS) {
        let ([light, dark], [bright, dim]) = (part.count, part.tone);
        let count = light + dark;
        // No module of that colour: the part was not asked for, or lies outside the picture.
        if light < 4.0 || dark < 4.0 {
            continue;
        }
        let mean = (bright + dim) / count;
        // Flat tones agree with nothing; a variance of 4 is what rounding leaves of them.
        let spread = (part.square / count - mean * mean).max(4.0).sqrt();
        total += weight * (bright / light - dim / dark) * (light * dark).sqrt() / count / spread;
        weights += weight;
    }
    if weights > 0.0 { total / weights } else { -1.0 }
}
