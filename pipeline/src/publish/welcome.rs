//! The welcome: from one decided visit to the events that tell of it.

use crate::{
    clock::Moment,
    decide::visit::{Notice, Visit},
    gallery::visitor::{Visitor, VisitorId},
    guide::day::Day,
    publish::{
        acked::Arrived,
        face,
        outbox::{Kind, Row},
        payload::{self, Event, Face, Greeting, Session, rfc3339},
        report::Reporter,
        tray::{FACE, Perishable},
    },
};
use arc_swap::ArcSwap;
use base64::{Engine, engine::general_purpose::STANDARD};
use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};
use usher_config::{publish::Publish, value::Name};
use usher_models::template::Score;
use uuid::Uuid;

/// Sessions that a greeting shows.
const SESSIONS: usize = 3;

/// Who a visitor is now; `None` when they are no longer enrolled.
pub type Visitors = Arc<dyn Fn(VisitorId) -> Option<Visitor> + Send + Sync>;

/// What a visitor wants to hear at a gate at a time. It is asked while the visitor walks: it answers within milliseconds.
pub type Guide = Box<dyn Fn(&Visitor, &Name, SystemTime) -> Guided + Send>;

/// What a visitor wants to hear. Personal: for the screen and the moment, never for disks or logs.
#[derive(Clone, Default)]
pub struct Guided {
    /// The next sessions of their sport, soonest first.
    pub sessions: Vec<Session>,
    /// What the rest of their day could be.
    pub day: Option<Day>,
    /// Where that can be taken along.
    pub take: Option<String>,
    /// With whom they asked to be greeted, as an opaque word.
    pub party: Option<String>,
}

/// Turns visits into events.
pub(crate) struct Welcomer {
    pub(crate) settings: Arc<ArcSwap<Publish>>,
    pub(crate) reporter: Reporter,
    pub(crate) visitors: Visitors,
    pub(crate) guide: Guide,
}

/// Six digits behind the point: what a single-precision score holds.
fn rounded(score: Score) -> f64 {
    (f64::from(score.0) * 1e6).round() / 1e6
}

impl Welcomer {
    /// The row that tells of `visit`: opaque ids and figures.
    pub(crate) fn row(&self, visit: &Visit) -> Row {
        let gate = visit.camera.gate.clone();
        let keep_until = visit.taken.wall + self.settings.load().keep;
        let data = payload::Visit {
            visit: visit.id,
            gate: gate.clone(),
            camera: visit.camera.name.clone(),
            visitor: visit.visitor.0,
            first_look_at: rfc3339(visit.first.wall),
            decided_at: rfc3339(visit.taken.wall),
            score: visit.evidence.best.map(rounded),
            second: visit.evidence.second.map(rounded),
            threshold: rounded(visit.evidence.threshold),
            looks: visit.evidence.looks,
            enrolled: visit.evidence.enrolled as u64,
        };
        Row {
            id: visit.id,
            kind: Kind::Visit,
            topic: self.reporter.topics.visit(&gate),
            gate,
            visitor: visit.visitor,
            body: Event::new(visit.id, &self.reporter.source, visit.taken.wall, data).until(keep_until).json().into(),
            decided: visit.taken.wall,
            keep_until,
            arrived: Some(Arrived { first: visit.first, settling: visit.taken }),
        }
    }

    /// What the screen shows of `visit`; `None` when the visitor has been forgotten meanwhile.
    pub(crate) fn greeting(&self, visit: &Visit) -> Option<Perishable> {
        let visitor = (self.visitors)(visit.visitor)?;
        let gate = &visit.camera.gate;
        let Guided { mut sessions, day, take, party } = (self.guide)(&visitor, gate, visit.taken.wall);
        sessions.truncate(SESSIONS);
        let language = Some(visitor.wishes.language).filter(|language| !language.is_empty());
        let end = visit.taken.wall + self.settings.load().greeting;
        let data = Greeting {
            visit: visit.id,
            gate: gate.clone(),
            name: visitor.name,
            sport: visitor.sport,
            sessions,
            language,
            party,
            day,
            take,
            expires_at: rfc3339(end),
            face_topic: self.settings.load().face.then(|| self.reporter.topics.face(gate)),
        };
        let body = Event::new(Uuid::new_v4(), &self.reporter.source, visit.taken.wall, data).until(end).json();
        Some(self.perishable(
            "greeting",
            self.reporter.topics.greeting(gate),
            body.into(),
            visit.taken,
            Some(visit.visitor),
        ))
    }

    /// The picture to the greeting of `visit`; `None` when switched off or when there is none.
    pub(crate) fn face(&self, visit: &Visit) -> Option<Perishable> {
        if !self.settings.load().face {
            return None;
        }
        let jpeg = face::jpeg_of(&visit.portrait)?;
        let event = Face {
            specversion: "1.0".into(),
            id: Uuid::new_v4(),
            source: self.reporter.source.clone(),
            r#type: payload::FACE_TYPE.into(),
            time: rfc3339(visit.taken.wall),
            datacontenttype: "image/jpeg".into(),
            subject: visit.id.to_string(),
            expiresat: rfc3339(visit.taken.wall + self.settings.load().greeting),
            data_base64: STANDARD.encode(jpeg),
            signature: None,
        };
        let topic = self.reporter.topics.face(&visit.camera.gate);
        Some(self.perishable(FACE, topic, event.json().into(), visit.taken, Some(visit.visitor)))
    }

    /// What the screen shows to somebody whom it cannot name.
    pub(crate) fn notice(&self, notice: &Notice) -> Perishable {
        let (gate, wall) = (&notice.camera.gate, notice.taken.wall);
        let end = wall + self.settings.load().greeting;
        let data = payload::Notice { gate: gate.clone(), expires_at: rfc3339(end) };
        let body = Event::new(Uuid::new_v4(), &self.reporter.source, wall, data).until(end).json();
        self.perishable("notice", self.reporter.topics.notice(gate), body.into(), notice.taken, None)
    }

    fn perishable(
        &self,
        kind: &'static str,
        topic: String,
        body: Arc<[u8]>,
        decided: Moment,
        of: Option<VisitorId>,
    ) -> Perishable {
        let good_for: Duration = self.settings.load().greeting;
        Perishable { kind, topic, body, decided, good_for, of }
    }
}
