//! Drawn lines made into a graph: points that are one, lines that meet.
//!
//! Hand-drawn lines meet nearly, not exactly. Points nearer than [`JOIN`] to each other are one, and a point that near to
//! another line is on it. Lines that only cross do not meet: one may be a bridge.

use crate::guide::ways::straight;
use geo::{Coord, Line, line_intersection::LineIntersection};
use rstar::{
    AABB, PointDistance as _, RTree, RTreeObject as _,
    primitives::{GeomWithData, Line as Span},
};
use std::collections::HashSet;
use usher_config::places::{Path, Position};

/// Metres within which points are one.
pub(crate) const JOIN: f64 = 1.5;

/// Metres on a plane that touches the site: east and north of its first point. Sites are kilometres wide, over which
/// plane and ball differ by less than a step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    origin: Position,
    east: f64,
}

/// Metres to a degree of latitude.
const DEGREE: f64 = 111_195.0;

impl Plane {
    pub(crate) fn around(origin: Position) -> Self {
        Self { origin, east: DEGREE * origin.latitude.to_radians().cos().max(0.01) }
    }

    pub(crate) fn flat(&self, at: Position) -> [f64; 2] {
        // The short way round where a site lies on the date line.
        let degrees = (at.longitude - self.origin.longitude + 540.0).rem_euclid(360.0) - 180.0;
        [degrees * self.east, (at.latitude - self.origin.latitude) * DEGREE]
    }

    pub(crate) fn round(&self, [x, y]: [f64; 2]) -> Position {
        let longitude = (self.origin.longitude + x / self.east + 540.0).rem_euclid(360.0) - 180.0;
        Position { longitude, latitude: self.origin.latitude + y / DEGREE }
    }
}

/// Points, and which of them are joined by a straight piece of path.
pub(crate) struct Pieces {
    pub(crate) points: Vec<Position>,
    /// Pairs of points, each once, the smaller first.
    pub(crate) pieces: Vec<(u32, u32)>,
}

impl Pieces {
    pub(crate) fn of<'p>(paths: impl IntoIterator<Item = &'p Path>, plane: Plane) -> Self {
        let mut points: Vec<Position> = Vec::new();
        let mut known: RTree<GeomWithData<[f64; 2], u32>> = RTree::new();
        let mut pieces: HashSet<(u32, u32)> = HashSet::new();
        for path in paths {
            let mut before: Option<u32> = None;
            for at in &path.line {
                let flat = plane.flat(*at);
                let near = known.nearest_neighbor(&flat).filter(|near| near.distance_2(&flat) < JOIN * JOIN);
                let point = near.map(|near| near.data).unwrap_or_else(|| {
                    // Files hold at most some hundred thousand points.
                    let new = points.len() as u32;
                    points.push(*at);
                    known.insert(GeomWithData::new(flat, new));
                    new
                });
                if let Some(before) = before.filter(|before| *before != point) {
                    pieces.insert((before.min(point), before.max(point)));
                }
                before = Some(point);
            }
        }
        let pieces = split(&points, pieces, plane);
        Self { points, pieces }
    }

    /// Metres of a piece.
    pub(crate) fn length(&self, (a, b): (u32, u32)) -> f64 {
        straight(self.points[a as usize], self.points[b as usize])
    }
}

/// Pieces cut where a point of another line lies on them.
fn split(points: &[Position], pieces: HashSet<(u32, u32)>, plane: Plane) -> Vec<(u32, u32)> {
    let flat: Vec<[f64; 2]> = points.iter().map(|at| plane.flat(*at)).collect();
    let dots = RTree::bulk_load(flat.iter().zip(0u32..).map(|(at, index)| GeomWithData::new(*at, index)).collect());
    let mut cut: HashSet<(u32, u32)> = HashSet::new();
    for (a, b) in pieces {
        let span = Span::new(flat[a as usize], flat[b as usize]);
        let (low, high) = (span.envelope().lower(), span.envelope().upper());
        let around = AABB::from_corners([low[0] - JOIN, low[1] - JOIN], [high[0] + JOIN, high[1] + JOIN]);
        let on = dots.locate_in_envelope_intersecting(&around);
        let on = on.filter(|dot| dot.data != a && dot.data != b && span.distance_2(dot.geom()) < JOIN * JOIN);
        let from = flat[a as usize];
        let mut stops: Vec<(f64, u32)> = on.map(|dot| (dot.distance_2(&from), dot.data)).collect();
        stops.sort_by(|one, other| one.0.total_cmp(&other.0));
        let stops = std::iter::once(a).chain(stops.into_iter().map(|(_, dot)| dot)).chain([b]);
        let stops: Vec<u32> = stops.collect();
        cut.extend(stops.windows(2).map(|pair| (pair[0].min(pair[1]), pair[0].max(pair[1]))));
    }
    let mut cut: Vec<(u32, u32)> = cut.into_iter().filter(|(a, b)| a != b).collect();
    // The same file makes the same graph, whatever a hash says.
    cut.sort_unstable();
    cut
}

/// Where pieces of different lines cross without a point of both.
pub(crate) fn crossings(paths: &[Path]) -> Vec<Position> {
    let Some(origin) = paths.first().and_then(|path| path.line.first()) else { return Vec::new() };
    let plane = Plane::around(*origin);
    let Pieces { points, pieces } = Pieces::of(paths, plane);
    let flat: Vec<[f64; 2]> = points.iter().map(|at| plane.flat(*at)).collect();
    let span = |(a, b): (u32, u32)| Span::new(flat[a as usize], flat[b as usize]);
    let tree = RTree::bulk_load(pieces.iter().map(|piece| GeomWithData::new(span(*piece), *piece)).collect());
    let line = |(a, b): (u32, u32)| {
        let coord = |[x, y]: [f64; 2]| Coord { x, y };
        Line::new(coord(flat[a as usize]), coord(flat[b as usize]))
    };
    let mut found = Vec::new();
    for piece in &pieces {
        let meeting = tree.locate_in_envelope_intersecting(&span(*piece).envelope());
        for other in meeting.map(|other| other.data).filter(|other| other > piece) {
            let crossing = geo::line_intersection::line_intersection(line(*piece), line(other));
            if let Some(LineIntersection::SinglePoint { intersection, is_proper: true }) = crossing {
                found.push(plane.round([intersection.x, intersection.y]));
            }
        }
    }
    found
}
