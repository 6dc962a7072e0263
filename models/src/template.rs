//! A template: the numbers that stand for a face, and their comparison.

use zeroize::{Zeroize, ZeroizeOnDrop};

/// Which network made a template, for example `sface-2021dec`. Templates of two models never compare.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
pub struct ModelId(pub String);

/// Cosine similarity of two templates, -1..=1; higher is more alike. Not a probability.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, serde::Serialize, serde::Deserialize)]
pub struct Score(pub f32);

/// A unit vector that stands for a face. Wiped on drop; `Debug` prints no value.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Template {
    #[zeroize(skip)]
    model: ModelId,
    vector: Vec<f32>,
}

/// Why two templates, or a template and a vector, do not fit together.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum Mismatch {
    /// They come from two networks.
    #[error("templates of {probe:?} and {reference:?} do not compare; enrol again with one embedder")]
    Models {
        /// The model of the probe.
        probe: ModelId,
        /// The model of the reference.
        reference: ModelId,
    },
    /// They have two lengths.
    #[error("templates of {probe} and {reference} numbers do not compare")]
    Lengths {
        /// Numbers in the probe.
        probe: usize,
        /// Numbers in the reference.
        reference: usize,
    },
    /// Zero, infinite or not a number: no direction can be read from it.
    #[error("the vector has no direction")]
    NoDirection,
}

impl Template {
    /// The template of `model` in the direction of `vector`, which need not be of unit length.
    ///
    /// # Errors
    /// [`Mismatch::NoDirection`] when the vector is zero or not finite.
    pub fn new(model: ModelId, mut vector: Vec<f32>) -> Result<Self, Mismatch> {
        let length = vector.iter().map(|v| f64::from(*v) * f64::from(*v)).sum::<f64>().sqrt();
        if !(length.is_finite() && length > 1e-12) {
            vector.zeroize();
            return Err(Mismatch::NoDirection);
        }
        vector.iter_mut().for_each(|v| *v = (f64::from(*v) / length) as f32);
        Ok(Self { model, vector })
    }

    /// The network that made it.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// Its numbers, of unit length. Must not be logged, published or stored unsealed.
    pub fn vector(&self) -> &[f32] {
        &self.vector
    }

    /// The direction of the mean of some templates of one model.
    ///
    /// # Errors
    /// [`Mismatch`] when they are none, do not fit together, or cancel out.
    pub fn mean(templates: &[Self]) -> Result<Self, Mismatch> {
        let first = templates.first().ok_or(Mismatch::NoDirection)?;
        let mut sum = vec![0.0; first.vector.len()];
        for template in templates {
            first.compare(template)?;
            sum.iter_mut().zip(&template.vector).for_each(|(sum, v)| *sum += v);
        }
        Self::new(first.model.clone(), sum)
    }

    /// How alike the two are.
    ///
    /// # Errors
    /// When they come from two models or have two lengths.
    pub fn compare(&self, other: &Template) -> Result<Score, Mismatch> {
        if self.model != other.model {
            return Err(Mismatch::Models { probe: self.model.clone(), reference: other.model.clone() });
        }
        if self.vector.len() != other.vector.len() {
            return Err(Mismatch::Lengths { probe: self.vector.len(), reference: other.vector.len() });
        }
        Ok(Score(self.vector.iter().zip(&other.vector).map(|(a, b)| a * b).sum()))
    }
}

impl std::fmt::Debug for Template {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Template({}, …)", self.model.0)
    }
}
