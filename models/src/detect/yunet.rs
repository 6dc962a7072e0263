//! YuNet: an anchor-free face detector with five landmarks.
//!
//! Wu, Peng, Yu: *YuNet: A Tiny Millisecond-level Face Detector*, 2023. Weights: OpenCV model zoo, 2023mar, MIT;
//! trained on WIDER FACE. Input `(B, 3, H, W)` **BGR**, 0..=255, sides multiples of 32. At strides 8, 16 and 32 four
//! maps: class, object (both after a sigmoid), box and landmarks.

use crate::{
    compute::Compute,
    detect::{Detector, batch},
    error::ModelError,
    face::Face,
    forward::{Network, Output},
    image::{Point, Rect, Rgb, Size},
    nms::suppressed,
    weights::store::Stored,
};

/// Its strides, in the order of its outputs.
const STRIDES: [usize; 3] = [8, 16, 32];
/// Boxes that overlap by more are one face: the value of the paper's evaluation and of OpenCV's wrapper.
const IOU: f32 = 0.3;
/// The network overestimates far boxes exponentially; a face is not wider than a few pictures.
const LARGEST_LOG_SIDE: f32 = 8.0;

/// The detector.
pub struct Yunet {
    network: Network,
    input: Size,
    confidence: f32,
    batch: Vec<f32>,
}

impl Yunet {
    /// Places the network; `confidence` is the least that is a face, 0..=1 (.6 misses no face of LFW, .9 one in a
    /// hundred).
    ///
    /// # Errors
    /// [`ModelError::Compute`] when a side of `input` is not a positive multiple of 32, or the weights are of another
    /// network.
    pub fn new(stored: Stored, compute: &Compute, input: Size, confidence: f32) -> Result<Self, ModelError> {
        batch::fits("yunet", input)?;
        let outputs = stored.description.outputs.len();
        if outputs != 4 * STRIDES.len() {
            return Err(ModelError::Compute(format!("yunet has 12 outputs, these weights have {outputs}")));
        }
        Ok(Self { network: Network::new(stored, compute)?, input, confidence, batch: Vec::new() })
    }
}

impl Detector for Yunet {
    fn input(&self) -> Size {
        self.input
    }

    fn detect(&mut self, pictures: &[Rgb]) -> Result<Vec<Vec<Face>>, ModelError> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        let (width, height) = (self.input.width as usize, self.input.height as usize);
        batch::filled(&mut self.batch, pictures, self.input, [2, 1, 0])?;
        let outputs = self.network.forward(&self.batch, pictures.len(), height, width)?;
        (0..pictures.len()).map(|index| Ok(suppressed(self.faces(&outputs, index)?, IOU))).collect()
    }
}

impl Yunet {
    /// Every cell of picture `index` that is believed to hold a face.
    fn faces(&self, outputs: &[Output], index: usize) -> Result<Vec<Face>, ModelError> {
        let mut faces = Vec::new();
        for (level, stride) in STRIDES.into_iter().enumerate() {
            let (rows, columns) = (self.input.height as usize / stride, self.input.width as usize / stride);
            let map = |kind: usize, channels: usize| {
                let output = &outputs[kind * STRIDES.len() + level];
                let length = channels * rows * columns;
                if output.shape.get(1..) != Some(&[channels, rows, columns]) || output.data.len() < (index + 1) * length
                {
                    return Err(ModelError::Compute(format!("yunet made a map of {:?}", output.shape)));
                }
                Ok(&output.data[index * length..][..length])
            };
            let (class, object, boxes, marks) = (map(0, 1)?, map(1, 1)?, map(2, 4)?, map(3, 10)?);
            let (cells, stride) = (rows * columns, stride as f32);
            for cell in 0..cells {
                let confidence = (class[cell].clamp(0.0, 1.0) * object[cell].clamp(0.0, 1.0)).sqrt();
                if confidence.is_nan() || confidence < self.confidence {
                    continue;
                }
                let (column, row) = ((cell % columns) as f32, (cell / columns) as f32);
                let of = |map: &[f32], channel: usize| map[channel * cells + cell];
                let side = |channel| of(boxes, channel).min(LARGEST_LOG_SIDE).exp() * stride;
                let (width, height) = (side(2), side(3));
                let centre = Point { x: (column + of(boxes, 0)) * stride, y: (row + of(boxes, 1)) * stride };
                let landmarks: [Point; 5] = std::array::from_fn(|mark| Point {
                    x: (column + of(marks, 2 * mark)) * stride,
                    y: (row + of(marks, 2 * mark + 1)) * stride,
                });
                let rect = Rect { x: centre.x - width / 2.0, y: centre.y - height / 2.0, width, height };
                let finite = landmarks.iter().chain([&centre]).all(|p| p.x.is_finite() && p.y.is_finite());
                if finite && width.is_finite() && height.is_finite() {
                    faces.push(Face { rect, landmarks, confidence });
                }
            }
        }
        Ok(faces)
    }
}
