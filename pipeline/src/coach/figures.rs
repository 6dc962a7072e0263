//! The figures of a camera: the medians of its walks, and how its stream came. They are kept for a second run, so they hold
//! no picture, no template and no time of day.

use crate::coach::walk::{Movement, Walk, median};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use usher_models::{image::Size, quality::Quality};

/// Movements of fewer frames say nothing about motion blur.
const FEWEST_MOVEMENTS: usize = 18;
/// A face that moves by less than this many inter-eye distances a second is as good as still.
const SLOW: f32 = 0.5;

/// How frames came.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stream {
    /// Width of the picture, pixels.
    pub width: u32,
    /// Height of the picture, pixels.
    pub height: u32,
    /// How long it was watched, seconds.
    pub seconds: f32,
    /// Frames a second that came.
    pub fps: f32,
    /// Share of the frames that were missing between others, 0..=1.
    pub missing: f32,
    /// Times that the camera was lost.
    pub faults: u32,
}

/// Frames as they come, to be counted.
#[derive(Clone, Debug, Default)]
pub struct Arrivals {
    size: Option<Size>,
    /// Stream times of frames, at most [`MOST_ARRIVALS`].
    times: Vec<Duration>,
    /// Frames that were not taken from their seat since a newer one came.
    pub passed_over: u64,
    /// Times that the camera was lost.
    pub faults: u32,
}

/// Times kept: ten minutes at sixty a second.
const MOST_ARRIVALS: usize = 36_000;

impl Arrivals {
    /// A frame of `size` came, with the stream's own time `pts`.
    pub fn came(&mut self, size: Size, pts: Duration) {
        self.size = Some(size);
        if self.times.len() < MOST_ARRIVALS {
            self.times.push(pts);
        }
    }

    /// What is to be said of them.
    pub fn stream(&self) -> Stream {
        let size = self.size.unwrap_or(Size { width: 0, height: 0 });
        let mut steps: Vec<f32> =
            self.times.windows(2).map(|two| two[1].saturating_sub(two[0]).as_secs_f32()).collect();
        steps.retain(|step| *step > 0.0);
        let seconds: f32 = steps.iter().sum();
        steps.sort_by(f32::total_cmp);
        // Frames that were passed over here did come: they are no gap of the stream.
        let came = steps.len() as f32 + self.passed_over as f32;
        let usual = steps.get(steps.len() / 2).copied().unwrap_or(0.0);
        let gaps = steps.iter().map(|step| if usual > 0.0 { (step / usual).round() - 1.0 } else { 0.0 });
        let missing = (gaps.sum::<f32>() - self.passed_over as f32).max(0.0);
        Stream {
            width: size.width,
            height: size.height,
            seconds,
            fps: if seconds > 0.0 { came / seconds } else { 0.0 },
            missing: if came > 0.0 { missing / (came + missing) } else { 0.0 },
            faults: self.faults,
        }
    }
}

/// What edges do when faces move.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Smear {
    /// Sharpness of the third of the frames in which faces moved least, 0..=1.
    pub still: f32,
    /// Sharpness of the third in which they moved most.
    pub moving: f32,
    /// Share of the edges along the way that moving costs, over what it costs across the way; 0 = none.
    pub share: f32,
    /// How fast the faces of that third moved, inter-eye distances a second.
    pub speed: f32,
}

/// A camera's figures: medians over its walks.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Figures {
    /// Walks measured.
    pub walks: u32,
    /// How frames came; `None`: not measured.
    pub stream: Option<Stream>,
    /// What was measured of the walks; `None`: nobody walked.
    pub faces: Option<Faces>,
}

