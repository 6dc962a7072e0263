//! Stages: what infer, identify, decide and publish do, how long it takes them, and the links between.
//!
//! A stage that is done hands on what fits into the next link, and waits where it is full, as the product's threads do.

use crate::{
    crowd::template,
    life::{Followed, Life, Shot, rules},
    report::Figures,
    truth::Violation,
    world::{Event, Task, World, cameras::PICTURE},
};
use rand::RngExt as _;
use std::{sync::Arc, time::Duration};
use usher::{
    clock::{Clock as _, Moment},
    infer::{
        best::{Bar, Looks},
        engine::MOST_LOOKS_A_ROUND,
        sighting::{Portrait, Probe, Sighting, TrackId},
        track::{FACES_TO_BELIEVE, PATIENCE},
        turns::{Call, Need},
    },
    publish::teller::BATCH,
    wire::{IDENTIFICATIONS, NOTICES, SHOWN, SIGHTINGS, VISITS},
};
use usher_models::{
    face::Face,
    image::{Point, Rect, Size},
    quality::Quality,
};

/// What a frame's detection and a look cost (README: YuNet at 640 x 384, SFace; one thread).
const DETECTS: Duration = Duration::from_micros(7_800);
const EMBEDS: Duration = Duration::from_micros(14_600);
const LETS_GO: Duration = Duration::from_micros(50);
const IDENTIFIES: Duration = Duration::from_micros(300);
const DECIDES: Duration = Duration::from_micros(50);

const FRAME: Size = Size { width: 1920, height: 1080 };
/// Side of the picture that is shown: small, since nobody looks.
const PORTRAIT: u32 = 16;

fn bar() -> Bar {
    let rules = rules();
    Bar { inter_eye_px: 20.0, apart: rules.apart, looks: rules.looks, over: rules.over }
}

fn face() -> Face {
    let p = |x: f32, y: f32| Point { x, y };
    let landmarks = [p(940.0, 500.0), p(980.0, 500.0), p(960.0, 525.0), p(945.0, 545.0), p(975.0, 545.0)];
    Face { rect: Rect { x: 910.0, y: 450.0, width: 100.0, height: 130.0 }, landmarks, confidence: 0.9 }
}

/// Moves what fits from a stage's output into the next link.
fn hand_on<T>(
    from: &mut std::collections::VecDeque<T>,
    to: &mut std::collections::VecDeque<(Duration, T)>,
    most: usize,
    now: Duration,
) {
    while to.len() < most {
        let Some(item) = from.pop_front() else { return };
        to.push_back((now, item));
    }
}

impl World {
    fn done_after(&mut self, cost: Duration, task: Task) {
        if let Some(life) = &self.life {
            let number = life.number;
            self.later(cost, Event::Inside(number, task));
        }
    }

    /// Infers, unless it is busy or waits for identify.
    pub(crate) fn kick_infer(&mut self) {
        let Some(life) = &mut self.life else { return };
        if life.inferring.is_busy || !life.inferring.output.is_empty() {
            return;
        }
        let turns = &life.infer.turns;
        let cameras = &life.cameras;
        let rank = |shot: &Shot| turns.rank(&cameras[shot.camera].name, shot.taken);
        let taken = life.infer.frames.take_ranked(1, Duration::ZERO, rank).unwrap_or_default();
        let Some(shot) = taken.into_iter().next() else { return };
        life.inferring.is_busy = true;
        let waited = life.clock.now().since(shot.taken);
        self.devices[shot.camera].looked = self.time.now();
        let cost = self.infers(&shot).mul_f64(self.slower);
        // The last frame of a camera that has fallen silent waits for its turn: no newer one takes its seat.
        let is_last_before_silence = self.devices[shot.camera].seen + 2 * PICTURE < self.time.now();
        if !is_last_before_silence {
            self.figures.oldest_frame = self.figures.oldest_frame.max(waited);
        }
        self.done_after(cost, Task::Inferred);
    }

