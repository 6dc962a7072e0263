//! Suppression of the weaker of overlapping boxes.

use crate::face::Face;

/// Keeps the most confident face of every heap of boxes that overlap by more than `iou` (0..=1); most confident first.
///
/// Greedy, as in the detectors' papers. Faces whose confidence is not a number are dropped.
pub fn suppressed(mut faces: Vec<Face>, iou: f32) -> Vec<Face> {
    faces.retain(|face| face.confidence.is_finite());
    faces.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let mut kept: Vec<Face> = Vec::new();
    for face in faces {
        if kept.iter().all(|better| better.rect.iou(&face.rect) <= iou) {
            kept.push(face);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Point, Rect};
    use proptest::prelude::*;

    fn face(x: f32, y: f32, side: f32, confidence: f32) -> Face {
        Face { rect: Rect { x, y, width: side, height: side }, landmarks: [Point::default(); 5], confidence }
    }

    #[test]
    fn one_face_found_thrice_is_one_face() {
        let found = vec![face(10.0, 10.0, 20.0, 0.7), face(11.0, 9.0, 20.0, 0.9), face(12.0, 11.0, 21.0, 0.8)];
        let kept = suppressed(found, 0.3);
        assert_eq!(kept, [face(11.0, 9.0, 20.0, 0.9)]);
    }

    #[test]
    fn a_confidence_that_is_no_number_is_no_face() {
        assert!(suppressed(vec![face(0.0, 0.0, 9.0, f32::NAN)], 0.3).is_empty());
    }

    proptest! {
        #[test]
        fn the_kept_do_not_overlap_and_every_dropped_one_has_a_better(
            found in prop::collection::vec((0f32..100.0, 0f32..100.0, 1f32..40.0, 0f32..1.0), 0..40)
        ) {
            let found: Vec<Face> = found.into_iter().map(|(x, y, side, c)| face(x, y, side, c)).collect();
            let kept = suppressed(found.clone(), 0.3);
            for (i, a) in kept.iter().enumerate() {
                prop_assert!(kept[i + 1..].iter().all(|b| a.rect.iou(&b.rect) <= 0.3 && a.confidence >= b.confidence));
            }
            for face in found {
                prop_assert!(kept.iter().any(|k| *k == face || (k.rect.iou(&face.rect) > 0.3 && k.confidence >= face.confidence)));
            }
        }
    }
}
