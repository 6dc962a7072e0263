//! The games' ground: a park of two kilometres, with clusters of venues on a net of paths, some of them with steps.

use crate::guide::games::venue;
use rand::{Rng, RngExt};
use usher_config::places::{Kind, Opening, Path, Place, Places, Position};

/// The net's corners, from west to east and from south to north; some 125 m apart.
const COLUMNS: usize = 17;
const ROWS: usize = 13;
/// Degrees between corners, at this latitude some 125 m in both directions.
const EAST: f64 = 0.0017;
const NORTH: f64 = 0.001_125;
/// The south-western corner; a field.
const CORNER: Position = Position { longitude: 2.4, latitude: 48.7 };
/// Where the clusters are: corners of the net.
const CLUSTERS: [(usize, usize); 4] = [(3, 3), (12, 3), (4, 9), (13, 9)];
/// Kinds and how many there are of each, venues apart; 200 with the venues.
const COUNTS: [(Kind, usize); 11] = [
    (Kind::Gate, 6),
    (Kind::Restaurant, 42),
    (Kind::Cafe, 22),
    (Kind::Kiosk, 26),
    (Kind::Rest, 24),
    (Kind::Toilets, 20),
    (Kind::Water, 12),
    (Kind::FirstAid, 8),
    (Kind::Shop, 12),
    (Kind::Transit, 6),
    (Kind::Information, 6),
];
const CUISINES: [&str; 8] = ["noodles", "italian", "indian", "mexican", "french", "japanese", "ice_cream", "burger"];
const HOURS: [&str; 5] = ["10:00-22:00", "11:00-15:00,17:00-22:30", "09:00-18:00", "11:30-23:00", ""];

/// Places and paths.
pub(super) fn ground(chance: &mut impl Rng) -> Places {
    let corners: Vec<Position> = (0..COLUMNS * ROWS)
        .map(|number| Position {
            longitude: CORNER.longitude + EAST * ((number % COLUMNS) as f64 + chance.random_range(-0.2..0.2)),
            latitude: CORNER.latitude + NORTH * ((number / COLUMNS) as f64 + chance.random_range(-0.2..0.2)),
        })
        .collect();
    let mut paths = Vec::new();
    for number in 0..corners.len() {
        let east = (number % COLUMNS + 1 < COLUMNS).then_some(number + 1);
        let north = (number / COLUMNS + 1 < ROWS).then_some(number + COLUMNS);
        for other in [east, north].into_iter().flatten() {
            // A park is no chessboard: some ways are not there, some have steps. The rim is whole and level.
            let is_rim = [number, other].iter().all(|at| {
                at % COLUMNS == 0 || at % COLUMNS == COLUMNS - 1 || at / COLUMNS == 0 || at / COLUMNS == ROWS - 1
            });
            let draw = chance.random_range(0..100);
            if is_rim || draw >= 12 {
                paths.push(Path { line: vec![corners[number], corners[other]], step_free: is_rim || draw >= 22 });
            }
        }
    }
    let mut places: Vec<Place> = Vec::new();
    for number in 0..16 {
        let (column, row) = CLUSTERS[number % 4];
        let around = [(0, 0), (1, 0), (0, 1), (1, 1)][number / 4];
        let at = corners[(row + around.1) * COLUMNS + column + around.0];
        places.push(place(Kind::Venue, venue(number), near(chance, at)));
    }
    for (kind, count) in COUNTS {
        for number in 0..count {
            // Gates and stops are at the rim, half of the rest in clusters.
            let at = match kind {
                Kind::Gate | Kind::Transit => {
                    let column = (number / 2 + 1) * COLUMNS / 4;
                    corners[column + if number % 2 == 0 { 0 } else { COLUMNS * (ROWS - 1) }]
                }
                _ if chance.random_bool(0.5) => {
                    let (column, row) = CLUSTERS[chance.random_range(0..4)];
                    corners[(row + chance.random_range(0..3) - 1) * COLUMNS + column + chance.random_range(0..3) - 1]
                }
                _ => corners[chance.random_range(0..corners.len())],
            };
            let name = match kind {
                Kind::Gate => format!("gate-{}", ["a", "b", "c", "d", "e", "f"][number % 6]),
                _ => format!("{kind:?} {}", number + 1),
            };
            let mut one = place(kind, name, near(chance, at));
            if matches!(kind, Kind::Restaurant | Kind::Cafe | Kind::Kiosk) {
                dress(chance, &mut one);
            }
            places.push(one);
        }
    }
    Places { places, paths, areas: Vec::new() }
}

/// Gives a place to eat what it cooks, when, for whom.
fn dress(chance: &mut impl Rng, place: &mut Place) {
    place.cuisine = vec![CUISINES[chance.random_range(0..CUISINES.len())].to_owned()];
    let diets = [("vegetarian", 0.6), ("vegan", 0.35), ("halal", 0.3), ("kosher", 0.08), ("gluten_free", 0.3)];
    place.diets =
        diets.iter().filter(|(_, share)| chance.random_bool(*share)).map(|(diet, _)| (*diet).to_owned()).collect();
    place.opening = HOURS[chance.random_range(0..HOURS.len())].parse().unwrap_or_default();
    place.popularity = chance.random_bool(0.8).then(|| chance.random_range(0.0..1.0));
    place.price = Some(chance.random_range(1..=4));
    place.step_free = chance.random_bool(0.85);
}

fn place(kind: Kind, name: String, at: Position) -> Place {
    Place {
        id: name.to_lowercase().replace(' ', "-"),
        kind,
        name,
        at,
        cuisine: Vec::new(),
        diets: Vec::new(),
        price: None,
        opening: Opening::default(),
        popularity: None,
        step_free: true,
        camera: None,
    }
}

/// Up to some fifteen metres from a corner.
fn near(chance: &mut impl Rng, at: Position) -> Position {
    let mut off = |degrees: f64| degrees * chance.random_range(-0.12..0.12);
    // Seven decimals, as maps have them.
    let rounded = |degrees: f64| (degrees * 1e7).round() / 1e7;
    Position { longitude: rounded(at.longitude + off(EAST)), latitude: rounded(at.latitude + off(NORTH)) }
}
