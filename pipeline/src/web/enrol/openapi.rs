//! The enrolment API as an OpenAPI 3.1 document, from the types.
//!
//! `docs/api/openapi.json` holds what [`document`] returns; a test keeps it so (`BLESS=1` writes it anew). Schemas are JSON Schema
//! 2020-12, which OpenAPI 3.1 takes as they are.

use crate::web::enrol::answers::{
    DayShown, Enrol, Enrolled, Forget, Forgotten, Form, Kept, Key, Listed, Look, Near, NearbyShown, Open, Refused,
    Secret,
};
use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Map, Value, json};

/// One operation.
struct Operation {
    path: &'static str,
    method: &'static str,
    summary: &'static str,
    /// Who may: nothing, `station` or `staff`.
    who: Option<&'static str>,
    request: Option<Value>,
    answer: (&'static str, Option<Value>),
    refusals: &'static [&'static str],
}

/// The document.
pub fn document() -> Value {
    let settings =
        SchemaSettings::draft2020_12().with(|settings| settings.definitions_path = "/components/schemas".into());
    let mut schemas = settings.into_generator();
    let mut paths = Map::new();
    for operation in operations(&mut schemas) {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        let method = operation.method;
        path[method] = told(operation);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "usher enrolment",
            "version": "1.0.0",
            "description": "How visitors enrol, see what is kept of them and are forgotten. Over TLS only. No answer holds a template or a score. Generated from the types.",
        },
        "paths": paths,
        "components": {
            "schemas": schemas.take_definitions(true),
            "securitySchemes": {
                "station": { "type": "apiKey", "in": "cookie", "name": "__Host-usher_station", "description": "A station that staff opened." },
                "staff": { "type": "apiKey", "in": "cookie", "name": "__Host-usher_staff", "description": "Staff who signed in." },
            },
        },
    })
}

fn body<T: JsonSchema>(schemas: &mut SchemaGenerator) -> Option<Value> {
    Some(json!({ "application/json": { "schema": schemas.subschema_for::<T>() } }))
}

fn operations(schemas: &mut SchemaGenerator) -> Vec<Operation> {
    let refused = schemas.subschema_for::<Refused>();
    debug_assert!(refused.as_object().is_some());
    let operation = |path, method, summary, who, request, answer, refusals| Operation {
        path,
        method,
        summary,
        who,
        request,
        answer,
        refusals,
    };
    let picture = json!({ "image/jpeg": { "schema": { "type": "string", "format": "binary" } } });
    vec![
        operation(
            "/api/enrol",
            "get",
            "What the enrolment page needs to begin.",
            None,
            None,
            ("200", body::<Form>(schemas)),
            &[],
        ),
        operation(
            "/api/enrol",
            "post",
            "Enrols somebody who agreed.",
            Some("station"),
            body::<Enrol>(schemas),
            ("201", body::<Enrolled>(schemas)),
            &["400", "401", "403", "413", "422", "429", "503", "507"],
        ),
        operation(
            "/api/enrol/open",
            "post",
            "Staff open a station, or sign in.",
            None,
            body::<Open>(schemas),
            ("204", None),
            &["400", "401", "429"],
        ),
        operation(
            "/api/enrol/look",
            "post",
            "One look at the camera's picture while framing; nothing is kept. At most 512 KiB.",
            Some("station"),
            Some(picture),
            ("200", body::<Look>(schemas)),
            &["401", "413", "422", "429", "503", "507"],
        ),
        operation(
            "/api/pass",
            "post",
            "What is kept of whoever has a pass.",
            None,
            body::<Secret>(schemas),
            ("200", body::<Kept>(schemas)),
            &["400", "404", "429", "503", "507"],
        ),
        operation(
            "/api/pass/forget",
            "post",
            "Forgets whoever has a pass, within seconds and everywhere.",
            None,
            body::<Secret>(schemas),
            ("200", body::<Forgotten>(schemas)),
            &["400", "404", "429", "503", "507"],
        ),
        operation(
            "/api/pass/day",
            "post",
            "The day's plan of whoever has a pass.",
            None,
            body::<Secret>(schemas),
            ("200", body::<DayShown>(schemas)),
            &["400", "404", "429", "503", "507"],
        ),
        operation(
            "/api/pass/calendar",
            "post",
            "The same as a calendar file (RFC 5545).",
            None,
            body::<Secret>(schemas),
            ("200", Some(json!({ "text/calendar": { "schema": { "type": "string" } } }))),
            &["400", "404", "429", "503", "507"],
        ),
        operation(
            "/api/day",
            "post",
            "The day's plan behind the QR code of a screen: no name, no face, until the day ends.",
            None,
            body::<Key>(schemas),
            ("200", body::<DayShown>(schemas)),
            &["400", "404", "429"],
        ),
        operation(
            "/api/day/calendar",
            "post",
            "The same as a calendar file (RFC 5545).",
            None,
            body::<Key>(schemas),
            ("200", Some(json!({ "text/calendar": { "schema": { "type": "string" } } }))),
            &["400", "404", "429"],
        ),
        operation(
            "/api/nearby",
            "post",
            "Places near by that whoever has a pass or a screen's QR code would like, open now, and why. A position is not kept.",
            None,
            body::<Near>(schemas),
            ("200", body::<NearbyShown>(schemas)),
            &["400", "404", "429", "503", "507"],
        ),
        operation(
            "/api/staff/visitors",
            "get",
            "Who is enrolled, and whose face is like another's.",
            Some("staff"),
            None,
            ("200", body::<Vec<Listed>>(schemas)),
            &["401", "429", "503", "507"],
        ),
        operation(
            "/api/staff/forget",
            "post",
            "Forgets somebody.",
            Some("staff"),
            body::<Forget>(schemas),
            ("200", body::<Forgotten>(schemas)),
            &["400", "401", "404", "429", "503", "507"],
        ),
        operation("/api/staff/sign-out", "post", "Ends the session of staff.", Some("staff"), None, ("204", None), &[]),
    ]
}

fn told(operation: Operation) -> Value {
    let (status, content) = operation.answer;
    let mut responses = Map::new();
    responses.insert(
        status.to_owned(),
        match content {
            Some(content) => json!({ "description": "Done.", "content": content }),
            None => json!({ "description": "Done." }),
        },
    );
    for status in operation.refusals {
        let refused = json!({ "application/json": { "schema": { "$ref": "#/components/schemas/Refused" } } });
        responses.insert((*status).to_owned(), json!({ "description": meaning(status), "content": refused }));
    }
    let mut told = json!({ "summary": operation.summary, "responses": responses });
    if let Some(content) = operation.request {
        told["requestBody"] = json!({ "required": true, "content": content });
    }
    told["security"] = operation.who.map_or_else(|| json!([]), |who| json!([{ who: [] }]));
    told
}

fn meaning(status: &str) -> &'static str {
    match status {
        "400" => "The body is not what is asked for.",
        "401" => "Staff must open this station, or sign in.",
        "403" => "Only for staff.",
        "404" => "Nobody is known by this.",
        "413" => "The body is too large.",
        "422" => "Something must be mended; `code` says what.",
        "429" => "Asked too often.",
        "507" => "The box's disk is full or fails, so nothing was stored; staff must be told.",
        _ => "The box is busy; ask again in a moment.",
    }
}
