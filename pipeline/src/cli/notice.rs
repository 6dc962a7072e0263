//! `usher notice`: what visitors are told before they agree, and what somebody was told who agreed.

use crate::{
    cli::{
        Common, configured,
        enrol::until,
        list::{stamp, words},
    },
    clock::{Clock, SystemClock},
    gallery::notice::{LANGUAGES, Notice, Offer, Text},
    guide::retention,
};
use anyhow::{Context, bail};
use serde_json::json;
use std::{process::ExitCode, time::SystemTime};

/// Print the notice that visitors must have read before they are enrolled, as this site has it; or find the notice that a
/// record of consent names by its hash.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// In this language. Default: `en`; with --sha256, any.
    #[arg(long, value_name = "LANGUAGE")]
    language: Option<String>,
    /// For a pass without a face.
    #[arg(long)]
    no_face: bool,
    /// Where small pictures of the face are kept too (`usher enrol --keep-pictures`).
    #[arg(long, conflicts_with = "no_face")]
    keep_pictures: bool,
    /// Who holds the key: `box`, `visitor`, or `choice`, where the page lets the visitor choose. Default: as `usher enrol` does
    /// it here; with --sha256, any.
    #[arg(long, value_name = "WHO", conflicts_with = "no_face")]
    custody: Option<Held>,
    /// Kept until then: `2026-12-01` (that day included), `2026-12-01T18:00`, or RFC 3339 as a record has it
    /// (`retention_until`). Default: as for whoever enrols now.
    #[arg(long, value_name = "DATE")]
    until: Option<String>,
    /// Find the notice with this hash, of those that the other arguments leave open. Exit code 1 when there is none.
    #[arg(long, value_name = "HASH", value_parser = hash)]
    sha256: Option<String>,
}

/// Who holds the key, as the notice tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Held {
    Box,
    Visitor,
    Choice,
}

impl Held {
    fn name(self) -> &'static str {
        match self {
            Self::Box => "box",
            Self::Visitor => "visitor",
            Self::Choice => "choice",
        }
    }
}

/// A hash as records have it, in either case.
fn hash(text: &str) -> Result<String, String> {
    let text = text.trim().to_ascii_lowercase();
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then_some(text).ok_or_else(|| "a hash has 64 hexadecimal digits, as in the record's `sha256`".to_owned())
}

/// A notice of which nothing is left open; `held` tells nothing where there is no face.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Variant {
    face: bool,
    crops: bool,
    held: Held,
}

impl Variant {
    /// Every kind of notice that the page or `usher enrol` shows.
    fn all() -> impl Iterator<Item = Self> {
        let faces = [Held::Box, Held::Visitor, Held::Choice].into_iter();
        let faces = faces.flat_map(|held| [false, true].map(|crops| Self { face: true, crops, held }));
        faces.chain([Self { face: false, crops: false, held: Held::Visitor }])
    }

    fn offer(self) -> Offer {
        let (by_box, by_visitor) = (self.held != Held::Visitor, self.held != Held::Box);
        Offer { face: self.face, crops: self.crops, by_box, by_visitor }
    }
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let notice = Notice::of(&config)?;
    if let Some(language) = &args.language
        && !LANGUAGES.contains(&language.as_str())
    {
        bail!("the notice is not written in `{language}`; it may be in {}", LANGUAGES.join(", "));
    }
    let end = match &args.until {
        Some(text) => until(text, &jiff::tz::TimeZone::system())?,
        None => retention::end(&config, SystemClock::start().now().wall),
    };
    if let Some(sha256) = &args.sha256 {
        return Ok(find(common, args, &notice, end, sha256));
    }
    let held = args.custody.unwrap_or(if config.identifies() { Held::Box } else { Held::Visitor });
    let variant = Variant { face: !args.no_face, crops: args.keep_pictures, held };
    let language = args.language.as_deref().unwrap_or("en");
    let texts = notice.texts(variant.offer(), end);
    let shown = texts.get(language).with_context(|| {
        format!("this site has no notice in `{language}`: put {language}.txt into the folder `gallery: {{ notice: {{ texts }} }}`")
    })?;
    if common.json {
        println!("{}", json!({ "version": notice.version(), "sha256": shown.sha256, "text": shown.text }));
    } else {
        println!("{}", shown.text);
    }
    Ok(ExitCode::SUCCESS)
}

