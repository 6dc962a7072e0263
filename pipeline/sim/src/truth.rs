//! The truth: who agreed to what, what was decided, stored and heard, and the rules that must hold at every step.
//!
//! Kept apart from the product: it knows people by their number and time by the true one, and hears of the product only what
//! leaves a stage, the disk or the broker.

use crate::{day::Gate, disk::Deed};
use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};
use usher::gallery::visitor::VisitorId;
use uuid::Uuid;

/// A rule that did not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    /// When, since the day began.
    pub at: Duration,
    /// Which.
    pub rule: &'static str,
    /// What was seen.
    pub says: String,
}

/// What was promised: forgetting takes effect within a second.
const EFFECT: Duration = Duration::from_secs(1);
/// What time a clock set back may gain anybody over a restart: the floor is written down once a minute.
const FLOOR: Duration = Duration::from_secs(61);

/// How long a greeting is good for.
pub(crate) const GREETING: Duration = Duration::from_secs(8);

/// What somebody agreed to.
struct Consent {
    person: usize,
    from: Duration,
    forgotten: Option<Duration>,
    expires: Duration,
    /// Where the pass was shown in this life of the process, by time.
    shown: Option<Duration>,
    own_key: bool,
}

/// A decided visit.
struct Visit {
    gate: usize,
    visitor: VisitorId,
    taken: Duration,
    life: u32,
    jumps: u32,
    is_stored: bool,
    is_heard: bool,
    is_acknowledged: bool,
    is_expired: bool,
    is_lost: bool,
    /// No disk had it, or the memory of it, when its process was killed, and the disk was broken then.
    is_unremembered: bool,
}

/// What the truth counts.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Counts {
    /// Visits decided.
    pub visits: u64,
    /// Of them, of whoever was in front of the camera, by face.
    pub right: u64,
    /// Of them, of somebody else, where nobody enrolled is like whoever was there.
    pub strangers_named: u64,
    /// The same where somebody who enrolled is like them.
    pub doubles_named: u64,
    /// Visits that went with a killed process before any disk had them.
    pub lost_unstored: u64,
    /// Visits whose time was over before the broker took them.
    pub expired: u64,
    /// Visits that the broker had.
    pub heard: u64,
    /// Of them, those that it had before.
    pub again: u64,
}

#[derive(Default)]
pub(crate) struct Truth {
    consents: HashMap<VisitorId, Consent>,
    visits: BTreeMap<Uuid, Visit>,
    last: HashMap<(usize, VisitorId), Uuid>,
    /// Whether the process of this life could not read at its start whom gates had greeted.
    pub(crate) is_blind: bool,
    /// How often the wall clock jumped, and for how long processes were away in all.
    pub(crate) jumps: u32,
    pub(crate) away: Duration,
    pub(crate) restarts: u32,
    pub(crate) counts: Counts,
}

type Judged = Result<(), Violation>;

fn wrong(at: Duration, rule: &'static str, says: String) -> Judged {
    Err(Violation { at, rule, says })
}

impl Truth {
    pub(crate) fn enrolled(&mut self, id: VisitorId, person: usize, now: Duration, expires: Duration, own_key: bool) {
        let consent = Consent { person, from: now, forgotten: None, expires, shown: None, own_key };
        self.consents.insert(id, consent);
    }

    pub(crate) fn forgotten(&mut self, id: VisitorId, now: Duration) {
        if let Some(consent) = self.consents.get_mut(&id) {
            consent.forgotten = Some(now);
        }
    }

    pub(crate) fn shown(&mut self, id: VisitorId, now: Duration) {
        if let Some(consent) = self.consents.get_mut(&id) {
            consent.shown.get_or_insert(now);
        }
    }

    pub(crate) fn person(&self, id: VisitorId) -> Option<usize> {
        self.consents.get(&id).map(|consent| consent.person)
    }

