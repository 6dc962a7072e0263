//! What consent promises: no row without one, nobody back from a copy, nothing lost or torn by a kill, proof of all of it.
//!
//! `USHER_KILLS` sets how many times a process is killed (`make soak-consent`: 1,000); the counts are printed as one line of JSON.
#![allow(clippy::disallowed_methods, reason = "a test waits for other processes")]
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::{
    collections::{HashMap, HashSet},
    fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, SystemTime},
};
use usher::gallery::{
    audit::{
        deed::Why,
        verify::{Report, verify},
    },
    consent::Consent,
    enrolment::{Enrolment, Issued},
    key::{BoxKey, Custody as KeyFile},
    pass::PassSecret,
    receipt::signed_by,
    store::Store,
    visitor::{Custody, VisitorId},
};
use usher_models::template::{ModelId, Template};

const NAME: &str = "gallery.db";

fn start() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000)
}

fn later(seconds: u64) -> SystemTime {
    start() + Duration::from_secs(seconds)
}

fn somebody(custody: Custody) -> Enrolment {
    let templates = vec![Template::new(ModelId("m".into()), vec![0.6, 0.8]).unwrap()];
    let consent = Consent::at_desk("test", "1", "ab");
    Enrolment { templates, custody, ..Enrolment::new("Ada", "Judo", consent, start(), later(3600)) }
}

/// A data folder with its key, which is kept elsewhere.
struct Place {
    folder: tempfile::TempDir,
    key: BoxKey,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), key: BoxKey::random() }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join(NAME)
    }

    fn store(&self) -> Store {
        Store::open(&self.path(), self.key.clone()).unwrap()
    }

    fn verified(&self) -> Report {
        verify(&self.path(), &self.key, later(10)).unwrap()
    }
}

fn ids(store: &Store) -> HashSet<VisitorId> {
    store.load_all().unwrap().people.into_iter().map(|person| person.visitor.id).collect()
}

fn copy(from: &Path, to: &Path, names: &[&str]) {
    for name in names {
        if from.join(name).exists() {
            fs::copy(from.join(name), to.join(name)).unwrap();
        } else {
            let _none_either = fs::remove_file(to.join(name));
        }
    }
}

const GALLERY: [&str; 3] = ["gallery.db", "gallery.db-wal", "gallery.db-shm"];

#[test]
fn a_gallery_that_is_put_back_brings_nobody_back() {
    let (place, backup) = (Place::new(), tempfile::tempdir().unwrap());
    let mut store = place.store();
    let [kept, gone] = [1, 2].map(|_| store.enrol(&somebody(Custody::Box)).unwrap().visitor);
    drop(store);
    copy(place.folder.path(), backup.path(), &GALLERY);
    place.store().forget(gone, Why::Asked, later(5)).unwrap();
    copy(backup.path(), place.folder.path(), &GALLERY);
    let report = place.verified();
    assert_eq!(report.forgotten_and_here, [gone], "the copy is caught");
    assert!(!report.is_whole());
    assert_eq!(ids(&place.store()), HashSet::from([kept]));
    assert!(place.verified().is_whole(), "{:?}", place.verified());
}

#[test]
fn a_copy_of_the_whole_folder_knows_nobody() {
    let (place, elsewhere) = (Place::new(), Place::new());
    let mut store = place.store();
    store.enrol(&somebody(Custody::Box)).unwrap();
    store.enrol(&somebody(Custody::Visitor)).unwrap();
    drop(store);
    copy(place.folder.path(), elsewhere.folder.path(), &["gallery.db", "gallery.db-wal", "audit.log"]);
    let copied = Place { folder: elsewhere.folder, key: place.key.clone() };
    assert!(!copied.verified().is_own);
    let store = copied.store();
    assert_eq!((ids(&store).len(), store.load_all().unwrap().locked), (0, 0));
    drop(store);
    let mut store = copied.store();
    store.enrol(&somebody(Custody::Box)).unwrap();
    drop(store);
    assert_eq!(ids(&copied.store()).len(), 1, "whoever enrols there afterwards is kept");
    assert_eq!(ids(&place.store()).len(), 1, "the folder itself knows who it knew");
}