fn find(common: &Common, args: &Args, notice: &Notice, until: SystemTime, sha256: &str) -> ExitCode {
    let found = found(args, notice, until, sha256);
    let (version, at) = (notice.version(), words(until));
    match &found {
        Some((variant, language, text)) if common.json => {
            let Variant { face, crops, held } = variant;
            let about = json!({
                "found": true, "version": version, "language": language, "face": face, "crops": crops,
                "custody": face.then_some(held.name()), "until": stamp(until), "sha256": sha256, "text": text.text,
            });
            println!("{about}");
        }
        Some((variant, language, text)) => {
            let kind = match variant {
                Variant { face: false, .. } => "a pass without a face".to_owned(),
                Variant { crops, held, .. } => {
                    let crops = if *crops { ", pictures kept" } else { "" };
                    format!("a face{crops}, custody {}", held.name())
                }
            };
            println!("the notice in `{language}` for {kind}, until {at}:\n\n{}", text.text);
        }
        None if common.json => println!("{}", json!({ "found": false, "version": version, "until": stamp(until) })),
        None => println!(
            "no notice of this site with that end ({at}) has that hash. Give the record's `retention_until` as --until; its version \
             must be {version}, which the texts have now, and its time is by this machine's time zone"
        ),
    }
    if found.is_some() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The notice with this hash, of those that the arguments leave open.
fn found(args: &Args, notice: &Notice, until: SystemTime, sha256: &str) -> Option<(Variant, String, Text)> {
    let is_open = |variant: &Variant| {
        (!args.no_face || !variant.face)
            && (!args.keep_pictures || variant.crops)
            && args.custody.is_none_or(|held| variant.face && variant.held == held)
    };
    let is_it = |language: &str, text: &Text| {
        args.language.as_deref().is_none_or(|asked| asked == language) && text.sha256 == sha256
    };
    Variant::all().filter(is_open).find_map(|variant| {
        let texts = notice.texts(variant.offer(), until);
        texts
            .into_iter()
            .find(|(language, text)| is_it(language, text))
            .map(|(language, text)| (variant, language, text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{path::Path, time::Duration};

    fn notice() -> Notice {
        let yaml = "site: t\ncameras: { c: { url: /dev/video0 } }\ngates: { g: { cameras: [c] } }\n";
        Notice::of(&usher_config::from_text(yaml, "test", Path::new("")).unwrap()).unwrap()
    }

    fn anything() -> Args {
        Args { language: None, no_face: false, keep_pictures: false, custody: None, until: None, sha256: None }
    }

    #[test]
    fn every_notice_that_is_shown_is_found_by_its_hash_and_by_no_other_end() {
        let (notice, until) = (notice(), SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let mut seen = 0;
        for variant in Variant::all() {
            for (language, text) in notice.texts(variant.offer(), until) {
                seen += 1;
                let it = Some((variant, language.clone(), text.clone()));
                assert_eq!(found(&anything(), &notice, until, &text.sha256), it);
                let narrow = Args { language: Some(language), no_face: !variant.face, ..anything() };
                let custody = variant.face.then_some(variant.held);
                let narrow = Args { custody, keep_pictures: variant.crops, ..narrow };
                assert_eq!(found(&narrow, &notice, until, &text.sha256), it, "what it was shown for leads to it");
                assert_eq!(found(&anything(), &notice, until + Duration::from_secs(60), &text.sha256), None);
                let other = Args { language: Some("nowhere".into()), ..anything() };
                assert_eq!(found(&other, &notice, until, &text.sha256), None);
                if variant.face {
                    assert_eq!(found(&Args { no_face: true, ..anything() }, &notice, until, &text.sha256), None);
                }
            }
        }
        assert_eq!(seen, 7 * LANGUAGES.len());
    }

    #[test]
    fn what_is_no_hash_is_refused_with_what_one_is() {
        assert!(hash("ab").unwrap_err().contains("64 hexadecimal digits"));
        assert_eq!(hash(&"AB".repeat(32)).unwrap(), "ab".repeat(32));
    }
}
