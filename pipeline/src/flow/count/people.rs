//! Who is in one camera's picture: tracks, put together where one was lost and found again.
//!
//! The tracker gives up whoever is hidden for a second and gives them a new number afterwards. Counted as two, they would
//! cross twice, or not at all. So whoever appears where somebody unseen should be by now takes their way over; by place, time and
//! size alone.

use crate::{
    clock::Moment,
    flow::count::{
        border::{Border, Spot, Way},
        passage::{Crossed, Passage},
    },
    infer::sighting::{Left, TrackId, Tracked},
};
use std::time::Duration;
use usher_config::count::{By, Count};
use usher_models::image::Rect;

/// Whoever is not seen for this long does not come back: the tracker's patience and most of a second of finding again.
pub const REJOIN: Duration = Duration::from_millis(2000);
/// Whoever is out of sight this long is gone, though nobody said so.
const FORGOTTEN: Duration = Duration::from_secs(10);
/// Half the band along a border, in widths of whoever crosses: five times what a detector's boxes tremble by.
const BAND: f32 = 0.25;
/// The band is never narrower, heights of the picture.
const LEAST_BAND: f32 = 0.006;
/// Whoever is seen again is at most so far from where they should be, in their heights; more, the longer they were not.
const REACH: f32 = 0.6;
/// Sizes of one person, seen again, differ by less than this factor.
const ALIKE: f32 = 1.6;
/// Speed of the newest step in the mean of a person's speed, per second of it.
const SPEED_MEAN_S: f32 = 0.4;

/// Somebody in the picture, or a moment ago.
struct Person {
    track: TrackId,
    seen: Moment,
    spot: Spot,
    /// Heights of the picture a second.
    speed: Spot,
    /// Width and height, heights of the picture.
    size: (f32, f32),
    passage: Passage,
    gone: bool,
}

/// Everybody in one camera's picture.
pub struct People {
    count: Count,
    border: Option<(f32, Option<Border>)>,
    people: Vec<Person>,
}

impl People {
    /// Nobody yet.
    pub fn new(count: Count) -> Self {
        Self { count, border: None, people: Vec::new() }
    }

    /// Where somebody stands in a picture of `height` pixels: the middle of a face, the feet of a body.
    fn spot(&self, rect: &Rect, height: f32) -> Spot {
        let centre = rect.centre();
        let y = if self.count.by == By::Motion { rect.y + rect.height } else { centre.y };
        Spot { x: centre.x / height, y: y / height }
    }

    /// Takes in one frame; answers with the crossings that have become sure.
    pub fn see(&mut self, tracked: &Tracked) -> Vec<Crossed> {
        let (width, height) = (tracked.size.width.max(1) as f32, tracked.size.height.max(1) as f32);
        let aspect = width / height;
        if self.border.as_ref().is_none_or(|(of, _)| (of - aspect).abs() > 1e-3) {
            self.border = Some((aspect, Border::of(&self.count, aspect)));
        }
        let now = tracked.taken;
        let seen: Vec<(TrackId, Spot, (f32, f32))> = tracked
            .people
            .iter()
            .map(|(track, rect)| (*track, self.spot(rect, height), (rect.width / height, rect.height / height)))
            .collect();
        // Motion itself follows whoever is hidden. Were new bodies given the ways of lost ones, somebody who comes through a
        // door as somebody else leaves by it would be that person, turned back.
        if self.count.by != By::Motion {
            self.rejoin(&seen, now);
        }
        let border = self.border.as_ref().and_then(|(_, border)| border.as_ref());
        for (track, spot, size) in seen {
            let at = self.people.iter().position(|person| person.track == track);
            let person = match at {
                Some(at) => &mut self.people[at],
                None => {
                    let passage = Passage::default();
                    let speed = Spot::default();
                    self.people.push(Person { track, seen: now, spot, speed, size, passage, gone: false });
                    self.people.last_mut().expect("somebody was just pushed")
                }
            };
            person.walk(spot, now);
            person.size = size;
            if let Some(border) = border {
                person.passage.step(border, spot, (BAND * size.0).max(LEAST_BAND), now);
            }
        }
        self.settle(now)
    }

