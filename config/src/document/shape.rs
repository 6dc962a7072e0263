//! A tree held against the schema of what it should be.
//!
//! The schema is generated from the types (garde's limits included), so this is the one place that knows how to say
//! "unknown key", "wrong type" and "out of range", whatever the document.

use crate::{
    document::{
        schema::{beyond, each_key, range},
        tree::{Kind, Node},
        words::{as_yaml, constants, described, loose, nearest, seen, types, written_like},
    },
    problem::Finding,
    text,
};
use serde_json::{Map, Value};
use std::{borrow::Cow, ops::Range};

/// The walk: what it found, and the schema it asks.
pub(crate) struct Shape<'a> {
    schema: &'a Value,
    /// Paths of all keys that the schema knows, for keys that stand in the wrong section.
    keys: Vec<(String, String)>,
    pub(crate) findings: Vec<Finding>,
}

/// Where the walk is.
#[derive(Clone)]
struct At {
    path: String,
    /// The key that holds this value; the value itself where there is none.
    key: Range<usize>,
}

impl At {
    fn under(&self, key: &str, span: Range<usize>) -> Self {
        let path = if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) };
        Self { path, key: span }
    }

    /// The last key, to call the value by.
    fn name(&self) -> &str {
        self.path.rsplit('.').next().unwrap_or_default()
    }
}

impl<'a> Shape<'a> {
    pub(crate) fn of(schema: &'a Value) -> Self {
        let mut keys = Vec::new();
        each_key(schema, &mut |key| keys.push((key.name.to_owned(), key.parent.to_owned())));
        Self { schema, keys, findings: Vec::new() }
    }

    /// The document as JSON, to the types of the schema; `None` where something required is broken.
    pub(crate) fn document(&mut self, root: &Node) -> Option<Value> {
        let first = root.entries().first().map_or(root.span.start..root.span.start, |entry| entry.key_span.clone());
        self.value(root, self.schema, &At { path: String::new(), key: first })
    }

    fn find(&mut self, span: Range<usize>, at: &At, message: impl Into<String>, mend: impl Into<String>) {
        self.findings.push(Finding::new(span, at.path.clone(), message, mend));
    }

