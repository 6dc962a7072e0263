//! Everybody who moves in a camera's picture, followed from frame to frame.
//!
//! Whoever is followed should be where their walk leads. All of them are fitted together to what moves: each in turn is moved to
//! where the rest of the mask, what their part of the last picture looked like, and their walk agree best. Whoever is hidden
//! behind others walks on unseen until nobody hides them. What nobody covers is searched for more people.

use crate::{
    clock::Moment,
    flow::count::motion::{
        bodies::{Bodies, Fit},
        shape::{Body, PARTS, Stature, area, pixels},
        small::Small,
        walk::Walk,
    },
    infer::{sighting::TrackId, track::TrackIds},
};
use std::time::Duration;
use usher_models::image::Rect;

/// Height of a child beside a grown person's.
const CHILD: f32 = 0.75;
/// Whom new people are looked for as, and how well they must fit: what a grown person leaves unexplained is as large as a part of a
/// child, so a child must fit better.
const NEW: [(f32, f32); 2] = [(1.0, 0.36), (CHILD, 0.55)];
/// Least share in the picture of somebody new.
const NEW_INSIDE: f32 = 0.5;
/// Less of somebody than this tells nothing of whether they are there.
const SEEN: f32 = 0.3;
/// So much of what is seen of somebody moves.
const MOVES: f32 = 0.45;
/// Whoever should be seen and is not for this long is gone.
const MISSED: Duration = Duration::from_millis(700);
/// Whoever is hidden for this long is no longer awaited.
const HIDDEN: Duration = Duration::from_millis(2500);
/// Frames before anybody is believed in.
const BELIEVED: u32 = 4;
/// Whoever is believed in was fitted so well, on average.
const FITTED: f32 = 0.3;
/// Weights beside the mask: of how far somebody is from where their walk leads, in squared standard deviations, of how unlike
/// they are to the picture before, and of how far their height is from what it was taken for.
const WALKS: f32 = 0.04;
const LOOKS: f32 = 0.4;
const HEIGHTS: f32 = 1.0;
/// People differ from the height that they are taken for by less than this share.
const TALLER: f32 = 0.1;
/// Grey levels beyond which a pixel just does not look the same.
const UNLIKE: f32 = 25.0;
/// More people than this are not told apart in one picture.
const MOST: usize = 60;

/// Whoever was given up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gone {
    /// Their number.
    pub id: TrackId,
    /// First seen.
    pub begun: Moment,
    /// Last seen.
    pub seen: Moment,
}

struct Followed {
    id: TrackId,
    body: Body,
    walk: Walk,
    begun: Moment,
    /// When they were last seen, and when they were last seen or known to be hidden.
    seen: Moment,
    known: Moment,
    frames: u32,
    /// Mean fit.
    fitted: f32,
    /// Height that they are taken for, beside a grown person's.
    born: f32,
    /// What their uncovered part looked like when last seen: from their feet, and luma. Replaced with every picture, gone with
    /// them, compared with the next picture only.
    looks: Vec<(i16, i16, f32)>,
}

impl Followed {
    fn is_believed(&self) -> bool {
        self.frames >= BELIEVED && self.fitted >= FITTED
    }
}

/// Follows people in pictures of one size.
pub struct Follow {
    ids: TrackIds,
    width: usize,
    height: usize,
    bodies: Bodies,
    people: Vec<Followed>,
    owners: Vec<u8>,
    last: Option<Moment>,
}

impl Follow {
    /// Nobody yet; people are numbered by `ids`.
    pub fn new(width: usize, height: usize, ids: TrackIds) -> Self {
        let (bodies, owners) = (Bodies::new(width, height), vec![0; width * height]);
        Self { ids, width, height, bodies, people: Vec::new(), owners, last: None }
    }

    /// Takes in a picture and what moves in it; answers with who was given up.
    pub fn see(&mut self, small: &Small, mask: &[bool], stature: &Stature, now: Moment) -> Vec<Gone> {
        let passed = self.last.replace(now).map_or(0.0, |last| now.since(last).as_secs_f32()).min(2.0);
        self.bodies.begin(mask);
        for person in &mut self.people {
            let height = stature.height(person.body.y) * person.body.tall;
            person.walk.go(passed, height);
            [person.body.x, person.body.y] = person.walk.at;
            self.bodies.cover(stature, &person.body);
        }
        self.people.sort_by(|a, b| b.body.y.total_cmp(&a.body.y));
        for _ in 0..2 {
            for index in 0..self.people.len() {
                self.place(index, small, stature);
            }
        }
        for index in 0..self.people.len() {
            self.judge(index, stature, now);
        }
        let gone = self.give_up(now, stature);
        self.search(stature, now);
        self.remember(small, stature, now);
        gone
    }

