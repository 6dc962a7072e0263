//! `usher list`: who is enrolled.
//!
//! Names are shown: whoever may read the box key's file may read them anyway.

use crate::{
    cli::{Common, MEND_ME, configured},
    gallery::{
        file::StoreError,
        store::{Loaded, Store},
    },
};
use serde_json::json;
use std::{process::ExitCode, time::SystemTime};
use usher_config::Config;

/// List who is enrolled, until when. Shows names; for the operator's own shell.
#[derive(clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(common: &Common, _args: &Args) -> anyhow::Result<ExitCode> {
    let (_, store) = match opened(common) {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let loaded = store.load_all()?;
    if common.json {
        println!("{}", as_json(&loaded));
        return Ok(ExitCode::SUCCESS);
    }
    for person in &loaded.people {
        let visitor = &person.visitor;
        println!("{}  until {}  {}  ({})", visitor.id, words(visitor.expires), visitor.name, visitor.sport);
    }
    for row in &loaded.unreadable {
        let id = row.visitor.map_or_else(|| format!("row {}", row.row), |id| id.to_string());
        eprintln!("{id}  cannot be read: {}", row.why);
    }
    if loaded.locked > 0 {
        println!("{} more keep their key themselves, in their pass: nothing of them can be shown", loaded.locked);
    } else if loaded.people.is_empty() && loaded.unreadable.is_empty() {
        println!("nobody is enrolled");
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(loaded: &Loaded) -> serde_json::Value {
    let person = |person: &crate::gallery::search::Enrolled| {
        json!({
            "id": person.visitor.id,
            "name": person.visitor.name,
            "sport": person.visitor.sport,
            "enrolled_at": stamp(person.enrolled),
            "expires_at": stamp(person.visitor.expires),
            "household": person.visitor.household.map(|household| household.0),
            "custody": person.visitor.custody,
            "models": person.templates.iter().map(|template| template.model()).collect::<Vec<_>>(),
        })
    };
    json!({
        "visitors": loaded.people.iter().map(person).collect::<Vec<_>>(),
        "locked": loaded.locked,
        "unreadable": loaded.unreadable.iter().map(|row| json!({ "row": row.row, "id": row.visitor, "why": row.why })).collect::<Vec<_>>(),
    })
}

/// The configuration and its gallery; when a person must mend something first, that has been said and the exit code is
/// returned.
pub(crate) fn opened(common: &Common) -> Result<(Config, Store), ExitCode> {
    let config = configured(common)?;
    let store = Store::of(&config).map_err(|error| {
        eprintln!("usher: {error}");
        code(&error)
    })?;
    Ok((config, store))
}

/// What a person must mend is told apart from what passes by itself.
pub(crate) fn code(error: &StoreError) -> ExitCode {
    match error {
        StoreError::Nobody(_) => ExitCode::FAILURE,
        error if error.passes() => ExitCode::FAILURE,
        _ => ExitCode::from(MEND_ME),
    }
}

/// RFC 3339, UTC, as in every event.
pub(crate) fn stamp(at: SystemTime) -> String {
    let round = |at: jiff::Timestamp| at.round(jiff::Unit::Millisecond);
    jiff::Timestamp::try_from(at).and_then(round).map(|at| at.to_string()).unwrap_or_default()
}

/// By the clock on this machine's wall.
pub(crate) fn words(at: SystemTime) -> String {
    let zone = jiff::tz::TimeZone::system();
    jiff::Timestamp::try_from(at).map(|at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string()).unwrap_or_default()
}
