//! What every detector asks of its pictures.

use crate::{
    error::ModelError,
    image::{Rgb, Size},
};

/// Whether the strides of a detector divide its input.
///
/// # Errors
/// [`ModelError::Compute`] when a side is not a positive multiple of 32.
pub(super) fn fits(name: &str, input: Size) -> Result<(), ModelError> {
    if [input.width, input.height].iter().any(|side| *side == 0 || side % 32 != 0) {
        return Err(ModelError::Compute(format!(
            "an input of {}x{} for {name}; both sides must be multiples of 32",
            input.width, input.height
        )));
    }
    Ok(())
}

/// Puts pictures one after the other, their channels in this order of R, G and B.
///
/// # Errors
/// [`ModelError::Compute`] when one is of another size than `input`.
pub(super) fn filled(
    batch: &mut Vec<f32>,
    pictures: &[Rgb],
    input: Size,
    channels: [usize; 3],
) -> Result<(), ModelError> {
    let pixels = input.width as usize * input.height as usize;
    batch.clear();
    for picture in pictures {
        if picture.size != input || picture.data.len() != 3 * pixels {
            return Err(ModelError::Compute(format!(
                "a picture of {}x{} for a detector of {}x{}",
                picture.size.width, picture.size.height, input.width, input.height
            )));
        }
        for channel in channels {
            batch.extend_from_slice(&picture.data[channel * pixels..][..pixels]);
        }
    }
    Ok(())
}