    /// A visit was decided: by consent, within the gate's rules, once per quiet time.
    pub(crate) fn decided(
        &mut self,
        id: Uuid,
        gate: (usize, &Gate),
        visitor: VisitorId,
        taken: Duration,
        now: Duration,
        life: u32,
    ) -> Judged {
        self.counts.visits += 1;
        self.consent(visitor, now, "a visit is decided")?;
        let consent = self.consents.get_mut(&visitor).expect("their consent was just looked at");
        if (consent.own_key || !gate.1.identifies) && consent.shown.is_none() {
            return wrong(now, "pass", format!("a gate knows person {} who has not shown their pass", consent.person));
        }
        if let Some(before) = self.last.get(&(gate.0, visitor)).and_then(|id| self.visits.get(id)) {
            let apart = taken.saturating_sub(before.taken);
            // What was never stored is nobody's memory; what was stored is remembered by wall time, which may have jumped.
            let is_excused = before.is_lost
                || before.is_unremembered
                || (before.life != life && (self.is_blind || before.jumps != self.jumps));
            if apart < gate.1.quiet && !is_excused {
                let says = format!(
                    "person {} is greeted at {} after {} ms, and its quiet time is {} s",
                    consent.person,
                    gate.1.name,
                    apart.as_millis(),
                    gate.1.quiet.as_secs()
                );
                return wrong(now, "quiet", says);
            }
        }
        self.last.insert((gate.0, visitor), id);
        let visit = Visit {
            gate: gate.0,
            visitor,
            taken,
            life,
            jumps: self.jumps,
            is_stored: false,
            is_heard: false,
            is_acknowledged: false,
            is_expired: false,
            is_lost: false,
            is_unremembered: false,
        };
        match self.visits.insert(id, visit) {
            None => Ok(()),
            Some(_) => wrong(now, "ids", "two visits have one id".to_owned()),
        }
    }

    /// Whether somebody may be spoken of now.
    fn consent(&self, visitor: VisitorId, now: Duration, what: &str) -> Judged {
        let Some(consent) = self.consents.get(&visitor) else {
            return wrong(now, "consent", format!("{what} of somebody who never agreed"));
        };
        let person = consent.person;
        if now < consent.from {
            return wrong(now, "consent", format!("{what} of person {person} before they agreed"));
        }
        if let Some(forgotten) = consent.forgotten.filter(|at| now > *at + EFFECT) {
            let since = now.saturating_sub(forgotten).as_millis();
            return wrong(now, "forgotten", format!("{what} of person {person}, forgotten {since} ms ago"));
        }
        let grace = if self.jumps > 0 { FLOOR * self.restarts + self.away } else { Duration::ZERO };
        if now > consent.expires + EFFECT + grace {
            let since = (now - consent.expires).as_millis();
            return wrong(now, "consent", format!("{what} of person {person}, whose time was over {since} ms ago"));
        }
        Ok(())
    }

    /// An event is handed to the network.
    pub(crate) fn handed(&mut self, kind: &str, body: &[u8], now: Duration) -> Judged {
        let said: serde_json::Value = match serde_json::from_slice(body) {
            Ok(said) => said,
            Err(error) => return wrong(now, "events", format!("a {kind} is no JSON: {error}")),
        };
        let id = |value: &serde_json::Value| value.as_str().and_then(|text| text.parse::<Uuid>().ok());
        let visit = match kind {
            "visit" | "greeting" => id(&said["data"]["visit"]),
            "face" => id(&said["subject"]),
            _ => return Ok(()),
        };
        let Some(visit) = visit.and_then(|id| self.visits.get(&id)) else {
            return wrong(now, "ids", format!("a {kind} is of no visit that was decided"));
        };
        if kind == "visit" {
            let Some(named) = id(&said["data"]["visitor"]).map(VisitorId) else {
                return wrong(now, "events", "a visit names no visitor".to_owned());
            };
            if named.0.is_nil() {
                return Ok(());
            }
            if named != visit.visitor {
                return wrong(now, "ids", "a visit is of somebody else than was decided".to_owned());
            }
            // A visit may come late: it is of a time at which they agreed. Of the forgotten it names nobody.
            return match self.consents.get(&named) {
                Some(Consent { forgotten: Some(at), person, .. }) if now > *at + EFFECT => {
                    let since = now.saturating_sub(*at).as_millis();
                    wrong(now, "forgotten", format!("a visit goes out of person {person}, forgotten {since} ms ago"))
                }
                _ => Ok(()),
            };
        }
        self.consent(visit.visitor, now, &format!("a {kind} goes out"))?;
        if said["expiresat"].as_str().is_none() {
            return wrong(now, "events", format!("a {kind} does not carry its end"));
        }
        let age = now.saturating_sub(visit.taken);
        if age > GREETING {
            return wrong(now, "late", format!("a {kind} goes out {} ms after its visit", age.as_millis()));
        }
        Ok(())
    }

