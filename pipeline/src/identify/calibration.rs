//! A site's own calibration: thresholds that its walks support, in a file that the box signed.
//!
//! Written by `usher calibrate`, read when a gate starts. It holds scores and counts, nothing of a face.

use crate::{
    gallery::{
        key::BoxKey,
        signature::{is_signed, sign},
    },
    identify::threshold::{Law, LawError},
};
use serde::{Deserialize, Serialize};
use std::{
    fs, io,
    path::{Path, PathBuf},
};
use usher_models::template::ModelId;

/// Its name in the data folder.
pub const NAME: &str = "calibration.json";

/// What the walks of a site support.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    /// The embedder that made the templates.
    pub model: ModelId,
    /// When it was made, RFC 3339.
    pub made: String,
    /// References that the walks were compared with.
    pub references: usize,
    /// Walks of people who were not in the gallery, or left out of it for the occasion.
    pub walks: usize,
    /// Different people among them.
    pub people: usize,
    /// Thresholds by the share of such people that may be named, shares falling.
    pub supported: Vec<Supported>,
}

/// One threshold.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Supported {
    /// The share of people not enrolled who may be named.
    pub wrong_greetings: f64,
    /// What a walk's score must reach.
    pub threshold: f32,
}

#[derive(Serialize, Deserialize)]
struct Signed {
    calibration: Calibration,
    signature: String,
}

/// Why a calibration is not used. The integrator mends it: a gate must not run on a threshold that nobody vouches for.
#[derive(Debug, thiserror::Error)]
pub enum CalibrationError {
    /// It cannot be read or written.
    #[error("{path} cannot be read or written ({why}); check its permissions, or delete it and calibrate again")]
    System {
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// It is none.
    #[error("{path} is no calibration ({why}); delete it and run `usher calibrate` again")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// Another box wrote it, or somebody changed it.
    #[error("{path} was changed, or comes from another box; delete it and run `usher calibrate` on this one")]
    Unsigned {
        /// The file.
        path: PathBuf,
    },
    /// It makes no law, or there is none for the embedder.
    #[error(transparent)]
    Law(#[from] LawError),
}

impl Calibration {
    /// Writes it into the data folder, signed, in the place of any other.
    ///
    /// # Errors
    /// [`CalibrationError::System`].
    pub fn write(&self, data: &Path, key: &BoxKey) -> Result<PathBuf, CalibrationError> {
        let path = data.join(NAME);
        let system = |why: io::Error| CalibrationError::System { path: path.clone(), why };
        let text = serde_json::to_string(self).map_err(|error| system(error.into()))?;
        let signed = Signed { calibration: self.clone(), signature: sign(key, &text) };
        let text = serde_json::to_string_pretty(&signed).map_err(|error| system(error.into()))?;
        // Whole or not at all: power may go at any time.
        let fresh = path.with_extension("json.new");
        fs::write(&fresh, text).and_then(|()| fs::File::open(&fresh)?.sync_all()).map_err(system)?;
        fs::rename(&fresh, &path).map_err(system)?;
        Ok(path)
    }

    /// The one in the data folder; `None` where there is none.
    ///
    /// # Errors
    /// [`CalibrationError`]: it cannot be read, or this box did not write it.
    pub fn read(data: &Path, key: &BoxKey) -> Result<Option<Self>, CalibrationError> {
        let path = data.join(NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(why) => return Err(CalibrationError::System { path, why }),
        };
        let unreadable =
            |error: serde_json::Error| CalibrationError::Unreadable { path: path.clone(), why: error.to_string() };
        let Signed { calibration, signature } = serde_json::from_str(&text).map_err(unreadable)?;
        let text = serde_json::to_string(&calibration).map_err(unreadable)?;
        if is_signed(key, &text, &signature) { Ok(Some(calibration)) } else { Err(CalibrationError::Unsigned { path }) }
    }

    /// The law it makes. Below the least share that walks supported, `general` holds too.
    ///
    /// # Errors
    /// [`LawError::Unusable`] where fewer than two shares have a score of their own.
    pub fn law(&self, general: Law) -> Result<Law, LawError> {
        let points: Vec<_> = self.supported.iter().map(|point| (point.wrong_greetings, point.threshold)).collect();
        let least = points.iter().map(|(share, _)| *share).fold(1.0, f64::min);
        Ok(Law::of_site(self.model.clone(), self.references, &points)?.supported_from(least, general))
    }
}

/// The law of a gate with this embedder: that of its own calibration, else what was measured of the embedder elsewhere. A
/// calibration of another embedder says nothing about this one, and is passed over with a warning.
///
/// # Errors
/// [`CalibrationError`].
pub fn law_of(model: &ModelId, data: &Path, key: &BoxKey) -> Result<Law, CalibrationError> {
    let general = Law::of_brought(model, &data.join("models"))?;
    match Calibration::read(data, key)? {
        Some(calibration) if calibration.model == *model => {
            tracing::info!(made = calibration.made, people = calibration.people, "thresholds are this site's own");
            Ok(calibration.law(general)?)
        }
        Some(calibration) => {
            tracing::warn!(
                calibrated = calibration.model.0,
                embedder = model.0,
                "the calibration is of another embedder and is not used; run `usher calibrate` again"
            );
            Ok(general)
        }
        None => Ok(general),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn calibration() -> Calibration {
        let supported = |(wrong_greetings, threshold)| Supported { wrong_greetings, threshold };
        Calibration {
            model: ModelId("sface-2021dec".into()),
            made: "2026-11-22T10:00:00Z".into(),
            references: 300,
            walks: 400,
            people: 320,
            supported: [(0.1, 0.41), (0.02, 0.46)].map(supported).to_vec(),
        }
    }

    #[test]
    fn what_the_box_wrote_is_the_law_of_its_gates() {
        let (folder, key) = (tempfile::tempdir().unwrap(), BoxKey::random());
        let model = calibration().model;
        let general = law_of(&model, folder.path(), &key).unwrap();
        assert_eq!(general, Law::of(&model).unwrap(), "nothing was calibrated yet");
        calibration().write(folder.path(), &key).unwrap();
        assert_eq!(Calibration::read(folder.path(), &key).unwrap(), Some(calibration()));
        let law = law_of(&model, folder.path(), &key).unwrap();
        assert!((law.threshold(0.02, 300).0 - 0.46).abs() < 1e-5);
        assert!(law.threshold(0.001, 300) >= general.threshold(0.001, 300));
        let other = ModelId("mobilefacenet-512".into());
        assert_eq!(law_of(&other, folder.path(), &key).unwrap(), Law::of(&other).unwrap());
    }

    #[test]
    fn what_somebody_changed_or_another_box_wrote_stops_the_start_with_the_mend() {
        let (folder, key) = (tempfile::tempdir().unwrap(), BoxKey::random());
        let path = calibration().write(folder.path(), &key).unwrap();
        let why = |key: &BoxKey| law_of(&calibration().model, folder.path(), key).unwrap_err().to_string();
        assert!(why(&BoxKey::random()).contains("comes from another box; delete it"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, text.replace("0.46", "0.36")).unwrap();
        assert!(why(&key).contains("was changed"));
        fs::write(&path, "{").unwrap();
        assert!(why(&key).contains("no calibration") && why(&key).contains("usher calibrate"));
    }
}