    /// What infer does with a frame, and what that costs.
    fn infers(&mut self, shot: &Shot) -> Duration {
        let Some(life) = &mut self.life else { return LETS_GO };
        let camera = life.cameras[shot.camera].clone();
        if life.infer.turns.call(&camera.name, shot.taken, || None) != Call::Look {
            return LETS_GO;
        }
        self.figures.frames += 1;
        let awaits = life.current.awaits_anybody(&camera);
        follow(life, shot, awaits, &mut self.figures);
        let mut due: Vec<(u32, usize, Quality, f32)> = Vec::new();
        for walk in &shot.walks {
            let Some(followed) = life.infer.followed.get_mut(&(shot.camera, *walk)) else { continue };
            if followed.looks.is_to_tell(shot.taken) {
                let told = Sighting::Seen { track: followed.id, taken: shot.taken, rect: face().rect };
                life.inferring.output.push_back(told);
            }
            let is_due = followed.looks.is_due(&face(), FRAME, shot.taken, &bar()).is_ok();
            if followed.faces < FACES_TO_BELIEVE || !is_due {
                continue;
            }
            let pose = self.random.random_range(0.3..1.0_f32);
            let sharpness = self.random.random_range(0.1..1.0_f32);
            let quality =
                Quality { confidence: 0.9, inter_eye_px: 40.0, pose, sharpness, eyes_visible: 1.0, ..Quality::NOTHING };
            if followed.looks.is_worth(&quality).is_ok() && awaits {
                due.push((followed.looks.count, *walk, quality, 0.72 + 0.18 * pose.min(sharpness)));
            }
        }
        due.sort_by(|a, b| a.0.cmp(&b.0).then(b.2.weight().total_cmp(&a.2.weight())));
        due.truncate(MOST_LOOKS_A_ROUND);
        let looks = due.len() as u32;
        for (_, walk, quality, likeness) in due {
            let person = self.walks[walk].person;
            let template = template(&self.people[person].face, likeness, &mut self.random);
            let Some(followed) = life.infer.followed.get_mut(&(shot.camera, walk)) else { continue };
            followed.looks.take(&quality, shot.taken);
            let grey: Arc<[u8]> = vec![128; (3 * PORTRAIT * PORTRAIT) as usize].into();
            self.figures.looks += 1;
            life.inferring.output.push_back(Sighting::Look(Box::new(Probe {
                camera: camera.clone(),
                track: followed.id,
                taken: shot.taken,
                pts: self.time.now(),
                rect: face().rect,
                template,
                embedded: shot.taken,
                quality,
                portrait: Portrait { width: PORTRAIT, height: PORTRAIT, rgb: grey },
                settled: followed.looks.settled.clone(),
            })));
        }
        let followed = life.infer.followed.range((shot.camera, 0)..=(shot.camera, usize::MAX));
        let need =
            followed.map(|(_, one)| if one.looks.is_undecided() { Need::Undecided } else { Need::Followed }).max();
        life.infer.turns.found(&camera.name, need.unwrap_or(Need::Idle));
        DETECTS + EMBEDS * looks
    }

    pub(crate) fn inferred(&mut self) {
        if let Some(life) = &mut self.life {
            life.inferring.is_busy = false;
        }
        self.links();
    }

    fn kick_identify(&mut self) {
        let Some(life) = &mut self.life else { return };
        let stage = &mut life.identifying;
        if stage.is_busy || !stage.output.is_empty() {
            return;
        }
        let Some((_, sighting)) = stage.input.pop_front() else { return };
        stage.is_busy = true;
        let found = life.identifier.step(Some(sighting), &life.known, &life.health, &*life.clock);
        life.identifying.output.extend(found);
        self.done_after(IDENTIFIES, Task::Identified);
    }

    pub(crate) fn identified(&mut self) {
        if let Some(life) = &mut self.life {
            life.identifying.is_busy = false;
        }
        self.links();
    }

    /// Nothing came for a while: identify ends what nobody sees any more, infer tracks of cameras that say nothing.
    pub(crate) fn idles(&mut self) {
        let Some(life) = &mut self.life else { return };
        if !life.inferring.is_busy {
            let now = life.clock.now();
            expire(life, now, &mut self.figures);
        }
        if !life.identifying.is_busy && life.identifying.input.is_empty() && life.identifying.output.is_empty() {
            let found = life.identifier.step(None, &life.known, &life.health, &*life.clock);
            life.identifying.output.extend(found);
        }
        self.links();
    }

