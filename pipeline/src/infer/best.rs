//! The choice of looks: which faces of a frame are worth embedding.
//!
//! Embedding is the dear step (about as much as detecting a whole frame), so it is spent where it can change what is
//! known: quickly on a new face until it can be decided, then seldom, then only on a clearly better look, and never once
//! identify has settled the name.

use crate::{
    clock::Moment,
    infer::sighting::{Portrait, Settled},
};
use std::time::Duration;
use usher_config::Config;
use usher_models::{face::Face, image::Size, quality::Quality};

/// Looks taken as fast as they come: three over 250 ms decide most tracks, and whoever is in doubt then is not kept
/// waiting for the looks that settle it.
const EAGER: u32 = 6;
/// Time between looks after that.
const RELAXED: Duration = Duration::from_millis(400);
/// Looks after which only a better one is taken.
const ENOUGH: u32 = 8;
/// Time between looks after that.
const SELDOM: Duration = Duration::from_millis(1000);
/// How much better such a look must be.
const CLEARLY_BETTER: f32 = 1.2;
/// Least pose and sharpness of a look. Below, SFace's score of a mated pair falls into the range of strangers.
const LEAST_POSE: f32 = 0.35;
const LEAST_SHARPNESS: f32 = 0.15;

/// Judgements of liveness that a track may cost. Identify wants five; whoever is in doubt then gets as many again, not more.
const MOST_JUDGED: u32 = 12;

/// How much larger than the rule a face must be for its first look. Landmarks of small faces jitter by a tenth: a face at
/// the very limit would be looked at, then not, and be decided late on little.
const BEGIN: f32 = 1.15;

/// What has been looked at of one track.
#[derive(Clone, Debug, Default)]
pub struct Looks {
    /// Looks so far.
    pub count: u32,
    /// The best look's picture.
    pub portrait: Portrait,
    /// Whether the name is settled, as identify says.
    pub settled: Settled,
    /// When a settled track was last told to be there.
    told: Option<Moment>,
    first: Option<Moment>,
    last: Option<Moment>,
    best: f32,
    /// Judgements of liveness so far, and when the last one was.
    judged: u32,
    judged_last: Option<Moment>,
}

/// What a look must be at least.
#[derive(Clone, Copy, Debug)]
pub struct Bar {
    /// Least distance between the eyes, frame pixels.
    pub inter_eye_px: f32,
    /// Least time between two looks.
    pub apart: Duration,
    /// Looks that a name wants.
    pub looks: u32,
    /// Least time from the first to the last of them.
    pub over: Duration,
}

impl Bar {
    /// As sections `infer` and `rules` say.
    pub fn of(config: &Config) -> Self {
        let rules = &config.rules;
        Self { inter_eye_px: config.infer.inter_eye_px, apart: rules.apart, looks: rules.looks, over: rules.over }
    }
}

/// Why a face was not looked at; a reason label of the `usher_skipped_total` counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passed {
    /// Eyes too close together.
    Small,
    /// Reaches over the edge of the frame.
    Cut,
    /// Turned away.
    Turned,
    /// Blurred.
    Blurred,
    /// Looked at a moment ago, or often enough.
    Enough,
}

impl Passed {
    /// The label.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Small => "face_too_small",
            Self::Cut => "face_cut_off",
            Self::Turned => "face_turned",
            Self::Blurred => "face_blurred",
            Self::Enough => "seen_enough",
        }
    }
}

impl Looks {
    /// Whether a look at `face` in a frame of `size` is due, as far as its box tells; before any pixel is read.
    ///
    /// # Errors
    /// Why not.
    pub fn is_due(&self, face: &Face, size: Size, at: Moment, bar: &Bar) -> Result<(), Passed> {
        let least = if self.count == 0 { BEGIN * bar.inter_eye_px } else { bar.inter_eye_px };
        if face.inter_eye_px() < least {
            return Err(Passed::Small);
        }
        if !is_whole(face, size) {
            return Err(Passed::Cut);
        }
        if self.settled.is_settled() {
            return Err(Passed::Enough);
        }
        // The look that completes the rule's number could decide nothing before the rule's time is over.
        let completes = self.count > 0 && self.count + 1 == bar.looks;
        if completes && self.first.is_some_and(|first| at.since(first) < bar.over) {
            return Err(Passed::Enough);
        }
        let rest = match self.count {
            0..EAGER => bar.apart,
            EAGER..ENOUGH => RELAXED.max(bar.apart),
            _ => SELDOM.max(bar.apart),
        };
        match self.last {
            Some(last) if at.since(last) < rest => Err(Passed::Enough),
            _ => Ok(()),
        }
    }

