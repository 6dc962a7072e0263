//! `usher enrol`: a visitor who asked to be known.

use crate::{
    cli::{
        Common, MEND_ME,
        list::{code, opened, stamp, words},
    },
    clock::{Clock, SystemClock},
    gallery::{
        audit::deed::Why,
        consent::{CEILING, Consent, Place},
        enrol::{Duplicate, EnrolError, Enroller, Wish},
        name::{shown, shown as shown_name, sport_of},
        notice::{Notice, Offer},
        picture::Picture,
        symbol::{link_of, svg, write_private},
        visitor::{Custody, VisitorId},
    },
    guide::retention,
};
use anyhow::{Context, bail};
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, time::SystemTime};
use usher_config::Config;

/// Enrol a visitor who asked for it, from pictures that show nobody else. Recognised within a second.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The name that the screen shall show, at most 40 letters.
    #[arg(long)]
    name: String,
    /// The favourite sport, as in the programme.
    #[arg(long)]
    sport: String,
    /// Keep until then: `2026-12-01` (that day included), `2026-12-01T18:00` or RFC 3339. At most 30 days.
    #[arg(long, value_name = "DATE", conflicts_with = "keep")]
    until: Option<String>,
    /// Keep for this long: `24 h`, `3 days`. Default: the key `gallery: { keep: … }`.
    #[arg(long, value_name = "TIME")]
    keep: Option<String>,
    /// If this face is enrolled already, put this enrolment in the place of the other.
    #[arg(long, conflicts_with = "beside")]
    again: bool,
    /// If this face is enrolled already, enrol beside it, as one household: twins. The gate will often name neither.
    #[arg(long)]
    beside: bool,
    /// Who of those enrolled they may be taken for, such as a twin, a sister, a father; may be given again. Where the gate
    /// cannot tell a household apart by far, it greets without a name.
    #[arg(long, value_name = "ID")]
    household: Vec<uuid::Uuid>,
    /// They agreed that the crops of their face are kept, sealed, as long as the rest: another embedder then needs no new
    /// pictures (`usher migrate`).
    #[arg(long)]
    keep_pictures: bool,
    /// They have read the notice (`usher notice`) and agreed. Nobody is enrolled without it.
    #[arg(long)]
    agreed: bool,
    /// The language in which they read it.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: String,
    /// The parent or guardian who agreed, for a minor.
    #[arg(long, value_name = "NAME")]
    guardian: Option<String>,
    /// Who holds the key: `box`, where a gate is in mode `identification`, or `visitor`, in the pass alone. Default: `box` where
    /// that is allowed.
    #[arg(long, value_name = "WHO")]
    custody: Option<Held>,
    /// Write the visitor's QR pass to this file, SVG. It is shown once; nobody can make it again.
    #[arg(long, value_name = "FILE")]
    pass: Option<PathBuf>,
    /// JPEG, PNG or WebP pictures of this one person; each shows exactly one face. None: a pass without a face.
    #[arg(value_name = "PICTURE")]
    pictures: Vec<PathBuf>,
}

