//! Every network that usher knows: the only file that does.

use crate::{
    align::SIDE,
    architecture::{Architecture, Attack, Imported},
    compute::Compute,
    detect::{Detector, scrfd::Scrfd, yunet::Yunet},
    embed::{Embedder, fused::Fused, iresnet::iresnet, mobilefacenet::mobilefacenet, sface::sface, vectors::Vectors},
    error::ModelError,
    image::{Rgb, Size},
    liveness::{Liveness, mean::Mean, minifasnet::Minifasnet},
    template::ModelId,
    weights::{
        lock::{Lock, MODELS, Role},
        store::{Stored, path_of},
    },
};
use std::path::Path;

/// Opens a detector: weights, device, input size, least confidence.
type OpenDetector = fn(Stored, &Compute, Size, f32) -> Result<Box<dyn Detector>, ModelError>;
/// Opens an embedder.
type OpenEmbedder = fn(&Opening<'_>) -> Result<Box<dyn Embedder>, ModelError>;
/// Opens a network for presentation attack detection.
type OpenLiveness = fn(Stored, &Compute) -> Result<Box<dyn Liveness>, ModelError>;

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

/// Networks for presentation attack detection by name, as in `infer: { liveness: … }`. The name is also the row of
/// `models.lock`.
pub const LIVENESS: &[(&str, OpenLiveness)] = &[("minifasnet", |stored, compute| {
    Ok(Box::new(Minifasnet::new(stored, compute, Attack { crop: 2.7, live_class: 0 })?))
})];

/// What a network of an architecture is for.
pub fn role(architecture: Architecture) -> Role {
    match architecture {
        Architecture::Iresnet50 | Architecture::Iresnet100 | Architecture::Mobilefacenet => Role::Embedder,
        Architecture::Scrfd | Architecture::Yunet => Role::Detector,
        Architecture::Minifasnet => Role::Pad,
    }
}

/// A detector of weights that a site brought; as [`open_detector`], and not warm.
///
/// # Errors
/// [`ModelError::Compute`] when they are of another architecture, or for something else.
pub fn detector_of(
    stored: Stored,
    architecture: Architecture,
    compute: &Compute,
    input: Size,
    confidence: f32,
) -> Result<Box<dyn Detector>, ModelError> {
    match architecture {
        Architecture::Scrfd => Ok(Box::new(Scrfd::new(stored, compute, input, confidence)?)),
        Architecture::Yunet => Ok(Box::new(Yunet::new(stored, compute, input, confidence)?)),
        other => Err(ModelError::Compute(format!("{other} finds no faces"))),
    }
}

/// An embedder of weights that a site brought; as [`open_embedder`], and not warm.
///
/// # Errors
/// As [`detector_of`].
pub fn embedder_of(
    stored: Stored,
    architecture: Architecture,
    compute: &Compute,
) -> Result<Box<dyn Embedder>, ModelError> {
    let model = model_of(&stored);
    match architecture {
        Architecture::Iresnet50 | Architecture::Iresnet100 => Ok(Box::new(iresnet(stored, compute, model)?)),
        Architecture::Mobilefacenet => Ok(Box::new(mobilefacenet(stored, compute, model)?)),
        other => Err(ModelError::Compute(format!("{other} makes no templates"))),
    }
}

/// A network for presentation attack detection of weights that a site brought; not warm.
///
/// # Errors
/// As [`detector_of`].
pub fn liveness_of(stored: Stored, imported: &Imported, compute: &Compute) -> Result<Box<dyn Liveness>, ModelError> {
    match (imported.architecture, imported.attack) {
        (Architecture::Minifasnet, Some(attack)) => Ok(Box::new(Minifasnet::new(stored, compute, attack)?)),
        (other, _) => Err(ModelError::Compute(format!("{other} tells no person from a picture"))),
    }
}

/// What the templates of weights that a site brought carry: their name, and of which file they are made, so that two files
/// never share one.
pub fn model_of(stored: &Stored) -> ModelId {
    let Stored { description, .. } = stored;
    ModelId(format!("{}@{}", description.name, description.source_sha256.get(..16).unwrap_or_default()))
}

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
    let mut detector = match brought(DETECTORS, name, "detector", weights_dir, Role::Detector)? {
        Found::Row(open) => open(stored(name, weights_dir, Role::Detector)?.0, compute, input, confidence)?,
        Found::Brought(brought) => detector_of(brought.0, brought.1.architecture, compute, input, confidence)?,
    };
    let black = vec![0.0; 3 * input.width as usize * input.height as usize];
    detector.detect(&[Rgb { size: input, data: black }])?;
    Ok(detector)
}

