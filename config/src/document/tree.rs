//! YAML as a tree whose every node knows its place.
//!
//! serde stops at the first value that does not fit; a person wants to hear of all of them. So the text is parsed once
//! into this tree, bounded in depth and size, and everything else is asked of the tree.

use crate::{document::secret::is_secret, problem::Finding};
use serde_saphyr::granit_parser::{Event, Parser, ScalarStyle, ScanError, Span};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Range,
};

/// Deepest nesting that is read. A configuration has 6 levels.
const DEPTH: usize = 32;
/// Most nodes that are read, aliases written out: bounds what a file of nested aliases can cost. A programme of ten
/// thousand sessions has a quarter of a million.
const NODES: usize = 400_000;

/// Stands for a key that is no text; no text of a file holds it.
const NO_KEY: &str = "\0";

/// A value and its place.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    /// Bytes of the text; of a map or list, its first line at least.
    pub(crate) span: Range<usize>,
    pub(crate) kind: Kind,
    /// Its content is never shown.
    pub(crate) secret: bool,
}

#[derive(Clone, Debug)]
pub(crate) enum Kind {
    /// Nothing, `~` or `null`, unquoted.
    Null,
    Scalar {
        text: String,
        /// Without quotes.
        plain: bool,
    },
    List(Vec<Node>),
    Map(Vec<Entry>),
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_span: Range<usize>,
    pub(crate) value: Node,
}

impl Node {
    /// The entry of a map; `None` where this is no map or has no such key.
    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|entry| entry.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|entry| &entry.value).filter(|node| !matches!(node.kind, Kind::Null))
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        if let Kind::Map(entries) = &self.kind { entries } else { &[] }
    }

    pub(crate) fn items(&self) -> &[Node] {
        if let Kind::List(items) = &self.kind { items } else { &[] }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Kind::Scalar { text, .. } = &self.kind { Some(text) } else { None }
    }

    fn count(&self) -> usize {
        1 + match &self.kind {
            Kind::Null | Kind::Scalar { .. } => 0,
            Kind::List(items) => items.iter().map(Self::count).sum(),
            Kind::Map(entries) => entries.iter().map(|entry| 1 + entry.value.count()).sum(),
        }
    }

    fn hide(&mut self) {
        self.secret = true;
        match &mut self.kind {
            Kind::Null | Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter_mut().for_each(Self::hide),
            Kind::Map(entries) => {
                for entry in entries.iter_mut().filter(|entry| !entry.key.ends_with("file") && entry.key != "user") {
                    entry.value.hide();
                }
            }
        }
    }

    /// The places of everything secret.
    pub(crate) fn secrets(&self, into: &mut Vec<Range<usize>>) {
        match &self.kind {
            Kind::Null => {}
            Kind::Scalar { .. } if self.secret => into.push(self.span.clone()),
            Kind::Scalar { .. } => {}
            Kind::List(items) => items.iter().for_each(|item| item.secrets(into)),
            Kind::Map(entries) => entries.iter().for_each(|entry| entry.value.secrets(into)),
        }
    }
}

/// A map or list that is still open.
struct Open {
    start: usize,
    anchor: usize,
    content: Content,
}

enum Content {
    List(Vec<Node>),
    Map { entries: Vec<Entry>, known: HashMap<String, usize>, key: Option<(String, Range<usize>)> },
}

/// Reads one document. The findings are what is wrong but leaves a tree; an `Err` is what leaves none.
pub(crate) fn parse(text: &str, findings: &mut Vec<Finding>) -> Result<Option<Node>, Box<Finding>> {
    let mut build = Build { text, stack: Vec::new(), anchors: BTreeMap::new(), nodes: 0, root: None, findings };
    for next in Parser::new_from_str(text) {
        let (event, span) = next.map_err(|error| Box::new(unreadable(text, &error)))?;
        if !build.take(event, &span)? {
            break;
        }
    }
    Ok(build.root)
}

/// What a scanner could not read, with the mend for what people most often get wrong.
fn unreadable(text: &str, error: &ScanError) -> Finding {
    let marker = error.marker();
    let at = marker.byte_offset().unwrap_or(text.len()).min(text.len());
    let info = error.info().to_string();
    let mut said = info.trim().trim_end_matches('.').chars();
    let info = said.next().map(|first| first.to_lowercase().chain(said).collect::<String>()).unwrap_or_default();
    let line_start = text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    let line = text[line_start..].split('\n').next().unwrap_or_default();
    let number = text[..at].matches('\n').count() + 1;
    let above = text[..line_start].lines().enumerate().filter(|(_, line)| !is_blank(line)).last();
    let blank = |line: &str| line.len() - line.trim_start().len();
    let tab = if line[..blank(line)].contains('\t') || info.contains("tab") {
        let behind = text[line_start..].find('\t').map(|tab| line_start + tab);
        behind.or_else(|| text[..at].rfind('\t'))
    } else {
        None
    };
    let (at, mend) = if let Some(tab) = tab {
        (tab, "indent with spaces: YAML allows no tabs there".to_owned())
    } else if info.contains("anchor") || info.contains("alias") {
        (at, "define the anchor `&name` above the place that uses `*name`, or write the value out".to_owned())
    } else if info.contains("quote") || info.contains("end of stream") || info.contains("EOF") {
        (at, "close the quote or bracket that was opened".to_owned())
    } else if info.contains("flow") {
        (at, "check that every `{` and `[` is closed and that commas stand between the values".to_owned())
    } else if let Some((index, _)) = above.filter(|(_, line)| !line.contains(": ") && !line.trim_end().ends_with(':')) {
        (at, format!("begin line {} with a key, a colon and a blank, such as `site: north-park`", index + 1))
    } else if info.contains("mapping values") && above.is_some_and(|(_, above)| blank(line) > blank(above)) {
        (at, format!("indent line {number} like the line above it, or give that one no value of its own"))
    } else if info.contains("mapping values") {
        (at, "put quotes round a value that holds `: `".to_owned())
    } else {
        (at, format!("check the indentation of line {number}: keys of one section begin in the same column"))
    };
    Finding::new(at..at + 1, "", format!("this is not YAML: {info}"), mend)
}

