//! The engine: detector, trackers and embedder over the frames of all cameras.

mod taken_up;

use crate::{
    capture::frame::{Camera, Frame},
    clock::{Clock, Moment},
    in_force::Follower,
    infer::{
        best::{Bar, Looks, Passed, is_clear},
        sighting::{Left, Portrait, Probe, Sighting, TrackId},
        track::{Track, TrackIds, Tracker},
        turns::Need,
        watched::{Person, Watched},
    },
    metrics::{ANALYSED, FRAME_AGE_SECONDS, SKIPPED, STAGE_SECONDS},
};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};
use usher_config::value::Name;
use usher_models::{
    align::aligned,
    detect::Detector,
    embed::Embedder,
    error::ModelError,
    image::{Rect, Rgb, Size},
    liveness::{Liveness, crop::Crop},
    quality::{self, Quality},
    resample::{Fit, letterbox, rgb8},
    template::ModelId,
};

/// Looks embedded at most per round: bounds the time a crowd can hold up the next frame. Whoever is passed over has
/// fewer looks than the others and so comes first in the next round. At 14 ms a face three looks and a detection fit into
/// the 67 ms between frames at 15 a second.
pub const MOST_LOOKS_A_ROUND: usize = 3;
/// Side of a portrait, pixels: sharp enough for a face a third of a 1080p screen high, small enough to send.
const PORTRAIT_PX: u32 = 320;
/// Side of the region shown, in widths of the face: head and shoulders.
const PORTRAIT_FACES: f32 = 2.2;

/// What one camera's picture holds.
struct Scene {
    camera: Arc<Camera>,
    tracker: Tracker,
    looks: HashMap<TrackId, Looks>,
    /// What was measured in the last frame of whoever was due.
    measured: HashMap<TrackId, Quality>,
}

/// A face whose look is due.
struct Due {
    frame: usize,
    track: TrackId,
    rect: Rect,
    crop: Rgb,
    quality: Quality,
    looks: u32,
}

/// A face whose liveness identify asks about.
struct Claimed {
    track: TrackId,
    taken: Moment,
    crops: Vec<Rgb>,
}

/// Whether anybody at all may be recognised at this camera now.
pub type Awaits = Arc<dyn Fn(&Camera) -> bool + Send + Sync>;

/// Turns frames into sightings. One thread owns it.
pub struct Engine {
    detector: Box<dyn Detector>,
    embedder: Box<dyn Embedder>,
    liveness: Option<Box<dyn Liveness>>,
    bar: Bar,
    ids: TrackIds,
    scenes: BTreeMap<Name, Scene>,
    clock: Arc<dyn Clock>,
    awaits: Awaits,
    following: Option<Follower>,
    /// The newest frame's time. A recording is read faster or slower than it was taken, and its time is what counts.
    newest: Option<Moment>,
}

/// What came of one round.
#[derive(Default)]
pub struct Round {
    /// For identify.
    pub sightings: Vec<Sighting>,
    /// For counting.
    pub left: Vec<Left>,
    /// For the operator's eyes.
    pub watched: Vec<Watched>,
}

impl Engine {
    /// An engine over open networks. Engines of one process share `ids`.
    pub fn new(
        detector: Box<dyn Detector>,
        embedder: Box<dyn Embedder>,
        bar: Bar,
        ids: TrackIds,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let awaits: Awaits = Arc::new(|_| true);
        let scenes = BTreeMap::new();
        Self { detector, embedder, liveness: None, bar, ids, scenes, clock, awaits, following: None, newest: None }
    }

    /// Embeds only where `awaits` says that somebody may be recognised; elsewhere faces are followed and counted.
    pub fn embed_where(&mut self, awaits: Awaits) {
        self.awaits = awaits;
    }

    /// The same, that judges the liveness of whomever identify asks about.
    #[must_use]
    pub fn with_liveness(self, liveness: Option<Box<dyn Liveness>>) -> Self {
        Self { liveness, ..self }
    }

    /// Which network makes the templates.
    pub fn model(&self) -> ModelId {
        self.embedder.model()
    }

