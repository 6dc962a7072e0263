//! The configuration's file as it is looked at: whether it changed, and whether it stands still.
//!
//! Editors write twice, cut a file short before they fill it, or rename another into its place; a cluster swaps a link. A file that
//! looks the same for a second is whole; half of one may well be a configuration with fewer cameras.

use crate::guide::live::{Stamp, stamp};
use std::path::{Path, PathBuf};

/// Looks, a fifth of a second apart, through which a file stands still before it is read.
const STILL: u32 = 5;

/// A file, and the files of passwords that it names.
pub(super) struct File {
    path: PathBuf,
    beside: Vec<PathBuf>,
    seen: Vec<Stamp>,
    /// As it was when it was last read.
    read: Vec<Stamp>,
    still: u32,
}

impl File {
    /// A file that is due once it stands still: what it was when the gate started nobody knows.
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), beside: Vec::new(), seen: Vec::new(), read: Vec::new(), still: 0 }
    }

    /// Looks once. True when the file is another than was read and has stood still for long enough.
    pub(super) fn is_due(&mut self) -> bool {
        let now = self.stamps();
        self.still = if now == self.seen { self.still + 1 } else { 0 };
        self.seen = now;
        self.seen != self.read && self.still >= STILL
    }

    /// It was read as it was seen last, and names those; false where it changed meanwhile, and is to be read again.
    pub(super) fn was_read(&mut self, beside: Option<Vec<PathBuf>>) -> bool {
        let stands = self.stamps() == self.seen;
        if let Some(beside) = beside.filter(|beside| *beside != self.beside) {
            self.beside = beside;
            self.seen = self.stamps();
        }
        if stands {
            self.read = self.seen.clone();
        }
        stands
    }

    /// It is to be read once more, as if it had changed now.
    pub(super) fn again(&mut self) {
        self.read.clear();
        self.still = 0;
    }

    /// Looks anew, since it is about to be read whether it stands still or not.
    pub(super) fn look(&mut self) {
        self.seen = self.stamps();
    }

    fn stamps(&self) -> Vec<Stamp> {
        std::iter::once(&self.path).chain(&self.beside).map(|path| stamp(path)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{fs, os::unix::fs::symlink};

    /// A file that was read as it is, and named those.
    fn read(path: &Path, beside: Vec<PathBuf>) -> File {
        let mut file = File::at(path);
        file.look();
        assert!(file.was_read(Some(beside)));
        file
    }

    /// Looks until it is due; how many looks that took.
    fn looks(file: &mut File) -> Option<u32> {
        (1..=20).find(|_| file.is_due())
    }

    #[test]
    fn a_file_is_due_after_the_start_since_it_may_have_changed_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yaml");
        fs::write(&path, "one").unwrap();
        let mut file = File::at(&path);
        assert_eq!(looks(&mut file), Some(STILL + 1));
        assert!(file.was_read(None));
        assert_eq!(looks(&mut file), None);
    }

    #[test]
    fn a_file_is_due_once_it_stands_still_and_once_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("gate.yaml");
        fs::write(&path, "one").unwrap();
        let mut file = read(&path, Vec::new());
        assert_eq!(looks(&mut file), None, "nothing changed");
        // Cut short, then filled piece by piece: a look between each.
        for text in ["", "t", "tw", "two"] {
            fs::write(&path, text).unwrap();
            assert!(!file.is_due(), "{text}");
        }
        assert_eq!(looks(&mut file), Some(STILL));
        assert!(file.was_read(None));
        assert_eq!(looks(&mut file), None);
    }

    #[test]
    fn what_is_renamed_into_place_swapped_behind_a_link_or_gone_is_seen() {
        let folder = tempfile::tempdir().unwrap();
        let [path, other, link] = ["a.yaml", "b.yaml", "..data"].map(|name| folder.path().join(name));
        fs::write(&path, "one").unwrap();
        fs::write(&other, "two").unwrap();
        symlink(&path, &link).unwrap();
        let mut file = read(&link, Vec::new());
        fs::remove_file(&link).unwrap();
        symlink(&other, &link).unwrap();
        assert!(looks(&mut file).is_some() && file.was_read(None), "the link was swapped");
        fs::rename(&path, &other).unwrap();
        assert!(looks(&mut file).is_some() && file.was_read(None), "another was renamed into place");
        fs::remove_file(&other).unwrap();
        assert!(looks(&mut file).is_some() && file.was_read(None), "it is gone");
        assert_eq!(looks(&mut file), None);
    }

    #[test]
    fn a_password_that_changes_is_seen_and_a_file_that_changed_while_it_was_read_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let [path, password] = ["a.yaml", "a.password"].map(|name| folder.path().join(name));
        fs::write(&path, "one").unwrap();
        fs::write(&password, "first").unwrap();
        let mut file = read(&path, vec![password.clone()]);
        fs::write(&password, "another").unwrap();
        assert!(looks(&mut file).is_some());
        fs::write(&path, "three").unwrap();
        assert!(!file.was_read(None), "it changed meanwhile");
        assert!(looks(&mut file).is_some() && file.was_read(Some(Vec::new())));
        fs::write(&password, "nobody names it any more").unwrap();
        assert_eq!(looks(&mut file), None);
    }
}