    /// The tracker has given up a track.
    pub fn leave(&mut self, left: &Left) {
        if let Some(person) = self.people.iter_mut().find(|person| person.track == left.track) {
            person.gone = true;
        } else {
            // Somebody whom no frame told of: the tracker believed in them as it gave them up.
            let (track, seen) = (left.track, left.to);
            let (spot, speed, size) = (Spot::default(), Spot::default(), (0.0, 0.0));
            self.people.push(Person { track, seen, spot, speed, size, passage: Passage::default(), gone: true });
        }
    }

    /// The crossings that have become sure by `now`, though no frame came.
    pub fn settle(&mut self, now: Moment) -> Vec<Crossed> {
        let mut sure = Vec::new();
        let leaves = self.border.as_ref().is_none_or(|(_, border)| border.is_none());
        let done = |person: &Person| now.since(person.seen) > if person.gone { REJOIN } else { FORGOTTEN };
        for mut person in self.people.extract_if(.., |person| done(person)) {
            let left = Crossed { way: Way::In, at: person.seen, along: None };
            sure.extend(if leaves { Some(left) } else { person.passage.ended() });
        }
        sure.extend(self.people.iter_mut().filter_map(|person| person.passage.settled(now)));
        sure
    }

    /// Everybody leaves: no frame will come.
    pub fn end(&mut self) -> Vec<Crossed> {
        let far = self.people.iter().map(|person| person.seen).max();
        far.map_or_else(Vec::new, |last| {
            self.settle(Moment { steady: last.steady + 2 * FORGOTTEN, wall: last.wall + 2 * FORGOTTEN })
        })
    }

    /// Gives new tracks the ways of people who were lost where they begin, the nearest first, one to one.
    fn rejoin(&mut self, seen: &[(TrackId, Spot, (f32, f32))], now: Moment) {
        let is_known = |track: TrackId| self.people.iter().any(|person| person.track == track);
        let mut pairs = Vec::new();
        for (track, spot, size) in seen.iter().filter(|(track, ..)| !is_known(*track)) {
            for (index, person) in self.people.iter().enumerate() {
                let is_seen = seen.iter().any(|(other, ..)| *other == person.track);
                let missed = now.since(person.seen);
                let alike = (size.1 / person.size.1.max(1e-6)).max(person.size.1 / size.1.max(1e-6));
                if is_seen || missed > REJOIN || alike > ALIKE {
                    continue;
                }
                let off = person.off(*spot, missed.as_secs_f32()) / size.1;
                if off < REACH * (1.0 + missed.as_secs_f32()) {
                    pairs.push((off, *track, index));
                }
            }
        }
        pairs.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut taken: Vec<TrackId> = Vec::new();
        for (_, track, index) in pairs {
            let person = &mut self.people[index];
            if !taken.contains(&track) && !taken.contains(&person.track) {
                (person.track, person.gone) = (track, false);
                taken.push(track);
            }
        }
    }
}

impl Person {
    /// How far `spot` is from where this person should be `after` seconds, or still is: heights of the picture.
    fn off(&self, spot: Spot, after: f32) -> f32 {
        let from = |x: f32, y: f32| (spot.x - x).hypot(spot.y - y);
        let goes = from(self.spot.x + self.speed.x * after, self.spot.y + self.speed.y * after);
        goes.min(from(self.spot.x, self.spot.y))
    }

    fn walk(&mut self, spot: Spot, now: Moment) {
        let passed = now.since(self.seen).as_secs_f32();
        if passed > 0.0 {
            let share = (passed / SPEED_MEAN_S).min(1.0);
            self.speed.x += share * ((spot.x - self.spot.x) / passed - self.speed.x);
            self.speed.y += share * ((spot.y - self.spot.y) / passed - self.speed.y);
        }
        (self.spot, self.seen) = (spot, now);
    }
}
