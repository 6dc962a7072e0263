//! A tracker per camera: which face is the one from before.

use crate::{
    clock::Moment,
    infer::kalman::{FACES, Kalman, Manner},
    infer::sighting::TrackId,
};
use pathfinding::{kuhn_munkres::kuhn_munkres, matrix::Matrix};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use usher_models::{face::Face, image::Rect};

/// A track with no face for this long has ended: longer than a blink of the detector (a turned head, somebody walking
/// past in front), shorter than the next person needs to take the same place.
pub const PATIENCE: Duration = Duration::from_millis(1200);
/// A track needs two faces before anybody believes in it: a single one is often a poster, a reflection, a mistake.
pub const FACES_TO_BELIEVE: u32 = 2;
/// Least agreement of a face with a track, see [`agreement`].
const LEAST_AGREEMENT: f32 = 0.15;
/// Agreement as a whole number for the assignment, which needs an order.
const GRAIN: f32 = 10_000.0;

/// Numbers tracks across all cameras of this process.
#[derive(Clone, Default)]
pub struct TrackIds(Arc<AtomicU64>);

impl TrackIds {
    /// Numbers after `at`.
    pub fn beginning(at: u64) -> Self {
        Self(Arc::new(AtomicU64::new(at)))
    }

    /// The next one.
    pub fn next(&self) -> TrackId {
        TrackId(self.0.fetch_add(1, Ordering::Relaxed) + 1)
    }
}

/// One person's way through the picture.
#[derive(Clone, Debug)]
pub struct Track {
    /// Its number.
    pub id: TrackId,
    /// The face as last detected.
    pub face: Face,
    /// When that was.
    pub seen: Moment,
    /// When its first face was detected.
    pub begun: Moment,
    /// Faces so far.
    pub faces: u32,
    kalman: Kalman,
    foreseen: Moment,
}

impl Track {
    /// Whether enough faces were seen to believe in it.
    pub fn is_believed(&self) -> bool {
        self.faces >= FACES_TO_BELIEVE
    }
}

/// All tracks of one camera.
pub struct Tracker {
    ids: TrackIds,
    manner: Manner,
    tracks: Vec<Track>,
}

/// How well `face` fits `track`, 0..=1: intersection over union where they overlap, else nearness in face heights, so
/// that a quick walker at few frames a second is not lost between two boxes that no longer touch.
fn agreement(track: &Rect, face: &Rect) -> f32 {
    let (a, b) = (track.centre(), face.centre());
    let height = track.height.max(face.height).max(1.0);
    let apart = (a.x - b.x).hypot(a.y - b.y) / height;
    let alike = (track.height.min(face.height) / height).clamp(0.0, 1.0);
    let near = 0.5 * (1.0 - apart).max(0.0) * alike;
    track.iou(face).max(near)
}

impl Tracker {
    /// No tracks yet; numbers come from `ids`.
    pub fn new(ids: TrackIds) -> Self {
        Self { ids, manner: FACES, tracks: Vec::new() }
    }

    /// Takes in the faces of one frame. Answers with the tracks that ended.
    ///
    /// Faces go to tracks one to one such that the sum of agreements is largest (Kuhn–Munkres); what is left over
    /// begins a track of its own.
    pub fn follow(&mut self, faces: &[Face], at: Moment) -> Vec<Track> {
        let ended = self.expire(at);
        for track in &mut self.tracks {
            track.kalman.predict(at.since(track.foreseen));
            track.foreseen = at;
        }
        let mut free: Vec<bool> = vec![true; faces.len()];
        for (track, face) in self.assign(faces) {
            free[face] = false;
            let track = &mut self.tracks[track];
            track.kalman.correct(&faces[face].rect);
            track.face = faces[face];
            track.seen = at;
            track.faces = track.faces.saturating_add(1);
        }
        for (face, _) in faces.iter().zip(&free).filter(|(_, free)| **free) {
            self.tracks.push(Track {
                id: self.ids.next(),
                face: *face,
                seen: at,
                begun: at,
                faces: 1,
                kalman: Kalman::new(&face.rect, self.manner),
                foreseen: at,
            });
        }
        ended
    }

    /// Ends the tracks that have waited too long by `at`.
    pub fn expire(&mut self, at: Moment) -> Vec<Track> {
        self.tracks.extract_if(.., |track| at.since(track.seen) > PATIENCE).collect()
    }

    /// Ends every track.
    pub fn end(&mut self) -> Vec<Track> {
        std::mem::take(&mut self.tracks)
    }

    /// Every track that has not ended.
    pub fn tracks(&self) -> &[Track] {
        &self.tracks
    }

