//! Broken files and the exact words each of them gets.
//!
//! `bad/NAME.yaml` must print exactly `bad/NAME.txt`. Files named `programme-…` are programmes, all others configurations;
//! `.csv` and `.ics` are programmes likewise, `.geojson` are places.
//! `BLESS=1 cargo test -p usher-config --test bad` writes the words anew: look at each of them before committing.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use std::{fs, path::Path};
use usher_config::{Problems, from_text, places, programme, read};

/// Reads one file as what its name says.
fn problems_of(path: &Path) -> Problems {
    let name = path.file_name().unwrap().to_string_lossy().into_owned();
    let refused = match path.extension().and_then(|end| end.to_str()) {
        Some("geojson") => places::read(path).err(),
        _ if name.starts_with("programme-") => programme::read(path).err(),
        _ => read(path).err(),
    };
    refused.unwrap_or_else(|| panic!("{name} was accepted"))
}

/// Whether it is one of the files, and not the words for one.
fn is_broken(path: &Path) -> bool {
    path.extension().is_some_and(|end| ["yaml", "csv", "ics", "geojson"].iter().any(|known| end == *known))
}

#[test]
fn every_broken_file_prints_its_exact_words() {
    // Paths inside messages stay the same on every machine.
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    let bless = std::env::var_os("BLESS").is_some();
    let mut files: Vec<_> = fs::read_dir("tests/bad").unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| is_broken(path));
    files.sort();
    assert!(files.len() >= 40, "only {} broken files", files.len());
    let mut wrong = Vec::new();
    for path in &files {
        let said = problems_of(path).to_string();
        let expected = path.with_extension("txt");
        assert!(!said.contains("hunter2"), "{} shows a password:\n{said}", path.display());
        if bless {
            fs::write(&expected, &said).unwrap();
        } else if fs::read_to_string(&expected).unwrap_or_default() != said {
            wrong.push(format!("{} now says:\n{said}", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_problem_names_its_place_and_a_mend() {
    std::env::set_current_dir(env!("CARGO_MANIFEST_DIR")).unwrap();
    for entry in fs::read_dir("tests/bad").unwrap() {
        let path = entry.unwrap().path();
        if !is_broken(&path) {
            continue;
        }
        let problems = problems_of(&path);
        assert!(!problems.to_json().to_string().contains("hunter2"), "{} shows a password in JSON", path.display());
        for problem in problems.iter() {
            assert!(problem.line >= 1 && problem.column >= 1, "{problem}");
            assert!(!problem.message.is_empty() && !problem.mend.is_empty(), "{problem}");
            assert!(problem.message.chars().next().is_some_and(|first| !first.is_uppercase()), "{problem}");
        }
    }
}

#[test]
fn a_byte_order_mark_and_carriage_returns_are_no_problem() {
    let text = "\u{feff}site: a\r\ncameras:\r\n  c: { url: /dev/video0 }\r\ngates:\r\n  g: { cameras: [c] }\r\n";
    let config = from_text(text, "windows.yaml", Path::new("")).unwrap();
    assert_eq!(config.site.as_str(), "a");
}
