//! What programs say of open lanes: a number, or why it is none.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher::publish::lanes::read;

fuzz_target!(
    init: { seeds::seed("four", br#"{"lanes": 4}"#); },
    |body: &[u8]| {
        match read(body, false) {
            Ok(lanes) => assert_eq!(read(format!("{{\"lanes\":{lanes}}}").as_bytes(), false), Ok(lanes)),
            Err(reason) => assert!(reason.contains("{\"lanes\": 4}"), "{reason}"),
        }
        assert!(read(body, true).is_err(), "it is from another time");
    }
);
