use super::*;
use proptest::prelude::*;

fn berlin() -> TimeZone {
    TimeZone::get("Europe/Berlin").unwrap()
}

#[test]
fn a_hole_is_a_gap_and_never_nobody() {
    let text = "when,entered\n2026-07-14 10:00,4\n2026-07-14 10:30,\n2026-07-14 11:00,0\n2026-07-14 12:30,7\n";
    let read = read_csv(text, &TimeZone::UTC).unwrap();
    let counts = [Some(4.0), None, Some(0.0), None, None, Some(7.0)];
    assert_eq!(read.series.counts, counts);
    assert_eq!(read.series.step, SignedDuration::from_mins(30));
    assert_eq!((read.rows, read.gaps, read.by_clocks), (4, 3, true));
    assert_eq!((read.time_column.as_str(), read.count_column.as_str()), ("when", "entered"));
}

#[test]
fn the_hour_that_comes_twice_is_two_hours() {
    let text = "at,count\n2026-10-25 01:00,1\n2026-10-25 02:00,2\n2026-10-25 02:00,3\n2026-10-25 03:00,4\n";
    let read = read_csv(text, &berlin()).unwrap();
    assert_eq!(read.series.counts, [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    assert_eq!(read.series.start, "2026-10-24T23:00:00Z".parse().unwrap());
}

#[test]
fn the_hour_that_is_left_out_is_no_gap() {
    let text = "at,count\n2026-03-29 00:00,1\n2026-03-29 01:00,2\n2026-03-29 03:00,3\n2026-03-29 04:00,4\n";
    let read = read_csv(text, &berlin()).unwrap();
    assert_eq!(read.series.counts, [Some(1.0), Some(2.0), Some(3.0), Some(4.0)]);
    let wrong = text.replace("03:00", "02:30");
    let said = read_csv(&wrong, &berlin()).unwrap_err().named("a.csv").to_string();
    assert!(said.starts_with("a.csv:4: `2026-03-29 02:30` was left out by the clocks of Europe/Berlin"), "{said}");
}

#[test]
fn every_problem_is_told_at_once_with_line_and_mend() {
    let text = "time,count\n2026-01-01T00:00:00Z,1\n2026-01-01T01:00:00Z,-2\nnoon,3\n2026-01-01T01:00:00Z,x\n\
                2026-01-01T02:00:00Z,4\n2026-01-01T01:30:00Z,4\n2026-01-01T03:00:00Z,4\n2026-01-01T04:20:00Z,5\n";
    let said = read_csv(text, &TimeZone::UTC).unwrap_err().named("counts.csv").to_string();
    let expected = "counts.csv:3: a count of -2 is below zero; write how many were counted, or nothing where nobody counted\n\
        counts.csv:4: `noon` is no time; write it as `2026-07-14T10:00:00+02:00` or `2026-07-14 10:00`\n\
        counts.csv:5: `x` is no count; write how many were counted, or nothing where nobody counted\n\
        counts.csv:7: its time `2026-01-01T01:30:00Z` is before that of the row above; sort the rows by time, one for each step\n\
        counts.csv:9: its time is no whole number of steps of 3600 s from the first; give counts of even steps; leave out what was not counted";
    assert_eq!(said, expected);
}

#[test]
fn what_is_no_table_says_so() {
    for (text, part) in [
        ("", "the file is empty"),
        ("time,count\n", "no row follows"),
        ("time,count\n2026-01-01 00:00,1\n", "fewer than two rows"),
        ("a,b\nx,y\n", "no column of times and one of counts in `a,b`"),
        ("2026-01-01T00:00:00Z,1\n2026-01-01T00:00:01Z,1\n9000-01-01T00:00:00Z,1\n", "too many"),
    ] {
        let said = read_csv(text, &TimeZone::UTC).unwrap_err().to_string();
        assert!(said.contains(part), "{text}: {said}");
    }
}

#[test]
fn a_table_may_have_other_signs_and_more_columns() {
    let text = "\u{feff}# north gate\r\nstation;\"when\";weather;Visitors\r\n7;\"2026-01-01 10:00\";fine;12\r\n7;2026-01-01 10:05;\"wet; cold\";13\r\n";
    let read = read_csv(text, &TimeZone::UTC).unwrap();
    assert_eq!((read.time_column.as_str(), read.count_column.as_str()), ("when", "Visitors"));
    assert_eq!(read.series.counts, [Some(12.0), Some(13.0)]);
    let bare = read_csv("1767225600,3\n1767225660,4\n", &TimeZone::UTC).unwrap();
    assert_eq!((bare.count_column.as_str(), bare.series.start.as_second()), ("column 2", 1_767_225_600));
}

#[test]
fn coarser_steps_begin_where_clocks_say_and_keep_gaps() {
    let start = "2026-01-01T00:05:00Z".parse().unwrap();
    let counts = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some).to_vec();
    let mut series = Series { start, step: SignedDuration::from_mins(5), counts };
    series.counts.push(None);
    series.counts.extend([Some(1.0); 3]);
    let coarse = series.coarser(3);
    assert_eq!((coarse.start, coarse.step), ("2026-01-01T00:15:00Z".parse().unwrap(), SignedDuration::from_mins(15)));
    assert_eq!(coarse.counts, [Some(12.0), None]);
}

proptest! {
    #[test]
    fn what_was_written_is_read(
        start in 0i64..2_000_000_000, step in 1i64..90_000,
        mut counts in prop::collection::vec(prop::option::of(0u32..10_000), 2..80),
    ) {
        // A file begins and ends with a row, and its usual distance is a step.
        counts[0] = Some(1);
        counts[1] = Some(2);
        let last = counts.len() - 1;
        counts[last] = Some(3);
        let row = |(i, count): (usize, &Option<u32>)| {
            let at = Timestamp::from_second(start + step * i as i64).unwrap();
            format!("{at},{}\n", count.map(|count| count.to_string()).unwrap_or_default())
        };
        let text: String = counts.iter().enumerate().map(row).collect();
        let read = read_csv(&text, &TimeZone::UTC).unwrap();
        let expected: Vec<_> = counts.iter().map(|count| count.map(f64::from)).collect();
        prop_assert_eq!(&read.series.counts, &expected);
        prop_assert_eq!(read.series.step, SignedDuration::from_secs(step));
        for i in 0..counts.len() {
            prop_assert_eq!(read.series.index(read.series.at(i)), Some(i));
        }
    }

    #[test]
    fn no_text_is_too_odd_to_be_judged(text in "[0-9a-zTZ:,;\\-\\. \"\n]{0,200}") {
        match read_csv(&text, &berlin()) {
            Ok(read) => prop_assert!(read.series.counts.len() >= 2),
            Err(problems) => prop_assert!(!problems.problems.is_empty()),
        }
    }
}
