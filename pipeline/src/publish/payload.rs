//! Payloads: CloudEvents 1.0 in JSON, and what they carry.
//!
//! The types here are the contract with whoever listens: `docs/events` is generated from them. A field is added, never
//! renamed or removed, within `usher/v1`.

use crate::{
    flow::told::{GateFlow, GateForecast},
    guide::day::Day,
};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::time::SystemTime;
use usher_config::{programme::Status as Held, value::Name};
use uuid::Uuid;

/// The envelope: CloudEvents 1.0, structured mode, JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Event<T> {
    /// Always `1.0`.
    #[schemars(extend("const" = "1.0"))]
    pub specversion: String,
    /// Unique; the same event sent twice has the same id, so duplicates are told by it.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub id: Uuid,
    /// Which box made it: `/usher/SITE/box/BOX`.
    #[schemars(extend("format" = "uri-reference"))]
    pub source: String,
    /// What it is: `usher.visit.v1`, `usher.greeting.v1`, `usher.notice.v1`, `usher.programme.v1`,
    /// `usher.status.v1`, `usher.camera.v1`, `usher.flow.v1`, `usher.forecast.v1`.
    pub r#type: String,
    /// When it came about, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// Always `application/json`.
    #[schemars(extend("const" = "application/json"))]
    pub datacontenttype: String,
    /// What it is about: the visit's id, or the gate's, camera's or box's name.
    pub subject: String,
    /// To be acted on no more from then on, RFC 3339. Absent of retained states, of which the newest holds.
    #[schemars(extend("format" = "date-time"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expiresat: Option<String>,
    /// The event itself.
    pub data: T,
    /// Ed25519 by the box's key, 128 hexadecimal digits: of the topic, a line feed, and all bytes that stand before
    /// `,"signature":"`. Always last in the text, put there when it is sent.
    #[schemars(regex(pattern = "^[0-9a-f]{128}$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// The face that goes with a greeting: CloudEvents 1.0 with the picture in `data_base64`.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "FaceEvent")]
pub struct Face {
    /// Always `1.0`.
    #[schemars(extend("const" = "1.0"))]
    pub specversion: String,
    /// Unique.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub id: Uuid,
    /// Which box made it: `/usher/SITE/box/BOX`.
    #[schemars(extend("format" = "uri-reference"))]
    pub source: String,
    /// Always `usher.face.v1`.
    #[schemars(extend("const" = "usher.face.v1"))]
    pub r#type: String,
    /// When the visit was decided, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub time: String,
    /// Always `image/jpeg`.
    #[schemars(extend("const" = "image/jpeg"))]
    pub datacontenttype: String,
    /// The visit's id: equals `data.visit` of its greeting.
    #[schemars(extend("format" = "uuid"))]
    pub subject: String,
    /// Not to be shown or kept from then on, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub expiresat: String,
    /// A JPEG of at most 320 x 320 pixels and 48 KiB, base64.
    #[schemars(extend("contentEncoding" = "base64", "contentMediaType" = "image/jpeg"))]
    pub data_base64: String,
    /// As that of every other event; always last, put there when it is sent.
    #[schemars(regex(pattern = "^[0-9a-f]{128}$"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// Somebody known came to a gate. Holds no name: an opaque id only.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Visit {
    /// The visit.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub visit: Uuid,
    /// Where.
    pub gate: Name,
    /// Which camera saw it.
    pub camera: Name,
    /// Who, as an opaque id.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub visitor: Uuid,
    /// When the first usable look was taken, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub first_look_at: String,
    /// When the look that settled it was taken, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub decided_at: String,
    /// Comparison score of the pooled looks, cosine, -1..=1.
    pub score: Option<f64>,
    /// Score of the second different person, if any was close.
    pub second: Option<f64>,
    /// What the score had to reach.
    pub threshold: f64,
    /// Looks that counted.
    pub looks: u32,
    /// People enrolled at that moment.
    pub enrolled: u64,
}

/// What the screen shows to one visitor, for a few seconds.
#[derive(Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Greeting {
    /// The visit it belongs to.
    #[schemars(with = "String", extend("format" = "uuid"))]
    pub visit: Uuid,
    /// Where.
    pub gate: Name,
    /// The name to show: text, never markup.
    pub name: String,
    /// The favourite sport.
    pub sport: String,
    /// Its next sessions, at most three, soonest first.
    pub sessions: Vec<Session>,
    /// The language to greet in, BCP 47; absent: the venue's.
    pub language: Option<String>,
    /// The same for everybody who asked to be greeted together, so that a screen may greet them as one; says nothing else, and
    /// is another after each start. Absent: alone.
    pub party: Option<String>,
    /// What the rest of the day could be; absent where there is nothing to plan.
    pub day: Option<Day>,
    /// Where the day can be taken along, to be shown as a QR code: a page without name or face, until the day ends.
    pub take: Option<String>,
    /// Not to be shown or kept from then on, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub expires_at: String,
    /// Where the face that goes with it is sent; absent when none is.
    pub face_topic: Option<String>,
}

/// What the screen shows, for a few seconds, to somebody who enrolled and whom a name might wrong: they are too much like
/// somebody else who did. No name, no id, no face.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Notice {
    /// Where.
    pub gate: Name,
    /// Not to be shown or kept from then on, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub expires_at: String,
}

