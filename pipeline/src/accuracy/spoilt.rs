//! Good pictures, spoilt on purpose: what a component of quality must tell from the others.
//!
//! Light is changed as a camera would see it: in linear light, with noise, then written as sRGB again. Sunglasses, hands and
//! masks are drawn where the landmarks are; real ones vary more, so what is told of them here is the most that can be hoped.

use image::{Rgb, RgbImage};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use usher_models::{face::Face, image::Point};

/// What was done to a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Spoilt {
    /// Three to four and a half stops too little light, with a sensor's noise.
    UnderExposed,
    /// One and a half to two and a half stops too much.
    OverExposed,
    /// One side of the face has between an eighth and a thirtieth of the other's light.
    SideLit,
    /// Sunglasses, or a band of any colour over the eyes.
    EyesCovered,
    /// A mask from the nose to the chin, of any colour.
    MouthCovered,
}

impl Spoilt {
    /// Every way.
    pub const ALL: [Self; 5] =
        [Self::UnderExposed, Self::OverExposed, Self::SideLit, Self::EyesCovered, Self::MouthCovered];

    /// As it is told.
    pub fn word(self) -> String {
        match self {
            Self::UnderExposed => "under-exposed",
            Self::OverExposed => "over-exposed",
            Self::SideLit => "side-lit",
            Self::EyesCovered => "eyes covered",
            Self::MouthCovered => "mouth covered",
        }
        .to_owned()
    }

    /// `picture` after that, with chance from `dice`; `face` is where it was found before.
    pub fn of(self, picture: &RgbImage, face: &Face, dice: &mut ChaCha8Rng) -> RgbImage {
        match self {
            Self::UnderExposed => lit(picture, -dice.random_range(3.0..4.5), 2.0, dice),
            Self::OverExposed => lit(picture, dice.random_range(1.5..2.5), 0.0, dice),
            Self::SideLit => lit_from_a_side(picture, face, dice),
            Self::EyesCovered => eyes_covered(picture, face, dice),
            Self::MouthCovered => mouth_covered(picture, face, dice),
        }
    }
}

/// Linear light of an sRGB value (IEC 61966-2-1, without its straight beginning).
fn linear(value: u8) -> f32 {
    (f32::from(value) / 255.0).powf(2.2)
}

fn written(light: f32) -> f32 {
    255.0 * light.clamp(0.0, 1.0).powf(1.0 / 2.2)
}

fn lit(picture: &RgbImage, stops: f32, noise: f32, dice: &mut ChaCha8Rng) -> RgbImage {
    let mut lit = picture.clone();
    for Rgb(colours) in lit.pixels_mut() {
        for value in colours {
            let rough = if noise > 0.0 { noise * dice.random_range(-1.7..1.7) } else { 0.0 };
            *value = (written(linear(*value) * stops.exp2()) + rough).clamp(0.0, 255.0) as u8;
        }
    }
    lit
}

/// The face's own place of a pixel: inter-eye distances to the right of and below the middle of the eyes.
struct Place {
    middle: Point,
    along: (f32, f32),
    square: f32,
}

impl Place {
    fn of(face: &Face) -> Self {
        let [right, left, ..] = face.landmarks;
        let middle = Point { x: (right.x + left.x) / 2.0, y: (right.y + left.y) / 2.0 };
        let along = (left.x - right.x, left.y - right.y);
        Self { middle, along, square: (along.0 * along.0 + along.1 * along.1).max(1.0) }
    }

    fn at(&self, x: u32, y: u32) -> (f32, f32) {
        let (dx, dy) = (x as f32 - self.middle.x, y as f32 - self.middle.y);
        let (ax, ay) = self.along;
        ((dx * ax + dy * ay) / self.square, (dy * ax - dx * ay) / self.square)
    }
}

fn lit_from_a_side(picture: &RgbImage, face: &Face, dice: &mut ChaCha8Rng) -> RgbImage {
    let place = Place::of(face);
    let (side, dark) = (if dice.random() { 1.0 } else { -1.0 }, 1.0 / dice.random_range(8.0..30.0_f32));
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let right = place.at(x, y).0 * side;
        let way = ((right + 0.35) / 0.7).clamp(0.0, 1.0);
        let gain = dark + (1.0 - dark) * way * way * (3.0 - 2.0 * way);
        let Rgb(colours) = picture.get_pixel(x, y);
        Rgb(colours.map(|value| written(linear(value) * gain) as u8))
    })
}

