//! `usher flow export`: the counts by minute, as a table.

use crate::{
    cli::{Common, configured, out::Out},
    flow::{
        count::{history::History, record, tally::Minute},
        told::Counting,
    },
};
use anyhow::Context as _;
use jiff::{Timestamp, civil, tz::TimeZone};
use std::{
    collections::BTreeSet,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
};
use usher_config::{Config, count::Border, value::Name};

mod columns;

/// Write the counts by minute as CSV or Parquet; a minute that nobody saw is an empty cell, never a zero.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The first minute: a time (2026-07-24T16:00+09:00) or a day (2026-07-24). Default: the first that is kept.
    #[arg(long)]
    from: Option<String>,
    /// Where it ends, likewise; of a day, its end.
    #[arg(long)]
    to: Option<String>,
    /// Of this gate alone; may be given several times.
    #[arg(long)]
    gate: Vec<String>,
    /// To this CSV file; `-` writes to standard output, as is done when no file is named.
    #[arg(long, value_name = "FILE", conflicts_with = "parquet")]
    csv: Option<PathBuf>,
    /// To this Parquet file.
    #[arg(long, value_name = "FILE")]
    parquet: Option<PathBuf>,
}

/// One line of the table.
struct Line {
    gate: Name,
    minute: Minute,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let zone = zone_of(&config);
    let from = args.from.as_deref().map(|text| when(text, &zone, false)).transpose()?;
    let to = args.to.as_deref().map(|text| when(text, &zone, true)).transpose()?;
    let gates: Vec<Name> = args
        .gate
        .iter()
        .map(|gate| Name::new(gate).with_context(|| format!("`{gate}` is no gate's name")))
        .collect::<anyhow::Result<_>>()?;
    let folder = &config.flow.record;
    let kept = record::read(folder, civil::Date::MIN).with_context(|| folder.display().to_string())?;
    if kept.unread > 0 {
        eprintln!("{} lines of {} are no counts and are left out", kept.unread, folder.display());
    }
    let history = History::of(&kept.rows);
    if let Some(unknown) = gates.iter().find(|gate| !history.gates().any(|known| known == *gate)) {
        let known: Vec<&str> = history.gates().map(Name::as_str).collect();
        anyhow::bail!("nothing was counted at gate `{unknown}`; {} has: {}", folder.display(), known.join(", "));
    }
    let both_ways = both_ways(&config);
    let lines: Vec<Line> = history
        .gates()
        .filter(|gate| gates.is_empty() || gates.contains(gate))
        .flat_map(|gate| {
            history.minutes(gate, &both_ways).into_iter().map(|minute| Line { gate: gate.clone(), minute })
        })
        .filter(|line| from.is_none_or(|from| line.minute.at >= from) && to.is_none_or(|to| line.minute.at < to))
        .collect();
    match (&args.parquet, &args.csv) {
        (Some(path), _) => {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            columns::write(file, &lines).with_context(|| path.display().to_string())?;
        }
        (None, Some(path)) if path != Path::new("-") => {
            let file = File::create(path).with_context(|| path.display().to_string())?;
            csv(&mut io::BufWriter::new(file), &lines).with_context(|| path.display().to_string())?;
        }
        _ => csv(&mut io::BufWriter::new(Out), &lines)?,
    }
    eprintln!("{} minutes", lines.len());
    Ok(ExitCode::SUCCESS)
}

/// The venue's time zone: that of the programme, else the box's.
pub(super) fn zone_of(config: &Config) -> TimeZone {
    let programme = config.guide.programme.as_ref().and_then(|path| usher_config::programme::read(path).ok());
    programme.map_or_else(TimeZone::system, |programme| programme.time_zone)
}

/// The gates where somebody counts who leaves.
fn both_ways(config: &Config) -> BTreeSet<Name> {
    let counts = |camera: &Name| config.cameras[camera].count.border != Border::Picture;
    let gates = config.gates.iter().filter(|(_, gate)| gate.cameras.iter().any(counts));
    gates.map(|(name, _)| name.clone()).collect()
}

/// A time, or the begin (or end) of a day by the venue's clocks.
fn when(text: &str, zone: &TimeZone, end: bool) -> anyhow::Result<Timestamp> {
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(at);
    }
    if let Ok(at) = text.parse::<civil::DateTime>()
        && text.contains([':', 'T'])
    {
        return Ok(at.to_zoned(zone.clone())?.timestamp());
    }
    let day: civil::Date =
        text.parse().with_context(|| format!("`{text}` is no time; write 2026-07-24 or 2026-07-24T16:00+09:00"))?;
    let day = if end { day.tomorrow()? } else { day };
    Ok(day.to_zoned(zone.clone())?.timestamp())
}

/// How much of a gate was seen, as a word.
pub(super) fn word(counting: Counting) -> &'static str {
    match counting {
        Counting::Whole => "whole",
        Counting::Partial => "partial",
        Counting::None => "none",
    }
}

fn csv(to: &mut impl Write, lines: &[Line]) -> io::Result<()> {
    writeln!(to, "timestamp,gate,entered,left,counting")?;
    let cell = |count: Option<u32>| count.map_or_else(String::new, |count| count.to_string());
    for Line { gate, minute } in lines {
        let Minute { at, entered, left, counting } = minute;
        writeln!(to, "{at},{gate},{},{},{}", cell(*entered), cell(*left), word(*counting))?;
    }
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_and_ends_by_the_venues_clocks() {
        let seoul = TimeZone::get("Asia/Seoul").unwrap();
        assert_eq!(when("2026-07-24", &seoul, false).unwrap().to_string(), "2026-07-23T15:00:00Z");
        assert_eq!(when("2026-07-24", &seoul, true).unwrap().to_string(), "2026-07-24T15:00:00Z");
        assert_eq!(when("2026-07-24T16:00", &seoul, true).unwrap().to_string(), "2026-07-24T07:00:00Z");
        assert_eq!(when("2026-07-24T16:00Z", &seoul, true).unwrap().to_string(), "2026-07-24T16:00:00Z");
        assert!(when("soon", &seoul, true).unwrap_err().to_string().contains("write 2026-07-24 or"));
    }

    #[test]
    fn a_gap_is_an_empty_cell() {
        let line = |entered, counting| Line {
            gate: Name::new("b").unwrap(),
            minute: Minute { at: Timestamp::UNIX_EPOCH, entered, left: None, counting },
        };
        let mut text = Vec::new();
        csv(&mut text, &[line(Some(0), Counting::Whole), line(None, Counting::None)]).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert!(text.ends_with("1970-01-01T00:00:00Z,b,0,,whole\n1970-01-01T00:00:00Z,b,,,none\n"), "{text}");
    }
}
