//! One walk: what the camera showed of one face from its first glimpse to its last.

use crate::infer::{best, sighting::TrackId};
use std::{collections::BTreeMap, time::Duration};
use usher_models::{
    face::Face,
    image::Size,
    quality::{Head, Quality},
};

/// A walk is over when its face was not seen for this long, as for the gate's tracker.
const OVER: Duration = crate::infer::track::PATIENCE;
/// How long before its end a walker is at the line.
const AT_THE_LINE: Duration = Duration::from_secs(1);
/// A face seen for less than this walked nowhere: a poster, a glimpse between two heads.
const SHORTEST: Duration = Duration::from_millis(400);
/// Glimpses kept of one walk: a minute and more; who stays longer is not walking.
const MOST: usize = 2000;
/// Part of the size at the line from which on edges are worth comparing.
const LARGE_ENOUGH: f32 = 0.6;

/// What one frame shows of one followed face.
#[derive(Clone, Copy, Debug)]
pub struct Glimpse {
    /// Whose.
    pub track: TrackId,
    /// The frame's own time.
    pub at: Duration,
    /// The face in frame pixels.
    pub face: Face,
    /// Size of the frame.
    pub size: Size,
    /// Whether it is in the opt-in zone.
    pub is_in_zone: bool,
    /// What was measured of its pixels, if they were looked at.
    pub quality: Option<Quality>,
}

/// What makes a look one that the gate would take.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Wanted {
    /// Least distance between the eyes, pixels (`infer.inter_eye_px`).
    pub inter_eye_px: f32,
    /// Least time between two looks (`rules.apart`).
    pub apart: Duration,
    /// Looks that a name wants (`rules.looks`).
    pub looks: u32,
}

impl Wanted {
    /// As configured.
    pub fn of(config: &usher_config::Config) -> Self {
        let rules = &config.rules;
        Self { inter_eye_px: config.infer.inter_eye_px, apart: rules.apart, looks: rules.looks }
    }
}

/// How much a face moved between frames, and how sharp it was along its way and across.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Movement {
    /// Inter-eye distances a second.
    pub speed: f32,
    /// Sharpness along the way, 0..=1.
    pub along: f32,
    /// Sharpness across it.
    pub across: f32,
    /// Sharpness in all directions.
    pub sharpness: f32,
}

/// The figures of one walk.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// First glimpse, in the frames' own time.
    pub from: Duration,
    /// Last glimpse.
    pub to: Duration,
    /// Distance between the eyes when the face was first found, pixels.
    pub first_px: f32,
    /// The same at the line: the median over the last second in which the face was whole and in the opt-in zone.
    pub line_px: f32,
    /// The largest.
    pub largest_px: f32,
    /// Looks that the gate could take, as far apart as its rules want.
    pub looks: u32,
    /// From the first of them to the last.
    pub usable: Duration,
    /// Where the head is turned at the line, medians.
    pub head: Head,
    /// What was measured at the line, medians; `None`: no pixel of this walk was looked at.
    pub quality: Option<Quality>,
    /// Fastest tenth of its speeds, frame pixels a second.
    pub speed_px: f32,
    /// Frame by frame.
    pub movements: Vec<Movement>,
}

/// Walks that go on.
#[derive(Default)]
pub struct Walking {
    tracks: BTreeMap<TrackId, Vec<Glimpse>>,
}

impl Walking {
    /// Takes in a glimpse.
    pub fn see(&mut self, glimpse: Glimpse) {
        let glimpses = self.tracks.entry(glimpse.track).or_default();
        if glimpses.len() < MOST {
            glimpses.push(glimpse);
        }
    }

    /// The walks that are over at `now`.
    pub fn over(&mut self, now: Duration, wanted: &Wanted) -> Vec<Walk> {
        let is_over = |glimpses: &[Glimpse]| glimpses.last().is_none_or(|last| now.saturating_sub(last.at) > OVER);
        let over = self.tracks.extract_if(.., |_, glimpses| is_over(glimpses));
        over.filter_map(|(_, glimpses)| Walk::of(&glimpses, wanted)).collect()
    }

    /// All that are left: no frame will come.
    pub fn end(&mut self, wanted: &Wanted) -> Vec<Walk> {
        std::mem::take(&mut self.tracks).values().filter_map(|glimpses| Walk::of(glimpses, wanted)).collect()
    }
}

