//! `usher guide plan`: a visitor's day, tried out.

use crate::{
    cli::{Common, MEND_ME},
    clock::{Clock, SystemClock},
    guide::{
        day::{Day, Stop, StopKind, Why},
        itinerary::solve::Proof,
        plan::{Departures, Planned, Site, Wanted, day_for, legs::Legs},
        programme::sports,
        ways::Ways,
    },
};
use anyhow::Context;
use jiff::{Timestamp, Zoned, civil::Time};
use serde::Deserialize;
use serde_json::json;
use std::{
    path::{Path, PathBuf},
    process::ExitCode,
    time::Duration,
};
use usher_config::{
    Problems,
    places::{self, Kind, Places},
    programme::{self, Programme},
    transit::{self, Transit},
    wishes::{self, Known, Wishes},
};

/// Plan a day for somebody with these wishes, the best there is, and say how sure that is.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The programme: YAML, CSV or iCalendar.
    #[arg(long, short, value_name = "FILE")]
    programme: PathBuf,
    /// The places: GeoJSON.
    #[arg(long, short = 'g', value_name = "FILE")]
    places: PathBuf,
    /// Public transport, for the departures at the end: GTFS, a zip file or a folder.
    #[arg(long, short, value_name = "FILE")]
    transit: Option<PathBuf>,
    /// What the visitor wants: JSON or YAML, such as {"sports": ["Athletics"], "from": "gate-a"}.
    #[arg(long, value_name = "FILE")]
    visitor: PathBuf,
    /// The moment from which to plan, such as 2026-07-14T10:00:00+02:00. Default: now.
    #[arg(long, value_name = "TIME")]
    at: Option<Timestamp>,
    /// What an earlier run said with --json: its day goes on, and what it promised is kept where that costs little.
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let Files { programme, places, transit, wishes } = match read(args) {
        Ok(read) => read,
        Err(problems) => {
            if common.json {
                println!("{:#}", json!({ "ok": false, "problems": problems.to_json() }));
            } else {
                eprint!("{problems}");
            }
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let now = match args.at {
        Some(at) => at,
        None => Timestamp::try_from(SystemClock::start().now().wall).context("the machine's clock shows no date")?,
    };
    let before = args.before.as_deref().map(day_of).transpose()?;
    let wanted = wanted(wishes, now.to_zoned(programme.time_zone.clone()), before)?;
    let ways = Ways::of(&places);
    let legs = Legs::of(&places, &ways);
    let departures = transit.as_ref().map(|transit| transit as &dyn Departures);
    let site = Site { programme: &programme, places: &places, ways: &ways, legs: &legs, departures };
    let planned = day_for(&site, &wanted)?;
    if common.json {
        let (day, points, proof, unplaced) = (&planned.day, planned.points, planned.proof, &planned.unplaced);
        println!("{:#}", json!({ "ok": true, "day": day, "points": points, "proof": proof, "unplaced": unplaced }));
    } else {
        say(&planned);
    }
    Ok(ExitCode::SUCCESS)
}

/// What a plan is made of.
struct Files {
    programme: Programme,
    places: Places,
    transit: Option<Transit>,
    wishes: Wishes,
}

/// The files; the problems of what the site has at once, then those of the wishes, which are held against it.
fn read(args: &Args) -> Result<Files, Problems> {
    let programme = programme::read(&args.programme);
    let places = places::read(&args.places);
    let transit = args.transit.as_deref().map(transit::read).transpose();
    let (programme, places, transit) = match (programme, places, transit) {
        (Ok(programme), Ok(places), Ok(transit)) => (programme, places, transit),
        (programme, places, transit) => {
            let all = [programme.err(), places.err(), transit.err()].into_iter().flatten();
            return Err(all.reduce(Problems::and).expect("one of the three was not read"));
        }
    };
    let gates = places.places.iter().filter(|place| place.kind == Kind::Gate).map(|gate| gate.name.clone());
    let known = Known { sports: sports(&programme), gates: gates.collect() };
    let wishes = wishes::read(&args.visitor, &known)?;
    Ok(Files { programme, places, transit, wishes })
}

/// What an earlier run printed.
#[derive(Deserialize)]
struct Printed {
    day: Day,
}

fn day_of(file: &Path) -> anyhow::Result<Day> {
    let mend = || format!("{} holds no day; name a file that `usher guide plan --json` wrote", file.display());
    let printed: Printed =
        serde_json::from_str(&std::fs::read_to_string(file).with_context(mend)?).with_context(mend)?;
    Ok(printed.day)
}

/// The wishes on the day of `now`; who arrives later is planned for from then on.
fn wanted(wishes: Wishes, now: Zoned, before: Option<Day>) -> anyhow::Result<Wanted> {
    let on_the_day = |time: Time| now.date().to_datetime(time).to_zoned(now.time_zone().clone());
    let arrival = wishes.arrival.map(|arrival| on_the_day(arrival.0)).transpose()?;
    let until = wishes.until.map(|until| on_the_day(until.0)).transpose()?;
    Ok(Wanted {
        sports: wishes.sports,
        food: wishes.food.iter().map(|food| food.word().to_owned()).collect(),
        step_free: wishes.step_free,
        from: wishes.from,
        at: arrival.map_or(now.clone(), |arrival| arrival.max(now)),
        until,
        waits: wishes.waits.into_iter().map(|(gate, wait)| (gate, Duration::from_secs(wait.0.into()))).collect(),
        seen: wishes.seen.into_iter().map(|(camera, people)| (camera, people.0)).collect(),
        before,
    })
}

fn say(planned: &Planned) {
    let rows: Vec<[String; 5]> = planned.day.stops.iter().map(row).collect();
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: [usize; 5] = std::array::from_fn(width);
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        println!("{}", cells.collect::<Vec<_>>().join("  ").trim_end());
    }
    let sure = match planned.proof {
        Proof::Optimal => "no plan is worth more".to_owned(),
        Proof::Gap { at_most } => format!("none is worth more by over {:.1} %", 100.0 * at_most),
    };
    println!("\n{:.0} points (a minute on foot costs one); {sure}.", planned.points);
    for venue in &planned.unplaced {
        eprintln!(
            "warning: the places have no venue `{venue}`: its sessions were left out; add a point of `kind: venue` with that name"
        );
    }
}

