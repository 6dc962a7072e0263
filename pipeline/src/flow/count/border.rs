//! What people cross: a line with two ends, or the outline of a zone.
//!
//! Places are in heights of the picture, to the right and downwards, so that a step is as long in either direction.

use usher_config::count::{Border as Drawn, Count};

/// Somewhere in the picture, in heights of it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Spot {
    /// To the right; 0 to the picture's aspect ratio.
    pub x: f32,
    /// Downwards; 0 to 1.
    pub y: f32,
}

/// Which way somebody went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Way {
    /// They entered.
    In,
    /// They left.
    Out,
}

impl Way {
    /// The other way.
    #[must_use]
    pub fn back(self) -> Self {
        match self {
            Self::In => Self::Out,
            Self::Out => Self::In,
        }
    }
}

/// A border as it lies in pictures of one aspect ratio.
#[derive(Clone, Debug, PartialEq)]
pub enum Border {
    /// Between two ends; `inside` is 1 where those who entered are on the left of it, seen from its first end, else -1.
    Line {
        /// Its first end.
        from: Spot,
        /// Its second end.
        to: Spot,
        /// 1 or -1.
        inside: f32,
    },
    /// Round a polygon; `inside` is 1 where whoever walks in has entered, else -1.
    Zone {
        /// Its corners.
        corners: Vec<Spot>,
        /// 1 or -1.
        inside: f32,
    },
}

/// The vector product: positive where `b` is clockwise of `a` on the screen.
fn cross(a: Spot, b: Spot) -> f32 {
    a.x * b.y - a.y * b.x
}

fn minus(a: Spot, b: Spot) -> Spot {
    Spot { x: a.x - b.x, y: a.y - b.y }
}

/// The part of the way from `a` to `b` that is nearest to `p`, 0..=1, and its distance.
fn nearest(p: Spot, a: Spot, b: Spot) -> (f32, f32) {
    let (along, to) = (minus(b, a), minus(p, a));
    let length = along.x * along.x + along.y * along.y;
    let part = if length > 0.0 { ((to.x * along.x + to.y * along.y) / length).clamp(0.0, 1.0) } else { 0.0 };
    let off = minus(to, Spot { x: along.x * part, y: along.y * part });
    (part, off.x.hypot(off.y))
}

impl Border {
    /// The border that `count` draws, in pictures `aspect` times as wide as high; `None` where nothing is drawn.
    pub fn of(count: &Count, aspect: f32) -> Option<Self> {
        let spot = |[x, y]: [f32; 2]| Spot { x: x * aspect, y };
        match &count.border {
            Drawn::Picture => None,
            Drawn::Line { ends: [from, to], direction } => {
                let (from, to) = (spot(*from), spot(*to));
                let [x, y] = direction.step().unwrap_or([0.0, 1.0]);
                let inside = if cross(minus(to, from), Spot { x, y }) >= 0.0 { 1.0 } else { -1.0 };
                Some(Self::Line { from, to, inside })
            }
            Drawn::Zone { corners, inward } => {
                let corners = corners.iter().copied().map(spot).collect();
                Some(Self::Zone { corners, inside: if *inward { 1.0 } else { -1.0 } })
            }
        }
    }

    /// How far `p` is from the border (a line: from the line through its ends), more than 0 where those are who have entered.
    pub fn off(&self, p: Spot) -> f32 {
        match self {
            Self::Line { from, to, inside } => {
                let along = minus(*to, *from);
                inside * cross(along, minus(p, *from)) / along.x.hypot(along.y).max(1e-6)
            }
            Self::Zone { corners, inside } => {
                let sides = || corners.iter().zip(corners.iter().cycle().skip(1));
                let off = sides().map(|(a, b)| nearest(p, *a, *b).1).fold(f32::INFINITY, f32::min);
                let right_of = |(a, b): &(&Spot, &Spot)| {
                    (a.y > p.y) != (b.y > p.y) && p.x < (b.x - a.x) * (p.y - a.y) / (b.y - a.y) + a.x
                };
                let is_in = sides().filter(right_of).count() % 2 == 1;
                inside * if is_in { off } else { -off }
            }
        }
    }

