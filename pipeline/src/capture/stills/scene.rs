//! Who stands where and when: a crowd's schedule and ground truth.
//!
//! Everything here is a function of the crowd file and a time, so that whoever judges what the gate said can ask what
//! was true, without having watched. People come in groups of up to `together`; each group has a slot of time of its
//! own, everybody walks once a round for each of their looks, and every round has another order.

use rand::{RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use std::{ops::Range, time::Duration};
use usher_config::crowd::{Crowd, Gait, Look};
use usher_models::image::{Point, Rect, Size};

/// How many face heights there are in one distance between the eyes: a frontal face's box, as detectors draw it.
const FACE_HEIGHTS_PER_EYES: f32 = 3.0;
/// Members of a group set out up to this much after each other, seconds.
const STAGGER_S: f32 = 0.7;
/// The furthest that a member of a group stays behind, as a part of the nearest size.
const DEEPEST: f32 = 0.78;
/// Least overlap of a face that was found with the true one. Two people's faces never overlap in a crowd, so any clear
/// overlap tells whose face it was; detectors and the truth draw boxes of somewhat different shapes.
const SAME_FACE: f32 = 0.2;
/// Streams of chance: one for each walk (its number), one for each round's order (from here on).
const ROUND_STREAM: u64 = 1 << 40;

/// A crowd's schedule.
#[derive(Clone, Debug)]
pub struct Scene {
    size: Size,
    seed: u64,
    gait: Gait,
    looped: bool,
    /// Who and which look, in the order of the file.
    cast: Vec<Part>,
    /// Where each group of a round begins and ends in its order.
    groups: Vec<Range<usize>>,
    /// Seconds each group has for itself.
    slot: f64,
}

/// One walk of a round: somebody in one of their looks.
#[derive(Clone, Debug)]
struct Part {
    person: usize,
    look: usize,
    who: String,
    enrolled: bool,
    rect: Rect,
    eyes_px: f32,
}

/// Somebody in the picture at one time.
#[derive(Clone, Debug, PartialEq)]
pub struct Present {
    /// Which walk; see [`Walk::id`].
    pub walk: u64,
    /// The person's key in the crowd file.
    pub who: String,
    /// Whether this person asked to be known.
    pub enrolled: bool,
    /// The face in frame pixels; may reach over the picture's edge.
    pub rect: Rect,
    /// Distance between the eyes, frame pixels.
    pub inter_eye_px: f32,
    /// Whether the face is wholly in the picture and at least 20 px between the eyes.
    pub usable: bool,
    /// The person's number in the crowd file.
    pub person: usize,
    /// The look's number of that person.
    pub look: usize,
}

/// Least distance between the eyes of a usable face, pixels (the default of `infer.inter_eye_px`).
pub const USABLE_PX: f32 = 20.0;

/// One person's way through the picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// Unique in a scene.
    pub id: u64,
    /// The person's key in the crowd file.
    pub who: String,
    /// Whether this person asked to be known.
    pub enrolled: bool,
    /// When they come into sight, in the stream's own time.
    pub from: Duration,
    /// When they are out of sight.
    pub to: Duration,
    /// The person's number in the crowd file.
    pub person: usize,
    /// The look's number of that person.
    pub look: usize,
}

/// A walk with everything that chance decided about it.
struct Plan<'a> {
    part: &'a Part,
    id: u64,
    from: Duration,
    to: Duration,
    pause: f32,
    /// 0..=1 of the picture's width.
    lane: f32,
    /// Part of the nearest size.
    depth: f32,
    phase: f32,
    exit: Exit,
}

#[derive(Clone, Copy)]
enum Exit {
    Left,
    Right,
    Down,
}

impl Scene {
    /// The schedule of `crowd`.
    pub fn of(crowd: &Crowd) -> Self {
        let part = |(person, look): (usize, usize)| {
            let who = &crowd.people[person];
            let Look { face: [x, y, width, height], eyes: [right, left], .. } = who.looks[look];
            Part {
                person,
                look,
                who: who.who.clone(),
                enrolled: who.enrolled.is_some(),
                rect: Rect { x, y, width, height },
                eyes_px: (left[0] - right[0]).hypot(left[1] - right[1]),
            }
        };
        let looks = crowd.people.iter().enumerate();
        let cast: Vec<Part> =
            looks.flat_map(|(person, who)| (0..who.looks.len()).map(move |look| (person, look))).map(part).collect();
        // As many side by side as have room: a neighbour's shoulders never cover a face.
        let room = (crowd.width as f32 / (crowd.walk.near_px * 6.0)).floor().max(1.0) as u32;
        let groups = cut(cast.len(), crowd.together.min(room) as usize, &mut chance(crowd.seed, ROUND_STREAM - 1));
        let gait = crowd.walk;
        let pause = gait.pause_most_s.max(gait.pause_least_s);
        let slot = f64::from(STAGGER_S + gait.approach_s + pause + gait.leave_s + gait.gap_s);
        let size = Size { width: crowd.width, height: crowd.height };
        Self { size, seed: crowd.seed, gait, looped: crowd.looped, cast, groups, slot }
    }

