//! Counts kept on disk: one CSV file a day, one row a minute and gate.
//!
//! ```text
//! minute,gate,entered,left,counting
//! 2026-07-24T16:03:00Z,gate-b,4,0,open
//! 2026-07-24T16:03:00Z,gate-b,3,1,whole
//! ```
//!
//! A row of cameras at the back of the gate's queue has a sixth cell, `back`: who came to the queue, and who turned back.
//!
//! Rows add up: a row `open` is what was counted so far in a minute that is not through, the row that closes the minute holds the
//! rest and how much of the gate was seen (`whole`, `partial`, `none`). So whoever pulls the plug loses ten seconds. A
//! minute without a closing row is a gap, and what was counted in it belongs to the day's totals all the same.
//!
//! A line that was torn off is cut away before the next is written, since nobody knows whether `12` was `123`.

use crate::flow::{count::tally::day_of, told::Counting};
use jiff::{SignedDuration, Timestamp, civil::Date, tz::TimeZone};
use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    time::Duration,
};
use usher_config::{count::Side, value::Name};

/// The first line of every file.
pub const HEADER: &str = "minute,gate,entered,left,counting";
/// Rows that wait in memory while the disk takes none: a day of seven gates; then the oldest go.
const MOST_WAITING: usize = 10_000;

/// What was seen of a row's minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seen {
    /// The minute is not through.
    Open,
    /// It is: so much of the gate was seen.
    Told(Counting),
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// When the minute begins.
    pub at: Timestamp,
    /// The gate.
    pub gate: Name,
    /// People who entered, besides those in other rows of the minute.
    pub entered: u32,
    /// People who left, likewise.
    pub left: u32,
    /// What was seen of the minute.
    pub seen: Seen,
    /// At which end of the gate's queue.
    pub side: Side,
}

/// The sixth cell of a row from the back of a queue.
const BACK: &str = "back";

const WORDS: [(&str, Seen); 4] = [
    ("open", Seen::Open),
    ("whole", Seen::Told(Counting::Whole)),
    ("partial", Seen::Told(Counting::Partial)),
    ("none", Seen::Told(Counting::None)),
];

impl Row {
    /// The row that `line` is; `None` where it is none.
    pub fn read(line: &str) -> Option<Self> {
        let mut cells = line.trim_end_matches('\r').split(',');
        let mut cell = || cells.next();
        let (at, gate) = (cell()?.parse().ok()?, Name::new(cell()?)?);
        let (entered, left) = (cell()?.parse().ok()?, cell()?.parse().ok()?);
        let word = cell()?;
        let (_, seen) = WORDS.iter().find(|(known, _)| *known == word)?;
        let side = match cells.next() {
            None => Side::Gate,
            Some(BACK) => Side::Back,
            Some(_) => return None,
        };
        cells.next().is_none().then_some(Self { at, gate, entered, left, seen: *seen, side })
    }

    fn line(&self) -> String {
        let word = WORDS.iter().find(|(_, seen)| *seen == self.seen).map_or("open", |(word, _)| word);
        let Self { at, gate, entered, left, .. } = self;
        let back = if self.side == Side::Back { format!(",{BACK}") } else { String::new() };
        format!("{at},{gate},{entered},{left},{word}{back}\n")
    }
}

/// What a folder of records holds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Its rows, by day and as written.
    pub rows: Vec<Row>,
    /// Lines that are no rows: torn ones, and what somebody else wrote.
    pub unread: usize,
}

/// The day that a file of a record is of.
fn day_of_file(path: &Path) -> Option<Date> {
    path.file_name()?.to_str()?.strip_suffix(".csv")?.parse().ok()
}

/// The files of the record in `folder` by day; none where there is no folder.
fn files(folder: &Path) -> io::Result<Vec<(Date, PathBuf)>> {
    let entries = match std::fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files: Vec<_> = paths.filter_map(|path| Some((day_of_file(&path)?, path))).collect();
    files.sort();
    Ok(files)
}

/// Reads the rows of one file's text.
pub fn rows_of(text: &str) -> Kept {
    // The last line ends, or was torn off.
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let lines = text[..whole].lines().filter(|line| !line.is_empty() && *line != HEADER);
    let mut kept = Kept { rows: Vec::new(), unread: usize::from(whole < text.len()) };
    for line in lines {
        match Row::read(line) {
            Some(row) => kept.rows.push(row),
            None => kept.unread += 1,
        }
    }
    kept
}

