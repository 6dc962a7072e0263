//! Verification: no template outlives its consent, and the log is whole.
//!
//! Reads only. Opening the gallery the ordinary way would mend what is wrong before it could be told.

use crate::gallery::{
    audit::{
        deed::{Broken, Deed, Line, NOTHING},
        log,
    },
    key::BoxKey,
    receipt::Signer,
    rows::millis,
    visitor::VisitorId,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension};
use serde::Serialize;
use std::{
    collections::HashMap,
    fs,
    io::{self, Read as _},
    os::unix::fs::MetadataExt as _,
    path::Path,
    time::{Duration, SystemTime},
};
use uuid::Uuid;

/// How long after their time somebody's row may still be on the disk: the gate erases twice a minute.
const GRACE: Duration = Duration::from_secs(120);

/// What was found. All counts but the first five should be 0.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Lines of the log that are whole.
    pub lines: u64,
    /// Hash of the last of them.
    pub head: String,
    /// People in the gallery.
    pub visitors: usize,
    /// Templates in the gallery.
    pub templates: usize,
    /// People among them who keep their key themselves.
    pub locked: usize,
    /// Where the chain breaks, if it does.
    pub broken: Option<String>,
    /// People in the gallery of whose consent the log does not speak.
    pub without_consent: Vec<VisitorId>,
    /// People in the gallery whom the log says were forgotten.
    pub forgotten_and_here: Vec<VisitorId>,
    /// People in the gallery whose time is over for more than two minutes.
    pub outlived: Vec<VisitorId>,
    /// People whose end in the gallery is not the one they agreed to.
    pub prolonged: Vec<VisitorId>,
    /// Templates and crops of nobody.
    pub orphans: usize,
    /// Whether the log is in the file that it began in; a copy is not.
    pub is_own: bool,
}

impl Report {
    /// Whether everything is as it was promised.
    pub fn is_whole(&self) -> bool {
        let Self { broken, without_consent, forgotten_and_here, outlived, prolonged, orphans, is_own, .. } = self;
        let wrong = [without_consent, forgotten_and_here, outlived, prolonged];
        *is_own && broken.is_none() && *orphans == 0 && wrong.iter().all(|people| people.is_empty())
    }
}

/// Why nothing could be verified.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// The log.
    #[error("the audit log {0} cannot be read ({1}); run this as the user usher runs as")]
    Log(std::path::PathBuf, io::Error),
    /// The gallery.
    #[error("the gallery {0} cannot be read ({1}); run this as the user usher runs as")]
    Gallery(std::path::PathBuf, rusqlite::Error),
}

/// Holds the gallery at `path` and the log beside it against each other; nobody writes either while they are read.
///
/// # Errors
/// When one of them cannot be read at all.
pub fn verify(path: &Path, key: &BoxKey, now: SystemTime) -> Result<Report, VerifyError> {
    let mut report = Report::default();
    let log_path = path.with_file_name(log::NAME);
    let unread = |error| VerifyError::Log(log_path.clone(), error);
    let (text, about, gallery) = {
        let mut file = log::shared(&log_path).map_err(unread)?;
        let mut text = String::new();
        file.read_to_string(&mut text).map_err(unread)?;
        let about = file.metadata().map_err(unread)?;
        let gallery = read_gallery(path, &mut report);
        (text, about, gallery.map_err(|error| VerifyError::Gallery(path.to_owned(), error))?)
    };
    let state = read_log(&text, &about, &Signer::of(key), &mut report);
    compare(&gallery, &state, now, &mut report);
    Ok(report)
}

/// What the log says of each: the end they agreed to, or that they are forgotten.
type State = HashMap<VisitorId, Option<i64>>;

fn read_log(text: &str, about: &fs::Metadata, signer: &Signer, report: &mut Report) -> State {
    let born = about.created().ok().and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok());
    let here = (about.ino(), born.map_or(0, |since| since.as_nanos() as u64));
    let (mut state, mut previous, mut last) = (State::new(), NOTHING.to_owned(), None);
    // A last line without an end is one that a crash cut short: it was never acted upon.
    for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
        let seq = report.lines + 1;
        let read = serde_json::from_str::<Line>(line).map_err(|_| Broken::Unreadable(seq));
        let line = match read.and_then(|line| line.check(seq, &previous, signer.public()).map(|()| line)) {
            Ok(line) => line,
            Err(broken) => {
                report.broken = Some(broken.to_string());
                break;
            }
        };
        match line.deed {
            Deed::Begun { inode, born } => report.is_own = (inode, born) == here,
            Deed::Consented { visitor, expires_ms, .. } => {
                state.insert(visitor, Some(expires_ms));
            }
            Deed::Forgotten { visitor, .. } | Deed::Unfinished { visitor } => {
                state.insert(visitor, None);
            }
            Deed::Identification { .. } | Deed::Lanes { .. } | Deed::FloorLowered { .. } => {}
        }
        (report.lines, previous, last) = (seq, line.hash, Some(line.at));
    }
    report.head = previous;
    report.is_own &= last.is_none_or(|last| about.modified().is_ok_and(|at| !log::is_written_over(at, last)));
    state
}

/// Who is in the gallery until when (milliseconds since 1970), and the latest time that it was sure of.
struct Gallery {
    people: Vec<(VisitorId, i64)>,
    floor: i64,
}

fn read_gallery(path: &Path, report: &mut Report) -> rusqlite::Result<Gallery> {
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    let count = |sql: &str| db.query_row(sql, [], |row| row.get::<_, i64>(0)).map(|count| count as usize);
    report.templates = count("SELECT COUNT(*) FROM template")?;
    report.locked = count("SELECT COUNT(*) FROM visitor WHERE custody <> 0")?;
    for table in ["template", "picture"] {
        report.orphans += count(&format!(
            "SELECT COUNT(*) FROM {table} WHERE visitor NOT IN \
             (SELECT row FROM visitor JOIN consent ON consent.visitor = visitor.id)"
        ))?;
    }
    let find = "SELECT value FROM meta WHERE name = 'floor'";
    let floor: Option<Vec<u8>> = db.query_row(find, [], |row| row.get(0)).optional()?;
    let floor = floor.and_then(|bytes| bytes.try_into().ok()).map_or(i64::MIN, i64::from_le_bytes);
    let mut all = db.prepare("SELECT id, expires_at FROM visitor ORDER BY row")?;
    let people = all.query_map([], |row| {
        let id: Vec<u8> = row.get(0)?;
        Ok((VisitorId(Uuid::from_slice(&id).unwrap_or_default()), row.get(1)?))
    })?;
    Ok(Gallery { people: people.collect::<rusqlite::Result<_>>()?, floor })
}

fn compare(gallery: &Gallery, state: &State, now: SystemTime, report: &mut Report) {
    let over = millis(now).max(gallery.floor).saturating_sub(millis(SystemTime::UNIX_EPOCH + GRACE));
    report.visitors = gallery.people.len();
    for (id, expires) in &gallery.people {
        match state.get(id) {
            None => report.without_consent.push(*id),
            Some(None) => report.forgotten_and_here.push(*id),
            Some(Some(agreed)) if agreed != expires => report.prolonged.push(*id),
            Some(Some(_)) => {}
        }
        if *expires <= over {
            report.outlived.push(*id);
        }
    }
}
