//! The JSON schema of a file of places, made of the table of properties.

use crate::places::{
    DIETS, DRAWN, Kind,
    property::{AREA, Form, PATH, PLACE, Property},
};
use serde_json::{Map, Value, json};

/// A Markdown table of every property of a place: what it may be, an example, what it means.
pub fn table() -> String {
    let mut out = String::from("| property | type | example | meaning |\n|---|---|---|---|\n");
    for Property { name, form, example, meaning } in &PLACE {
        let kind = match form {
            Form::Kind => "word".to_owned(),
            Form::Text(most) => format!("text, up to {most} characters"),
            Form::Words => "list of words".to_owned(),
            Form::Diets => format!("list of {}", DIETS.map(|diet| format!("`{diet}`")).join(", ")),
            Form::Price => "1, 2, 3 or 4".to_owned(),
            Form::Hours => "opening hours".to_owned(),
            Form::Share => "number from 0 to 1".to_owned(),
            Form::Flag => "`true` or `false`".to_owned(),
            Form::Name => "name".to_owned(),
            Form::Position => "position".to_owned(),
        };
        out.push_str(&format!("| `{name}` | {kind} | `{example}` | {meaning} |\n"));
    }
    out
}

/// The JSON schema of a file of places: draft 2020-12, for editors. Members and properties that are not ours may stand
/// beside ours.
pub fn json_schema() -> Value {
    let places: Vec<&str> = Kind::ALL.iter().map(|(word, _)| *word).collect();
    let built: Vec<&str> = places.iter().copied().filter(|word| !DRAWN.contains(word)).collect();
    let position = json!({ "type": "array", "minItems": 2, "maxItems": 3, "items": { "type": "number" },
                           "description": "Longitude and latitude in degrees, WGS 84." });
    let list = |items: Value, least: u8| json!({ "type": "array", "minItems": least, "items": items });
    let line = list(json!({ "$ref": "#/$defs/Position" }), 2);
    let rings = list(list(json!({ "$ref": "#/$defs/Position" }), 4), 1);
    let place = |kinds: &[&str]| properties(&PLACE, kinds, true);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "usher places",
        "description": "What is on the site: GeoJSON (RFC 7946) whose points are places, lines are paths, polygons are drawn.",
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": { "const": "FeatureCollection" },
            "features": { "type": "array", "minItems": 1, "items": { "$ref": "#/$defs/Feature" } }
        },
        "$defs": {
            "Position": position,
            "Feature": {
                "type": "object",
                "required": ["type", "geometry"],
                "properties": { "type": { "const": "Feature" }, "id": { "type": ["string", "number"] } },
                "oneOf": [
                    feature(&[("Point", json!({ "$ref": "#/$defs/Position" }))], &place(&places), true),
                    feature(&[("LineString", line.clone()), ("MultiLineString", list(line, 1))], &properties(&PATH, &["path"], false), false),
                    feature(&[("Polygon", rings.clone()), ("MultiPolygon", list(rings.clone(), 1))], &properties(&AREA, &DRAWN, true), true),
                    feature(&[("Polygon", rings.clone()), ("MultiPolygon", list(rings, 1))], &place(&built), true),
                ]
            }
        }
    })
}

fn feature(geometries: &[(&str, Value)], properties: &Value, required: bool) -> Value {
    let geometry = |(kind, coordinates): &(&str, Value)| {
        json!({ "type": "object", "required": ["type", "coordinates"],
                "properties": { "type": { "const": kind }, "coordinates": coordinates } })
    };
    let geometries: Vec<Value> = geometries.iter().map(geometry).collect();
    let geometry = if let [only] = geometries.as_slice() { only.clone() } else { json!({ "oneOf": geometries }) };
    let properties = if required { properties.clone() } else { json!({ "oneOf": [{ "type": "null" }, properties] }) };
    let mut feature = json!({ "properties": { "geometry": geometry, "properties": properties } });
    if required {
        feature["required"] = json!(["properties"]);
    }
    feature
}

fn properties(table: &[Property], kinds: &[&str], needs_kind: bool) -> Value {
    let all: Map<String, Value> =
        table.iter().map(|property| (property.name.to_owned(), one(property, kinds))).collect();
    let mut object = json!({ "type": "object", "properties": all });
    if needs_kind {
        object["required"] = json!(["kind"]);
    }
    object
}

fn one(property: &Property, kinds: &[&str]) -> Value {
    let mut schema = match property.form {
        Form::Kind => json!({ "enum": kinds }),
        Form::Text(most) => json!({ "type": ["string", "null"], "minLength": 1, "maxLength": most }),
        Form::Words => {
            json!({ "type": ["array", "null"], "items": { "type": "string", "minLength": 1, "maxLength": 40 } })
        }
        Form::Diets => json!({ "type": ["array", "null"], "items": { "enum": DIETS } }),
        Form::Price => json!({ "type": ["integer", "null"], "minimum": 1, "maximum": 4 }),
        Form::Hours => json!({ "type": ["string", "null"], "format": "opening_hours" }),
        Form::Share => json!({ "type": ["number", "null"], "minimum": 0, "maximum": 1 }),
        Form::Flag => json!({ "type": ["boolean", "null"] }),
        Form::Name => json!({ "type": ["string", "null"], "pattern": "^[a-z0-9_-]{1,32}$" }),
        Form::Position => json!({ "$ref": "#/$defs/Position" }),
    };
    schema["description"] = Value::from(property.meaning);
    if let Ok(example) = serde_json::from_str::<Value>(property.example)
        && !matches!(property.form, Form::Kind)
    {
        schema["examples"] = json!([example]);
    }
    schema
}
