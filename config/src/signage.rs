//! Section `signage`: how the big screens look, and what they show while nobody is greeted.

use crate::{
    document::Checks,
    text::{Textual, Unfit, textual, unfit},
    value::Span,
};
use garde::Validate;
use jiff::civil::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{
    fmt,
    path::{Path, PathBuf},
    time::Duration,
};

/// Languages that screens speak, BCP 47.
pub const LANGUAGES: [&str; 6] = ["en", "ko", "zh", "fr", "es", "ar"];

/// How the screens look.
#[derive(Clone, Debug, PartialEq)]
pub struct Signage {
    /// Whoever told no language is greeted in this one, of [`LANGUAGES`]. Default `en`.
    pub language: String,
    /// A folder with `theme.css` and what it names.
    pub theme: Option<PathBuf>,
    /// A folder with films and pictures.
    pub playlist: Option<PathBuf>,
    /// How long a picture of the playlist stays. Default 10 s.
    pub slide: Duration,
    /// From when until when screens are dimmed, by the box's clock.
    pub night: Option<Night>,
    /// Public keys of the site's other boxes whose events the screens show.
    pub keys: Vec<Key>,
}

/// The section as written; paths are relative to the configuration's folder.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Written {
    /// The language of whoever told none: `en`, `ko`, `zh`, `fr`, `es` or `ar`.
    #[garde(skip)]
    pub language: Language,
    /// A folder with `theme.css`, which sets the screens' colours and typeface, and with the files it names.
    #[garde(skip)]
    pub theme: Option<PathBuf>,
    /// A folder with films (`.mp4`, `.webm`) and pictures (`.jpg`, `.png`, `.webp`, `.svg`), shown by name while nobody is greeted.
    #[garde(skip)]
    pub playlist: Option<PathBuf>,
    /// How long a picture of the playlist stays on the screen.
    #[garde(skip)]
    #[schemars(extend("x-least" = "2 s", "x-most" = "10 min"))]
    pub slide: Span,
    /// When screens are dimmed, such as `21:00-06:00`.
    #[garde(skip)]
    pub night: Option<Night>,
    /// Public keys of the site's other boxes (`usher events key` there) whose events these screens show as well as this box's.
    #[garde(length(max = 64))]
    pub keys: Vec<Key>,
}

impl Default for Written {
    fn default() -> Self {
        let slide = Span(Duration::from_secs(10));
        Self { language: Language::default(), theme: None, playlist: None, slide, night: None, keys: Vec::new() }
    }
}

impl Written {
    pub(crate) fn meant(&self, folder: &Path) -> Signage {
        let at = |path: &Option<PathBuf>| path.as_ref().map(|path| folder.join(path));
        Signage {
            language: self.language.0.clone(),
            theme: at(&self.theme),
            playlist: at(&self.playlist),
            slide: self.slide.0,
            night: self.night,
            keys: self.keys.clone(),
        }
    }
}

/// A language that screens speak, as written.
#[derive(Clone, Debug, PartialEq)]
pub struct Language(String);

impl Default for Language {
    fn default() -> Self {
        Self("en".to_owned())
    }
}

textual!(Language, "language", "en");

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Textual for Language {
    fn read(text: &str) -> Result<Self, Unfit> {
        if LANGUAGES.contains(&text) {
            return Ok(Self(text.to_owned()));
        }
        let known = LANGUAGES.map(|language| format!("`{language}`")).join(", ");
        unfit(format!("screens do not speak `{text}`"), format!("write one of {known}"))
    }
}

/// The public key that a box's events are held against, written as 64 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key(pub [u8; 32]);

textual!(Key, "event-key", "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl Textual for Key {
    fn read(text: &str) -> Result<Self, Unfit> {
        let digit = |digit: &u8| char::from(*digit).to_digit(16).map(|digit| digit as u8);
        let byte = |pair: &[u8; 2]| Some(digit(&pair[0])? << 4 | digit(&pair[1])?);
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        let bytes: Option<Vec<u8>> = pairs.iter().map(byte).collect();
        match bytes.filter(|_| rest.is_empty()).map(<[u8; 32]>::try_from) {
            Some(Ok(bytes)) => Ok(Self(bytes)),
            _ => unfit(
                format!("`{text}` is no public key"),
                "write the 64 hexadecimal digits that `usher events key` prints on that box",
            ),
        }
    }
}

/// A time from an hour to an hour, over midnight or not, written `21:00-06:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Night {
    /// Its beginning.
    pub from: Time,
    /// Its end.
    pub to: Time,
}

textual!(Night, "night", "21:00-06:00");

impl fmt::Display for Night {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{:02}:{:02}-{:02}:{:02}", from.hour(), from.minute(), to.hour(), to.minute())
    }
}

impl Textual for Night {
    fn read(text: &str) -> Result<Self, Unfit> {
        let time = |text: &str| {
            let (hour, minute) = text.trim().split_once(':')?;
            let number = |text: &str| text.parse::<i8>().ok().filter(|_| (1..=2).contains(&text.len()));
            Time::new(number(hour)?, number(minute)?, 0, 0).ok()
        };
        let both = text.split_once(['-', '–']).and_then(|(from, to)| Some((time(from)?, time(to)?)));
        match both {
            Some((from, to)) if from != to => Ok(Self { from, to }),
            Some(_) => {
                unfit(format!("`{text}` ends when it begins"), "write two different times, such as `21:00-06:00`")
            }
            None => {
                unfit(format!("`{text}` is no night"), "write two times with a hyphen between, such as `21:00-06:00`")
            }
        }
    }
}

/// The folders are there, and the theme has its stylesheet.
pub(crate) fn check(checks: &mut Checks<'_>, folder: &Path) {
    let Some(signage) = checks.root.get("signage") else { return };
    for key in ["theme", "playlist"] {
        let Some(node) = signage.get(key) else { continue };
        let Some(path) = node.text().map(|text| folder.join(text)) else { continue };
        let mend = match key {
            _ if !path.is_dir() => {
                "make that folder, or mend the path: it is relative to the folder of the configuration"
            }
            "theme" if !path.join("theme.css").is_file() => {
                "put a `theme.css` there: docs/signage.md names what it may set"
            }
            _ => continue,
        };
        let message = if path.is_dir() {
            format!("the theme `{}` has no `theme.css`", path.display())
        } else {
            format!("the folder `{}` is not there", path.display())
        };
        checks.find(node.span.clone(), format!("signage.{key}"), message, mend);
    }
}
