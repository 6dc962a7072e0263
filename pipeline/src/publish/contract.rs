//! The contract: JSON schemas and the AsyncAPI document, from the types.
//!
//! `docs/events` holds what these functions return; a test keeps it so (`BLESS=1` writes it anew).

use crate::{
    flow::told::{GateFlow, GateForecast},
    publish::payload::{CameraState, Event, Face, Greeting, Notice, Programme, Status, Visit},
};
use schemars::{JsonSchema, generate::SchemaSettings};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The schema of every event, by name: `visit`, `greeting`, `face`, `notice`, `flow`, `forecast`, `programme`,
/// `status`, `camera`. JSON Schema 2020-12.
pub fn schemas() -> BTreeMap<&'static str, Value> {
    BTreeMap::from([
        ("visit", schema_of::<Event<Visit>>("Visit", "usher.visit.v1")),
        ("greeting", schema_of::<Event<Greeting>>("Greeting", "usher.greeting.v1")),
        ("face", schema_of::<Face>("Face", "usher.face.v1")),
        ("notice", schema_of::<Event<Notice>>("Notice", "usher.notice.v1")),
        ("flow", schema_of::<Event<GateFlow>>("GateFlow", "usher.flow.v1")),
        ("forecast", schema_of::<Event<GateForecast>>("GateForecast", "usher.forecast.v1")),
        ("programme", schema_of::<Event<Programme>>("Programme", "usher.programme.v1")),
        ("status", schema_of::<Event<Status>>("Status", "usher.status.v1")),
        ("camera", schema_of::<Event<CameraState>>("CameraState", "usher.camera.v1")),
    ])
}

fn schema_of<T: JsonSchema>(title: &str, event_type: &str) -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    schema["title"] = json!(title);
    schema["properties"]["type"]["const"] = json!(event_type);
    schema
}

/// One channel: its name, its topic below `usher/v1/{site}/`, whether it is retained, and what it is for.
const CHANNELS: [(&str, &str, bool, &str); 9] = [
    ("visit", "gate/{gate}/visit", false, "Somebody known came to a gate. At least once; tell duplicates by `id`."),
    ("greeting", "gate/{gate}/greeting", false, "What the screen shows. Drop it once `data.expires_at` is over."),
    ("face", "gate/{gate}/face", false, "The picture to a greeting: its `subject` is the greeting's `data.visit`."),
    ("notice", "gate/{gate}/notice", false, "A greeting without a name. Drop it once `data.expires_at` is over."),
    ("flow", "gate/{gate}/flow", true, "How many came and went at a gate, how long one waits, what staff may do."),
    (
        "forecast",
        "gate/{gate}/forecast",
        true,
        "What comes next at a gate, with intervals and how good they have been.",
    ),
    ("programme", "programme", true, "Sessions that are not held as announced: delayed, moved, sold out, cancelled."),
    ("status", "box/{box}/status", true, "How a box is; its last will says `offline`."),
    ("camera", "camera/{camera}/state", true, "How a camera is."),
];

/// The AsyncAPI 3.0 document of all topics.
pub fn asyncapi() -> Value {
    let mut channels = serde_json::Map::new();
    let mut operations = serde_json::Map::new();
    for (name, topic, retained, summary) in CHANNELS {
        let address = format!("usher/v1/{{site}}/{topic}");
        let parameters: serde_json::Map<String, Value> = address
            .split('/')
            .filter_map(|level| level.strip_prefix('{')?.strip_suffix('}'))
            .map(|level| {
                (level.to_owned(), json!({ "description": format!("The {level}'s name: 1 to 32 of `a-z 0-9 _ -`.") }))
            })
            .collect();
        channels.insert(
            name.to_owned(),
            json!({
                "address": address,
                "summary": summary,
                "parameters": parameters,
                "messages": { name: {
                    "contentType": "application/cloudevents+json",
                    "payload": { "$ref": format!("./{name}.schema.json") },
                } },
            }),
        );
        operations.insert(
            format!("send-{name}"),
            json!({
                "action": "send",
                "channel": { "$ref": format!("#/channels/{name}") },
                "bindings": { "mqtt": { "qos": 1, "retain": retained } },
            }),
        );
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "usher events",
            "version": "1.0.0",
            "description": "What usher tells the venue, over MQTT 3.1.1. Bodies are CloudEvents 1.0 in JSON. Generated from the types.",
        },
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
    })
}
