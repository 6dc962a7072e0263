//! Ways: how far it is on foot, how long that takes, and which way it goes.
//!
//! Over the site's paths where the file draws some: whoever starts beside a path goes to it, along it, and from it to
//! where they want to be. Without paths, the straight line and a detour. All figures are on the safe side: who is early
//! waits, who is late misses the start.

mod network;
mod paths;

use geo::{Distance as _, Haversine, Point};
use network::{Network, Reach, Snap};
use std::ops::Range;
use usher_config::places::{Places, Position};

/// Metres a second. People walk 1.34 m/s on the flat with nobody in the way (Weidmann 1993; Fruin 1971 found the same);
/// signals at crossings are timed for 3.5 ft/s, 1.07 m/s, so that nearly everybody arrives (MUTCD 2009, 4E.06). A venue is
/// crowded and nobody knows the way.
pub const SPEED: f64 = 1.1;
/// Metres a second of whoever needs a way without steps: the mean of people with a locomotion disability on the flat
/// (Boyce, Shields and Silcock 1999).
pub const STEP_FREE_SPEED: f64 = 0.8;
/// How much longer a way is than the straight line, where no path says so: what sites with a path in most directions come
/// to; a square grid has 1.27 on average.
pub const DETOUR: f64 = 1.3;
/// Farthest that somebody goes off the paths, metres: across a lawn or a forecourt.
pub const OFF: f64 = 250.0;
/// The same where steps must not be in the way: nobody has said that there are none.
pub const STEP_FREE_OFF: f64 = 50.0;

/// A way without its line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Leg {
    /// Metres on foot.
    pub metres: u32,
    /// Seconds that takes, rounded up.
    pub seconds: u32,
}

/// A way.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// Metres on foot.
    pub metres: u32,
    /// Seconds that takes, rounded up.
    pub seconds: u32,
    /// Where it goes, both ends included.
    pub line: Vec<Position>,
}

/// The ways of a site. What was worked out once is kept, so one value serves many questions.
#[derive(Debug)]
pub struct Ways {
    all: Network,
    /// Without steps; `None` where no path has any.
    step_free: Option<Network>,
}

impl Ways {
    /// The ways over the paths of a site.
    pub fn of(places: &Places) -> Self {
        let has_steps = places.paths.iter().any(|path| !path.step_free);
        let all = Network::of(&places.paths, &places.areas, OFF);
        let without = || places.paths.iter().filter(|path| path.step_free);
        let step_free = has_steps.then(|| Network::of(without(), &places.areas, STEP_FREE_OFF));
        Self { all, step_free }
    }

    /// The way between two positions; `None` where there is none, such as where it must have no steps and all have.
    pub fn walk(&self, from: Position, to: Position, step_free: bool) -> Option<Walk> {
        let (network, speed) = self.network(step_free);
        let Some((start, end)) = network.snap(from).zip(network.snap(to)) else {
            return network.is_empty().then(|| walk(straight(from, to) * DETOUR, speed, vec![from, to]));
        };
        let metres = length(&network.reach(&start), &start, &end, from, to)?;
        let mut line = vec![from];
        if !is_here(from, to) {
            line.extend(network.line(&start, &end));
        }
        // Where somebody stands on a path, the path's point and theirs differ by a rounding.
        let is_same = |one: Position, other: Position| straight(one, other) < 0.1;
        line.dedup_by(|next, kept| is_same(*next, *kept));
        while line.len() > 1 && line.last().is_some_and(|last| is_same(*last, to)) {
            line.pop();
        }
        line.push(to);
        Some(walk(metres, speed, line))
    }

    /// How far and how long it is between all pairs of some positions, the first by rows: `table[from][to]`. Much faster
    /// than one walk after the other.
    pub fn table(&self, positions: &[Position], step_free: bool) -> Vec<Vec<Option<Leg>>> {
        let found = Found::of(self, positions, step_free);
        (0..positions.len()).map(|from| found.legs(from, 0..positions.len())).collect()
    }

    /// How far and how long it is from one position to each of some others, in their order.
    pub fn legs(&self, from: Position, to: &[Position], step_free: bool) -> Vec<Option<Leg>> {
        let positions: Vec<Position> = std::iter::once(from).chain(to.iter().copied()).collect();
        let found = Found::of(self, &positions, step_free);
        found.legs(0, 1..positions.len())
    }

    /// Which connected part of the paths each position belongs to: whoever is in another part cannot be walked to.
    /// `None` where no path is near enough. Without any paths all are in one.
    pub fn parts(&self, positions: &[Position], step_free: bool) -> Vec<Option<usize>> {
        let (network, _) = self.network(step_free);
        let part = |at: &Position| {
            if network.is_empty() { Some(0) } else { network.snap(*at).map(|snap| network.part(&snap)) }
        };
        positions.iter().map(part).collect()
    }

