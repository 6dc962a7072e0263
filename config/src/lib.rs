//! What an integrator may turn: `usher-config`.
//!
//! One file per section, named like the stage it tunes, in stage order.

pub mod capture;
pub mod crowd;
pub mod decide;
pub mod gallery;
pub mod guide;
pub mod identify;
pub mod infer;
pub mod publish;
pub mod value;
pub mod web;

use std::{collections::BTreeMap, path::PathBuf};
use value::Name;

/// The whole configuration as meant: defaults filled in, every value checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The venue; a level of every topic.
    pub site: Name,
    /// Where gallery, outbox and weights live. Default `/var/lib/usher`, or `$STATE_DIRECTORY` under systemd.
    pub data: PathBuf,
    /// The cameras, by name.
    pub cameras: BTreeMap<Name, capture::Camera>,
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
    /// Who must hear.
    pub publish: publish::Publish,
    /// The pages.
    pub web: web::Web,
}
