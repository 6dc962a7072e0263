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
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};
use tracing::{info, warn};

/// Which of the files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    History,
    Weather,
}

impl What {
    fn word(self) -> &'static str {
        match self {
            Self::History => "history",
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
    /// Counts of earlier days.
    pub(super) history: Option<Arc<Series>>,
    /// Weather, past and forecast.
    pub(super) weather: Option<Arc<Weather>>,
}

impl Files {
    /// The files that are named; none is read yet. Times without an offset are by `zone`'s clocks.
    pub(super) fn of(history: Option<&Path>, weather: Option<&Path>, zone: TimeZone, health: Arc<Health>) -> Self {
        let named = [(What::History, history), (What::Weather, weather)];
        let file = |(what, path): (What, Option<&Path>)| {
            let path = path?.to_owned();
            Some(File { what, seen: stamp(&path), path, read: None })
        };
        Self { files: named.into_iter().filter_map(file).collect(), zone, health, history: None, weather: None }
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
            let (what, path) = (file.what, file.path.clone());
            let done = self.read(what, &path);
            news |= done.is_ok();
            self.note(what, &path, done.err());
        }
        news
    }

    fn read(&mut self, what: What, path: &Path) -> Result<(), String> {
        let text = fs::read_to_string(path).map_err(|reason| format!("{reason}; name a file that usher may read"))?;
        match what {
            What::History => {
                let read = series::read_csv(&text, &self.zone).map_err(|problems| first(&problems))?;
                self.history = Some(Arc::new(read.series));
            }
            What::Weather => {
                let read = Weather::read(&text, &self.zone).map_err(|problems| first(&problems))?;
                self.weather = Some(Arc::new(read));
            }
        }
        Ok(())
    }

    fn note(&self, what: What, path: &Path, trouble: Option<String>) {
        let told = trouble.map(|why| format!("{}: {why}", path.display()));
        let (file, kind) = (path.display(), what.word());
        let is_news = self.health.set_flow(kind, told.clone());
        match told {
            Some(reason) if is_news => warn!(%file, kind, reason, "this file cannot be read; the last good data stay"),
            None if is_news => info!(%file, kind, "this file can be read again"),
            _ => {}
        }
    }
}

/// The first problem, and how many more.
fn first(problems: &series::Problems) -> String {
    let told = problems.problems.first().map(|one| {
        let line = if one.line > 0 { format!("line {}: ", one.line) } else { String::new() };
        format!("{line}{}; {}", one.message, one.mend)
    });
    let more = problems.problems.len().saturating_sub(1);
    let more = if more > 0 { format!(" (and {more} more: `usher flow backtest` lists them)") } else { String::new() };
    format!("{}{more}", told.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_breaks_replaces_nothing_and_heals_by_itself() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("history.csv");
        let good = "timestamp,count\n2026-07-01T10:00:00Z,4\n2026-07-01T10:05:00Z,6\n2026-07-01T10:10:00Z,5\n";
        fs::write(&path, good).unwrap();
        let health = Arc::new(Health::of([]));
        let mut files = Files::of(Some(&path), None, TimeZone::UTC, health.clone());
        assert!(files.look());
        assert!(!files.look(), "read once");
        let known = files.history.clone().unwrap();
        assert_eq!(known.counts.len(), 3);
        assert_eq!(health.flow(), None);

        fs::write(&path, good.replace(",6", ",six")).unwrap();
        assert!(!files.look() && !files.look(), "nothing new was read");
        assert_eq!(files.history.as_deref(), Some(&*known));
        let trouble = health.flow().unwrap();
        assert!(trouble.contains("history.csv") && trouble.contains("line 3") && trouble.contains("six"), "{trouble}");

        fs::remove_file(&path).unwrap();
        assert!(!files.look() && !files.look());
        assert!(health.flow().is_some() && files.history.is_some());

        fs::write(&path, format!("{good}2026-07-01T10:15:00Z,7\n")).unwrap();
        assert!(!files.look() && files.look());
        assert_eq!((health.flow(), files.history.unwrap().counts.len()), (None, 4));
    }
}
