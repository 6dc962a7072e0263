//! A drawn hall and who stands in it, as a test asks by JSON.

use gstreamer_video::{VideoFormat, VideoInfo};
use serde_json::Value;
use usher::{
    capture::frame::Picture,
    infer::{sighting::TrackId, watched::Person},
};
use usher_models::{
    align::TEMPLATE,
    face::Face,
    image::{Point, Rect},
    quality::{Exposure, Quality},
};

/// Somebody at a place, of a size, and as good a look as node asks.
pub(crate) fn person(asked: &Value) -> Person {
    let number = |key: &str| asked[key].as_f64().expect("a number") as f32;
    let rect = Rect { x: number("x"), y: number("y"), width: number("width"), height: number("height") };
    let eyes = asked["eyes"].as_f64().map_or(0.45 * rect.width, |eyes| eyes as f32);
    let face = face(rect, eyes);
    Person {
        track: TrackId(asked["track"].as_u64().expect("a track")),
        rect,
        face,
        quality: asked["eyes"].is_number().then(|| quality(&face, &asked["quality"])),
        in_zone: asked["in_zone"].as_bool() != Some(false),
        looks: asked["looks"].as_u64().unwrap_or(0) as u32,
    }
}

/// A face that looks at the camera, its eyes so far apart.
fn face(rect: Rect, eyes: f32) -> Face {
    let scale = eyes / (TEMPLATE[1].x - TEMPLATE[0].x);
    let landmarks = TEMPLATE.map(|p| Point { x: rect.x + p.x * scale, y: rect.y + p.y * scale });
    Face { rect, landmarks, confidence: 0.9 }
}

/// A good look but for what node asks.
fn quality(face: &Face, asked: &Value) -> Quality {
    let or = |key: &str, usual: f32| asked[key].as_f64().map_or(usual, |value| value as f32);
    Quality {
        confidence: 0.9,
        inter_eye_px: face.inter_eye_px(),
        pose: 0.9,
        sharpness: or("sharpness", 0.6),
        sharpness_sideways: 0.5,
        sharpness_upright: 0.5,
        exposure: Exposure {
            luminance_mean: or("luminance_mean", 0.5),
            under_exposure_prevention: or("under_exposure_prevention", 0.99),
            over_exposure_prevention: or("over_exposure_prevention", 1.0),
            dynamic_range: or("dynamic_range", 0.87),
        },
        illumination_uniformity: or("illumination_uniformity", 0.7),
        eyes_visible: 1.0,
        mouth_occlusion_prevention: 1.0,
        ..Quality::default()
    }
}

/// A hall, drawn, with a head and shoulders wherever somebody is.
pub(crate) fn scene(people: &[Person]) -> Picture {
    const WIDTH: usize = 960;
    const HEIGHT: usize = 540;
    let info = VideoInfo::builder(VideoFormat::I420, WIDTH as u32, HEIGHT as u32).build().expect("a format");
    let mut bytes = vec![0_u8; info.size()];
    let (u, v) = (info.offset()[1], info.offset()[2]);
    bytes[u..v].fill(138);
    bytes[v..].fill(122);
    let stride = info.stride()[0] as usize;
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let floor = y as f32 > 240.0 + (x as f32 - 480.0).abs() * 0.3;
            bytes[y * stride + x] = if floor { 62 } else { 44 };
        }
    }
    for Person { rect, .. } in people {
        let centre = rect.centre();
        let shapes = [
            (centre.y + rect.height * 1.9, rect.width, rect.height * 1.35, 92),
            (centre.y, rect.width * 0.4, rect.height * 0.47, 128),
        ];
        for (cy, wide, high, luma) in shapes {
            let rows = (cy - high).max(0.0) as usize..((cy + high).max(0.0) as usize).min(HEIGHT);
            let columns = (centre.x - wide).max(0.0) as usize..((centre.x + wide).max(0.0) as usize).min(WIDTH);
            for (y, x) in rows.flat_map(|y| columns.clone().map(move |x| (y, x))) {
                let (dx, dy) = ((x as f32 - centre.x) / wide, (y as f32 - cy) / high);
                if dx * dx + dy * dy < 1.0 {
                    bytes[y * stride + x] = luma;
                }
            }
        }
    }
    Picture::new(gstreamer::Buffer::from_mut_slice(bytes), &info).expect("I420 is read")
}
