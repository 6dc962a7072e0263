//! How well bodies explain what moves.
//!
//! Everybody covers pixels; a pixel that moves should be covered by somebody and the floor by nobody, as in Ge & Collins (2009).
//! What others cover tells nothing about somebody, so people who hide each other are told apart by what is left of each.

use crate::flow::count::motion::shape::{AROUND, BELOW, Body, PARTS, Stature, area, pixels};

/// A pixel of the floor inside of a body counts against it by this.
const AGAINST: f32 = 0.6;
/// What moves below somebody's feet counts against them, so that of two who hide each other the nearer one is found at their own
/// feet.
const AGAINST_BELOW: f32 = 0.4;

/// Sums over every rectangle of a part of a picture.
#[derive(Default)]
struct Sums {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
    sums: Vec<i32>,
}

impl Sums {
    fn take(&mut self, [left, top, right, bottom]: [usize; 4], value: impl Fn(usize, usize) -> i32) {
        (self.left, self.top, self.right, self.bottom) = (left, top, right.max(left), bottom.max(top));
        let stride = self.right - left + 1;
        self.sums.clear();
        self.sums.resize(stride * (self.bottom - top + 1), 0);
        for y in top..self.bottom {
            let (above, below) = self.sums[(y - top) * stride..].split_at_mut(stride);
            let mut row = 0;
            for x in left..self.right {
                row += value(x, y);
                below[x - left + 1] = above[x - left + 1] + row;
            }
        }
    }

    fn of(&self, [left, top, right, bottom]: [usize; 4]) -> i32 {
        let column = |x: usize| x.clamp(self.left, self.right) - self.left;
        let row = |y: usize| (y.clamp(self.top, self.bottom) - self.top) * (self.right - self.left + 1);
        let (left, right, top, bottom) = (column(left), column(right), row(top), row(bottom));
        self.sums[bottom + right] + self.sums[top + left] - self.sums[top + right] - self.sums[bottom + left]
    }
}

/// What moves in a picture, and who covers it.
pub struct Bodies {
    width: usize,
    height: usize,
    moves: Vec<bool>,
    covers: Vec<u8>,
    /// Uncovered pixels that move.
    free: Sums,
    /// Uncovered pixels of the floor.
    floor: Sums,
}

/// How somebody fits.
#[derive(Clone, Copy, Debug)]
pub struct Fit {
    /// 1: all of them moves and nothing of it is covered; less with what is covered, floor, or goes on below.
    pub worth: f32,
    /// Share of them that nobody else covers.
    pub seen: f32,
    /// Share of that which moves.
    pub moves: f32,
    /// Pixels of them in the picture beside all their pixels.
    pub inside: f32,
}

impl Bodies {
    /// For pictures of this size.
    pub fn new(width: usize, height: usize) -> Self {
        let (free, floor) = (Sums::default(), Sums::default());
        Self { width, height, moves: vec![false; width * height], covers: vec![0; width * height], free, floor }
    }

    /// A new picture's mask, covered by nobody.
    pub fn begin(&mut self, mask: &[bool]) {
        self.moves.copy_from_slice(mask);
        self.covers.fill(0);
    }

    /// Whether a pixel moves.
    pub fn moves(&self, x: usize, y: usize) -> bool {
        self.moves[y * self.width + x]
    }

    /// Somebody covers what they do.
    pub fn cover(&mut self, stature: &Stature, body: &Body) {
        self.paint(stature, body, |covers| covers.saturating_add(1));
    }

    /// They no longer do.
    pub fn uncover(&mut self, stature: &Stature, body: &Body) {
        self.paint(stature, body, |covers| covers.saturating_sub(1));
    }

    fn paint(&mut self, stature: &Stature, body: &Body, change: impl Fn(u8) -> u8) {
        let rect = stature.rect(body);
        for part in AROUND {
            let [left, top, right, bottom] = pixels(&rect, part, self.width, self.height);
            for y in top..bottom {
                self.covers[y * self.width..][left..right.max(left)]
                    .iter_mut()
                    .for_each(|pixel| *pixel = change(*pixel));
            }
        }
    }