    /// A schema with its `$ref` followed; what stands beside the reference wins.
    fn resolved<'s>(&self, schema: &'s Value) -> Cow<'s, Value> {
        let Some(reference) = schema.get("$ref").and_then(Value::as_str) else { return Cow::Borrowed(schema) };
        let mut target = reference
            .strip_prefix('#')
            .and_then(|pointer| self.schema.pointer(pointer))
            .map_or(Value::Bool(true), |target| self.resolved(target).into_owned());
        if let (Some(target), Some(beside)) = (target.as_object_mut(), schema.as_object()) {
            target.extend(beside.iter().filter(|(key, _)| *key != "$ref").map(|(k, v)| (k.clone(), v.clone())));
        }
        Cow::Owned(target)
    }

    fn value(&mut self, node: &Node, schema: &Value, at: &At) -> Option<Value> {
        let schema = self.resolved(schema);
        if let Some(constants) = constants(&schema) {
            return self.constant(node, &constants, &schema, at);
        }
        if let Some(choices) = schema.get("anyOf").or_else(|| schema.get("oneOf")).and_then(Value::as_array) {
            let real: Vec<&Value> = choices.iter().filter(|choice| types(choice) != ["null"]).collect();
            if let ([only], false) = (real.as_slice(), matches!(node.kind, Kind::Null)) {
                return self.value(node, only, at);
            }
            return self.choice(node, choices, at);
        }
        let types = types(&schema);
        if matches!(node.kind, Kind::Null) {
            if types.contains(&"null") || types.is_empty() {
                return Some(Value::Null);
            }
            let span = at.key.clone();
            self.find(span, at, format!("`{}` has no value", at.name()), written_like(&schema, at.name()));
            return None;
        }
        let kind = types.iter().find(|kind| **kind != "null").copied();
        match kind {
            None => Some(loose(node)),
            Some("object") => self.object(node, &schema, at),
            Some("array") => self.array(node, &schema, at),
            Some(kind) => self.scalar(node, kind, &schema, at),
        }
    }

    /// One of several shapes: the one of the node's kind, else the one with the fewest findings.
    fn choice(&mut self, node: &Node, choices: &[Value], at: &At) -> Option<Value> {
        let fits = |choice: &&Value| {
            let choice = self.resolved(choice);
            let types = types(&choice);
            constants(&choice).is_some() && matches!(node.kind, Kind::Scalar { .. })
                || match node.kind {
                    Kind::Null => types.contains(&"null"),
                    Kind::Map(_) => types.contains(&"object"),
                    Kind::List(_) => types.contains(&"array"),
                    Kind::Scalar { .. } => {
                        types.iter().any(|kind| matches!(*kind, "string" | "integer" | "number" | "boolean"))
                    }
                }
        };
        let same: Vec<&Value> = choices.iter().filter(fits).collect();
        if same.is_empty() {
            let all: Vec<Value> = choices.iter().map(|choice| self.resolved(choice).into_owned()).collect();
            let all: Vec<&str> = all.iter().filter(|choice| types(choice) != ["null"]).map(described).collect();
            let mend = format!("write {}", all.join(" or "));
            let span = self.place(node, at);
            self.find(span, at, format!("`{}` cannot be {}", at.name(), seen(node)), mend);
            return None;
        }
        let before = std::mem::take(&mut self.findings);
        let mut best: Option<(Option<Value>, Vec<Finding>)> = None;
        for choice in same {
            let value = self.value(node, choice, at);
            let found = std::mem::take(&mut self.findings);
            if best.as_ref().is_none_or(|(_, fewest)| found.len() < fewest.len()) {
                best = Some((value, found));
            }
        }
        self.findings = before;
        let (value, found) = best?;
        self.findings.extend(found);
        value
    }

    fn object(&mut self, node: &Node, schema: &Value, at: &At) -> Option<Value> {
        let Kind::Map(entries) = &node.kind else { return self.wrong(node, "keys and values", schema, at) };
        let nothing = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&nothing);
        let required: Vec<&str> =
            schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str).collect();
        let others = schema.get("additionalProperties");
        let names = schema.get("propertyNames").and_then(|names| names.get("format")).and_then(Value::as_str);
        let before = self.findings.len();
        let mut object = Map::new();
        let mut meant = Vec::new();
        for entry in entries {
            let below = at.under(&entry.key, entry.key_span.clone());
            if let Some(property) = properties.get(&entry.key) {
                let absent = matches!(entry.value.kind, Kind::Null) && !required.contains(&entry.key.as_str());
                if !absent && let Some(value) = self.value(&entry.value, property, &below) {
                    object.insert(entry.key.clone(), value);
                }
            } else if let Some(other) = others.filter(|others| **others != Value::Bool(false)) {
                if let Some(Err(unfit)) = names.map(|format| text::check(format, &entry.key)) {
                    self.find(entry.key_span.clone(), &below, unfit.message, unfit.mend);
                } else if let Some(value) = self.value(&entry.value, other, &below) {
                    object.insert(entry.key.clone(), value);
                }
            } else if others.is_some() {
                let free = properties.keys().map(String::as_str).filter(|name| node.entry(name).is_none());
                let near = nearest(&entry.key, free);
                meant.extend(near);
                let mend = match near {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => self.known_keys(&entry.key, properties, at),
                };
                self.find(entry.key_span.clone(), &below, format!("unknown key `{}`", entry.key), mend);
            }
        }
        // A misspelt key is one mistake, not two.
        for key in required.iter().filter(|key| node.entry(key).is_none() && !meant.contains(key)) {
            let property =
                properties.get(*key).map(|property| self.resolved(property).into_owned()).unwrap_or_default();
            let below = at.under(key, at.key.clone());
            let place = if at.path.is_empty() { String::new() } else { format!(" in `{}`", at.path) };
            self.find(
                at.key.clone(),
                &below,
                format!("the key `{key}` is missing{place}"),
                written_like(&property, below.name()),
            );
        }
        if let Some(least) = schema.get("minProperties").and_then(Value::as_u64).filter(|n| (entries.len() as u64) < *n)
        {
            let message = few(at, entries.len() as u64, least);
            self.find(at.key.clone(), at, message, written_like(schema, at.name()));
        }
        (self.findings.len() == before).then_some(Value::Object(object))
    }

    /// The mend for an unknown key that is near to none: the section where it belongs, or what is known here.
    fn known_keys(&self, key: &str, known: &Map<String, Value>, at: &At) -> String {
        if key == "<<" {
            return "write the keys out: YAML's merge keys are not read here".to_owned();
        }
        if let Some((_, parent)) = self.keys.iter().find(|(name, parent)| name == key && *parent != at.path) {
            let parent = if parent.is_empty() { "the top of the file".to_owned() } else { format!("`{parent}`") };
            return format!("`{key}` belongs under {parent}: move it there");
        }
        let names: Vec<String> = known.keys().map(|name| format!("`{name}`")).collect();
        format!("remove it; the keys here are {}", names.join(", "))
    }

    fn array(&mut self, node: &Node, schema: &Value, at: &At) -> Option<Value> {
        let Kind::List(items) = &node.kind else {
            if let Some(text) = node.text().filter(|_| !node.secret && !at.path.ends_with(']')) {
                let message = format!("`{}` must be a list, not {}", at.name(), seen(node));
                self.find(node.span.clone(), at, message, format!("write `{}: [{text}]`", at.name()));
                return None;
            }
            return self.wrong(node, "a list", schema, at);
        };
        let before = self.findings.len();
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = items.len() as u64;
        let unit = if count == 1 { "entry" } else { "entries" };
        match (limit("minItems"), limit("maxItems")) {
            (Some(least), Some(most)) if least == most && count != least => {
                let message = format!("`{}` has {count} {unit}, not {least}", at.name());
                self.find(self.place(node, at), at, message, format!("write {least} values, no more and no fewer"));
            }
            (Some(least), _) if count < least => {
                let message = few(at, count, least);
                self.find(self.place(node, at), at, message, written_like(schema, at.name()));
            }
            (_, Some(most)) if count > most => {
                let message = format!("`{}` has {count} {unit}, more than {most}", at.name());
                self.find(self.place(node, at), at, message, format!("keep at most {most}"));
            }
            _ => {}
        }
        let any = Value::Bool(true);
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let each = self.resolved(schema.get("items").unwrap_or(&any));
        let mut list = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let below = At { path: format!("{}[{index}]", at.path), key: item.span.start..item.span.start + 1 };
            if let Some(value) = self.value(item, first.and_then(|all| all.get(index)).unwrap_or(&each), &below) {
                list.push(value);
            }
        }
        (self.findings.len() == before).then_some(Value::Array(list))
    }

    fn constant(&mut self, node: &Node, known: &[&str], schema: &Value, at: &At) -> Option<Value> {
        let Some(text) = node.text() else { return self.wrong(node, "one word", schema, at) };
        if known.contains(&text) {
            return Some(Value::String(text.to_owned()));
        }
        let names: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        let mend = match nearest(text, known.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("write {}", names.join(" or ")),
        };
        let message = format!("`{}` cannot be {}", at.name(), seen(node));
        self.find(node.span.clone(), at, message, mend);
        None
    }

    fn scalar(&mut self, node: &Node, kind: &str, schema: &Value, at: &At) -> Option<Value> {
        let what = match kind {
            "integer" => "a whole number",
            "number" => "a number",
            "boolean" => "`true` or `false`",
            _ => "text",
        };
        let Kind::Scalar { text, plain } = &node.kind else { return self.wrong(node, what, schema, at) };
        let quoted = !plain && kind != "string";
        match kind {
            "string" => self.string(node, text, schema, at),
            "boolean" => match text.to_lowercase().as_str() {
                word @ ("true" | "false") if !quoted => Some(Value::Bool(word == "true")),
                word => {
                    let mend = match word {
                        "yes" | "on" | "1" | "y" | "true" => "write `true`, without quotes",
                        "no" | "off" | "0" | "n" | "false" => "write `false`, without quotes",
                        _ => "write `true` or `false`",
                    };
                    self.find(node.span.clone(), at, format!("`{}` cannot be {}", at.name(), seen(node)), mend);
                    None
                }
            },
            _ => {
                let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
                let Some(number) = number.filter(|_| !quoted) else {
                    let mend = if number.is_some() {
                        format!("write it without quotes: `{}: {text}`", at.name())
                    } else {
                        written_like(schema, at.name())
                    };
                    let message = format!("`{}` must be {what}, not {}", at.name(), seen(node));
                    self.find(node.span.clone(), at, message, mend);
                    return None;
                };
                self.number(node, number, kind == "integer", schema, at)
            }
        }
    }

    fn number(&mut self, node: &Node, number: f64, whole: bool, schema: &Value, at: &At) -> Option<Value> {
        let text = node.text().unwrap_or_default();
        let limit = |key: &str| schema.get(key).and_then(Value::as_f64);
        let (least, most) = (limit("minimum"), limit("maximum"));
        let (above, below) = (limit("exclusiveMinimum"), limit("exclusiveMaximum"));
        let outside = least.is_some_and(|least| number < least)
            || most.is_some_and(|most| number > most)
            || above.is_some_and(|above| number <= above)
            || below.is_some_and(|below| number >= below);
        if outside {
            let range = range(schema);
            let message = format!("`{}` is {text}, outside its range", at.name());
            let default = schema.get("default").filter(|default| !default.is_null());
            let default = default.map(|default| format!("; the default is {}", as_yaml(default))).unwrap_or_default();
            self.find(node.span.clone(), at, message, format!("write a number {range}{default}"));
            return None;
        }
        if !whole {
            return Some(Value::from(number));
        }
        match (text.parse::<i64>(), text.parse::<u64>()) {
            (Ok(number), _) => Some(Value::from(number)),
            (_, Ok(number)) => Some(Value::from(number)),
            _ => {
                let message = format!("`{}` must be a whole number, not {text}", at.name());
                self.find(node.span.clone(), at, message, written_like(schema, at.name()));
                None
            }
        }
    }

    fn string(&mut self, node: &Node, text: &str, schema: &Value, at: &At) -> Option<Value> {
        let limit = |key: &str| schema.get(key).and_then(Value::as_u64);
        let count = text.chars().count() as u64;
        if limit("minLength").is_some_and(|least| count < least) {
            self.find(self.place(node, at), at, format!("`{}` is empty", at.name()), written_like(schema, at.name()));
            return None;
        }
        if let Some(most) = limit("maxLength").filter(|most| count > *most) {
            let message = format!("`{}` has {count} characters, more than {most}", at.name());
            self.find(node.span.clone(), at, message, "shorten it");
            return None;
        }
        let format = schema.get("format").and_then(Value::as_str).unwrap_or_default();
        if let Err(unfit) = text::check(format, text) {
            let hidden = node.secret.then(|| format!("`{}` does not fit", at.name()));
            let message = hidden.unwrap_or_else(|| format!("`{}`: {}", at.name(), unfit.message));
            self.find(node.span.clone(), at, message, unfit.mend);
            return None;
        }
        if format == "duration"
            && let Some((message, mend)) = beyond(text, schema)
        {
            self.find(node.span.clone(), at, format!("`{}` {message}", at.name()), mend);
            return None;
        }
        Some(Value::String(text.to_owned()))
    }

    fn wrong(&mut self, node: &Node, what: &str, schema: &Value, at: &At) -> Option<Value> {
        let message = if at.path.is_empty() {
            format!("this file holds {}, not keys and values", seen(node))
        } else {
            format!("`{}` must be {what}, not {}", at.name(), seen(node))
        };
        let mend = if at.path.is_empty() {
            "begin every line with a key and a colon, such as `site: north-park`".to_owned()
        } else {
            written_like(schema, at.name())
        };
        self.find(self.place(node, at), at, message, mend);
        None
    }

    /// Where to point: at the value where it is one word, else at its key.
    fn place(&self, node: &Node, at: &At) -> Range<usize> {
        match node.kind {
            Kind::Scalar { .. } if !node.span.is_empty() => node.span.clone(),
            Kind::List(_) | Kind::Map(_) if at.path.is_empty() => node.span.start..node.span.start + 1,
            _ => at.key.clone(),
        }
    }
}

fn few(at: &At, count: u64, least: u64) -> String {
    if count == 0 {
        format!("`{}` is empty", at.name())
    } else {
        format!("`{}` has {count} of at least {least}", at.name())
    }
}
