//! Documents: any YAML file of ours, read with every problem at once.
//!
//! A document is a type with `Deserialize`, `JsonSchema` and `garde::Validate`. Its schema says which keys there are, of
//! which type and range; `garde` says what else must hold; `Checks` what holds between values.

mod place;
pub(crate) mod schema;
pub(crate) mod secret;
pub(crate) mod shape;
mod table;
pub(crate) mod tree;
pub(crate) mod words;

use crate::problem::{Finding, Problems};
use garde::Validate;
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use std::{fs::File, io::Read, ops::Range, path::Path, sync::Arc};
use tree::Node;

pub use place::Places;
pub use table::table;

/// Largest file that is read. A programme of ten thousand sessions has two.
const LARGEST: u64 = 4 << 20;

/// Reads a document.
///
/// # Errors
/// Every problem of the file, or that it cannot be read at all.
pub fn read<T>(path: &Path) -> Result<T, Problems>
where
    T: DeserializeOwned + JsonSchema + Validate,
    T::Context: Default,
{
    parse(&text_of(path)?, &path.display().to_string(), |_| {})
}

/// Reads a document from its text; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text<T>(text: &str, file_name: &str) -> Result<T, Problems>
where
    T: DeserializeOwned + JsonSchema + Validate,
    T::Context: Default,
{
    parse(text, file_name, |_| {})
}

/// The JSON schema of a document: draft 2020-12, for editors and for [`read`] itself.
pub fn json_schema<T: JsonSchema>() -> serde_json::Value {
    schemars::schema_for!(T).to_value()
}

/// The text of a file.
///
/// # Errors
/// That it cannot be read, is too large or is no UTF-8.
pub(crate) fn text_of(path: &Path) -> Result<String, Problems> {
    text_up_to(path, LARGEST)
}

/// The text of a file of at most so many bytes.
///
/// # Errors
/// Like [`text_of`].
pub(crate) fn text_up_to(path: &Path, largest: u64) -> Result<String, Problems> {
    text_within(path, largest, "check the path, or name the file with `--config FILE`")
}

/// The text of a file of at most `largest` bytes (whole MiB); `not_found` is the mend where there is none.
///
/// # Errors
/// That it cannot be read, is too large or is no UTF-8.
pub(crate) fn text_within(path: &Path, largest: u64, not_found: &str) -> Result<String, Problems> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    let opened = File::open(path).and_then(|file| {
        // A pipe or device could go on for ever; one byte more than allowed is enough to know.
        file.take(largest + 1).read_to_end(&mut bytes)
    });
    if let Err(error) = opened {
        let mend = match error.kind() {
            std::io::ErrorKind::NotFound => not_found,
            std::io::ErrorKind::PermissionDenied => "let the user that runs usher read it",
            _ => "check that it is a readable file",
        };
        return Err(Problems::whole_file(&name, format!("the file cannot be read: {error}"), mend));
    }
    if bytes.len() as u64 > largest {
        return Err(Problems::whole_file(
            &name,
            format!("the file is larger than {} MiB", largest >> 20),
            "split it, or check that it is the right one",
        ));
    }
    String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..valid].iter().filter(|byte| **byte == b'\n').count() + 1;
        let message = format!("byte {valid} in line {line} is not UTF-8 text");
        Problems::whole_file(&name, message, "save the file as UTF-8, or check that it is the right one")
    })
}

/// What the checks between values may ask and say.
pub(crate) struct Checks<'a> {
    /// The document; keys may be missing and values of any type.
    pub(crate) root: &'a Node,
    pub(crate) findings: Vec<Finding>,
}

impl Checks<'_> {
    /// Says what is wrong with the value at a place.
    pub(crate) fn find(
        &mut self,
        span: Range<usize>,
        key: impl Into<String>,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.findings.push(Finding::new(span, key, message, mend));
    }
}

/// A text as it is read: a byte order mark and CRLF are what some editors write; neither is the integrator's problem.
pub(crate) fn plain(text: &str) -> String {
    text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n")
}

