//! Files of releases: none that our key did not sign is taken.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use std::{fs, path::PathBuf, sync::LazyLock};
use usher::update::{
    file::{Manifest, open, sign},
    keys::{Maker, Trusted},
};

static PATH: LazyLock<PathBuf> = LazyLock::new(|| seeds::scratch().join("release"));
static TRUSTED: LazyLock<Trusted> = LazyLock::new(|| {
    let folder = seeds::scratch();
    let maker = Maker::make(&folder.join("maker.key")).expect("the folder is ours");
    fs::write(folder.join("update.pub"), maker.public()).expect("the folder is ours");
    Trusted::read(&folder.join("update.pub")).expect("a maker's public half is one")
});

fuzz_target!(
    init: {
        let folder = seeds::scratch();
        let maker = Maker::make(&folder.join("other.key")).expect("the folder is ours");
        fs::write(folder.join("package"), b"a package").expect("the folder is ours");
        let word = str::to_owned;
        let (package, version) = (word("usher"), word("1.0.0"));
        let manifest = Manifest { architecture: word("amd64"), length: 9, package, sha256: word("00"), version };
        sign(&maker, &manifest, &folder.join("package"), &folder.join("signed")).expect("the folder is ours");
        seeds::seed("another-makers", &fs::read(folder.join("signed")).expect("it was written just now"));
    },
    |bytes: &[u8]| {
        fs::write(&*PATH, bytes).expect("the folder is ours");
        let refused = open(&PATH, &TRUSTED).expect_err("nobody has our key");
        assert!(!refused.to_string().is_empty());
    }
);
