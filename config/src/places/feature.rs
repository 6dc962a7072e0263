//! Features: what each of the file is made into.

use crate::{
    document::words::nearest,
    places::{
        Area, DRAWN, Kind, Path, Place, Places, Position, across, geometry,
        geometry::Shape,
        json,
        properties::{Properties, Reader},
        property::{AREA, PATH, PLACE},
    },
    problem::Finding,
};
use geo::Centroid as _;
use jsonc_parser::ast::{Object, Value};
use std::ops::Range;

/// A feature that was read, for what must hold between features.
pub(crate) struct Read {
    /// `features[3]`
    pub(crate) key: String,
    pub(crate) shape: Shape,
    /// A place's kind and name, where it has both.
    pub(crate) named: Option<(Kind, String)>,
    /// A place's id, and whether it was given.
    pub(crate) id: Option<(String, bool)>,
    /// Where a polygon is entered, where that is written.
    pub(crate) entrance: Option<geometry::Written>,
    /// Where kind, name or id stand; the feature's first byte where they do not.
    pub(crate) span: Range<usize>,
}

/// Where positions of the file are measured, in one word of its `crs`.
fn is_wgs84(name: &str) -> bool {
    let name = name.to_uppercase();
    // CRS84 is what GeoJSON means; 4326 is what older exporters call the same, longitude first.
    name.ends_with("CRS84") || name.ends_with(":4326") || name.ends_with("/4326")
}

/// Reads the whole file.
pub(crate) fn collection(root: &Value<'_>, findings: &mut Vec<Finding>, remarks: &mut Vec<Finding>) -> Places {
    let mut places = Places::default();
    let Some(features) = features(root, findings) else { return places };
    let mut read = Vec::with_capacity(features.len());
    for (index, value) in features.iter().enumerate() {
        let key = format!("features[{index}]");
        let before = findings.len();
        let mut feature = Feature { key: &key, findings, remarks };
        let Some((shape, properties)) = feature.parts(value) else { continue };
        let is_whole = feature.findings.len() == before;
        read.extend(feature.made(value, shape, &properties, is_whole, &mut places));
    }
    across::check(&read, findings);
    places
}

/// The features; what else the file is, is found.
fn features<'v, 'a>(root: &'v Value<'a>, findings: &mut Vec<Finding>) -> Option<&'v [Value<'a>]> {
    let begin = json::span(root).start..json::span(root).start + 1;
    let wrap = "put the features into `{\"type\": \"FeatureCollection\", \"features\": […]}`";
    let Some(object) = root.as_object() else {
        let message = format!("this file holds {}, not a FeatureCollection", json::seen(root));
        findings.push(Finding::new(begin, "", message, wrap));
        return None;
    };
    let kind = object.get("type");
    let word = kind.and_then(|kind| json::text(&kind.value));
    if word != Some("FeatureCollection") {
        let span = kind.map_or(begin, |kind| json::span(&kind.value));
        let (message, mend) = match (kind, word) {
            (_, Some("Topology")) => ("this is TopoJSON".to_owned(), "export it as GeoJSON".to_owned()),
            (_, Some(word @ ("Feature" | "Point" | "LineString" | "Polygon" | "GeometryCollection"))) => {
                (format!("this file holds one {word}, not a FeatureCollection"), wrap.to_owned())
            }
            (Some(kind), _) => (
                format!("`type` cannot be {}", json::seen(&kind.value)),
                "write `\"type\": \"FeatureCollection\"`".to_owned(),
            ),
            (None, _) => ("the file has no `type`".to_owned(), wrap.to_owned()),
        };
        findings.push(Finding::new(span, "type", message, mend));
        return None;
    }
    if let Some(crs) = object.get("crs").filter(|crs| crs.value.as_null_keyword().is_none()) {
        let properties =
            crs.value.as_object().and_then(|crs| crs.get("properties")).and_then(|crs| crs.value.as_object());
        let name = properties.and_then(|properties| properties.get("name"));
        let word = name.and_then(|name| json::text(&name.value));
        if !word.is_some_and(is_wgs84) {
            let span = name.map_or_else(|| json::key_span(crs), |name| json::span(&name.value));
            let message = format!("positions are not WGS 84 but `{}`", word.unwrap_or("something of their own"));
            let mend = "export the file in WGS 84 (EPSG:4326), longitude first, as RFC 7946 wants";
            findings.push(Finding::new(span, "crs", message, mend));
            return None;
        }
    }
    let Some(features) = object.get("features") else {
        findings.push(Finding::new(begin, "features", "the key `features` is missing", "write `\"features\": [ … ]`"));
        return None;
    };
    let Some(list) = features.value.as_array() else {
        let message = format!("`features` must be a list, not {}", json::seen(&features.value));
        findings.push(Finding::new(json::key_span(features), "features", message, "write `\"features\": [ … ]`"));
        return None;
    };
    if list.elements.is_empty() {
        let mend = "draw the site's places, paths and areas, or take the file out of the configuration";
        findings.push(Finding::new(json::key_span(features), "features", "there are no features", mend));
    }
    Some(&list.elements)
}

