//! What the gallery promises: sealed on disk, gone when forgotten, followed while it changes, whole after a kill.
#![allow(clippy::disallowed_methods, reason = "a test waits for other threads and processes")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use std::{
    fs,
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
use usher::{
    clock::{Clock, HandClock},
    gallery::{
        audit::deed::Why,
        consent::Consent,
        current::{Current, watch},
        enrolment::Enrolment,
        file::StoreError,
        key::BoxKey,
        store::Store,
    },
    health::Health,
    supervise::{Beat, stop},
};
use usher_models::{
    image::{Rgb, Size},
    template::{ModelId, Template},
};

const NAME: &str = "Grace Murray Hopper-Testperson";
const SPORT: &str = "Underwater rugby of the test";

fn model() -> ModelId {
    ModelId("m".into())
}

fn vector(seed: u32) -> Vec<f32> {
    (0..128).map(|i| ((i * 7 + seed * 13) % 29) as f32 - 14.0).collect()
}

fn somebody(seed: u32, expires: SystemTime) -> Enrolment {
    let templates = vec![Template::new(model(), vector(seed)).unwrap()];
    let crops = vec![Rgb { size: Size { width: 112, height: 112 }, data: crop(seed) }];
    Enrolment { templates, crops, ..Enrolment::new(NAME, SPORT, Consent::at_desk("test", "1", "0"), start(), expires) }
}

fn crop(seed: u32) -> Vec<f32> {
    (0..3 * 112 * 112).map(|i| ((i * 31 + seed * 17) % 251) as f32).collect()
}

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn later(seconds: u64) -> SystemTime {
    start() + Duration::from_secs(seconds)
}

/// Every byte of every file of the folder but the key's.
fn bytes_on_disk(folder: &Path) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.flat_map(|path| fs::read(path).unwrap()).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window == needle)
}

fn wait_until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not within half a minute: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn neither_name_nor_sport_nor_template_is_readable_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    for seed in 0..20 {
        store.enrol(&somebody(seed, later(60))).unwrap();
    }
    let found = store.load_all().unwrap().people;
    assert_eq!(found.len(), 20);
    assert_eq!((found[7].visitor.name.as_str(), found[7].visitor.sport.as_str()), (NAME, SPORT));
    let disk = bytes_on_disk(folder.path());
    assert!(holds(&disk, b"gallery") || holds(&disk, b"visitor"), "the scan reads the right files");
    assert!(!holds(&disk, &NAME.as_bytes()[..8]) && !holds(&disk, &SPORT.as_bytes()[..8]));
    for seed in 0..20 {
        let template = Template::new(model(), vector(seed)).unwrap();
        assert_eq!(template.compare(&found[seed as usize].templates[0]).unwrap().0.round(), 1.0);
        let some = template.vector()[3..5].iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>();
        assert!(!holds(&disk, &some), "two numbers of a template lie open");
        assert_eq!(store.crops_of(found[seed as usize].visitor.id).unwrap()[0].data, crop(seed));
        let some: Vec<u8> = crop(seed)[1000..1016].iter().map(|v| *v as u8).collect();
        assert!(!holds(&disk, &some), "sixteen pixels of a face lie open");
    }
}

