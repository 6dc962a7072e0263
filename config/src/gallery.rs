//! Section `gallery`: the people who asked to be known.

use crate::{
    document::Checks,
    text::{Textual, Unfit, textual, unfit},
    value::Span,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

/// Keys and keeping.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    /// The box key's file (0600). `None`: systemd credential `gallery.key` where there is one, else `DATA/gallery.key`,
    /// made at first use.
    pub key: Option<PathBuf>,
    /// How long a visitor is kept after the event's end; after enrolment where no end is known. Default 24 h, at most 30
    /// days.
    pub keep: Duration,
    /// When the event ends; without it, the end of the programme's last session.
    pub event_ends: Option<SystemTime>,
    /// What visitors are told before they agree.
    pub notice: Notice,
}

/// What visitors are told before they agree.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    /// Who answers for the data.
    pub controller: Option<String>,
    /// How they are reached.
    pub contact: Option<String>,
    /// The site's own texts, `LANGUAGE.txt` each; without it, usher's.
    pub texts: Option<PathBuf>,
    /// Below this age a parent or guardian must agree, years. Default 16 (GDPR, article 8).
    pub guardian_age: u8,
}

impl Default for Notice {
    fn default() -> Self {
        Self { controller: None, contact: None, texts: None, guardian_age: 16 }
    }
}

/// The section as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The box key's file (0600). Without it: the systemd credential `gallery.key` where there is one, else
    /// `gallery.key` in the data folder, made at first use.
    #[garde(skip)]
    pub key: Option<PathBuf>,
    /// How long a visitor is kept after the event's end; after enrolment where no end is known. Nobody is kept for more
    /// than 30 days, whatever is written here.
    #[garde(skip)]
    #[schemars(extend("x-least" = "1 min", "x-most" = "30 d"))]
    pub keep: Span,
    /// When the event ends, with its offset: `2026-12-06T23:00+09:00`. Without it, the end of the programme's last session.
    #[garde(skip)]
    pub event_ends: Option<At>,
    /// What visitors are told before they agree, and by whom.
    #[garde(dive)]
    pub notice: WrittenNotice,
}

/// The keys of `notice` as written.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WrittenNotice {
    /// Who answers for the data: the organiser's name and address. Enrolment of visitors by themselves needs it.
    #[garde(inner(length(chars, min = 3, max = 300)))]
    #[schemars(extend("examples" = ["North Park Events, 1 Park Road, Northtown"]))]
    pub controller: Option<String>,
    /// How they are reached: an e-mail address or a telephone number.
    #[garde(inner(length(chars, min = 3, max = 200)))]
    #[schemars(extend("examples" = ["privacy@north-park.example"]))]
    pub contact: Option<String>,
    /// A folder with the site's own texts, `en.txt`, `ko.txt`, …; without it, usher's.
    #[garde(skip)]
    pub texts: Option<PathBuf>,
    /// Below this age a parent or guardian must agree, years.
    #[garde(range(min = 13, max = 21))]
    pub guardian_age: u32,
}

impl Default for WrittenNotice {
    fn default() -> Self {
        Self { controller: None, contact: None, texts: None, guardian_age: 16 }
    }
}

/// A moment with its offset, RFC 3339; seconds may be left out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct At(pub jiff::Timestamp);

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

textual!(At, "instant", "2026-12-06T23:00+09:00");

impl Textual for At {
    fn read(text: &str) -> Result<Self, Unfit> {
        match text.parse() {
            Ok(at) => Ok(Self(at)),
            Err(_) => unfit(format!("`{text}` is no moment"), "write date, time and offset: `2026-12-06T23:00+09:00`"),
        }
    }
}

impl Default for Written {
    fn default() -> Self {
        let keep = Span(Duration::from_secs(24 * 3600));
        Self { key: None, keep, event_ends: None, notice: WrittenNotice::default() }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Gallery {
        let notice = Notice {
            controller: self.notice.controller.clone(),
            contact: self.notice.contact.clone(),
            texts: self.notice.texts.as_ref().map(|texts| folder.join(texts)),
            guardian_age: u8::try_from(self.notice.guardian_age).unwrap_or(u8::MAX),
        };
        Gallery {
            key: self.key.as_ref().map(|key| folder.join(key)),
            keep: self.keep.0,
            event_ends: self.event_ends.map(|at| at.0.into()),
            notice,
        }
    }
}

/// The folder of texts is there.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    let notice = checks.root.get("gallery").and_then(|gallery| gallery.get("notice"));
    let Some(node) = notice.and_then(|notice| notice.get("texts")) else { return };
    let Some(path) = node.text().map(|text| folder.join(text)).filter(|path| !path.join("en.txt").is_file()) else {
        return;
    };
    let message = format!("`{}` has no `en.txt`", path.display());
    let mend = "put the notice there, one file for each language, English at least";
    checks.find(node.span.clone(), "gallery.notice.texts", message, mend);
}
