//! Records of counts: torn lines and other people's are counted, none is taken for another.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher::flow::count::record::rows_of;

fuzz_target!(
    init: {
        seeds::seed("rows", b"2026-11-23T05:00:00Z,north,3,1,whole\n2026-11-23T05:01:00Z,north,0,0,none,back\n2026-11-23T05:0");
    },
    |text: &str| {
        let kept = rows_of(text);
        assert!(kept.rows.len() + kept.unread <= text.split('\n').count());
    }
);
