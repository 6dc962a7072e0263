//! `usher evaluate walks`.

use crate::{
    accuracy::{
        page::{Page, Plot},
        rates::Rate,
        trials::Way,
        walks::Tally,
    },
    cli::{
        Common, MEND_ME,
        data::Data,
        evaluate::{
            films::{crowds, recordings},
            notes, share,
            synthesised::{self, Judged},
            told, write,
        },
    },
};
use anyhow::Context;
use serde_json::json;
use std::{path::PathBuf, process::ExitCode, time::Duration};

/// Held against what is true. Of a crowd the site's gallery is neither read nor written; with a walk log it is read.
#[derive(clap::Args)]
pub(super) struct Args {
    /// A configuration with `stills:` cameras, for instance config/demo.yaml; or a folder in the form of Labelled Faces in
    /// the Wild, whose people walk up in their pictures.
    #[arg(value_name = "CONFIG|FOLDER")]
    source: PathBuf,
    /// Of a configuration: its cameras' recordings instead of its crowds, and who walked in them (`usher schema walks`).
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Of a folder: pictures each person enrols with.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10))]
    views: u32,
    /// Of a folder: the share of walks of people who are not enrolled that may be named.
    #[arg(long, default_value_t = 0.003, value_parser = share)]
    fpir: f64,
    /// Of a folder: row of the embedders' table.
    #[arg(long, default_value = "sface")]
    embedder: String,
    /// Of a configuration: look at so much of each crowd: `75 s`, `5 min`. Default: one round, in which everybody walks in each of their looks.
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    long: Option<Duration>,
    /// Write plots and figures to this file: one page that needs nothing else.
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

