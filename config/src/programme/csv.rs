//! A programme as CSV: a session a row, columns by name.
//!
//! What spreadsheets and result systems export. A first line `# time_zone: Europe/Berlin` says whose clocks are meant; the
//! rows become the tree that a YAML file becomes, so the very same checks judge them.

mod cells;

use crate::{
    document::{self, tree::Entry, tree::Kind, tree::Node, words::nearest},
    problem::{Finding, Problems},
    programme::{Programme, check, written::Written, written::folded},
};
use cells::{Cell, Row, rows};
use std::{ops::Range, sync::Arc};

/// The columns, by the keys of a session.
const COLUMNS: [&str; 12] =
    ["sport", "discipline", "title", "venue", "place", "gate", "start", "end", "days", "status", "attendance", "id"];
/// The columns without which there is no session.
const REQUIRED: [&str; 5] = ["sport", "title", "venue", "start", "end"];

/// Reads a programme from the text of a CSV file; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str) -> Result<Programme, Problems> {
    let mut text = document::plain(text);
    if !text.contains('\n') {
        // Lines as the oldest spreadsheets end them.
        text = text.replace('\r', "\n");
    }
    let shown: Arc<str> = Arc::from(document::without_control(&text));
    let mut findings = Vec::new();
    let written = read(&text, &mut findings);
    findings.iter_mut().for_each(reword);
    Problems::of(findings, file_name, &shown)?;
    let mend = "begin with a row of column names, such as `sport,title,venue,place,start,end`";
    Ok(written.ok_or_else(|| Problems::whole_file(file_name, "the file is empty", mend))?.meant())
}

/// The programme; `None` where there is no table, or `findings` say what is wrong with it.
fn read(text: &str, findings: &mut Vec<Finding>) -> Option<Written> {
    if let Some(at) = document::control(text) {
        let mend = "remove it, or save the file as CSV with UTF-8";
        findings.push(Finding::new(at..at + 1, "", "this is not CSV text: a control character stands here", mend));
        return None;
    }
    let head = Head::of(text);
    let separator = head.separator.unwrap_or_else(|| separator(&text[head.table..]));
    let rows = rows(text, head.table, separator);
    let (header, rows) = rows.split_first()?;
    let sessions = match columns(header, findings) {
        Some(columns) => rows.iter().filter_map(|row| session(row, header, &columns, findings)).collect(),
        None => Vec::new(),
    };
    let mut entries = Vec::new();
    match head.time_zone {
        Some(zone) => entries.push(entry("time_zone", zone.0.clone(), scalar(zone))),
        None => {
            let mend = "write whose clocks are meant into the first line: `# time_zone: Europe/Berlin`";
            findings.push(Finding::new(0..0, "time_zone", "the file names no time zone", mend));
            entries.push(entry("time_zone", 0..0, scalar((0..0, "UTC"))));
        }
    }
    if let Some((first, last)) = head.sports.first().zip(head.sports.last()) {
        let span = first.0.start..last.0.end;
        let list = head.sports.iter().cloned().map(scalar).collect();
        entries.push(entry("sports", span.clone(), node(span, Kind::List(list))));
    }
    entries.push(entry("sessions", header.span.clone(), node(header.span.clone(), Kind::List(sessions))));
    document::held(&node(0..text.len(), Kind::Map(entries)), findings, check::check)
}

/// What stands above the table.
#[derive(Default)]
struct Head<'t> {
    /// Where the table begins.
    table: usize,
    separator: Option<u8>,
    time_zone: Option<(Range<usize>, &'t str)>,
    sports: Vec<(Range<usize>, &'t str)>,
}

impl<'t> Head<'t> {
    fn of(text: &'t str) -> Self {
        let mut head = Self::default();
        for line in text.split_inclusive('\n') {
            let start = head.table;
            let said = line.trim();
            let place = |part: &'t str| {
                let from = part.as_ptr() as usize - text.as_ptr() as usize;
                (from..from + part.len(), part)
            };
            if let Some(comment) = said.strip_prefix('#') {
                let (key, value) = comment.split_once(':').unwrap_or((comment, &comment[comment.len()..]));
                // A spreadsheet that saved the line as a row has put separators behind it, perhaps quotes round it.
                let value = value.trim_matches([',', ';', '"', ' ', '\t']);
                match folded(key).replace(['_', '-', ' '], "").as_str() {
                    "timezone" => head.time_zone = Some(place(value)),
                    "sports" => {
                        let listed = value.split([',', ';']).map(str::trim).filter(|sport| !sport.is_empty());
                        head.sports = listed.map(place).collect();
                    }
                    _ => {}
                }
            } else if let (true, Some(sign)) = (start == 0, said.strip_prefix("sep=")) {
                head.separator = Some(sign.bytes().next().unwrap_or(b'\t'));
            } else if !said.is_empty() {
                break;
            }
            head.table = start + line.len();
        }
        head
    }
}

