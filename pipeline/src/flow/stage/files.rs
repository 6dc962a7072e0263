//! Flow's files: read at start, and again whenever one changes.
//!
//! As the guide does: a file that looks the same twice is whole and is read; one that cannot be read replaces nothing, health says
//! why, and it heals by itself when it is mended. Logged once as it breaks and once as it heals.

use crate::{
    flow::{
        forecast::weather::Weather,
        series::{self, Series},
    },
    guide::live::{Stamp, stamp},
    health::Health,
};
use jiff::tz::TimeZone;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tracing::{info, warn};
use usher_config::value::Name;

/// Which of the files.
#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    /// Of a gate.
    History(Name),
    Weather,
}

impl What {
    fn word(&self) -> &'static str {
        match self {
            Self::History(_) => "history",
            Self::Weather => "weather",
        }
    }
}

struct File {
    what: What,
    path: PathBuf,
    seen: Stamp,
    read: Option<Stamp>,
}

/// What the files say, as far as it could ever be read.
pub(super) struct Files {
    files: Vec<File>,
    zone: TimeZone,
    health: Arc<Health>,
    /// What is wrong with which file.
    troubles: BTreeMap<PathBuf, String>,
    /// Counts of earlier days, by gate.
    pub(super) history: BTreeMap<Name, Arc<Series>>,
    /// Weather, past and forecast.
    pub(super) weather: Option<Arc<Weather>>,
}

impl Files {
    /// The folder of histories, `GATE.csv` of each gate that has one, and the file of the weather; none is read yet. Times without
    /// an offset are by `zone`'s clocks.
    pub(super) fn of<'a>(
        history: Option<&Path>,
        gates: impl Iterator<Item = &'a Name>,
        weather: Option<&Path>,
        zone: TimeZone,
        health: Arc<Health>,
    ) -> Self {
        let of_gate = |gate: &Name| Some((What::History(gate.clone()), history?.join(format!("{gate}.csv"))));
        let named = gates.filter_map(of_gate).chain(weather.map(|path| (What::Weather, path.to_owned())));
        let files = named.map(|(what, path)| File { what, seen: stamp(&path), path, read: None }).collect();
        let (troubles, history) = (BTreeMap::new(), BTreeMap::new());
        Self { files, zone, health, troubles, history, weather: None }
    }

    /// Looks at every file once, and reads what changed and stands still. True where something new was read.
    pub(super) fn look(&mut self) -> bool {
        let mut news = false;
        for index in 0..self.files.len() {
            let file = &mut self.files[index];
            let now = stamp(&file.path);
            let stands = std::mem::replace(&mut file.seen, now) == file.seen;
            if !stands || file.read.as_ref() == Some(&file.seen) {
                continue;
            }
            file.read = Some(file.seen.clone());
            // A gate may have no history, and a history may be taken away: what was read of it stays.
            if matches!(file.what, What::History(_)) && file.seen.is_empty() {
                continue;
            }
            let (what, path) = (file.what.clone(), file.path.clone());
            let done = self.read(&what, &path);
            news |= done.is_ok();
            self.note(&what, path, done.err());
        }
        news
    }

    fn read(&mut self, what: &What, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path).map_err(|reason| format!("{reason}; name a file that usher may read"))?;
        match what {
            What::History(gate) => {
                let read = series::read_csv(&text, &self.zone).map_err(|problems| first(&problems))?;
                self.history.insert(gate.clone(), Arc::new(read.series));
            }
            What::Weather => {
                let read = Weather::read(&text, &self.zone).map_err(|problems| first(&problems))?;
                self.weather = Some(Arc::new(read));
            }
        }
        Ok(())
    }

    fn note(&mut self, what: &What, path: PathBuf, trouble: Option<String>) {
        let kind = what.word();
        match &trouble {
            Some(reason) if self.troubles.get(&path) != Some(reason) => {
                warn!(file = %path.display(), kind, reason, "this file cannot be read; the last good data stay");
            }
            None if self.troubles.contains_key(&path) => {
                info!(file = %path.display(), kind, "this file can be read again");
            }
            _ => {}
        }
        match trouble {
            Some(reason) => drop(self.troubles.insert(path, reason)),
            None => drop(self.troubles.remove(&path)),
        }
        let told = self.troubles.iter().map(|(path, reason)| format!("{}: {reason}", path.display()));
        let told = told.collect::<Vec<_>>().join("; ");
        self.health.set_flow("files", (!told.is_empty()).then_some(told));
    }
}

/// The first problem, and how many more.
fn first(problems: &series::Problems) -> String {
    let told = problems.problems.first().map(|one| {
        let line = if one.line > 0 { format!("line {}: ", one.line) } else { String::new() };
        format!("{line}{}; {}", one.message, one.mend)
    });
    let more = problems.problems.len().saturating_sub(1);
    let more = if more > 0 { format!(" (and {more} more: `usher check` lists them)") } else { String::new() };
    format!("{}{more}", told.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_breaks_replaces_nothing_and_heals_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let (gate, other) = (Name::new("gate-a").unwrap(), Name::new("gate-b").unwrap());
        let path = folder.path().join("gate-a.csv");
        let good = "timestamp,count\n2026-07-01T10:00:00Z,4\n2026-07-01T10:05:00Z,6\n2026-07-01T10:10:00Z,5\n";
        fs::write(&path, good).unwrap();
        let health = Arc::new(Health::of([]));
        let gates = [&gate, &other].into_iter();
        let mut files = Files::of(Some(folder.path()), gates, None, TimeZone::UTC, health.clone());
        assert!(files.look());
        assert!(!files.look(), "read once");
        let known = files.history[&gate].clone();
        assert_eq!((known.counts.len(), files.history.len()), (3, 1));
        assert_eq!(health.flow(), None, "a gate may have no history");

        fs::write(&path, good.replace(",6", ",six")).unwrap();
        assert!(!files.look() && !files.look(), "nothing new was read");
        assert_eq!(files.history[&gate], known);
        let trouble = health.flow().unwrap();
        assert!(trouble.contains("gate-a.csv") && trouble.contains("line 3") && trouble.contains("six"), "{trouble}");

        fs::write(&path, format!("{good}2026-07-01T10:15:00Z,7\n")).unwrap();
        assert!(!files.look() && files.look());
        assert_eq!((health.flow(), files.history[&gate].counts.len()), (None, 4));
        fs::remove_file(&path).unwrap();
        assert!(!files.look() && !files.look());
        assert_eq!(files.history[&gate].counts.len(), 4, "what was read stays");
    }
}