    /// Whether the liveness of `face` is to be judged, as far as its box tells: identify has asked for it, it was not a
    /// moment ago, and not often enough.
    pub fn is_to_judge(&self, face: &Face, size: Size, at: Moment, bar: &Bar) -> bool {
        self.settled.is_claimed()
            && self.judged < MOST_JUDGED
            && self.judged_last.is_none_or(|last| at.since(last) >= bar.apart)
            && face.inter_eye_px() >= bar.inter_eye_px
            && is_whole(face, size)
    }

    /// Notes a judgement of liveness.
    pub fn judge(&mut self, at: Moment) {
        self.judged += 1;
        self.judged_last = Some(at);
    }

    /// Whether a look of this quality is worth its embedding.
    ///
    /// # Errors
    /// Why not.
    pub fn is_worth(&self, quality: &Quality) -> Result<(), Passed> {
        is_clear(quality)?;
        if self.count >= ENOUGH && quality.weight() < CLEARLY_BETTER * self.best {
            return Err(Passed::Enough);
        }
        Ok(())
    }

    /// Whether a look of this quality would be the best so far.
    pub fn is_best(&self, quality: &Quality) -> bool {
        self.count == 0 || quality.weight() > self.best
    }

    /// Notes a look.
    pub fn take(&mut self, quality: &Quality, at: Moment) {
        self.count = self.count.saturating_add(1);
        self.first.get_or_insert(at);
        self.last = Some(at);
        self.best = self.best.max(quality.weight());
    }

    /// Whether looks at this track may still change what is decided about it soon.
    pub fn is_undecided(&self) -> bool {
        !self.settled.is_settled() && self.count < ENOUGH
    }

    /// Whether identify is to be told that a settled track is still there; then it counts as told.
    pub fn is_to_tell(&mut self, at: Moment) -> bool {
        let is_due = self.settled.is_settled() && self.told.is_none_or(|told| at.since(told) >= RELAXED);
        if is_due {
            self.told = Some(at);
        }
        is_due
    }
}

/// Whether no landmark lies beyond the edge of a frame of `size`.
pub fn is_whole(face: &Face, size: Size) -> bool {
    let (width, height) = (size.width as f32, size.height as f32);
    face.landmarks.iter().all(|p| (0.0..width).contains(&p.x) && (0.0..height).contains(&p.y))
}