/// When, what, where, how far, why.
fn row(stop: &Stop) -> [String; 5] {
    // RFC 3339: hours and minutes by the venue's clocks stand at the same place in all.
    let clock = |text: &str| text.get(11..16).unwrap_or(text).to_owned();
    let when = match stop.kind {
        StopKind::Arrive | StopKind::Leave => clock(&stop.starts),
        _ => format!("{}–{}", clock(&stop.starts), clock(&stop.ends)),
    };
    let what = match stop.kind {
        StopKind::Arrive => format!("at {}", stop.title),
        StopKind::Session => stop.title.clone(),
        StopKind::Meal => format!("eat at {}", stop.title),
        StopKind::Rest => format!("rest at {}", stop.title),
        StopKind::Leave => format!("leave by {}", stop.title),
    };
    let minutes = |seconds: u32| seconds.div_ceil(60);
    let mut way = Vec::new();
    if stop.walk_s > 0 {
        way.push(format!("{} min, {} m", minutes(stop.walk_s), stop.walk_m));
    }
    if let Some(gate) = stop.gate.as_ref().filter(|_| stop.kind == StopKind::Session) {
        way.push(match stop.wait_s {
            0 => format!("by {gate}"),
            wait => format!("by {gate}, wait {} min", minutes(wait)),
        });
    }
    let why: Vec<String> = stop.why.iter().map(words).collect();
    [when, what, stop.place.clone(), way.join(" "), why.join(", ")]
}

fn words(why: &Why) -> String {
    match why {
        Why::Favourite { sport } => sport.clone(),
        Why::Wish { food } => food.replace('_', " "),
        Why::Near { minutes: 0 } => "right here".to_owned(),
        Why::Near { minutes } => format!("{minutes} min away"),
        Why::Popular => "popular".to_owned(),
        Why::Quiet => "no queue".to_owned(),
        Why::OpenUntil { at } => format!("open until {at}"),
        Why::StepFree => "no steps".to_owned(),
        Why::Departs { line, towards, at } => format!("{line} to {towards} at {at}"),
    }
}
