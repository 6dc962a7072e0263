//! What a generated schema says: its keys, ranges and defaults.

use crate::{text::Textual, value::Span};
use serde_json::Value;

/// One key of a document.
pub(crate) struct Key<'a> {
    /// The key itself, `*` for names that are free.
    pub(crate) name: &'a str,
    /// The path of what holds it; empty at the top.
    pub(crate) parent: &'a str,
    /// Its schema, references followed.
    pub(crate) schema: &'a Value,
    /// Whether it may be left out.
    pub(crate) required: bool,
}

/// Visits every key of a schema, in its order, parents first.
pub(crate) fn each_key(root: &Value, visit: &mut dyn FnMut(&Key<'_>)) {
    below(root, root, "", 0, visit);
}

fn below(root: &Value, schema: &Value, path: &str, depth: usize, visit: &mut dyn FnMut(&Key<'_>)) {
    // Types that hold themselves would never end.
    if depth > 12 {
        return;
    }
    let schema = followed(root, schema);
    let required = |name: &str| {
        schema.get("required").and_then(Value::as_array).is_some_and(|all| all.iter().any(|one| one == name))
    };
    for (name, property) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        visit(&Key { name, parent: path, schema: property, required: required(name) });
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        below(root, property, &path, depth + 1, visit);
    }
    if let Some(other) = schema.get("additionalProperties").filter(|other| other.is_object()) {
        below(root, other, &format!("{path}.*"), depth + 1, visit);
    }
    if let Some(items) = schema.get("items").filter(|items| items.is_object()) {
        below(root, items, &format!("{path}[]"), depth + 1, visit);
    }
    for choice in ["anyOf", "oneOf"].iter().filter_map(|of| schema.get(of)).filter_map(Value::as_array).flatten() {
        below(root, choice, path, depth + 1, visit);
    }
}

/// The schema that a reference names.
pub(crate) fn followed<'a>(root: &'a Value, schema: &'a Value) -> &'a Value {
    let target = schema.get("$ref").and_then(Value::as_str).and_then(|name| root.pointer(name.strip_prefix('#')?));
    target.unwrap_or(schema)
}

/// The range of a number or duration in words: `from 1 to 8`; empty where there is none.
pub(crate) fn range(schema: &Value) -> String {
    let word = |keys: &[&str]| {
        keys.iter().find_map(|key| schema.get(*key)).map(|limit| match limit {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| format!("{number}")),
            other => other.to_string(),
        })
    };
    let least = word(&["minimum", "x-least"]);
    let most = word(&["maximum", "x-most"]);
    let above = word(&["exclusiveMinimum"]);
    match (least, above, most) {
        (Some(least), _, Some(most)) => format!("from {least} to {most}"),
        (None, Some(above), Some(most)) => format!("above {above}, up to {most}"),
        (Some(least), _, None) => format!("from {least} upwards"),
        (None, Some(above), None) => format!("above {above}"),
        (None, None, Some(most)) => format!("up to {most}"),
        (None, None, None) => String::new(),
    }
}

/// Whether a duration is outside `x-least` to `x-most`: what is wrong, and the mend.
pub(crate) fn beyond(text: &str, schema: &Value) -> Option<(String, String)> {
    let limit = |key: &str| schema.get(key).and_then(Value::as_str).and_then(|text| Span::read(text).ok());
    let length = Span::read(text).ok()?;
    let outside =
        limit("x-least").is_some_and(|least| length < least) || limit("x-most").is_some_and(|most| length > most);
    let default = schema.get("default").and_then(Value::as_str).map(|text| format!("; the default is {text}"));
    outside.then(|| {
        let mend = format!("write a time {}{}", range(schema), default.unwrap_or_default());
        (format!("is {text}, outside its range"), mend)
    })
}
