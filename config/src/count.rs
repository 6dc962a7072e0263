//! Key `count` of a camera: how it counts people, and where.

use crate::{
    document::{
        Checks,
        tree::{Entry, Node},
    },
    value::{Name, Span},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// How a camera counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Count {
    /// By what people are followed. Default `faces`.
    pub by: By,
    /// What they cross. Default [`Border::Picture`].
    pub border: Border,
    /// `by: motion`: height of somebody who stands where people are counted, as a share of the picture's height; learned
    /// from people who walk alone where it is not given.
    pub person: Option<f32>,
    /// What it looks at together with other cameras of its gate.
    pub place: Option<Place>,
    /// At which end of the gate's queue. Default `gate`.
    pub at: Side,
}

/// The end of a gate's queue at which a camera counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// At the gate: whoever enters is in.
    #[default]
    Gate,
    /// At the back of the queue: whoever enters joins it, whoever goes out turned back.
    Back,
}

/// By what people are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum By {
    /// Faces, as for recognition.
    #[default]
    Faces,
    /// Whole bodies that move; no face is looked for, and nobody is compared with anybody.
    Motion,
    /// This camera does not count.
    Nothing,
}

/// What people cross, as shares of the picture's width and height.
#[derive(Clone, Debug, PartialEq)]
pub enum Border {
    /// Whoever leaves the picture has entered, once.
    Picture,
    /// A line with two ends.
    Line {
        /// Its ends.
        ends: [[f32; 2]; 2],
        /// How whoever enters walks through the picture.
        direction: Direction,
    },
    /// The outline of a polygon.
    Zone {
        /// Its corners.
        corners: Vec<[f32; 2]>,
        /// Whether whoever walks into it enters; else whoever walks out of it.
        inward: bool,
    },
}

/// A way through the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Over a line, towards the lower edge: towards the camera.
    Down,
    /// Over a line, towards the upper edge.
    Up,
    /// Over a line, towards the left edge.
    Left,
    /// Over a line, towards the right edge.
    Right,
    /// Into a zone.
    Inward,
    /// Out of a zone.
    Outward,
}

impl Direction {
    /// As a step through the picture, to the right and downwards; none for zones.
    pub fn step(self) -> Option<[f32; 2]> {
        match self {
            Self::Down => Some([0.0, 1.0]),
            Self::Up => Some([0.0, -1.0]),
            Self::Left => Some([-1.0, 0.0]),
            Self::Right => Some([1.0, 0.0]),
            Self::Inward | Self::Outward => None,
        }
    }

    fn read(text: &str) -> Option<Self> {
        serde_json::from_value(serde_json::Value::String(text.to_owned())).ok()
    }
}

/// What several cameras of a gate look at together.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// Its name, within the gate.
    pub name: Name,
    /// At most this long apart, two cameras see one person there.
    pub within: Duration,
}

impl Default for Count {
    fn default() -> Self {
        Written::default().meant()
    }
}

/// The key as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// By what people are followed: `faces`; `motion` of whole bodies, which looks for no face and compares nobody; or
    /// `nothing`.
    #[garde(skip)]
    pub by: By,
    /// Two ends of a line that people cross, as shares of width and height; drawn where faces pass, or feet where `by: motion`.
    /// With neither `line` nor `zone`, whoever leaves the picture has entered.
    #[garde(inner(inner(range(min = 0.0, max = 1.0))))]
    #[schemars(extend("examples" = [[[0.1, 0.6], [0.9, 0.6]]]))]
    pub line: Vec<[f32; 2]>,
    /// Corners of a polygon that people walk into and out of, instead of a line.
    #[garde(inner(inner(range(min = 0.0, max = 1.0))))]
    #[schemars(extend("examples" = [[[0.2, 0.4], [0.8, 0.4], [0.8, 0.9], [0.2, 0.9]]]))]
    pub zone: Vec<[f32; 2]>,
    /// How whoever enters walks: over a line `down` (towards the camera; the default), `up`, `left` or `right`; with a zone
    /// `inward` (the default) or `outward`.
    #[garde(skip)]
    pub direction: Option<Direction>,
    /// `by: motion`: height of somebody who stands on the line, as a share of the picture's height; without it, learned from
    /// people who walk alone.
    #[garde(inner(range(min = 0.05, max = 0.9)))]
    #[schemars(extend("examples" = [0.3]))]
    pub person: Option<f32>,
    /// What this camera looks at, if other cameras of its gate do too: cameras with one `place` see the same people, who count
    /// once.
    #[garde(skip)]
    #[schemars(extend("examples" = ["turnstiles"]))]
    pub place: Option<Name>,
    /// Where it counts: at the `gate`, so that whoever enters is in; or at the `back` of its queue, so that whoever enters has come to
    /// it. With the latter the queue is what lies between both, and what is forecast is who comes and not who is let in.
    #[garde(skip)]
    pub at: Side,
    /// At most this long apart, two cameras with one `place` see one person.
    #[garde(skip)]
    #[schemars(extend("x-least" = "100 ms", "x-most" = "30 s"))]
    pub within: Span,
}

