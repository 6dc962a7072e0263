//! `usher notice`: what visitors are told before they agree.

use crate::{
    cli::{Common, configured},
    clock::{Clock, SystemClock},
    gallery::notice::{LANGUAGES, Notice, Offer},
    guide::retention,
};
use anyhow::Context;
use std::process::ExitCode;

/// Print the notice that visitors must have read before they are enrolled, as this site has it.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// In this language.
    #[arg(long, value_name = "LANGUAGE", default_value = "en")]
    language: String,
    /// For a pass without a face.
    #[arg(long)]
    no_face: bool,
    /// Where small pictures of the face are kept too (`usher enrol --keep-pictures`).
    #[arg(long, conflicts_with = "no_face")]
    keep_pictures: bool,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let config = match configured(common) {
        Ok(config) => config,
        Err(code) => return Ok(code),
    };
    let notice = Notice::of(&config)?;
    let by_box = config.identifies();
    let offer = Offer { face: !args.no_face, crops: args.keep_pictures, by_box, by_visitor: !by_box };
    let texts = notice.texts(offer, retention::end(&config, SystemClock::start().now().wall));
    let shown = texts.get(&args.language).with_context(|| {
        format!("the notice is not written in `{}`; it may be in {}", args.language, LANGUAGES.join(", "))
    })?;
    if common.json {
        println!("{}", serde_json::json!({ "version": notice.version(), "sha256": shown.sha256, "text": shown.text }));
    } else {
        println!("{}", shown.text);
    }
    Ok(ExitCode::SUCCESS)
}
