//! What must hold between features: names, ids, and that all of them are on one site.

use crate::{
    places::{Kind, Position, feature::Read, geometry::Written},
    problem::Finding,
};
use geo::{Distance as _, Haversine, Point};
use std::collections::HashMap;

/// A site is not wider: from its middle to anything on it, metres.
const SITE: f64 = 50_000.0;

/// What can be wrong with a position.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Wrong {
    /// No degrees at all: metres of a projection.
    Projected,
    /// Latitude and longitude in the wrong order.
    Swapped,
    /// Degrees, but none of Earth.
    Beyond,
    /// Far from everything else.
    Far,
}

/// Says what is wrong between the features.
pub(crate) fn check(read: &[Read], findings: &mut Vec<Finding>) {
    names(read, findings);
    positions(read, findings);
}

/// No two gates or venues of one name, no two places of one id.
fn names(read: &[Read], findings: &mut Vec<Finding>) {
    let mut named: HashMap<(Kind, String), &Read> = HashMap::new();
    let mut ids: HashMap<&str, &Read> = HashMap::new();
    for feature in read {
        if let Some((kind @ (Kind::Gate | Kind::Venue), name)) = &feature.named {
            if let Some(first) = named.get(&(*kind, name.to_lowercase())) {
                let message = format!("there is another {kind} `{name}`, {}", first.key);
                let mend = match kind {
                    Kind::Gate => "give each gate its own name, or draw it once",
                    _ => "give each venue its own name, or draw it once as a polygon with its `entrance`",
                };
                findings.push(Finding::new(
                    feature.span.clone(),
                    format!("{}.properties.name", feature.key),
                    message,
                    mend,
                ));
                // Its id is the same for the same reason.
                continue;
            }
            named.insert((*kind, name.to_lowercase()), feature);
        }
        let Some((id, given)) = &feature.id else { continue };
        if let Some(first) = ids.get(id.as_str()) {
            let (key, message, mend) = if *given {
                (
                    "id",
                    format!("the id `{id}` is that of {} too", first.key),
                    "give each place an id of its own, or none",
                )
            } else {
                (
                    "name",
                    format!("this is the same place as {}", first.key),
                    "remove one of the two, or give it a name of its own",
                )
            };
            findings.push(Finding::new(
                feature.span.clone(),
                format!("{}.properties.{key}", feature.key),
                message,
                mend,
            ));
            continue;
        }
        ids.insert(id, feature);
    }
}

/// Every position is on Earth and near the others.
fn positions(read: &[Read], findings: &mut Vec<Finding>) {
    let middle = middle(read);
    let mut wrong: Vec<(Wrong, &Read, &Written)> = Vec::new();
    for feature in read {
        // One mistake is made for a feature, not for each of its positions.
        let mut all = feature.shape.positions().chain(&feature.entrance);
        let first = all.find_map(|written| Some((judged(written.at, middle)?, written)));
        wrong.extend(first.map(|(what, written)| (what, feature, written)));
    }
    let mut counts: HashMap<Wrong, usize> = HashMap::new();
    wrong.iter().for_each(|(what, ..)| *counts.entry(*what).or_default() += 1);
    let mut told: Vec<Wrong> = Vec::new();
    for (what, feature, written) in wrong {
        let count = counts[&what];
        // An export that is wrong is wrong throughout, and is mended at one place.
        let throughout = count > 2 && count * 2 > read.len();
        if throughout && told.contains(&what) {
            continue;
        }
        told.push(what);
        let Position { longitude, latitude } = written.at;
        let others = if throughout { format!(" (and {} features more)", count - 1) } else { String::new() };
        let (message, mend) = match what {
            Wrong::Projected => (
                format!("[{longitude}, {latitude}] are no degrees but metres of a projection{others}"),
                "export the file in WGS 84 (EPSG:4326), longitude first".to_owned(),
            ),
            Wrong::Swapped if throughout => (
                format!("[{longitude}, {latitude}] has its latitude first{others}"),
                format!("write longitude first everywhere: `[{latitude}, {longitude}]`"),
            ),
            Wrong::Swapped => (
                format!("[{longitude}, {latitude}] has its latitude first"),
                format!("write longitude first: `[{latitude}, {longitude}]`"),
            ),
            Wrong::Beyond => (
                format!("[{longitude}, {latitude}] is nowhere on Earth{others}"),
                "write longitude (-180 to 180), then latitude (-90 to 90)".to_owned(),
            ),
            Wrong::Far => {
                let away = middle.map_or(0.0, |middle| metres(written.at, middle)) / 1000.0;
                (
                    format!("[{longitude}, {latitude}] is {away:.0} km from the middle of the site"),
                    "mend the position, or remove the feature".to_owned(),
                )
            }
        };
        let key = format!("{}.geometry.coordinates", feature.key);
        findings.push(Finding::new(written.span.clone(), key, message, mend));
    }
}

fn judged(at: Position, middle: Option<Position>) -> Option<Wrong> {
    let Position { longitude, latitude } = at;
    if longitude.abs() > 360.0 || latitude.abs() > 360.0 {
        return Some(Wrong::Projected);
    }
    let swapped = Position { longitude: latitude, latitude: longitude };
    let is_site = |at| middle.is_none_or(|middle| metres(at, middle) <= SITE);
    if !is_earth(at) {
        return Some(if is_earth(swapped) && is_site(swapped) { Wrong::Swapped } else { Wrong::Beyond });
    }
    if is_site(at) {
        return None;
    }
    Some(if is_earth(swapped) && is_site(swapped) { Wrong::Swapped } else { Wrong::Far })
}

fn is_earth(at: Position) -> bool {
    at.longitude.abs() <= 180.0 && at.latitude.abs() <= 90.0
}

/// The middle of most features; `None` where there are too few to tell who is astray.
fn middle(read: &[Read]) -> Option<Position> {
    let firsts = read.iter().filter_map(|feature| feature.shape.positions().next());
    let on_earth: Vec<Position> = firsts.map(|written| written.at).filter(|at| is_earth(*at)).collect();
    // The median is where the many are, whatever the few say; it is one of theirs, so that it holds at the date line too.
    let median = |mut numbers: Vec<f64>| {
        numbers.sort_by(f64::total_cmp);
        numbers.get(numbers.len() / 2).copied()
    };
    if on_earth.len() < 3 {
        return None;
    }
    Some(Position {
        longitude: median(on_earth.iter().map(|at| at.longitude).collect())?,
        latitude: median(on_earth.iter().map(|at| at.latitude).collect())?,
    })
}

fn metres(from: Position, to: Position) -> f64 {
    let point = |at: Position| Point::new(at.longitude, at.latitude);
    Haversine.distance(point(from), point(to))
}
