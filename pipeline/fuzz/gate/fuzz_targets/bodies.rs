//! Bodies of the enrolment page's requests.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use serde_json::{from_slice, json};
use usher::web::enrol::answers::{Enrol, Forget, Open, Secret};

fuzz_target!(
    init: {
        let enrol = json!({
            "views": ["aGVsbG8="], "source": "camera", "name": "Ada", "sports": ["Judo"], "language": "en", "food": ["vegan"],
            "arrival": "18:30", "step_free": false, "custody": "visitor",
            "consent": { "notice": "00", "language": "en", "agreed": true, "minor": false, "guardian": null },
        });
        assert!(from_slice::<Enrol>(enrol.to_string().as_bytes()).is_ok());
        for (name, body) in [
            ("enrol", enrol),
            ("open", json!({ "token": "abc", "staff": true })),
            ("secret", json!({ "secret": "A".repeat(26) })),
            ("forget", json!({ "id": uuid::Uuid::nil() })),
        ] {
            seeds::seed(name, body.to_string().as_bytes());
        }
    },
    |data: &[u8]| {
        let _either = from_slice::<Enrol>(data).is_ok();
        let _either = from_slice::<Open>(data).is_ok();
        let _either = from_slice::<Secret>(data).is_ok();
        let _either = from_slice::<Forget>(data).is_ok();
    }
);
