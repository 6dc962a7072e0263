//! Broken configurations by the thousand: none is ever taken up.

use super::*;
use crate::{in_force::InForce, wire::difference::Difference};
use std::fs;
use usher_config::{from_text, reload::held};

const USHER: &str = include_str!("../../../../config/usher.yaml");
/// As many as are promised.
const MUTANTS: usize = 2000;

/// The shipped file with a letter of a key forgotten, typed twice or hit beside; and cut off at every line, and within it.
fn mutants() -> Vec<String> {
    let lines: Vec<&str> = USHER.lines().collect();
    let mut mutants = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let rest = line.trim_start();
        let Some((key, _)) = rest
            .split_once(':')
            .filter(|(key, _)| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        else {
            continue;
        };
        let column = line.len() - rest.len();
        for at in column..column + key.len() {
            let beside = char::from(line.as_bytes()[at] ^ 1).to_string();
            for other in
                [String::new(), line[at..=at].repeat(2), beside, ":".to_owned(), " ".to_owned(), "\t".to_owned()]
            {
                let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
                changed[number].replace_range(at..=at, &other);
                mutants.push(changed.join("\n"));
            }
        }
    }
    mutants.extend((0..USHER.len()).step_by(23).filter_map(|end| USHER.get(..end)).map(str::to_owned));
    mutants
}

#[test]
fn of_thousands_of_broken_files_none_is_taken_up_and_none_ends_the_gate() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gate.yaml");
    let whole = from_text(USHER, "gate.yaml", folder.path()).unwrap();
    let in_force = InForce::of(&whole);
    let (all, mut broken, mut taken) = (mutants(), 0, 0);
    for text in &all {
        fs::write(&path, text).unwrap();
        let before = in_force.load();
        let read = read_placed(&path).map_or_else(Err, |(read, _)| read);
        let outcome = decide(read, |config| {
            let held = held(&in_force.load().config, config, true);
            let difference = Difference::between(&in_force.load().config, &held.config);
            in_force.put(held.config);
            Ok(Taken { difference, waiting: held.waiting })
        });
        let now = in_force.load();
        match from_text(text, "gate.yaml", folder.path()) {
            Err(_) => {
                broken += 1;
                assert!(matches!(outcome, Outcome::Broken(_)) && before.config == now.config, "taken up: {text}");
            }
            Ok(meant) => {
                taken += 1;
                assert_eq!(now.config, held(&before.config, &meant, true).config);
            }
        }
        in_force.put(whole.clone());
    }
    println!("{} files: {broken} broken, none of them taken up; {taken} whole, each taken up", all.len());
    assert!(broken >= MUTANTS, "only {broken} broken");
}

#[test]
fn a_key_is_named_with_its_line_and_one_that_went_with_what_held_it() {
    let places = Places::of("site: x\ninfer:\n  workers: 2\n");
    let path = Path::new("/etc/usher/gate.yaml");
    let told = |key| at(path, key, Some(&places));
    assert_eq!(told("infer.workers"), "infer.workers (gate.yaml:3)");
    assert_eq!(told("infer.device"), "infer.device (gate.yaml:2)");
    assert_eq!(
        (told("web.listen"), at(path, "site", None)),
        ("web.listen (gate.yaml)".into(), "site (gate.yaml)".into())
    );
}

#[test]
fn problems_are_told_in_one_line_with_the_mend() {
    let problems = from_text("site: x\ncamera: {}\n", "gate.yaml", Path::new("")).unwrap_err();
    let said = words(&problems);
    assert!(said.contains("gate.yaml:2:") && said.contains("`cameras`") && !said.contains('\n'), "{said}");
}
