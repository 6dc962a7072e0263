//! The graph of a site: junctions, and the chains of path between them.
//!
//! Most points of a drawn line only say how it bends. They are folded into chains, so that a search visits junctions
//! alone; what was found from one junction is kept, since gates and places are asked about again and again.

use crate::guide::ways::{
    paths::{Pieces, Plane},
    straight,
};
use geo::{Contains as _, Coord, Intersects as _, Line, LineString, Polygon};
use pathfinding::prelude::dijkstra_all;
use rstar::{
    RTree,
    primitives::{GeomWithData, Line as Span},
};
use std::{fmt, sync::OnceLock};
use usher_config::places::{Area, Path, Position};

/// Pieces of path that are tried for whoever stands beside one, nearest first.
const TRIED: usize = 64;
/// Stands for a junction that cannot be reached.
const NEVER: u32 = u32::MAX;

/// Path between two junctions.
struct Chain {
    ends: [u32; 2],
    line: Vec<Position>,
    /// Metres from the first point to each.
    along: Vec<f64>,
}

impl Chain {
    fn length(&self) -> f64 {
        self.along.last().copied().unwrap_or_default()
    }
}

/// Where somebody comes to the paths.
#[derive(Clone, Debug)]
pub(crate) struct Snap {
    chain: u32,
    /// Metres along the chain.
    along: f64,
    /// The chain's ends, with the metres to each.
    exits: [(u32, f64); 2],
    /// Where on the path.
    at: Position,
    /// Metres from there to the path.
    pub(crate) off: f64,
}

/// What is found from a junction: to each junction millimetres, and the junction before it.
type Row = Box<[(u32, u32)]>;

/// What can be reached from where somebody comes to the paths.
pub(crate) struct Reach<'n> {
    start: &'n Snap,
    rows: [&'n Row; 2],
}

impl Reach<'_> {
    /// The shortest way to where somebody else comes to the paths: its metres, and the junctions that it goes through
    /// first and last, none where it stays on a chain. `None` where no path joins them.
    pub(crate) fn to(&self, end: &Snap) -> Option<(f64, Option<(u32, u32)>)> {
        let start = self.start;
        let mut best = (f64::INFINITY, None);
        if start.chain == end.chain {
            best.0 = (start.along - end.along).abs();
        }
        // Plain loops: a table comes here a hundred thousand times.
        for (row, (first, to_first)) in self.rows.iter().zip(start.exits) {
            for (last, from_last) in end.exits {
                let (between, _) = row[last as usize];
                let metres = to_first + f64::from(between) / 1000.0 + from_last;
                if between != NEVER && metres < best.0 {
                    best = (metres, Some((first, last)));
                }
            }
        }
        best.0.is_finite().then_some(best)
    }
}

/// A straight piece of path, with its chain and the point of the chain that it begins at.
type Piece = GeomWithData<Span<[f64; 2]>, (u32, u32)>;

/// A graph of paths.
pub(crate) struct Network {
    plane: Plane,
    chains: Vec<Chain>,
    /// By junction: the next, the chain there, its millimetres.
    out: Vec<Vec<(u32, u32, u32)>>,
    /// By junction, the connected part it is in.
    parts: Vec<u32>,
    rows: Vec<OnceLock<Row>>,
    pieces: RTree<Piece>,
    /// What nobody walks through.
    water: Vec<Polygon>,
    /// Farthest that somebody goes off the paths, metres.
    most_off: f64,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Network({} junctions, {} chains)", self.out.len(), self.chains.len())
    }
}