struct Feature<'f> {
    key: &'f str,
    findings: &'f mut Vec<Finding>,
    remarks: &'f mut Vec<Finding>,
}

impl Feature<'_> {
    /// Geometry and properties, where both can be read.
    fn parts(&mut self, value: &Value<'_>) -> Option<(Shape, Properties)> {
        let begin = json::span(value).start..json::span(value).start + 1;
        let Some(object) = value.as_object() else {
            let message = format!("a feature is an object, not {}", json::seen(value));
            self.find(begin, "", message, "write `{\"type\": \"Feature\", \"geometry\": {…}, \"properties\": {…}}`");
            return None;
        };
        if let Some(kind) = object.get("type").filter(|kind| json::text(&kind.value) != Some("Feature")) {
            let message = format!("`type` cannot be {}", json::seen(&kind.value));
            self.find(json::span(&kind.value), ".type", message, "write `\"type\": \"Feature\"`");
        } else if object.get("type").is_none() {
            self.find(begin.clone(), ".type", "this feature has no `type`", "write `\"type\": \"Feature\"`");
        }
        let shape = match object.get("geometry").map(|geometry| &geometry.value) {
            Some(Value::Object(geometry)) => geometry::read(geometry, &format!("{}.geometry", self.key), self.findings),
            other => {
                let span = other.map_or(begin.clone(), json::span);
                let message = match other {
                    Some(other) => format!("`geometry` must be an object, not {}", json::seen(other)),
                    None => "this feature has no `geometry`".to_owned(),
                };
                self.find(span, ".geometry", message, "draw it, or remove the feature");
                None
            }
        };
        // Also where the line itself is broken.
        let geometry = object.get("geometry").and_then(|geometry| geometry.value.as_object());
        let word = geometry.and_then(|geometry| geometry.get("type")).and_then(|kind| json::text(&kind.value));
        let is_path = word.is_some_and(|word| word.ends_with("LineString"));
        let properties = self.properties(object, &begin, shape.as_ref(), is_path);
        Some((shape?, properties?))
    }

    fn find(&mut self, span: Range<usize>, below: &str, message: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(span, format!("{}{below}", self.key), message, mend));
    }

    fn properties(
        &mut self,
        object: &Object<'_>,
        begin: &Range<usize>,
        shape: Option<&Shape>,
        is_path: bool,
    ) -> Option<Properties> {
        let given = object.get("properties").filter(|given| given.value.as_null_keyword().is_none());
        let Some(given) = given else {
            if is_path {
                return Some(Properties::default());
            }
            let mend = "write what it is: `\"properties\": {\"kind\": \"restaurant\", \"name\": \"Noodle House\"}`";
            self.find(begin.clone(), ".properties", "this feature has no `properties`", mend);
            return None;
        };
        let Some(properties) = given.value.as_object() else {
            let message = format!("`properties` must be an object, not {}", json::seen(&given.value));
            self.find(json::span(&given.value), ".properties", message, "write `\"properties\": {…}`");
            return None;
        };
        let places = Kind::ALL.map(|(word, _)| word);
        let drawn: Vec<&str> =
            DRAWN.into_iter().chain(places.into_iter().filter(|word| !DRAWN.contains(word))).collect();
        let word = properties.get("kind").and_then(|kind| json::text(&kind.value)).unwrap_or_default();
        let (table, kinds): (&'static [_], &[&str]) = match shape {
            _ if is_path => (&PATH, &["path"]),
            Some(Shape::Outlines(_)) if DRAWN.contains(&word) => (&AREA, &drawn),
            Some(Shape::Point(_)) => (&PLACE, &places),
            _ => (&PLACE, &drawn),
        };
        let key = format!("{}.properties", self.key);
        let mut reader = Reader { key: &key, table, kinds, findings: self.findings, remarks: self.remarks };
        let read = reader.read(properties);
        // A misspelt `kind` is one mistake, not two.
        let is_missing = properties.get("kind").is_none_or(|kind| kind.value.as_null_keyword().is_some());
        let meant =
            properties.properties.iter().any(|entry| nearest(entry.name.as_str(), ["kind"].into_iter()).is_some());
        if is_missing && !is_path && !meant {
            let span = json::key_span(given);
            let mend = "write for instance `\"kind\": \"restaurant\"`";
            self.find(span, ".properties.kind", "the property `kind` is missing", mend);
        }
        Some(read)
    }

    /// Puts what was read where it belongs, and says what of it must be held against other features.
    fn made(
        &mut self,
        value: &Value<'_>,
        shape: Shape,
        said: &Properties,
        is_whole: bool,
        into: &mut Places,
    ) -> Option<Read> {
        let span = named_span(value);
        if let Shape::Lines(lines) = &shape {
            let step_free = said.flag("step_free").copied().unwrap_or(true);
            let line = |line: &Vec<geometry::Written>| Path { line: positions(line), step_free };
            into.paths.extend(lines.iter().map(line));
            return Some(Read { key: self.key.to_owned(), shape, named: None, id: None, entrance: None, span });
        }
        let kind = said.text("kind");
        let name = said.text("name").map(str::to_owned);
        if let Shape::Outlines(outlines) = &shape {
            let drawn = match kind {
                Some(kind) if DRAWN.contains(&kind) => kind,
                Some("rest" | "transit" | "gate") => "square",
                _ => "building",
            };
            let area = |outline: &Vec<geometry::Written>| Area {
                kind: drawn.to_owned(),
                name: name.clone(),
                outline: positions(outline),
            };
            into.areas.extend(outlines.iter().map(area));
        }
        let place = kind.filter(|kind| matches!(shape, Shape::Point(_)) || !DRAWN.contains(kind)).and_then(Kind::of);
        let Some(kind) = place else {
            return Some(Read { key: self.key.to_owned(), shape, named: None, id: None, entrance: None, span });
        };
        self.has_name(kind, value, &span);
        let entrance = said.position("entrance").cloned();
        let at = entrance.as_ref().map(|entrance| entrance.at).or_else(|| middle(&shape))?;
        let given = said.text("id").map(str::to_owned).or_else(|| own_id(value));
        let made = || {
            let name = name.as_deref().unwrap_or_default().to_lowercase();
            format!("{kind}/{name}/{:.5},{:.5}", at.longitude, at.latitude)
        };
        let id = given.clone().unwrap_or_else(made);
        let read = Read {
            key: self.key.to_owned(),
            shape,
            named: name.clone().map(|name| (kind, name)),
            // What an id would be made of may be what is broken.
            id: (is_whole || given.is_some()).then(|| (id.clone(), given.is_some())),
            entrance,
            span,
        };
        if is_whole {
            into.places.push(Place {
                id,
                kind,
                name: name.unwrap_or_default(),
                at,
                cuisine: said.words("cuisine").unwrap_or_default().to_vec(),
                diets: said.words("diets").unwrap_or_default().to_vec(),
                price: said.number("price").map(|price| *price as u8),
                opening: said.hours("opening_hours").cloned().unwrap_or_default(),
                popularity: said.number("popularity").copied(),
                step_free: said.flag("step_free").copied().unwrap_or(true),
                camera: said.name("camera").cloned(),
            });
        }
        Some(read)
    }

    /// Whoever is sent somewhere needs its name; a gate's is one of the configuration.
    fn has_name(&mut self, kind: Kind, value: &Value<'_>, span: &Range<usize>) {
        let properties = value.as_object().and_then(|object| object.get("properties"));
        let entry = properties.and_then(|given| given.value.as_object()).and_then(|given| given.get("name"));
        let entry = entry.filter(|entry| entry.value.as_null_keyword().is_none());
        let needs_none = matches!(kind, Kind::Toilets | Kind::Water | Kind::FirstAid | Kind::Information);
        let Some(entry) = entry else {
            if !needs_none {
                let mend = match kind {
                    Kind::Gate => "write the gate's name in the configuration: `\"name\": \"gate-a\"`",
                    Kind::Venue => "write the venue's name in the programme: `\"name\": \"North Park Stadium\"`",
                    _ => "write what people call it: `\"name\": \"Noodle House\"`",
                };
                self.find(span.clone(), ".properties.name", format!("this {kind} has no `name`"), mend);
            }
            return;
        };
        if let Some(text) =
            json::text(&entry.value).map(str::trim).filter(|text| !text.is_empty() && kind == Kind::Gate)
            && let Err(unfit) = <crate::value::Name as crate::text::Textual>::read(text)
        {
            let mend = format!("write the gate's name in the configuration: {}", unfit.mend);
            self.find(json::span(&entry.value), ".properties.name", format!("`name`: {}", unfit.message), mend);
        }
    }
}

