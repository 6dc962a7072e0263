//! People who carry a code that says who they are: the truth of a picture is in the picture.
//!
//! Below the chin of each person's picture a marker is painted, inside what a gate sends to the screens as their face. Who was
//! in the frame that a decision was made of can so be read from what was published, whatever camera, wire and decoder did on the
//! way, and without anything that knows faces. Markers are as those of Garrido-Jurado et al. 2014 (ArUco): sixteen cells in a dark
//! square; a wrong cell is made good, more are no marker.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use crate::gate::pictures;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use image::{GrayImage, Rgb, RgbImage, imageops};
use imageproc::{
    contrast::adaptive_threshold,
    region_labelling::{Connectivity, connected_components},
};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};
use usher::capture::stills::Stills;
use usher_config::crowd::{Crowd, Person};
use usher_models::{image::Rect, resample::rgb8};

/// The side of a marker with its white, in face heights; it begins at the chin. A portrait reaches 0.5 to 0.6 below it, by what the
/// detector takes for the face.
const SIDE: f32 = 0.48;
/// Cells across a marker: white, dark, four of its word, dark, white.
const CELLS: u32 = 8;
/// Words of markers, by the person's place in the crowd; a light cell is one, rows from the top, the first cell the highest bit.
const WORDS: [u16; 4] = [0xb532, 0x0f9a, 0x332d, 0x549e];
/// Frames a second of a coded crowd.
pub(crate) const FPS: u32 = 10;

/// Paints their codes on these people, and writes pictures and crowd file into `folder`; one look of each, who walk up without end.
pub(crate) fn write_coded_crowd(folder: &Path, people: &[Person]) -> PathBuf {
    let mut crowd = format!(
        "seed: 5\nwidth: 1280\nheight: 720\nfps: {FPS}\npictures: .\ntogether: 2\nlooped: true\n\
         changes: {{ scale: 0.1, blur_px: 0.4, tilt_deg: 5, quality: 80 }}\n\
         walk: {{ approach_s: 1, pause_least_s: 2.5, pause_most_s: 2.5, leave_s: 0.3, gap_s: 0.2 }}\npeople:\n"
    );
    for (person, word) in people.iter().zip(WORDS) {
        let look = &person.looks[0];
        let mut picture = image::open(pictures().unwrap().join(&look.picture)).unwrap().into_rgb8();
        let [x, y, width, height] = look.face;
        let cell = (SIDE * height / CELLS as f32).round() as u32;
        let left = x + (width - (cell * CELLS) as f32) / 2.0;
        imageops::overlay(&mut picture, &marker(word, cell), left as i64, (y + 0.97 * height) as i64);
        let file = format!("{}.png", person.who);
        picture.save(folder.join(&file)).unwrap();
        crowd += &format!(
            "- who: {}\n  looks:\n  - {{ picture: {file}, face: {:?}, eyes: {:?} }}\n",
            person.who, look.face, look.eyes
        );
    }
    let path = folder.join("crowd.yaml");
    std::fs::write(&path, crowd).unwrap();
    path
}

/// Draws one round of a crowd as JPEG files `00000.jpg`… into `folder`; how many.
pub(crate) fn film(crowd: &Path, folder: &Path) -> u32 {
    let mut read = Crowd::read(crowd).unwrap();
    read.looped = false;
    let mut stills = Stills::of(&read, crowd.parent().unwrap()).unwrap();
    let mut frames = 0;
    while let Some((picture, _)) = stills.frame_at(stills.next_pts()) {
        let view = picture.view();
        let whole = Rect { x: 0.0, y: 0.0, width: view.size.width as f32, height: view.size.height as f32 };
        let rgb = rgb8(&view, whole, view.size);
        let rgb = RgbImage::from_raw(view.size.width, view.size.height, rgb).unwrap();
        let file = std::fs::File::create(folder.join(format!("{frames:05}.jpg"))).unwrap();
        image::codecs::jpeg::JpegEncoder::new_with_quality(file, 92).encode_image(&rgb).unwrap();
        stills.prepare();
        frames += 1;
    }
    frames
}

/// A marker with its white, each cell so many pixels wide.
fn marker(word: u16, cell: u32) -> RgbImage {
    let is_light = |x: u32, y: u32| {
        let is_within = |at: u32, margin: u32| (margin..CELLS - margin).contains(&at);
        let in_word = is_within(x, 2) && is_within(y, 2);
        !(is_within(x, 1) && is_within(y, 1)) || (in_word && word >> (15 - (4 * (y - 2) + x - 2)) & 1 == 1)
    };
    RgbImage::from_fn(CELLS * cell, CELLS * cell, |x, y| {
        Rgb(if is_light(x / cell, y / cell) { [235; 3] } else { [16; 3] })
    })
}

/// Whose marker is in a picture, by place in the crowd.
fn read(jpeg: &[u8]) -> Vec<usize> {
    let picture = image::load_from_memory(jpeg).unwrap().into_luma8();
    let mut dark = adaptive_threshold(&picture, 24, 10);
    imageops::invert(&mut dark);
    let labels = connected_components(&dark, Connectivity::Four, image::Luma([0]));
    // Of each dark region the corners: the pixels furthest along both diagonals.
    let mut corners: BTreeMap<u32, [(i64, i64); 4]> = BTreeMap::new();
    for (x, y, label) in labels.enumerate_pixels().filter(|(.., label)| label.0[0] > 0) {
        let at = (i64::from(x), i64::from(y));
        let of = corners.entry(label.0[0]).or_insert([at; 4]);
        let along: [fn((i64, i64)) -> i64; 4] = [|(x, y)| -x - y, |(x, y)| x - y, |(x, y)| x + y, |(x, y)| y - x];
        for (corner, along) in of.iter_mut().zip(along) {
            if along(at) > along(*corner) {
                *corner = at;
            }
        }
    }
    corners.values().filter_map(|corners| word_within(&picture, corners)).filter_map(whose).collect()
}

