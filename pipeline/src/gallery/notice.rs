//! The notice: what a visitor is told before they agree, in their language.
//!
//! A text for each language, usher's or the site's own. Paragraphs that begin with `[face]`, `[plain]`, `[crops]`, `[pass]`,
//! `[choice]`, `[box]`, `[visitor]` or `[always]` are told only where they are true; `{controller}`, `{contact}`, `{site}`, `{until}` and `{age}` are filled in.
//! What was shown is known by its SHA-256, which stands in the consent.

use crate::gallery::consent::{Consent, Place};
use data_encoding::HEXLOWER;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use std::{collections::BTreeMap, fs, io, path::PathBuf, time::SystemTime};
use usher_config::Config;

/// The languages that the pages speak, BCP 47.
pub const LANGUAGES: [&str; 6] = ["en", "ko", "zh", "fr", "es", "ar"];

const OWN: [&str; 6] = [
    include_str!("notice/en.txt"),
    include_str!("notice/ko.txt"),
    include_str!("notice/zh.txt"),
    include_str!("notice/fr.txt"),
    include_str!("notice/es.txt"),
    include_str!("notice/ar.txt"),
];

/// What is offered, and so what the notice must tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// Whether a template is made of the face.
    pub face: bool,
    /// Whether small pictures of the face are kept too.
    pub crops: bool,
    /// Whether the box may hold the key.
    pub by_box: bool,
    /// Whether the visitor may.
    pub by_visitor: bool,
}

/// One language's text as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Text {
    /// SHA-256 of the text, 64 hexadecimal digits.
    pub sha256: String,
    /// Paragraphs, separated by empty lines; plain text.
    pub text: String,
}

/// The notice of this site.
#[derive(Clone, Debug)]
pub struct Notice {
    texts: BTreeMap<String, String>,
    controller: String,
    contact: String,
    site: String,
    age: u8,
}

impl Notice {
    /// The configured one.
    ///
    /// # Errors
    /// When a text of the site's own cannot be read; the path is in the error.
    pub fn of(config: &Config) -> io::Result<Self> {
        let settings = &config.gallery.notice;
        let mut texts = BTreeMap::new();
        for (language, own) in LANGUAGES.into_iter().zip(OWN) {
            let text = match &settings.texts {
                None => Some(own.to_owned()),
                Some(folder) => read(&folder.join(format!("{language}.txt")))?,
            };
            texts.extend(text.map(|text| (language.to_owned(), text)));
        }
        Ok(Self {
            texts,
            controller: settings.controller.clone().unwrap_or_else(|| config.site.to_string()),
            contact: settings.contact.clone().unwrap_or_default(),
            site: config.site.to_string(),
            age: settings.guardian_age,
        })
    }

    /// Who answers for the data.
    pub fn controller(&self) -> &str {
        &self.controller
    }

    /// How they are reached.
    pub fn contact(&self) -> &str {
        &self.contact
    }

    /// The consent to the text with this hash.
    pub fn consent(&self, sha256: &str, language: &str, place: Place, guardian: Option<String>) -> Consent {
        Consent {
            version: self.version(),
            sha256: sha256.to_owned(),
            language: language.to_owned(),
            controller: self.controller.clone(),
            contact: self.contact.clone(),
            site: self.site.clone(),
            place,
            guardian,
        }
    }

    /// The version: a short hash of all texts before anything is filled in.
    pub fn version(&self) -> String {
        let mut all = Sha256::new();
        for (language, text) in &self.texts {
            all.update(language);
            all.update(text);
        }
        HEXLOWER.encode(&all.finalize()[..4])
    }

    /// What is shown for this offer, by language. `until` is when what is kept will be gone.
    pub fn texts(&self, offer: Offer, until: SystemTime) -> BTreeMap<String, Text> {
        let shown = |(language, text): (&String, &String)| {
            let text = self.filled_in(text, offer, until);
            (language.clone(), Text { sha256: hash(&text), text })
        };
        self.texts.iter().map(shown).collect()
    }

    fn filled_in(&self, text: &str, offer: Offer, until: SystemTime) -> String {
        let tells = |tag: &str| match tag {
            "face" => offer.face,
            "pass" => !offer.face,
            "plain" => offer.face && !offer.crops,
            "crops" => offer.face && offer.crops,
            "choice" => offer.by_box && offer.by_visitor,
            "box" => offer.face && offer.by_box,
            "visitor" => offer.by_visitor || !offer.face,
            _ => true,
        };
        let line = |line: &str| match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((tag, rest)) => tells(tag).then(|| format!("{rest}\n")),
            None => Some(line.to_owned()),
        };
        let told: Vec<String> = text.trim().lines().filter_map(line).collect();
        let zone = jiff::tz::TimeZone::system();
        let until = jiff::Timestamp::try_from(until).map(|at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string());
        let mut text = told.join("\n");
        while text.contains("\n\n\n") {
            text = text.replace("\n\n\n", "\n\n");
        }
        text.replace("{controller}", &self.controller)
            .replace("{contact}", &self.contact)
            .replace("{site}", &self.site)
            .replace("{until}", &until.unwrap_or_default())
            .replace("{age}", &self.age.to_string())
    }
}

/// A text of the site's own; a language without one is not offered.
fn read(path: &PathBuf) -> io::Result<Option<String>> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io::Error::new(error.kind(), format!("{}: {error}", path.display()))),
    }
}

fn hash(text: &str) -> String {
    HEXLOWER.encode(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notice() -> Notice {
        let yaml = "site: north-park\ncameras: { c: { url: /dev/video0 } }\ngates: { g: { cameras: [c] } }\n\
                    gallery: { notice: { controller: North Park, contact: a@b.example } }\n";
        Notice::of(&usher_config::from_text(yaml, "test", std::path::Path::new("")).unwrap()).unwrap()
    }

    #[test]
    fn every_language_tells_only_what_is_offered_and_leaves_nothing_open() {
        let until = SystemTime::UNIX_EPOCH;
        for (face, crops, by_box, by_visitor) in [
            (true, false, true, false),
            (true, true, true, false),
            (true, false, false, true),
            (true, false, true, true),
            (false, false, false, true),
        ] {
            let offer = Offer { face, crops, by_box, by_visitor };
            let texts = notice().texts(offer, until);
            assert_eq!(texts.len(), LANGUAGES.len());
            for (language, shown) in &texts {
                let (own, text) = (OWN[LANGUAGES.iter().position(|own| own == language).unwrap()], &shown.text);
                assert!(!text.contains(['{', '}', '[', ']']), "{language}: {text}");
                assert!(
                    text.contains("North Park") && text.contains("a@b.example") && text.contains("16"),
                    "{language}"
                );
                for (tag, told) in [
                    ("face", face),
                    ("plain", face && !crops),
                    ("crops", crops),
                    ("pass", !face),
                    ("choice", by_box && by_visitor),
                    ("box", by_box),
                    ("visitor", by_visitor),
                ] {
                    let line = own.lines().find_map(|line| line.strip_prefix(&format!("[{tag}]"))).unwrap();
                    assert_eq!(text.contains(line), told, "{language} {tag} {offer:?}");
                }
                assert_eq!(shown.sha256, hash(text));
            }
        }
    }

    #[test]
    fn another_text_is_another_version() {
        let mut other = notice();
        other.texts.insert("en".into(), "Other.".into());
        assert_ne!(other.version(), notice().version());
        assert_eq!(notice().version(), notice().version());
    }
}