    /// The broker has a visit, and says so to those who listen.
    pub(crate) fn heard(&mut self, body: &[u8], now: Duration) -> Judged {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let id = said["data"]["visit"].as_str().and_then(|text| text.parse::<Uuid>().ok());
        match id.and_then(|id| self.visits.get_mut(&id)) {
            Some(visit) => {
                if visit.is_heard {
                    self.counts.again += 1;
                }
                visit.is_heard = true;
                self.counts.heard += 1;
                Ok(())
            }
            None => wrong(now, "ids", "a visit is heard that nobody decided".to_owned()),
        }
    }

    /// The broker's acknowledgement has come back.
    pub(crate) fn acknowledged(&mut self, body: &[u8]) {
        let said: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
        let id = said["data"]["visit"].as_str().and_then(|text| text.parse::<Uuid>().ok());
        if let Some(visit) = id.and_then(|id| self.visits.get_mut(&id)) {
            visit.is_acknowledged = true;
        }
    }

    /// The disk has done this.
    pub(crate) fn done(&mut self, deed: &Deed, gates: &[Gate], now: Duration) -> Judged {
        match deed {
            Deed::Stored(id) => {
                if let Some(visit) = self.visits.get_mut(id) {
                    visit.is_stored = true;
                }
                Ok(())
            }
            Deed::Remembered(gate, visitor) => {
                let gate = gates.iter().position(|one| one.name == *gate).unwrap_or_default();
                if let Some(visit) = self.last.get(&(gate, *visitor)).and_then(|id| self.visits.get_mut(id)) {
                    visit.is_stored = true;
                }
                Ok(())
            }
            Deed::Deleted(id) => match self.visits.get(id) {
                Some(visit) if visit.is_acknowledged => Ok(()),
                _ => wrong(now, "kept", "a visit is deleted that the broker has not acknowledged".to_owned()),
            },
            Deed::Expired { visit, keep_until, now: at } => {
                if keep_until > at {
                    return wrong(now, "kept", "a visit expires before its time".to_owned());
                }
                if let Some(visit) = self.visits.get_mut(visit) {
                    visit.is_expired = true;
                    self.counts.expired += 1;
                }
                Ok(())
            }
        }
    }

    /// The process of this life is killed: what it had not stored is lost with it, and nothing else may be.
    pub(crate) fn killed(&mut self, life: u32, is_disk_broken: bool) {
        for visit in self.visits.values_mut().filter(|visit| visit.life == life) {
            if !visit.is_stored && !visit.is_acknowledged {
                visit.is_lost = true;
            }
            visit.is_unremembered |= is_disk_broken && !visit.is_stored;
        }
        self.consents.values_mut().for_each(|consent| consent.shown = None);
        self.restarts += 1;
    }

    /// The day is over: every visit was acknowledged, or its time was over, or it was never stored and went with a process.
    pub(crate) fn ended(&mut self, on_disk: &[Uuid], gates: &[Gate], now: Duration) -> Judged {
        for (id, visit) in &self.visits {
            let is_settled = visit.is_acknowledged || visit.is_expired || visit.is_lost;
            if visit.is_lost {
                self.counts.lost_unstored += 1;
            }
            if !is_settled {
                let is_there = if on_disk.contains(id) { "still lies on the disk" } else { "is nowhere" };
                let says = format!(
                    "a visit at {}, decided at {} s, was not acknowledged, is not expired, and {is_there}",
                    gates[visit.gate].name,
                    visit.taken.as_secs()
                );
                return wrong(now, "kept", says);
            }
            if visit.is_acknowledged && !visit.is_heard {
                return wrong(now, "kept", "a visit is acknowledged that the broker never had".to_owned());
            }
        }
        Ok(())
    }
}