    pub(crate) fn kick_decide(&mut self) {
        let Some(life) = &mut self.life else { return };
        let is_waiting = !life.deciding.input.is_empty() || !life.shown.is_empty();
        if life.deciding.is_busy || !life.deciding.output.is_empty() || !is_waiting {
            return;
        }
        life.deciding.is_busy = true;
        self.done_after(DECIDES, Task::Decided);
    }

    pub(crate) fn decided(&mut self) -> Result<(), Violation> {
        let now = self.now();
        let Some(life) = &mut self.life else { return Ok(()) };
        life.deciding.is_busy = false;
        let mut visits = Vec::new();
        if let Some(shown) = life.shown.pop_front() {
            visits.extend(life.decider.by_pass(shown, &*life.clock));
        } else if let Some((_, identification)) = life.deciding.input.pop_front() {
            let walk = life.infer.followed.iter().find(|(_, one)| one.id == identification.track).map(|(at, _)| at.1);
            if let Some(decided) = life.decider.by_face(identification, &*life.clock) {
                if life.notices.len() < NOTICES {
                    life.notices.extend(decided.notice);
                }
                if let Some(visit) = decided.visit {
                    let named = self.truth.person(visit.visitor);
                    let shown = walk.map(|walk| self.walks[walk].person);
                    match (named, shown) {
                        (Some(named), Some(shown)) if named == shown => self.truth.counts.right += 1,
                        (Some(_), Some(shown)) if self.people[shown].has_double => self.truth.counts.doubles_named += 1,
                        (Some(_), Some(_)) => self.truth.counts.strangers_named += 1,
                        _ => {}
                    }
                    visits.push(visit);
                }
            }
        }
        let born = life.clock.born;
        for visit in visits {
            let gate = self.gates.iter().position(|gate| gate.name == visit.camera.gate).unwrap_or_default();
            let taken = born + visit.taken.steady;
            self.truth.decided(visit.id, (gate, &self.gates[gate]), visit.visitor, taken, now, life.number)?;
            life.deciding.output.push_back(visit);
        }
        self.links();
        Ok(())
    }

    fn kick_publish(&mut self) {
        let Some(life) = &mut self.life else { return };
        while let Some(notice) = life.notices.pop_front() {
            life.teller.notice(&notice);
        }
        if life.publishing.is_busy || life.publishing.input.is_empty() {
            return;
        }
        life.publishing.is_busy = true;
        let commit = self.commit;
        self.done_after(commit, Task::Published);
    }

    pub(crate) fn published(&mut self) -> Result<(), Violation> {
        let Some(life) = &mut self.life else { return Ok(()) };
        life.publishing.is_busy = false;
        let most = BATCH.min(life.publishing.input.len());
        let batch: Vec<_> = life.publishing.input.drain(..most).map(|(_, visit)| visit).collect();
        life.teller.take_in(&batch);
        self.links();
        self.mails()
    }

    /// Hands on what fits, and lets every stage go on that can.
    pub(crate) fn links(&mut self) {
        let now = self.now();
        if let Some(life) = &mut self.life {
            hand_on(&mut life.deciding.output, &mut life.publishing.input, VISITS, now);
            hand_on(&mut life.identifying.output, &mut life.deciding.input, IDENTIFICATIONS, now);
            hand_on(&mut life.inferring.output, &mut life.identifying.input, SIGHTINGS, now);
            let oldest = life.identifying.input.front().map_or(Duration::ZERO, |(since, _)| now - *since);
            self.figures.oldest = self.figures.oldest.max(oldest);
        }
        self.kick_publish();
        self.kick_decide();
        self.kick_identify();
        self.kick_infer();
    }

