//! Files of counts: what is read has even steps that begin and end with a row, and weather is read or refused.
#![no_main]

#[path = "../../seeds.rs"]
mod seeds;

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use usher::flow::{forecast::weather::Weather, series::read_csv};

fuzz_target!(
    init: {
        let seeds = [
            "timestamp,count\n2026-01-01T00:00:00Z,1\n2026-01-01T00:30:00Z,\n2026-01-01T01:00:00Z,3\n",
            "at;\"n\"\n2026-10-25 02:00;1\n2026-10-25 02:00;2\n2026-10-25 03:00;3\n",
            "time,rain_mm,temperature_c\n1767225600,0.4,-3.5\n1767229200,,31\n",
        ];
        for (number, text) in seeds.iter().enumerate() {
            seeds::seed(&number.to_string(), text.as_bytes());
        }
    },
    |text: &str| {
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        match read_csv(text, &zone) {
            Ok(read) => {
                let last = read.series.counts.len() - 1;
                assert!(last >= 1 && read.series.step.as_millis() > 0);
                assert_eq!(read.series.index(read.series.at(last)), Some(last));
            }
            Err(problems) => assert!((1..=100).contains(&problems.problems.len())),
        }
        let _refused_or_not = Weather::read(text, &zone);
    }
);