    /// Moves somebody to where they fit best.
    fn place(&mut self, index: usize, small: &Small, stature: &Stature) {
        let person = &self.people[index];
        let (walk, old) = (&person.walk, person.body);
        self.bodies.uncover(stature, &old);
        let height = stature.height(walk.at[1]) * old.tall;
        let reach = (2.5 * walk.doubt()).clamp(0.1 * height, 0.3 * height).max(2.0);
        let doubt = walk.doubt().max(0.03 * height);
        self.bodies.look(around(stature, &Body { x: walk.at[0], y: walk.at[1], tall: old.tall.max(1.0) }, reach + 2.0));
        let grain = (height / 45.0).max(1.0);
        let steps = (reach / grain).ceil() as i32;
        let mut best = (f32::NEG_INFINITY, old);
        for down in -steps..=steps {
            for right in -steps..=steps {
                let (dx, dy) = (right as f32 * grain, down as f32 * grain);
                let off = (dx * dx + dy * dy) / (doubt * doubt);
                let body = Body { x: walk.at[0] + dx, y: walk.at[1] + dy, tall: old.tall };
                let worth = self.bodies.fit(stature, &body).worth - WALKS * off;
                if worth <= best.0 {
                    continue;
                }
                let worth = worth - LOOKS * unlike(small, &person.looks, &body);
                if worth > best.0 {
                    best = (worth, body);
                }
            }
        }
        let (mut body, mut born) = (best.1, person.born);
        let worth = |body: &Body| self.bodies.fit(stature, body).worth - HEIGHTS * (body.tall - person.born).powi(2);
        let fits = self.bodies.fit(stature, &body);
        if fits.seen > 0.8 && fits.inside > 0.95 {
            let best = worth(&body);
            for by in [0.98, 1.02] {
                let other = Body { tall: (body.tall * by).clamp(person.born - TALLER, person.born + TALLER), ..body };
                if worth(&other) > best + 0.004 {
                    body = other;
                }
            }
            // Whoever was taken for a child may be grown: with feet where they were thought to be, or with that head.
            let taller = (1.0 - body.tall) * stature.height(body.y);
            for y in [body.y, body.y + taller] {
                let grown = Body { y, tall: 1.0, ..body };
                if person.born < 1.0 && self.bodies.fit(stature, &grown).worth > fits.worth - 0.02 {
                    (body, born) = (grown, 1.0);
                    break;
                }
            }
        }
        (self.people[index].body, self.people[index].born) = (body, born);
        self.bodies.cover(stature, &body);
    }

    /// Says whether somebody is seen where they were placed, or hidden, or missed.
    fn judge(&mut self, index: usize, stature: &Stature, now: Moment) {
        let body = self.people[index].body;
        self.bodies.uncover(stature, &body);
        self.bodies.look(around(stature, &body, 2.0));
        let Fit { seen, moves, .. } = self.bodies.fit(stature, &body);
        self.bodies.cover(stature, &body);
        let height = stature.height(body.y) * body.tall;
        let person = &mut self.people[index];
        if seen < SEEN {
            person.known = now;
        } else if moves >= MOVES {
            person.walk.measure([body.x, body.y], height, seen);
            person.frames = person.frames.saturating_add(1);
            person.fitted += (moves - person.fitted) / person.frames.min(12) as f32;
            (person.seen, person.known) = (now, now);
        }
        [person.body.x, person.body.y] = if person.seen == now { [body.x, body.y] } else { person.walk.at };
    }

    fn give_up(&mut self, now: Moment, stature: &Stature) -> Vec<Gone> {
        let (width, height) = (self.width, self.height);
        let is_gone = |person: &mut Followed| {
            let rect = stature.rect(&person.body);
            let inside: usize = PARTS.iter().map(|part| area(pixels(&rect, *part, width, height))).sum();
            let missed = if person.is_believed() { MISSED } else { MISSED / 3 };
            (inside as f32) < 0.12 * rect.area() || now.since(person.known) > missed || now.since(person.seen) > HIDDEN
        };
        let gone: Vec<Followed> = self.people.extract_if(.., is_gone).collect();
        for person in &gone {
            self.bodies.uncover(stature, &person.body);
        }
        let gone = gone.iter().filter(|person| person.is_believed());
        gone.map(|person| Gone { id: person.id, begun: person.begun, seen: person.seen }).collect()
    }

    /// Looks for people in what nobody covers, the best fit first; grown people, then children.
    fn search(&mut self, stature: &Stature, now: Moment) {
        let all = [0, 0, self.width, self.height];
        self.bodies.look(all);
        for (tall, least) in NEW {
            let mut found = self.fitting(stature, tall, least);
            found.sort_by(|a, b| b.0.total_cmp(&a.0));
            for (_, body) in found {
                // Others found meanwhile may cover it.
                if self.people.len() >= MOST || self.new_worth(stature, &body, least).is_none() {
                    continue;
                }
                self.bodies.cover(stature, &body);
                self.bodies.look(all);
                let walk = Walk::new([body.x, body.y], stature.height(body.y));
                let (begun, seen, known) = (now, now, now);
                let (id, born, looks) = (self.ids.next(), tall, Vec::new());
                self.people.push(Followed { id, body, walk, begun, seen, known, frames: 1, fitted: 1.0, born, looks });
            }
        }
    }

