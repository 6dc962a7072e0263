//! SCRFD: an anchor-based face detector with five landmarks.
//!
//! Guo et al.: *Sample and Computation Redistribution for Efficient Face Detection*, 2021; code of insightface, MIT. The
//! weights that its makers published are for non-commercial research only; a site brings its own. Input `(B, 3, H, W)`
//! RGB, `(x − 127.5) / 128`, sides multiples of 32. At strides 8, 16 and 32 three maps: score (after a sigmoid), box and
//! landmarks of two anchors a cell. A box is four distances from the cell's corner, a landmark an offset from it, both
//! in strides.

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
/// Anchors a cell.
const ANCHORS: usize = 2;
/// Boxes that overlap by more are one face: the value of insightface's own wrapper.
const IOU: f32 = 0.4;

/// The detector.
pub struct Scrfd {
    network: Network,
    input: Size,
    confidence: f32,
    batch: Vec<f32>,
}

impl Scrfd {
    /// Places the network; `confidence` is the least that is a face, 0..=1 (insightface's wrapper takes .5).
    ///
    /// # Errors
    /// [`ModelError::Compute`] when a side of `input` is not a positive multiple of 32, or the weights are of another
    /// network: those without landmarks have six outputs.
    pub fn new(stored: Stored, compute: &Compute, input: Size, confidence: f32) -> Result<Self, ModelError> {
        batch::fits("scrfd", input)?;
        let outputs = stored.description.outputs.len();
        if outputs != 3 * STRIDES.len() {
            return Err(ModelError::Compute(format!(
                "scrfd with landmarks has 9 outputs, these weights have {outputs}; use a file with landmarks (`kps`)"
            )));
        }
        Ok(Self { network: Network::new(stored, compute)?, input, confidence, batch: Vec::new() })
    }
}

impl Detector for Scrfd {
    fn input(&self) -> Size {
        self.input
    }

    fn detect(&mut self, pictures: &[Rgb]) -> Result<Vec<Vec<Face>>, ModelError> {
        if pictures.is_empty() {
            return Ok(Vec::new());
        }
        batch::filled(&mut self.batch, pictures, self.input, [0, 1, 2])?;
        self.batch.iter_mut().for_each(|v| *v = (*v - 127.5) / 128.0);
        let (width, height) = (self.input.width as usize, self.input.height as usize);
        let outputs = self.network.forward(&self.batch, pictures.len(), height, width)?;
        (0..pictures.len())
            .map(|index| Ok(suppressed(faces(&outputs, index, self.input, self.confidence)?, IOU)))
            .collect()
    }
}

/// Every anchor of picture `index` that is believed to hold a face.
fn faces(outputs: &[Output], index: usize, input: Size, confidence: f32) -> Result<Vec<Face>, ModelError> {
    let mut faces = Vec::new();
    for (level, stride) in STRIDES.into_iter().enumerate() {
        let (rows, columns) = (input.height as usize / stride, input.width as usize / stride);
        let map = |kind: usize, numbers: usize| {
            let output = &outputs[kind * STRIDES.len() + level];
            let (channels, length) = (ANCHORS * numbers, ANCHORS * numbers * rows * columns);
            if output.shape.get(1..) != Some(&[channels, rows, columns]) || output.data.len() < (index + 1) * length {
                return Err(ModelError::Compute(format!(
                    "scrfd with two anchors makes maps of {channels} channels at stride {stride}, this made {:?}",
                    output.shape
                )));
            }
            Ok(&output.data[index * length..][..length])
        };
        let (scores, boxes, marks) = (map(0, 1)?, map(1, 4)?, map(2, 10)?);
        let (cells, stride) = (rows * columns, stride as f32);
        for (place, score) in scores.iter().enumerate().filter(|(_, score)| **score >= confidence) {
            let (anchor, cell) = (place / cells, place % cells);
            let corner = Point { x: (cell % columns) as f32 * stride, y: (cell / columns) as f32 * stride };
            let distance = |side: usize| boxes[(4 * anchor + side) * cells + cell] * stride;
            let offset = |number: usize| marks[(10 * anchor + number) * cells + cell] * stride;
            let (left, top) = (distance(0), distance(1));
            let rect =
                Rect { x: corner.x - left, y: corner.y - top, width: left + distance(2), height: top + distance(3) };
            let landmarks: [Point; 5] = std::array::from_fn(|mark| Point {
                x: corner.x + offset(2 * mark),
                y: corner.y + offset(2 * mark + 1),
            });
            let finite = landmarks.iter().all(|p| p.x.is_finite() && p.y.is_finite()) && rect.area().is_finite();
            if finite && rect.width > 0.0 && rect.height > 0.0 {
                faces.push(Face { rect, landmarks, confidence: score.min(1.0) });
            }
        }
    }
    Ok(faces)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INPUT: Size = Size { width: 64, height: 32 };

    /// Maps of zeros for one picture.
    fn outputs() -> Vec<Output> {
        let map = |numbers: usize, stride: usize| {
            let shape = vec![1, ANCHORS * numbers, 32 / stride, 64 / stride];
            Output { data: vec![0.0; shape.iter().product()], shape }
        };
        [1, 4, 10].into_iter().flat_map(|numbers| STRIDES.map(|stride| map(numbers, stride))).collect()
    }

    #[test]
    fn a_face_lies_around_its_cells_corner_in_strides() {
        let mut outputs = outputs();
        // Stride 16, second anchor, row 1, column 3: the last of the eight cells.
        let (cells, cell) = (2 * 4, 7);
        outputs[1].data[cells + cell] = 0.75;
        for (side, distance) in [1.0, 0.5, 2.0, 1.5].into_iter().enumerate() {
            outputs[4].data[(4 + side) * cells + cell] = distance;
        }
        for number in 0..10 {
            outputs[7].data[(10 + number) * cells + cell] = number as f32 / 16.0;
        }
        let found = faces(&outputs, 0, INPUT, 0.5).unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].rect, Rect { x: 32.0, y: 8.0, width: 48.0, height: 32.0 });
        assert_eq!(found[0].landmarks[0], Point { x: 48.0, y: 17.0 });
        assert_eq!(found[0].landmarks[4], Point { x: 56.0, y: 25.0 });
        assert!(faces(&outputs, 0, INPUT, 0.8).unwrap().is_empty());
    }

    #[test]
    fn what_is_no_number_is_no_face_and_another_shape_is_an_error() {
        let mut outputs = outputs();
        outputs[0].data[0] = f32::NAN;
        outputs[0].data[1] = 0.9;
        outputs[3].data[1] = f32::INFINITY;
        assert!(faces(&outputs, 0, INPUT, 0.5).unwrap().is_empty());
        outputs[0].shape[1] = 1;
        let error = faces(&outputs, 0, INPUT, 0.5).unwrap_err().to_string();
        assert!(error.contains("two anchors"), "{error}");
    }
}