/// The feature's own `id`, text or number.
fn own_id(value: &Value<'_>) -> Option<String> {
    match &value.as_object()?.get("id")?.value {
        Value::StringLit(text) if !text.value.trim().is_empty() => Some(text.value.trim().to_owned()),
        Value::NumberLit(number) => Some(number.value.to_owned()),
        _ => None,
    }
}

/// Where a feature is best pointed at: its name, else its kind, else its beginning.
fn named_span(value: &Value<'_>) -> Range<usize> {
    let properties =
        value.as_object().and_then(|object| object.get("properties")).and_then(|given| given.value.as_object());
    let entry = properties.and_then(|given| given.get("name").or_else(|| given.get("kind")));
    entry.map_or_else(|| json::span(value).start..json::span(value).start + 1, |entry| json::span(&entry.value))
}

fn positions(line: &[geometry::Written]) -> Vec<Position> {
    line.iter().map(|written| written.at).collect()
}

/// A point itself; of outlines, the middle of the first.
fn middle(shape: &Shape) -> Option<Position> {
    match shape {
        Shape::Point(point) => Some(point.at),
        Shape::Lines(_) => None,
        Shape::Outlines(outlines) => {
            let ring = outlines.first()?.iter().map(|written| (written.at.longitude, written.at.latitude)).collect();
            let middle = geo::Polygon::new(ring, Vec::new()).centroid()?;
            Some(Position { longitude: middle.x(), latitude: middle.y() })
        }
    }
}