    /// Where the way from `a` to `b`, which lie on two sides, crosses the border: for a line the part of it from its first
    /// end, 0..=1, and `None` beyond its ends; for a zone always somewhere, without such a part.
    pub fn cut(&self, a: Spot, b: Spot) -> Option<Option<f32>> {
        match self {
            Self::Line { from, to, .. } => {
                let (first, second) = (self.off(a), self.off(b));
                let share = if first == second { 0.5 } else { first / (first - second) };
                let at = Spot { x: a.x + (b.x - a.x) * share, y: a.y + (b.y - a.y) * share };
                let (line, off) = (minus(*to, *from), minus(at, *from));
                let part = (off.x * line.x + off.y * line.y) / (line.x * line.x + line.y * line.y).max(1e-9);
                (0.0..=1.0).contains(&part).then_some(Some(part))
            }
            Self::Zone { .. } => Some(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use usher_config::count::{By, Direction};

    fn drawn(border: Drawn) -> Count {
        Count { by: By::Faces, border, ..Count::default() }
    }

    fn line(ends: [[f32; 2]; 2], direction: Direction) -> Border {
        Border::of(&drawn(Drawn::Line { ends, direction }), 16.0 / 9.0).unwrap()
    }

    fn zone(inward: bool) -> Border {
        let corners = vec![[0.25, 0.25], [0.75, 0.25], [0.75, 0.75], [0.25, 0.75]];
        Border::of(&drawn(Drawn::Zone { corners, inward }), 1.0).unwrap()
    }

    #[test]
    fn a_camera_that_draws_nothing_has_no_border() {
        assert_eq!(Border::of(&Count::default(), 1.5), None);
    }

    #[test]
    fn a_zone_is_entered_from_outside_or_left_where_it_says_so() {
        let (middle, corner) = (Spot { x: 0.5, y: 0.5 }, Spot { x: 0.0, y: 0.5 });
        assert_eq!((zone(true).off(middle), zone(true).off(corner)), (0.25, -0.25));
        assert_eq!((zone(false).off(middle), zone(false).off(corner)), (-0.25, 0.25));
    }

    proptest! {
        /// However the ends are ordered and the line leans, whoever walks the direction enters.
        #[test]
        fn whoever_walks_the_direction_enters(
            ax in 0f32..1.0, ay in 0f32..1.0, bx in 0f32..1.0, by in 0f32..1.0, which in 0usize..4, part in 0.01f32..0.99,
        ) {
            let direction = [Direction::Down, Direction::Up, Direction::Left, Direction::Right][which];
            let [x, y] = direction.step().unwrap();
            let (dx, dy) = ((bx - ax) * 16.0 / 9.0, by - ay);
            prop_assume!(dx.hypot(dy) > 0.05 && (dx * y - dy * x).abs() / dx.hypot(dy) > 0.2);
            let line = line([[ax, ay], [bx, by]], direction);
            let at = Spot { x: (ax + (bx - ax) * part) * 16.0 / 9.0, y: ay + (by - ay) * part };
            let (a, b) = (Spot { x: at.x - x, y: at.y - y }, Spot { x: at.x + x, y: at.y + y });
            prop_assert!(line.off(a) < 0.0 && line.off(b) > 0.0);
            let cut = line.cut(a, b).flatten().unwrap();
            prop_assert!((cut - part).abs() < 0.01, "{cut}, not {part}");
        }

        #[test]
        fn a_way_round_an_end_cuts_nothing(beyond in 0.01f32..2.0, first: bool, height in 0.1f32..1.0) {
            let line = line([[0.2, 0.5], [0.8, 0.5]], Direction::Down);
            let share = if first { 0.2 - beyond } else { 0.8 + beyond };
            let x = share * 16.0 / 9.0;
            prop_assert_eq!(line.cut(Spot { x, y: 0.5 - height }, Spot { x, y: 0.5 + height }), None);
        }

        #[test]
        fn a_zone_has_one_inside(x in 0f32..1.0, y in 0f32..1.0) {
            let is_in = (0.25..0.75).contains(&x) && (0.25..0.75).contains(&y);
            let off = zone(true).off(Spot { x, y });
            prop_assert!(off.abs() < 1e-4 || (off > 0.0) == is_in);
        }
    }
}
