//! Section `gates`: which cameras make a gate, and how often one greets.

use crate::{
    document::{Checks, words::nearest},
    value::{Name, Span},
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, time::Duration};

/// One gate: a set of cameras that look at the same people.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// Its cameras; each belongs to exactly one gate.
    pub cameras: Vec<Name>,
    /// One visit per person and gate in this time. Default 10 min.
    pub quiet: Duration,
    /// What it means when the looks seem not to be of a live person. Default `off`.
    pub liveness: Liveness,
}

/// What a gate makes of presentation attack detection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Liveness {
    /// Nothing is judged.
    #[default]
    Off,
    /// Whoever is named is greeted; the operator hears of looks that seem not to be of a live person.
    Advisory,
    /// Nobody is greeted before the looks seem to be of a live person; else a person is asked to see to it.
    Required,
}

/// One gate, as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Written {
    /// Its cameras; each camera belongs to exactly one gate.
    #[garde(length(min = 1))]
    #[schemars(extend("examples" = [["gate-a-1"]]))]
    pub cameras: Vec<Name>,
    /// One visit per person and gate in this time, however often the person walks by.
    #[garde(skip)]
    #[schemars(extend("x-least" = "1 s", "x-most" = "24 h"))]
    #[serde(default = "quiet")]
    pub quiet: Span,
    /// Whether looks are judged for pictures and screens held up: `off`, `advisory` (the operator hears of it) or `required`
    /// (no greeting without it). It is wrong often: see docs/accuracy.md.
    #[garde(skip)]
    #[serde(default)]
    pub liveness: Liveness,
}

fn quiet() -> Span {
    Span(Duration::from_secs(600))
}

impl Written {
    pub(crate) fn meant(&self) -> Gate {
        Gate { cameras: self.cameras.clone(), quiet: self.quiet.0, liveness: self.liveness }
    }
}

/// Every camera that a gate names is there, and each is in exactly one gate.
pub(crate) fn check(checks: &mut Checks<'_>) {
    let (Some(cameras), Some(gates)) = (checks.root.entry("cameras"), checks.root.entry("gates")) else { return };
    let known: Vec<&str> = cameras.value.entries().iter().map(|entry| entry.key.as_str()).collect();
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for gate in gates.value.entries() {
        // One name without brackets is a mistake of its own; the camera is in this gate all the same.
        let listed = gate.value.get("cameras").into_iter();
        let listed =
            listed.flat_map(|list| if list.text().is_some() { std::slice::from_ref(list) } else { list.items() });
        for (index, node) in listed.enumerate() {
            let Some(name) = node.text() else { continue };
            let path = format!("gates.{}.cameras[{index}]", gate.key);
            if !known.contains(&name) {
                let mend = match nearest(name, known.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None if known.is_empty() => "add the camera to `cameras`".to_owned(),
                    None => format!("add it to `cameras`, or name one of: {}", known.join(", ")),
                };
                let message = format!("gate `{}` names the camera `{name}`, which is not among `cameras`", gate.key);
                checks.find(node.span.clone(), path, message, mend);
            } else if let Some(first) = taken.insert(name, &gate.key) {
                let message = if first == gate.key {
                    format!("gate `{first}` names the camera `{name}` twice")
                } else {
                    format!("the camera `{name}` is in two gates, `{first}` and `{}`", gate.key)
                };
                checks.find(node.span.clone(), path, message, "remove it here: a camera belongs to exactly one gate");
            }
        }
    }
    for camera in cameras.value.entries().iter().filter(|camera| !taken.contains_key(camera.key.as_str())) {
        let message = format!("the camera `{}` is in no gate, so nobody would be greeted there", camera.key);
        let mend = match gates.value.entries() {
            [only] => format!("add it to `gates.{}.cameras`, or remove the camera", only.key),
            _ => "add it to the `cameras` of a gate, or remove the camera".to_owned(),
        };
        checks.find(camera.key_span.clone(), format!("cameras.{}", camera.key), message, mend);
    }
}