    /// Looks at this part of the picture (left, top, right, bottom); fits are told of bodies within.
    pub fn look(&mut self, part: [usize; 4]) {
        let (moves, covers, width) = (&self.moves, &self.covers, self.width);
        let part = [part[0], part[1], part[2].min(width), part[3].min(self.height)];
        let is_free = |x: usize, y: usize| covers[y * width + x] == 0;
        self.free.take(part, |x, y| i32::from(is_free(x, y) && moves[y * width + x]));
        self.floor.take(part, |x, y| i32::from(is_free(x, y) && !moves[y * width + x]));
    }

    /// Pixels of a part that move and are not covered.
    pub fn free(&self, part: [usize; 4]) -> usize {
        self.free.of(part).max(0) as usize
    }

    /// How well somebody fits.
    pub fn fit(&self, stature: &Stature, body: &Body) -> Fit {
        let rect = stature.rect(body);
        let of = |part| pixels(&rect, part, self.width, self.height);
        let (mut free, mut floor, mut inside, mut whole) = (0.0, 0.0, 0.0, 0.0);
        for shape @ [left, top, right, bottom] in PARTS {
            let part = of(shape);
            free += self.free.of(part) as f32;
            floor += self.floor.of(part) as f32;
            inside += area(part) as f32;
            whole += (right - left) * rect.width * (bottom - top) * rect.height;
        }
        let below = of(BELOW);
        let goes_on = self.free.of(below) as f32 / area(below).max(1) as f32;
        Fit {
            worth: (free - AGAINST * floor) / inside.max(1.0) - AGAINST_BELOW * goes_on,
            seen: (free + floor) / inside.max(1.0),
            moves: free / (free + floor).max(1.0),
            inside: inside / whole.max(1.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATURE: Stature = Stature { at: 40.0, slope: 0.0, breadth: 0.36 };

    /// What moves where these people stand.
    fn bodies(people: &[Body]) -> Bodies {
        let mut mask = vec![false; 160 * 90];
        for body in people {
            for part in PARTS {
                let [left, top, right, bottom] = pixels(&STATURE.rect(body), part, 160, 90);
                (top..bottom).for_each(|y| mask[y * 160..][left..right].fill(true));
            }
        }
        let mut bodies = Bodies::new(160, 90);
        bodies.begin(&mask);
        bodies
    }

    #[test]
    fn somebody_fits_best_where_they_stand() {
        let at = |x: f32, y: f32| Body { x, y, tall: 1.0 };
        let mut bodies = bodies(&[at(80.0, 70.0)]);
        bodies.look([0, 0, 160, 90]);
        let worth = |x: f32, y: f32| bodies.fit(&STATURE, &at(x, y)).worth;
        assert!((worth(80.0, 70.0) - 1.0).abs() < 0.01, "{}", worth(80.0, 70.0));
        for (dx, dy) in [(-3.0, 0.0), (3.0, 0.0), (0.0, -4.0), (0.0, 4.0)] {
            assert!(worth(80.0 + dx, 70.0 + dy) < 0.95, "{dx}, {dy}: {}", worth(80.0 + dx, 70.0 + dy));
        }
    }

    #[test]
    fn whoever_is_covered_is_not_seen_and_whoever_goes_is_uncovered() {
        let (front, behind) = (Body { x: 80.0, y: 72.0, tall: 1.0 }, Body { x: 81.0, y: 68.0, tall: 1.0 });
        let mut bodies = bodies(&[front, behind]);
        bodies.cover(&STATURE, &front);
        bodies.look([0, 0, 160, 90]);
        assert!(bodies.fit(&STATURE, &behind).seen < 0.2);
        bodies.uncover(&STATURE, &front);
        bodies.look([0, 0, 160, 90]);
        assert!(bodies.fit(&STATURE, &behind).seen > 0.99);
    }

    #[test]
    fn a_body_beyond_every_edge_is_no_error() {
        let mut bodies = bodies(&[]);
        for (x, y) in [(-500.0, 20.0), (900.0, 20.0), (80.0, -300.0), (80.0, 900.0)] {
            let body = Body { x, y, tall: 1.0 };
            bodies.cover(&STATURE, &body);
            bodies.look([150, 80, 400, 300]);
            assert_eq!(bodies.fit(&STATURE, &body).inside, 0.0);
        }
    }
}
