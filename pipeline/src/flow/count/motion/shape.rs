//! What somebody who walks looks like to a camera: how high, how wide, and which part of their box they fill.

use usher_models::image::Rect;

/// Width of somebody who walks, in their heights, until that is known: as seen at 45 degrees.
pub const BREADTH: f32 = 0.36;
/// The parts of a body: left, top, right, bottom, as parts of its width and height. Head, trunk with arms, legs.
pub const PARTS: [[f32; 4]; 3] = [[0.3, 0.0, 0.7, 0.16], [0.06, 0.16, 0.94, 0.58], [0.16, 0.58, 0.84, 0.98]];
/// What somebody may move besides: arms, legs and bags that swing, a hat.
pub const AROUND: [[f32; 4]; 2] = [[0.2, -0.03, 0.8, 0.14], [-0.08, 0.14, 1.08, 1.05]];
/// Where somebody's feet are nobody's legs go on.
pub const BELOW: [f32; 4] = [0.2, 1.02, 0.8, 1.14];

/// How large a grown person is: whose feet are at `y`, `at + slope * y` pixels high.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stature {
    /// At the upper edge.
    pub at: f32,
    /// Per pixel downwards.
    pub slope: f32,
    /// Width of somebody, in their heights: more, the steeper a camera looks down.
    pub breadth: f32,
}

impl Stature {
    /// Of somebody whose feet are at `y`.
    pub fn height(&self, y: f32) -> f32 {
        (self.at + self.slope * y).max(8.0)
    }

    /// The box of `body`.
    pub fn rect(&self, body: &Body) -> Rect {
        let height = self.height(body.y) * body.tall;
        let width = self.breadth * height;
        Rect { x: body.x - width / 2.0, y: body.y - height, width, height }
    }
}

/// Somebody in the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Body {
    /// Between their feet, pixels from the left.
    pub x: f32,
    /// Their feet, pixels from above.
    pub y: f32,
    /// Height beside a grown person's at that place.
    pub tall: f32,
}

/// A part of a box as whole pixels of a picture: left, top, right, bottom; what reaches over an edge is cut off.
pub fn pixels(rect: &Rect, [left, top, right, bottom]: [f32; 4], width: usize, height: usize) -> [usize; 4] {
    let clamp = |value: f32, most: usize| value.round().clamp(0.0, most as f32) as usize;
    [
        clamp(rect.x + left * rect.width, width),
        clamp(rect.y + top * rect.height, height),
        clamp(rect.x + right * rect.width, width),
        clamp(rect.y + bottom * rect.height, height),
    ]
}

/// How many pixels such a part has.
pub fn area([left, top, right, bottom]: [usize; 4]) -> usize {
    right.saturating_sub(left) * bottom.saturating_sub(top)
}