/// Who holds the key, on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Held {
    Box,
    Visitor,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    // What needs no network and no gallery first: a wrong name or picture is told at once.
    let name = shown(&args.name)?;
    let read = |path: &PathBuf| Picture::read(path).with_context(|| path.display().to_string());
    let pictures = args.pictures.iter().map(read).collect::<anyhow::Result<Vec<_>>>()?;
    let (config, mut store) = match opened(common) {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let now = store.latest(SystemClock::start().now())?;
    let sport = sport(&args.sport, &config)?;
    let duplicate = match (args.again, args.beside) {
        (true, _) => Duplicate::Replace,
        (_, true) => Duplicate::Beside,
        _ => Duplicate::Refuse,
    };
    let household = args.household.iter().copied().map(VisitorId).collect();
    let (expires, keeps_pictures) = (expires(args, &config, now)?, args.keep_pictures);
    let custody = custody(args.custody, &config)?;
    let consent = consent(args, &config, custody, expires)?;
    let wish = Wish { duplicate, household, keeps_pictures, custody, ..Wish::new(&name, &sport, expires, consent) };
    let enrolled = Enroller::open(&config).and_then(|mut enroller| enroller.enrol(&mut store, &wish, &pictures, now));
    match enrolled {
        Ok(issued) => {
            let link = link_of(&config, &issued.pass);
            if let Some(path) = &args.pass
                && let Err(error) = svg(&link).context("the pass").and_then(|svg| Ok(write_private(path, &svg)?))
            {
                // Nobody would have the pass: what is kept could not be asked for, or ended, by anybody.
                let _at_their_end_at_the_latest = store.forget(issued.visitor, Why::Unclaimed, now);
                return Err(error.context(path.display().to_string()));
            }
            let id = issued.visitor;
            if common.json {
                let expires_at = stamp(wish.expires);
                println!(
                    "{}",
                    json!({ "id": id, "expires_at": expires_at, "pass": link.as_str(), "receipt": issued.receipt })
                );
            } else {
                println!("enrolled {id} until {}", words(wish.expires));
                println!("pass {}", link.as_str());
            }
        }
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(match error {
                EnrolError::Models(_) | EnrolError::Law(_) => ExitCode::from(MEND_ME),
                EnrolError::Store(error) => code(&error),
                _ => ExitCode::FAILURE,
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Who may hold the key here, and does unless something else is said.
fn custody(asked: Option<Held>, config: &Config) -> anyhow::Result<Custody> {
    let by_box = config.identifies();
    match asked {
        Some(Held::Box) if !by_box => bail!(
            "no gate here is in mode `identification`, so the box may hold nobody's key; say `--custody visitor`, or set `mode: identification` at a gate"
        ),
        Some(Held::Visitor) => Ok(Custody::Visitor),
        _ if by_box => Ok(Custody::Box),
        _ => Ok(Custody::Visitor),
    }
}

/// What they agreed to, by the word of whoever types this.
fn consent(args: &Args, config: &Config, custody: Custody, expires: SystemTime) -> anyhow::Result<Consent> {
    if !args.agreed {
        bail!(
            "nobody is enrolled without consent; show the visitor the notice (`usher notice --language {}`), and say `--agreed` when they have agreed",
            args.language
        );
    }
    let notice = Notice::of(config)?;
    let face = !args.pictures.is_empty();
    let (by_box, by_visitor) = (custody == Custody::Box, custody == Custody::Visitor);
    let offer = Offer { face, crops: args.keep_pictures && face, by_box, by_visitor };
    let texts = notice.texts(offer, expires);
    let shown = texts.get(&args.language).with_context(|| {
        let languages: Vec<_> = texts.keys().map(String::as_str).collect();
        format!("the notice is not written in `{}`; it is in {}", args.language, languages.join(", "))
    })?;
    let guardian = args.guardian.as_deref().map(shown_name).transpose().context("--guardian")?;
    Ok(notice.consent(&shown.sha256, &args.language, Place::Desk, guardian))
}

/// The sport as the programme writes it; as given where there is no programme.
fn sport(asked: &str, config: &Config) -> anyhow::Result<String> {
    let Some(path) = &config.guide.programme else {
        return shown(asked).context("the sport");
    };
    let programme = usher_config::programme::read(path).map_err(|problems| anyhow::anyhow!("{problems}"))?;
    let mut sports: Vec<_> = programme.sessions.into_iter().map(|session| session.sport).collect();
    sports.sort();
    sports.dedup();
    Ok(sport_of(asked, &sports)?)
}

fn expires(args: &Args, config: &Config, now: SystemTime) -> anyhow::Result<SystemTime> {
    let expires = match (&args.until, &args.keep) {
        (Some(text), _) => until(text, &jiff::tz::TimeZone::system())?,
        (_, Some(text)) => {
            let keep = humantime::parse_duration(text);
            now + keep
                .with_context(|| format!("`--keep {text}` is no time; write `24 h` or `3 days`"))?
                .min(2 * CEILING)
        }
        _ => retention::end(config, now),
    };
    if expires > now + CEILING {
        bail!("nobody is kept for more than 30 days; give an earlier time");
    }
    Ok(expires)
}

/// A moment, a time of day here, or the end of a day here.
pub(crate) fn until(text: &str, zone: &jiff::tz::TimeZone) -> anyhow::Result<SystemTime> {
    if let Ok(at) = text.parse::<jiff::Timestamp>() {
        return Ok(at.into());
    }
    let local = match text.parse::<jiff::civil::Date>() {
        Ok(date) if !text.contains(['T', ' ']) => date.tomorrow()?.at(0, 0, 0, 0),
        _ => text.parse::<jiff::civil::DateTime>().with_context(|| {
            format!("`--until {text}` is no date; write `2026-12-01`, `2026-12-01T18:00` or RFC 3339")
        })?,
    };
    Ok(local.to_zoned(zone.clone())?.timestamp().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn until_a_day_includes_the_day() {
        let zone = jiff::tz::TimeZone::get("Asia/Tokyo").unwrap();
        let at = |text: &str| jiff::Timestamp::try_from(until(text, &zone).unwrap()).unwrap().to_string();
        assert_eq!(at("2026-12-01"), "2026-12-01T15:00:00Z");
        assert_eq!(at("2026-12-01T18:00"), "2026-12-01T09:00:00Z");
        assert_eq!(at("2026-12-01T18:00:00+01:00"), "2026-12-01T17:00:00Z");
        let error = until("soon", &zone).unwrap_err().to_string();
        assert!(error.contains("`--until soon` is no date; write `2026-12-01`"), "{error}");
    }
}
