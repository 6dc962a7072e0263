//! What an integrator may turn: `usher-config`.
//!
//! One file per section, named like the stage it tunes, in stage order. A section's `Written` is the configuration as
//! written (serde, garde, schema); the struct without that prefix is what is meant, defaults filled in.

pub mod capture;
pub mod count;
pub mod crowd;
pub mod decide;
pub mod document;
pub mod flow;
pub mod gallery;
pub mod guide;
pub mod identify;
pub mod infer;
pub mod login;
pub mod places;
pub mod problem;
pub mod programme;
pub mod publish;
pub mod reach;
pub mod reload;
pub mod signage;
pub mod text;
pub mod transit;
pub mod value;
pub mod walks;
pub mod web;
pub mod wishes;

use document::Checks;
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use value::Name;

pub use problem::{Problem, Problems};

/// The whole configuration as meant: defaults filled in, every value checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The venue; a level of every topic.
    pub site: Name,
    /// Where gallery, outbox and weights live. Default `/var/lib/usher`, or `$STATE_DIRECTORY` under systemd.
    pub data: PathBuf,
    /// The cameras, by name.
    pub cameras: BTreeMap<Name, capture::Camera>,
    /// Where cameras may be.
    pub capture: reach::Reach,
    /// The gates, by name. A gate is a set of cameras.
    pub gates: BTreeMap<Name, decide::Gate>,
    /// How pixels become numbers.
    pub infer: infer::Infer,
    /// The people who asked to be known.
    pub gallery: gallery::Gallery,
    /// When a match is a match.
    pub rules: identify::Rules,
    /// What visitors want to hear.
    pub guide: guide::Guide,
    /// How many come, and what is kept of it.
    pub flow: flow::Flow,
    /// Who must hear.
    pub publish: publish::Publish,
    /// How the screens look.
    pub signage: signage::Signage,
    /// The pages.
    pub web: web::Web,
}

/// The configuration of usher: which cameras make which gates, and what may be turned.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "usher configuration")]
pub struct Written {
    /// The venue's name; a level of every topic.
    #[garde(skip)]
    #[schemars(extend("examples" = ["north-park"]))]
    pub site: Name,
    /// Where gallery, outbox and weights live; `$STATE_DIRECTORY` under systemd, else `/var/lib/usher`.
    #[garde(skip)]
    #[serde(default)]
    pub data: Option<PathBuf>,
    /// The cameras, by name.
    #[garde(dive)]
    #[schemars(extend("minProperties" = 1, "propertyNames" = names(), "examples" = [{ "gate-a-1": { "url": "/dev/video0" } }]))]
    pub cameras: BTreeMap<Name, capture::Written>,
    /// Where cameras may be.
    #[garde(dive)]
    #[serde(default)]
    pub capture: reach::Written,
    /// The gates, by name. A gate is a set of cameras that look at the same people.
    #[garde(dive)]
    #[schemars(extend("minProperties" = 1, "propertyNames" = names(), "examples" = [{ "gate-a": { "cameras": ["gate-a-1"] } }]))]
    pub gates: BTreeMap<Name, decide::Written>,
    /// How pixels become numbers.
    #[garde(dive)]
    #[serde(default)]
    pub infer: infer::Written,
    /// The people who asked to be known.
    #[garde(dive)]
    #[serde(default)]
    pub gallery: gallery::Written,
    /// When a match is a match.
    #[garde(dive)]
    #[serde(default)]
    pub rules: identify::Written,
    /// What visitors want to hear.
    #[garde(dive)]
    #[serde(default)]
    pub guide: guide::Written,
    /// How many come, and what is kept of it.
    #[garde(dive)]
    #[serde(default)]
    pub flow: flow::Written,
    /// Who must hear, and over which broker.
    #[garde(dive)]
    #[serde(default)]
    pub publish: publish::Written,
    /// How the big screens look, and what they show while nobody is greeted.
    #[garde(dive)]
    #[serde(default)]
    pub signage: signage::Written,
    /// The pages.
    #[garde(dive)]
    #[serde(default)]
    pub web: web::Written,
}

/// The schema of names that are keys; the pattern is for editors.
fn names() -> serde_json::Value {
    serde_json::json!({ "format": "name", "pattern": "^[a-z0-9_-]{1,32}$" })
}

/// Reads a configuration; relative paths in it are relative to its folder.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &Path) -> Result<Config, Problems> {
    let folder = path.parent().unwrap_or(Path::new(""));
    from_text(&document::text_of(path)?, &path.display().to_string(), folder)
}

