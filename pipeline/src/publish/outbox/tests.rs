//! What the outbox promises.

use super::*;
use crate::clock::HandClock;
use std::os::unix::fs::PermissionsExt;
use usher_config::value::Name;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);
const QUIET: Duration = Duration::from_secs(600);

struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
}

impl Bench {
    fn new() -> Self {
        let clock = HandClock::at(SystemTime::UNIX_EPOCH + 20_000 * DAY);
        Self { folder: tempfile::tempdir().unwrap(), clock }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("outbox.db")
    }

    fn open(&self) -> Outbox {
        Outbox::open(&self.path(), QUIET, self.clock.clone()).unwrap()
    }

    fn row(&self) -> Row {
        let now = self.clock.now();
        Row {
            id: Uuid::now_v7(),
            kind: Kind::Visit,
            gate: Name::new("north").unwrap(),
            visitor: VisitorId(Uuid::new_v4()),
            topic: "usher/v1/arena/gate/north/visit".into(),
            body: vec![b'x'; 2_000].into(),
            decided: now.wall,
            keep_until: now.wall + DAY,
            arrived: Some(Arrived { first: now, settling: now }),
        }
    }
}

fn limit_pages(outbox: &Outbox, pages: u32) {
    outbox.on_disk(move |shelf, _| shelf.limit_pages(pages)).unwrap();
}

fn ids(outbox: &Outbox) -> Vec<Uuid> {
    outbox.after(0, 1_000).iter().map(|waiting| waiting.row.id).collect()
}

#[test]
fn rows_come_in_order_of_decision_until_they_are_acknowledged() {
    let bench = Bench::new();
    let outbox = bench.open();
    let rows: Vec<Row> = (0..5).map(|_| bench.row()).collect();
    let wanted: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    outbox.append(rows[..2].to_vec());
    outbox.append(rows[2..].to_vec());
    assert_eq!(ids(&outbox), wanted);
    let second = outbox.after(0, 2)[1].seq;
    assert_eq!(outbox.after(second, 2).iter().map(|w| w.row.id).collect::<Vec<_>>(), wanted[2..4]);
    outbox.acknowledged(&[second]);
    outbox.acknowledged(&[second]);
    assert_eq!(ids(&outbox), [wanted[0], wanted[2], wanted[3], wanted[4]]);
    assert_eq!(outbox.depth(), 4);
}

#[test]
fn rows_and_recent_visits_survive_a_restart() {
    let bench = Bench::new();
    let outbox = bench.open();
    let row = bench.row();
    outbox.append(vec![row.clone()]);
    drop(outbox);
    let outbox = bench.open();
    let waiting = &outbox.after(0, 10)[0];
    assert_eq!((waiting.row.id, &waiting.row.body, &waiting.row.topic), (row.id, &row.body, &row.topic));
    assert_eq!(waiting.row.arrived, None, "a steady time of another process means nothing here");
    outbox.acknowledged(&[waiting.seq]);
    let recent = Recent { gate: row.gate, visitor: row.visitor, decided: row.decided };
    assert_eq!(outbox.recent_visits(row.decided), [recent]);
    bench.clock.pass(QUIET + Duration::from_secs(1));
    outbox.tend();
    assert_eq!(outbox.recent_visits(SystemTime::UNIX_EPOCH), [], "nobody is remembered beyond the quiet time");
}

#[test]
fn what_the_broker_never_took_expires_and_is_counted() {
    let bench = Bench::new();
    let outbox = bench.open();
    outbox.append(vec![bench.row()]);
    let seq = outbox.after(0, 1)[0].seq;
    bench.clock.pass(DAY);
    outbox.tend();
    assert_eq!((outbox.depth(), ids(&outbox).len()), (0, 0));
    outbox.acknowledged(&[seq]);
    assert_eq!(outbox.depth(), 0, "a late acknowledgement is not counted twice");
}