/// Whether a face is frontal and sharp enough to say anything.
///
/// # Errors
/// Why not.
pub fn is_clear(quality: &Quality) -> Result<(), Passed> {
    if quality.pose < LEAST_POSE {
        return Err(Passed::Turned);
    }
    if quality.sharpness < LEAST_SHARPNESS {
        return Err(Passed::Blurred);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;
    use usher_models::image::{Point, Rect};

    const SIZE: Size = Size { width: 1280, height: 720 };
    const BAR: Bar =
        Bar { inter_eye_px: 20.0, apart: Duration::from_millis(80), looks: 3, over: Duration::from_millis(250) };
    const GOOD: Quality =
        Quality { confidence: 0.9, inter_eye_px: 40.0, pose: 0.9, sharpness: 0.8, ..Quality::NOTHING };

    fn at(ms: u64) -> Moment {
        Moment { steady: Duration::from_millis(ms), wall: SystemTime::UNIX_EPOCH }
    }

    fn face(x: f32, eyes: f32) -> Face {
        let p = |dx: f32, dy: f32| Point { x: x + dx * eyes, y: 300.0 + dy * eyes };
        let landmarks = [p(-0.5, 0.0), p(0.5, 0.0), p(0.0, 0.6), p(-0.4, 1.1), p(0.4, 1.1)];
        Face {
            rect: Rect { x: x - eyes, y: 300.0 - eyes, width: 2.0 * eyes, height: 2.5 * eyes },
            landmarks,
            confidence: 0.9,
        }
    }

    #[test]
    fn a_small_face_is_not_embedded() {
        assert_eq!(Looks::default().is_due(&face(400.0, 19.0), SIZE, at(0), &BAR), Err(Passed::Small));
    }

    #[test]
    fn a_face_that_jitters_around_the_limit_is_looked_at_without_a_gap() {
        let mut looks = Looks::default();
        assert_eq!(looks.is_due(&face(400.0, 22.0), SIZE, at(0), &BAR), Err(Passed::Small));
        looks.take(&GOOD, at(100));
        assert_eq!(looks.is_due(&face(400.0, 20.5), SIZE, at(200), &BAR), Ok(()));
    }

    #[test]
    fn a_face_half_out_of_the_picture_is_not_embedded() {
        assert_eq!(Looks::default().is_due(&face(5.0, 40.0), SIZE, at(0), &BAR), Err(Passed::Cut));
    }

    #[test]
    fn two_looks_are_never_closer_than_the_rule() {
        let mut looks = Looks::default();
        looks.take(&GOOD, at(0));
        assert_eq!(looks.is_due(&face(400.0, 40.0), SIZE, at(79), &BAR), Err(Passed::Enough));
        assert_eq!(looks.is_due(&face(400.0, 40.0), SIZE, at(80), &BAR), Ok(()));
    }

    #[test]
    fn somebody_who_stays_costs_little() {
        let (mut looks, mut taken) = (Looks::default(), 0);
        for frame in 0..600u64 {
            let now = at(frame * 100);
            if looks.is_due(&face(400.0, 40.0), SIZE, now, &BAR).is_ok() && looks.is_worth(&GOOD).is_ok() {
                looks.take(&GOOD, now);
                taken += 1;
            }
        }
        assert_eq!(taken, ENOUGH, "a minute in front of the camera takes no more looks than are of use");
    }

    /// Times of the looks taken of a face seen every `frame_ms`; identify settles the name at look `settled_at`.
    fn times(frame_ms: u64, settled_at: u32) -> Vec<u64> {
        let (mut looks, mut times) = (Looks::default(), Vec::new());
        for now in (0..6000).step_by(frame_ms as usize) {
            if looks.is_due(&face(400.0, 40.0), SIZE, at(now), &BAR).is_ok() && looks.is_worth(&GOOD).is_ok() {
                looks.take(&GOOD, at(now));
                times.push(now);
            }
            if looks.count == settled_at {
                looks.settled.settle();
            }
        }
        times
    }

    #[test]
    fn whoever_is_named_by_the_rules_own_number_of_looks_is_embedded_no_oftener() {
        for (frame_ms, wanted) in [(40, [0, 80, 280]), (67, [0, 134, 268]), (100, [0, 100, 300]), (125, [0, 125, 250])]
        {
            assert_eq!(times(frame_ms, 3), wanted, "a frame every {frame_ms} ms");
        }
    }

    #[test]
    fn whoever_is_in_doubt_is_looked_at_further() {
        assert_eq!(times(100, u32::MAX)[..6], [0, 100, 300, 400, 500, 600]);
    }

    #[test]
    fn a_settled_track_is_told_to_be_there_and_no_other_is() {
        let mut looks = Looks::default();
        assert!(!looks.is_to_tell(at(0)));
        looks.settled.settle();
        let told: Vec<u64> = (0..10).map(|i| i * 100).filter(|ms| looks.is_to_tell(at(*ms))).collect();
        assert_eq!(told, [0, 400, 800]);
        assert!(!looks.is_undecided());
    }

    #[test]
    fn liveness_is_judged_only_once_identify_asks_and_not_for_ever() {
        let (mut looks, face) = (Looks::default(), face(400.0, 40.0));
        assert!(!looks.is_to_judge(&face, SIZE, at(0), &BAR), "nobody claims the track");
        looks.settled.claim();
        assert!(!looks.is_to_judge(&self::face(400.0, 19.0), SIZE, at(0), &BAR), "too small");
        assert!(!looks.is_to_judge(&self::face(5.0, 40.0), SIZE, at(0), &BAR), "cut off");
        let times: Vec<u64> = (0..200)
            .map(|i| i * 40)
            .filter(|ms| {
                let due = looks.is_to_judge(&face, SIZE, at(*ms), &BAR);
                if due {
                    looks.judge(at(*ms));
                }
                due
            })
            .collect();
        assert_eq!(times[..3], [0, 80, 160]);
        assert_eq!(times.len(), MOST_JUDGED as usize);
    }

    #[test]
    fn turned_and_blurred_faces_are_told_apart() {
        let looks = Looks::default();
        assert_eq!(looks.is_worth(&Quality { pose: 0.1, ..GOOD }), Err(Passed::Turned));
        assert_eq!(looks.is_worth(&Quality { sharpness: 0.05, ..GOOD }), Err(Passed::Blurred));
    }
}