#[test]
fn old_files_written_over_todays_know_nobody() {
    let place = Place::new();
    place.store().enrol(&somebody(Custody::Box)).unwrap();
    let log = fs::OpenOptions::new().append(true).open(place.folder.path().join("audit.log")).unwrap();
    let written = |at| log.set_times(fs::FileTimes::new().set_modified(at)).unwrap();
    // The last line was written a moment ago, as a clock of 2027 would have it.
    written(later(30));
    assert!(place.verified().is_own);
    assert_eq!(ids(&place.store()).len(), 1);
    // The same number and birth, as `cp backup/* .` leaves them, but written later than any line says.
    written(later(90));
    assert!(!place.verified().is_own, "the copy is caught");
    assert!(ids(&place.store()).is_empty());
    place.store().enrol(&somebody(Custody::Box)).unwrap();
    assert_eq!(ids(&place.store()).len(), 1, "whoever enrols afterwards is kept");
}

#[test]
fn without_the_log_nobody_is_known() {
    let place = Place::new();
    place.store().enrol(&somebody(Custody::Box)).unwrap();
    fs::remove_file(place.folder.path().join("audit.log")).unwrap();
    assert!(ids(&place.store()).is_empty());
    place.store().enrol(&somebody(Custody::Box)).unwrap();
    let log = place.folder.path().join("audit.log");
    let changed = fs::read_to_string(&log).unwrap().replacen("\"box\"", "\"visitor\"", 1);
    fs::write(&log, changed).unwrap();
    assert!(place.verified().broken.unwrap().contains("was changed after it was written"));
    assert!(ids(&place.store()).is_empty());
    let kept_aside = fs::read_dir(place.folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(kept_aside.into_iter().any(|name| name.to_string_lossy().contains("broken-")), "the evidence stays");
}

#[test]
fn a_half_written_line_is_cut_off_and_loses_nobody() {
    let place = Place::new();
    place.store().enrol(&somebody(Custody::Box)).unwrap();
    let log = place.folder.path().join("audit.log");
    let mut text = fs::read(&log).unwrap();
    text.extend(b"{\"seq\":3,\"at\":\"2026-");
    fs::write(&log, text).unwrap();
    assert_eq!(ids(&place.store()).len(), 1);
    assert!(place.verified().is_whole());
}

#[test]
fn what_the_visitor_keeps_the_key_of_opens_with_their_pass_and_is_forgotten_by_it() {
    let place = Place::new();
    let mut store = place.store();
    let Issued { visitor, pass, receipt, .. } = store.enrol(&somebody(Custody::Visitor)).unwrap();
    let loaded = store.load_all().unwrap();
    assert_eq!((loaded.people.len(), loaded.locked), (0, 1), "the box alone opens nothing");
    assert!(loaded.unreadable.is_empty());
    let person = store.unlock(&pass).unwrap().unwrap();
    assert_eq!((person.visitor.id, person.visitor.name.as_str(), person.templates.len()), (visitor, "Ada", 1));
    assert!(store.unlock(&PassSecret::random()).unwrap().is_none());
    assert_eq!(store.receipt(&pass).unwrap().unwrap(), receipt, "the receipt can be had again");
    let public = store.signer().public().to_owned();
    assert_eq!(signed_by(&receipt).as_deref(), Some(public.as_str()));
    let end = store.forget_by(&pass, later(9)).unwrap().unwrap();
    assert_eq!(signed_by(&end).as_deref(), Some(public.as_str()));
    assert_eq!(end["receipt"]["event"]["event_state"], "consent withdrawn, data erased");
    assert!(store.unlock(&pass).unwrap().is_none());
    assert!(store.forget_by(&pass, later(9)).unwrap().is_none());
    assert!(place.verified().is_whole());
}

#[test]
fn nobody_is_kept_for_more_than_a_month() {
    let place = Place::new();
    let long = Enrolment { expires: later(31 * 24 * 3600), ..somebody(Custody::Box) };
    let error = place.store().enrol(&long).unwrap_err().to_string();
    assert!(error.contains("30 days; give an earlier time"), "{error}");
}

/// Every way of cheating that a hand at the files has, each caught by its own name.
#[test]
fn verify_catches_every_mutant() {
    let place = Place::new();
    let mut store = place.store();
    let [one, two] = [1, 2].map(|_| store.enrol(&somebody(Custody::Box)).unwrap().visitor);
    drop(store);
    assert!(place.verified().is_whole());
    let sql = |text: &str, id: VisitorId| {
        let db = rusqlite::Connection::open(place.path()).unwrap();
        db.execute_batch("PRAGMA foreign_keys = OFF").unwrap();
        db.execute(text, [id.0.as_bytes()]).unwrap()
    };
    sql("UPDATE visitor SET expires_at = expires_at + 86400000 WHERE id = ?1", one);
    assert_eq!(place.verified().prolonged, [one]);
    sql("UPDATE visitor SET expires_at = expires_at - 86400000 WHERE id = ?1", one);
    assert_eq!(verify(&place.path(), &place.key, later(3600 + 121)).unwrap().outlived, [one, two]);
    assert!(
        verify(&place.path(), &place.key, later(3600 + 60)).unwrap().outlived.is_empty(),
        "erased within two minutes"
    );
    sql("DELETE FROM visitor WHERE id = ?1", two);
    assert_eq!(place.verified().orphans, 1);
    sql("DELETE FROM template WHERE visitor NOT IN (SELECT row FROM visitor) OR visitor = ?1", two);
    let posed = VisitorId(uuid::Uuid::new_v4());
    let row = "INSERT INTO visitor SELECT 99, ?1, randomblob(16), custody, wrapped, name, sport, wishes, household, \
               enrolled_at, expires_at FROM visitor LIMIT 1";
    sql("INSERT INTO consent SELECT ?1, sealed FROM consent LIMIT 1", posed);
    sql(row, posed);
    assert_eq!(place.verified().without_consent, [posed]);
    let log = place.folder.path().join("audit.log");
    let lines: Vec<String> = fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect();
    fs::write(&log, [lines[0].clone(), lines[2].clone(), String::new()].join("\n")).unwrap();
    assert!(place.verified().broken.unwrap().contains("lines are missing"));
    let other = BoxKey::random();
    fs::write(&log, lines.join("\n") + "\n").unwrap();
    assert!(verify(&place.path(), &other, later(1)).unwrap().broken.unwrap().contains("not signed by this box"));
}

/// Not a test of its own: what [`a_kill_at_any_moment_loses_nothing_that_was_acknowledged`] kills.
#[test]
fn enrols_and_forgets_without_end_when_asked_to() {
    let Some(path) = std::env::var_os("USHER_TEST_CONSENT_WITHOUT_END") else { return };
    let seed = std::env::var("USHER_TEST_SEED").unwrap().parse().unwrap();
    let path = Path::new(&path);
    let key = BoxKey::open(&KeyFile::File(path.with_file_name("key")), path).unwrap();
    let mut store = Store::open(path, key).unwrap();
    println!("\nready");
    let (mut rng, mut mine) = (ChaCha8Rng::seed_from_u64(seed), Vec::new());
    loop {
        if mine.len() > 3 && rng.random_bool(0.5) {
            let issued: Issued = mine.swap_remove(rng.random_range(0..mine.len()));
            println!("\nforgetting {}", issued.visitor);
            if rng.random_bool(0.5) {
                store.forget_by(&issued.pass, later(1)).unwrap().unwrap();
            } else {
                store.forget(issued.visitor, Why::Staff, later(1)).unwrap();
            }
            println!("\nforgotten {}", issued.visitor);
        } else {
            let custody = if rng.random_bool(0.5) { Custody::Box } else { Custody::Visitor };
            let issued = store.enrol(&somebody(custody)).unwrap();
            println!("\nenrolled {} {}", issued.visitor, issued.pass.reveal().as_str());
            mine.push(issued);
        }
    }
}

#[test]
fn a_kill_at_any_moment_loses_nothing_that_was_acknowledged() {
    let kills: u64 = std::env::var("USHER_KILLS").map_or(12, |kills| kills.parse().expect("a number"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(NAME);
    let key = BoxKey::open(&KeyFile::File(folder.path().join("key")), &path).unwrap();
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (mut there, mut gone, mut unsure) = (HashMap::<String, String>::new(), HashSet::new(), HashSet::new());
    let (mut enrolled, mut forgotten, mut lost, mut back, mut torn) = (0, 0, 0, 0, 0);
    for round in 0..kills {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "enrols_and_forgets_without_end_when_asked_to", "--nocapture"])
            .env("USHER_TEST_CONSENT_WITHOUT_END", &path)
            .env("USHER_TEST_SEED", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
        lines.find(|line| line == "ready").expect("the child opens the gallery");
        // From the first microseconds of a commit to a dozen commits later.
        let after = Duration::from_micros(rng.random_range(0..120_000));
        let id = child.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(after);
            Command::new("kill").args(["-KILL", &id.to_string()]).status().unwrap();
        });
        for line in lines {
            let mut words = line.split(' ');
            match (words.next(), words.next(), words.next()) {
                (Some("enrolled"), Some(id), Some(pass)) => {
                    enrolled += 1;
                    there.insert(id.to_owned(), pass.to_owned());
                }
                (Some("forgetting"), Some(id), None) => {
                    there.remove(id);
                    unsure.insert(id.to_owned());
                }
                (Some("forgotten"), Some(id), None) => {
                    forgotten += 1;
                    unsure.remove(id);
                    gone.insert(id.to_owned());
                }
                _ => {}
            }
        }
        killer.join().unwrap();
        child.wait().unwrap();

        let mut store = Store::open(&path, key.clone()).unwrap();
        let loaded = store.load_all().unwrap();
        torn += loaded.unreadable.len();
        // Every signature of a log that grows: of a thousand rounds each tenth is enough.
        if kills <= 100 || round % 10 == 9 {
            let report = verify(&path, &key, later(2)).unwrap();
            assert!(report.is_whole(), "round {round}: {report:?}");
        }
        let db = rusqlite::Connection::open(&path).unwrap();
        let halves = "SELECT (SELECT COUNT(*) FROM consent WHERE visitor NOT IN (SELECT id FROM visitor)) \
                      + (SELECT COUNT(*) FROM visitor WHERE id NOT IN (SELECT visitor FROM consent)) \
                      + (SELECT COUNT(*) FROM visitor WHERE row NOT IN (SELECT visitor FROM template))";
        torn += db.query_row(halves, [], |row| row.get::<_, i64>(0)).unwrap() as usize;
        let opens = |pass: &str| store.unlock(&PassSecret::of(pass).unwrap()).unwrap().is_some();
        lost += there.values().filter(|pass| !opens(pass)).count();
        let here: HashSet<String> = db
            .prepare("SELECT id FROM visitor")
            .unwrap()
            .query_map([], |row| row.get::<_, Vec<u8>>(0))
            .unwrap()
            .map(|id| uuid::Uuid::from_slice(&id.unwrap()).unwrap().to_string())
            .collect();
        back += gone.iter().filter(|id| here.contains(*id)).count();
        drop(db);
        // A clean slate now and then: what is asked of every round stays small.
        if round % 50 == 49 {
            let everybody = here.len();
            assert_eq!(store.forget_everyone(later(3)).unwrap().visitors, everybody);
            gone.extend(here);
            there.clear();
        }
    }
    println!(
        "{}",
        serde_json::json!({
            "soak": "consent", "kills": kills, "enrolled": enrolled, "forgotten": forgotten,
            "enrolments_lost": lost, "deletions_lost": back, "torn": torn,
        })
    );
    assert!(enrolled > 0 && forgotten > 0, "the kills came too early to mean anything");
    assert_eq!((lost, back, torn), (0, 0, 0));
}