    /// Looks at `frames`, at most one of each camera.
    ///
    /// # Errors
    /// Only bugs: networks were warmed up with the very shapes that come here.
    pub fn analyse(&mut self, frames: Vec<Frame>) -> Result<Round, ModelError> {
        let begun = self.clock.now();
        self.newest = self.newest.max(frames.iter().map(|frame| frame.taken).max());
        for frame in &frames {
            metrics::histogram!(FRAME_AGE_SECONDS, "at" => "look").record(begun.since(frame.taken).as_secs_f64());
        }
        let frames: Vec<Arc<Frame>> = frames.into_iter().map(Arc::new).collect();
        let fitted: Vec<(Rgb, Fit)> =
            frames.iter().map(|frame| letterbox(&frame.picture.view(), self.detector.input())).collect();
        let (pictures, fits): (Vec<Rgb>, Vec<Fit>) = fitted.into_iter().unzip();
        let scaled = self.took("scale", begun);
        let found = self.detector.detect(&pictures)?;
        let detected = self.took("detect", scaled);

        let mut round = Round::default();
        let (mut due, mut claimed) = (Vec::new(), Vec::new());
        let crops = self.liveness.as_ref().map(|liveness| liveness.crops()).unwrap_or_default();
        for (index, ((frame, fit), faces)) in frames.iter().zip(&fits).zip(found).enumerate() {
            let faces: Vec<_> = faces.iter().map(|face| fit.to_frame(face)).collect();
            let scene = self.scenes.entry(frame.camera.name.clone()).or_insert_with(|| Scene {
                camera: frame.camera.clone(),
                tracker: Tracker::new(self.ids.clone()),
                looks: HashMap::new(),
                measured: HashMap::new(),
            });
            scene.take_up(&frame.camera, &mut round);
            for ended in scene.tracker.follow(&faces, frame.taken) {
                scene.close(&ended, &mut round);
            }
            scene.tell(frame, &mut round);
            // Measured either way, for the camera coach; embedded only where somebody may be recognised.
            let worth = scene.due(index, frame, &self.bar);
            due.extend(worth.into_iter().filter(|_| (self.awaits)(&frame.camera)));
            if !crops.is_empty() && claimed.len() < MOST_LOOKS_A_ROUND {
                claimed.extend(scene.claimed(frame, &self.bar, &crops));
            }
            metrics::counter!(ANALYSED, "camera" => frame.camera.name.to_string()).increment(1);
        }

        // Whoever was looked at least comes first, so that nobody waits for ever in a crowd; then the best look.
        due.sort_by(|a, b| a.looks.cmp(&b.looks).then(b.quality.weight().total_cmp(&a.quality.weight())));
        due.truncate(MOST_LOOKS_A_ROUND);
        self.took("crop", detected);
        self.embed(&frames, due, &mut round)?;
        self.judge(claimed, &mut round)?;

        let done = self.clock.now();
        for frame in frames {
            let people = self.scenes.get(&frame.camera.name).map(|scene| scene.people(&frame)).unwrap_or_default();
            round.watched.push(Watched { frame, people, analysed: true, done });
        }
        self.took("infer", begun);
        Ok(round)
    }

    /// What the picture of `camera` holds, as far as was seen.
    pub fn need(&self, camera: &Name) -> Need {
        self.scenes.get(camera).map_or(Need::Idle, Scene::need)
    }

    /// A frame that goes without the detector, for the operator's eyes.
    pub fn unseen(&self, frame: Frame) -> Watched {
        Watched { frame: Arc::new(frame), people: Vec::new(), analysed: false, done: self.clock.now() }
    }

    /// Ends the tracks of cameras from which no frame comes any more.
    pub fn expire(&mut self) -> Round {
        let now = self.newest.map_or(self.clock.now(), |newest| newest.max(self.clock.now()));
        let round = self.close(|tracker| tracker.expire(now));
        self.forget_removed();
        round
    }

    /// Ends every track: no frame will come.
    pub fn end(&mut self) -> Round {
        self.close(Tracker::end)
    }

    fn close(&mut self, which: impl Fn(&mut Tracker) -> Vec<Track>) -> Round {
        let mut round = Round::default();
        for scene in self.scenes.values_mut() {
            for ended in which(&mut scene.tracker) {
                scene.close(&ended, &mut round);
            }
        }
        round
    }

    fn embed(&mut self, frames: &[Arc<Frame>], due: Vec<Due>, round: &mut Round) -> Result<(), ModelError> {
        if due.is_empty() {
            return Ok(());
        }
        let begun = self.clock.now();
        let crops: Vec<Rgb> = due.iter().map(|due| due.crop.clone()).collect();
        let templates = self.embedder.embed(&crops)?;
        let embedded = self.took("embed", begun);
        for (due, template) in due.into_iter().zip(templates) {
            let frame = &frames[due.frame];
            let Some(scene) = self.scenes.get_mut(&frame.camera.name) else { continue };
            let looks = scene.looks.entry(due.track).or_default();
            if looks.is_best(&due.quality) {
                looks.portrait = portrait(frame, &due.rect);
            }
            looks.take(&due.quality, frame.taken);
            round.sightings.push(Sighting::Look(Box::new(Probe {
                camera: frame.camera.clone(),
                track: due.track,
                taken: frame.taken,
                pts: frame.pts,
                rect: due.rect,
                template,
                embedded,
                quality: due.quality,
                portrait: looks.portrait.clone(),
                settled: looks.settled.clone(),
            })));
        }
        self.took("portrait", embedded);
        Ok(())
    }

    fn judge(&mut self, claimed: Vec<Claimed>, round: &mut Round) -> Result<(), ModelError> {
        let begun = self.clock.now();
        let Some(liveness) = self.liveness.as_mut().filter(|_| !claimed.is_empty()) else { return Ok(()) };
        let (tracks, crops): (Vec<_>, Vec<_>) =
            claimed.into_iter().map(|face| ((face.track, face.taken), face.crops)).unzip();
        let lives = liveness.judge(&crops)?;
        let sighting = |((track, taken), live)| Sighting::Live { track, taken, live };
        round.sightings.extend(tracks.into_iter().zip(lives).map(sighting));
        self.took("liveness", begun);
        Ok(())
    }

