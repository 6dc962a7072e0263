//! `usher forget`: erase who is enrolled.

use crate::{
    cli::{
        Common,
        list::{code, opened},
    },
    clock::{Clock, SystemClock},
    gallery::{audit::deed::Why, visitor::VisitorId},
};
use std::process::ExitCode;
use uuid::Uuid;

/// Erase a visitor: key, name, sport and templates. A running gate forgets within a second.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    whom: Whom,
}

#[derive(clap::Args)]
#[group(required = true, multiple = false)]
struct Whom {
    /// The id that `usher enrol` printed and `usher list` shows.
    id: Option<Uuid>,
    /// Everybody whose time is over.
    #[arg(long)]
    all_expired: bool,
    /// Everybody.
    #[arg(long)]
    everyone: bool,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let (_, mut store) = match opened(common) {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let now = store.latest(SystemClock::start().now())?;
    let forgotten = match args.whom.id {
        Some(id) => store.forget(VisitorId(id), Why::Staff, now),
        None if args.whom.everyone => store.forget_everyone(now),
        None => store.expire(now),
    };
    let forgotten = match forgotten {
        Ok(forgotten) => forgotten,
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(code(&error));
        }
    };
    if common.json {
        let receipt = args.whom.id.map(|id| store.erasure(VisitorId(id), now, "staff"));
        println!(
            "{}",
            serde_json::json!({ "visitors": forgotten.visitors, "log_emptied": forgotten.log_emptied, "receipt": receipt })
        );
    } else {
        println!("{} forgotten", forgotten.visitors);
    }
    if !forgotten.log_emptied {
        eprintln!(
            "usher: the write-ahead log is being read and could not be emptied; run `usher forget --all-expired` again"
        );
    }
    Ok(ExitCode::SUCCESS)
}