    /// The tracks whose face is in the frame taken `at`.
    pub fn seen_at(&self, at: Moment) -> impl Iterator<Item = &Track> {
        self.tracks.iter().filter(move |track| track.seen == at)
    }

    fn assign(&self, faces: &[Face]) -> Vec<(usize, usize)> {
        if self.tracks.is_empty() || faces.is_empty() {
            return Vec::new();
        }
        // The assignment wants no more rows than columns: spare columns mean "no face for this track".
        let columns = self.tracks.len().max(faces.len());
        let mut gain = Matrix::new(self.tracks.len(), columns, 0i64);
        for (row, track) in self.tracks.iter().enumerate() {
            let believed = track.kalman.rect();
            for (column, face) in faces.iter().enumerate() {
                let agreed = agreement(&believed, &face.rect).max(agreement(&track.face.rect, &face.rect));
                if agreed >= LEAST_AGREEMENT {
                    gain[(row, column)] = (agreed * GRAIN) as i64;
                }
            }
        }
        let (_, columns) = kuhn_munkres(&gain);
        let pairs = columns.into_iter().enumerate();
        pairs.filter(|&(row, column)| column < faces.len() && gain[(row, column)] > 0).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::SystemTime;
    use usher_models::image::Point;

    fn moment(ms: u64) -> Moment {
        let steady = Duration::from_millis(ms);
        Moment { steady, wall: SystemTime::UNIX_EPOCH + steady }
    }

    fn face(x: f32, y: f32, size: f32) -> Face {
        let rect = Rect { x: x - size / 2.0, y: y - size / 2.0, width: size, height: size };
        Face { rect, landmarks: [Point { x, y }; 5], confidence: 0.9 }
    }

    fn tracker() -> Tracker {
        Tracker::new(TrackIds::default())
    }

    fn ids(tracker: &Tracker, at: Moment) -> Vec<u64> {
        tracker.seen_at(at).map(|track| track.id.0).collect()
    }

    #[test]
    fn somebody_walking_up_stays_one_track() {
        let mut tracker = tracker();
        for i in 0..40u64 {
            let at = moment(i * 120);
            tracker.follow(&[face(300.0 + 8.0 * i as f32, 200.0 + i as f32, 40.0 + 2.0 * i as f32)], at);
            assert_eq!(ids(&tracker, at), [1]);
        }
    }

    #[test]
    fn two_people_who_pass_each_other_keep_their_tracks() {
        let mut tracker = tracker();
        for i in 0..50u64 {
            let at = moment(i * 100);
            let x = 6.0 * i as f32;
            tracker.follow(&[face(100.0 + x, 200.0, 50.0), face(400.0 - x, 260.0, 62.0)], at);
        }
        let at = moment(4900);
        let ends: Vec<(u64, f32)> = tracker.seen_at(at).map(|t| (t.id.0, t.face.rect.centre().x)).collect();
        assert_eq!(ends.len(), 2);
        assert!(ends.iter().all(|(id, x)| (*id == 1) == (*x > 250.0)), "{ends:?}");
    }

    #[test]
    fn a_short_blink_of_the_detector_ends_no_track() {
        let mut tracker = tracker();
        tracker.follow(&[face(200.0, 200.0, 60.0)], moment(0));
        assert!(tracker.follow(&[], moment(500)).is_empty());
        tracker.follow(&[face(204.0, 200.0, 60.0)], moment(1000));
        assert_eq!(ids(&tracker, moment(1000)), [1]);
    }

    #[test]
    fn whoever_left_has_ended_and_the_next_is_somebody_else() {
        let mut tracker = tracker();
        tracker.follow(&[face(200.0, 200.0, 60.0)], moment(0));
        let ended = tracker.follow(&[face(200.0, 200.0, 60.0)], moment(1500));
        assert_eq!(ended.len(), 1);
        assert_eq!(ids(&tracker, moment(1500)), [2]);
    }

    proptest! {
        #[test]
        fn no_face_is_lost_and_none_is_in_two_tracks(
            frames in prop::collection::vec(prop::collection::vec((0f32..1280.0, 0f32..720.0, 10f32..200.0), 0..8), 1..12),
        ) {
            let mut tracker = tracker();
            for (i, faces) in frames.iter().enumerate() {
                let faces: Vec<Face> = faces.iter().map(|&(x, y, size)| face(x, y, size)).collect();
                let at = moment(i as u64 * 100);
                tracker.follow(&faces, at);
                let mut seen: Vec<Rect> = tracker.seen_at(at).map(|track| track.face.rect).collect();
                prop_assert_eq!(seen.len(), faces.len());
                for face in &faces {
                    let place = seen.iter().position(|rect| *rect == face.rect);
                    prop_assert!(place.is_some());
                    seen.swap_remove(place.unwrap());
                }
            }
        }
    }
}
