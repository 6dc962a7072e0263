//! The words that usher says: those of its own sentences, for the filter of support bundles.
//!
//! Its sentences are the strings in the sources, outside tests. Words are lower-case ASCII. Taken from the sources at each build,
//! so that a new message needs no list to be kept.

use std::{
    collections::BTreeSet,
    env, fs,
    path::{Path, PathBuf},
};

/// Longest word.
const LONGEST: usize = 24;

/// Writes `words.txt` into the folder of generated files.
pub(crate) fn collect(folders: &[&str]) {
    let mut words = BTreeSet::new();
    for folder in folders {
        println!("cargo::rerun-if-changed={folder}");
        in_folder(Path::new(folder), &mut words);
    }
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it")).join("words.txt");
    let text = words.into_iter().collect::<Vec<_>>().join("\n");
    fs::write(out, text).expect("cargo's own folder can be written");
}

fn in_folder(folder: &Path, words: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        let is_test = path.file_stem().is_some_and(|stem| stem == "tests");
        if path.is_dir() && !is_test {
            in_folder(&path, words);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !is_test {
            let text = fs::read_to_string(&path).unwrap_or_default();
            in_source(text.split("\n#[cfg(test)]").next().unwrap_or_default(), words);
        }
    }
}

fn in_source(text: &str, words: &mut BTreeSet<String>) {
    let mut rest = text;
    while let Some(at) = rest.find(['"', '/', '\'']) {
        let (here, after) = (&rest[at..], &rest[at + 1..]);
        rest = if here.starts_with("//") {
            here.split_once('\n').map_or("", |(_, next)| next)
        } else if let Some(next) = here.strip_prefix("'\"'") {
            next
        } else if here.starts_with('"') {
            let is_raw = rest[..at].ends_with("r#");
            let end = if is_raw { after.find("\"#") } else { closing(after) };
            let end = end.unwrap_or(after.len());
            let parts = after[..end].split(|letter: char| !(letter.is_ascii_alphanumeric() || "'-".contains(letter)));
            words.extend(parts.filter_map(word));
            after.get(end + 1..).unwrap_or_default()
        } else {
            after
        };
    }
}

/// Where a string ends.
fn closing(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let ends = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        ends
    })
}

fn word(text: &str) -> Option<String> {
    let text = text.trim_matches(['\'', '-']);
    let is_word = (1..=LONGEST).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || b"'-".contains(&byte));
    is_word.then(|| text.to_owned())
}
