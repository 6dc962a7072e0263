//! A configuration for others' eyes: its keys and figures, nobody's name, no secret and no address.

use super::filter::BLANK;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Words that values may be: kinds of things, of a fixed set each.
const WORDS: &[&str] = &[
    "pass",
    "identification",
    "off",
    "advisory",
    "required",
    "auto",
    "cpu",
    "cuda",
    "tcp",
    "udp",
    "faces",
    "motion",
    "nothing",
    "down",
    "up",
    "left",
    "right",
    "inward",
    "outward",
    "embedded",
    "yunet",
    "sface",
    "mobilefacenet",
    "sface+mobilefacenet",
    "minifasnet",
    "retinaface",
    "usher",
    "en",
    "ko",
    "zh",
    "fr",
    "es",
    "ar",
];

/// What was left, and what was not.
pub(super) struct Shown {
    /// The configuration, values blanked; `null` where it is no YAML.
    pub(super) value: Value,
    /// Names of cameras, gates and the site.
    pub(super) names: BTreeSet<String>,
    /// Every text that was blanked.
    pub(super) blanked: Vec<String>,
}

/// Goes through the text of a configuration, well or ill.
pub(super) fn shown(text: &str) -> Shown {
    let mut shown = Shown { value: Value::Null, names: BTreeSet::new(), blanked: Vec::new() };
    let Ok(value) = serde_saphyr::from_str::<Value>(text) else { return shown };
    let mut keys = BTreeSet::new();
    properties(&usher_config::json_schema(), &mut keys);
    shown.value = Walk { keys: &keys, shown: &mut shown }.value(&[], &value);
    shown
}

/// Every key there is.
fn properties(schema: &Value, keys: &mut BTreeSet<String>) {
    match schema {
        Value::Object(map) => {
            if let Some(Value::Object(own)) = map.get("properties") {
                keys.extend(own.keys().cloned());
            }
            map.values().for_each(|value| properties(value, keys));
        }
        Value::Array(all) => all.iter().for_each(|value| properties(value, keys)),
        _ => {}
    }
}

struct Walk<'a> {
    keys: &'a BTreeSet<String>,
    shown: &'a mut Shown,
}

impl Walk<'_> {
    fn value(&mut self, path: &[&str], value: &Value) -> Value {
        match value {
            Value::Object(map) => {
                let shown = map.iter().map(|(key, value)| {
                    let name = self.key(path, key);
                    (name, self.value(&[path, &[key.as_str()]].concat(), value))
                });
                Value::Object(shown.collect::<Map<_, _>>())
            }
            Value::Array(all) => all.iter().map(|value| self.value(path, value)).collect(),
            Value::String(text) => self.text(path, text),
            other => other.clone(),
        }
    }

    /// Keys of usher's, and names that an integrator gave; whatever else somebody wrote is nobody's to read.
    fn key(&mut self, path: &[&str], key: &str) -> String {
        if matches!(path, ["cameras" | "gates"]) && is_name(key) {
            self.shown.names.insert(key.to_owned());
            return key.to_owned();
        }
        if self.keys.contains(key) { key.to_owned() } else { self.blank(key) }
    }

    fn text(&mut self, path: &[&str], text: &str) -> Value {
        if matches!(path, ["site"] | ["gates", _, "cameras"] | ["cameras", _, "count", "place"]) && is_name(text) {
            self.shown.names.insert(text.to_owned());
            return text.into();
        }
        let scheme = text.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| is_name(scheme));
        if let Some(scheme) = scheme {
            let whole = self.blank(text);
            // Who logs in, and as whom, also where they stand alone.
            let login =
                text.split("://").nth(1).and_then(|rest| rest.rsplit_once('@')).map(|(login, _)| login.to_owned());
            self.shown.blanked.extend(login.iter().flat_map(|login| login.split(':')).map(str::to_owned));
            return format!("{scheme}://{whole}").into();
        }
        if WORDS.contains(&text) || is_figure(text) { text.into() } else { self.blank(text).into() }
    }

    fn blank(&mut self, text: &str) -> String {
        self.shown.blanked.push(text.to_owned());
        BLANK.to_owned()
    }
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte))
}

/// A time, a size, a device, a share of visitors: figures with words of a fixed set.
fn is_figure(text: &str) -> bool {
    let word = |word: &str| {
        let unit = word.trim_start_matches(|letter: char| letter.is_ascii_digit() || ".:x-".contains(letter));
        let known = ["", "ms", "s", "min", "h", "d", "per", "visitors", "who", "never", "enrolled"];
        known.contains(&unit) && word.bytes().filter(u8::is_ascii_digit).count() <= 7
    };
    let is_device = text.strip_prefix("/dev/video").or(text.strip_prefix("cuda:")).or(text.strip_prefix("csi:"));
    is_device.is_some_and(|number| number.parse::<u8>().is_ok())
        || (text.starts_with(|letter: char| letter.is_ascii_digit()) && text.split(' ').all(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_and_kinds_stay_and_everything_else_is_blanked() {
        let text = "# Mina's tablet\nsite: north-park\ncameras:\n  gate-b-1: { url: \"rtsp://admin:hunter2@192.168.50.11/a?token=t0ken\", silence: 2 s,\n    \
                    login: { user: usher, password: change-me }, zone: [[0.1, 0.2], [0.8, 0.2], [0.9, 1]] }\n  two: { url: /dev/video0 }\n\
                    gates: { b: { cameras: [gate-b-1], mode: identification, responsible: \"Kim Min-ji, officer\" } }\n\
                    rules: { wrong_greetings: 1 per 1000 visitors who never enrolled }\nmina: 1\ngallery: { key: /home/kim/key, event_ends: 2026-12-06T23:00+09:00 }\n";
        let Shown { value, names, blanked } = shown(text);
        let told = value.to_string();
        for kept in [
            "\"rtsp://…\"",
            "\"2 s\"",
            "/dev/video0",
            "identification",
            "1 per 1000 visitors who never enrolled",
            "gate-b-1",
            "[0.1,0.2]",
        ] {
            assert!(told.contains(kept), "{kept} is missing: {told}");
        }
        for secret in ["Mina", "mina", "hunter2", "admin", "192.168", "t0ken", "change-me", "Kim", "kim"] {
            assert!(!told.contains(secret), "{secret} is told: {told}");
        }
        assert_eq!(names, ["b", "gate-b-1", "north-park", "two"].map(str::to_owned).into());
        for text in ["hunter2", "admin", "change-me", "Kim Min-ji, officer", "/home/kim/key"] {
            assert!(blanked.iter().any(|blanked| blanked == text), "{text} is not known as blanked: {blanked:?}");
        }
        assert_eq!(shown("site: [").value, Value::Null);
    }

    #[test]
    fn the_shipped_configuration_keeps_its_shape() {
        let text = include_str!("../../../../config/usher.yaml");
        let value = shown(text).value;
        assert_eq!(value["infer"]["detector"], "yunet");
        assert_eq!(value["cameras"]["gate-b-1"]["login"]["password"], BLANK);
        assert_eq!(value["publish"]["greeting"], "8 s");
    }
}
