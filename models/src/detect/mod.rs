//! Detectors: pictures in, faces out.

mod batch;
pub mod scrfd;
pub mod yunet;

use crate::{
    error::ModelError,
    face::Face,
    image::{Rgb, Size},
};

/// A network that finds faces and their five landmarks.
pub trait Detector: Send {
    /// The one size of picture it takes.
    fn input(&self) -> Size;

    /// The faces of each picture, most confident first, in pixels of that picture; overlapping ones suppressed.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when a picture has another size, or the device fails.
    fn detect(&mut self, pictures: &[Rgb]) -> Result<Vec<Vec<Face>>, ModelError>;
}
