//! Framing: what one look at the tablet's picture tells whoever stands before it.

use crate::{
    gallery::hint::Hint,
    web::enrol::answers::{Framing, Look, Place},
};
use usher_models::{face::Face, image::Size, quality::Quality};

/// Least width of a face, of the picture's shorter side: an arm's length from a tablet.
const NEAR: f32 = 0.26;
/// Most width: nearer, a wide lens bends the face.
const TOO_NEAR: f32 = 0.75;
/// How far the face's middle may be from the picture's, of its sides.
const ASIDE: f32 = 0.22;
/// Another face counts as somebody who stands there too when it is this large, of the largest's width.
const BESIDE: f32 = 0.4;
/// Least pose; as for references.
const POSE: f32 = 0.3;
/// Least sharpness; as for references.
const SHARPNESS: f32 = 0.15;
/// A head turned so far is at the end of what is told.
const FULL_TURN_DEG: f32 = 45.0;

/// What these faces in a picture of `size` tell.
pub(super) fn look(faces: &[(Face, Quality)], size: Size) -> Look {
    let Some((face, quality)) = faces.iter().max_by(|(a, _), (b, _)| a.rect.width.total_cmp(&b.rect.width)) else {
        return Look { faces: 0, face: None, hint: Some(Framing::None), good: false, quality: 0.0, yaw: 0.0 };
    };
    let people = faces.iter().filter(|(other, _)| other.rect.width >= BESIDE * face.rect.width).count();
    let hint = hint(face, quality, size, people);
    let (width, height) = (size.width as f32, size.height as f32);
    let rect = face.rect;
    Look {
        faces: people,
        face: Some(Place {
            x: rect.x / width,
            y: rect.y / height,
            width: rect.width / width,
            height: rect.height / height,
        }),
        hint,
        good: hint.is_none(),
        quality: quality.weight(),
        yaw: (quality.head.yaw_deg / FULL_TURN_DEG).clamp(-1.0, 1.0),
    }
}

fn hint(face: &Face, quality: &Quality, size: Size, people: usize) -> Option<Framing> {
    let (width, height) = (size.width as f32, size.height as f32);
    let (share, centre) = (face.rect.width / width.min(height), face.rect.centre());
    let aside = (centre.x / width - 0.5).abs() > ASIDE || (centre.y / height - 0.5).abs() > ASIDE;
    let checks = [
        (people > 1, Framing::Several),
        (share < NEAR, Framing::Closer),
        (share > TOO_NEAR, Framing::Back),
        (aside, Framing::Centre),
        (quality.pose < POSE, Framing::Turn),
    ];
    let framed = checks.into_iter().find_map(|(is_so, framing)| is_so.then_some(framing));
    framed
        .or_else(|| (quality.sharpness < SHARPNESS).then_some(Framing::Still))
        .or_else(|| Hint::of(quality).map(Framing::from))
}

impl From<Hint> for Framing {
    fn from(hint: Hint) -> Self {
        match hint {
            Hint::Dark => Self::Dark,
            Hint::Bright => Self::Bright,
            Hint::SideLit => Self::SideLit,
            Hint::EyesCovered => Self::EyesCovered,
            Hint::MouthCovered => Self::MouthCovered,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_models::{
        image::{Point, Rect},
        quality::Exposure,
    };

    const SIZE: Size = Size { width: 640, height: 480 };

    fn good() -> Quality {
        Quality {
            confidence: 0.95,
            inter_eye_px: 80.0,
            pose: 0.95,
            sharpness: 0.8,
            exposure: Exposure {
                luminance_mean: 0.5,
                under_exposure_prevention: 1.0,
                over_exposure_prevention: 1.0,
                dynamic_range: 0.95,
            },
            illumination_uniformity: 0.9,
            eyes_visible: 1.0,
            mouth_occlusion_prevention: 1.0,
            ..Quality::NOTHING
        }
    }

    fn face(x: f32, width: f32) -> Face {
        let rect = Rect { x, y: 240.0 - 0.6 * width, width, height: 1.2 * width };
        Face { rect, landmarks: [Point::default(); 5], confidence: 0.9 }
    }

    #[test]
    fn the_first_thing_to_mend_is_told() {
        let told = |faces: &[(Face, Quality)]| look(faces, SIZE).hint;
        let middle = |width: f32| face(320.0 - width / 2.0, width);
        assert_eq!(told(&[]), Some(Framing::None));
        assert_eq!(told(&[(middle(200.0), good())]), None);
        assert!(look(&[(middle(200.0), good())], SIZE).good);
        assert_eq!(told(&[(middle(200.0), good()), (face(20.0, 100.0), good())]), Some(Framing::Several));
        assert_eq!(told(&[(middle(200.0), good()), (face(20.0, 40.0), good())]), None, "somebody far behind");
        assert_eq!(told(&[(middle(100.0), good())]), Some(Framing::Closer));
        assert_eq!(told(&[(middle(400.0), good())]), Some(Framing::Back));
        assert_eq!(told(&[(face(0.0, 200.0), good())]), Some(Framing::Centre));
        assert_eq!(told(&[(middle(200.0), Quality { pose: 0.1, ..good() })]), Some(Framing::Turn));
        assert_eq!(told(&[(middle(200.0), Quality { sharpness: 0.05, ..good() })]), Some(Framing::Still));
        assert_eq!(told(&[(middle(200.0), Quality { eyes_visible: 0.1, ..good() })]), Some(Framing::EyesCovered));
    }
}