pub(super) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    if args.source.is_dir() {
        return folder(common, args);
    }
    let config = match usher_config::read(&args.source) {
        Ok(config) => config,
        Err(problems) => {
            eprintln!("{problems}");
            return Ok(ExitCode::from(MEND_ME));
        }
    };
    let common = Common { config: args.source.clone(), json: common.json };
    let ended = match &args.log {
        Some(log) => recordings(&config, usher_config::walks::read(log)?)?,
        None => crowds(config, &args.data.folder(&common)?.join("models"), args.long)?,
    };
    let Tally { walks_enrolled, named_right, walks_unenrolled, unenrolled_named, .. } = ended.tally;
    let rate = |errors: usize, trials: usize| Rate { errors: errors as u64, trials: trials as u64 };
    let fnir = rate(walks_enrolled - named_right, walks_enrolled);
    let fpir = rate(unenrolled_named, walks_unenrolled);
    let misidentified = rate(ended.tally.named_wrong, walks_enrolled);
    let fta = rate(ended.tally.never_looked_at, walks_enrolled + walks_unenrolled);
    let bystanders = Rate { errors: ended.looks_outside, trials: ended.looks };
    let (seconds, inter_eye_px) = (quantiles(&ended.seconds), quantiles(&ended.inter_eye_px));
    let figures = vec![
        ("enrolled walks not named once, rightly (FNIR)".to_owned(), fnir.to_string()),
        ("enrolled walks given another's name".to_owned(), misidentified.to_string()),
        ("walks of people who never enrolled that were named (FPIR)".to_owned(), fpir.to_string()),
        ("walks of which no look was taken (FTA)".to_owned(), fta.to_string()),
        ("looks at people outside the opt-in zone".to_owned(), bystanders.to_string()),
        ("first usable look to decision, s".to_owned(), in_words(&seconds)),
        ("between the eyes at the decision, px".to_owned(), in_words(&inter_eye_px)),
    ];
    if let Some(file) = &args.html {
        let times = |title: &str, axis: &str, values: &[f64]| Plot::Times {
            title: title.to_owned(),
            axis: axis.to_owned(),
            values: values.to_vec(),
        };
        let plots = vec![
            times("First usable look to decision", "seconds", &ended.seconds),
            times("Between the eyes at the decision", "pixels", &ended.inter_eye_px),
        ];
        let title = "usher evaluate walks".to_owned();
        write(file, &Page { title, figures: figures.clone(), notes: notes(), plots })?;
    }
    if common.json {
        let json = json!({
            "fnir": told(&fnir), "fpir": told(&fpir), "misidentified": told(&misidentified), "fta": told(&fta),
            "bystander_looks": told(&bystanders), "named_again": ended.tally.named_again,
            "time_to_decision_s": seconds, "inter_eye_at_decision_px": inter_eye_px,
        });
        println!("{json}");
    } else {
        figures.iter().for_each(|(what, much)| println!("{what}: {much}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Lets the people of a folder walk, and compares ways of judging them.
fn folder(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    let data = std::path::absolute(args.data.folder(common)?)?;
    let judged = synthesised::judged(&args.source, &args.embedder, args.views as usize, &data)?;
    let Judged { trials, enrolled, strangers, never_looked_at, looks, model } = judged;
    let walks = enrolled + strangers;
    let too_few = || format!("{walks} walks cannot tell an FPIR of {}: {:.0} are needed", args.fpir, 1.0 / args.fpir);
    let single = trials.get(&Way::SingleFrame).context("single frames were judged")?;
    let (mut figures, mut ways) = (Vec::new(), serde_json::Map::new());
    for (way, trials) in &trials {
        let missed = trials.missed(args.fpir).with_context(too_few)?;
        let (interval, less) = (trials.interval(args.fpir), single.times_as_much(trials, args.fpir));
        let word = serde_json::to_value(way)?.as_str().unwrap_or_default().to_owned();
        let percent = |share: f64| format!("{:.1} %", 100.0 * share);
        let range = |interval: Option<(f64, f64)>, told: &dyn Fn(f64) -> String| {
            interval.map_or(String::new(), |(low, high)| format!(" (95 % {} to {})", told(low), told(high)))
        };
        let times = less.map_or(String::new(), |(times, interval)| {
            let told = |times: f64| format!("{times:.1}");
            format!("; single frames miss {} times as many{}", told(times), range(interval, &told))
        });
        figures.push((
            word.replace('_', " "),
            format!(
                "FNIR {}{}{times}; threshold {:.3}",
                percent(missed.fnir),
                range(interval, &percent),
                missed.threshold
            ),
        ));
        ways.insert(
            word,
            json!({
                "fnir": missed.fnir, "fnir_interval": interval, "misidentified": missed.misidentified,
                "threshold": missed.threshold, "single_frames_miss_times": less.map(|(times, _)| times),
                "single_frames_miss_times_interval": less.and_then(|(_, interval)| interval),
            }),
        );
    }
    let fta = Rate { errors: never_looked_at as u64, trials: walks as u64 };
    figures.push(("walks of which no look was taken (FTA)".to_owned(), fta.to_string()));
    figures.push(("looks a walk".to_owned(), format!("{:.1}", looks as f64 / walks as f64)));
    if let Some(file) = &args.html {
        let plots = trials.iter().map(|(way, trials)| Plot::Rates {
            title: format!("{way:?}: FNIR against FPIR"),
            axes: ["FPIR".to_owned(), "FNIR".to_owned()],
            points: trials.curve(),
        });
        let title = "usher evaluate walks".to_owned();
        write(file, &Page { title, figures: figures.clone(), notes: notes(), plots: plots.collect() })?;
    }
    if common.json {
        let json = json!({
            "model": model, "views": args.views, "fpir": args.fpir, "n_enrolled": enrolled, "n_strangers": strangers,
            "n_mated": enrolled, "n_non_mated": walks, "fta": told(&fta), "looks": looks, "ways": ways,
        });
        println!("{json}");
    } else {
        println!("{model}: {enrolled} enrolled with {} walk, {strangers} strangers; FPIR {}", args.views, args.fpir);
        figures.iter().for_each(|(what, much)| println!("{what}: {much}"));
    }
    Ok(ExitCode::SUCCESS)
}

/// Median, 95th percentile and number.
fn quantiles(values: &[f64]) -> serde_json::Value {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let at = |share: f64| values.get(((share * values.len() as f64).ceil() as usize).max(1) - 1).copied();
    json!({ "p50": at(0.5), "p95": at(0.95), "n": values.len() })
}

fn in_words(quantiles: &serde_json::Value) -> String {
    match (quantiles["p50"].as_f64(), quantiles["p95"].as_f64()) {
        (Some(p50), Some(p95)) => format!("median {p50:.2}, 95 % below {p95:.2}, n {}", quantiles["n"]),
        _ => "nobody was named".to_owned(),
    }
}
