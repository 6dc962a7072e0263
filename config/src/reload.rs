//! Reload: what of another configuration a running gate takes up, and what waits for a restart.
//!
//! Every key is one or the other: [`AT_RESTART`] lists those that wait, [`held`] keeps their old values and names them, and whatever
//! it does not name is in force once the gate has taken the result up. The sections are taken apart field by field, so that a key that
//! is added to one does not compile before somebody has decided; a test walks over every key of the schema.

use crate::{
    Config,
    capture::Camera,
    decide::{Gate, Liveness},
    flow::Flow,
    gallery::{Gallery, Notice},
    guide::Guide,
    identify::Rules,
    infer::Infer,
    publish::Publish,
    reach::Reach,
    signage::Signage,
    web::{Web, Why},
};

/// The keys that wait for a restart, and everything below them: what they set was opened, bound or told once, at start.
pub const AT_RESTART: &[&str] = &[
    "data",
    "flow",
    "gallery",
    "guide",
    "infer.confidence",
    "infer.detector",
    "infer.device",
    "infer.embedder",
    "infer.input",
    "infer.liveness",
    "infer.mirror_looks",
    "infer.next_embedder",
    "infer.workers",
    "publish.broker",
    "publish.greeting",
    "signage.playlist",
    "signage.theme",
    "site",
    "web.enrol",
    "web.listen",
];

/// Whether a change of this key (`infer.workers`, `cameras.*.url`) waits for a restart.
pub fn waits(key: &str) -> bool {
    AT_RESTART.iter().any(|waits| key.strip_prefix(waits).is_some_and(|rest| rest.is_empty() || rest.starts_with('.')))
}

/// What a running gate may take up.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// The configuration that was read, with the old values of what waits.
    pub config: Config,
    /// The keys that wait for a restart, each with its path (`infer.workers`, `gates.gate-a.liveness`).
    pub waiting: Vec<String>,
}

/// Names each field of a section; those that wait keep the running value and are noted by their paths.
macro_rules! section {
    ($section:ident $path:literal, $config:expr, $running:expr, $waiting:ident,
     waits: [$($waits:ident),*], taken up: [$($taken:ident),*]) => {{
        let (config, running): (&mut $section, &$section) = (&mut $config, &$running);
        // Exhaustive: a new field belongs to one of the lists.
        let $section { $($waits,)* $($taken: _,)* } = config;
        $(
            if *$waits != running.$waits {
                *$waits = running.$waits.clone();
                $waiting.push(concat!($path, ".", stringify!($waits)).to_owned());
            }
        )*
    }};
}

/// What of `read` may take the place of `running`. Where no network judges liveness, since no gate asked for it at start
/// (`judges`), gates that ask for it now wait as well.
pub fn held(running: &Config, read: &Config, judges: bool) -> Held {
    let (mut config, mut waiting) = (read.clone(), Vec::new());
    // Exhaustive, as the sections below are.
    let Config {
        site,
        data,
        cameras,
        capture: Reach { allow: _ },
        gates: _,
        infer: _,
        gallery: _,
        rules: Rules { wrong_greetings: _, looks: _, apart: _, over: _, margin: _, household_margin: _ },
        guide: _,
        flow: _,
        publish: _,
        signage: _,
        web: _,
    } = read;
    if *site != running.site {
        config.site = running.site.clone();
        waiting.push("site".to_owned());
    }
    if *data != running.data {
        config.data = running.data.clone();
        waiting.push("data".to_owned());
    }
    for camera in cameras.values() {
        // All of a camera is taken up: where it is, it is connected anew; what it counts and where it looks is told to the stages.
        let Camera { source: _, login: _, ca: _, within: _, zone: _, count: _, latency: _, silence: _ } = camera;
    }
    section!(Infer "infer", config.infer, running.infer, waiting,
        waits: [device, detector, embedder, next_embedder, liveness, mirror_looks, input, confidence, workers],
        taken up: [inter_eye_px, analysed_fps, calm_fps, unchanged]);
    section!(Gallery "gallery", config.gallery, running.gallery, waiting, waits: [key, keep, event_ends], taken up: [notice]);
    section!(Notice "gallery.notice", config.gallery.notice, running.gallery.notice, waiting,
        waits: [controller, contact, texts, guardian_age], taken up: []);
    section!(Guide "guide", config.guide, running.guide, waiting, waits: [programme, places, transit], taken up: []);
    section!(Flow "flow", config.flow, running.flow, waiting, waits: [record, keep, history, weather], taken up: []);
    section!(Publish "publish", config.publish, running.publish, waiting, waits: [broker, greeting], taken up: [face, keep]);
    section!(Signage "signage", config.signage, running.signage, waiting,
        waits: [theme, playlist], taken up: [language, slide, night, keys]);
    section!(Web "web", config.web, running.web, waiting, waits: [listen, enrol], taken up: [why]);
    let Why { pictures: _ } = &config.web.why;
    for (name, gate) in &mut config.gates {
        let Gate { cameras: _, quiet: _, liveness, mode: _, lanes: _ } = gate;
        if !judges && *liveness != Liveness::Off {
            *liveness = Liveness::Off;
            waiting.push(format!("gates.{name}.liveness"));
        }
    }
    waiting.sort();
    Held { config, waiting }
}