/// One session of a sport.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Session {
    /// What it is told by when its time or place changes.
    pub id: String,
    /// What it is, for example `Women's 100 m, heats`.
    pub title: String,
    /// The building or ground.
    pub venue: String,
    /// Where in it, for example `Block C, row 4`.
    pub place: String,
    /// RFC 3339, with the venue's offset.
    #[schemars(extend("format" = "date-time"))]
    pub starts: String,
    /// RFC 3339, with the venue's offset.
    #[schemars(extend("format" = "date-time"))]
    pub ends: String,
    /// The gate to take, where the programme names one.
    pub gate: Option<Name>,
    /// Whether it is held as announced.
    pub status: Held,
}

/// What of the programme is not as announced. Retained; about sessions, never about people.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Programme {
    /// Which box tells.
    #[serde(rename = "box")]
    pub box_name: Name,
    /// Sessions of the next 24 hours that are delayed, moved, sold out or cancelled, at most twenty, soonest first; none: all is as
    /// announced.
    pub changes: Vec<Change>,
}

/// A session that is not held as announced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// The sport.
    pub sport: String,
    /// The session, with its times and place as they are now.
    #[serde(flatten)]
    pub session: Session,
}

/// How a box is. Retained; the last will says `offline`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Status {
    /// Which box.
    #[serde(rename = "box")]
    pub box_name: Name,
    /// Whether it is connected.
    pub state: Presence,
    /// Whether weights are checked, networks warmed, gallery and outbox open.
    pub ready: bool,
    /// What is wrong with the outbox, if anything, in one sentence.
    pub outbox_trouble: Option<String>,
    /// Which usher.
    pub version: String,
}

/// Whether a box is connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// Connected.
    Online,
    /// Not connected: stopped in order, or vanished (last will).
    Offline,
}

/// How a camera is. Retained.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CameraState {
    /// Which camera.
    pub camera: Name,
    /// Which box reads it.
    #[serde(rename = "box")]
    pub box_name: Name,
    /// How it is.
    pub state: Sight,
    /// Why it is lost, in one sentence without credentials.
    pub reason: Option<String>,
    /// Lost since, RFC 3339.
    #[schemars(extend("format" = "date-time"))]
    pub since: Option<String>,
}

/// Whether a camera's frames arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Sight {
    /// No frame yet.
    Connecting,
    /// Frames arrive.
    Live,
    /// None do.
    Lost,
}

impl std::fmt::Debug for Greeting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Greeting({}, …)", self.visit)
    }
}

impl std::fmt::Debug for Face {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Face({}, …)", self.subject)
    }
}

/// What [`Event::data`] may be.
pub trait Data: Serialize {
    /// The event's type.
    const TYPE: &'static str;
    /// What it is about.
    fn subject(&self) -> String;
}

impl Data for Visit {
    const TYPE: &'static str = "usher.visit.v1";
    fn subject(&self) -> String {
        self.visit.to_string()
    }
}

impl Data for Greeting {
    const TYPE: &'static str = "usher.greeting.v1";
    fn subject(&self) -> String {
        self.visit.to_string()
    }
}

impl Data for Notice {
    const TYPE: &'static str = "usher.notice.v1";
    fn subject(&self) -> String {
        self.gate.to_string()
    }
}

impl Data for Programme {
    const TYPE: &'static str = "usher.programme.v1";
    fn subject(&self) -> String {
        self.box_name.to_string()
    }
}

impl Data for Status {
    const TYPE: &'static str = "usher.status.v1";
    fn subject(&self) -> String {
        self.box_name.to_string()
    }
}

impl Data for CameraState {
    const TYPE: &'static str = "usher.camera.v1";
    fn subject(&self) -> String {
        self.camera.to_string()
    }
}

impl Data for GateFlow {
    const TYPE: &'static str = "usher.flow.v1";
    fn subject(&self) -> String {
        self.gate.to_string()
    }
}

impl Data for GateForecast {
    const TYPE: &'static str = "usher.forecast.v1";
    fn subject(&self) -> String {
        self.gate.to_string()
    }
}

/// The type of [`Face`].
pub const FACE_TYPE: &str = "usher.face.v1";

/// Which box speaks: the `source` of its events.
pub fn source(site: &Name, box_name: &Name) -> String {
    format!("/usher/{site}/box/{box_name}")
}

impl<T: Data> Event<T> {
    /// `data` in its envelope, from `source`, come about at `time`.
    pub fn new(id: Uuid, source: &str, time: SystemTime, data: T) -> Self {
        Self {
            specversion: "1.0".into(),
            id,
            source: source.into(),
            r#type: T::TYPE.into(),
            time: rfc3339(time),
            datacontenttype: "application/json".into(),
            subject: data.subject(),
            expiresat: None,
            data,
            signature: None,
        }
    }

    /// The same, to be acted on until `end` only.
    pub fn until(self, end: SystemTime) -> Self {
        Self { expiresat: Some(rfc3339(end)), ..self }
    }

    /// As bytes of JSON.
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("payloads hold texts and finite numbers only")
    }
}

impl Face {
    /// As bytes of JSON.
    pub fn json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("payloads hold texts only")
    }
}

/// `time` in UTC with milliseconds, for example `2026-07-26T17:03:00.125Z`.
pub fn rfc3339(time: SystemTime) -> String {
    // A clock outside jiff's years -9999..=9999 is broken beyond naming an hour; the epoch says so plainly.
    let time = Timestamp::try_from(time).unwrap_or(Timestamp::UNIX_EPOCH);
    format!("{time:.3}")
}

#[cfg(test)]
mod tests;