impl Default for Written {
    fn default() -> Self {
        let within = Span(Duration::from_secs(3));
        Self {
            by: By::Faces,
            line: vec![],
            zone: vec![],
            direction: None,
            person: None,
            place: None,
            at: Side::Gate,
            within,
        }
    }
}

impl Written {
    pub(crate) fn meant(&self) -> Count {
        let border = match self.line[..] {
            [from, to] => Border::Line { ends: [from, to], direction: self.direction.unwrap_or(Direction::Down) },
            _ if !self.zone.is_empty() => {
                Border::Zone { corners: self.zone.clone(), inward: self.direction != Some(Direction::Outward) }
            }
            _ => Border::Picture,
        };
        let place = self.place.as_ref().map(|name| Place { name: name.clone(), within: self.within.0 });
        Count { by: self.by, border, person: self.person, place, at: self.at }
    }
}

/// Least sine of the angle between a line and the way people walk over it: a sixth of a right angle.
const LEAST_ANGLE: f32 = 0.26;
/// Least length of a line, as a share of the picture: people pass beside a shorter one.
const LEAST_LENGTH: f32 = 0.02;

/// What must hold between the values of `count` of the camera at `path`.
pub(crate) fn check(checks: &mut Checks<'_>, camera: &Entry, path: &str) {
    let Some(count) = camera.value.entry("count").filter(|entry| !entry.value.entries().is_empty()) else { return };
    let path = format!("{path}.count");
    let at = |key: &str| format!("{path}.{key}");
    let by = count.value.get("by").and_then(Node::text).unwrap_or("faces");
    let drawn = |key: &str| count.value.entry(key).filter(|entry| !entry.value.items().is_empty());
    let direction = count.value.get("direction");
    match (drawn("line"), drawn("zone")) {
        (Some(_), Some(zone)) => {
            let message = "both a line and a zone are drawn";
            checks.find(zone.key_span.clone(), at("zone"), message, "keep one of them");
        }
        (Some(line), None) => check_line(checks, line, direction, &path),
        (None, Some(zone)) => check_zone(checks, zone, direction, &path),
        (None, None) => {
            if let Some(node) = direction {
                let mend = "draw a `line: [[0.1, 0.6], [0.9, 0.6]]`, or remove it";
                checks.find(node.span.clone(), at("direction"), "`direction` has no line to cross", mend);
            }
            if by == "motion" {
                let mend = "draw where they pass: `line: [[0.1, 0.6], [0.9, 0.6]]`, or a `zone`";
                checks.find(count.key_span.clone(), &path, "people who move are counted nowhere", mend);
            }
        }
    }
    if let Some(person) = count.value.entry("person").filter(|entry| entry.value.text().is_some() && by != "motion") {
        let message = "`person` is for `by: motion`, and this camera counts otherwise";
        checks.find(person.key_span.clone(), at("person"), message, "remove it, or write `by: motion`");
    }
    if let (Some(within), None) = (count.value.entry("within"), count.value.get("place"))
        && within.value.text().is_some()
        && within.value.text() != Some("3 s")
    {
        let message = "`within` is for cameras that look at one place, and this one names none";
        checks.find(within.key_span.clone(), at("within"), message, "add `place: NAME`, or remove it");
    }
}

/// The numbers of a list of points; `None` where a value is none, which is reported elsewhere.
fn points(list: &Node) -> Option<Vec<[f32; 2]>> {
    let number = |node: &Node| node.text()?.parse::<f32>().ok();
    let point = |node: &Node| match node.items() {
        [x, y] => Some([number(x)?, number(y)?]),
        _ => None,
    };
    list.items().iter().map(point).collect()
}

fn check_line(checks: &mut Checks<'_>, line: &Entry, direction: Option<&Node>, path: &str) {
    let Some(ends) = points(&line.value) else { return };
    let [[ax, ay], [bx, by]] = ends[..] else {
        let message = format!(
            "`line` has {} {}, and a line has two ends",
            ends.len(),
            if ends.len() == 1 { "point" } else { "points" }
        );
        let mend = "write its two ends, such as `[[0.1, 0.6], [0.9, 0.6]]`; a `zone` has more";
        checks.find(line.key_span.clone(), format!("{path}.line"), message, mend);
        return;
    };
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx.hypot(dy);
    if length < LEAST_LENGTH {
        let message = "the line has no length, so nobody can cross it";
        let mend = "write two ends that lie apart, such as `[[0.1, 0.6], [0.9, 0.6]]`";
        checks.find(line.key_span.clone(), format!("{path}.line"), message, mend);
        return;
    }
    let text = direction.and_then(Node::text).unwrap_or("down");
    let Some(way) = Direction::read(text) else { return };
    let span = direction.map_or(line.key_span.clone(), |node| node.span.clone());
    let place = format!("{path}.{}", if direction.is_some() { "direction" } else { "line" });
    match way.step() {
        None => {
            let message = format!("nobody can walk `{text}` over a line");
            checks.find(span, place, message, "write `down`, `up`, `left` or `right`");
        }
        Some([x, y]) if ((dx * y - dy * x) / length).abs() < LEAST_ANGLE => {
            let across = if dx.abs() > dy.abs() { "`direction: down` or `up`" } else { "`direction: left` or `right`" };
            let message = format!("whoever walks `{text}` goes along this line and does not cross it");
            checks.find(span, place, message, format!("write {across}, or draw the line across their way"));
        }
        Some(_) => {}
    }
}

