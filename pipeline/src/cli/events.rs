//! `usher events`: this box's key, and what others hold its events against.

use crate::{
    cli::{Common, MEND_ME, configured},
    clock::{Clock, SystemClock},
    publish::{signature::PublicKey, trust::Listener},
};
use anyhow::{Context, bail};
use std::{
    io::{BufRead, BufReader, Read, Write},
    process::ExitCode,
    time::Duration,
};

/// Print the key that events are held against, and hold events against it.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    /// Print the box's public key, 64 hexadecimal digits; its secret half is made where there is none.
    Key,
    /// Read lines of topic, blank and event, and write those that may be believed, as they came: signed by one of the keys for
    /// that topic, of now, not heard before. It needs no configuration. Exit code 1 when one was refused.
    ///
    /// mosquitto_sub -t 'usher/v1/SITE/gate/GATE/visit' -F '%t %p' | usher events verify --key KEY | …
    Verify(Verify),
}

#[derive(clap::Args)]
struct Verify {
    /// A box's public key, as `usher events key` prints it there; may be given several times.
    #[arg(long = "key", value_name = "KEY", required = true)]
    keys: Vec<PublicKey>,
    /// On which topics; `+` stands for one level, `#` for all that follow.
    #[arg(long, value_name = "FILTER", default_value = "#")]
    topic: String,
    /// How long ago what is for the moment may have been said. Whoever counts visits, and opens no door by them, may take `72h`.
    #[arg(long, value_name = "TIME", default_value = "30s", value_parser = humantime::parse_duration)]
    within: Duration,
}

pub(crate) fn run(common: &Common, args: &Args) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Key => {
            let config = match configured(common) {
                Ok(config) => config,
                Err(code) => return Ok(code),
            };
            match PublicKey::of_box(&config.data) {
                Ok(key) => println!("{key}"),
                Err(error) => {
                    eprintln!("usher: {error}");
                    return Ok(ExitCode::from(MEND_ME));
                }
            }
            Ok(ExitCode::SUCCESS)
        }
        What::Verify(verify) => believe(verify, std::io::stdin().lock(), &mut std::io::stdout().lock()),
    }
}

/// Bytes of the longest line: a face, with room.
const LONGEST: u64 = 512 * 1024;

fn believe(verify: &Verify, from: impl Read, to: &mut impl Write) -> anyhow::Result<ExitCode> {
    let mut listener = Listener::new(verify.keys.clone(), &verify.topic, verify.within);
    let clock = SystemClock::start();
    let mut from = BufReader::new(from);
    let mut code = ExitCode::SUCCESS;
    let mut line = Vec::new();
    loop {
        line.clear();
        if from.by_ref().take(LONGEST).read_until(b'\n', &mut line).context("standard input")? == 0 {
            return Ok(code);
        }
        let said = line.strip_suffix(b"\n").unwrap_or(&line);
        if said.len() as u64 >= LONGEST {
            bail!("a line is longer than any event");
        }
        let (topic, body) = said.split_at(said.iter().position(|byte| *byte == b' ').unwrap_or(said.len()));
        let topic = str::from_utf8(topic).unwrap_or_default();
        match listener.believe(topic, body.trim_ascii_start(), clock.now().wall) {
            Ok(()) => {
                to.write_all(said).and_then(|()| to.write_all(b"\n")).and_then(|()| to.flush()).context("output")?;
            }
            Err(refused) => {
                eprintln!("usher: an event is refused: {refused}");
                code = ExitCode::FAILURE;
            }
        }
    }
}
