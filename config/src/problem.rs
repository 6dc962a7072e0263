//! Problems: what must be mended, where, and how.
//!
//! A problem points at a place in a file. Whatever is shown of that file has its secrets masked first, so a problem may
//! go to a terminal, a journal or a ticket.

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};
use serde::Serialize;
use std::{fmt, ops::Range, sync::Arc};

/// One thing that a person must mend in a YAML file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as it was named by whoever asked.
    pub file: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The key's path, such as `cameras.gate-a-1.url`; empty where the file as a whole is meant.
    pub key: String,
    /// What is wrong: one lower-case sentence with the value.
    pub message: String,
    /// What to do: one sentence.
    pub mend: String,
    #[serde(skip)]
    span: Range<usize>,
    #[serde(skip)]
    source: Arc<str>,
}

impl Problem {
    /// A problem of a file that is too large to show any of it: its line (from 1), the key (empty for none), what is wrong and
    /// what to do.
    pub fn in_line(file: &str, line: usize, key: &str, message: impl Into<String>, mend: impl Into<String>) -> Self {
        let source: Arc<str> = Arc::from("");
        Self { line, ..Finding::new(0..0, key, message, mend).in_file(file, &source) }
    }
}

/// A finding of a check, before it knows its file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Bytes of the text it points at.
    pub(crate) span: Range<usize>,
    pub(crate) key: String,
    pub(crate) message: String,
    pub(crate) mend: String,
}

impl Finding {
    pub(crate) fn new(
        span: Range<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { span, key: key.into(), message: message.into(), mend: mend.into() }
    }

    /// Gives the finding its file. `masked` is the file's text with its secrets masked, byte for byte as long.
    pub(crate) fn in_file(self, file: &str, masked: &Arc<str>) -> Problem {
        let (line, column) = position(masked, self.span.start);
        Problem {
            file: file.to_owned(),
            line,
            column,
            key: self.key,
            message: self.message,
            mend: self.mend,
            span: self.span,
            source: Arc::clone(masked),
        }
    }
}

/// Line and column, both from 1, of a byte offset.
fn position(text: &str, offset: usize) -> (usize, usize) {
    let mut end = offset.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// Most problems that are told of one file: who has so many reads no further, and a wrong file can have any number.
const MOST: usize = 100;
/// Longest line of which a snippet is shown.
const LONGEST_LINE: usize = 400;

/// Every problem of one or several files, in the order of the text (the first hundred of a file). Never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Sorts findings by place and gives them their file; `Ok` where there are none.
    pub(crate) fn of(mut findings: Vec<Finding>, file: &str, masked: &Arc<str>) -> Result<(), Self> {
        findings.sort_by(|a, b| (a.span.start, &a.key, &a.message).cmp(&(b.span.start, &b.key, &b.message)));
        findings.dedup();
        findings.truncate(MOST);
        let problems: Vec<Problem> = findings.into_iter().map(|found| found.in_file(file, masked)).collect();
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// A single problem that concerns a file as a whole (it cannot be read, it is too large).
    pub(crate) fn whole_file(file: &str, message: impl Into<String>, mend: impl Into<String>) -> Self {
        let text: Arc<str> = Arc::from("");
        Self(vec![Finding::new(0..0, "", message, mend).in_file(file, &text)])
    }

    /// These, in the order in which they were found; `Ok` where there are none.
    ///
    /// # Errors
    /// The problems, where there are any.
    pub fn of_lines(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self(problems)) }
    }

    /// The problems themselves.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.0.iter()
    }

    /// How many there are; at least one.
    #[expect(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// These and those of another file.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// An array of `{file, line, column, key, message, mend}`.
    pub fn to_json(&self) -> serde_json::Value {
        serde_json::json!(self.0)
    }

    /// For a terminal: with colours.
    pub fn coloured(&self) -> String {
        self.rendered(GraphicalTheme::unicode())
    }

    fn rendered(&self, theme: GraphicalTheme) -> String {
        let handler = GraphicalReportHandler::new_themed(theme)
            .with_links(false)
            .with_width(120)
            .with_wrap_lines(false)
            .with_context_lines(1)
            .without_cause_chain();
        let mut out = String::new();
        for problem in &self.0 {
            // Writing to a string cannot fail; what a renderer could not draw is still said in words.
            if handler.render_report(&mut out, &Shown::of(problem)).is_err() {
                out.push_str(&format!("{problem}\n"));
            }
            while out.ends_with("\n\n") {
                out.pop();
            }
            out.push('\n');
        }
        let count = self.0.len();
        out.push_str(&match count {
            1 => "1 problem\n".to_owned(),
            MOST => format!("the first {MOST} problems\n"),
            _ => format!("{count} problems\n"),
        });
        // miette pads snippet lines; trailing blanks help nobody and hurt a comparison.
        out.lines().map(str::trim_end).collect::<Vec<_>>().join("\n") + "\n"
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}: {}; {}", self.file, self.line, self.column, self.message, self.mend)
    }
}

/// Snippets with carets, without colours, the same on every terminal.
impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rendered(GraphicalTheme::unicode_nocolor()))
    }
}

impl std::error::Error for Problems {}

/// A problem as miette wants it.
#[derive(Debug)]
struct Shown {
    message: String,
    mend: String,
    label: Option<LabeledSpan>,
    source: Option<NamedSource<Arc<str>>>,
}

impl Shown {
    fn of(problem: &Problem) -> Self {
        let lines = problem.source.lines().skip(problem.line.saturating_sub(2)).take(3);
        if problem.source.is_empty() || lines.map(str::len).any(|length| length > LONGEST_LINE) {
            let place = if problem.source.is_empty() && problem.line == 1 {
                problem.file.clone()
            } else if problem.source.is_empty() {
                format!("{}:{}", problem.file, problem.line)
            } else {
                format!("{}:{}:{}", problem.file, problem.line, problem.column)
            };
            let message = format!("{place}: {}", problem.message);
            return Self { message, mend: problem.mend.clone(), label: None, source: None };
        }
        let key = (!problem.key.is_empty()).then(|| problem.key.clone());
        // A caret under one line: a span over several lines is drawn as a bracket that says less.
        let rest = problem.source.get(problem.span.clone()).unwrap_or_default();
        let length = rest.find('\n').unwrap_or(rest.len());
        Self {
            message: problem.message.clone(),
            mend: problem.mend.clone(),
            label: Some(LabeledSpan::new(key, problem.span.start.min(problem.source.len()), length)),
            source: Some(NamedSource::new(&problem.file, Arc::clone(&problem.source))),
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Shown {}

impl Diagnostic for Shown {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(&self.mend))
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }
}