#[test]
fn whoever_is_forgotten_leaves_no_byte_behind() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.db");
    let mut store = Store::open(&path, BoxKey::random()).unwrap();
    let kept = store.enrol(&somebody(1, later(60))).unwrap().visitor;
    let gone = store.enrol(&somebody(2, later(60))).unwrap().visitor;
    let rows = rusqlite::Connection::open(&path).unwrap();
    let sealed = |id: uuid::Uuid| -> Vec<Vec<u8>> {
        let all = "SELECT wrapped FROM visitor WHERE id = ?1 UNION ALL SELECT name FROM visitor WHERE id = ?1 UNION ALL \
                   SELECT sport FROM visitor WHERE id = ?1 UNION ALL \
                   SELECT sealed FROM template WHERE visitor = (SELECT row FROM visitor WHERE id = ?1) UNION ALL \
                   SELECT sealed FROM picture WHERE visitor = (SELECT row FROM visitor WHERE id = ?1)";
        rows.prepare(all).unwrap().query_map([id.as_bytes()], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    };
    let (of_kept, of_gone) = (sealed(kept.0), sealed(gone.0));
    assert_eq!((of_kept.len(), of_gone.len()), (5, 5));
    let all_there = bytes_on_disk(folder.path());
    assert!(of_gone.iter().all(|value| holds(&all_there, &value[..32])), "the scan finds what is there");
    drop(rows);

    let forgotten = store.forget(gone, Why::Staff, later(1)).unwrap();
    assert_eq!((forgotten.visitors, forgotten.log_emptied), (1, true));
    let disk = bytes_on_disk(folder.path());
    for value in &of_gone {
        assert!(!holds(&disk, &value[..32]), "part of what was forgotten is still on disk");
    }
    assert!(!holds(&disk, gone.0.as_bytes()), "the id is still on disk");
    assert!(of_kept.iter().all(|value| holds(&disk, &value[..32])));
    assert_eq!(fs::metadata(path.with_file_name("gallery.db-wal")).unwrap().len(), 0);
}

#[test]
fn a_running_gate_follows_what_another_process_does() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("gallery.db"), BoxKey::random());
    let clock = HandClock::at(start());
    let store = Store::open(&path, key.clone()).unwrap();
    let current = Current::of(&store, &model(), clock.now().wall).unwrap();
    let (stopper, stop) = stop();
    let beat = Beat::default();
    let thread = watch(store, clock.clone(), current.clone(), Arc::new(Health::of([])), stop, beat.clone());
    assert!(current.load().is_empty());

    // Another process, as far as SQLite can tell: another connection.
    let mut other = Store::open(&path, key.clone()).unwrap();
    let id = other.enrol(&somebody(1, later(60))).unwrap().visitor;
    wait_until("somebody enrolled is recognisable", || current.load().visitor(id).is_some());
    let probe = Template::new(model(), vector(1)).unwrap();
    assert_eq!(current.load().search(&probe, 1).unwrap()[0].visitor, id);
    other.forget(id, Why::Staff, later(1)).unwrap();
    wait_until("somebody forgotten is nobody", || current.load().visitor(id).is_none());

    // Time does it too: out of the snapshot, and out of the file.
    let id = other.enrol(&somebody(2, later(60))).unwrap().visitor;
    wait_until("somebody enrolled is recognisable", || current.load().visitor(id).is_some());
    clock.pass(Duration::from_secs(61));
    wait_until("somebody expired is nobody", || current.load().visitor(id).is_none());
    wait_until("somebody expired is erased", || other.load_all().unwrap().people.is_empty());

    // A restored backup is another file under the same name.
    for file in ["gallery.db", "gallery.db-wal", "gallery.db-shm"] {
        let _may_not_be_there = fs::remove_file(folder.path().join(file));
    }
    let mut restored = Store::open(&path, key).unwrap();
    let id = restored.enrol(&somebody(3, later(600))).unwrap().visitor;
    wait_until("a restored gallery is followed", || current.load().visitor(id).is_some());
    assert!(beat.count() > 0);
    drop(stopper);
    thread.join().unwrap();
}