/// `paint` over the picture wherever it has a colour for the face's own place.
fn painted(picture: &RgbImage, face: &Face, paint: impl Fn(f32, f32) -> Option<[f32; 3]>) -> RgbImage {
    let place = Place::of(face);
    RgbImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (right, down) = place.at(x, y);
        match paint(right, down) {
            Some(colour) => Rgb(colour.map(|value| value.clamp(0.0, 255.0) as u8)),
            None => *picture.get_pixel(x, y),
        }
    })
}

fn eyes_covered(picture: &RgbImage, face: &Face, dice: &mut ChaCha8Rng) -> RgbImage {
    let shine = dice.random_range(0.0..40.0_f32);
    if dice.random() {
        // Sunglasses: two lenses, lighter above as they mirror the sky, a bridge and temples.
        let dark = dice.random_range(10.0..50.0_f32);
        return painted(picture, face, |right, down| {
            let lens = |at: f32| ((right - at) / 0.40).hypot((down - 0.05) / 0.30) < 1.0;
            let frame = (-0.10..-0.02).contains(&down) && right.abs() < 1.0;
            (lens(-0.5) || lens(0.5)).then_some([dark + shine * (0.3 - down); 3]).or(frame.then_some([dark; 3]))
        });
    }
    // A band: hair, a cap's brim, a hand.
    let colour: [f32; 3] = std::array::from_fn(|_| dice.random_range(20.0..220.0));
    painted(picture, face, |right, down| {
        ((-0.45..0.3).contains(&down) && right.abs() < 1.3).then(|| colour.map(|value| value + shine * down))
    })
}

fn mouth_covered(picture: &RgbImage, face: &Face, dice: &mut ChaCha8Rng) -> RgbImage {
    let kinds = [[130.0, 180.0, 215.0], [225.0, 225.0, 225.0], [30.0, 30.0, 33.0], [0.0; 3]];
    let mut colour: [f32; 3] = kinds[dice.random_range(0..kinds.len())];
    if colour == [0.0; 3] {
        colour = std::array::from_fn(|_| dice.random_range(20.0..220.0));
    }
    let (pleats, round) = (dice.random_range(0.0..12.0_f32), dice.random_range(0.1..0.4_f32));
    painted(picture, face, |right, down| {
        let wide = 1.0 - 0.25 * (down - 0.5).max(0.0);
        let top = 0.45 + 0.25 * right * right;
        ((top..1.9).contains(&down) && right.abs() < wide).then(|| {
            // Darker towards the sides, as cloth around a face is, with pleats across.
            let shade = 1.0 - round * right * right;
            colour.map(|value| value * shade - if (down * 9.0).fract() < 0.15 { pleats } else { 0.0 })
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use usher_models::{align::TEMPLATE, image::Rect};

    #[test]
    fn a_picture_is_spoilt_where_it_is_said_and_nowhere_else() {
        let face = Face { rect: Rect::default(), landmarks: TEMPLATE, confidence: 0.9 };
        let grey = RgbImage::from_pixel(112, 112, Rgb([128; 3]));
        let at = |how: Spoilt, p: Point| {
            let spoilt = how.of(&grey, &face, &mut ChaCha8Rng::seed_from_u64(3));
            f32::from(spoilt.get_pixel(p.x as u32, p.y as u32).0[1])
        };
        let [eye, other_eye, _, mouth, _] = TEMPLATE;
        assert!(at(Spoilt::UnderExposed, eye) < 60.0 && at(Spoilt::OverExposed, eye) > 200.0);
        let sides = at(Spoilt::SideLit, eye) - at(Spoilt::SideLit, other_eye);
        assert!(sides.abs() > 60.0, "{sides}");
        assert_eq!(at(Spoilt::EyesCovered, mouth), 128.0);
        assert_ne!(at(Spoilt::EyesCovered, eye), 128.0);
        assert_eq!(at(Spoilt::MouthCovered, eye), 128.0);
        assert_ne!(at(Spoilt::MouthCovered, mouth), 128.0);
    }
}
