//! What must hold on every day, whatever fails; and that a fault would be found.
#![allow(clippy::unwrap_used, reason = "tests may panic")]

use std::{process::Command, time::Duration};
use usher::clock::{Clock as _, SystemClock};
use usher_sim::{cli, day::Day, plant::Plant, play, report};

/// The first seeds' days; `USHER_SEEDS` says how many, `USHER_WALKS` and `USHER_GATES` how large.
#[test]
fn no_day_breaks_a_rule_whatever_fails() {
    let asked = |name: &str| std::env::var(name).ok().map(|text| text.parse::<u64>().unwrap());
    let seeds = asked("USHER_SEEDS").unwrap_or(200);
    let of = |name: &str, else_: usize| asked(name).map_or(else_, |number| number as usize);
    let day = Day { walks: of("USHER_WALKS", 300), gates: of("USHER_GATES", 3), ..Day::default() };
    let clock = SystemClock::start();
    let reports = cli::many(0, seeds, day).unwrap();
    let took = clock.now().steady;
    println!("{}", report::summary(&reports, &day, took, true));
    for report in &reports {
        if let Some((violation, told)) = &report.violation {
            let line = cli::replay(report.seed, &day);
            panic!("{}\n{line}: {}: {}", told.join("\n"), violation.rule, violation.says);
        }
    }
    let sum = |of: fn(&report::Figures) -> u64| reports.iter().map(|report| of(&report.figures)).sum::<u64>();
    // Days on which nothing happens hold every rule.
    let visits = sum(|figures| figures.counts.visits);
    assert!(visits > 10 * seeds && sum(|figures| figures.faults) > seeds, "{visits} visits");
    assert!(sum(|figures| figures.counts.right) * 10 > visits * 7, "most are of whoever was there");
    let strangers = sum(|figures| figures.counts.strangers_named);
    assert!(
        strangers * 1000 <= 3 * sum(|figures| figures.people),
        "{strangers} of people whom nobody is like were named"
    );
}

#[test]
fn every_planted_bug_is_found_within_a_thousand_seeds() {
    for plant in Plant::ALL {
        let day = Day { plant: Some(plant), ..Day::default() };
        let found = (0..1000).map(|seed| play(seed, day).unwrap()).find(|report| report.violation.is_some());
        let found = found.unwrap_or_else(|| panic!("{plant:?} is not found"));
        let (violation, told) = found.violation.unwrap();
        println!("{plant:?}: seed {}, {}: {}", found.seed, violation.rule, violation.says);
        assert!(!told.is_empty() && !told[0].contains("not deterministic"), "{told:?}");
    }
}

#[test]
fn one_seed_is_one_day() {
    for seed in [3, 8] {
        let [first, second] = [0, 1].map(|_| play(seed, Day::default()).unwrap());
        assert_eq!(first.figures, second.figures, "seed {seed}");
    }
    let [first, second] = [3, 4].map(|seed| play(seed, Day::default()).unwrap());
    assert_ne!(first.figures, second.figures);
}

#[test]
fn under_four_times_the_load_nearly_everybody_is_decided_about() {
    let day = Day { gates: 26, walks: 400, overload: 4, ..Day::default() };
    let reports = cli::many(0, 4, day).unwrap();
    println!("{}", report::summary(&reports, &day, Duration::ZERO, true));
    for report in &reports {
        assert!(report.violation.is_none(), "{}: {:?}", cli::replay(report.seed, &day), report.violation);
    }
    let (people, decided) = reports.iter().fold((0, 0), |(people, decided), report| {
        (people + report.figures.people, decided + report.figures.people_decided)
    });
    assert!(people > 200 && decided * 100 >= people * 99, "{decided} of {people}");
}

#[test]
fn a_failing_seed_is_one_line_that_plays_it_again() {
    let day = Day { plant: Some(Plant::NewIdAgain), ..Day::default() };
    let failing = (0..1000).find(|seed| play(*seed, day).unwrap().violation.is_some()).unwrap();
    let line = cli::replay(failing, &day);
    let words: Vec<&str> = line.split(' ').skip(1).collect();
    let ran = Command::new(env!("CARGO_BIN_EXE_usher-sim")).args(words).output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let said = String::from_utf8(ran.stdout).unwrap();
    assert!(said.lines().any(|said| said.starts_with(&line) && said.contains(": ids: ")), "{said}");
}
