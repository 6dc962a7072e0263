//! Documents without a target of their own: logs of walks and crowds.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher_config::{crowd::Crowd, document::from_text, problem::Problems, walks::WalkLog};

fn has_mends(problems: &Problems, text: &str) {
    assert!(!problems.to_string().is_empty());
    for problem in problems.iter() {
        assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1, "{problem:?}");
    }
}

fuzz_target!(
    init: {
        seeds::seed("crowd", include_bytes!("../../../../config/demo-crowd.yaml"));
        seeds::seed("walks", b"recordings:\n  - file: a.mkv\n    walks:\n      - { guest: x, from: 1, to: 2.5 }\n");
    },
    |text: &str| {
        if let Err(problems) = from_text::<Crowd>(text, "crowd.yaml") {
            has_mends(&problems, text);
        }
        if let Err(problems) = from_text::<WalkLog>(text, "walks.yaml") {
            has_mends(&problems, text);
        }
    }
);
