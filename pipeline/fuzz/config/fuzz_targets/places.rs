//! Places of a venue (GeoJSON): whatever the file, problems with their mend or places.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher_config::places::from_text;

fuzz_target!(
    init: { seeds::seed("bad", include_bytes!("../../../../config/tests/bad/places-properties.geojson")); },
    |text: &str| {
        if let Err(problems) = from_text(text, "places.geojson") {
            assert!(!problems.to_string().is_empty());
            for problem in problems.iter() {
                assert!(!problem.mend.is_empty() && problem.line <= text.lines().count().max(1) + 1, "{problem:?}");
            }
        }
    }
);
