//! Lowering the time floor, after a clock that showed the far future for so long that it was believed.
//!
//! The floor keeps everybody from being kept longer than they agreed to, so it comes down only where nobody is left whom it
//! guards: the gallery is empty, and of every consent that the audit log ever told of it tells the end too. Whatever row is
//! put back afterwards is one that the log calls forgotten, or never heard of, and is erased as it always is. No gate may be
//! running, since it counts on from the floor that it knows. Who asked for it stands in the log, signed.

use crate::gallery::{
    audit::{
        deed::Deed,
        log::{Log, LogError},
    },
    file::{PATIENCE, StoreError, failure},
    floor::FAR,
    key::BoxKey,
    rows::{millis, moment},
    store::Store,
};
use rusqlite::{Connection, ErrorCode, TransactionBehavior, params};
use std::{path::Path, time::SystemTime};

/// Why the floor stays where it is.
#[derive(Debug, thiserror::Error)]
pub enum LowerError {
    /// It is where it should be.
    #[error("the time floor is not ahead of the clock by a day; there is nothing to lower")]
    NotAhead,
    /// It guards somebody.
    #[error(
        "{0} people are in the gallery, and the time floor is what ends their time; it comes down when nobody is: `usher forget --everyone` forgets them"
    )]
    Somebody(usize),
    /// Somebody else counts on from it.
    #[error("another usher has the gallery open; stop the gate first (`systemctl stop usher`), then ask again")]
    Running,
    /// Gallery, key or log.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<LogError> for LowerError {
    fn from(error: LogError) -> Self {
        Self::Store(error.into())
    }
}

/// Brings the floor of the gallery at `path` down to `now`; answers with what it was. `by` is who asked for it.
///
/// # Errors
/// [`LowerError`]; nothing was changed then.
pub fn lower(path: &Path, key: BoxKey, by: &str, now: SystemTime) -> Result<SystemTime, LowerError> {
    // The ordinary way first: whatever was half done is finished, whoever does not belong here is erased.
    let mut store = Store::open(path, key)?;
    let before = store.floor()?.filter(|floor| *floor > now + FAR).ok_or(LowerError::NotAhead)?;
    store.expire(before)?;
    let Store { db, mut log, .. } = store;
    drop(db);
    let told = |error: rusqlite::Error| match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => LowerError::Running,
        _ => failure(path, &error).into(),
    };
    let mut db = alone(path).map_err(told)?;
    let write = db.transaction_with_behavior(TransactionBehavior::Exclusive).map_err(told)?;
    log.locked(|log: &mut Log| {
        let rows = "SELECT (SELECT COUNT(*) FROM consent) + (SELECT COUNT(*) FROM visitor) \
                    + (SELECT COUNT(*) FROM template) + (SELECT COUNT(*) FROM picture)";
        let rows: i64 = write.query_row(rows, [], |row| row.get(0)).map_err(told)?;
        let people = log.live().count();
        if rows > 0 || people > 0 {
            return Err(LowerError::Somebody(people.max(1)));
        }
        let deed = Deed::FloorLowered { from_ms: millis(before), to_ms: millis(now), by: by.to_owned() };
        log.append(vec![deed], now)?;
        let bring_down = "INSERT OR REPLACE INTO meta (name, value) VALUES ('floor', ?1)";
        write.execute(bring_down, params![millis(now).to_le_bytes()]).map_err(told)?;
        write.commit().map_err(told)
    })?;
    Ok(moment(millis(before)))
}

