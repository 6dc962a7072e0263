//! Simulated days in files: counts for a backtest, the truth beside them, the programme.

use crate::flow::simulate::{GateDays, Simulated};
use std::fmt::Write as _;

/// What cameras counted at the back of a gate's queue, as `timestamp,count` by minute; a minute that none saw has no line.
pub fn csv(gate: &GateDays) -> String {
    let mut text = "timestamp,count\n".to_owned();
    for minute in &gate.minutes {
        if let Some(count) = minute.seen_arrived {
            let _ = writeln!(text, "{},{count}", minute.at);
        }
    }
    text
}

/// Everything that is known of a gate, by minute; a cell is empty where there is nothing to say.
pub fn truth(gate: &GateDays) -> String {
    let mut text =
        "timestamp,arrived,served,turned,queue,wait_seconds,open,planned,seen_arrived,seen_served\n".to_owned();
    let cell = |count: Option<u32>| count.map(|count| count.to_string()).unwrap_or_default();
    for minute in &gate.minutes {
        let wait = minute.wait_seconds.map(|wait| format!("{wait:.1}")).unwrap_or_default();
        let (arrived, served) = (cell(minute.seen_arrived), cell(minute.seen_served));
        let (at, came, went, turned) = (minute.at, minute.arrived, minute.served, minute.turned);
        let (queue, open, planned) = (minute.queue, minute.open, minute.planned);
        let _ = writeln!(text, "{at},{came},{went},{turned},{queue},{wait},{open},{planned},{arrived},{served}");
    }
    text
}

/// The matches as a programme file, with the attendance that was announced.
pub fn programme(simulated: &Simulated) -> String {
    let mut text = "# Simulated: usher flow simulate\n".to_owned();
    let zone = simulated.zone.iana_name().unwrap_or("UTC");
    let _ = writeln!(text, "time_zone: {zone}\nsessions:");
    for (number, game) in simulated.matches.iter().enumerate() {
        let local = |at: jiff::Timestamp| at.to_zoned(simulated.zone.clone()).strftime("%Y-%m-%d %H:%M").to_string();
        let (start, end) = (local(game.kick_off), local(game.end));
        let _ = writeln!(
            text,
            "  - {{ sport: Football, title: Match {}, venue: Stadium, place: Pitch, start: {start}, end: {end}, attendance: {} }}",
            number + 1,
            game.announced
        );
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::simulate::{Settings, simulate};

    #[test]
    fn a_gap_has_no_line_and_a_quiet_minute_has() {
        let simulated = simulate(&Settings { seed: 2, days: 6, ..Settings::default() });
        let gaps = |gate: &GateDays| gate.minutes.iter().filter(|minute| minute.seen_arrived.is_none()).count();
        assert!(simulated.gates.iter().any(|gate| gaps(gate) > 0), "no camera was ever lost");
        for gate in &simulated.gates {
            assert_eq!(csv(gate).lines().count(), 1 + gate.minutes.len() - gaps(gate));
            assert!(csv(gate).contains(",0\n"));
        }
    }

    #[test]
    fn the_programme_is_one_that_usher_reads() {
        let simulated = simulate(&Settings { days: 7, gates: 1, ..Settings::default() });
        let file = std::env::temp_dir().join(format!("usher-simulated-{}.yaml", std::process::id()));
        std::fs::write(&file, programme(&simulated)).unwrap();
        let read = usher_config::programme::read(&file);
        std::fs::remove_file(&file).unwrap();
        let read = read.unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(read.sessions.len(), simulated.matches.len());
        assert_eq!(read.sessions[0].attendance, Some(simulated.matches[0].announced));
    }
}
