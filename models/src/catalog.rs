//! Every network that usher knows: the only file that does.

use crate::{
    align::SIDE,
    compute::Compute,
    detect::{Detector, yunet::Yunet},
    embed::{Embedder, fused::Fused, mobilefacenet::mobilefacenet, sface::sface, vectors::Vectors},
    error::ModelError,
    image::{Rgb, Size},
    template::ModelId,
    weights::{
        lock::{Lock, MODELS, Role},
        store::Stored,
    },
};
use std::path::Path;

/// Opens a detector: weights, device, input size, least confidence.
type OpenDetector = fn(Stored, &Compute, Size, f32) -> Result<Box<dyn Detector>, ModelError>;
/// Opens an embedder.
type OpenEmbedder = fn(&Opening<'_>) -> Result<Box<dyn Embedder>, ModelError>;

/// Where embedders find their weights, and where they run.
pub struct Opening<'a> {
    weights_dir: &'a Path,
    compute: &'a Compute,
}

impl Opening<'_> {
    /// An embedder of the weights of row `name`.
    fn one(
        &self,
        name: &str,
        new: fn(Stored, &Compute, ModelId) -> Result<Vectors, ModelError>,
    ) -> Result<Box<dyn Embedder>, ModelError> {
        let (stored, model) = stored(name, self.weights_dir, Role::Embedder)?;
        Ok(Box::new(new(stored, self.compute, model)?))
    }
}

/// Detectors by name, as in `infer: { detector: … }`. The name is also the row of `models.lock`.
pub const DETECTORS: &[(&str, OpenDetector)] =
    &[("yunet", |stored, compute, input, confidence| Ok(Box::new(Yunet::new(stored, compute, input, confidence)?)))];

/// Embedders by name, as in `infer: { embedder: … }`. The name is also the row of `models.lock`, or several with `+`.
pub const EMBEDDERS: &[(&str, OpenEmbedder)] = &[
    ("sface", |opening| opening.one("sface", sface)),
    ("mobilefacenet", |opening| opening.one("mobilefacenet", mobilefacenet)),
    // The weights were measured, see docs/accuracy.md.
    ("sface+mobilefacenet", |opening| {
        let (one, other) = (opening.one("sface", sface)?, opening.one("mobilefacenet", mobilefacenet)?);
        Ok(Box::new(Fused::new(vec![(0.6, one), (0.4, other)])))
    }),
];

/// The detector `name` from a weights folder, warmed up: the first picture takes no longer than the next.
///
/// `input` has sides that are multiples of 32; `confidence` is the least that is a face, 0..=1.
///
/// # Errors
/// [`ModelError::Unknown`] when there is no such row; [`ModelError::Missing`] or [`ModelError::Corrupt`] when its
/// weights are not there or not whole; [`ModelError::Compute`] when it cannot be computed with this input.
pub fn open_detector(
    name: &str,
    weights_dir: &Path,
    compute: &Compute,
    input: Size,
    confidence: f32,
) -> Result<Box<dyn Detector>, ModelError> {
    let open = row(DETECTORS, name, "detector")?;
    let (stored, _) = stored(name, weights_dir, Role::Detector)?;
    let mut detector = open(stored, compute, input, confidence)?;
    let black = vec![0.0; 3 * input.width as usize * input.height as usize];
    detector.detect(&[Rgb { size: input, data: black }])?;
    Ok(detector)
}

/// The embedder `name` from a weights folder, warmed up.
///
/// # Errors
/// As [`open_detector`].
pub fn open_embedder(name: &str, weights_dir: &Path, compute: &Compute) -> Result<Box<dyn Embedder>, ModelError> {
    let open = row(EMBEDDERS, name, "embedder")?;
    let mut embedder = open(&Opening { weights_dir, compute })?;
    let grey = vec![128.0; 3 * (SIDE * SIDE) as usize];
    embedder.embed(&[Rgb { size: Size { width: SIDE, height: SIDE }, data: grey }])?;
    Ok(embedder)
}

fn row<T: Copy>(table: &[(&str, T)], name: &str, what: &'static str) -> Result<T, ModelError> {
    table.iter().find(|(row, _)| *row == name).map(|(_, open)| *open).ok_or_else(|| ModelError::Unknown {
        what,
        name: name.to_owned(),
        known: table.iter().map(|(row, _)| *row).collect::<Vec<_>>().join(", "),
    })
}

fn stored(name: &str, weights_dir: &Path, role: Role) -> Result<(Stored, ModelId), ModelError> {
    let lock = Lock::read(MODELS).map_err(|error| ModelError::Compute(error.to_string()))?;
    let network = lock
        .network(name)
        .filter(|network| network.role == role)
        .ok_or_else(|| ModelError::Compute(format!("models.lock has no {role:?} {name}")))?;
    Ok((Stored::read(weights_dir, name, &network.sha256)?, ModelId(network.model.clone())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compute::Choice;

    #[test]
    fn every_row_of_the_tables_has_its_row_in_the_lock_and_the_other_way_round() {
        let lock = Lock::read(MODELS).unwrap();
        // Optional rows may be for those who bring their own code: tests and benches.
        for network in lock.networks.iter().filter(|network| !network.optional) {
            let known = match network.role {
                Role::Detector => DETECTORS.iter().any(|(name, _)| *name == network.name),
                Role::Embedder => EMBEDDERS.iter().any(|(name, _)| *name == network.name),
                Role::Pad => false,
            };
            assert!(known, "{} is in the lock only", network.name);
        }
        for name in DETECTORS.iter().map(|row| row.0).chain(EMBEDDERS.iter().flat_map(|row| row.0.split('+'))) {
            assert!(lock.network(name).is_some(), "{name} is in the table only");
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let compute = Compute::open(Choice::Cpu).unwrap();
        let error = open_embedder("arcface", Path::new("/nonexistent"), &compute).err().unwrap().to_string();
        assert!(error.contains("arcface") && error.contains("sface"), "{error}");
    }

    #[test]
    fn weights_that_are_not_there_say_how_to_get_them() {
        let compute = Compute::open(Choice::Cpu).unwrap();
        let size = Size { width: 64, height: 64 };
        let error = open_detector("yunet", Path::new("/nonexistent"), &compute, size, 0.6).err().unwrap();
        assert!(error.to_string().contains("run `usher models install`"), "{error}");
    }
}