/// The place of a character that no text holds.
pub(crate) fn control(text: &str) -> Option<usize> {
    text.find(|c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r' | '\u{85}'))
}

/// The text with its control characters shown as `?`, for a snippet.
pub(crate) fn without_control(text: &str) -> String {
    // `?` for each byte: what stands behind stays where it is.
    let shown =
        |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { "?".repeat(c.len_utf8()) } else { c.to_string() };
    text.chars().map(shown).collect()
}

/// Reads a document and runs the checks between its values, which see the tree even where parts of it are broken.
pub(crate) fn parse<T>(text: &str, file_name: &str, between: impl FnOnce(&mut Checks<'_>)) -> Result<T, Problems>
where
    T: DeserializeOwned + JsonSchema + Validate,
    T::Context: Default,
{
    let text = plain(text);
    let text = text.as_str();
    if let Some(at) = control(text) {
        let masked = Arc::from(without_control(&secret::masked(text, &[])));
        let mend = "remove it, or check that this is the right file";
        let found = Finding::new(at..at + 1, "", "this is not YAML: a control character stands here", mend);
        return Err(only(found, file_name, &masked));
    }
    let mut findings = Vec::new();
    let root = match tree::parse(text, &mut findings) {
        Ok(root) => root,
        Err(found) => {
            findings.push(*found);
            let masked = Arc::from(secret::masked(text, &[]));
            return Err(Problems::of(findings, file_name, &masked).err().unwrap_or_else(|| empty(file_name)));
        }
    };
    let Some(root) = root.filter(|root| !matches!(root.kind, tree::Kind::Null)) else { return Err(empty(file_name)) };
    let mut secrets = Vec::new();
    root.secrets(&mut secrets);
    let masked: Arc<str> = Arc::from(secret::masked(text, &secrets));
    let document = held(&root, &mut findings, between);
    Problems::of(findings, file_name, &masked)?;
    document.ok_or_else(|| empty(file_name))
}

/// Holds a tree against its type, whatever the file was written in: shape, ranges, what holds between values.
///
/// `None` only where `findings` say why.
pub(crate) fn held<T>(root: &Node, findings: &mut Vec<Finding>, between: impl FnOnce(&mut Checks<'_>)) -> Option<T>
where
    T: DeserializeOwned + JsonSchema + Validate,
    T::Context: Default,
{
    let schema = json_schema::<T>();
    let mut shape = shape::Shape::of(&schema);
    let value = shape.document(root);
    findings.append(&mut shape.findings);
    let mut checks = Checks { root, findings: Vec::new() };
    between(&mut checks);
    findings.append(&mut checks.findings);

    let read = value.filter(|_| findings.is_empty()).map(serde_json::from_value::<T>);
    match read {
        Some(Ok(document)) => {
            if let Err(report) = document.validate_with(&T::Context::default()) {
                findings.extend(report.iter().map(|(path, error)| invalid(root, path, error)));
            }
            Some(document)
        }
        Some(Err(error)) => {
            // The schema let something pass that the type refuses: said without a place rather than not at all.
            let mend = "compare the file with the schema (`usher schema`)";
            findings.push(Finding::new(0..0, "", format!("this document does not fit: {error}"), mend));
            None
        }
        None => None,
    }
}

fn only(found: Finding, file_name: &str, masked: &Arc<str>) -> Problems {
    Problems::of(vec![found], file_name, masked).err().unwrap_or_else(|| empty(file_name))
}

fn empty(file_name: &str) -> Problems {
    Problems::whole_file(file_name, "the file is empty", "begin with the example of the documentation (docs/config.md)")
}

/// A garde violation at its place. The message of a `custom` check may name its mend after a semicolon.
fn invalid(root: &Node, path: &garde::Path, error: &garde::Error) -> Finding {
    let mut node = Some(root);
    let mut span = 0..0;
    let mut key = String::new();
    let parts: Vec<(garde::error::Kind, String)> = path.__iter().map(|(kind, part)| (kind, part.to_string())).collect();
    for (kind, part) in parts.iter().rev() {
        let below = if matches!(kind, garde::error::Kind::Index) {
            key.push_str(&format!("[{part}]"));
            node.and_then(|node| node.items().get(part.parse::<usize>().ok()?)).map(|item| (item.span.clone(), item))
        } else {
            key = if key.is_empty() { part.clone() } else { format!("{key}.{part}") };
            node.and_then(|node| node.entry(part)).map(|entry| (entry.key_span.clone(), &entry.value))
        };
        if let Some((place, _)) = &below {
            span = place.clone();
        }
        node = below.map(|(_, node)| node);
    }
    let text = error.message();
    let (message, mend) = text.split_once("; ").unwrap_or((text, "write a value that fits"));
    Finding::new(span, key, message, mend)
}