/// A connection beside which there is no other: SQLite gives it only where nobody has the file open.
fn alone(path: &Path) -> rusqlite::Result<Connection> {
    let db = Connection::open(path)?;
    db.busy_timeout(PATIENCE)?;
    db.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    db.pragma_update(None, "synchronous", "FULL")?;
    Ok(db)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::{
        audit::{deed::Why, verify::verify},
        consent::Consent,
        enrolment::Enrolment,
        visitor::Custody,
    };
    use std::{fs, time::Duration};
    use tempfile::TempDir;
    use usher_models::template::{ModelId, Template};

    fn later(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000 + seconds)
    }

    fn somebody(custody: Custody, from: SystemTime) -> Enrolment {
        let templates = vec![Template::new(ModelId("m".into()), vec![0.6, 0.8]).unwrap()];
        let (consent, until) = (Consent::at_desk("test", "1", "ab"), from + Duration::from_secs(3600));
        Enrolment { templates, custody, ..Enrolment::new("Ada", "Judo", consent, from, until) }
    }

    fn copy(from: &TempDir, to: &TempDir) {
        for name in ["gallery.db", "gallery.db-wal", "gallery.db-shm"] {
            match fs::read(from.path().join(name)) {
                Ok(bytes) => fs::write(to.path().join(name), bytes).unwrap(),
                Err(_) => drop(fs::remove_file(to.path().join(name))),
            }
        }
    }

    /// A clock that showed a day in two years for long enough to be believed, and was then mended.
    #[test]
    fn a_floor_that_a_wrong_clock_raised_comes_down_and_brings_nobody_back() {
        let (folder, backup) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (path, key) = (folder.path().join("gallery.db"), BoxKey::random());
        let open = || Store::open(&path, key.clone()).unwrap();
        let whole = |now| verify(&path, &key, now).unwrap();
        let (far, now) = (later(2 * 365 * 24 * 3600), later(900));
        let mut store = open();
        let [kept, forgotten] = [1, 2].map(|_| store.enrol(&somebody(Custody::Box, later(0))).unwrap().visitor);
        let by_pass = store.enrol(&somebody(Custody::Visitor, later(0))).unwrap();
        store.write_floor(later(5)).unwrap();
        drop(store);
        copy(&folder, &backup);
        let mut store = open();
        store.forget(forgotten, Why::Asked, later(6)).unwrap();
        store.write_floor(far).unwrap();

        // Refused while somebody has the gallery open, as a gate has; and while somebody is in it whom the floor guards.
        let asked = || lower(&path, key.clone(), "Kim, desk", now);
        let error = asked().unwrap_err();
        assert!(matches!(error, LowerError::Running) && error.to_string().contains("stop the gate first"), "{error}");
        store.enrol(&somebody(Custody::Box, far)).unwrap();
        drop(store);
        let error = asked().unwrap_err();
        assert!(matches!(error, LowerError::Somebody(1)) && error.to_string().contains("usher forget"), "{error}");
        assert_eq!(open().floor().unwrap(), Some(far), "nothing was changed");
        open().forget_everyone(far).unwrap();

        assert_eq!(asked().unwrap(), far);
        assert!(matches!(asked().unwrap_err(), LowerError::NotAhead), "once is enough");
        assert_eq!(open().floor().unwrap(), Some(now));
        let log = fs::read_to_string(folder.path().join("audit.log")).unwrap();
        let told = log.lines().last().unwrap();
        let deed = format!(
            "\"deed\":\"floor_lowered\",\"from_ms\":{},\"to_ms\":{},\"by\":\"Kim, desk\"",
            millis(far),
            millis(now)
        );
        assert!(told.contains(&deed), "{told}");
        assert!(whole(now).is_whole(), "{:?}", whole(now));

        // The gallery of before, with everybody in it, their time not over by today's clock.
        copy(&backup, &folder);
        assert_eq!(whole(now).forgotten_and_here, [kept, forgotten, by_pass.visitor], "the copy is caught");
        let store = open();
        let loaded = store.load_all().unwrap();
        assert_eq!((loaded.people.len(), loaded.locked), (0, 0), "nobody is back");
        assert!(store.unlock(&by_pass.pass).unwrap().is_none());
        drop(store);

        // And whoever enrols from now on is kept as they agree to.
        let visitor = open().enrol(&somebody(Custody::Box, now)).unwrap().visitor;
        assert_eq!(open().load_all().unwrap().people[0].visitor.id, visitor);
        assert!(whole(now).is_whole(), "{:?}", whole(now));
        assert_eq!(open().expire(now + Duration::from_secs(3600)).unwrap().visitors, 1);
    }
}
