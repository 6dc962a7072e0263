//! What is in a symbol that somebody holds up, or typed: a pass or nothing.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher::gallery::pass::PassSecret;

fuzz_target!(
    init: {
        seeds::seed("code", "A".repeat(26).as_bytes());
        seeds::seed("link", format!("HTTPS://USHER.LOCAL:8443/P#{}", "ABCDEFGHIJKLMNOPQRSTUVWXYA").as_bytes());
        seeds::seed("other", b"otpauth://x#######");
    },
    |text: &str| {
        if let Some(pass) = PassSecret::of(text) {
            let again = PassSecret::of(&pass.reveal()).expect("a pass that was read is written as one");
            assert_eq!(again.reveal(), pass.reveal());
        }
    }
);
