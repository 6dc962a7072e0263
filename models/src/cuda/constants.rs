//! Weights as the kernels want them: one piece of memory, written once when a network is placed.

use crate::compute::Precision;
use half::f16;

/// A tensor begins at a multiple of this many bytes.
const LINE: usize = 256;

/// Channels filled up: what every kernel reads and writes.
pub(super) fn filled(channels: usize) -> usize {
    channels.next_multiple_of(8)
}

/// All constants of a network.
#[derive(Debug)]
pub(super) struct Constants {
    pub(super) bytes: Vec<u8>,
    pub(super) precision: Precision,
}

impl Constants {
    pub(super) fn new(precision: Precision) -> Self {
        Self { bytes: Vec::new(), precision }
    }

    /// Adds numbers in single precision; where they begin.
    pub(super) fn single(&mut self, values: &[f32]) -> usize {
        let begin = self.begin();
        self.bytes.extend(values.iter().flat_map(|v| v.to_le_bytes()));
        begin
    }

    /// Adds numbers in the precision of the values; where they begin.
    pub(super) fn as_values(&mut self, values: &[f32]) -> usize {
        match self.precision {
            Precision::Full => self.single(values),
            Precision::Half => {
                let begin = self.begin();
                self.bytes.extend(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()));
                begin
            }
        }
    }

    /// Adds one number for each channel in single precision, zeros up to eights.
    pub(super) fn by_channel(&mut self, values: &[f32]) -> usize {
        let mut values = values.to_vec();
        values.resize(filled(values.len()), 0.0);
        self.single(&values)
    }

    fn begin(&mut self) -> usize {
        self.bytes.resize(self.bytes.len().next_multiple_of(LINE), 0);
        self.bytes.len()
    }
}

/// Weights `(outputs, inputs, taps)` as `(taps, inputs, outputs)`: the factors of neighbouring outputs side by side.
/// Inputs and outputs are filled up with zeros to the sizes given. `None` where there are not as many weights.
pub(super) fn turned(
    weight: &[f32],
    (outputs, inputs, taps): (usize, usize, usize),
    (rows, columns): (usize, usize),
) -> Option<Vec<f32>> {
    if weight.len() != outputs * inputs * taps {
        return None;
    }
    let mut made = vec![0.0; taps * rows * columns];
    for (index, value) in weight.iter().enumerate() {
        let (output, input, tap) = (index / (inputs * taps), index / taps % inputs, index % taps);
        made[(tap * rows + input) * columns + output] = *value;
    }
    Some(made)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weights_are_turned_and_filled_up() {
        let weight: Vec<f32> = (1..=12u8).map(f32::from).collect();
        let made = turned(&weight, (2, 3, 2), (8, 8)).unwrap();
        assert!(turned(&weight, (2, 3, 3), (8, 8)).is_none(), "fewer weights than the shape says");
        assert_eq!(made.len(), 2 * 8 * 8);
        // Output 1, input 2, tap 0 is the 11th number.
        assert!((made[2 * 8 + 1] - 11.0).abs() < f32::EPSILON);
        assert!((made.iter().sum::<f32>() - 78.0).abs() < f32::EPSILON, "the rest is zeros");
    }

    #[test]
    fn a_tensor_begins_at_a_line() {
        let mut constants = Constants::new(Precision::Half);
        assert_eq!((constants.as_values(&[1.0; 3]), constants.by_channel(&[1.0; 3])), (0, 256));
        assert_eq!(constants.bytes.len(), 256 + 8 * 4);
    }
}
