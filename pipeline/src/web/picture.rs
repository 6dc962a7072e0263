//! One live picture: the frame made smaller, with a box and a word for everybody in it.

use crate::{
    decide::visit::Deed,
    infer::watched::{Person, Watched},
    web::{Shared, label, live::Jpeg},
};
use image::{Rgb, RgbImage, codecs::jpeg::JpegEncoder};
use imageproc::drawing::draw_line_segment_mut;
use usher_models::{
    image::{Rect, Size},
    resample,
};

/// Widest picture sent, in pixels.
const WIDEST: u32 = 960;
/// JPEG quality, 1..=100: enough to see a face and its box.
const QUALITY: u8 = 78;
/// Width of a box's line, in pixels.
const LINE: i32 = 3;

const GREEN: Rgb<u8> = Rgb([125, 223, 138]);
const AMBER: Rgb<u8> = Rgb([255, 181, 46]);
const GREY: Rgb<u8> = Rgb([169, 179, 193]);
const BLUE: Rgb<u8> = Rgb([122, 176, 255]);
const CORAL: Rgb<u8> = Rgb([255, 150, 130]);
const TEAL: Rgb<u8> = Rgb([90, 209, 200]);

/// The frame as JPEG with its boxes, at most [`WIDEST`] wide; nothing when it cannot be encoded.
pub(super) fn jpeg(seen: &Watched, shared: &Shared) -> Option<Jpeg> {
    let view = seen.frame.picture.view();
    let from = view.size;
    let width = from.width.min(WIDEST);
    let into = Size { width, height: (from.height * width / from.width).max(1) };
    let region = Rect { x: 0.0, y: 0.0, width: from.width as f32, height: from.height as f32 };
    let mut picture = RgbImage::from_raw(into.width, into.height, resample::rgb8(&view, region, into))?;

    draw_zone(&mut picture, &seen.frame.camera.zone.corners);
    let scale = into.width as f32 / from.width as f32;
    for person in &seen.people {
        let (colour, words) = state(person, shared.board.deed(person.track), shared.settings().looks);
        draw_box(&mut picture, person.rect, scale, colour, &words);
    }

    let mut bytes = Vec::with_capacity(96 * 1024);
    JpegEncoder::new_with_quality(&mut bytes, QUALITY).encode_image(&picture).ok()?;
    Some(bytes.into())
}

/// What is said about somebody, and in which colour. The words name nobody.
fn state(person: &Person, deed: Option<Deed>, wanted: u32) -> (Rgb<u8>, String) {
    match deed {
        _ if !person.in_zone => (GREY, "outside zone".into()),
        Some(Deed::Welcomed) => (GREEN, "welcomed".into()),
        Some(Deed::AlreadyGreeted) => (BLUE, "already greeted".into()),
        Some(Deed::Referred) => (CORAL, "referred · neutral".into()),
        Some(Deed::Doubted) => (CORAL, "looks doubtful".into()),
        Some(Deed::Counted) => (GREY, "not enrolled · counted".into()),
        None => (AMBER, format!("looking {} of {wanted}", person.looks.min(wanted))),
    }
}

fn draw_box(picture: &mut RgbImage, rect: Rect, scale: f32, colour: Rgb<u8>, words: &str) {
    // Far beyond any picture, and far from where sums of positions overflow.
    let pixel = |at: f32| (at * scale).clamp(-16_000.0, 16_000.0) as i32;
    let (left, top) = (pixel(rect.x), pixel(rect.y));
    let (right, bottom) = (pixel(rect.x + rect.width), pixel(rect.y + rect.height));
    fill(picture, left - LINE, top - LINE, right + LINE, top, colour);
    fill(picture, left - LINE, bottom, right + LINE, bottom + LINE, colour);
    fill(picture, left - LINE, top, left, bottom, colour);
    fill(picture, right, top, right + LINE, bottom, colour);

    let (width, height) = (label::width(words) + 12, label::HEIGHT + 2);
    let x = (left - LINE).min(picture.width() as i32 - width).max(0);
    // Above the box; below it where there is no room above.
    let y =
        if top - LINE >= height { top - LINE - height } else { (bottom + LINE).min(picture.height() as i32 - height) };
    fill(picture, x, y, x + width, y + height, colour);
    label::write(picture, x + 6, y + 1, words, Rgb([11, 22, 38]));
}

