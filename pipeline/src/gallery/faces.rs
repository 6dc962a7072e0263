//! The faces of a picture, and what one template of several is.

use crate::gallery::picture::Picture;
use usher_models::{
    detect::Detector,
    error::ModelError,
    face::Face,
    image::{Rgb, Size},
    resample::letterbox,
    template::{Mismatch, Template},
};

/// The detector's picture: square, since portraits stand and landscapes lie; a face of 30 pixels is found in either.
pub(crate) const INPUT: Size = Size { width: 640, height: 640 };

/// Every face of a picture. A face that fills the picture is larger than what the detector was trained on: where
/// none is found, the picture is looked at again at half the size.
pub(crate) fn faces(detector: &mut dyn Detector, picture: &Picture) -> Result<Vec<Face>, ModelError> {
    let input = detector.input();
    for part in [1, 2] {
        let (small, fit) = letterbox(&picture.view(), Size { width: input.width / part, height: input.height / part });
        let found = detector.detect(&[framed(small, input)])?;
        let faces: Vec<_> = found.into_iter().flatten().map(|face| fit.to_frame(&face)).collect();
        if !faces.is_empty() {
            return Ok(faces);
        }
    }
    Ok(Vec::new())
}

/// The direction of the mean.
pub(crate) fn mean(templates: &[Template]) -> Result<Template, Mismatch> {
    let first = templates.first().ok_or(Mismatch::NoDirection)?;
    let mut sum = vec![0.0; first.vector().len()];
    for template in templates {
        sum.iter_mut().zip(template.vector()).for_each(|(sum, v)| *sum += v);
    }
    Template::new(first.model().clone(), sum)
}

/// The picture in the top left of a black one of `size`, which is not smaller.
fn framed(picture: Rgb, size: Size) -> Rgb {
    if picture.size == size {
        return picture;
    }
    let (width, height) = (size.width as usize, size.height as usize);
    let mut data = vec![0.0; 3 * width * height];
    let rows = picture.data.chunks_exact(picture.size.width as usize).enumerate();
    for (row, pixels) in rows {
        let (plane, y) = (row / picture.size.height as usize, row % picture.size.height as usize);
        data[(plane * height + y) * width..][..pixels.len()].copy_from_slice(pixels);
    }
    Rgb { size, data }
}

/// Left and right exchanged.
pub(crate) fn mirrored(picture: &Rgb) -> Rgb {
    let mut mirrored = picture.clone();
    mirrored.data.chunks_exact_mut(picture.size.width as usize).for_each(<[f32]>::reverse);
    mirrored
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirroring_twice_changes_nothing_and_once_exchanges_columns() {
        let size = Size { width: 3, height: 2 };
        let picture = Rgb { size, data: (0..18).map(|v| v as f32).collect() };
        assert_eq!(mirrored(&picture).data[..6], [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
        assert_eq!(mirrored(&mirrored(&picture)), picture);
    }

    #[test]
    fn a_framed_picture_keeps_its_pixels_in_the_top_left() {
        let picture = Rgb { size: Size { width: 1, height: 2 }, data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let framed = framed(picture, Size { width: 2, height: 3 });
        assert_eq!(framed.data, [1., 0., 2., 0., 0., 0., 3., 0., 4., 0., 0., 0., 5., 0., 6., 0., 0., 0.]);
    }
}