/// Reads a configuration, and tells where its keys stand; relative paths in it are relative to its folder. Where its keys stand is
/// known of a broken one, too.
///
/// # Errors
/// That the file cannot be read; inside, every problem of it.
pub fn read_placed(path: &Path) -> Result<(Result<Config, Problems>, document::Places), Problems> {
    let text = document::text_of(path)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    Ok((from_text(&text, &path.display().to_string(), folder), document::Places::of(&text)))
}

/// Reads a configuration from its text; `file_name` is what problems call it, `folder` what paths are relative to.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str, folder: &Path) -> Result<Config, Problems> {
    let written: Written = document::parse(text, file_name, |checks| check(checks, folder))?;
    Ok(written.meant(folder))
}

/// The JSON schema of the configuration.
pub fn json_schema() -> serde_json::Value {
    document::json_schema::<Written>()
}

/// What must hold between sections.
fn check(checks: &mut Checks<'_>, folder: &Path) {
    let root = checks.root;
    for camera in root.get("cameras").map(|cameras| cameras.entries()).unwrap_or_default() {
        capture::check(checks, camera, folder);
    }
    decide::check(checks);
    count::check_places(checks);
    infer::check(checks, &data_of(root.get("data").and_then(|data| data.text()).map(Path::new), folder).join("models"));
    guide::check(checks, folder);
    flow::check(checks, folder);
    publish::check(checks, folder);
    signage::check(checks, folder);
    gallery::check(checks, folder);
    web::check(checks, folder);
}

/// The data folder as written, else where a service keeps it.
fn data_of(written: Option<&Path>, folder: &Path) -> PathBuf {
    match written {
        Some(path) => folder.join(path),
        // systemd may name several, separated by colons; the first is ours.
        None => std::env::var("STATE_DIRECTORY")
            .ok()
            .and_then(|folders| folders.split(':').next().filter(|first| !first.is_empty()).map(PathBuf::from))
            .unwrap_or_else(|| PathBuf::from("/var/lib/usher")),
    }
}

impl Written {
    fn meant(&self, folder: &Path) -> Config {
        Config {
            site: self.site.clone(),
            data: data_of(self.data.as_deref(), folder),
            cameras: self
                .cameras
                .iter()
                .map(|(name, camera)| (name.clone(), camera.meant(&self.capture.allow, folder)))
                .collect(),
            capture: self.capture.meant(),
            gates: self.gates.iter().map(|(name, gate)| (name.clone(), gate.meant())).collect(),
            infer: self.infer.meant(),
            gallery: self.gallery.meant(folder),
            rules: self.rules.meant(),
            guide: self.guide.meant(folder),
            flow: self.flow.meant(folder, &data_of(self.data.as_deref(), folder)),
            publish: self.publish.meant(folder),
            signage: self.signage.meant(folder),
            web: self.web.meant(folder),
        }
    }
}

impl Config {
    /// Whether any gate compares everybody with everybody enrolled, so that the box may hold keys.
    pub fn identifies(&self) -> bool {
        self.gates.values().any(|gate| matches!(gate.mode, decide::Mode::Identification { .. }))
    }

    /// What is allowed but worth a second thought: one sentence each, with the key it is about.
    pub fn warnings(&self) -> Vec<String> {
        let mut warnings = Vec::new();
        let mut open = |key: &str, address: std::net::SocketAddr, who: &str| {
            if !address.ip().is_loopback() {
                warnings.push(format!(
                    "`{key}` is {address}, which others on the network can reach: {who}; let a firewall admit only those"
                ));
            }
        };
        if let publish::Broker::Embedded { listen, websocket } = &self.publish.broker {
            open("publish.broker.listen", *listen, "only the venue's own systems should");
            open("publish.broker.websocket", *websocket, "only the screens should");
        }
        open("web.listen", self.web.listen, "only the screens and the operator should");
        for (name, gate) in &self.gates {
            let decide::Mode::Identification { responsible } = &gate.mode else { continue };
            warnings.push(format!(
                "gate `{name}` compares everybody in its opt-in zone with everybody enrolled; {responsible} answers for it"
            ));
            for camera in gate.cameras.iter().filter(|camera| self.cameras[*camera].zone.is_empty()) {
                warnings.push(format!(
                    "the opt-in zone of `{camera}` is its whole picture, so nobody at gate `{name}` can pass beside it: draw a `zone`"
                ));
            }
        }
        if let publish::Broker::External { tls: None, host, .. } = &self.publish.broker
            && host != "localhost"
            && host.parse::<std::net::IpAddr>().map_or(true, |address| !address.is_loopback())
        {
            warnings.push(format!(
                "`publish.broker` reaches {host} without TLS, so names and faces travel readable: use `mqtts://`"
            ));
        }
        warnings
    }
}
