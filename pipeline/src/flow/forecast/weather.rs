//! Weather, where a file of it is given: what rain, heat and frost do to how many come.
//!
//! A file has a column of times and columns that its header names: `rain_mm` in an hour, `temperature_c`. What each kind of
//! weather does here is learnt as a factor, from 1: it takes a few hundred people in the rain to move it.

use crate::flow::series::{Problem, Problems, read_csv};
use jiff::tz::TimeZone;
use std::collections::BTreeSet;

/// Kinds of weather that have a factor.
pub(crate) const KINDS: usize = 3;
/// Rain that people notice, mm in an hour.
const WET_MM: f64 = 0.2;
/// Heat and frost, in °C.
const HOT_C: f64 = 30.0;
const COLD_C: f64 = 1.0;
/// People expected who must have been counted before a factor is half believed.
const PRIOR: f64 = 300.0;

/// Weather by time, forecasts among it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weather {
    /// When, in Unix seconds, and for how long; rain in mm an hour; degrees.
    hours: Vec<(i64, Option<f64>, Option<f64>)>,
    step_s: i64,
}

impl Weather {
    /// Reads a CSV file's text; times without an offset are by `zone`'s clocks.
    ///
    /// # Errors
    /// Every problem of the text.
    pub fn read(text: &str, zone: &TimeZone) -> Result<Self, Problems> {
        let header = text.lines().find(|line| !line.trim().is_empty() && !line.starts_with('#')).unwrap_or_default();
        let rain = with_column(text, header, &["rain_mm", "rain", "precipitation"]);
        let warmth = with_column(text, header, &["temperature_c", "temperature", "temp"]);
        if rain.is_none() && warmth.is_none() {
            let message = format!("neither `rain_mm` nor `temperature_c` is a column of `{header}`");
            let mend = "name the columns of rain (mm in an hour) and temperature (degrees Celsius) so".to_owned();
            let problem = Problem { line: 1, message, mend };
            return Err(Problems { file: "weather".to_owned(), problems: vec![problem] });
        }
        // Degrees may be below zero, which counts may not.
        let read = |text: Option<String>, what| {
            text.map(|text| read_csv(&text, zone).map_err(|found| in_words(found, what))).transpose()
        };
        let (rain, warmth) = match (read(rain, "amount of rain"), read(warmth, "temperature")) {
            (Ok(rain), Ok(warmth)) => (rain.map(|read| read.series), warmth.map(|read| read.series)),
            (rain, warmth) => return Err(together([rain.err(), warmth.err()])),
        };
        let series = rain.as_ref().or(warmth.as_ref());
        let Some(series) = series else { return Ok(Self::default()) };
        let hour = |i: usize| {
            let rain = rain.as_ref().and_then(|rain| rain.counts.get(i).copied().flatten());
            let warmth = warmth.as_ref().and_then(|warmth| warmth.counts.get(i).copied().flatten());
            (series.at(i).as_second(), rain, warmth.map(|warmth| warmth - SHIFT))
        };
        Ok(Self { hours: (0..series.counts.len()).map(hour).collect(), step_s: series.step.as_secs().max(1) })
    }

    /// Which kinds of weather it is at a time; none where the file does not say.
    pub(crate) fn kinds(&self, at_s: i64) -> [bool; KINDS] {
        let after = self.hours.partition_point(|(from, ..)| *from <= at_s);
        let hour = after.checked_sub(1).map(|index| self.hours[index]).filter(|hour| at_s < hour.0 + self.step_s);
        let (rain, warmth) = hour.map_or((None, None), |(_, rain, warmth)| (rain, warmth));
        [
            rain.is_some_and(|rain| rain >= WET_MM),
            warmth.is_some_and(|warmth| warmth >= HOT_C),
            warmth.is_some_and(|warmth| warmth <= COLD_C),
        ]
    }
}

/// Problems of a column that was read as if it were of counts, in the words of what it is.
fn in_words(found: Problems, what: &str) -> Problems {
    let told = |problem: Problem| Problem {
        message: problem
            .message
            .replace("is no count", &format!("is no {what}"))
            .replace("a count of", &format!("{what} of")),
        mend: match problem.mend.as_str() {
            "write how many were counted, or nothing where nobody counted" => {
                "write a number such as 0.5 (mm in an hour) or 21 (degrees Celsius), or nothing where nobody measured"
                    .into()
            }
            _ => problem.mend,
        },
        ..problem
    };
    Problems { problems: found.problems.into_iter().map(told).collect(), ..found }
}

