//! Where the keys of a document stand.

use crate::document::{
    plain,
    tree::{Kind, Node, parse},
};
use std::{
    ops::Range,
    path::{Path, PathBuf},
};

/// The keys of a text with their lines.
#[derive(Debug)]
pub struct Places {
    text: String,
    root: Option<Node>,
}

impl Places {
    /// Those of a text; none of one that is no YAML.
    pub fn of(text: &str) -> Self {
        let text = plain(text);
        let root = parse(&text, &mut Vec::new()).ok().flatten();
        Self { text, root }
    }

    /// The line of a key, from 1: `infer.workers`. `None` where it is not written.
    pub fn line(&self, key: &str) -> Option<usize> {
        let mut node = self.root.as_ref()?;
        let mut span: Option<Range<usize>> = None;
        for part in key.split('.') {
            let entry = node.entry(part)?;
            span = Some(entry.key_span.clone());
            node = &entry.value;
        }
        let before = self.text.get(..span?.start)?;
        Some(before.matches('\n').count() + 1)
    }

    /// The files of passwords that the text names; relative ones are relative to `folder`.
    pub fn password_files(&self, folder: &Path) -> Vec<PathBuf> {
        let mut files = Vec::new();
        self.root.iter().for_each(|root| named(root, folder, &mut files));
        files
    }
}

fn named(node: &Node, folder: &Path, into: &mut Vec<PathBuf>) {
    match &node.kind {
        Kind::Null | Kind::Scalar { .. } => {}
        Kind::List(items) => items.iter().for_each(|item| named(item, folder, into)),
        Kind::Map(entries) => {
            for entry in entries {
                match (entry.key.as_str(), entry.value.text()) {
                    ("password_file", Some(file)) if !file.is_empty() => into.push(folder.join(file)),
                    _ => named(&entry.value, folder, into),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\u{feff}site: x\r\n# a remark\r\ninfer:\r\n  workers: 3\r\ncameras:\r\n  a: { url: /dev/video0, login: { user: u, password_file: a.password } }\r\n";

    #[test]
    fn a_key_is_found_on_its_line_and_what_is_not_written_is_not() {
        let places = Places::of(TEXT);
        assert_eq!(
            ["site", "infer.workers", "cameras.a.login"].map(|key| places.line(key)),
            [Some(1), Some(4), Some(6)]
        );
        assert_eq!(["infer.device", "gates", "site.x"].map(|key| places.line(key)), [None, None, None]);
        assert_eq!(Places::of("a: [").line("a"), None);
    }

    #[test]
    fn the_files_of_passwords_are_known() {
        assert_eq!(Places::of(TEXT).password_files(Path::new("/etc/usher")), [Path::new("/etc/usher/a.password")]);
    }
}