impl Walk {
    /// The figures of a walk of these glimpses, in the order of time; `None` where there was none to speak of.
    pub fn of(glimpses: &[Glimpse], wanted: &Wanted) -> Option<Self> {
        let (first, last) = (glimpses.first()?, glimpses.last()?);
        if last.at.saturating_sub(first.at) < SHORTEST {
            return None;
        }
        let is_there = |glimpse: &&Glimpse| glimpse.is_in_zone && best::is_whole(&glimpse.face, glimpse.size);
        let there: Vec<&Glimpse> = glimpses.iter().filter(is_there).collect();
        let end = there.last()?.at;
        let line: Vec<&Glimpse> =
            there.iter().copied().filter(|glimpse| end.saturating_sub(glimpse.at) <= AT_THE_LINE).collect();
        let eyes = |glimpse: &&Glimpse| glimpse.face.inter_eye_px();
        let line_px = median(line.iter().map(eyes))?;
        let heads: Vec<Head> = line.iter().map(|glimpse| Head::of(&glimpse.face)).collect();
        let of_heads = |of: fn(&Head) -> f32| median(heads.iter().map(of)).unwrap_or(0.0);
        let looks = looks(&there, wanted);
        let mut speeds: Vec<f32> = moves(glimpses).map(|(_, speed, _)| speed).collect();
        speeds.sort_by(f32::total_cmp);
        Some(Self {
            from: first.at,
            to: last.at,
            first_px: first.face.inter_eye_px(),
            line_px,
            largest_px: there.iter().map(eyes).fold(0.0, f32::max),
            looks: looks.len() as u32,
            usable: looks.last().zip(looks.first()).map_or(Duration::ZERO, |(last, first)| *last - *first),
            head: Head {
                yaw_deg: of_heads(|head| head.yaw_deg),
                pitch_deg: of_heads(|head| head.pitch_deg),
                roll_deg: of_heads(|head| head.roll_deg),
            },
            quality: typical(&line).or_else(|| typical(&there)),
            speed_px: speeds.get(speeds.len() * 9 / 10).copied().unwrap_or(0.0),
            movements: movements(glimpses, LARGE_ENOUGH * line_px),
        })
    }
}

/// When the gate would take looks.
fn looks(there: &[&Glimpse], wanted: &Wanted) -> Vec<Duration> {
    let mut taken: Vec<Duration> = Vec::new();
    for glimpse in there {
        let is_due = taken.last().is_none_or(|last| glimpse.at.saturating_sub(*last) >= wanted.apart);
        let is_large = glimpse.face.inter_eye_px() >= wanted.inter_eye_px;
        // Where nobody looked at the pixels, the gate had done with the face: it was good enough.
        let is_clear = glimpse.quality.is_none_or(|quality| best::is_clear(&quality).is_ok());
        if is_due && is_large && is_clear {
            taken.push(glimpse.at);
        }
    }
    taken
}

/// Medians of what was measured.
fn typical(glimpses: &[&Glimpse]) -> Option<Quality> {
    let measured: Vec<Quality> = glimpses.iter().filter_map(|glimpse| glimpse.quality).collect();
    let of = |value: fn(&Quality) -> f32| median(measured.iter().map(value));
    let mut typical = Quality {
        confidence: of(|q| q.confidence)?,
        inter_eye_px: of(|q| q.inter_eye_px)?,
        pose: of(|q| q.pose)?,
        sharpness: of(|q| q.sharpness)?,
        sharpness_sideways: of(|q| q.sharpness_sideways)?,
        sharpness_upright: of(|q| q.sharpness_upright)?,
        illumination_uniformity: of(|q| q.illumination_uniformity)?,
        eyes_visible: of(|q| q.eyes_visible)?,
        mouth_occlusion_prevention: of(|q| q.mouth_occlusion_prevention)?,
        ..Quality::default()
    };
    typical.exposure.luminance_mean = of(|q| q.exposure.luminance_mean)?;
    typical.exposure.under_exposure_prevention = of(|q| q.exposure.under_exposure_prevention)?;
    typical.exposure.over_exposure_prevention = of(|q| q.exposure.over_exposure_prevention)?;
    typical.exposure.dynamic_range = of(|q| q.exposure.dynamic_range)?;
    Some(typical)
}

/// Every glimpse with a neighbour on both sides: its speed in frame pixels a second, and its direction.
fn moves(glimpses: &[Glimpse]) -> impl Iterator<Item = (&Glimpse, f32, (f32, f32))> {
    glimpses.windows(3).filter_map(|three| {
        let (before, after) = (&three[0], &three[2]);
        let seconds = after.at.saturating_sub(before.at).as_secs_f32();
        let (from, to) = (before.face.rect.centre(), after.face.rect.centre());
        let (dx, dy) = (to.x - from.x, to.y - from.y);
        let way = dx.hypot(dy);
        (seconds > 0.0).then(|| {
            let direction = if way > 0.0 { (dx / way, dy / way) } else { (1.0, 0.0) };
            (&three[1], way / seconds, direction)
        })
    })
}