    fn network(&self, step_free: bool) -> (&Network, f64) {
        match (&self.step_free, step_free) {
            (Some(network), true) => (network, STEP_FREE_SPEED),
            (None, true) => (&self.all, STEP_FREE_SPEED),
            (_, false) => (&self.all, SPEED),
        }
    }
}

/// Positions, and where each comes to the paths.
struct Found<'w> {
    network: &'w Network,
    speed: f64,
    positions: &'w [Position],
    snaps: Vec<Option<Snap>>,
}

impl<'w> Found<'w> {
    fn of(ways: &'w Ways, positions: &'w [Position], step_free: bool) -> Self {
        let (network, speed) = ways.network(step_free);
        Self { network, speed, positions, snaps: positions.iter().map(|at| network.snap(*at)).collect() }
    }

    /// From one of the positions to some of them.
    fn legs(&self, from: usize, to: Range<usize>) -> Vec<Option<Leg>> {
        let reach = self.snaps[from].as_ref().map(|start| self.network.reach(start));
        let leg = |to: usize| {
            let (a, b) = (self.positions[from], self.positions[to]);
            if self.network.is_empty() {
                return Some(leg(straight(a, b) * DETOUR, self.speed));
            }
            Some(leg(length(reach.as_ref()?, self.snaps[from].as_ref()?, self.snaps[to].as_ref()?, a, b)?, self.speed))
        };
        to.map(leg).collect()
    }
}

/// Where paths of a site cross without a point of both, so that nobody can turn there: a bridge, or a mistake.
pub fn crossings(places: &Places) -> Vec<Position> {
    paths::crossings(&places.paths)
}

/// Metres between two positions as the crow flies, on a ball as large as Earth.
pub fn straight(from: Position, to: Position) -> f64 {
    let point = |at: Position| Point::new(at.longitude, at.latitude);
    Haversine.distance(point(from), point(to))
}

/// Whether two positions are one place, so that nobody goes to the path and back.
fn is_here(from: Position, to: Position) -> bool {
    // A table asks this of every pair: most are told apart without a sine.
    (from.latitude - to.latitude).abs() < 1e-4 && straight(from, to) < 5.0
}

fn length(reach: &Reach<'_>, start: &Snap, end: &Snap, from: Position, to: Position) -> Option<f64> {
    if is_here(from, to) {
        return Some(straight(from, to));
    }
    Some((start.off + end.off) * DETOUR + reach.to(end)?.0)
}

fn leg(metres: f64, speed: f64) -> Leg {
    // Sites are at most kilometres wide: the numbers fit.
    Leg { metres: metres.round() as u32, seconds: (metres / speed).ceil() as u32 }
}

