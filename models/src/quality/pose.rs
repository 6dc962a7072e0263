//! Pose: where a head is turned, from five landmarks.

use crate::face::Face;

/// Height from eyes to mouth over the inter-eye distance in the template of ArcFace.
const PROPORTION: f32 = 1.16;

/// How far the tip of the nose stands before the plane of eyes and mouth, in inter-eye distances (adult faces: some 28 mm of 63).
const NOSE: f32 = 0.45;

/// How far below the middle of eyes and mouth the tip of the nose is in the median of 1,241 pictures that look at the camera, in
/// inter-eye distances (`docs/accuracy.md`).
const REST: f32 = 0.053;

/// Where a head is turned as the camera sees it, degrees; an estimate from five landmarks. On faces that look at the camera
/// it errs by nine degrees in two of a hundred, since noses differ: take a median over a walk.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize)]
pub struct Head {
    /// Positive: turned towards the right of the picture.
    pub yaw_deg: f32,
    /// Negative: the camera sees the face from above, as a camera does that is mounted high.
    pub pitch_deg: f32,
    /// Positive: tilted clockwise in the picture.
    pub roll_deg: f32,
}

/// A face's own axes in the picture, and where the nose is on them.
struct Axes {
    /// From eyes to mouth, pixels.
    height: f32,
    /// Between the eyes, pixels.
    width: f32,
    /// From the middle of eyes and mouth to the nose, in inter-eye distances: to the right, and towards the mouth.
    right: f32,
    down: f32,
    roll: f32,
}

fn axes(face: &Face) -> Option<Axes> {
    let [right, left, nose, mouth_right, mouth_left] = face.landmarks;
    let eyes = ((right.x + left.x) / 2.0, (right.y + left.y) / 2.0);
    let mouth = ((mouth_right.x + mouth_left.x) / 2.0, (mouth_right.y + mouth_left.y) / 2.0);
    // Axes of the face in the picture: downwards from eyes to mouth, and along the eyes.
    let (down, along) = ((mouth.0 - eyes.0, mouth.1 - eyes.1), (left.x - right.x, left.y - right.y));
    let (height, width) = (down.0.hypot(down.1), along.0.hypot(along.1));
    if !(height > 1e-3 && width > 1e-3) {
        return None;
    }
    let middle = ((eyes.0 + mouth.0) / 2.0, (eyes.1 + mouth.1) / 2.0);
    let from_middle = (nose.x - middle.0, nose.y - middle.1);
    // A turned head brings the eyes together, a bowed one eyes and mouth: the longer of the two is the scale.
    let scale = width.max(height / PROPORTION);
    Some(Axes {
        height,
        width,
        right: (from_middle.0 * down.1 - from_middle.1 * down.0) / height / scale,
        down: (from_middle.0 * down.0 + from_middle.1 * down.1) / height / scale,
        roll: along.1.atan2(along.0),
    })
}

/// How far the nose is from where it is in a frontal face, in units of the inter-eye distance; 1 = in place.
pub(super) fn frontal(face: &Face) -> f32 {
    let Some(axes) = axes(face) else { return 0.0 };
    // A turned head also brings the eyes together: .5 of the usual proportion is a profile.
    let narrow = ((PROPORTION * axes.width / axes.height - 0.5) / 0.5).clamp(0.0, 1.0);
    (1.0 - axes.right.abs() / 0.6).clamp(0.0, 1.0) * (1.0 - axes.down.abs() / 0.6).clamp(0.0, 1.0) * narrow
}

impl Head {
    /// Where the head of `face` is turned; all zero where its landmarks span nothing.
    pub fn of(face: &Face) -> Self {
        let Some(axes) = axes(face) else { return Self::default() };
        let angle = |offset: f32| (offset / NOSE).clamp(-1.0, 1.0).asin().to_degrees();
        let head =
            Self { yaw_deg: angle(axes.right), pitch_deg: -angle(axes.down - REST), roll_deg: axes.roll.to_degrees() };
        if [head.yaw_deg, head.pitch_deg, head.roll_deg].iter().all(|v| v.is_finite()) { head } else { Self::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Point, Rect};

    /// Eyes, nose and mouth of a head of average proportions, in inter-eye distances, as a distant camera sees it.
    fn seen(yaw_deg: f32, pitch_deg: f32) -> Face {
        let (turn, nod) = (yaw_deg.to_radians(), pitch_deg.to_radians());
        let point = |x: f32, y: f32, depth: f32| {
            // Positive pitch lifts the face: what stands out goes up in the picture.
            let (y, depth) = (y * nod.cos() - depth * nod.sin(), y * nod.sin() + depth * nod.cos());
            Point { x: 400.0 + 60.0 * (x * turn.cos() + depth * turn.sin()), y: 300.0 + 60.0 * y }
        };
        let at_rest = PROPORTION / 2.0 + REST;
        let landmarks = [
            point(-0.5, 0.0, 0.0),
            point(0.5, 0.0, 0.0),
            point(0.0, at_rest, NOSE),
            point(-0.4, PROPORTION, 0.0),
            point(0.4, PROPORTION, 0.0),
        ];
        Face { rect: Rect::default(), landmarks, confidence: 0.9 }
    }

    #[test]
    fn a_head_is_turned_as_far_as_it_is() {
        for (yaw, pitch) in [(0.0, 0.0), (20.0, 0.0), (-30.0, 0.0), (0.0, -25.0), (0.0, 20.0), (15.0, -15.0)] {
            let head = Head::of(&seen(yaw, pitch));
            assert!(
                (head.yaw_deg - yaw).abs() < 4.0 && (head.pitch_deg - pitch).abs() < 4.0,
                "{yaw} {pitch}: {head:?}"
            );
        }
    }

    #[test]
    fn a_tilted_head_is_not_turned() {
        let upright = seen(0.0, -20.0);
        let (sin, cos) = 0.3_f32.sin_cos();
        let tilted = upright.landmarks.map(|p| Point { x: p.x * cos - p.y * sin, y: p.x * sin + p.y * cos });
        let head = Head::of(&Face { landmarks: tilted, ..upright });
        assert!(head.yaw_deg.abs() < 1.0 && (head.pitch_deg + 20.0).abs() < 4.0, "{head:?}");
        assert!((head.roll_deg - 0.3_f32.to_degrees()).abs() < 1.0, "{head:?}");
    }
}
