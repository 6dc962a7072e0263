//! `usher support`: a bundle for whoever helps, with nothing in it that names anybody.

mod configured;
mod filter;
mod machine;

use crate::cli::{Common, ask::ask, doctor};
use anyhow::Context as _;
use configured::Shown;
use filter::Filter;
use flate2::{Compression, write::GzEncoder};
use serde_json::{Value, json};
use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process::{Command, ExitCode, Stdio},
    time::Duration,
};

/// Write a support bundle: versions, the doctor's findings, figures, the configuration without values that name or open
/// anything, the last lines of the log with usher's own words only.
///
/// Nothing of the gallery is read. Look into it before you send it: it is text.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The file to write; one that is there is never written over.
    #[arg(default_value = "usher-support.tar.gz")]
    out: PathBuf,
    /// How many lines of the log.
    #[arg(long, value_name = "NUMBER", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(0..=100_000))]
    lines: u32,
    /// A log, where the gate does not run under systemd.
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// How long a camera, broker or gate may take to answer.
    #[arg(long, value_name = "SECONDS", default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=60))]
    timeout: u64,
}

/// The first file of a bundle.
const READ_ME: &str = "\
A support bundle of usher, made for whoever helps. It is text: read it before you send it.

about.json     versions, the machine, the service
config.json    the configuration: keys, figures and kinds; names of people, secrets, addresses and paths are blanked
doctor.json    what `usher doctor` found
ready.json     what the gate says of itself, if one runs
metrics.txt    its figures
log.txt        the last lines of its log: words that usher itself says, everything else is …

Nothing of the gallery, of a visit, of a picture or of a key is in it, and nothing of it was read.
";

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    // Before anything is asked: whoever has one already is told at once.
    let made = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&args.out);
    let made = made.with_context(|| format!("{} cannot be made; name another file", args.out.display()))?;
    let done = parts(common, args).and_then(|parts| bundle(made, &parts));
    if done.is_err() {
        let _left = fs::remove_file(&args.out);
    }
    done?;
    println!("{}: read it before you send it", args.out.display());
    Ok(ExitCode::SUCCESS)
}

fn parts(common: &Common, args: &Args) -> anyhow::Result<Vec<(&'static str, String)>> {
    let timeout = Duration::from_secs(args.timeout);
    let text = fs::read_to_string(&common.config).unwrap_or_default();
    let Shown { value, names, blanked } = configured::shown(&text);
    let filter = Filter::of(names, blanked);
    let config = usher_config::read(&common.config).ok();
    let (findings, _) = doctor::looked(common, timeout)?;
    let pages = config.as_ref().map(|config| config.web.listen);
    let (ready, metrics) =
        pages.map_or((None, None), |pages| (ask(pages, "/readyz", timeout), ask(pages, "/metrics", timeout)));
    let ready = ready.and_then(|ready| serde_json::from_str::<Value>(&ready).ok()).unwrap_or_default();
    let metrics: String =
        metrics.unwrap_or_default().lines().filter_map(|line| filter.metric(line)).map(|line| line + "\n").collect();
    Ok(vec![
        ("README.txt", READ_ME.to_owned()),
        ("about.json", pretty(&machine::about(config.as_ref()))),
        ("config.json", pretty(&value)),
        ("doctor.json", pretty(&words(&filter, &serde_json::to_value(&findings)?))),
        ("ready.json", pretty(&words(&filter, &ready))),
        ("metrics.txt", metrics),
        ("log.txt", filter.text(&log(args.log.as_deref(), args.lines)?)),
    ])
}

/// Every text in it, filtered; keys are ours, unless they are not.
fn words(filter: &Filter, value: &Value) -> Value {
    match value {
        Value::String(text) => filter.line(text).into(),
        Value::Array(all) => all.iter().map(|value| words(filter, value)).collect(),
        Value::Object(map) => map.iter().map(|(key, value)| (filter.line(key), words(filter, value))).collect(),
        other => other.clone(),
    }
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// The last lines of a log, of a file or of the journal.
fn log(file: Option<&Path>, lines: u32) -> anyhow::Result<String> {
    let text = match file {
        Some(file) => {
            String::from_utf8_lossy(&fs::read(file).with_context(|| file.display().to_string())?).into_owned()
        }
        None => {
            let mut journal = Command::new("journalctl");
            journal.args([
                "--unit",
                "usher.service",
                "--no-pager",
                "--quiet",
                "--output",
                "cat",
                "--lines",
                &lines.to_string(),
            ]);
            let output = journal.stdin(Stdio::null()).output();
            output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
        }
    };
    let all: Vec<&str> = text.lines().collect();
    let first = all.len().saturating_sub(usize::try_from(lines).unwrap_or(usize::MAX));
    Ok(all[first..].join("\n"))
}

fn bundle(file: fs::File, parts: &[(&str, String)]) -> anyhow::Result<()> {
    let mut archive = tar::Builder::new(GzEncoder::new(file, Compression::default()));
    for (name, text) in parts {
        let mut header = tar::Header::new_gnu();
        header.set_size(text.len() as u64);
        header.set_mode(0o600);
        header.set_cksum();
        archive.append_data(&mut header, format!("usher-support/{name}"), text.as_bytes())?;
    }
    let mut file = archive.into_inner()?.finish()?;
    file.flush()?;
    Ok(file.sync_all()?)
}

/// JSON of a service's state.
fn unit(name: &str) -> Value {
    let properties = "ActiveState,SubState,UnitFileState,NRestarts,ExecMainStatus,Result,MemoryCurrent,MemoryPeak";
    let asked = Command::new("systemctl").args(["show", name, "--property", properties]).stdin(Stdio::null()).output();
    let text = asked.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    // States and numbers of systemd's own; nothing else is taken.
    let plain = |value: &str| {
        value.len() < 24 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_[] ".contains(&byte))
    };
    let fields = text.lines().filter_map(|line| line.split_once('=')).filter(|(_, value)| plain(value));
    json!(fields.collect::<std::collections::BTreeMap<_, _>>())
}
