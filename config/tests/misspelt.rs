//! Every key of the configuration, misspelt in every way that fingers know: named with its line and the key that was meant.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test says what went wrong by ending")]

use std::{collections::BTreeSet, path::Path};
use usher_config::from_text;

const USHER: &str = include_str!("../usher.yaml");
/// Fewer letters than these are too few to tell which key was meant; the line is named all the same.
const LETTERS: usize = 4;
/// As many as are promised.
const MUTANTS: usize = 2000;

/// A key as it is written: the line it is on, counted from 0, its column and itself.
fn keys() -> Vec<(usize, usize, &'static str)> {
    let key = |(number, line): (usize, &'static str)| {
        let rest = line.trim_start();
        let (key, _value) = rest.split_once(':')?;
        let is_key = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        is_key.then_some((number, line.len() - rest.len(), key))
    };
    USHER.lines().enumerate().filter_map(key).collect()
}

/// A letter forgotten, typed twice, typed before the one it follows, or its neighbour hit.
fn misspelt(key: &str) -> BTreeSet<String> {
    let letters: Vec<char> = key.chars().collect();
    let mut wrong = BTreeSet::new();
    for at in 0..letters.len() {
        let with = |change: &dyn Fn(&mut Vec<char>)| {
            let mut letters = letters.clone();
            change(&mut letters);
            letters.into_iter().collect::<String>()
        };
        wrong.insert(with(&|letters| {
            letters.remove(at);
        }));
        wrong.insert(with(&|letters| letters.insert(at, letters[at])));
        wrong.insert(with(&|letters| {
            letters[at] = if letters[at] == 'z' { 'y' } else { char::from(letters[at] as u8 + 1) }
        }));
        if at + 1 < letters.len() {
            wrong.insert(with(&|letters| letters.swap(at, at + 1)));
        }
    }
    wrong.retain(|word| word != key && !word.is_empty());
    wrong
}

#[test]
fn every_misspelt_key_is_named_with_its_line_and_the_key_that_was_meant() {
    let lines: Vec<&str> = USHER.lines().collect();
    let known: BTreeSet<&str> = keys().into_iter().map(|(.., key)| key).collect();
    let (mut mutants, mut silent, mut unnamed) = (0, Vec::new(), Vec::new());
    for (number, column, key) in keys() {
        for wrong in misspelt(key).iter().filter(|wrong| !known.contains(wrong.as_str())) {
            mutants += 1;
            let mut changed: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            changed[number].replace_range(column..column + key.len(), wrong);
            let problems = match from_text(&changed.join("\n"), "usher.yaml", Path::new("")) {
                Ok(_) => {
                    silent.push(format!("{wrong} for {key}, line {}", number + 1));
                    continue;
                }
                Err(problems) => problems.to_string(),
            };
            let place = format!("usher.yaml:{}:", number + 1);
            let here = problems.contains(&place) && problems.contains(wrong.as_str());
            let meant = problems.contains(&format!("`{key}`"));
            if !here || (key.len() >= LETTERS && !meant) {
                unnamed.push(format!("{wrong} for {key}, line {}:\n{problems}", number + 1));
            }
        }
    }
    println!("{mutants} misspelt keys: {} taken, {} not named with line and key", silent.len(), unnamed.len());
    assert!(mutants >= MUTANTS, "only {mutants} mutants");
    assert!(silent.is_empty(), "taken: {silent:#?}");
    assert!(
        unnamed.is_empty(),
        "{} not named, the first: {}",
        unnamed.len(),
        unnamed[..unnamed.len().min(5)].join("\n")
    );
}
