//! A visitor's wishes for a day: whatever the text, problems with their mend or wishes.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use std::sync::LazyLock;
use usher_config::wishes::{Known, from_text};

static KNOWN: LazyLock<Known> =
    LazyLock::new(|| Known { sports: vec!["Judo".into(), "Fencing".into()], gates: vec!["north".into()] });

fuzz_target!(
    init: {
        seeds::seed("all", b"sports: [judo]\narrival: 9:30\nuntil: 21:00\nfrom: north\nwaits: { north: 4 min }\nfood: [vegan]\nparty: 3\n");
        seeds::seed("bad", b"sports: [jduo]\narrival: 25:30\nuntil: 9:00\nfrom: nroth\n");
    },
    |text: &str| {
        if let Err(problems) = from_text(text, "wishes.yaml", &KNOWN) {
            assert!(!problems.to_string().is_empty());
            for problem in problems.iter() {
                assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1, "{problem:?}");
            }
        }
    }
);
