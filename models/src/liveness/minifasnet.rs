//! MiniFASNet: a small network for liveness.
//!
//! Minivision: *Silent-Face-Anti-Spoofing*, 2020, Apache-2.0 (code and its own weights). Input `(B, 3, S, S)` **BGR**,
//! 0..=255, `S` 80 or 128. Output `(B, classes)` before a softmax; which class is a live person differs between
//! publishers, as does how much of the picture is shown.

use crate::{
    architecture::Attack,
    compute::Compute,
    error::ModelError,
    forward::Network,
    image::Rgb,
    liveness::{Live, Liveness, crop::Crop},
    net::Step,
    weights::store::Stored,
};

/// The network halves its map so often before the last layer that looks at more than one pixel.
const REDUCED: usize = 16;

/// The network.
pub struct Minifasnet {
    network: Network,
    crop: Crop,
    live_class: usize,
    batch: Vec<f32>,
}

impl Minifasnet {
    /// Places the network.
    ///
    /// # Errors
    /// [`ModelError::Compute`] when the weights are of another network.
    pub fn new(stored: Stored, compute: &Compute, attack: Attack) -> Result<Self, ModelError> {
        let side = side_of(&stored).ok_or_else(|| {
            ModelError::Compute("minifasnet ends in a filter as large as its map, these weights do not".to_owned())
        })?;
        let crop = Crop { side, scale: attack.crop };
        Ok(Self { network: Network::new(stored, compute)?, crop, live_class: attack.live_class, batch: Vec::new() })
    }
}

/// The side of the crop that weights were trained for: the last filter of each channel is as large as the map that is
/// left.
pub(crate) fn side_of(stored: &Stored) -> Option<u32> {
    let kernel = stored.description.steps.iter().rev().find_map(|step| match step {
        Step::Conv { weight, groups, pad: 0, .. } if *groups > 1 => stored.tensors.get(weight)?.0.get(2).copied(),
        _ => None,
    })?;
    u32::try_from(REDUCED * kernel).ok().filter(|_| kernel > 1)
}

impl Liveness for Minifasnet {
    fn crops(&self) -> Vec<Crop> {
        vec![self.crop]
    }

    fn judge(&mut self, faces: &[Vec<Rgb>]) -> Result<Vec<Live>, ModelError> {
        if faces.is_empty() {
            return Ok(Vec::new());
        }
        let side = self.crop.side as usize;
        self.batch.clear();
        for face in faces {
            let [crop] = &face[..] else {
                return Err(ModelError::Compute(format!("{} crops for a network of one", face.len())));
            };
            if crop.data.len() != 3 * side * side || crop.size.width != self.crop.side {
                return Err(ModelError::Compute(format!(
                    "a crop of {}x{} for a network of {side}x{side}",
                    crop.size.width, crop.size.height
                )));
            }
            for channel in [2, 1, 0] {
                self.batch.extend_from_slice(&crop.data[channel * side * side..][..side * side]);
            }
        }
        let outputs = self.network.forward(&self.batch, faces.len(), side, side)?;
        let classes = outputs.first().map_or(0, |output| output.data.len() / faces.len());
        if outputs.len() != 1 || classes < 2 || self.live_class >= classes {
            return Err(ModelError::Compute(format!(
                "class {} is a live person, and the network has {classes} classes",
                self.live_class
            )));
        }
        Ok(outputs[0].data.chunks_exact(classes).map(|row| Live(share(row, self.live_class))).collect())
    }
}

/// The softmax of one class.
fn share(row: &[f32], class: usize) -> f32 {
    let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|v| (v - most).exp()).sum();
    (row[class] - most).exp() / sum
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_sum_to_one_however_large_the_numbers() {
        for row in [[1000.0, 998.0, -1000.0], [0.0, 0.0, 0.0], [-3.0, 2.5, 0.1]] {
            let sum: f32 = (0..3).map(|class| share(&row, class)).sum();
            assert!((sum - 1.0).abs() < 1e-6, "{row:?}");
        }
        assert!(share(&[0.0, 2.0], 1) > 0.85);
    }
}
