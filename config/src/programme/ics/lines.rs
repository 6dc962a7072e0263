//! Content lines of an iCalendar file, each with its place (RFC 5545, section 3.1).
//!
//! calcard reads what a line says, but not where it stood. So lines are unfolded and sorted into components here, and
//! each is handed to it alone.

use crate::problem::Finding;
use calcard::{
    Entry, Parser,
    icalendar::{ICalendarEntry, ICalendarValue},
};
use std::ops::Range;

/// Properties that may hold what is personal, or is long and says nothing here; never shown in a snippet.
const HIDDEN: [&str; 6] = ["ATTENDEE", "ORGANIZER", "CONTACT", "COMMENT", "DESCRIPTION", "X-ALT-DESC"];

/// One content line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The property's name, in capitals.
    pub(crate) name: String,
    /// The value's bytes of the text, to the end of its first line.
    pub(crate) span: Range<usize>,
    /// The whole line, unfolded.
    content: String,
}

/// What stands between a `BEGIN` and its `END`, without what is nested in it.
#[derive(Clone, Debug)]
pub(crate) struct Component {
    /// `VEVENT` and so on, in capitals.
    pub(crate) kind: String,
    /// Bytes of its first line.
    pub(crate) span: Range<usize>,
    pub(crate) lines: Vec<Line>,
}

impl Line {
    /// What it says.
    pub(crate) fn entry(&self) -> Option<ICalendarEntry> {
        let text = format!("BEGIN:VEVENT\r\n{}\r\nEND:VEVENT\r\n", self.content);
        match Parser::new(&text).entry() {
            Entry::ICalendar(calendar) => calendar.components.into_iter().next()?.entries.into_iter().next(),
            _ => None,
        }
    }

    /// Its value as text, blanks as one; several values with commas between.
    pub(crate) fn text(&self) -> String {
        let values = self.entry().map(|entry| entry.values).unwrap_or_default();
        let texts: Vec<&str> = values.iter().filter_map(ICalendarValue::as_text).collect();
        texts.join(", ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Its value as written.
    pub(crate) fn raw(&self) -> &str {
        value_at(&self.content).map_or("", |at| self.content[at..].trim())
    }
}

impl Component {
    /// The first line of one of these names that says something.
    pub(crate) fn line(&self, names: &[&str]) -> Option<&Line> {
        names.iter().find_map(|name| self.lines.iter().find(|line| line.name == *name && !line.raw().is_empty()))
    }
}

/// Where a content line's value begins: behind the first colon outside quotes.
fn value_at(content: &str) -> Option<usize> {
    let mut quoted = false;
    content.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == ':' && !quoted).then_some(at + 1)
    })
}

/// The components in the order in which they begin; `None` where the file is no calendar, or its components do not nest.
pub(crate) fn components(text: &str, findings: &mut Vec<Finding>) -> Option<Vec<Component>> {
    let mut components: Vec<Component> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (span, content) in unfolded(text) {
        if content.trim().is_empty() {
            continue;
        }
        let Some(value) = value_at(&content) else {
            if components.is_empty() {
                break;
            }
            let mend = "write `NAME:value`; a line that goes on from the one above begins with a blank";
            findings.push(Finding::new(span, "", "this line is no property: it has no colon", mend));
            continue;
        };
        let name = content[..value - 1].split(';').next().unwrap_or_default().trim().to_uppercase();
        let said = content[value..].trim().to_uppercase();
        match (name.as_str(), open.last()) {
            ("BEGIN", inside) if inside.is_some() || said == "VCALENDAR" => {
                open.push(components.len());
                components.push(Component { kind: said, span, lines: Vec::new() });
            }
            ("END", Some(last)) if components[*last].kind == said => {
                open.pop();
            }
            ("END", Some(last)) => {
                let began = &components[*last];
                let line = text[..began.span.start].matches('\n').count() + 1;
                let message = format!("`END:{said}` stands where `{}` of line {line} is still open", began.kind);
                findings.push(Finding::new(span, "", message, format!("write `END:{}` before it", began.kind)));
                return None;
            }
            (_, Some(last)) => {
                let value = (span.start + value).min(span.end);
                let line = Line { name, span: value..span.end, content };
                components[*last].lines.push(line);
            }
            (_, None) => break,
        }
    }
    if components.is_empty() {
        let mend = "check that it is the right file; iCalendar begins with `BEGIN:VCALENDAR`";
        findings.push(Finding::new(0..0, "", "this is no iCalendar file", mend));
        return None;
    }
    if let Some(last) = open.last() {
        let Component { kind, span, .. } = &components[*last];
        let mend = format!("write `END:{kind}` where it ends, or fetch the file again: it may have been cut off");
        findings.push(Finding::new(span.clone(), "", format!("`BEGIN:{kind}` is never closed"), mend));
        return None;
    }
    Some(components)
}

/// The content lines: bytes of the first line, and the whole unfolded.
fn unfolded(text: &str) -> Vec<(Range<usize>, String)> {
    let mut lines: Vec<(Range<usize>, String)> = Vec::new();
    let mut start = 0;
    for raw in text.split_inclusive('\n') {
        let line = raw.trim_end_matches(['\n', '\r']);
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(more), Some((_, whole))) => whole.push_str(more),
            _ => lines.push((start..start + line.len(), line.to_owned())),
        }
        start += raw.len();
    }
    lines
}

/// The text for snippets: what may be personal is masked by `*`, byte for byte as long.
pub(crate) fn masked(text: &str) -> String {
    let mut hiding = false;
    let mut shown = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if !line.starts_with([' ', '\t']) {
            let name = line.split([';', ':']).next().unwrap_or_default().trim();
            hiding = HIDDEN.iter().any(|hidden| name.eq_ignore_ascii_case(hidden));
        }
        if hiding {
            let from = if line.starts_with([' ', '\t']) { 0 } else { line.find([';', ':']).unwrap_or(0) };
            shown.push_str(&line[..from]);
            shown.extend(
                line[from..].bytes().map(|byte| if byte.is_ascii_whitespace() { char::from(byte) } else { '*' }),
            );
        } else {
            shown.push_str(line);
        }
    }
    shown
}