/// The embedder `name` from a weights folder, warmed up.
///
/// # Errors
/// As [`open_detector`].
pub fn open_embedder(name: &str, weights_dir: &Path, compute: &Compute) -> Result<Box<dyn Embedder>, ModelError> {
    let mut embedder = match brought(EMBEDDERS, name, "embedder", weights_dir, Role::Embedder)? {
        Found::Row(open) => open(&Opening { weights_dir, compute })?,
        Found::Brought(brought) => embedder_of(brought.0, brought.1.architecture, compute)?,
    };
    let grey = vec![128.0; 3 * (SIDE * SIDE) as usize];
    embedder.embed(&[Rgb { size: Size { width: SIDE, height: SIDE }, data: grey }])?;
    Ok(embedder)
}

/// The networks for presentation attack detection `name`, several with `+` between them, from a weights folder, warmed up.
/// Of several the mean counts.
///
/// # Errors
/// As [`open_detector`].
pub fn open_liveness(name: &str, weights_dir: &Path, compute: &Compute) -> Result<Box<dyn Liveness>, ModelError> {
    let one = |name: &str| match brought(LIVENESS, name, "liveness network", weights_dir, Role::Pad)? {
        Found::Row(open) => open(stored(name, weights_dir, Role::Pad)?.0, compute),
        Found::Brought(brought) => liveness_of(brought.0, &brought.1, compute),
    };
    let mut parts = name.split('+').map(one).collect::<Result<Vec<_>, _>>()?;
    let mut liveness = if parts.len() == 1 { parts.remove(0) } else { Box::new(Mean(parts)) };
    let grey =
        |side: u32| Rgb { size: Size { width: side, height: side }, data: vec![128.0; 3 * (side * side) as usize] };
    let crops = liveness.crops().iter().map(|crop| grey(crop.side)).collect();
    liveness.judge(&[crops])?;
    Ok(liveness)
}

/// What a name stands for.
enum Found<T> {
    /// A row of a table.
    Row(T),
    /// Weights that the site brought.
    Brought(Box<(Stored, Imported)>),
}

fn brought<T: Copy>(
    table: &[(&str, T)],
    name: &str,
    what: &'static str,
    weights_dir: &Path,
    wanted: Role,
) -> Result<Found<T>, ModelError> {
    if let Some((_, open)) = table.iter().find(|(row, _)| *row == name) {
        return Ok(Found::Row(*open));
    }
    let is_name = !name.is_empty() && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    let is_row = || Lock::read(MODELS).is_ok_and(|lock| lock.network(name).is_some());
    if is_name && !is_row() && path_of(weights_dir, name).is_file() {
        let (stored, imported) = Stored::read_imported(weights_dir, name)?;
        if role(imported.architecture) == wanted {
            return Ok(Found::Brought(Box::new((stored, imported))));
        }
    }
    let known = table.iter().map(|(row, _)| *row).collect::<Vec<_>>().join(", ");
    Err(ModelError::Unknown { what, name: name.to_owned(), known })
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
                Role::Pad => LIVENESS.iter().any(|(name, _)| *name == network.name),
            };
            assert!(known, "{} is in the lock only", network.name);
        }
        let embedders = EMBEDDERS.iter().flat_map(|row| row.0.split('+'));
        let others = DETECTORS.iter().map(|row| row.0).chain(LIVENESS.iter().map(|row| row.0));
        for name in embedders.chain(others) {
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
