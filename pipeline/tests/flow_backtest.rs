//! `usher flow backtest` says how good forecasts would have been, and of a wrong file everything that must be mended.

#![allow(clippy::unwrap_used, reason = "a test says what went wrong by ending")]

use serde_json::Value;
use std::{
    fmt::Write as _,
    path::Path,
    process::{Command, Output},
};

fn backtest(file: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_usher"));
    command.args(["flow", "backtest"]).arg(file).args(more).env_remove("USHER_CONFIG").output().unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Four weeks of half hours by Berlin's clocks over their change of March 2026, with holes; every other evening has a match.
fn counts() -> String {
    let mut text = "when,visitors\n".to_owned();
    for day in 0..28 {
        for half in 0..48 {
            let hour = f64::from(half) / 2.0;
            let left_out = day == 27 && (2.0..3.0).contains(&hour);
            if left_out || (day == 20 && half == 20) {
                continue;
            }
            let bulge = |middle: f64, wide: f64| (-0.5 * ((hour - middle) / wide).powi(2)).exp();
            let event = if day % 2 == 0 { 300.0 * bulge(18.25, 0.6) } else { 0.0 };
            let noise = f64::from((day * 48 + half) * 7919 % 101) / 100.0 + 0.5;
            let count = ((10.0 * bulge(12.0, 3.0) + event) * noise).round();
            writeln!(text, "2026-03-{:02} {:02}:{:02},{count}", day + 2, half / 2, half % 2 * 30).unwrap();
        }
    }
    text
}

const PROGRAMME: &str = "time_zone: Europe/Berlin\nsessions:\n";

fn programme() -> String {
    let session = |day: i32| {
        format!(
            "  - {{ sport: Football, title: Match {day}, venue: Arena, start: 2026-03-{day:02} 19:00, end: 2026-03-{day:02} 21:00, attendance: 900 }}\n"
        )
    };
    PROGRAMME.to_owned() + &(2..30).step_by(2).map(session).collect::<String>()
}

#[test]
fn a_file_with_holes_and_a_changing_clock_is_forecast_and_reported() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("counts.csv"), counts()).unwrap();
    std::fs::write(at("programme.yaml"), programme()).unwrap();
    let (programme, page) = (at("programme.yaml"), at("report.html"));
    let more = ["--programme", programme.to_str().unwrap(), "--horizons", "30m,1h", "--test", "1week"];
    let output =
        backtest(&at("counts.csv"), &[&more[..], &["--alone", "--html", page.to_str().unwrap(), "--json"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["time_column"], &answer["count_column"]), (&"when".into(), &"visitors".into()));
    assert_eq!(
        (&answer["gaps"], &answer["step_seconds"], &answer["test_steps"]),
        (&1.into(), &1800.into(), &336.into())
    );
    for horizon in ["30m", "1h"] {
        let told = &answer["horizons"][horizon];
        for figures in [told, &told["event_hours"]] {
            let figure =
                |name: &str| figures[name].as_f64().unwrap_or_else(|| panic!("{horizon}: {name} of {figures}"));
            assert!(figure("mase") < figure("mase_seasonal_naive"), "{figures}");
            assert!(figure("coverage80") <= figure("coverage95") && figure("coverage95") <= 1.0, "{figures}");
            assert!(figure("forecasts") > 10.0 && figures["mase_best_library"].is_null(), "{figures}");
        }
    }
    let page = std::fs::read_to_string(page).unwrap();
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(!page.contains("<script") && page.contains("event hours"));
}

#[test]
fn the_librarys_models_are_compared_from_the_same_origins_and_the_best_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.csv");
    std::fs::write(&file, counts()).unwrap();
    // The last twelve hours alone: each origin fits the library anew.
    let output = backtest(&file, &["--time-zone", "Europe/Berlin", "--horizons", "30m,1h", "--test", "12h", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answer["test_steps"], &answer["programme"]), (&24.into(), &false.into()), "{answer}");
    assert!(answer["people_a_step_for_mase_1"].as_f64().unwrap() > 0.0, "{answer}");
    for (horizon, minutes, compared) in [("30m", 30, 24), ("1h", 60, 23)] {
        let told = &answer["horizons"][horizon];
        assert_eq!((&told["minutes"], &told["compared"]), (&minutes.into(), &compared.into()), "{told}");
        let models = told["mase_library"].as_object().unwrap();
        assert_eq!(models.keys().collect::<Vec<_>>(), ["ets", "mstl", "prophet"]);
        let errors = models.iter().map(|(name, error)| (error.as_f64().unwrap(), name.as_str()));
        let (best, name) = errors.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap();
        assert!(best > 0.0 && best.is_finite(), "{told}");
        assert_eq!((told["mase_best_library"].as_f64(), told["best_library"].as_str()), (Some(best), Some(name)));
        for figure in ["mase", "mase_seasonal_naive"] {
            assert!(told[figure].as_f64().unwrap().is_finite(), "{figure}: {told}");
        }
        for share in ["coverage80", "coverage95", "closed80", "closed95"] {
            assert!((0.0..=1.0).contains(&told[share].as_f64().unwrap()), "{share}: {told}");
        }
        assert!(told["event_hours"].is_null(), "{told}");
    }
}

#[test]
fn a_wrong_file_is_told_whole_and_a_wrong_horizon_says_which_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.csv");
    std::fs::write(&file, "time,count\n2026-03-29 01:00,1\n2026-03-29 02:30,2\nnoon,3\n2026-03-29 04:00,-4\n").unwrap();
    let output = backtest(&file, &["--time-zone", "Europe/Berlin"]);
    assert_eq!(output.status.code(), Some(78), "{}", said(&output));
    for part in [
        "counts.csv:3: `2026-03-29 02:30` was left out",
        "counts.csv:4: `noon` is no time",
        "counts.csv:5: a count of -4",
    ] {
        assert!(said(&output).contains(part), "{part}: {}", said(&output));
    }
    std::fs::write(&file, counts()).unwrap();
    let output = backtest(&file, &["--time-zone", "Europe/Berlin", "--horizons", "2weeks", "--alone"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("or more than a week; name one that is, such as"), "{}", said(&output));
}

#[test]
fn a_horizon_that_ends_within_a_step_is_judged_at_its_end_and_that_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("counts.csv");
    std::fs::write(&file, counts()).unwrap();
    // Half hours, and the default horizons: 15m, 30m, 1h.
    let output = backtest(&file, &["--test", "2days", "--alone", "--json", "--time-zone", "Europe/Berlin"]);
    assert!(output.status.success(), "{}", said(&output));
    let told: Value = serde_json::from_slice(&output.stdout).unwrap();
    let horizons = &told["horizons"];
    assert_eq!(horizons["15m"], horizons["30m"]);
    assert_eq!((&horizons["15m"]["minutes"], &horizons["1h"]["minutes"]), (&30.into(), &60.into()), "{told}");
    let warned = String::from_utf8(output.stderr).unwrap();
    assert!(warned.contains("15m ahead ends within a step of 30m; it is judged at that step's end, 30m"), "{warned}");
}
