//! Presentation attack detection: a face, or a picture of one?
//!
//! ISO/IEC 30107-3 calls the picture, screen or mask a presentation attack. What is here judges single pictures of a
//! camera that sees light only: it catches some attacks and takes some people for one (`docs/accuracy.md`). Never a
//! gate by itself.

pub mod crop;
pub mod mean;
pub mod minifasnet;

use crate::{error::ModelError, image::Rgb};
use crop::Crop;

/// How live a look seems, 0..=1; higher is more like a living person. Not a probability.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct Live(pub f32);

/// A network, or several, that tell a person from a picture of one.
pub trait Liveness: Send {
    /// The crops it asks for of every face, in this order; one at least.
    fn crops(&self) -> Vec<Crop>;

    /// How live each face seems. `faces[i]` holds what [`Crop::of`] made of face `i`, in the order of
    /// [`Liveness::crops`].
    ///
    /// # Errors
    /// [`ModelError::Compute`] when a crop has another size, or the device fails.
    fn judge(&mut self, faces: &[Vec<Rgb>]) -> Result<Vec<Live>, ModelError>;
}
