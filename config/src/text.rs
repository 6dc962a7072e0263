//! Values that are written as text, and how each is read.
//!
//! Every such type has a `format` in the schema. The check of a document asks `check` by that format, so that a bad
//! value is reported at its place; serde asks the same reader.

use crate::value::{Listen, Name, Share, Size, Span};
use std::{net::SocketAddr, time::Duration};

/// What is wrong with a text, and the mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}; {mend}")]
pub struct Unfit {
    /// What is wrong, one lower-case clause without the value's key.
    pub message: String,
    /// What to do, one sentence.
    pub mend: String,
}

/// Makes an [`Unfit`].
pub(crate) fn unfit<T>(message: impl Into<String>, mend: impl Into<String>) -> Result<T, Unfit> {
    Err(Unfit { message: message.into(), mend: mend.into() })
}

/// A value that is written as text.
pub trait Textual: Sized {
    /// Reads it.
    ///
    /// # Errors
    /// What is wrong with the text, and the mend.
    fn read(text: &str) -> Result<Self, Unfit>;
}

/// Gives a [`Textual`] and `Display` type its serde and schema: a string of that format.
macro_rules! textual {
    ($type:ident, $format:literal, $example:literal) => {
        impl serde::Serialize for $type {
            fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = <String as serde::Deserialize>::deserialize(from)?;
                <$type as Textual>::read(&text).map_err(serde::de::Error::custom)
            }
        }

        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn inline_schema() -> bool {
                true
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "format": $format, "examples": [$example] })
            }
        }
    };
}
pub(crate) use textual;

/// Checks a text against a format of the schema; formats that are not ours pass.
pub(crate) fn check(format: &str, text: &str) -> Result<(), Unfit> {
    fn as_a<T: Textual>(text: &str) -> Result<(), Unfit> {
        T::read(text).map(drop)
    }
    match format {
        "name" => as_a::<Name>(text),
        "network" => as_a::<crate::reach::Network>(text),
        "event-key" => as_a::<crate::signage::Key>(text),
        "duration" => as_a::<Span>(text),
        "size" => as_a::<Size>(text),
        "input-size" => as_a::<crate::infer::Input>(text),
        "share" => as_a::<Share>(text),
        "listen" => as_a::<Listen>(text),
        "device" => as_a::<crate::infer::Device>(text),
        "source" => as_a::<crate::capture::Url>(text),
        "broker" => as_a::<crate::publish::BrokerUrl>(text),
        "websocket" => as_a::<crate::publish::WebSocket>(text),
        "time-zone" => as_a::<crate::programme::times::Zone>(text),
        "instant" => as_a::<crate::gallery::At>(text),
        "language" => as_a::<crate::signage::Language>(text),
        "night" => as_a::<crate::signage::Night>(text),
        "https" => as_a::<crate::web::HttpsAddress>(text),
        "moment" => as_a::<crate::programme::times::Moment>(text),
        "daytime" => as_a::<crate::wishes::Daytime>(text),
        _ => Ok(()),
    }
}

impl Textual for Name {
    fn read(text: &str) -> Result<Self, Unfit> {
        if let Some(name) = Self::new(text) {
            return Ok(name);
        }
        let hint = Self::near(text).map(|near| format!(", for instance `{near}`")).unwrap_or_default();
        unfit(format!("`{text}` is no name"), format!("use 1 to 32 of a-z, 0-9, `_` and `-`{hint}"))
    }
}

impl Textual for Span {
    fn read(text: &str) -> Result<Self, Unfit> {
        let compact: String = text.split_whitespace().collect();
        if let Ok(length) = humantime::parse_duration(&compact) {
            // Years upward no longer add to wall time everywhere.
            if length <= Duration::from_secs(366 * 86_400) {
                return Ok(Self(length));
            }
            return unfit(format!("`{text}` is more than a year"), "write a shorter time, such as `72 h`");
        }
        let number = !compact.is_empty() && compact.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        if number && !compact.contains('.') {
            return unfit(
                format!("`{text}` has no unit"),
                format!("write the unit as well: `{text} ms`, `{text} s` or `{text} min`"),
            );
        }
        unfit(format!("`{text}` is no length of time"), "write a number and a unit: `500 ms`, `2 s`, `10 min`, `24 h`")
    }
}

impl Textual for Size {
    fn read(text: &str) -> Result<Self, Unfit> {
        let sides = text.split_once(['x', '×', 'X']).and_then(|(width, height)| {
            let side = |text: &str| text.trim().parse::<u32>().ok().filter(|side| (1..=16_384).contains(side));
            Some(Self { width: side(width)?, height: side(height)? })
        });
        match sides {
            Some(size) => Ok(size),
            None => unfit(format!("`{text}` is no size"), "write width x height in pixels, such as `640x384`"),
        }
    }
}

impl Textual for Share {
    fn read(text: &str) -> Result<Self, Unfit> {
        let mend = "write `1 per 1000 visitors who never enrolled`, or shorter `1 per 1000`";
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short = words.strip_suffix(" visitors who never enrolled").unwrap_or(&words);
        let parts = short.split_once(" per ").and_then(|(some, of)| {
            let number = |text: &str| text.replace(['_', '\''], "").parse::<f64>().ok().filter(|n| n.is_finite());
            Some((number(some)?, number(of)?))
        });
        let Some((some, of)) = parts else {
            return unfit(format!("`{text}` is no share of visitors"), mend);
        };
        let share = some / of;
        if some > 0.0 && share > 0.0 && share <= 0.01 {
            return Ok(Self(share));
        }
        unfit(format!("`{text}` is not between none and 1 per 100"), format!("{mend}; at most 1 per 100"))
    }
}

impl Textual for Listen {
    fn read(text: &str) -> Result<Self, Unfit> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            return Ok(Self(address));
        }
        let mend = "write address and port, such as `127.0.0.1:8080`; `0.0.0.0:8080` is reachable from the network";
        if let Some(port) = text.strip_prefix("localhost:").filter(|port| port.parse::<u16>().is_ok()) {
            return unfit("`localhost` is a name, not an address", format!("write `127.0.0.1:{port}`"));
        }
        unfit(format!("`{text}` is no address to listen on"), mend)
    }
}
