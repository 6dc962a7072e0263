//! A programme as a table (CSV): whatever the file, problems with their mend or sessions.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher_config::programme::csv::from_text;

fuzz_target!(
    init: {
        seeds::seed("own", include_bytes!("../../../../config/programme.csv"));
        seeds::seed("bad", include_bytes!("../../../../config/tests/bad/programme-table.csv"));
    },
    |text: &str| {
        if let Err(problems) = from_text(text, "programme.csv") {
            assert!(!problems.to_string().is_empty());
            // A carriage return by itself ends a line too, as spreadsheets of old write them.
            let lines = text.replace("\r\n", "\n").replace('\r', "\n").lines().count();
            for problem in problems.iter() {
                assert!(!problem.mend.is_empty() && problem.line <= lines.max(1) + 1, "{problem:?}");
            }
        }
    }
);