fn walk(metres: f64, speed: f64, line: Vec<Position>) -> Walk {
    let Leg { metres, seconds } = leg(metres, speed);
    Walk { metres, seconds, line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use usher_config::places::{Area, Path};

    const METRE: f64 = 1.0 / 111_195.0;

    /// So many metres east and north of [0, 0], where a degree is as long in both directions.
    fn at(east: f64, north: f64) -> Position {
        Position { longitude: east * METRE, latitude: north * METRE }
    }

    fn path(points: &[(f64, f64)], step_free: bool) -> Path {
        Path { line: points.iter().map(|(east, north)| at(*east, *north)).collect(), step_free }
    }

    fn site(paths: Vec<Path>) -> Places {
        Places { paths, ..Places::default() }
    }

    /// A flight of steps of 100 m, and a ramp of 300 m round it.
    fn stairs() -> Places {
        let ramp = path(&[(0.0, 0.0), (0.0, 100.0), (100.0, 100.0), (100.0, 0.0)], true);
        site(vec![path(&[(0.0, 0.0), (100.0, 0.0)], false), ramp])
    }

    #[test]
    fn the_short_cut_has_steps_and_the_way_round_has_none() {
        let ways = Ways::of(&stairs());
        let walk = |step_free| ways.walk(at(0.0, 0.0), at(100.0, 0.0), step_free).unwrap();
        assert_eq!((walk(false).metres, walk(false).seconds), (100, 91));
        assert_eq!((walk(true).metres, walk(true).seconds), (300, 375));
        assert_eq!((walk(false).line.len(), walk(true).line.len()), (2, 4));
    }

    #[test]
    fn where_all_ways_have_steps_there_is_none_without() {
        let ways = Ways::of(&site(vec![path(&[(0.0, 0.0), (100.0, 0.0)], false)]));
        assert_eq!(ways.walk(at(0.0, 0.0), at(100.0, 0.0), true).map(|walk| walk.metres), Some(130), "the lawn beside");
    }

    #[test]
    fn without_paths_a_way_is_the_straight_line_and_a_detour() {
        let ways = Ways::of(&Places::default());
        let walk = ways.walk(at(0.0, 0.0), at(100.0, 0.0), false).unwrap();
        assert_eq!((walk.metres, walk.seconds, walk.line), (130, 119, vec![at(0.0, 0.0), at(100.0, 0.0)]));
        assert_eq!(ways.table(&[at(0.0, 0.0), at(100.0, 0.0)], false)[0][1], Some(Leg { metres: 130, seconds: 119 }));
    }

    #[test]
    fn whoever_stands_beside_a_path_goes_to_it_along_it_and_from_it() {
        let ways = Ways::of(&site(vec![path(&[(0.0, 0.0), (500.0, 0.0)], true)]));
        let walk = ways.walk(at(100.0, 20.0), at(300.0, -10.0), false).unwrap();
        assert_eq!(walk.metres, 239); // 26 + 200 + 13
        assert_eq!(walk.line.len(), 4);
        assert_eq!(ways.walk(at(100.0, 0.0), at(300.0, 260.0), false), None, "too far from any path");
        assert_eq!(
            ways.walk(at(100.0, 0.0), at(300.0, 60.0), true).map(|walk| walk.metres),
            Some(278),
            "no path has steps"
        );
    }

    #[test]
    fn a_place_is_reached_on_its_own_side_of_the_water() {
        let canal = [(-50.0, 10.0), (550.0, 10.0), (550.0, 20.0), (-50.0, 20.0), (-50.0, 10.0)];
        let outline = canal.iter().map(|(east, north)| at(*east, *north)).collect();
        let mut site = site(vec![path(&[(0.0, 0.0), (500.0, 0.0)], true), path(&[(0.0, 80.0), (500.0, 80.0)], true)]);
        site.areas.push(Area { kind: "water".to_owned(), name: None, outline });
        let ways = Ways::of(&site);
        // 25 m from the nearer path, which is across the canal.
        let walk = ways.walk(at(100.0, 25.0), at(400.0, 80.0), false).unwrap();
        assert_eq!(walk.metres, 372); // 55 · 1.3 + 300
        assert_eq!(ways.walk(at(100.0, 25.0), at(400.0, 0.0), false), None, "nobody built a bridge");
        assert_eq!(ways.parts(&[at(0.0, 0.0), at(0.0, 80.0), at(9.0, 79.0)], false), [Some(0), Some(1), Some(1)]);
    }

    #[test]
    fn lines_meet_where_they_nearly_touch_and_not_where_they_cross() {
        let trunk = path(&[(0.0, 0.0), (200.0, 0.0)], true);
        let touching = Ways::of(&site(vec![trunk.clone(), path(&[(100.0, 1.0), (100.0, 100.0)], true)]));
        assert_eq!(touching.walk(at(0.0, 0.0), at(100.0, 100.0), false).map(|walk| walk.metres), Some(199));
        let bridge = site(vec![trunk, path(&[(100.0, -100.0), (100.0, 100.0)], true)]);
        assert_eq!(Ways::of(&bridge).walk(at(0.0, 0.0), at(100.0, 100.0), false), None);
        let [crossing] = crossings(&bridge)[..] else { panic!("{:?}", crossings(&bridge)) };
        assert!(straight(crossing, at(100.0, 0.0)) < 0.01);
        assert_eq!(crossings(&stairs()), []);
    }

    #[test]
    fn a_round_way_is_walked_the_shorter_way_round() {
        let ways =
            Ways::of(&site(vec![path(&[(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0)], true)]));
        let walk = |from, to| ways.walk(from, to, false).unwrap();
        assert_eq!(walk(at(20.0, 0.0), at(0.0, 20.0)).metres, 40);
        assert_eq!(walk(at(0.0, 90.0), at(10.0, 0.0)).metres, 100);
        assert_eq!(walk(at(100.0, 90.0), at(90.0, 100.0)).line.len(), 3);
        assert_eq!(walk(at(50.0, 0.0), at(50.0, 100.0)).metres, 200);
    }

    #[test]
    fn a_site_on_the_date_line_is_one_site() {
        let east = |longitude| Position { longitude, latitude: 0.0 };
        let line = vec![east(179.999), east(180.0), east(-179.999)];
        let ways = Ways::of(&site(vec![Path { line, step_free: true }]));
        assert_eq!(ways.walk(east(179.999), east(-179.999), false).map(|walk| walk.metres), Some(222));
    }

    /// A piece of a lattice of 60 m: from where, whether east (else north), whether without steps.
    type Piece = (usize, usize, bool, bool);

    /// Paths on a lattice, and places beside them.
    fn drawn() -> impl Strategy<Value = (Vec<Piece>, Vec<(f64, f64)>)> {
        let piece = (0..6usize, 0..6usize, any::<bool>(), prop::bool::weighted(0.8));
        let places = prop::collection::vec((-30.0..390.0f64, -30.0..390.0f64), 2..9);
        (prop::collection::vec(piece, 1..60), places)
    }

    fn lattice(pieces: &[Piece], bends: usize) -> Places {
        let piece = |(x, y, is_east, step_free): &Piece| {
            let (from, step) = ((*x as f64 * 60.0, *y as f64 * 60.0), if *is_east { (60.0, 0.0) } else { (0.0, 60.0) });
            let point = |share: f64| (from.0 + step.0 * share, from.1 + step.1 * share);
            let points: Vec<(f64, f64)> = (0..=bends + 1).map(|bend| point(bend as f64 / (bends + 1) as f64)).collect();
            path(&points, *step_free)
        };
        site(pieces.iter().map(piece).collect())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn ways_are_those_of_a_plain_search((pieces, places) in drawn(), step_free: bool) {
            let ways = Ways::of(&lattice(&pieces, 0));
            let bent = Ways::of(&lattice(&pieces, 2));
            let places: Vec<Position> = places.iter().map(|(east, north)| at(*east, *north)).collect();
            let table = ways.table(&places, step_free);
            for (from, a) in places.iter().enumerate() {
                prop_assert_eq!(&ways.legs(*a, &places, step_free), &table[from]);
                for (to, b) in places.iter().enumerate() {
                    let walk = ways.walk(*a, *b, step_free);
                    let leg = walk.as_ref().map(|walk| Leg { metres: walk.metres, seconds: walk.seconds });
                    prop_assert_eq!(leg, table[from][to], "a table says what walks say");
                    let near = |one: Option<Leg>, other: Option<Leg>| match (one, other) {
                        (Some(one), Some(other)) => one.metres.abs_diff(other.metres) <= 1,
                        (one, other) => one == other,
                    };
                    prop_assert!(near(table[from][to], table[to][from]), "back is as far as there");
                    let bent = bent.table(&[*a, *b], step_free)[0][1];
                    prop_assert!(near(bent, leg), "{bent:?} {leg:?}: points on a line change nothing");
                    let Some(walk) = walk else { continue };
                    prop_assert!(f64::from(walk.metres) >= straight(*a, *b) - 1.0, "nobody flies");
                    prop_assert!(walk.line.first() == Some(a) && walk.line.last() == Some(b));
                    let line: f64 = walk.line.windows(2).map(|pair| straight(pair[0], pair[1])).sum();
                    // The legs off the paths count with their detour.
                    prop_assert!(f64::from(walk.metres) >= line - 1.0 && f64::from(walk.metres) <= line * DETOUR + 1.0);
                    prop_assert!(!step_free || f64::from(walk.seconds) >= f64::from(walk.metres) / STEP_FREE_SPEED - 2.0);
                }
            }
        }

        #[test]
        fn a_way_over_the_lattice_is_as_short_as_can_be((pieces, _) in drawn()) {
            // The junctions' own distances, by the plainest method there is.
            let points: Vec<(usize, usize)> = (0..7).flat_map(|x| (0..7).map(move |y| (x, y))).collect();
            let number = |(x, y): (usize, usize)| x * 7 + y;
            let mut far = vec![vec![f64::INFINITY; 49]; 49];
            (0..49).for_each(|point| far[point][point] = 0.0);
            for &(x, y, is_east, _) in &pieces {
                let (a, b) = (number((x, y)), number(if is_east { (x + 1, y) } else { (x, y + 1) }));
                (far[a][b], far[b][a]) = (60.0, 60.0);
            }
            for via in 0..49 {
                for from in 0..49 {
                    for to in 0..49 {
                        far[from][to] = far[from][to].min(far[from][via] + far[via][to]);
                    }
                }
            }
            let ways = Ways::of(&lattice(&pieces, 0));
            let joined: Vec<(usize, usize)> = points.into_iter().filter(|point| (0..49).any(|other| far[number(*point)][other] == 60.0)).collect();
            let places: Vec<Position> = joined.iter().map(|(x, y)| at(*x as f64 * 60.0, *y as f64 * 60.0)).collect();
            let table = ways.table(&places, false);
            for (from, a) in joined.iter().enumerate() {
                for (to, b) in joined.iter().enumerate() {
                    let wanted = Some(far[number(*a)][number(*b)]).filter(|far| far.is_finite());
                    let found = table[from][to].map(|leg| f64::from(leg.metres));
                    prop_assert!(match (wanted, found) {
                        (Some(wanted), Some(found)) => (wanted - found).abs() <= 1.0,
                        (wanted, found) => wanted.is_none() && found.is_none(),
                    }, "{a:?} {b:?}: {wanted:?} {found:?}");
                }
            }
        }
    }
}
