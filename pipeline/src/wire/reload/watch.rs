//! The thread `reload`: looks at the configuration's file, and has it taken up when it changes or somebody asks.

use crate::{
    health::Reloaded,
    metrics::CONFIG_RELOADS,
    supervise::{Beat, Stop},
    wire::reload::{Reloader, Taken, file::File},
};
use crossbeam::channel::{Receiver, RecvTimeoutError};
use std::{path::Path, time::Duration};
use tracing::{info, warn};
use usher_config::{Config, Problems, document::Places, read_placed};

/// How often the file is looked at: the same as other files are.
const EVERY: Duration = Duration::from_millis(200);

/// Looks at the configuration at `path` until `stop`, and at once whenever `asked`; `told` hears when it is taken up (true) and when
/// that is done. What cannot be read replaces nothing.
pub(in crate::wire) fn watch(
    path: &Path,
    mut reloader: Reloader,
    asked: &Receiver<()>,
    stop: &Stop,
    beat: &Beat,
    told: &dyn Fn(bool),
) {
    let beside = |places: &Places| places.password_files(path.parent().unwrap_or(Path::new("")));
    let (mut file, mut is_first) = (File::at(path), true);
    loop {
        beat.beat();
        let is_asked = match asked.recv_timeout(EVERY) {
            Ok(()) => true,
            Err(RecvTimeoutError::Timeout) => false,
            Err(RecvTimeoutError::Disconnected) => {
                stop.wait(EVERY);
                false
            }
        };
        if stop.is_stopping() {
            return;
        }
        if is_asked {
            file.look();
        }
        if !(file.is_due() || is_asked) {
            continue;
        }
        let (read, places) = match read_placed(path) {
            Ok((read, places)) => (read, Some(places)),
            Err(problems) => (Err(problems), None),
        };
        if !file.was_read(places.as_ref().map(beside)) && !is_asked {
            // It changed while it was read: when it stands still, it is read again.
            continue;
        }
        // Most often it is what the gate was started with.
        let is_news = !std::mem::take(&mut is_first) || is_asked;
        if is_news {
            told(true);
        }
        let outcome = decide(read, |config| reloader.take_up(config, stop, beat).map_err(|error| error.to_string()));
        if matches!(outcome, Outcome::Failed(_)) {
            file.again();
        }
        if is_news || !outcome.is_nothing() {
            note(path, outcome, places.as_ref(), &reloader);
        }
        if is_news {
            told(false);
        }
    }
}

/// What became of a file that was read.
#[derive(Debug, PartialEq)]
enum Outcome {
    /// It is broken; nothing was taken up.
    Broken(Problems),
    /// It could not be taken up, and nothing has changed.
    Failed(String),
    /// It was taken up.
    Taken(Taken),
}

impl Outcome {
    /// Whether nothing came of it.
    fn is_nothing(&self) -> bool {
        matches!(self, Self::Taken(taken) if taken.difference.is_empty() && taken.waiting.is_empty())
    }
}

/// Has a configuration taken up that was read whole, and no other.
fn decide(read: Result<Config, Problems>, take_up: impl FnOnce(&Config) -> Result<Taken, String>) -> Outcome {
    match read {
        Ok(config) => take_up(&config).map_or_else(Outcome::Failed, Outcome::Taken),
        Err(problems) => Outcome::Broken(problems),
    }
}

/// Counts, logs what is news, and tells health.
fn note(path: &Path, outcome: Outcome, places: Option<&Places>, reloader: &Reloader) {
    let health = &reloader.health;
    let before = health.reloaded();
    let (result, now) = match outcome {
        Outcome::Broken(problems) => {
            let trouble = Some(format!("{}; the one before it stays in force", words(&problems)));
            ("refused", Reloaded { trouble, waiting: before.waiting.clone() })
        }
        Outcome::Failed(reason) => {
            let trouble = Some(format!("{}: {reason}; the one before it stays in force", path.display()));
            ("refused", Reloaded { trouble, waiting: before.waiting.clone() })
        }
        Outcome::Taken(Taken { difference, waiting }) => {
            let waiting = waiting.iter().map(|key| at(path, key, places)).chain(reloader.crowded()).collect();
            let result = if difference.is_empty() { "unchanged" } else { "applied" };
            (result, Reloaded { trouble: None, waiting })
        }
    };
    metrics::counter!(CONFIG_RELOADS, "result" => result).increment(1);
    let file = path.display();
    if let Some(reason) = now.trouble.as_ref().filter(|_| now.trouble != before.trouble) {
        warn!(%file, reason, "the configuration cannot be taken up");
    }
    if now.trouble.is_none() && before.trouble.is_some() {
        info!(%file, "the configuration can be read again");
    }
    if !now.waiting.is_empty() && now.waiting != before.waiting {
        warn!(%file, waiting = now.waiting.join(", "), "these wait for a restart and keep their old values");
    }
    if result == "unchanged" {
        info!(%file, "nothing of the configuration is to be taken up");
    }
    health.set_reloaded(now);
}

/// A key with its place: `infer.workers (gate.yaml:12)`. One that is written no more is looked for above.
fn at(path: &Path, key: &str, places: Option<&Places>) -> String {
    let file = path.file_name().unwrap_or(path.as_os_str()).display();
    let above = std::iter::successors(Some(key), |key| key.rsplit_once('.').map(|(above, _)| above));
    match places.and_then(|places| above.filter_map(|key| places.line(key)).next()) {
        Some(line) => format!("{key} ({file}:{line})"),
        None => format!("{key} ({file})"),
    }
}

/// Problems in one line: the first, and how many more.
fn words(problems: &Problems) -> String {
    let first = problems.iter().next().map(ToString::to_string).unwrap_or_default();
    match problems.len() {
        1 => first,
        count => format!("{first} (and {} more: `usher check`)", count - 1),
    }
}

#[cfg(test)]
#[path = "watch_tests.rs"]
mod tests;