#[test]
fn a_full_disk_loses_nothing_and_heals() {
    let bench = Bench::new();
    let outbox = bench.open();
    let before: Vec<Row> = (0..3).map(|_| bench.row()).collect();
    outbox.append(before.clone());
    limit_pages(&outbox, 1);
    let during: Vec<Row> = (0..40).map(|_| bench.row()).collect();
    during.chunks(4).for_each(|rows| outbox.append(rows.to_vec()));
    let trouble = outbox.trouble().unwrap();
    assert!(trouble.contains("is full; make room there"), "{trouble}");
    let wanted: Vec<Uuid> = before.iter().chain(&during).map(|row| row.id).collect();
    assert_eq!(ids(&outbox), wanted);
    assert_eq!(outbox.depth(), 43);
    let first = outbox.after(0, 1)[0].seq;
    let last = outbox.after(0, 100)[42].seq;
    outbox.acknowledged(&[first, last]);
    assert_eq!(outbox.depth(), 41);
    outbox.tend();
    assert!(outbox.trouble().is_some(), "still full");
    limit_pages(&outbox, 1_000_000);
    outbox.tend();
    assert_eq!(outbox.trouble(), None);
    assert_eq!(ids(&outbox), wanted[1..42]);
    assert_eq!(outbox.depth(), 41);
    drop(outbox);
    assert_eq!(ids(&bench.open()), wanted[1..42], "all of it is on disk");
}

#[test]
fn whoever_was_greeted_while_the_disk_failed_is_remembered_over_a_restart() {
    let bench = Bench::new();
    let outbox = bench.open();
    limit_pages(&outbox, 1);
    // More than fits into the pages that are there.
    let rows: Vec<Row> = (0..40).map(|_| bench.row()).collect();
    outbox.append(rows.clone());
    assert!(outbox.trouble().is_some());
    let seqs: Vec<u64> = outbox.after(0, 100).iter().map(|waiting| waiting.seq).collect();
    outbox.acknowledged(&seqs);
    assert_eq!(outbox.depth(), 0, "the broker has them all, and no disk ever had");
    limit_pages(&outbox, 1_000_000);
    outbox.tend();
    assert_eq!(outbox.trouble(), None);
    drop(outbox);
    assert_eq!(bench.open().recent_visits(SystemTime::UNIX_EPOCH).len(), rows.len());
}

#[test]
fn a_disk_that_is_still_full_is_not_believed_since_nothing_waits() {
    let bench = Bench::new();
    let outbox = bench.open();
    limit_pages(&outbox, 1);
    (0..20).for_each(|_| outbox.append(vec![bench.row()]));
    // The broker takes them from memory: nothing is left to be written.
    let seqs: Vec<u64> = outbox.after(0, 100).iter().map(|waiting| waiting.seq).collect();
    assert_eq!(seqs.len(), 20);
    outbox.acknowledged(&seqs);
    for _ in 0..3 {
        outbox.tend();
        assert!(outbox.trouble().is_some(), "an alarm that comes and goes is none");
    }
    limit_pages(&outbox, 1_000_000);
    outbox.tend();
    assert_eq!((outbox.trouble(), outbox.depth(), ids(&outbox).len()), (None, 0, 0));
}

#[test]
fn a_damaged_file_is_moved_aside() {
    let bench = Bench::new();
    std::fs::write(bench.path(), vec![7; 10_000]).unwrap();
    let outbox = bench.open();
    outbox.append(vec![bench.row()]);
    assert_eq!((outbox.depth(), outbox.trouble()), (1, None));
    let aside = std::fs::read_dir(bench.folder.path()).unwrap();
    let aside = aside.filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(".damaged-"));
    assert_eq!(aside.count(), 1);
}

#[test]
fn nobody_else_may_read_it_and_two_ushers_do_not_share_it() {
    let bench = Bench::new();
    let outbox = bench.open();
    outbox.append(vec![bench.row()]);
    for file in std::fs::read_dir(bench.folder.path()).unwrap() {
        assert_eq!(file.unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }
    let second = Outbox::open(&bench.path(), QUIET, bench.clock.clone()).err().unwrap();
    assert!(second.to_string().contains("stop the other usher"), "{second}");
    let nowhere = Outbox::open(Path::new("/nowhere/outbox.db"), QUIET, bench.clock.clone()).err().unwrap();
    assert!(nowhere.to_string().contains("create its folder"), "{nowhere}");
}

#[test]
fn a_newer_layout_is_refused() {
    let bench = Bench::new();
    rusqlite::Connection::open(bench.path()).unwrap().execute_batch("PRAGMA user_version = 9").unwrap();
    let error = Outbox::open(&bench.path(), QUIET, bench.clock.clone()).err().unwrap();
    assert!(error.to_string().contains("update this one or move the file away"), "{error}");
}
