//! Section `gates`: which cameras make a gate, whom it may recognise, and how often it greets.

use crate::{
    document::{
        Checks,
        tree::{Entry, Node},
        words::nearest,
    },
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
    /// Whom it may recognise. Default `pass`.
    pub mode: Mode,
    /// How it is built, where its queue is to be told. Default: it is not.
    pub lanes: Option<Lanes>,
}

/// How a gate is built, for its queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Lanes {
    /// Lanes there are, 1..=100.
    pub lanes: u32,
    /// Lanes open where nothing else is said, 0..=`lanes`. Default all.
    pub open: u32,
    /// People a minute and lane while people wait, where the venue knows. Default: learnt from the queue.
    pub rate_per_lane_minute: Option<f64>,
    /// The longest wait that the venue wants here. Default none: nothing is advised.
    pub limit: Option<Duration>,
}

/// Whom a gate may recognise.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum Mode {
    /// Those who have shown their pass to a camera of this box today; everybody else is counted and never embedded while
    /// nobody has.
    #[default]
    Pass,
    /// Everybody enrolled whose key the box holds, too: everybody in the opt-in zone is compared with them (1:N).
    Identification {
        /// The person who answers for it.
        responsible: String,
    },
}

/// A mode, as written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum WrittenMode {
    /// Those who showed their pass.
    #[default]
    Pass,
    /// Everybody enrolled.
    Identification,
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
    /// Whom the gate may recognise: `pass`, those who have shown their QR pass to one of its cameras today; or `identification`,
    /// everybody enrolled, by comparing everybody in the opt-in zone with them, for which somebody must answer (`responsible`).
    #[garde(skip)]
    #[serde(default)]
    pub mode: WrittenMode,
    /// `identification`: name and role of the person who answers for it; told at every start and written to the audit log.
    #[garde(inner(length(chars, min = 3, max = 200)))]
    #[serde(default)]
    #[schemars(extend("examples" = ["Kim Min-ji, data protection officer"]))]
    pub responsible: Option<String>,
    /// Lanes that people can go through side by side. With it usher tells the queue: its length, the wait, what comes next.
    #[garde(range(min = 1, max = 100))]
    #[serde(default)]
    #[schemars(extend("examples" = [8]))]
    pub lanes: Option<i64>,
    /// Lanes that are open where nothing else is said; without it all of them.
    #[garde(range(min = 0, max = 100))]
    #[serde(default)]
    #[schemars(extend("examples" = [4]))]
    pub open_lanes: Option<i64>,
    /// People a minute that one lane lets in while people wait, where the venue knows; without it usher learns it from the queue.
    #[garde(range(min = 0.1, max = 120.0))]
    #[serde(default)]
    #[schemars(extend("examples" = [10.0]))]
    pub lane_rate: Option<f64>,
    /// The longest wait that the venue wants here. With it usher says before it is passed, and what would help.
    #[garde(skip)]
    #[serde(default)]
    #[schemars(extend("examples" = ["5 min"], "x-least" = "30 s", "x-most" = "4 h"))]
    pub wait_limit: Option<Span>,
}

fn quiet() -> Span {
    Span(Duration::from_secs(600))
}

impl Written {
    pub(crate) fn meant(&self) -> Gate {
        let mode = match (self.mode, &self.responsible) {
            (WrittenMode::Identification, Some(responsible)) => {
                Mode::Identification { responsible: responsible.clone() }
            }
            // Without somebody who answers for it, the check below has refused it.
            _ => Mode::Pass,
        };
        let count = |lanes: i64| u32::try_from(lanes).unwrap_or(0);
        let lanes = self.lanes.map(|lanes| Lanes {
            lanes: count(lanes),
            open: self.open_lanes.map_or(count(lanes), count),
            rate_per_lane_minute: self.lane_rate,
            limit: self.wait_limit.map(|limit| limit.0),
        });
        Gate { cameras: self.cameras.clone(), quiet: self.quiet.0, liveness: self.liveness, mode, lanes }
    }
}

/// Every camera that a gate names is there, and each is in exactly one gate.
pub(crate) fn check(checks: &mut Checks<'_>) {
    let (Some(cameras), Some(gates)) = (checks.root.entry("cameras"), checks.root.entry("gates")) else { return };
    let known: Vec<&str> = cameras.value.entries().iter().map(|entry| entry.key.as_str()).collect();
    let mut taken: BTreeMap<&str, &str> = BTreeMap::new();
    for gate in gates.value.entries() {
        check_mode(checks, gate);
        check_lanes(checks, gate);
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

/// Identification is said on purpose, and somebody answers for it.
fn check_mode(checks: &mut Checks<'_>, gate: &Entry) {
    let mode = gate.value.get("mode").and_then(Node::text).unwrap_or("pass");
    let is_identification = mode == "identification";
    let responsible = gate.value.entry("responsible");
    let is_named = responsible.and_then(|entry| entry.value.text()).is_some_and(|name| !name.trim().is_empty());
    let path = |key: &str| format!("gates.{}.{key}", gate.key);
    match (is_identification, responsible) {
        (true, _) if !is_named => {
            let span = gate.value.get("mode").map_or(gate.key_span.clone(), |mode| mode.span.clone());
            let message = format!(
                "gate `{}` compares everybody in its opt-in zone with everybody enrolled, and nobody answers for it",
                gate.key
            );
            let mend = "add `responsible: NAME, ROLE` of the person who does, or write `mode: pass`";
            checks.find(span, path("mode"), message, mend);
        }
        (false, Some(entry)) if is_named && mode == "pass" => {
            let message = "`responsible` is for `mode: identification`, and this gate recognises only who shows a pass";
            checks.find(
                entry.key_span.clone(),
                path("responsible"),
                message,
                "add `mode: identification`, or remove it",
            );
        }
        _ => {}
    }
}

/// What is said of lanes needs lanes, and no more are open than there are.
fn check_lanes(checks: &mut Checks<'_>, gate: &Entry) {
    let lanes = gate.value.get("lanes").and_then(Node::text);
    for key in ["open_lanes", "lane_rate", "wait_limit"] {
        let Some(entry) = gate.value.entry(key).filter(|entry| entry.value.text().is_some_and(|text| !text.is_empty()))
        else {
            continue;
        };
        let path = format!("gates.{}.{key}", gate.key);
        let number = |text: &str| text.parse::<i64>().ok();
        match lanes {
            None | Some("") => {
                let message =
                    format!("`{key}` says something of lanes, and gate `{}` says not how many it has", gate.key);
                checks.find(
                    entry.key_span.clone(),
                    path,
                    message,
                    "add `lanes: 8` (as many as there are), or remove it",
                );
            }
            Some(lanes) if key == "open_lanes" => {
                let open = entry.value.text().unwrap_or_default();
                if let (Some(most), Some(wanted)) = (number(lanes), number(open))
                    && wanted > most
                {
                    let message = format!("{wanted} lanes cannot be open where gate `{}` has {most}", gate.key);
                    let mend = format!("write at most `open_lanes: {most}`, or correct `lanes`");
                    checks.find(entry.value.span.clone(), path, message, mend);
                }
            }
            Some(_) => {}
        }
    }
}