fn movements(glimpses: &[Glimpse], least_px: f32) -> Vec<Movement> {
    let movement = |(glimpse, speed, (dx, dy)): (&Glimpse, f32, (f32, f32))| {
        let (quality, eyes) = (glimpse.quality?, glimpse.face.inter_eye_px());
        let (sideways, upright) = (quality.sharpness_sideways, quality.sharpness_upright);
        let (dx, dy) = (dx * dx, dy * dy);
        (eyes >= least_px.max(1.0)).then(|| Movement {
            speed: speed / eyes,
            along: dx * sideways + dy * upright,
            across: dx * upright + dy * sideways,
            sharpness: quality.sharpness,
        })
    };
    moves(glimpses).filter_map(movement).collect()
}

/// The middle value; `None` of nothing.
pub(super) fn median(values: impl Iterator<Item = f32>) -> Option<f32> {
    let mut values: Vec<f32> = values.filter(|value| value.is_finite()).collect();
    values.sort_by(f32::total_cmp);
    values.get(values.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_models::{
        align::TEMPLATE,
        image::{Point, Rect},
    };

    const WANTED: Wanted = Wanted { inter_eye_px: 20.0, apart: Duration::from_millis(80), looks: 3 };

    /// A face whose eyes are `eyes` apart, its middle at `x`, `at` milliseconds.
    fn glimpse(at: u64, x: f32, eyes: f32) -> Glimpse {
        let scale = eyes / (TEMPLATE[1].x - TEMPLATE[0].x);
        let place = |p: Point| Point { x: x + (p.x - 56.0) * scale, y: 300.0 + (p.y - 72.0) * scale };
        let rect = Rect { x: x - eyes, y: 300.0 - eyes, width: 2.0 * eyes, height: 2.5 * eyes };
        let face = Face { rect, landmarks: TEMPLATE.map(place), confidence: 0.9 };
        let quality = Quality { pose: 0.9, sharpness: 0.5, ..Quality::NOTHING };
        let size = Size { width: 1280, height: 720 };
        let at = Duration::from_millis(at);
        Glimpse { track: TrackId(1), at, face, size, is_in_zone: true, quality: Some(quality) }
    }

    #[test]
    fn a_walk_is_measured_from_its_first_glimpse_to_the_line() {
        let glimpses: Vec<Glimpse> = (0..60).map(|n| glimpse(n * 67, 640.0, (10.0 + n as f32).min(50.0))).collect();
        let walk = Walk::of(&glimpses, &WANTED).unwrap();
        assert_eq!((walk.first_px.round(), walk.line_px.round(), walk.largest_px.round()), (10.0, 50.0, 50.0));
        // From 20 pixels on, every second frame: looks are 80 ms apart and frames 67.
        assert_eq!(walk.looks, 25);
        assert!(walk.usable > Duration::from_secs(3), "{:?}", walk.usable);
    }

    #[test]
    fn whoever_leaves_the_picture_is_measured_where_the_face_was_whole() {
        let glimpses: Vec<Glimpse> = (0..40).map(|n| glimpse(n * 67, 1000.0 + 12.0 * n as f32, 50.0)).collect();
        let walk = Walk::of(&glimpses, &WANTED).unwrap();
        assert!((walk.line_px - 50.0).abs() < 1.0 && walk.speed_px > 150.0, "{walk:?}");
        let outside: Vec<Glimpse> = glimpses.iter().map(|of| Glimpse { is_in_zone: false, ..*of }).collect();
        assert_eq!(Walk::of(&outside, &WANTED), None, "nobody is measured outside the opt-in zone");
    }

    #[test]
    fn a_walk_is_over_when_the_face_is_gone() {
        let mut walking = Walking::default();
        (0..20).for_each(|n| walking.see(glimpse(n * 67, 640.0, 40.0)));
        assert!(walking.over(Duration::from_millis(2000), &WANTED).is_empty());
        assert_eq!(walking.over(Duration::from_millis(3000), &WANTED).len(), 1);
        walking.see(glimpse(5000, 640.0, 40.0));
        assert!(walking.end(&WANTED).is_empty(), "one glimpse is no walk");
    }
}