    /// Everywhere that somebody so tall would fit.
    fn fitting(&self, stature: &Stature, tall: f32, least: f32) -> Vec<(f32, Body)> {
        let mut found = Vec::new();
        let last = self.height as f32 + 0.5 * stature.height(self.height as f32);
        let mut y = self.height as f32 / 12.0;
        while y < last {
            let grain = (tall * stature.height(y) / 20.0).max(1.0);
            let mut x = 2.0;
            while x < self.width as f32 {
                let body = Body { x, y, tall };
                found.extend(self.new_worth(stature, &body, least).map(|worth| (worth, body)));
                x += grain;
            }
            y += grain;
        }
        found
    }

    fn new_worth(&self, stature: &Stature, body: &Body, least: f32) -> Option<f32> {
        let rect = stature.rect(body);
        let part = pixels(&rect, [0.0, 0.0, 1.0, 1.0], self.width, self.height);
        if (self.bodies.free(part) as f32) < 0.2 * area(part) as f32 {
            return None;
        }
        let fit = self.bodies.fit(stature, body);
        // Who comes in over the lower edge shows as little as a child does: that is told when their feet are seen.
        let is_whole = rect.y + 1.2 * rect.height < self.height as f32;
        let is_there = if body.tall < 1.0 { is_whole } else { fit.inside >= NEW_INSIDE };
        (fit.worth >= least && is_there).then_some(fit.worth)
    }

    /// Remembers what everybody's uncovered part looks like, until the next picture.
    fn remember(&mut self, small: &Small, stature: &Stature, now: Moment) {
        self.owners.fill(0);
        self.people.sort_by(|a, b| a.body.y.total_cmp(&b.body.y));
        let (width, height) = (self.width, self.height);
        for (index, person) in self.people.iter().enumerate() {
            let rect = stature.rect(&person.body);
            for part in PARTS {
                let [left, top, right, bottom] = pixels(&rect, part, width, height);
                for y in top..bottom {
                    self.owners[y * width..][left..right.max(left)].fill(index as u8 + 1);
                }
            }
        }
        for (index, person) in self.people.iter_mut().enumerate().filter(|(_, person)| person.seen == now) {
            let rect = stature.rect(&person.body);
            let before = std::mem::take(&mut person.looks);
            let (x0, y0) = (person.body.x.round() as i32, person.body.y.round() as i32);
            let grain = (rect.height / 30.0).max(1.0) as usize;
            for part in PARTS {
                let [left, top, right, bottom] = pixels(&rect, part, width, height);
                for y in (top..bottom).step_by(grain) {
                    for x in (left..right.max(left)).step_by(grain) {
                        if self.owners[y * width + x] == index as u8 + 1 && self.bodies.moves(x, y) {
                            let from = ((x as i32 - x0) as i16, (y as i32 - y0) as i16);
                            person.looks.push((from.0, from.1, small.luma[y * width + x]));
                        }
                    }
                }
            }
            if person.looks.len() < 12 {
                person.looks = before;
            }
        }
    }

    /// Those who are seen in the picture taken `now`, and believed in.
    pub fn seen_at(&self, now: Moment) -> impl Iterator<Item = (TrackId, Body)> {
        let seen = self.people.iter().filter(move |person| person.seen == now && person.is_believed());
        seen.map(|person| (person.id, Body { x: person.walk.at[0], y: person.walk.at[1], ..person.body }))
    }

    /// Gives everybody up whom no picture has shown for long by `now`.
    pub fn expire(&mut self, now: Moment) -> Vec<Gone> {
        let gone = self.people.extract_if(.., |person| now.since(person.seen) > HIDDEN);
        let gone = gone.filter(|person| person.is_believed());
        gone.map(|person| Gone { id: person.id, begun: person.begun, seen: person.seen }).collect()
    }
}

/// The part of a picture that bodies fill whose feet are within `reach` of one's.
fn around(stature: &Stature, body: &Body, reach: f32) -> [usize; 4] {
    let low = Body { y: body.y + reach, ..*body };
    let Rect { x, width, .. } = stature.rect(&low);
    let top = body.y - reach - stature.rect(&Body { y: body.y - reach, ..*body }).height;
    let bottom = low.y + 0.2 * stature.rect(&low).height;
    let whole = |value: f32| value.max(0.0) as usize;
    [whole(x - reach), whole(top - 2.0), whole(x + width + reach + 2.0), whole(bottom + 2.0)]
}

/// How unlike the picture at `body` is to what they looked like, 0..=1.
fn unlike(small: &Small, looks: &[(i16, i16, f32)], body: &Body) -> f32 {
    let (x0, y0) = (body.x.round() as i32, body.y.round() as i32);
    let (mut off, mut pixels) = (0.0, 0);
    for (dx, dy, luma) in looks {
        let (x, y) = (x0 + i32::from(*dx), y0 + i32::from(*dy));
        if x >= 0 && y >= 0 && (x as usize) < small.width && (y as usize) < small.height {
            off += (small.luma[y as usize * small.width + x as usize] - luma).abs().min(UNLIKE);
            pixels += 1;
        }
    }
    if pixels == 0 { 0.0 } else { off / (UNLIKE * pixels as f32) }
}

#[cfg(test)]
#[path = "follow_tests.rs"]
mod tests;
