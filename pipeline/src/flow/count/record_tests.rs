//! What a record promises.

use super::*;
use proptest::prelude::*;

const KEEP: Duration = Duration::from_secs(10 * 24 * 3600);

fn row(at: &str, entered: u32, seen: Seen) -> Row {
    Row { at: at.parse().unwrap(), gate: Name::new("gate-b").unwrap(), entered, left: 1, seen, side: Side::Gate }
}

fn record(folder: &Path) -> Record {
    Record::new(folder, KEEP, TimeZone::UTC)
}

fn all(folder: &Path) -> Kept {
    read(folder, Date::MIN).unwrap()
}

fn whole(at: &str, entered: u32) -> Row {
    row(at, entered, Seen::Told(Counting::Whole))
}

#[test]
fn what_was_written_is_read_again_by_day() {
    let folder = tempfile::tempdir().unwrap();
    let rows = [
        row("2026-07-24T16:03:00Z", 4, Seen::Open),
        whole("2026-07-24T16:03:00Z", 3),
        // Before four in the morning it is still the day before.
        row("2026-07-25T03:59:00Z", 0, Seen::Told(Counting::None)),
        row("2026-07-25T04:00:00Z", 9, Seen::Told(Counting::Partial)),
    ];
    let mut record = record(folder.path());
    record.write(rows[..2].to_vec()).unwrap();
    record.write(rows[2..].to_vec()).unwrap();
    assert_eq!(all(folder.path()), Kept { rows: rows.to_vec(), unread: 0 });
    assert_eq!(read(folder.path(), "2026-07-25".parse().unwrap()).unwrap().rows, rows[3..]);
    let text = std::fs::read_to_string(folder.path().join("2026-07-24.csv")).unwrap();
    assert!(text.starts_with("minute,gate,entered,left,counting\n2026-07-24T16:03:00Z,gate-b,4,1,open\n"), "{text}");
}

#[test]
fn a_record_of_no_folder_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(all(&folder.path().join("nowhere")), Kept::default());
}

#[test]
fn days_that_were_kept_long_enough_are_deleted_and_other_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let mut record = record(folder.path());
    record.write([whole("2026-07-01T12:00:00Z", 1), whole("2026-07-10T12:00:00Z", 2)]).unwrap();
    std::fs::write(folder.path().join("notes.csv"), "mine").unwrap();
    record.write([whole("2026-07-12T12:00:00Z", 3)]).unwrap();
    let entered: Vec<u32> = all(folder.path()).rows.iter().map(|row| row.entered).collect();
    assert_eq!(entered, [2, 3]);
    assert!(folder.path().join("notes.csv").is_file());
}

#[test]
fn what_a_disk_does_not_take_waits_and_is_written_whole_later() {
    let folder = tempfile::tempdir().unwrap();
    // A file where the folder should be: a disk that takes nothing.
    let place = folder.path().join("flow");
    std::fs::write(&place, "in the way").unwrap();
    let mut record = record(&place);
    for entered in 1..=3 {
        assert!(record.write([whole("2026-07-24T16:03:00Z", entered)]).is_err());
    }
    assert_eq!(record.behind(), (3, 0));
    std::fs::remove_file(&place).unwrap();
    record.write([]).unwrap();
    assert_eq!((all(&place).rows.len(), record.behind()), (3, (0, 0)));
}

#[test]
fn a_disk_that_takes_nothing_for_days_fills_no_memory() {
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("flow");
    std::fs::write(&place, "in the way").unwrap();
    let mut record = record(&place);
    assert!(record.write(vec![whole("2026-07-24T16:03:00Z", 1); MOST_WAITING]).is_err());
    assert!(record.write(vec![whole("2026-07-24T16:04:00Z", 1); 50]).is_err());
    assert_eq!(record.behind(), (MOST_WAITING, 50));
}

#[test]
fn a_full_disk_leaves_no_half_row_behind() {
    // The one device that is always full.
    let mut full = File::options().append(true).open("/dev/full").unwrap();
    assert!(full.write_all(b"x").and_then(|()| full.sync_data()).is_err());
    let folder = tempfile::tempdir().unwrap();
    let mut record = record(folder.path());
    record.write([whole("2026-07-24T16:03:00Z", 1)]).unwrap();
    std::os::unix::fs::symlink("/dev/full", folder.path().join("2026-07-26.csv")).unwrap();
    assert!(record.write([whole("2026-07-26T16:03:00Z", 2)]).is_err());
    assert_eq!(record.behind(), (1, 0));
    std::fs::remove_file(folder.path().join("2026-07-26.csv")).unwrap();
    record.write([whole("2026-07-26T16:04:00Z", 3)]).unwrap();
    let entered: Vec<u32> = all(folder.path()).rows.iter().map(|row| row.entered).collect();
    assert_eq!(entered, [1, 2, 3]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Torn off anywhere, a file gives the rows whose lines are whole, and goes on in a line of its own.
    #[test]
    fn a_torn_file_is_healed(torn in 0usize..400, counts in prop::collection::vec(0u32..2000, 1..8)) {
        let folder = tempfile::tempdir().unwrap();
        let rows: Vec<Row> = counts.iter().map(|count| whole("2026-07-24T16:03:00Z", *count)).collect();
        record(folder.path()).write(rows.clone()).unwrap();
        let path = folder.path().join("2026-07-24.csv");
        let text = std::fs::read_to_string(&path).unwrap();
        let torn = torn.min(text.len());
        std::fs::write(&path, &text[..torn]).unwrap();
        let lines = text[..torn].matches('\n').count().saturating_sub(1);
        prop_assert_eq!(&all(folder.path()).rows[..], &rows[..lines]);
        record(folder.path()).write([whole("2026-07-24T16:09:00Z", 7)]).unwrap();
        let kept = all(folder.path());
        prop_assert_eq!(kept.unread, 0);
        prop_assert_eq!(kept.rows.len(), lines + 1);
        prop_assert_eq!(kept.rows.last(), Some(&whole("2026-07-24T16:09:00Z", 7)));
    }

    /// Whatever stands in a file, reading it ends and makes no row of what is none.
    #[test]
    fn nonsense_is_no_row(text in "[0-9a-zTZ:,\\-\n]{0,200}") {
        let kept = rows_of(&text);
        prop_assert!(kept.rows.len() + kept.unread <= text.lines().count());
    }
}
