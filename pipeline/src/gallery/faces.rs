//! The faces of a picture.

use crate::gallery::picture::Picture;
use usher_models::{
    detect::Detector,
    error::ModelError,
    face::Face,
    image::{Rgb, Size},
    resample::letterbox,
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framed_picture_keeps_its_pixels_in_the_top_left() {
        let picture = Rgb { size: Size { width: 1, height: 2 }, data: vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0] };
        let framed = framed(picture, Size { width: 2, height: 3 });
        assert_eq!(framed.data, [1., 0., 2., 0., 0., 0., 3., 0., 4., 0., 0., 0., 5., 0., 6., 0., 0., 0.]);
    }
}