fn draw_zone(picture: &mut RgbImage, corners: &[[f32; 2]]) {
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    for (i, [x, y]) in corners.iter().enumerate() {
        let [to_x, to_y] = corners[(i + 1) % corners.len()];
        let (from, to) = ((x * width, y * height), (to_x * width, to_y * height));
        let length = (to.0 - from.0).hypot(to.1 - from.1);
        // Dashes of ten pixels, so that an edge of the scene is not taken for the zone's.
        for dash in (0..(length as usize)).step_by(18) {
            let at = |along: f32| {
                let part = (along / length).min(1.0);
                (from.0 + (to.0 - from.0) * part, from.1 + (to.1 - from.1) * part)
            };
            let (a, b) = (at(dash as f32), at(dash as f32 + 10.0));
            draw_line_segment_mut(picture, a, b, TEAL);
            draw_line_segment_mut(picture, (a.0, a.1 + 1.0), (b.0, b.1 + 1.0), TEAL);
        }
    }
}

fn fill(picture: &mut RgbImage, left: i32, top: i32, right: i32, bottom: i32, colour: Rgb<u8>) {
    let (width, height) = (picture.width() as i32, picture.height() as i32);
    for y in top.max(0)..bottom.min(height) {
        for x in left.max(0)..right.min(width) {
            picture.put_pixel(x as u32, y as u32, colour);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::infer::sighting::TrackId;
    use usher_models::{align::TEMPLATE, face::Face};

    fn person(in_zone: bool, looks: u32) -> Person {
        Person {
            track: TrackId(1),
            rect: Rect::default(),
            face: Face { rect: Rect::default(), landmarks: TEMPLATE, confidence: 0.9 },
            quality: None,
            in_zone,
            looks,
        }
    }

    #[test]
    fn every_state_is_said_in_words_and_colour() {
        let said = |deed| state(&person(true, 9), deed, 3);
        assert_eq!(said(None), (AMBER, "looking 3 of 3".into()));
        assert_eq!(said(Some(Deed::Welcomed)), (GREEN, "welcomed".into()));
        assert_eq!(said(Some(Deed::AlreadyGreeted)), (BLUE, "already greeted".into()));
        assert_eq!(said(Some(Deed::Referred)), (CORAL, "referred · neutral".into()));
        assert_eq!(said(Some(Deed::Counted)), (GREY, "not enrolled · counted".into()));
        assert_eq!(state(&person(false, 0), None, 3).1, "outside zone");
    }

    #[test]
    fn a_box_over_the_edge_is_drawn_as_far_as_there_is_a_picture() {
        let mut picture = RgbImage::new(64, 48);
        for rect in [
            Rect { x: -30.0, y: -30.0, width: 50.0, height: 50.0 },
            Rect { x: 50.0, y: 40.0, width: 500.0, height: 500.0 },
            Rect { x: f32::NAN, y: 1e9, width: 1.0, height: f32::INFINITY },
        ] {
            draw_box(&mut picture, rect, 1.0, GREEN, "looking 2 of 3");
        }
        assert_eq!(*picture.get_pixel(20, 5), GREEN);
    }

    #[test]
    fn a_zone_is_drawn_from_corner_to_corner() {
        let mut picture = RgbImage::new(64, 48);
        draw_zone(&mut picture, &[[0.0, 0.5], [1.0, 0.5], [1.0, 1.0]]);
        assert_eq!(*picture.get_pixel(3, 24), TEAL);
        draw_zone(&mut picture, &[[0.5, 0.5]]);
    }
}