/// The word of the dark square with these corners (clockwise from the top left); `None` where it is none.
fn word_within(picture: &GrayImage, [a, b, c, d]: &[(i64, i64); 4]) -> Option<u16> {
    let long = |(x1, y1): (i64, i64), (x2, y2): (i64, i64)| ((x1 - x2) as f32).hypot((y1 - y2) as f32);
    let sides = [long(*a, *b), long(*b, *c), long(*c, *d), long(*d, *a)];
    let (least, most) = (sides.iter().copied().fold(f32::MAX, f32::min), sides.iter().copied().fold(0.0, f32::max));
    if least < 18.0 || most > 1.4 * least {
        return None;
    }
    let inner = CELLS - 2;
    let mut cells = Vec::new();
    for (row, column) in (0..inner).flat_map(|row| (0..inner).map(move |column| (row, column))) {
        let (u, v) = ((column as f32 + 0.5) / inner as f32, (row as f32 + 0.5) / inner as f32);
        let mix = |of: fn((i64, i64)) -> i64| {
            let [a, b, c, d] = [*a, *b, *c, *d].map(|corner| of(corner) as f32);
            ((1.0 - v) * ((1.0 - u) * a + u * b) + v * ((1.0 - u) * d + u * c)).round() as u32
        };
        cells.push(picture.get_pixel_checked(mix(|(x, _)| x), mix(|(_, y)| y))?.0[0]);
    }
    let (darkest, lightest) = (*cells.iter().min()?, *cells.iter().max()?);
    let is_light = |row: u32, column: u32| {
        u16::from(cells[(inner * row + column) as usize]) * 2 > u16::from(darkest) + u16::from(lightest)
    };
    let last = inner - 1;
    let is_framed =
        (0..inner).all(|at| !is_light(0, at) && !is_light(last, at) && !is_light(at, 0) && !is_light(at, last));
    let bits = (1..last).flat_map(|row| (1..last).map(move |column| (row, column)));
    (is_framed && lightest - darkest > 60)
        .then(|| bits.fold(0, |word, (row, column)| word << 1 | u16::from(is_light(row, column))))
}

/// Whose word it is, with one cell wrong at most.
fn whose(word: u16) -> Option<usize> {
    WORDS.iter().position(|known| (known ^ word).count_ones() <= 1)
}

/// What was decided and what was true, so far.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    /// Visits, and whose they are by name.
    decided: BTreeMap<String, String>,
    /// Visits' faces: who the codes say is there.
    shown: BTreeMap<String, Vec<String>>,
    /// Everybody in the crowd, by place.
    people: Vec<String>,
    /// Messages that were heard before.
    heard: usize,
}

impl Truth {
    /// Before anything was heard, of this crowd.
    pub(crate) fn of(people: &[Person]) -> Self {
        let apart = |a: &u16, b: &u16| (a ^ b).count_ones();
        assert!(
            WORDS.iter().all(|a| WORDS.iter().all(|b| a == b || apart(a, b) > 3)),
            "one wrong cell makes nobody another"
        );
        Self { people: people.iter().map(|person| person.who.clone()).collect(), ..Self::default() }
    }

    /// Takes up what was heard since; `known` says whose ids are whose.
    pub(crate) fn hear(&mut self, heard: &[(String, Vec<u8>)], known: &BTreeMap<String, String>) {
        for (topic, body) in &heard[self.heard..] {
            let event = || serde_json::from_slice::<Value>(body).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            if topic.ends_with("/face") {
                let event = event();
                let face = STANDARD.decode(event["data_base64"].as_str().unwrap()).unwrap();
                let there = read(&face).into_iter().map(|place| self.people[place].clone()).collect();
                self.shown.insert(text(&event["subject"]), there);
            } else if topic.ends_with("/visit") {
                let event = event();
                let named = known.get(event["data"]["visitor"].as_str().unwrap());
                self.decided.insert(text(&event["id"]), named.cloned().unwrap_or_else(|| "nobody who enrolled".into()));
            }
        }
        self.heard = heard.len();
    }

    /// Visits decided.
    pub(crate) fn decided(&self) -> usize {
        self.decided.len()
    }

    /// Visits whose face was published.
    pub(crate) fn shown(&self) -> usize {
        self.decided.keys().filter(|visit| self.shown.contains_key(*visit)).count()
    }

    /// Visits of whose face the code can be read: who was named, and who was there.
    pub(crate) fn read(&self) -> Vec<(&str, &[String])> {
        self.decided
            .iter()
            .filter_map(|(visit, named)| Some((named.as_str(), self.shown.get(visit)?.as_slice())))
            .filter(|(_, there)| !there.is_empty())
            .collect()
    }

    /// By person: decisions that their own code bears out.
    pub(crate) fn right(&self) -> BTreeMap<&str, usize> {
        let mut right = BTreeMap::new();
        for (named, _) in self.read().into_iter().filter(|(named, there)| there.iter().any(|who| who == named)) {
            *right.entry(named).or_default() += 1;
        }
        right
    }

    /// Who was named, and whose codes were there instead.
    pub(crate) fn wrong(&self) -> Vec<(&str, &[String])> {
        self.read().into_iter().filter(|(named, there)| !there.iter().any(|who| who == named)).collect()
    }
}
