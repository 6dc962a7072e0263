//! Evenly spaced counts with gaps, and their reader.
//!
//! A gap is a gap: nobody saw, which is not nobody. Times come with an offset, as Unix seconds, or by a zone's clocks; of the
//! hour that clocks show twice in autumn the rows say by their order which one is meant.

mod rows;

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use std::{collections::BTreeMap, fmt};

/// Counts, one for each step from `start` on.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// When the first step begins.
    pub start: Timestamp,
    /// How long one is; more than nothing.
    pub step: SignedDuration,
    /// People counted in each; `None` is a gap, never zero.
    pub counts: Vec<Option<f64>>,
}

impl Series {
    /// When the step `index` begins.
    pub fn at(&self, index: usize) -> Timestamp {
        let ahead = self.step.as_millis().saturating_mul(index as i128);
        let ms = i128::from(self.start.as_millisecond()).saturating_add(ahead);
        Timestamp::from_millisecond(i64::try_from(ms).unwrap_or(i64::MAX)).unwrap_or(Timestamp::MAX)
    }

    /// The step that begins exactly at `at`; it may lie behind the last one.
    pub fn index(&self, at: Timestamp) -> Option<usize> {
        let (since, step) = (at.as_millisecond() - self.start.as_millisecond(), self.step.as_millis());
        let since = u128::try_from(since).ok()?;
        let step = u128::try_from(step).ok().filter(|step| *step > 0)?;
        since.is_multiple_of(step).then(|| usize::try_from(since / step).ok()).flatten()
    }

    /// The same counts in steps `many` times as long, beginning where whole such steps begin; a step with a gap is one.
    #[must_use]
    pub fn coarser(&self, many: usize) -> Self {
        let many = many.max(1);
        let long = (self.step.as_millis() * many as i128).max(1);
        let first = (0..many).find(|i| i128::from(self.at(*i).as_millisecond()).rem_euclid(long) == 0).unwrap_or(0);
        let sum = |part: &[Option<f64>]| part.iter().copied().sum::<Option<f64>>();
        let counts = self.counts.get(first..).unwrap_or_default().chunks_exact(many).map(sum).collect();
        Self { start: self.at(first), step: self.step * i32::try_from(many).unwrap_or(i32::MAX), counts }
    }
}

/// What was read, and how it was understood.
#[derive(Clone, Debug, PartialEq)]
pub struct Read {
    /// The counts.
    pub series: Series,
    /// The column that was taken for times.
    pub time_column: String,
    /// The column that was taken for counts.
    pub count_column: String,
    /// Rows of counts, gaps among them.
    pub rows: usize,
    /// Steps without a count: rows that are missing or empty.
    pub gaps: usize,
    /// Whether times without an offset were read by the zone's clocks.
    pub by_clocks: bool,
}

/// One thing to mend.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problem {
    /// Line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub mend: String,
}

/// Every problem of a file, the first hundred; never empty.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Problems {
    /// The file, as it was named by whoever asked.
    pub file: String,
    /// In the order of lines.
    pub problems: Vec<Problem>,
}

impl Problems {
    /// The same, of the file called so.
    #[must_use]
    pub fn named(self, file: impl Into<String>) -> Self {
        Self { file: file.into(), ..self }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            let newline = if index == 0 { "" } else { "\n" };
            match problem.line {
                0 => write!(f, "{newline}{}: {}; {}", self.file, problem.message, problem.mend)?,
                line => write!(f, "{newline}{}:{line}: {}; {}", self.file, problem.message, problem.mend)?,
            }
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Most problems that are told: a wrong file can have any number.
const MOST: usize = 100;
/// Most steps that are held: twenty years of minutes.
const LONGEST: i128 = 10_600_000;

/// Reads `timestamp,count` rows; times without an offset are by `zone`'s clocks.
///
/// # Errors
/// Every problem of the text, with its line and the mend.
pub fn read_csv(text: &str, zone: &TimeZone) -> Result<Read, Problems> {
    let mut problems = Vec::new();
    let read = read(text, zone, &mut problems);
    match read {
        Some(read) if problems.is_empty() => Ok(read),
        _ => {
            problems.truncate(MOST);
            Err(Problems { file: "counts".to_owned(), problems })
        }
    }
}

fn read(text: &str, zone: &TimeZone, problems: &mut Vec<Problem>) -> Option<Read> {
    let table = rows::table(text, zone, problems)?;
    let whole = |message: &str, mend: &str| Problem { line: 0, message: message.into(), mend: mend.into() };
    let [(first, ..), .., (last, ..)] = table.rows.as_slice() else {
        if problems.is_empty() {
            problems.push(whole("there are fewer than two rows with a time", "give counts of at least two steps"));
        }
        return None;
    };
    let (first, last) = (*first, *last);
    let step = usual_step(&table.rows)?;
    if i128::from(last - first) / i128::from(step) >= LONGEST {
        let message =
            format!("{} steps of {} s from first to last row are too many", (last - first) / step, step / 1000);
        problems.push(whole(&message, "mend the row whose time is far from the others, or give fewer"));
        return None;
    }
    let mut counts = vec![None; usize::try_from((last - first) / step).ok()? + 1];
    for (at, count, line) in &table.rows {
        if (at - first) % step != 0 {
            let message = format!("its time is no whole number of steps of {} s from the first", step / 1000);
            problems.push(Problem {
                line: *line,
                message,
                mend: "give counts of even steps; leave out what was not counted".into(),
            });
            continue;
        }
        counts[usize::try_from((at - first) / step).ok()?] = *count;
    }
    problems.sort_by_key(|problem| problem.line);
    let series =
        Series { start: Timestamp::from_millisecond(first).ok()?, step: SignedDuration::from_millis(step), counts };
    Some(Read {
        gaps: series.counts.iter().filter(|count| count.is_none()).count(),
        series,
        time_column: table.time_column,
        count_column: table.count_column,
        rows: table.rows.len(),
        by_clocks: table.by_clocks,
    })
}

/// The commonest distance of neighbours, in milliseconds; of two the shorter.
fn usual_step(rows: &[(i64, Option<f64>, usize)]) -> Option<i64> {
    let mut seen: BTreeMap<i64, usize> = BTreeMap::new();
    for pair in rows.windows(2) {
        *seen.entry(pair[1].0 - pair[0].0).or_default() += 1;
    }
    seen.into_iter().max_by_key(|(step, times)| (*times, -step)).map(|(step, _)| step)
}

#[cfg(test)]
mod tests;
