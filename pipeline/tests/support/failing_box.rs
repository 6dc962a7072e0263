//! A box whose disk fails and whose clock is wrong when it is told so (`disk.c`, `clock.c`), for any process started on it.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// A disk under a folder, and a clock.
pub(crate) struct FailingBox {
    /// Where the libraries and the words of the moment are; not on that disk.
    beside: tempfile::TempDir,
    folder: PathBuf,
}

impl FailingBox {
    /// With the disk of `folder`; all is well for now. Builds the libraries that play it.
    pub(crate) fn of(folder: &Path) -> Self {
        let made = Self { beside: tempfile::tempdir().unwrap(), folder: folder.canonicalize().unwrap() };
        for part in ["disk", "clock"] {
            let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/support/{part}.c"));
            let built = Command::new("cc")
                .args(["-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o"])
                .arg(made.at(&format!("{part}.so")))
                .arg(source)
                .status()
                .expect("this test needs a C compiler: apt-get install build-essential");
            assert!(built.success(), "the compiler's words are above");
        }
        made.disk_is("well");
        made.clock_is_off_by(0);
        made
    }

    fn at(&self, name: &str) -> PathBuf {
        self.beside.path().join(name)
    }

    fn say(&self, name: &str, word: &str) {
        // Replaced whole: nobody reads half a word.
        let new = self.at("new");
        fs::write(&new, word).unwrap();
        fs::rename(new, self.at(name)).unwrap();
    }

    /// From now on the disk is so: see `disk.c`.
    pub(crate) fn disk_is(&self, word: &str) {
        self.say("disk", word);
    }

    /// From now on the wall clock is wrong by so many seconds.
    pub(crate) fn clock_is_off_by(&self, seconds: i64) {
        self.say("clock", &seconds.to_string());
    }

    /// Puts `command` on this box.
    pub(crate) fn under(&self, command: &mut Command) {
        let libraries = format!("{}:{}", self.at("disk.so").display(), self.at("clock.so").display());
        command
            .env("LD_PRELOAD", libraries)
            .env("USHER_TEST_DISK", &self.folder)
            .env("USHER_TEST_DISK_FAULT", self.at("disk"))
            .env("USHER_TEST_CLOCK", self.at("clock"));
    }
}
