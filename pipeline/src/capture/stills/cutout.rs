//! Head and shoulders of one person, cut out of a picture of several.

use image::{RgbImage, imageops};
use std::path::{Path, PathBuf};
use usher_config::{
    crowd::{Crowd, Look},
    problem::Problems,
};

/// How far a cut-out reaches from the middle of the face, in face heights.
const ASIDE: f32 = 1.15;
const ABOVE: f32 = 0.95;
const BELOW: f32 = 1.9;
/// Kept free of a neighbour's face, in that face's widths: hair is wider than the box.
const CLEAR: f32 = 0.12;

/// A crowd camera that cannot be set up.
#[derive(Debug, thiserror::Error)]
pub enum StillsError {
    /// Mend me: the crowd file.
    #[error("{}", first(.0))]
    Crowd(#[from] Problems),
    /// Mend me: a picture is not there, or is none.
    #[error("{} cannot be used ({why}); run `usher models pictures`, or set `pictures` in the crowd file", .path.display())]
    Picture {
        /// The picture.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Mend me: GStreamer is not there.
    #[error("GStreamer cannot be initialised; install its base plugins")]
    GStreamer,
}

/// The first problem in one line; `usher check` shows all of them with their place.
fn first(problems: &Problems) -> String {
    let line =
        problems.iter().next().map(|found| format!("{}:{}: {}; {}", found.file, found.line, found.message, found.mend));
    line.unwrap_or_default()
}

/// One person of one picture: pixels, and where the face is in them.
#[derive(Clone)]
pub(crate) struct Cutout {
    pub(crate) rgb: RgbImage,
    /// Middle of the face, pixels of the cut-out.
    pub(crate) face: (f32, f32),
    /// Height of the face, pixels of the cut-out.
    pub(crate) face_px: f32,
}

/// What is cut out, in pixels of the picture.
struct Region {
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

/// The picture to enrol somebody from: head and shoulders of `look`, nobody else's face, at the picture's own size.
///
/// `folder` is the pictures' folder ([`crate::capture::stills::pictures_of`]).
///
/// # Errors
/// When the picture cannot be read.
pub fn portrait(crowd: &Crowd, folder: &Path, look: &Look) -> Result<RgbImage, StillsError> {
    let picture = open(folder, &look.picture)?;
    Ok(cut(crowd, look, &picture, f32::INFINITY).rgb)
}

/// Reads a picture.
pub(crate) fn open(folder: &Path, name: &Path) -> Result<RgbImage, StillsError> {
    let path = folder.join(name);
    let wrong = |why: String| StillsError::Picture { path: path.clone(), why };
    let reader = image::ImageReader::open(&path).map_err(|error| wrong(error.to_string()))?;
    let reader = reader.with_guessed_format().map_err(|error| wrong(error.to_string()))?;
    Ok(reader.decode().map_err(|error| wrong(error.to_string()))?.into_rgb8())
}

/// Cuts `look` out of its picture, and makes it smaller where its face is higher than `most_px`.
pub(crate) fn cut(crowd: &Crowd, look: &Look, picture: &RgbImage, most_px: f32) -> Cutout {
    let [x, y, width, height] = look.face;
    let region = region_of(crowd, look, (picture.width() as f32, picture.height() as f32));
    let (left, top) = (region.left as u32, region.top as u32);
    let size = ((region.right - region.left).max(8.0) as u32, (region.bottom - region.top).max(8.0) as u32);
    let cropped = imageops::crop_imm(picture, left, top, size.0, size.1).to_image();
    let scale = (most_px / height).min(1.0);
    let rgb = if scale < 1.0 {
        let to = |px: u32| ((px as f32 * scale).round() as u32).max(8);
        imageops::resize(&cropped, to(size.0), to(size.1), imageops::FilterType::CatmullRom)
    } else {
        cropped
    };
    let face = ((x + width / 2.0 - left as f32) * scale, (y + height / 2.0 - top as f32) * scale);
    Cutout { rgb, face, face_px: height * scale }
}

fn region_of(crowd: &Crowd, look: &Look, (width, height): (f32, f32)) -> Region {
    let [x, y, face_width, face_height] = look.face;
    let middle = (x + face_width / 2.0, y + face_height / 2.0);
    let mut region = Region {
        left: (middle.0 - ASIDE * face_height).max(0.0),
        top: (middle.1 - ABOVE * face_height).max(0.0),
        right: (middle.0 + ASIDE * face_height).min(width),
        bottom: (middle.1 + BELOW * face_height).min(height),
    };
    let others = crowd.people.iter().flat_map(|person| &person.looks);
    for other in others.filter(|other| other.picture == look.picture && other.face != look.face) {
        let [x, y, width, height] = other.face;
        let away = (x + width / 2.0 - middle.0, y + height / 2.0 - middle.1);
        let clear = CLEAR * width;
        // Cut between the two on the side on which they are further apart.
        if away.0.abs() >= away.1.abs() {
            if away.0 > 0.0 {
                region.right = region.right.min(x - clear);
            } else {
                region.left = region.left.max(x + width + clear);
            }
        } else if away.1 > 0.0 {
            region.bottom = region.bottom.min(y - clear);
        } else {
            region.top = region.top.max(y + height + clear);
        }
    }
    // Whatever the neighbours: the face itself stays.
    Region {
        left: region.left.min(x).clamp(0.0, width - 8.0),
        top: region.top.min(y).clamp(0.0, height - 8.0),
        right: region.right.max(x + face_width).min(width),
        bottom: region.bottom.max(y + face_height).min(height),
    }
}
