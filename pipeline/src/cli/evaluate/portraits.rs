//! Every picture of a collection as a portrait, with a bar.

use crate::{
    accuracy::{
        collection::{Collection, Which},
        portraits::{Portrait, Portraits},
    },
    cli::{Common, evaluate::Faces},
    gallery::picture::Picture,
};
use anyhow::Context;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::BTreeMap;
use usher_models::{
    compute::{Choice, Compute},
    template::ModelId,
};

/// What was made of a collection.
pub(super) struct Made {
    pub(super) portraits: BTreeMap<Which, Portrait>,
    /// Pictures in which no face was found: failures to acquire.
    pub(super) without_face: usize,
    pub(super) pictures: usize,
    pub(super) model: ModelId,
}

/// The portraits of `wanted` pictures.
pub(super) fn made(common: &Common, faces: &Faces, collection: &Collection, wanted: &[Which]) -> anyhow::Result<Made> {
    let weights = faces.data.folder(common)?.join("models");
    let compute = Compute::open(Choice::Auto)?;
    let mut networks = Portraits::open("yunet", &faces.embedder, &weights, &compute)?;
    let bar = ProgressBar::new(wanted.len() as u64)
        .with_style(ProgressStyle::with_template("{bar:40} {pos} of {len} pictures, {eta} to go")?);
    let mut portraits = BTreeMap::new();
    for which in wanted {
        let path = collection.path(*which);
        let picture = Picture::read(path).with_context(|| path.display().to_string())?;
        if let Some(portrait) = networks.portrait(&picture)? {
            portraits.insert(*which, portrait);
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    let without_face = wanted.len() - portraits.len();
    Ok(Made { portraits, without_face, pictures: wanted.len(), model: networks.model() })
}