fn is_blank(line: &str) -> bool {
    line.trim().is_empty() || line.trim_start().starts_with('#')
}

struct Build<'a> {
    text: &'a str,
    stack: Vec<Open>,
    anchors: BTreeMap<usize, Node>,
    nodes: usize,
    root: Option<Node>,
    findings: &'a mut Vec<Finding>,
}

impl Build<'_> {
    /// `false` when the rest is not to be read.
    fn take(&mut self, event: Event<'_>, span: &Span) -> Result<bool, Box<Finding>> {
        let range = span.byte_range().unwrap_or(0..0);
        match event {
            Event::DocumentStart(..) if self.root.is_some() => {
                self.findings.push(Finding::new(
                    range,
                    "",
                    "a second document begins here",
                    "keep one document per file: remove `---` and what follows",
                ));
                return Ok(false);
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &range);
                let plain = style == ScalarStyle::Plain;
                let nothing = plain && matches!(text.as_ref(), "" | "~" | "null");
                let kind = if nothing { Kind::Null } else { Kind::Scalar { text: text.into_owned(), plain } };
                self.place(Node { span: range, kind, secret: false }, anchor)?;
            }
            Event::Alias(id) => {
                let Some(node) = self.anchors.get(&id) else {
                    self.findings.push(Finding::new(
                        range.clone(),
                        "",
                        "an alias stands inside the value that it names",
                        "write the value out",
                    ));
                    return self.place(Node { span: range, kind: Kind::Null, secret: false }, 0).map(|()| true);
                };
                self.nodes += node.count();
                self.bounded(&range)?;
                let node = Node { span: range, ..node.clone() };
                self.place(node, 0)?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &range);
                self.open(range.start, anchor, Content::List(Vec::new()))?;
            }
            Event::MappingStart(_, anchor, tag) => {
                self.refuse_tag(tag.is_some(), &range);
                let content = Content::Map { entries: Vec::new(), known: HashMap::new(), key: None };
                self.open(range.start, anchor, content)?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(Open { start, anchor, content }) = self.stack.pop() else { return Ok(false) };
                let kind = match content {
                    Content::List(items) => Kind::List(items),
                    Content::Map { entries, .. } => Kind::Map(entries),
                };
                self.place(Node { span: start..range.end.max(start), kind, secret: false }, anchor)?;
            }
            _ => {}
        }
        Ok(true)
    }

    fn bounded(&self, at: &Range<usize>) -> Result<(), Box<Finding>> {
        if self.nodes <= NODES {
            return Ok(());
        }
        let message = format!("this file grows to more than {NODES} values");
        Err(Box::new(Finding::new(at.clone(), "", message, "use fewer aliases, or split the file")))
    }

    fn open(&mut self, start: usize, anchor: usize, content: Content) -> Result<(), Box<Finding>> {
        if self.stack.len() >= DEPTH {
            let message = format!("values are nested more than {DEPTH} deep");
            return Err(Box::new(Finding::new(
                start..start + 1,
                "",
                message,
                "nothing here nests deeper than 6: flatten it",
            )));
        }
        self.stack.push(Open { start, anchor, content });
        Ok(())
    }

    fn refuse_tag(&mut self, tagged: bool, at: &Range<usize>) {
        if tagged {
            let mend = "remove the `!…`: the type of a value follows from its key";
            self.findings.push(Finding::new(at.clone(), "", "this value has a YAML tag", mend));
        }
    }

    /// Puts a finished node where it belongs: as a key, a value, an item or the root.
    fn place(&mut self, mut node: Node, anchor: usize) -> Result<(), Box<Finding>> {
        self.nodes += 1;
        self.bounded(&node.span)?;
        let Some(open) = self.stack.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        match &mut open.content {
            Content::List(items) => {
                if anchor != 0 {
                    self.anchors.insert(anchor, node.clone());
                }
                items.push(node);
            }
            Content::Map { key: key @ None, .. } => {
                let text = match &node.kind {
                    Kind::Scalar { text, .. } => text.clone(),
                    Kind::Null => self.text.get(node.span.clone()).unwrap_or_default().to_owned(),
                    Kind::List(_) | Kind::Map(_) => {
                        let mend =
                            "write a plain word before the colon; a value that begins with `{` or `[` may need quotes";
                        self.findings.push(Finding::new(node.span.clone(), "", "this key is not a word", mend));
                        // A key that is none: what stands below it is passed over.
                        NO_KEY.to_owned()
                    }
                };
                *key = Some((text, node.span));
            }
            Content::Map { entries, known, key: pending } => {
                let Some((key, key_span)) = pending.take().filter(|(key, _)| key != NO_KEY) else { return Ok(()) };
                if is_secret(&key) {
                    node.hide();
                }
                if anchor != 0 {
                    self.anchors.insert(anchor, node.clone());
                }
                if let Some(first) = known.get(&key) {
                    let line = self.text[..*first].matches('\n').count() + 1;
                    self.findings.push(Finding::new(
                        key_span,
                        key.clone(),
                        format!("the key `{key}` stands here a second time; the first is in line {line}"),
                        "keep one of the two",
                    ));
                    return Ok(());
                }
                known.insert(key.clone(), key_span.start);
                entries.push(Entry { key, key_span, value: node });
            }
        }
        Ok(())
    }
}