fn check_zone(checks: &mut Checks<'_>, zone: &Entry, direction: Option<&Node>, path: &str) {
    let corners = zone.value.items().len();
    if corners < 3 {
        let message = format!("`zone` has {corners} corners, and a polygon has three or more");
        let mend = "write three corners or more, or a `line` with two ends";
        checks.find(zone.key_span.clone(), format!("{path}.zone"), message, mend);
    }
    if let Some(node) = direction
        && let Some(text) = node.text()
        && Direction::read(text).is_some_and(|way| way.step().is_some())
    {
        let message = format!("`{text}` is a way over a line, and this is a zone");
        checks.find(node.span.clone(), format!("{path}.direction"), message, "write `inward` or `outward`");
    }
}

/// A place is looked at by two cameras of a gate at least.
pub(crate) fn check_places(checks: &mut Checks<'_>) {
    let (Some(cameras), Some(gates)) = (checks.root.get("cameras"), checks.root.get("gates")) else { return };
    for gate in gates.entries() {
        let mut places: BTreeMap<&str, Vec<(&str, &Node)>> = BTreeMap::new();
        for name in gate.value.get("cameras").map(Node::items).unwrap_or_default().iter().filter_map(Node::text) {
            let count = cameras.get(name).and_then(|camera| camera.get("count"));
            if let Some(node) = count.and_then(|count| count.get("place"))
                && let Some(place) = node.text()
            {
                places.entry(place).or_default().push((name, node));
            }
        }
        check_sides(checks, gate);
        for (place, seen) in places {
            if let Some((camera, node)) =
                seen.iter().find(|(camera, _)| side(cameras, camera) != side(cameras, seen[0].0))
            {
                let message =
                    format!("`{place}` is looked at from the gate and from the back of its queue, and is one place");
                let mend = "give both the same `at`, or another `place`";
                checks.find(node.span.clone(), format!("cameras.{camera}.count.place"), message, mend);
            }
            let [(camera, node)] = seen[..] else { continue };
            let message = format!("no other camera of gate `{}` looks at the place `{place}`", gate.key);
            let mend = "give the cameras that see the same people the same `place`, or remove it";
            checks.find(node.span.clone(), format!("cameras.{camera}.count.place"), message, mend);
        }
    }
}

/// Where a camera counts, as written.
fn side<'a>(cameras: &'a Node, camera: &str) -> &'a str {
    let at = cameras.get(camera).and_then(|camera| camera.get("count")).and_then(|count| count.get("at"));
    at.and_then(Node::text).unwrap_or("gate")
}

/// A camera at the back of a queue needs a queue, and somebody at the gate who counts who goes in.
fn check_sides(checks: &mut Checks<'_>, gate: &Entry) {
    let Some(cameras) = checks.root.get("cameras") else { return };
    let of: Vec<&str> =
        gate.value.get("cameras").map(Node::items).unwrap_or_default().iter().filter_map(Node::text).collect();
    let Some(back) = of.iter().find(|camera| side(cameras, camera) == "back") else { return };
    let node = cameras.get(back).and_then(|camera| camera.get("count")).and_then(|count| count.get("at"));
    let Some(span) = node.map(|node| node.span.clone()) else { return };
    let path = format!("cameras.{back}.count.at");
    let counts = |camera: &&&str| {
        let count = cameras.get(camera).and_then(|camera| camera.get("count"));
        let by = count.and_then(|count| count.get("by")).and_then(Node::text).unwrap_or("faces");
        by != "nothing" && side(cameras, camera) == "gate"
    };
    if gate.value.get("lanes").is_none() {
        let message =
            format!("`at: back` counts who comes to a queue, and gate `{}` says not how many lanes it has", gate.key);
        checks.find(span, path, message, "add `lanes: 8` (as many as there are) to the gate, or remove it");
    } else if of.iter().find(counts).is_none() {
        let message = format!("no camera of gate `{}` counts at the gate, so nobody knows who goes in", gate.key);
        checks.find(span, path, message, "add a camera that counts at the gate, or write `at: gate`");
    }
}