/// Problems of both columns; what is wrong with a row's time is found with each, and told once.
fn together(found: [Option<Problems>; 2]) -> Problems {
    let mut problems: Vec<Problem> = found.into_iter().flatten().flat_map(|found| found.problems).collect();
    problems.sort_by_key(|problem| problem.line);
    let mut told = BTreeSet::new();
    problems.retain(|problem| told.insert((problem.line, problem.message.clone())));
    Problems { file: "weather".to_owned(), problems }
}

/// Added to degrees while they are read as if they were counts.
const SHIFT: f64 = 1000.0;

/// The file with its times and this column alone; `None` where it has none of these names.
fn with_column(text: &str, header: &str, names: &[&str]) -> Option<String> {
    let separator = [',', ';', '\t'].into_iter().max_by_key(|sign| header.matches(*sign).count())?;
    let cells: Vec<&str> = header.split(separator).map(|cell| cell.trim().trim_matches('"')).collect();
    let column = names.iter().find_map(|name| cells.iter().position(|cell| cell.eq_ignore_ascii_case(name)))?;
    let time =
        cells.iter().position(|cell| ["timestamp", "time", "date", "at"].contains(&cell.to_lowercase().as_str()));
    let time = time.unwrap_or(0);
    let warm = names.contains(&"temperature_c");
    let line = |line: &str| {
        let cells: Vec<&str> = line.split(separator).collect();
        if line.trim().is_empty() || line.starts_with('#') {
            return "\n".to_owned();
        }
        let cell = cells.get(column).map_or("", |cell| cell.trim());
        let cell = match cell.parse::<f64>() {
            Ok(degrees) if warm && degrees > -SHIFT => (degrees + SHIFT).to_string(),
            _ if line == header => "count".to_owned(),
            _ => cell.to_owned(),
        };
        format!("{},{cell}\n", cells.get(time).unwrap_or(&""))
    };
    Some(text.lines().map(line).collect())
}

/// What weather does here.
#[derive(Clone, Debug, Default)]
pub(crate) struct Effects([[f64; 2]; KINDS]);

impl Effects {
    /// The factor of some weather.
    pub(crate) fn factor(&self, kinds: [bool; KINDS]) -> f64 {
        let one = |(index, is): (usize, bool)| {
            let [came, expected] = self.0[index];
            if is { ((came + PRIOR) / (expected + PRIOR)).clamp(0.3, 3.0) } else { 1.0 }
        };
        kinds.into_iter().enumerate().map(one).product()
    }

    /// Learns what came where `expected` would have come in weather of no kind; `wide` is variance over mean.
    pub(crate) fn learn(&mut self, kinds: [bool; KINDS], came: f64, expected: f64, wide: f64) {
        let whole = self.factor(kinds);
        for (index, is) in kinds.into_iter().enumerate() {
            if is {
                let mut alone = [false; KINDS];
                alone[index] = true;
                // What the other kinds do is taken off.
                let others = whole / self.factor(alone);
                let [sum, all] = &mut self.0[index];
                *sum = *sum * 0.9995 + came / wide;
                *all = *all * 0.9995 + expected * others / wide;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rain_and_frost_are_read_and_what_rain_does_is_learnt() {
        let text = "time,temperature_c,rain_mm\n2026-01-01T00:00:00Z,-4.5,0\n2026-01-01T01:00:00Z,,0.8\n2026-01-01T03:00:00Z,31,\n";
        let weather = Weather::read(text, &TimeZone::UTC).unwrap();
        let kinds = |at: &str| weather.kinds(at.parse::<jiff::Timestamp>().unwrap().as_second());
        assert_eq!(kinds("2026-01-01T00:59:00Z"), [false, false, true]);
        assert_eq!(kinds("2026-01-01T01:00:00Z"), [true, false, false]);
        assert_eq!(kinds("2026-01-01T02:30:00Z"), [false; 3]);
        assert_eq!(kinds("2026-01-01T03:30:00Z"), [false, true, false]);
        assert_eq!(kinds("2026-01-01T04:00:00Z"), [false; 3]);
        let mut effects = Effects::default();
        for _ in 0..1000 {
            effects.learn([true, false, false], 6.0, 10.0, 1.0);
        }
        assert!((0.58..0.66).contains(&effects.factor([true, false, false])));
        assert_eq!(effects.factor([false, true, false]), 1.0);
    }

    #[test]
    fn a_file_without_weather_says_what_is_missing() {
        let said = Weather::read("time,wind\n2026-01-01T00:00:00Z,3\n", &TimeZone::UTC).unwrap_err().to_string();
        assert!(said.contains("neither `rain_mm` nor `temperature_c`"), "{said}");
    }
}