    /// Notes how long a stage took; answers with its end.
    fn took(&self, stage: &'static str, since: Moment) -> Moment {
        let now = self.clock.now();
        metrics::histogram!(STAGE_SECONDS, "stage" => stage).record(now.since(since).as_secs_f64());
        now
    }
}

impl Scene {
    /// The faces of this frame that are to be looked at: in the opt-in zone, large, sharp and frontal enough, and not
    /// looked at a moment ago. Nobody outside the zone goes further than this function.
    fn due(&mut self, index: usize, frame: &Frame, bar: &Bar) -> Vec<Due> {
        let (view, size) = (frame.picture.view(), frame.picture.size());
        let fresh = Looks::default();
        let (mut due, mut measured) = (Vec::new(), HashMap::new());
        for track in self.tracker.seen_at(frame.taken).filter(|track| track.is_believed()) {
            if !frame.camera.zone.holds(track.face.rect.centre(), size) {
                continue;
            }
            let looks = self.looks.get(&track.id).unwrap_or(&fresh);
            let worth = looks.is_due(&track.face, size, frame.taken, bar).and_then(|()| {
                let crop = aligned(&view, &track.face.landmarks);
                let quality = quality::measure(&track.face, &crop);
                measured.insert(track.id, quality);
                looks.is_worth(&quality).map(|()| (crop, quality))
            });
            match worth {
                Ok((crop, quality)) => due.push(Due {
                    frame: index,
                    track: track.id,
                    rect: track.face.rect,
                    crop,
                    quality,
                    looks: looks.count,
                }),
                Err(Passed::Enough) => {}
                Err(passed) => {
                    metrics::counter!(SKIPPED, "stage" => "infer", "reason" => passed.reason()).increment(1);
                }
            }
        }
        self.measured = measured;
        due
    }

    /// The faces of this frame whose liveness is to be judged, cut out; in the opt-in zone, as for looks.
    fn claimed(&mut self, frame: &Frame, bar: &Bar, crops: &[Crop]) -> Vec<Claimed> {
        let (view, size, taken) = (frame.picture.view(), frame.picture.size(), frame.taken);
        let mut claimed = Vec::new();
        for track in self.tracker.seen_at(taken).filter(|track| track.is_believed()) {
            let Some(looks) = self.looks.get_mut(&track.id) else { continue };
            let face = &track.face;
            if !frame.camera.zone.holds(face.rect.centre(), size) || !looks.is_to_judge(face, size, taken, bar) {
                continue;
            }
            if is_clear(&quality::measure(face, &aligned(&view, &face.landmarks))).is_ok() {
                looks.judge(taken);
                let crops = crops.iter().map(|crop| crop.of(&view, &face.rect)).collect();
                claimed.push(Claimed { track: track.id, taken, crops });
            }
        }
        claimed
    }

    /// Tells identify of whoever is settled and still there.
    fn tell(&mut self, frame: &Frame, round: &mut Round) {
        for track in self.tracker.seen_at(frame.taken) {
            if self.looks.get_mut(&track.id).is_some_and(|looks| looks.is_to_tell(frame.taken)) {
                let (track, rect) = (track.id, track.face.rect);
                round.sightings.push(Sighting::Seen { track, taken: frame.taken, rect });
            }
        }
    }

    fn need(&self) -> Need {
        let is_undecided = |track: &Track| self.looks.get(&track.id).is_none_or(Looks::is_undecided);
        match self.tracker.tracks() {
            [] => Need::Idle,
            tracks if tracks.iter().any(is_undecided) => Need::Undecided,
            _ => Need::Followed,
        }
    }

    fn people(&self, frame: &Frame) -> Vec<Person> {
        let size = frame.picture.size();
        let person = |track: &Track| Person {
            track: track.id,
            rect: track.face.rect,
            face: track.face,
            quality: self.measured.get(&track.id).copied(),
            in_zone: frame.camera.zone.holds(track.face.rect.centre(), size),
            looks: self.looks.get(&track.id).map_or(0, |looks| looks.count),
        };
        self.tracker.seen_at(frame.taken).filter(|track| track.is_believed()).map(person).collect()
    }

    fn close(&mut self, ended: &Track, round: &mut Round) {
        let (camera, track) = (self.camera.clone(), ended.id);
        if self.looks.remove(&track).is_some() {
            round.sightings.push(Sighting::Gone { camera: camera.clone(), track, at: ended.seen });
        }
        if ended.is_believed() {
            round.left.push(Left { camera, track, from: ended.begun, to: ended.seen });
        }
    }
}

fn portrait(frame: &Frame, face: &Rect) -> Portrait {
    let centre = face.centre();
    let side = PORTRAIT_FACES * face.width.max(face.height);
    let region = Rect { x: centre.x - side / 2.0, y: centre.y - side / 2.0, width: side, height: side };
    let size = Size { width: PORTRAIT_PX, height: PORTRAIT_PX };
    let rgb = rgb8(&frame.picture.view(), region, size);
    Portrait { width: size.width, height: size.height, rgb: rgb.into() }
}
