//! A schema and a node in words: types, examples, the nearest key.

use crate::document::tree::{Kind, Node};
use serde_json::Value;

/// The nearest of some words, if one is near.
pub(crate) fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', '_', ' '], "");
    let wanted = plain(word);
    let length = wanted.chars().count();
    let likeness = |name: &str| {
        let name = plain(name);
        let (shorter, longer) = (length.min(name.chars().count()), length.max(name.chars().count()));
        // Neither measure can call these two near, and what is compared may be long.
        if shorter * 2 < longer {
            return None;
        }
        let edits = strsim::damerau_levenshtein(&wanted, &name);
        let near = edits <= 1 + name.len().min(wanted.len()) / 4 || strsim::jaro_winkler(&wanted, &name) > 0.9;
        (near && name.len() > 1).then_some(edits)
    };
    known.filter_map(|name| likeness(name).map(|edits| (edits, name))).min().map(|(_, name)| name)
}

pub(crate) fn types(schema: &Value) -> Vec<&str> {
    match schema.get("type") {
        Some(Value::String(kind)) => vec![kind],
        Some(Value::Array(kinds)) => kinds.iter().filter_map(Value::as_str).collect(),
        _ if schema.get("properties").is_some() => vec!["object"],
        _ => Vec::new(),
    }
}

/// The words of an `enum`, or of a choice of constants.
pub(crate) fn constants(schema: &Value) -> Option<Vec<&str>> {
    if let Some(words) = schema.get("enum").and_then(Value::as_array) {
        return Some(words.iter().filter_map(Value::as_str).collect());
    }
    if let Some(word) = schema.get("const") {
        return Some(word.as_str().into_iter().collect());
    }
    let choices = schema.get("oneOf").and_then(Value::as_array)?;
    let words: Option<Vec<Vec<&str>>> = choices.iter().map(constants).collect();
    words.map(|words| words.into_iter().flatten().collect())
}

/// A value without a schema.
pub(crate) fn loose(node: &Node) -> Value {
    match &node.kind {
        Kind::Null => Value::Null,
        Kind::Scalar { text, plain: true } => serde_json::from_str(text).unwrap_or_else(|_| Value::from(text.as_str())),
        Kind::Scalar { text, .. } => Value::from(text.as_str()),
        Kind::List(items) => items.iter().map(loose).collect(),
        Kind::Map(entries) => entries.iter().map(|entry| (entry.key.clone(), loose(&entry.value))).collect(),
    }
}

pub(crate) fn described(schema: &Value) -> &str {
    schema.get("description").or_else(|| schema.get("format")).and_then(Value::as_str).unwrap_or("another form")
}

/// The node in words, its secrets kept.
pub(crate) fn seen(node: &Node) -> String {
    match &node.kind {
        Kind::Null => "empty".to_owned(),
        Kind::List(_) => "a list".to_owned(),
        Kind::Map(_) => "keys and values".to_owned(),
        Kind::Scalar { .. } if node.secret => "one text".to_owned(),
        Kind::Scalar { text, .. } if text.chars().count() > 60 => "a long text".to_owned(),
        Kind::Scalar { text, .. } => format!("`{}`", text.replace('\n', " ")),
    }
}

/// A mend by example: the default, else the schema's example.
pub(crate) fn written_like(schema: &Value, name: &str) -> String {
    let default = schema.get("default").filter(|default| !default.is_null() && !default.is_object());
    let example = schema.get("examples").and_then(|all| all.get(0));
    if name.ends_with(']') && example.or(default).is_none() && types(schema).contains(&"array") {
        return "write a list in brackets, `[…]`".to_owned();
    }
    let name = name.split('[').next().unwrap_or_default();
    match example.or(default) {
        Some(value) => format!("write for instance `{name}: {}`", as_yaml(value)),
        None => match types(schema).first() {
            Some(&"object") => format!("write keys and values below `{name}`, indented"),
            Some(&"array") => format!("write a list: `{name}: [ … ]`"),
            Some(&"integer" | &"number") => format!("write a number {}", crate::document::schema::range(schema)),
            _ => format!("write a value after `{name}:`"),
        },
    }
}

/// A value as people write it on one line of YAML.
pub(crate) fn as_yaml(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        // `20`, not `20.0`.
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), |number| number.to_string()),
        Value::Array(items) => format!("[{}]", items.iter().map(as_yaml).collect::<Vec<_>>().join(", ")),
        Value::Object(entries) => {
            let all: Vec<String> = entries.iter().map(|(key, value)| format!("{key}: {}", as_yaml(value))).collect();
            format!("{{ {} }}", all.join(", "))
        }
        other => other.to_string(),
    }
}
