//! The demo's visitors: whoever of a crowd asked to be known, enrolled.

use crate::{
    capture::stills::pictures_of,
    clock::{Clock, SystemClock},
    gallery::{
        consent::Consent,
        enrol::{Duplicate, Enroller, Wish},
        picture::Picture,
        store::Store,
        visitor::VisitorId,
    },
};
use anyhow::Context;
use image::{ImageFormat, RgbImage, imageops};
use std::{collections::BTreeMap, io::Cursor, path::Path};
use usher_config::{
    Config,
    crowd::{Crowd, Look},
};

/// Which visitor is which person of the crowd file.
pub type Enrolled = BTreeMap<VisitorId, String>;

/// How much of a picture around a face goes to enrolment, in faces to each side: several people share one picture, and
/// enrolment wants exactly one face in it.
const MARGIN: f32 = 0.35;

/// Enrols everybody of `crowds` who asked to be known, anew, until the configured time. Whoever else is in the gallery
/// stays. Demo visitors of an earlier run are replaced.
///
/// # Errors
/// When a picture is not there or shows no face that can be enrolled.
pub fn enrol<'a>(config: &Config, crowds: impl Iterator<Item = (&'a Path, &'a Crowd)>) -> anyhow::Result<Enrolled> {
    let mut enrolled = Enrolled::new();
    let mut enroller = Enroller::open(config)?;
    let mut store = Store::of(config)?;
    let now = store.latest(SystemClock::start().now())?;
    for (path, crowd) in crowds {
        let folder = pictures_of(crowd, path);
        for person in &crowd.people {
            let (Some(visitor), Some(look)) = (&person.enrolled, person.enrolled_from()) else { continue };
            let picture = cut_out(&folder, look)?;
            let consent = Consent::at_desk("the demo's crowd file says who asked to be known", "demo", "");
            let wish = Wish {
                duplicate: Duplicate::Replace,
                ..Wish::new(&visitor.name, &visitor.sport, now + config.gallery.keep, consent)
            };
            let issued = enroller.enrol(&mut store, &wish, &[picture], now).with_context(|| person.who.clone())?;
            enrolled.insert(issued.visitor, person.who.clone());
        }
    }
    Ok(enrolled)
}

/// The part of a picture around one face.
fn cut_out(folder: &Path, look: &Look) -> anyhow::Result<Picture> {
    Ok(Picture::decode(&png_of(folder, look)?)?)
}

/// The part of a picture around one face, as a PNG file; `folder` holds the crowd's pictures.
///
/// # Errors
/// When the picture is not there.
pub fn png_of(folder: &Path, look: &Look) -> anyhow::Result<Vec<u8>> {
    let path = folder.join(&look.picture);
    let whole: RgbImage = image::open(&path)
        .with_context(|| format!("{}; run `make setup` to fetch the demo's pictures", path.display()))?
        .into_rgb8();
    let [x, y, width, height] = look.face;
    let left = (x - MARGIN * width).max(0.0) as u32;
    let top = (y - MARGIN * height).max(0.0) as u32;
    let right = ((x + (1.0 + MARGIN) * width) as u32).min(whole.width());
    let bottom = ((y + (1.0 + MARGIN) * height) as u32).min(whole.height());
    let face = imageops::crop_imm(&whole, left, top, right.saturating_sub(left), bottom.saturating_sub(top)).to_image();
    let mut bytes = Cursor::new(Vec::new());
    face.write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}
