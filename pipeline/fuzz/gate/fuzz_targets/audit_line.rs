//! Lines of the audit log: what is read is written as it was read, and none is taken for the box's that is not.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;
#[path = "../signer.rs"]
mod signer;

use libfuzzer_sys::fuzz_target;
use signer::SIGNER;
use usher::gallery::audit::deed::Line;

fuzz_target!(
    init: {
        let deeds = [
            r#""deed":"begun","inode":7,"born":1"#,
            r#""deed":"consented","visitor":"00000000-0000-0000-0000-000000000000","notice":"ab","custody":"box","face":true,"expires_ms":1"#,
            r#""deed":"forgotten","visitor":"00000000-0000-0000-0000-000000000000","why":"asked""#,
            r#""deed":"unfinished","visitor":"00000000-0000-0000-0000-000000000000""#,
            r#""deed":"identification","gate":"g","responsible":"x""#,
            r#""deed":"floor_lowered","from_ms":2,"to_ms":1,"by":"x""#,
        ];
        for (number, deed) in deeds.into_iter().enumerate() {
            let line = format!(
                r#"{{"seq":1,"at":"2026-11-23T05:00:00Z",{deed},"previous":"0","hash":"1","signature":"2"}}"#
            );
            assert!(serde_json::from_str::<Line>(&line).is_ok(), "{line}");
            seeds::seed(&number.to_string(), line.as_bytes());
        }
    },
    |data: &[u8]| {
        if let Ok(line) = serde_json::from_slice::<Line>(data) {
            let written = serde_json::to_string(&line).expect("texts and numbers are JSON");
            assert_eq!(serde_json::from_str::<Line>(&written).expect("it was written so"), line);
            assert!(line.check(line.seq, &line.previous, SIGNER.public()).is_err(), "nobody has this box's key");
        }
    }
);