/// Reads the record in `folder` from the day `since` on; one of no folder is empty.
///
/// # Errors
/// What the system said of the folder or of a file.
pub fn read(folder: &Path, since: Date) -> io::Result<Kept> {
    let mut kept = Kept::default();
    for (_, path) in files(folder)?.into_iter().filter(|(day, _)| *day >= since) {
        let text = String::from_utf8_lossy(&std::fs::read(path)?).into_owned();
        let of_day = rows_of(&text);
        kept.rows.extend(of_day.rows);
        kept.unread += of_day.unread;
    }
    Ok(kept)
}

/// Where rows are written.
pub struct Record {
    folder: PathBuf,
    zone: TimeZone,
    keep: Duration,
    waiting: Vec<Row>,
    /// Rows that were let go since the disk took none for too long.
    lost: usize,
    tidied: Option<Date>,
}

impl Record {
    /// A record in `folder`, kept for so long; nothing is touched yet.
    pub fn new(folder: &Path, keep: Duration, zone: TimeZone) -> Self {
        Self { folder: folder.to_owned(), zone, keep, waiting: Vec::new(), lost: 0, tidied: None }
    }

    /// Rows that wait, and rows that were let go.
    pub fn behind(&self) -> (usize, usize) {
        (self.waiting.len(), self.lost)
    }

    /// Writes `rows` and what waits, and has the disk hold it. What cannot be written waits.
    ///
    /// # Errors
    /// What the system said; nothing of the rows is lost until too many wait.
    pub fn write(&mut self, rows: impl IntoIterator<Item = Row>) -> io::Result<()> {
        self.waiting.extend(rows);
        let beyond = self.waiting.len().saturating_sub(MOST_WAITING);
        self.lost += self.waiting.drain(..beyond).count();
        while let Some(day) = self.waiting.first().map(|row| day_of(row.at, &self.zone)) {
            let zone = &self.zone;
            let of_day = self.waiting.iter().take_while(|row| day_of(row.at, zone) == day).count();
            let mut text = String::new();
            self.waiting[..of_day].iter().for_each(|row| text.push_str(&row.line()));
            self.append(day, &text)?;
            self.waiting.drain(..of_day);
            self.tidy(day);
        }
        Ok(())
    }

    fn append(&self, day: Date, text: &str) -> io::Result<()> {
        std::fs::create_dir_all(&self.folder)?;
        let path = self.folder.join(format!("{day}.csv"));
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path)?;
        let end = heal(&mut file)?;
        let mut whole = String::new();
        if end == 0 {
            let _never = writeln!(whole, "{HEADER}");
        }
        whole.push_str(text);
        let written = file.write_all(whole.as_bytes()).and_then(|()| file.sync_data());
        if written.is_err() {
            // Half of it may stand there; the rows wait, and are written whole.
            let _healed_by_the_next = file.set_len(end);
        }
        written
    }

    /// Deletes days that were kept long enough, once a day. What cannot be deleted is tried again tomorrow.
    fn tidy(&mut self, day: Date) {
        if self.tidied.replace(day) == Some(day) {
            return;
        }
        let keep = SignedDuration::try_from(self.keep).unwrap_or(SignedDuration::MAX);
        let Ok(oldest) = day.checked_sub(keep) else { return };
        for (_, path) in files(&self.folder).unwrap_or_default().iter().filter(|(of, _)| *of < oldest) {
            let _tomorrow = std::fs::remove_file(path);
        }
    }
}

/// Cuts a torn last line away; answers with the length then.
fn heal(file: &mut File) -> io::Result<u64> {
    let length = file.metadata()?.len();
    let mut end = length;
    let mut chunk = [0; 4096];
    while end > 0 {
        let from = end.saturating_sub(chunk.len() as u64);
        let part = &mut chunk[..(end - from) as usize];
        file.seek(SeekFrom::Start(from))?;
        file.read_exact(part)?;
        if let Some(newline) = part.iter().rposition(|byte| *byte == b'\n') {
            end = from + newline as u64 + 1;
            break;
        }
        end = from;
    }
    if end < length {
        file.set_len(end)?;
    }
    Ok(end)
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
