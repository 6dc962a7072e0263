//! Names that somebody wants to be shown by, and sports.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use libfuzzer_sys::fuzz_target;
use usher::gallery::name::{shown, sport_of};

fuzz_target!(
    init: {
        let seeds = ["Zoë Ng", "محمد", "민서", "👩‍👩‍👧‍👦 x", "e\u{301}\u{301}\u{301}", "a b  c\u{a0}d", "Table tennis"];
        for (number, name) in seeds.iter().enumerate() {
            seeds::seed(&number.to_string(), name.as_bytes());
        }
    },
    |text: &str| {
        if let Ok(name) = shown(text) {
            assert_eq!(shown(&name).as_deref(), Ok(name.as_str()), "what is shown is shown the same again");
            assert!(!name.is_empty() && !name.chars().any(char::is_control));
        }
        let sports = ["Table tennis".to_owned(), "Judo".to_owned()];
        if let Ok(sport) = sport_of(text, &sports) {
            assert!(sports.contains(&sport));
        }
    }
);