/// The medians.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Faces {
    /// Distance between the eyes when a face is first found, frame pixels.
    pub first_px: f32,
    /// The same at the line.
    pub line_px: f32,
    /// The largest.
    pub largest_px: f32,
    /// Looks that a gate could take of one walk.
    pub looks: f32,
    /// From the first of them to the last, seconds.
    pub usable_s: f32,
    /// Where heads are turned at the line, degrees; positive: towards the right of the picture.
    pub yaw_deg: f32,
    /// Negative: seen from above.
    pub pitch_deg: f32,
    /// Luminance mean, 0..=1.
    pub luminance_mean: f32,
    /// 1 less the share of nearly black pixels.
    pub under_exposure_prevention: f32,
    /// 1 less the share of burnt-out pixels.
    pub over_exposure_prevention: f32,
    /// Entropy of the luma, of 8 bits.
    pub dynamic_range: f32,
    /// 1 = both cheeks have the same light.
    pub illumination_uniformity: f32,
    /// Sharpness, 0..=1.
    pub sharpness: f32,
    /// The fastest tenth of the speeds, inter-eye distances a second.
    pub speed: f32,
    /// Motion blur; `None`: too little movement to tell.
    pub smear: Option<Smear>,
}

impl Figures {
    /// Of these walks and frames.
    pub fn of(walks: &[Walk], stream: Option<Stream>) -> Self {
        Self { walks: walks.len() as u32, stream, faces: Faces::of(walks) }
    }
}

impl Faces {
    fn of(walks: &[Walk]) -> Option<Self> {
        let of = |value: fn(&Walk) -> f32| median(walks.iter().map(value));
        let pixels =
            |value: fn(&Quality) -> f32| median(walks.iter().filter_map(|walk| walk.quality.as_ref().map(value)));
        let movements: Vec<Movement> = walks.iter().flat_map(|walk| walk.movements.iter().copied()).collect();
        Some(Self {
            first_px: of(|walk| walk.first_px)?,
            line_px: of(|walk| walk.line_px)?,
            largest_px: of(|walk| walk.largest_px)?,
            looks: of(|walk| walk.looks as f32)?,
            usable_s: of(|walk| walk.usable.as_secs_f32())?,
            yaw_deg: of(|walk| walk.head.yaw_deg)?,
            pitch_deg: of(|walk| walk.head.pitch_deg)?,
            luminance_mean: pixels(|q| q.exposure.luminance_mean)?,
            under_exposure_prevention: pixels(|q| q.exposure.under_exposure_prevention)?,
            over_exposure_prevention: pixels(|q| q.exposure.over_exposure_prevention)?,
            dynamic_range: pixels(|q| q.exposure.dynamic_range)?,
            illumination_uniformity: pixels(|q| q.illumination_uniformity)?,
            sharpness: pixels(|q| q.sharpness)?,
            speed: of(|walk| walk.speed_px / walk.line_px.max(1.0))?,
            smear: smear(movements),
        })
    }
}

/// Motion blur costs edges along the way and leaves those across it; whatever else softens a picture costs both. So the
/// ratio of the two is held against itself, between frames in which faces hardly moved and those in which they moved most.
fn smear(mut movements: Vec<Movement>) -> Option<Smear> {
    if movements.len() < FEWEST_MOVEMENTS {
        return None;
    }
    movements.sort_by(|a, b| a.speed.total_cmp(&b.speed));
    let third = movements.len() / 3;
    let (still, moving) = (&movements[..third], &movements[movements.len() - third..]);
    let of = |part: &[Movement], value: fn(&Movement) -> f32| median(part.iter().map(value));
    let speed = of(moving, |m| m.speed)?;
    if speed < SLOW.max(2.0 * of(still, |m| m.speed)?) {
        return None;
    }
    let ratio = |m: &Movement| contrast(m.along) / contrast(m.across).max(0.01);
    let kept = of(moving, ratio)? / of(still, ratio)?.max(0.01);
    Some(Smear {
        still: of(still, |m| m.sharpness)?,
        moving: of(moving, |m| m.sharpness)?,
        share: 1.0 - kept.min(1.0),
        speed,
    })
}

/// A share σ / (σ + 5) as the σ it came from, in fives, so that a ratio is one of contrasts.
fn contrast(share: f32) -> f32 {
    share / (1.0 - share).max(0.01)
}