impl Network {
    pub(crate) fn of<'p>(paths: impl IntoIterator<Item = &'p Path>, areas: &[Area], most_off: f64) -> Self {
        let paths: Vec<&Path> = paths.into_iter().collect();
        let origin = paths.first().and_then(|path| path.line.first()).copied().unwrap_or_default();
        let plane = Plane::around(origin);
        let pieces = Pieces::of(paths, plane);
        let (chains, junctions) = chains(&pieces);
        let mut out = vec![Vec::new(); junctions];
        for (index, chain) in (0u32..).zip(&chains) {
            let length = (chain.length() * 1000.0).round() as u32;
            let [a, b] = chain.ends;
            out[a as usize].push((b, index, length));
            out[b as usize].push((a, index, length));
        }
        let flat = |at: &Position| plane.flat(*at);
        let spans = (0u32..).zip(&chains).flat_map(|(index, chain)| {
            let spans = (0u32..).zip(chain.line.windows(2));
            spans.map(move |(from, pair)| GeomWithData::new(Span::new(flat(&pair[0]), flat(&pair[1])), (index, from)))
        });
        let coord = |at: &Position| Coord::from(plane.flat(*at));
        let outline = |area: &Area| Polygon::new(LineString::from_iter(area.outline.iter().map(coord)), Vec::new());
        let water = areas.iter().filter(|area| area.kind == "water").map(outline).collect();
        Self {
            pieces: RTree::bulk_load(spans.collect()),
            rows: (0..junctions).map(|_| OnceLock::new()).collect(),
            parts: parts(&out),
            plane,
            chains,
            out,
            water,
            most_off,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.chains.is_empty()
    }

    /// Where somebody comes to the nearest path that is not behind water.
    pub(crate) fn snap(&self, at: Position) -> Option<Snap> {
        let flat = self.plane.flat(at);
        let near = self.pieces.nearest_neighbor_iter_with_distance_2(&flat).take(TRIED);
        let mut near = near.take_while(|(_, squared)| squared.sqrt() <= self.most_off);
        near.find_map(|(piece, squared)| {
            let on = piece.geom().nearest_point(&flat);
            if self.is_behind_water(flat, on) {
                return None;
            }
            let (chain, from) = piece.data;
            let Chain { line, along, ends } = &self.chains[chain as usize];
            let from = from as usize;
            let at = self.plane.round(on);
            // On the ball, as the chain is measured; never beyond the piece's end.
            let along = (along[from] + straight(line[from], at)).min(along[from + 1]);
            let rest = self.chains[chain as usize].length() - along;
            Some(Snap { chain, along, exits: [(ends[0], along), (ends[1], rest)], at, off: squared.sqrt() })
        })
    }

    /// Whether water lies between; a place in the water itself (a floating stage) is left by the shortest way.
    fn is_behind_water(&self, from: [f64; 2], to: [f64; 2]) -> bool {
        let between = Line::new(Coord::from(from), Coord::from(to));
        self.water.iter().any(|water| !water.contains(&between.start_point()) && water.intersects(&between))
    }

    /// How far everything is from where somebody comes to the paths.
    pub(crate) fn reach<'n>(&'n self, start: &'n Snap) -> Reach<'n> {
        Reach { start, rows: start.exits.map(|(junction, _)| self.row(junction)) }
    }

    /// The points between, where both come to the paths included; empty where no path joins them.
    pub(crate) fn line(&self, start: &Snap, end: &Snap) -> Vec<Position> {
        let mut line = vec![start.at];
        match self.reach(start).to(end) {
            None => return Vec::new(),
            Some((_, None)) => self.part_of(start.chain, start.along, end.along, &mut line),
            Some((_, Some((first, last)))) => {
                let row = self.row(first);
                let mut junctions = vec![last];
                while let Some(&junction) = junctions.last().filter(|junction| **junction != first) {
                    junctions.push(row[junction as usize].1);
                }
                junctions.reverse();
                self.part_of(start.chain, start.along, self.end_of(start.chain, first, start.along), &mut line);
                for pair in junctions.windows(2) {
                    let joins = self.out[pair[0] as usize].iter().filter(|(to, ..)| *to == pair[1]);
                    let Some((_, chain, _)) = joins.min_by_key(|(.., length)| *length) else { continue };
                    let Chain { ends, line: points, .. } = &self.chains[*chain as usize];
                    if ends[0] == pair[0] { line.extend(points) } else { line.extend(points.iter().rev()) }
                }
                self.part_of(end.chain, self.end_of(end.chain, last, end.along), end.along, &mut line);
            }
        }
        line.push(end.at);
        line
    }

    /// How far along a chain one of its junctions is; of a loop, the nearer end.
    fn end_of(&self, chain: u32, junction: u32, along: f64) -> f64 {
        let chain = &self.chains[chain as usize];
        match chain.ends {
            [a, b] if a == b => {
                if along * 2.0 < chain.length() {
                    0.0
                } else {
                    chain.length()
                }
            }
            [a, _] if a == junction => 0.0,
            _ => chain.length(),
        }
    }

    /// The points of a chain between two lengths along it, in the order in which they are walked.
    fn part_of(&self, chain: u32, from: f64, to: f64, into: &mut Vec<Position>) {
        let Chain { line, along, .. } = &self.chains[chain as usize];
        let within = line.iter().zip(along).filter(|(_, at)| (from.min(to)..=from.max(to)).contains(*at));
        let within = within.map(|(point, _)| *point);
        if from <= to { into.extend(within) } else { into.extend(within.rev()) }
    }

    /// The connected part that a path belongs to.
    pub(crate) fn part(&self, snap: &Snap) -> usize {
        self.parts[self.chains[snap.chain as usize].ends[0] as usize] as usize
    }

    /// What is found from a junction, worked out when it is asked for first.
    fn row(&self, from: u32) -> &Row {
        self.rows[from as usize].get_or_init(|| {
            let next = |junction: &u32| self.out[*junction as usize].iter().map(|(to, _, length)| (*to, *length));
            let mut row: Row = vec![(NEVER, NEVER); self.out.len()].into_boxed_slice();
            for (junction, (before, length)) in dijkstra_all(&from, next) {
                row[junction as usize] = (length, before);
            }
            row[from as usize] = (0, from);
            row
        })
    }
}

