//! Rows of a file of counts: which column is what, and what each says.

use crate::flow::series::Problem;
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

/// Names by which a column of counts is known, the surest first.
const COUNTS: [&str; 11] =
    ["count", "counts", "entered", "arrivals", "observed", "people", "visitors", "entries", "value", "in", "n"];

/// The rows that could be read.
pub(crate) struct Table {
    pub(crate) time_column: String,
    pub(crate) count_column: String,
    /// When in Unix milliseconds, how many, on which line; in the order of time.
    pub(crate) rows: Vec<(i64, Option<f64>, usize)>,
    pub(crate) by_clocks: bool,
}

fn problem(line: usize, message: impl Into<String>, mend: impl Into<String>) -> Problem {
    Problem { line, message: message.into(), mend: mend.into() }
}

/// Splits the text into rows and finds out what the columns are.
pub(crate) fn table(text: &str, zone: &TimeZone, problems: &mut Vec<Problem>) -> Option<Table> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut lines = text.split('\n').enumerate().map(|(index, line)| (index + 1, line.trim_end_matches('\r')));
    let mut lines = lines.by_ref().filter(|(_, line)| !line.trim().is_empty() && !line.starts_with('#')).peekable();
    let Some(&(top, header)) = lines.peek() else {
        problems.push(problem(0, "the file is empty", "give rows of `timestamp,count`"));
        return None;
    };
    let separator = [',', ';', '\t'].into_iter().max_by_key(|sign| header.matches(*sign).count()).unwrap_or(',');
    let names = cells(header, separator);
    let headless = names.iter().any(|name| time_of(name, zone, None).is_ok());
    if !headless {
        lines.next();
    }
    let Some((_, first)) = lines.peek() else {
        problems.push(problem(top, "no row follows the names of the columns", "give rows of `timestamp,count`"));
        return None;
    };
    let sample = cells(first, separator);
    let name = |index: usize| if headless { format!("column {}", index + 1) } else { names[index].trim().to_owned() };
    let columns = columns(&names, &sample, headless, zone).filter(|(time, count)| time.max(count) < &names.len());
    let Some((time, count)) = columns else {
        let message = format!("no column of times and one of counts in `{}`", short(header));
        problems.push(problem(top, message, "give rows such as `2026-07-14T10:00:00Z,17` under `timestamp,count`"));
        return None;
    };
    let mut table = Table { time_column: name(time), count_column: name(count), rows: Vec::new(), by_clocks: false };
    for (line, text) in lines {
        let row = cells(text, separator);
        let cell = |index: usize| row.get(index).map_or("", |cell| cell.trim());
        let before = table.rows.last().map(|(at, ..)| *at);
        let at = time_of(cell(time), zone, before).map_err(|(message, mend)| problem(line, message, mend));
        let many = count_of(cell(count)).map_err(|message| {
            let mend = "write how many were counted, or nothing where nobody counted";
            problem(line, message, mend)
        });
        match (at, many) {
            (Ok((at, by_clocks)), Ok(many)) => match before {
                Some(before) if at <= before => {
                    let how = if at == before { "the same as" } else { "before" };
                    let message = format!("its time `{}` is {how} that of the row above", short(cell(time)));
                    problems.push(problem(line, message, "sort the rows by time, one for each step"));
                }
                _ => {
                    table.rows.push((at, many, line));
                    table.by_clocks |= by_clocks;
                }
            },
            (at, many) => problems.extend(at.err().into_iter().chain(many.err())),
        }
    }
    Some(table)
}

/// The column of times and that of counts.
fn columns(names: &[String], sample: &[String], headless: bool, zone: &TimeZone) -> Option<(usize, usize)> {
    let named = |wanted: &str| names.iter().position(|name| name.trim().eq_ignore_ascii_case(wanted));
    // A column whose first time is spoilt is still known by its name.
    let time = sample.iter().position(|cell| time_of(cell, zone, None).is_ok());
    let time = time.or_else(|| ["timestamp", "time", "date", "at"].into_iter().find_map(named))?;
    let by_name = || COUNTS.into_iter().find_map(named).filter(|index| *index != time);
    let by_look = || (0..sample.len()).find(|index| *index != time && count_of(&sample[*index]).is_ok());
    Some((time, (!headless).then(by_name).flatten().or_else(by_look)?))
}

/// The cells of a line; a cell in quotes may hold the separator.
fn cells(line: &str, separator: char) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for sign in line.chars() {
        match sign {
            '"' => quoted = !quoted,
            sign if sign == separator && !quoted => cells.push(std::mem::take(&mut cell)),
            sign => cell.push(sign),
        }
    }
    cells.push(cell);
    cells
}

/// A cell as it is shown in a message.
fn short(text: &str) -> String {
    let shown: String = text.chars().filter(|sign| !sign.is_control()).take(40).collect();
    if shown.len() < text.len() { format!("{shown}…") } else { shown }
}

/// Unix milliseconds of a cell, and whether a zone's clocks were asked; `before` is the row above.
fn time_of(cell: &str, zone: &TimeZone, before: Option<i64>) -> Result<(i64, bool), (String, String)> {
    let cell = cell.trim();
    if let Ok(at) = cell.parse::<Timestamp>() {
        return Ok((at.as_millisecond(), false));
    }
    // Nine digits of seconds begin in 1973; fewer are more likely a count.
    if (9..=11).contains(&cell.len())
        && let Ok(at) = cell.parse::<i64>().map_err(|_| ()).and_then(|s| Timestamp::from_second(s).map_err(|_| ()))
    {
        return Ok((at.as_millisecond(), false));
    }
    let Ok(clock) = cell.parse::<DateTime>() else {
        let message = format!("`{}` is no time", short(cell));
        return Err((message, "write it as `2026-07-14T10:00:00+02:00` or `2026-07-14 10:00`".into()));
    };
    let ambiguous = zone.to_ambiguous_timestamp(clock);
    let offset = ambiguous.offset();
    let out_of_range = || (format!("`{}` is no time that can be held", short(cell)), "mend the year".to_owned());
    let earlier = match offset {
        AmbiguousOffset::Gap { .. } => {
            let name = zone.iana_name().unwrap_or("the zone");
            let message = format!("`{}` was left out by the clocks of {name} (summer time began)", short(cell));
            return Err((
                message,
                "leave the row out, give times with an offset, or name the right `--time-zone`".into(),
            ));
        }
        _ => ambiguous.earlier().map_err(|_| out_of_range())?.as_millisecond(),
    };
    let again = matches!(offset, AmbiguousOffset::Fold { .. }) && before.is_some_and(|before| earlier <= before);
    let at = if again { ambiguous.later().map_err(|_| out_of_range())?.as_millisecond() } else { earlier };
    Ok((at, true))
}

/// How many a cell says; nothing where it says that nobody counted.
fn count_of(cell: &str) -> Result<Option<f64>, String> {
    let cell = cell.trim();
    if ["", "na", "nan", "null", "none", "-"].iter().any(|nothing| cell.eq_ignore_ascii_case(nothing)) {
        return Ok(None);
    }
    match cell.parse::<f64>() {
        Ok(count) if count.is_finite() && (0.0..=1e9).contains(&count) => Ok(Some(count)),
        Ok(count) if count < 0.0 => Err(format!("a count of {count} is below zero")),
        Ok(_) => Err(format!("a count of `{}` is too large", short(cell))),
        Err(_) => Err(format!("`{}` is no count", short(cell))),
    }
}