    /// Everybody in the picture at `pts`, the furthest first. The ground truth of a frame with this time.
    pub fn people_at(&self, pts: Duration) -> Vec<Present> {
        let mut present: Vec<Present> =
            self.plans_of(self.slot_at(pts)).iter().filter_map(|plan| self.present(plan, pts)).collect();
        present.sort_by(|a, b| a.inter_eye_px.total_cmp(&b.inter_eye_px));
        present
    }

    /// Whose face is at `rect` in the frame at `pts`.
    pub fn whose(&self, pts: Duration, rect: &Rect) -> Option<Present> {
        let overlap = |present: &Present| present.rect.iou(rect);
        let nearest = self.people_at(pts).into_iter().max_by(|a, b| overlap(a).total_cmp(&overlap(b)));
        nearest.filter(|present| overlap(present) >= SAME_FACE)
    }

    /// Every walk that begins before `until`, in the order of their beginnings.
    pub fn walks(&self, until: Duration) -> Vec<Walk> {
        self.walks_between(Duration::ZERO, until)
    }

    /// The walks that begin at `from` or later and before `until`, in the order of their beginnings.
    pub fn walks_between(&self, from: Duration, until: Duration) -> Vec<Walk> {
        let slots = self.slot_at(from)..=self.slot_at(until);
        let walk = |plan: &Plan<'_>| Walk {
            id: plan.id,
            who: plan.part.who.clone(),
            enrolled: plan.part.enrolled,
            from: plan.from,
            to: plan.to,
            person: plan.part.person,
            look: plan.part.look,
        };
        let mut walks: Vec<Walk> =
            slots.flat_map(|slot| self.plans_of(slot).iter().map(walk).collect::<Vec<_>>()).collect();
        walks.retain(|walk| (from..until).contains(&walk.from));
        walks.sort_by_key(|walk| walk.from);
        walks
    }

    /// How long one round takes: everybody has walked in each of their looks.
    pub fn round(&self) -> Duration {
        Duration::from_secs_f64(self.slot * self.groups.len() as f64)
    }

    /// Height of a look's face at its nearest, frame pixels, before depth.
    pub(crate) fn nearest_face_px(&self) -> f32 {
        self.gait.near_px * FACE_HEIGHTS_PER_EYES
    }

    /// Chance of its own for walk `id`.
    pub(crate) fn chance_of(&self, id: u64) -> ChaCha8Rng {
        chance(self.seed, id)
    }

    fn slot_at(&self, pts: Duration) -> u64 {
        (pts.as_secs_f64() / self.slot) as u64
    }

    fn plans_of(&self, slot: u64) -> Vec<Plan<'_>> {
        let (round, group) = (slot / self.groups.len() as u64, (slot % self.groups.len() as u64) as usize);
        if round > 0 && !self.looped {
            return Vec::new();
        }
        let order = self.order_of(round);
        let members = &order[self.groups[group].clone()];
        members.iter().enumerate().map(|(at, part)| self.plan(slot, at, members.len(), &self.cast[*part])).collect()
    }

    fn plan<'a>(&self, slot: u64, at: usize, of: usize, part: &'a Part) -> Plan<'a> {
        let id = slot * 4 + at as u64;
        // The first numbers of a walk's chance are its way; its changes come from a stream beside it (`chance_of`).
        let mut dice = chance(self.seed, id + 2 * ROUND_STREAM);
        let place = (at as f32 + 0.5) / of as f32;
        let exit = match (at, of) {
            (0, 1) if dice.random::<bool>() => Exit::Left,
            (0, 1) => Exit::Right,
            (0, _) => Exit::Left,
            _ if at + 1 == of => Exit::Right,
            _ => Exit::Down,
        };
        let longest = self.gait.pause_most_s.max(self.gait.pause_least_s);
        let from = slot as f64 * self.slot + f64::from(dice.random_range(0.0..STAGGER_S));
        let pause = dice.random_range(self.gait.pause_least_s..=longest);
        let long = self.gait.approach_s + pause + self.gait.leave_s;
        Plan {
            part,
            id,
            from: Duration::from_secs_f64(from),
            to: Duration::from_secs_f64(from + f64::from(long)),
            pause,
            lane: place + dice.random_range(-0.02..0.02),
            depth: if of == 1 { 1.0 } else { dice.random_range(DEEPEST..=1.0) },
            phase: dice.random_range(0.0..std::f32::consts::TAU),
            exit,
        }
    }

    /// The cast in the order of round `round`, such that nobody stands beside themselves.
    fn order_of(&self, round: u64) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.cast.len()).collect();
        order.shuffle(&mut chance(self.seed, ROUND_STREAM + round));
        let person = |index: usize| self.cast[index].person;
        let stands = |order: &[usize], group: &Range<usize>, who: usize, but: usize| {
            group.clone().any(|at| at != but && person(order[at]) == who)
        };
        for group in &self.groups {
            for at in group.clone().skip(1) {
                if !stands(&order, &(group.start..at), person(order[at]), at) {
                    continue;
                }
                // Change places with somebody elsewhere, such that it fits both groups.
                let others = self.groups.iter().filter(|other| *other != group);
                let fits =
                    others.flat_map(|other| other.clone().map(move |place| (other, place))).find(|(other, place)| {
                        !stands(&order, group, person(order[*place]), at)
                            && !stands(&order, other, person(order[at]), *place)
                    });
                if let Some((_, place)) = fits {
                    order.swap(at, place);
                }
            }
        }
        order
    }

    fn present(&self, plan: &Plan<'_>, pts: Duration) -> Option<Present> {
        if !(plan.from..plan.to).contains(&pts) {
            return None;
        }
        let seconds = (pts - plan.from).as_secs_f32();
        let leaving_at = self.gait.approach_s + plan.pause;
        // Somebody who walks at an even speed looms: their size goes as one over their distance.
        let way = (seconds / self.gait.approach_s).min(1.0);
        let nearness = 1.0 / (1.0 + (self.gait.near_px / self.gait.far_px - 1.0).max(0.0) * (1.0 - way));
        let face = self.nearest_face_px() * plan.depth * nearness;
        let scale = face / plan.part.rect.height;
        let (width, height) = (self.size.width as f32, self.size.height as f32);
        let steps = if way < 1.0 { (seconds * 7.0 + plan.phase).sin() } else { 0.0 };
        let mut centre = Point {
            // Ways lead towards the camera from a door in the middle of the hall.
            x: width * (0.5 + (plan.lane - 0.5) * (0.55 + 0.45 * nearness)) + steps * face * 0.02,
            y: height * (0.34 + 0.10 * nearness) + steps.abs() * face * 0.015,
        };
        let gone = ((seconds - leaving_at) / self.gait.leave_s).max(0.0);
        let away = gone * gone;
        match plan.exit {
            Exit::Left => centre.x -= away * (centre.x + face * 1.5),
            Exit::Right => centre.x += away * (width - centre.x + face * 1.5),
            Exit::Down => centre.y += away * (height - centre.y + face * 1.5),
        }
        let (face_width, face_height) = (plan.part.rect.width * scale, face);
        let rect = Rect {
            x: centre.x - face_width / 2.0,
            y: centre.y - face_height / 2.0,
            width: face_width,
            height: face_height,
        };
        let inter_eye_px = plan.part.eyes_px * scale;
        let inside = rect.x >= 0.0 && rect.y >= 0.0 && rect.x + rect.width <= width && rect.y + rect.height <= height;
        Some(Present {
            walk: plan.id,
            who: plan.part.who.clone(),
            enrolled: plan.part.enrolled,
            rect,
            inter_eye_px,
            usable: inside && inter_eye_px >= USABLE_PX,
            person: plan.part.person,
            look: plan.part.look,
        })
    }
}

fn chance(seed: u64, stream: u64) -> ChaCha8Rng {
    let mut dice = ChaCha8Rng::seed_from_u64(seed);
    dice.set_stream(stream);
    dice
}

/// Cuts a round of `total` walks into groups of one to `most`.
fn cut(total: usize, most: usize, dice: &mut ChaCha8Rng) -> Vec<Range<usize>> {
    let mut groups = Vec::new();
    let mut at = 0;
    while at < total {
        let end = total.min(at + dice.random_range(1..=most.max(1)));
        groups.push(at..end);
        at = end;
    }
    groups
}

#[cfg(test)]
#[path = "scene_tests.rs"]
mod tests;
