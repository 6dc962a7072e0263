//! Values that the sections share: names, sizes, secrets.

use crate::text::{Textual, textual};
use std::{fmt, time::Duration};

/// A name that may stand in a topic: 1 to 32 of `a-z 0-9 _ -`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name, if it is one.
    pub fn new(text: &str) -> Option<Self> {
        let fits = (1..=32).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_' || b == b'-');
        fits.then(|| Self(text.to_owned()))
    }

    /// The name nearest to a text; `None` where nothing of it may stand in a name.
    pub fn near(text: &str) -> Option<Self> {
        let letter = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' { c } else { '-' };
        let mut near: String = text.to_lowercase().chars().map(letter).collect();
        while near.contains("--") {
            near = near.replace("--", "-");
        }
        let near: String = near.trim_matches('-').chars().take(32).collect();
        Self::new(near.trim_end_matches('-'))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

textual!(Name, "name", "gate-a");

impl garde::error::PathComponentKind for Name {
    fn component_kind() -> garde::error::Kind {
        garde::error::Kind::Key
    }
}

/// A password or key. `Debug`, and what is serialised, is `…`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes the text in.
    pub fn new(text: String) -> Self {
        Self(text)
    }

    /// The text itself; never to be logged.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("…")
    }
}

impl serde::Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str("…")
    }
}

impl<'de> serde::Deserialize<'de> for Secret {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from).map(Self)
    }
}

impl schemars::JsonSchema for Secret {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Secret".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "minLength": 1, "writeOnly": true })
    }
}

/// Width and height, written `640x384`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

textual!(Size, "size", "640x384");

/// A length of time, written `2 s`, `500 ms`, `10 min`.
///
/// Limits go into the schema: `#[schemars(extend("x-least" = "2 s", "x-most" = "60 s"))]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const UNITS: [(u128, &str); 4] = [(86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1_000, "s")];
        let ms = self.0.as_millis();
        // `24 h` and `72 h` are what people say; days begin where hours become hard to read.
        let unit =
            UNITS.iter().find(|(unit, name)| ms != 0 && ms.is_multiple_of(*unit) && (*name != "d" || ms / unit > 3));
        match unit {
            Some((unit, name)) => write!(f, "{} {name}", ms / unit),
            None => write!(f, "{ms} ms"),
        }
    }
}

textual!(Span, "duration", "2 s");

/// A share of visitors, written `1 per 1000` or `1 per 1000 visitors who never enrolled`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Share(pub f64);

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "1 per {} visitors who never enrolled", (1.0 / self.0).round())
    }
}

textual!(Share, "share", "1 per 1000 visitors who never enrolled");

/// Where something listens, written `127.0.0.1:8080`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listen(pub std::net::SocketAddr);

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

textual!(Listen, "listen", "127.0.0.1:8080");