/// The separator under which the header has most columns of ours.
fn separator(table: &str) -> u8 {
    let header = table.lines().next().unwrap_or_default();
    let known = |separator: &u8| {
        let cells = rows(header, 0, *separator).into_iter().flat_map(|row| row.cells);
        cells.filter(|cell| column(&cell.text).is_some()).count()
    };
    // The last of the best wins: a comma where nothing tells.
    *[b'\t', b';', b','].iter().max_by_key(|separator| known(separator)).unwrap_or(&b',')
}

/// The column that a header's cell means.
fn column(name: &str) -> Option<&'static str> {
    COLUMNS.into_iter().find(|column| folded(name) == *column)
}

/// Which key each column holds (`None`: passed over); no list where a column is missing.
fn columns(header: &Row, findings: &mut Vec<Finding>) -> Option<Vec<Option<&'static str>>> {
    let before = findings.len();
    let mut columns: Vec<Option<&'static str>> = Vec::new();
    let mut meant = Vec::new();
    for cell in &header.cells {
        let known = column(&cell.text);
        if let Some(name) = known.filter(|name| columns.contains(&Some(name))) {
            let message = format!("the column `{name}` stands here a second time");
            findings.push(Finding::new(cell.span.clone(), name, message, "keep one of the two"));
        } else if known.is_none() && !cell.text.is_empty() && !cell.text.starts_with('#') {
            let free = COLUMNS.into_iter().filter(|name| header.cells.iter().all(|cell| folded(&cell.text) != *name));
            let near = nearest(&cell.text, free);
            meant.extend(near);
            let mend = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!(
                    "remove it, or begin its name with `#` to have it passed over; columns are `{}`",
                    COLUMNS.join("`, `")
                ),
            };
            findings.push(Finding::new(cell.span.clone(), "", format!("unknown column `{}`", cell.text), mend));
        }
        columns.push(known);
    }
    for name in REQUIRED.into_iter().filter(|name| !columns.contains(&Some(*name)) && !meant.contains(name)) {
        let mend = "name it in the header; columns are separated by commas, semicolons or tabs";
        findings.push(Finding::new(header.span.clone(), name, format!("the column `{name}` is missing"), mend));
    }
    (findings.len() == before).then_some(columns)
}

/// A row as a session; `None` where it is blank or its cells cannot be told apart.
fn session(row: &Row, header: &Row, columns: &[Option<&str>], findings: &mut Vec<Finding>) -> Option<Node> {
    if row.is_blank() {
        return None;
    }
    if let Some(at) = row.open {
        let mend = "close it with `\"`; a quote inside a quoted cell is written twice";
        findings.push(Finding::new(at..at + 1, "", "a quote is opened here and never closed", mend));
        return None;
    }
    if let Some(cell) = row.cells.iter().skip(columns.len()).find(|cell| !cell.text.is_empty()) {
        let message = format!("this row has {} cells, the header has {}", row.cells.len(), header.cells.len());
        let mend = "put quotes round a text that holds the separator";
        findings.push(Finding::new(cell.span.clone(), "", message, mend));
        return None;
    }
    let missing = Cell { span: row.span.end..row.span.end, text: String::new() };
    let cells = row.cells.iter().chain(std::iter::repeat(&missing));
    let entries = columns.iter().zip(cells).filter_map(|(column, cell)| {
        let column = (*column)?;
        let value = match column {
            _ if cell.text.is_empty() && REQUIRED.contains(&column) => node(cell.span.clone(), Kind::Null),
            _ if cell.text.is_empty() => return None,
            "days" => days(cell),
            // As people write them: `Sold out`.
            "status" => scalar((cell.span.clone(), &cell.text.to_lowercase().replace([' ', '-'], "_"))),
            _ => scalar((cell.span.clone(), &cell.text)),
        };
        Some(entry(column, cell.span.clone(), value))
    });
    Some(node(row.span.clone(), Kind::Map(entries.collect())))
}

/// `daily`, or days with blanks or signs between them.
fn days(cell: &Cell) -> Node {
    let text = cell.text.to_lowercase();
    if text == "daily" {
        return scalar((cell.span.clone(), &text));
    }
    let words = text.split([' ', ',', ';', '/', '+', '|']).filter(|word| !word.is_empty());
    node(cell.span.clone(), Kind::List(words.map(|day| scalar((cell.span.clone(), day))).collect()))
}

/// A finding in the words of a table: columns instead of paths, values instead of YAML.
fn reword(finding: &mut Finding) {
    let Some(key) = finding.key.strip_prefix("sessions[").and_then(|rest| rest.split_once("].")) else { return };
    let key = key.1.split('[').next().unwrap_or_default().to_owned();
    finding.mend = finding.mend.replace(&format!("`{key}: "), "`");
    finding.message = finding.message.replace(&format!("`{}`", finding.key), &format!("`{key}`"));
    finding.key = key;
}

fn node(span: Range<usize>, kind: Kind) -> Node {
    Node { span, kind, secret: false }
}

fn scalar((span, text): (Range<usize>, &str)) -> Node {
    node(span, Kind::Scalar { text: text.to_owned(), plain: true })
}

fn entry(key: &str, key_span: Range<usize>, value: Node) -> Entry {
    Entry { key: key.to_owned(), key_span, value }
}
