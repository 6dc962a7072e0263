//! Portraits: the face that a picture is about, as templates.

use crate::gallery::{
    faces::{INPUT, faces},
    picture::Picture,
};
use std::path::Path;
use usher_models::{
    align::aligned,
    catalog,
    compute::Compute,
    detect::Detector,
    embed::Embedder,
    error::ModelError,
    face::Face,
    image::{Rgb, Size},
    template::{Mismatch, ModelId, Template},
};

/// Least confidence of a face: the gate's default.
const CONFIDENCE: f32 = 0.6;

/// What is averaged with its mirror image. Twice the embedder's work for whatever is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Mirror {
    /// Nothing.
    None,
    /// References, once, when somebody enrols: what usher does.
    #[default]
    References,
    /// References and every look.
    Both,
}

/// A face, both ways round.
#[derive(Clone, Debug)]
pub struct Portrait {
    upright: Template,
    mirrored: Template,
}

impl Portrait {
    /// As somebody who enrols is kept.
    ///
    /// # Errors
    /// [`Mismatch`] never for templates of one embedder that have a direction.
    pub fn reference(&self, mirror: Mirror) -> Result<Template, Mismatch> {
        if mirror == Mirror::None { Ok(self.upright.clone()) } else { self.mean() }
    }

    /// As a look at a camera is compared.
    ///
    /// # Errors
    /// As [`Portrait::reference`].
    pub fn probe(&self, mirror: Mirror) -> Result<Template, Mismatch> {
        if mirror == Mirror::Both { self.mean() } else { Ok(self.upright.clone()) }
    }

    fn mean(&self) -> Result<Template, Mismatch> {
        Template::mean(&[self.upright.clone(), self.mirrored.clone()])
    }
}

/// Turns pictures into portraits.
pub struct Portraits {
    detector: Box<dyn Detector>,
    embedder: Box<dyn Embedder>,
}

impl Portraits {
    /// With these rows of the catalogue, from a folder of weights.
    ///
    /// # Errors
    /// When weights are not there or not whole.
    pub fn open(detector: &str, embedder: &str, weights: &Path, compute: &Compute) -> Result<Self, ModelError> {
        Ok(Self {
            detector: catalog::open_detector(detector, weights, compute, INPUT, CONFIDENCE)?,
            embedder: catalog::open_embedder(embedder, weights, compute)?,
        })
    }

    /// Whose templates they are.
    pub fn model(&self) -> ModelId {
        self.embedder.model()
    }

    /// The aligned crop of the face that a picture is about: the one nearest to its middle. `None`: no face was found.
    ///
    /// # Errors
    /// When a network fails.
    pub fn crop(&mut self, picture: &Picture) -> Result<Option<(Face, Rgb)>, ModelError> {
        crop_of(&mut *self.detector, picture)
    }

    /// The face that a picture is about. `None`: no face was found.
    ///
    /// # Errors
    /// When a network fails.
    pub fn portrait(&mut self, picture: &Picture) -> Result<Option<Portrait>, ModelError> {
        let Some((_, crop)) = self.crop(picture)? else { return Ok(None) };
        let both = self.embedder.embed(&[crop.mirrored(), crop])?;
        let mut both = both.into_iter();
        let (mirrored, upright) = (both.next(), both.next());
        Ok(mirrored.zip(upright).map(|(mirrored, upright)| Portrait { upright, mirrored }))
    }
}

/// The face that a picture is about, the one nearest to its middle, and its aligned crop. `None`: no face was found.
///
/// # Errors
/// When the network fails.
pub fn crop_of(detector: &mut dyn Detector, picture: &Picture) -> Result<Option<(Face, Rgb)>, ModelError> {
    let found = faces(detector, picture)?;
    let central = found.into_iter().min_by(|a, b| off(a, picture.size()).total_cmp(&off(b, picture.size())));
    Ok(central.map(|face| (face, aligned(&picture.view(), &face.landmarks))))
}

/// How far a face is from the middle, squared.
fn off(face: &Face, size: Size) -> f32 {
    let x = face.rect.x + face.rect.width / 2.0 - size.width as f32 / 2.0;
    let y = face.rect.y + face.rect.height / 2.0 - size.height as f32 / 2.0;
    x * x + y * y
}
