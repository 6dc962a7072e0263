//! Laws of how rarely a name may be wrong: scores that rise while rates fall, or none.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher::identify::threshold::Law;
use usher_models::template::ModelId;

fuzz_target!(
    init: {
        seeds::seed("law", br#"[{"model":"m","points":[{"false_match_rate":0.01,"score":0.3},{"false_match_rate":0.0001,"score":0.5}]}]"#);
    },
    |text: &str| {
        if let Ok(law) = Law::from_json(text, &ModelId("m".into())) {
            let (one, many) = (law.threshold(0.001, 1).0, law.threshold(0.001, 100_000).0);
            assert!(!one.is_nan() && one <= many, "more people, more doubt: {one} {many}");
        }
    }
);
