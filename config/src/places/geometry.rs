//! Geometries: points, lines and rings with the place of each position in the file.

use crate::{
    document::words::nearest,
    places::{Position, json},
    problem::Finding,
};
use jsonc_parser::ast::{Object, Value};
use std::ops::Range;

/// What is read of the geometries that GeoJSON has.
const TYPES: [&str; 5] = ["Point", "LineString", "MultiLineString", "Polygon", "MultiPolygon"];

/// A position and where it is written. Not yet known to be on Earth: that is held against all others.
#[derive(Clone, Debug)]
pub(crate) struct Written {
    pub(crate) at: Position,
    pub(crate) span: Range<usize>,
}

/// A geometry.
#[derive(Clone, Debug)]
pub(crate) enum Shape {
    Point(Written),
    /// Two positions at least, each.
    Lines(Vec<Vec<Written>>),
    /// The outer rings: four positions at least, each; the last is the first.
    Outlines(Vec<Vec<Written>>),
}

impl Shape {
    /// Every position.
    pub(crate) fn positions(&self) -> impl Iterator<Item = &Written> {
        let (point, many) = match self {
            Self::Point(point) => (Some(point), &[][..]),
            Self::Lines(many) | Self::Outlines(many) => (None, many.as_slice()),
        };
        point.into_iter().chain(many.iter().flatten())
    }
}

/// Reads a feature's geometry; `key` is its path.
pub(crate) fn read(geometry: &Object<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<Shape> {
    let whole = geometry.range.start..geometry.range.start + 1;
    let Some(kind) = geometry.get("type") else {
        let mend = "write `\"type\": \"Point\"`, `\"LineString\"` or `\"Polygon\"`";
        findings.push(Finding::new(whole, format!("{key}.type"), "this geometry has no `type`", mend));
        return None;
    };
    let word = json::text(&kind.value).filter(|word| TYPES.contains(word));
    let Some(word) = word else {
        let near = json::text(&kind.value).and_then(|word| nearest(word, TYPES.into_iter()));
        let mend = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None => "write a Point for a place, a LineString for a path, a Polygon for what is drawn".to_owned(),
        };
        let message = format!("the geometry cannot be {}", json::seen(&kind.value));
        findings.push(Finding::new(json::span(&kind.value), format!("{key}.type"), message, mend));
        return None;
    };
    let key = format!("{key}.coordinates");
    let Some(coordinates) = geometry.get("coordinates") else {
        let mend = "write longitude and latitude: `\"coordinates\": [13.4, 52.5]`";
        findings.push(Finding::new(whole, key, "this geometry has no `coordinates`", mend));
        return None;
    };
    let value = &coordinates.value;
    let mut reader = Reader { findings };
    let (deep, brackets) = match word {
        "Point" => (1, "[13.4, 52.5]"),
        "LineString" => (2, "[[13.4, 52.5], [13.5, 52.5]]"),
        "Polygon" => (3, "[[[13.4, 52.5], …, [13.4, 52.5]]]"),
        "MultiLineString" => (3, "[[[13.4, 52.5], [13.5, 52.5]], …]"),
        _ => (4, "[[[[13.4, 52.5], …, [13.4, 52.5]]], …]"),
    };
    // Said once, not for every position.
    if let Some(found) = depth(value).filter(|found| *found != deep && *found > 0) {
        let message = format!("there are {found} brackets round a position, a {word} has {deep}");
        reader.wrong(value, &key, message, format!("write `{brackets}`, or mend the `type`"));
        return None;
    }
    match word {
        "Point" => reader.position(value, &key).map(Shape::Point),
        "LineString" => reader.line(value, &key).map(|line| Shape::Lines(vec![line])),
        "MultiLineString" => {
            let lines = reader.each(value, &key, "a list of lines", |reader, line, key| reader.line(line, key));
            lines.map(Shape::Lines)
        }
        "Polygon" => reader.outline(value, &key).map(|outline| Shape::Outlines(vec![outline])),
        _ => {
            let outlines = reader.each(value, &key, "a list of polygons", |reader, one, key| reader.outline(one, key));
            outlines.map(Shape::Outlines)
        }
    }
}

/// Reads a position that stands on its own, such as an entrance.
pub(crate) fn position(value: &Value<'_>, key: &str, findings: &mut Vec<Finding>) -> Option<Written> {
    Reader { findings }.position(value, key)
}

