//! The documentation of a document: one table, from its schema.

use crate::document::{
    schema::{each_key, followed, range},
    words::as_yaml,
};
use serde_json::Value;

/// A Markdown table of every key: type, default and range, meaning.
pub fn table(schema: &Value) -> String {
    let mut out = String::from("| key | type | default | meaning |\n|---|---|---|---|\n");
    each_key(schema, &mut |key| {
        let target = followed(schema, key.schema);
        let ask = |name: &str| key.schema.get(name).or_else(|| target.get(name));
        let path = if key.parent.is_empty() { key.name.to_owned() } else { format!("{}.{}", key.parent, key.name) };
        let range = range(key.schema);
        let range = if range.is_empty() { range } else { format!(", {range}") };
        let default = match ask("default") {
            _ if key.required => "**required**".to_owned(),
            Some(Value::String(text)) => format!("`{text}`"),
            Some(Value::Object(_)) | None => String::new(),
            Some(Value::Null) => "none".to_owned(),
            Some(value) => format!("`{}`", as_yaml(value)),
        };
        let meaning = ask("description").and_then(Value::as_str).unwrap_or_default();
        let meaning = meaning.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|");
        out.push_str(&format!("| `{path}` | {}{range} | {default} | {meaning} |\n", kind(schema, key.schema)));
    });
    out
}

/// The type of a value in words.
fn kind(root: &Value, schema: &Value) -> String {
    let target = followed(root, schema);
    if let Some(words) = target.get("enum").and_then(Value::as_array) {
        return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect::<Vec<_>>().join(" or ");
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(choices) = target.get(choice).and_then(Value::as_array) {
            let mut words: Vec<String> =
                choices.iter().map(|one| kind(root, one)).filter(|word| word != "nothing").collect();
            words.dedup();
            return words.join(" or ");
        }
    }
    if let Some(word) = target.get("const").and_then(Value::as_str) {
        return format!("`{word}`");
    }
    let word = match target.get("type") {
        Some(Value::String(word)) => word.as_str(),
        Some(Value::Array(words)) => {
            words.iter().filter_map(Value::as_str).find(|word| *word != "null").unwrap_or_default()
        }
        _ => "",
    };
    match (word, target.get("format").and_then(Value::as_str)) {
        ("string", Some("duration")) => "time".to_owned(),
        ("string", Some("size" | "input-size")) => "size".to_owned(),
        ("string", Some("listen")) => "address".to_owned(),
        ("string", Some("time-zone")) => "time zone".to_owned(),
        ("string", Some("moment")) => "date and time".to_owned(),
        ("string", Some("instant")) => "date, time and offset".to_owned(),
        ("string", Some("language")) => "language".to_owned(),
        ("string", Some("night")) => "hours".to_owned(),
        ("string", Some("https")) => "https address".to_owned(),
        ("string", Some(format @ ("name" | "share" | "device"))) => format.to_owned(),
        ("string", _) => "text".to_owned(),
        ("integer", _) => "whole number".to_owned(),
        ("number", _) => "number".to_owned(),
        ("boolean", _) => "`true` or `false`".to_owned(),
        ("array", _) => match target.get("items") {
            Some(items) if items.is_object() => format!("list of {}", kind(root, items)),
            _ => "list".to_owned(),
        },
        ("null", _) => "nothing".to_owned(),
        ("object", _) => "keys".to_owned(),
        (other, _) => other.to_owned(),
    }
}