    /// Infer is asked for so many times what it can do: every camera gives all its frames, whether or not anybody is there, and
    /// where that is not enough by itself, each takes longer.
    pub(crate) fn overloads(&mut self, begins: bool) {
        let demand = self.devices.len() as f64 * DETECTS.as_secs_f64() * FRAMES;
        self.slower = if begins { (f64::from(self.day.overload) / demand).max(1.0) } else { 1.0 };
        self.is_overloaded = begins;
        self.relieved = (!begins).then(|| self.now());
        for camera in 0..self.devices.len() {
            self.devices[camera].rate += 1;
            let rate = self.devices[camera].rate;
            self.later(Duration::from_millis(camera as u64), Event::Picture(camera, rate));
        }
        self.tell(|| {
            if begins {
                "too much is asked of infer".to_owned()
            } else {
                "infer is asked for what it can do".to_owned()
            }
        });
    }

    /// What must hold of the links at all times.
    pub(crate) fn bounds(&self) -> Result<(), Violation> {
        let Some(life) = &self.life else { return Ok(()) };
        let links = [
            ("infer to identify", life.identifying.input.len(), SIGHTINGS),
            ("identify to decide", life.deciding.input.len(), IDENTIFICATIONS),
            ("passes to decide", life.shown.len(), SHOWN),
            ("decide to publish", life.publishing.input.len(), VISITS),
            ("greetings for the broker", life.mail.perishables(), MOST_PERISHABLES),
            ("tracks", life.identifier.tracks(), MOST_TRACKS),
        ];
        if self.figures.oldest > OLDEST || self.figures.oldest_frame > OLDEST {
            let (sighting, frame) = (self.figures.oldest.as_millis(), self.figures.oldest_frame.as_millis());
            let says = format!("a sighting has waited {sighting} ms for identify, a frame {frame} ms for infer");
            return Err(self.violation("age", says));
        }
        match links.iter().find(|(_, waiting, most)| waiting > most) {
            Some((link, waiting, most)) => {
                Err(self.violation("bounds", format!("{waiting} wait from {link}, and {most} may")))
            }
            None => Ok(()),
        }
    }
}

/// Frames a second that a camera is to be looked at.
const FRAMES: f64 = 15.0;
/// What was promised under overload: nothing waits for longer.
const OLDEST: Duration = Duration::from_millis(250);

/// Whoever was in sight for this long should be decided about, whatever the load.
const LONG_ENOUGH: Duration = Duration::from_millis(1_200);

/// Twice what the tray holds: as many were on their way over a connection that broke.
const MOST_PERISHABLES: usize = 128;
/// Far more than cameras can show.
const MOST_TRACKS: usize = 4096;

/// The tracker: which walk of this frame is which track; who was not seen for long has gone.
fn follow(life: &mut Life, shot: &Shot, awaits: bool, figures: &mut Figures) {
    expire(life, shot.taken, figures);
    for walk in &shot.walks {
        let at = (shot.camera, *walk);
        if !life.infer.followed.contains_key(&at) {
            let id: TrackId = life.track();
            life.infer.followed.insert(
                at,
                Followed {
                    id,
                    begun: shot.taken,
                    seen: shot.taken,
                    faces: 0,
                    awaited: awaits,
                    looks: Looks::default(),
                },
            );
        }
        if let Some(followed) = life.infer.followed.get_mut(&at) {
            followed.seen = shot.taken;
            followed.awaited &= awaits;
            followed.faces += 1;
        }
    }
}

fn expire(life: &mut Life, now: Moment, figures: &mut Figures) {
    let (cameras, output) = (&life.cameras, &mut life.inferring.output);
    life.infer.followed.retain(|(camera, _), followed| {
        let is_there = now.since(followed.seen) < PATIENCE;
        if !is_there && followed.awaited && followed.seen.since(followed.begun) >= LONG_ENOUGH {
            let is_decided = followed.looks.settled.is_settled() || followed.looks.count >= rules().looks;
            figures.people += 1;
            figures.people_decided += u64::from(is_decided);
        }
        if !is_there && followed.looks.count > 0 {
            let gone = Sighting::Gone { camera: cameras[*camera].clone(), track: followed.id, at: followed.seen };
            output.push_back(gone);
        }
        is_there
    });
}