/// How many brackets stand round the first number; `None` where there is no number to be found.
fn depth(value: &Value<'_>) -> Option<usize> {
    match value {
        Value::NumberLit(_) => Some(0),
        Value::Array(list) => Some(1 + depth(list.elements.first()?)?),
        _ => None,
    }
}

struct Reader<'f> {
    findings: &'f mut Vec<Finding>,
}

impl Reader<'_> {
    fn wrong(&mut self, value: &Value<'_>, key: &str, message: impl Into<String>, mend: impl Into<String>) {
        let span = json::span(value);
        let span = if span.len() > 80 { span.start..span.start + 1 } else { span };
        self.findings.push(Finding::new(span, key, message, mend));
    }

    /// Every item of a list; `None` where one of them is broken, after all were looked at.
    fn each<T>(
        &mut self,
        value: &Value<'_>,
        key: &str,
        what: &str,
        read: impl Fn(&mut Self, &Value<'_>, &str) -> Option<T>,
    ) -> Option<Vec<T>> {
        let Some(list) = value.as_array() else {
            let message = format!("`coordinates` must be {what}, not {}", json::seen(value));
            self.wrong(value, key, message, "compare the geometry's `type` with its brackets");
            return None;
        };
        let count = list.elements.len();
        let items = list.elements.iter().enumerate();
        let items: Vec<T> = items.filter_map(|(index, item)| read(self, item, &format!("{key}[{index}]"))).collect();
        (items.len() == count).then_some(items)
    }

    fn position(&mut self, value: &Value<'_>, key: &str) -> Option<Written> {
        let numbers = value.as_array().map(|list| list.elements.iter().map(json::number).collect::<Vec<_>>());
        // A third number is a height (RFC 7946, 3.1.1); nobody here climbs.
        if let Some([Some(longitude), Some(latitude)] | [Some(longitude), Some(latitude), Some(_)]) = numbers.as_deref()
        {
            let at = Position { longitude: *longitude, latitude: *latitude };
            return Some(Written { at, span: json::span(value) });
        }
        let message = match (value, numbers) {
            (Value::Array(list), Some(numbers)) if numbers.iter().all(Option::is_some) && numbers.len() < 4 => {
                format!("a position has longitude and latitude, this one has {}", count(list.elements.len(), "number"))
            }
            (Value::Array(_), _) => "a position is two numbers, longitude and latitude".to_owned(),
            _ => format!("a position is a list of two numbers, not {}", json::seen(value)),
        };
        self.wrong(value, key, message, "write longitude first: `[13.4, 52.5]`");
        None
    }

    fn line(&mut self, value: &Value<'_>, key: &str) -> Option<Vec<Written>> {
        let line = self.each(value, key, "a list of positions", Self::position)?;
        if line.len() < 2 {
            let message = format!("a line has two positions at least, this one has {}", line.len());
            self.wrong(value, key, message, "add where it leads, or make it a Point");
            return None;
        }
        Some(line)
    }

    /// The outer ring of a polygon. Holes are left out: an area is drawn whole.
    fn outline(&mut self, value: &Value<'_>, key: &str) -> Option<Vec<Written>> {
        let rings = self.each(value, key, "a list of rings", |reader, ring, key| {
            let ring_value = ring;
            let ring = reader.each(ring, key, "a list of positions", Self::position)?;
            let (Some(first), Some(last)) = (ring.first(), ring.last()) else {
                reader.wrong(ring_value, key, "this ring is empty", "write its positions, or remove the feature");
                return None;
            };
            if first.at != last.at {
                let mend = format!(
                    "write the first position again at the end: `[{}, {}]`",
                    first.at.longitude, first.at.latitude
                );
                let found = Finding::new(last.span.clone(), key, "this ring is not closed", mend);
                reader.findings.push(found);
                return None;
            }
            if ring.len() < 4 {
                let message = format!("a ring has four positions at least, this one has {}", ring.len());
                reader.wrong(ring_value, key, message, "draw three corners at least, and close it");
                return None;
            }
            Some(ring)
        })?;
        let outline = rings.into_iter().next();
        if outline.is_none() {
            self.wrong(value, key, "this polygon has no ring", "write its outline, or remove the feature");
        }
        outline
    }
}

fn count(number: usize, one: &str) -> String {
    format!("{number} {one}{}", if number == 1 { "" } else { "s" })
}