/// Pieces folded into chains from junction to junction, and how many junctions there are.
fn chains(pieces: &Pieces) -> (Vec<Chain>, usize) {
    let mut joins: Vec<Vec<u32>> = vec![Vec::new(); pieces.points.len()];
    for &(a, b) in &pieces.pieces {
        joins[a as usize].push(b);
        joins[b as usize].push(a);
    }
    let mut number = vec![NEVER; joins.len()];
    let mut junctions = 0u32;
    let mut name = |point: u32, number: &mut Vec<u32>| {
        if number[point as usize] == NEVER {
            number[point as usize] = junctions;
            junctions += 1;
        }
        number[point as usize]
    };
    let mut walked = std::collections::HashSet::new();
    let mut chains = Vec::new();
    // Ends and forks first; what is left then are loops, which begin anywhere.
    let forks = (0..).zip(&joins).filter(|(_, joined)| !joined.is_empty() && joined.len() != 2).map(|(point, _)| point);
    let loops = (0..).zip(&joins).filter(|(_, joined)| joined.len() == 2).map(|(point, _)| point);
    for start in forks.chain(loops).collect::<Vec<u32>>() {
        for &first in &joins[start as usize] {
            if walked.contains(&(start, first)) {
                continue;
            }
            let mut points = vec![start, first];
            while let [one, other] = joins[points[points.len() - 1] as usize][..] {
                let (last, before) = (points[points.len() - 1], points[points.len() - 2]);
                if last == start {
                    break;
                }
                points.push(if one == before { other } else { one });
            }
            for pair in points.windows(2) {
                walked.insert((pair[0], pair[1]));
                walked.insert((pair[1], pair[0]));
            }
            let end = points[points.len() - 1];
            let line: Vec<Position> = points.iter().map(|point| pieces.points[*point as usize]).collect();
            let along = points.windows(2).scan(0.0, |sum, pair| {
                *sum += pieces.length((pair[0], pair[1]));
                Some(*sum)
            });
            let along = std::iter::once(0.0).chain(along).collect();
            let ends = [name(start, &mut number), name(end, &mut number)];
            chains.push(Chain { ends, line, along });
        }
    }
    (chains, junctions as usize)
}

/// By junction, the connected part it is in.
fn parts(out: &[Vec<(u32, u32, u32)>]) -> Vec<u32> {
    let mut parts = vec![NEVER; out.len()];
    let mut count = 0;
    for start in 0..out.len() {
        if parts[start] != NEVER {
            continue;
        }
        let mut open = vec![start];
        while let Some(junction) = open.pop() {
            if std::mem::replace(&mut parts[junction], count) == NEVER {
                open.extend(out[junction].iter().map(|(to, ..)| *to as usize));
            }
        }
        count += 1;
    }
    parts
}
