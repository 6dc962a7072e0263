//! A programme as a calendar (iCalendar): whatever the file, problems with their mend or sessions.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher_config::programme::ics::from_text;

fuzz_target!(
    init: {
        seeds::seed("own", include_bytes!("../../../../config/programme.ics"));
        seeds::seed("bad", include_bytes!("../../../../config/tests/bad/programme-calendar.ics"));
        seeds::seed("series", include_bytes!("../../../../config/tests/bad/programme-series.ics"));
    },
    |text: &str| {
        if let Err(problems) = from_text(text, "programme.ics") {
            assert!(!problems.to_string().is_empty());
            for problem in problems.iter() {
                assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1, "{problem:?}");
            }
        }
    }
);
