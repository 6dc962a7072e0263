//! `usher guide check`.

use crate::{
    cli::{Common, MEND_ME},
    clock::{Clock as _, SystemClock},
    guide::{
        programme::sports,
        remarks,
        remarks::{About, Remark},
        ways::Ways,
    },
};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::{
    io::IsTerminal as _,
    path::{Path, PathBuf},
    process::ExitCode,
};
use usher_config::{
    Problem, Problems,
    places::{self, Places},
    programme::{self, Programme},
    transit::{self, Transit},
};

/// Check a programme, the places it is held at and the way home: every problem of all files, then what deserves a second look.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The programme.
    programme: PathBuf,
    /// The places, as GeoJSON.
    places: PathBuf,
    /// Public transport, as GTFS: a zip file or its folder.
    #[arg(long)]
    transit: Option<PathBuf>,
}

/// All files, and what in the places file itself deserves a second look.
struct Read {
    programme: Programme,
    places: Places,
    transit: Option<Transit>,
    remarks: Vec<Problem>,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let Read { programme, places, transit, remarks } = match read(args) {
        Ok(read) => read,
        Err(problems) => {
            refuse(&problems, common.json);
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let now = Timestamp::try_from(SystemClock::start().now().wall)?;
    let mut between = remarks::of(&programme, &places, &Ways::of(&places), now);
    between.extend(transit.iter().flat_map(|transit| remarks::of_transit(transit, &places, now)));
    if common.json {
        let all: Vec<Value> =
            remarks.iter().map(|remark| json!(remark)).chain(between.iter().map(|one| json_of(one, args))).collect();
        let counts = json!({
            "sessions": programme.sessions.len(), "sports": sports(&programme).len(),
            "places": places.places.len(), "paths": places.paths.len(), "areas": places.areas.len(),
        });
        println!("{:#}", json!({ "ok": true, "problems": [], "remarks": all, "counts": counts }));
        return Ok(ExitCode::SUCCESS);
    }
    remarks.iter().for_each(|remark| eprintln!("remark: {remark}"));
    for Remark { about, message, mend } in &between {
        eprintln!("remark: {}: {message}; {mend}", file(*about, args).display());
    }
    println!("{}", summary(&programme, &places, remarks.len() + between.len()));
    Ok(ExitCode::SUCCESS)
}

/// All files; the problems of all at once.
fn read(args: &Args) -> Result<Read, Problems> {
    let programme = programme::read(&args.programme);
    let places = places::read_remarked(&args.places);
    let transit = args.transit.as_deref().map(transit::read).transpose();
    match (programme, places, transit) {
        (Ok(programme), Ok((places, remarks)), Ok(transit)) => Ok(Read { programme, places, transit, remarks }),
        (programme, places, transit) => {
            let all = [programme.err(), places.err(), transit.err()];
            Err(all.into_iter().flatten().reduce(Problems::and).expect("one of them is a problem"))
        }
    }
}

fn refuse(problems: &Problems, json: bool) {
    if json {
        println!("{:#}", json!({ "ok": false, "problems": problems.to_json(), "remarks": [], "counts": null }));
    } else if std::io::stderr().is_terminal() {
        eprint!("{}", problems.coloured());
    } else {
        eprint!("{problems}");
    }
}

fn file(about: About, args: &Args) -> &Path {
    match about {
        About::Programme => &args.programme,
        About::Places => &args.places,
        About::Transit => args.transit.as_deref().unwrap_or(Path::new("")),
    }
}

/// A remark in the form of a problem; it is about a file as a whole.
fn json_of(remark: &Remark, args: &Args) -> Value {
    let file = file(remark.about, args).display().to_string();
    json!({ "file": file, "line": null, "column": null, "key": "", "message": remark.message, "mend": remark.mend })
}

fn summary(programme: &Programme, places: &Places, remarks: usize) -> String {
    let count = |number: usize, one: &str| format!("{number} {one}{}", if number == 1 { "" } else { "s" });
    let sessions = count(programme.sessions.len(), "session");
    format!(
        "ok ({sessions} of {}, {}, {}, {}; {})",
        count(sports(programme).len(), "sport"),
        count(places.places.len(), "place"),
        count(places.paths.len(), "path"),
        count(places.areas.len(), "area"),
        if remarks == 0 { "no remarks".to_owned() } else { count(remarks, "remark") },
    )
}
