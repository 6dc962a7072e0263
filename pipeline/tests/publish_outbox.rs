//! The outbox in a process that is killed.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    reason = "the child writes until it is killed; tests may panic"
)]

use std::{
    collections::BTreeSet,
    io::{BufRead, BufReader},
    path::PathBuf,
    process::{Command, Stdio},
    time::Duration,
};
use usher::{
    clock::{Clock, SystemClock},
    gallery::visitor::VisitorId,
    publish::{
        acked::Arrived,
        outbox::{Kind, Outbox, Row},
    },
};
use usher_config::value::Name;
use uuid::Uuid;

const DAY: Duration = Duration::from_secs(86_400);

#[test]
#[ignore = "run by what_was_appended_survives_kill_9, in a process that dies"]
fn appends_until_it_is_killed() {
    let clock = SystemClock::start();
    let outbox = Outbox::open(&PathBuf::from(std::env::var("USHER_TEST_OUTBOX").unwrap()), DAY, clock.clone()).unwrap();
    loop {
        let now = clock.now();
        let row = Row {
            id: Uuid::now_v7(),
            kind: Kind::Visit,
            gate: Name::new("north").unwrap(),
            visitor: VisitorId(Uuid::new_v4()),
            topic: "usher/v1/arena/gate/north/visit".into(),
            body: vec![b'x'; 700].into(),
            decided: now.wall,
            keep_until: now.wall + DAY,
            arrived: Some(Arrived { first: now, settling: now }),
        };
        let id = row.id;
        outbox.append(vec![row]);
        println!("appended {id}");
    }
}

#[test]
fn what_was_appended_survives_kill_9() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("outbox.db");
    let mut appended = BTreeSet::new();
    for round in 1..=3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--ignored", "--exact", "appends_until_it_is_killed", "--nocapture"])
            .env("USHER_TEST_OUTBOX", &path)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut ids = BufReader::new(child.stdout.take().unwrap())
            .lines()
            .filter_map(|line| line.ok()?.strip_prefix("appended ")?.parse::<Uuid>().ok());
        appended.extend(ids.by_ref().take(50));
        child.kill().unwrap();
        child.wait().unwrap();
        // Said before the kill, read after it.
        appended.extend(ids);
        assert!(appended.len() >= 50 * round);
    }
    let outbox = Outbox::open(&path, DAY, SystemClock::start()).unwrap();
    assert_eq!(outbox.trouble(), None);
    let kept: Vec<Uuid> = outbox.after(0, 100_000).iter().map(|waiting| waiting.row.id).collect();
    assert!(kept.is_sorted(), "in order of decision");
    let kept: BTreeSet<Uuid> = kept.into_iter().collect();
    assert_eq!(appended.difference(&kept).count(), 0, "of {}", appended.len());
    // The one that was being written at each kill may be there too.
    assert!(kept.len() <= appended.len() + 3);
}
