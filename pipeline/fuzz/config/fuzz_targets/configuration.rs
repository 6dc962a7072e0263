//! A configuration: whatever the file, problems with their mend or a configuration.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use std::path::Path;
use usher_config::from_text;

fuzz_target!(
    init: {
        seeds::seed("all", include_bytes!("../../../../config/usher.yaml"));
        seeds::seed("demo", include_bytes!("../../../../config/demo.yaml"));
        seeds::seed("least", b"site: t\ncameras: { c: { url: /dev/video0 } }\ngates: { g: { cameras: [c] } }\n");
    },
    |text: &str| {
        if let Err(problems) = from_text(text, "usher.yaml", Path::new("/nowhere")) {
            assert!(!problems.to_string().is_empty() && !problems.coloured().is_empty());
            problems.to_json();
            for problem in problems.iter() {
                assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1, "{problem:?}");
            }
        }
    }
);