#[test]
fn whoever_expires_vanishes_even_when_the_file_cannot_be_written() {
    let folder = tempfile::tempdir().unwrap();
    let (path, key) = (folder.path().join("gallery.db"), BoxKey::random());
    let clock = HandClock::at(start());
    let mut store = Store::open(&path, key).unwrap();
    let id = store.enrol(&somebody(1, later(60))).unwrap().visitor;
    let current = Current::of(&store, &model(), clock.now().wall).unwrap();
    assert!(current.load().visitor(id).is_some());
    // Somebody else holds the write lock for good.
    let locked = rusqlite::Connection::open(&path).unwrap();
    locked.execute_batch("BEGIN IMMEDIATE").unwrap();
    let (stopper, stop) = stop();
    let thread = watch(store, clock.clone(), current.clone(), Arc::new(Health::of([])), stop, Beat::default());
    clock.pass(Duration::from_secs(60));
    wait_until("somebody expired is nobody", || current.load().visitor(id).is_none());
    let still_there: i64 = locked.query_row("SELECT count(*) FROM visitor", [], |row| row.get(0)).unwrap();
    assert_eq!(still_there, 1, "the file could not be written");
    locked.execute_batch("ROLLBACK").unwrap();
    drop(stopper);
    thread.join().unwrap();
}

/// Not a test of its own: what [`nobody_enrolled_is_lost_when_the_process_is_killed`] kills.
#[test]
fn enrols_without_end_when_asked_to() {
    let Some(path) = std::env::var_os("USHER_TEST_ENROL_WITHOUT_END") else { return };
    let path = Path::new(&path);
    let key = BoxKey::open(&usher::gallery::key::Custody::File(path.with_file_name("key")), path).unwrap();
    let mut store = Store::open(path, key).unwrap();
    for seed in 0.. {
        let id = store.enrol(&somebody(seed, later(60))).unwrap().visitor;
        println!("\nenrolled {id}");
    }
}

#[test]
fn nobody_enrolled_is_lost_when_the_process_is_killed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gallery.db");
    let key = usher::gallery::key::Custody::File(folder.path().join("key"));
    let mut told = Vec::new();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "enrols_without_end_when_asked_to", "--nocapture"])
            .env("USHER_TEST_ENROL_WITHOUT_END", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        for line in lines {
            if let Some(id) = line.strip_prefix("enrolled ") {
                told.push(id.to_owned());
            }
            if told.len() == round * 15 {
                // SIGKILL, most likely in the middle of the next commit. What it still said is read on.
                child.kill().unwrap();
            }
        }
        child.wait().unwrap();
        let store = Store::open(&path, BoxKey::open(&key, &path).unwrap()).unwrap();
        let loaded = store.load_all().unwrap();
        assert!(loaded.unreadable.is_empty(), "{:?}", loaded.unreadable);
        let there: Vec<_> = loaded.people.iter().map(|person| person.visitor.id.to_string()).collect();
        assert!(told.len() >= round * 15 && told.iter().all(|id| there.contains(id)), "round {round}");
        // One more at most: durable, but killed before it was told.
        assert!(there.len() <= told.len() + round, "round {round}: {} of {}", there.len(), told.len());
    }
}

#[test]
fn readers_of_a_snapshot_see_one_state_from_start_to_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    let id = store.enrol(&somebody(1, later(60))).unwrap().visitor;
    let current = Current::of(&store, &model(), start()).unwrap();
    let held: Arc<_> = current.load();
    store.forget(id, Why::Staff, later(1)).unwrap();
    current.replace(usher::gallery::search::Gallery::empty(model()));
    assert!(held.visitor(id).is_some() && current.load().is_empty());
}

#[test]
fn putting_one_in_the_place_of_another_is_one_commit() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(&folder.path().join("gallery.db"), BoxKey::random()).unwrap();
    let [a, b] = [1, 2].map(|seed| store.enrol(&somebody(seed, later(60))).unwrap().visitor);
    let c = store.enrol_instead(&somebody(3, later(60)), &[a]).unwrap().visitor;
    let ids: Vec<_> = store.load_all().unwrap().people.iter().map(|person| person.visitor.id).collect();
    assert_eq!(ids, [b, c]);
    assert!(matches!(store.forget(a, Why::Staff, later(1)), Err(StoreError::Nobody(id)) if id == a));
}
