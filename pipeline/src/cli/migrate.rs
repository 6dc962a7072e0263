//! `usher migrate`: templates of another embedder.

use crate::{
    cli::{
        Common, MEND_ME,
        list::{code, opened, stamp, words},
    },
    clock::{Clock, SystemClock},
    gallery::migrate::{MigrateError, Migrated, migrate},
    infer::networks,
};
use serde_json::json;
use std::process::ExitCode;
use usher_models::{embed::mirrored::Mirrored, template::ModelId};

/// Make templates of another embedder for everybody whose pictures are kept, and say who must enrol again. A running gate
/// goes on with the embedder it has: first set `infer: { next_embedder: … }`, so that whoever enrols gets both; when nobody
/// is left, make it the `embedder`.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The embedder. Default: `infer: { next_embedder: … }`, or else `infer: { embedder: … }`.
    #[arg(long, value_name = "EMBEDDER")]
    to: Option<String>,
    /// Only say what would be done.
    #[arg(long)]
    dry_run: bool,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let (config, mut store) = match opened(common) {
        Ok(opened) => opened,
        Err(code) => return Ok(code),
    };
    let infer = &config.infer;
    let to = args.to.as_ref().or(infer.next_embedder.as_ref()).unwrap_or(&infer.embedder);
    let mut embedder = match networks::open_embedder(&config, to) {
        Ok(embedder) => Mirrored(embedder),
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let model = usher_models::embed::Embedder::model(&embedder);
    match migrate(&mut store, &mut embedder, SystemClock::start().now().wall, args.dry_run) {
        Ok(done) if common.json => println!("{}", as_json(&model, &done)),
        Ok(done) => print!("{}", said(to, &done, args.dry_run)),
        Err(error) => {
            eprintln!("usher: {error}");
            return Ok(match error {
                MigrateError::Store(error) => code(&error),
                MigrateError::Models(_) => ExitCode::from(MEND_ME),
            });
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn as_json(model: &ModelId, done: &Migrated) -> serde_json::Value {
    let left = done.must_enrol.iter().map(|(id, expires)| json!({ "id": id, "expires_at": stamp(*expires) }));
    json!({ "model": model, "had": done.had, "made": done.made, "must_enrol": left.collect::<Vec<_>>() })
}

fn said(to: &str, done: &Migrated, is_trial: bool) -> String {
    let Migrated { had, made, must_enrol } = done;
    let verb = if is_trial { "would be" } else { "were" };
    let mut said = format!("{had} had templates of {to}; those of {made} {verb} made from pictures they left\n");
    match must_enrol.first() {
        Some((_, last)) => {
            let count = must_enrol.len();
            let until = words(*last);
            said +=
                &format!("{count} left no pictures and must enrol again; the last of them expires {until} anyway:\n");
            said.extend(must_enrol.iter().map(|(id, expires)| format!("  {id}  until {}\n", words(*expires))));
        }
        None => said += &format!("nobody is left: `infer: {{ embedder: {to} }}` loses nobody\n"),
    }
    said
}
