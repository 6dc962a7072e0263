//! A programme: whatever the file, problems or sessions.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher_config::programme::from_text;

fuzz_target!(
    init: { seeds::seed("own", include_bytes!("../../../../config/programme.yaml")); },
    |text: &str| {
        if let Err(problems) = from_text(text, "programme.yaml") {
            assert!(!problems.to_string().is_empty());
        }
    }
);
