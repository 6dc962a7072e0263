//! The store: everybody enrolled, sealed, on disk.
//!
//! SQLite in WAL mode, every commit synced. Three tables: `visitor` holds a row per person with the wrapped data key and
//! the sealed name, sport and household; `template` their sealed templates; `picture` the sealed crops of those who agreed
//! that theirs are kept. In the clear are only the random id, two dates and the
//! models' names. Forgetting deletes the rows (SQLite overwrites them with zeros: `secure_delete`) and then empties the
//! write-ahead log, so that no page with the wrapped key is left in any file. Old blocks of a flash disk are beyond our
//! reach; they are useless without the box key.

use crate::gallery::{
    file::{StoreError, access, failure, identity, make_folder, opened},
    key::BoxKey,
    rows::{Owner, PERSON, keyed, millis, person, together},
    seal::{self, DataKey, Field},
    search::Enrolled,
    visitor::VisitorId,
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::{
    path::{Path, PathBuf},
    time::SystemTime,
};
use usher_models::{image::Rgb, template::Template};
use uuid::Uuid;

/// The gallery's file in the data folder.
pub const NAME: &str = "gallery.db";

/// Somebody to be enrolled.
pub struct Enrolment {
    /// The name to be shown, already checked ([`crate::gallery::name::shown`]).
    pub name: String,
    /// The favourite sport.
    pub sport: String,
    /// Their templates, at least one: one for each view and model.
    pub templates: Vec<Template>,
    /// The aligned crops that the templates were made from; only with the visitor's consent, else none.
    pub crops: Vec<Rgb>,
    /// Whom they may be taken for, by their own word: they become one household with all of these.
    pub household: Vec<VisitorId>,
    /// Now.
    pub enrolled: SystemTime,
    /// When they must be gone.
    pub expires: SystemTime,
}

/// A row that could not be read; the gate goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Its number in the table.
    pub row: i64,
    /// Whose it is, if that much can be read.
    pub visitor: Option<VisitorId>,
    /// What is wrong with it.
    pub why: String,
}

/// Everything that could be read.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Everybody, by the order of enrolment.
    pub people: Vec<Enrolled>,
    /// Rows passed over.
    pub unreadable: Vec<Unreadable>,
}

/// What forgetting did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Forgotten {
    /// People forgotten.
    pub visitors: usize,
    /// Whether the write-ahead log could be emptied too. If not, another process was reading; the log is emptied at the
    /// next forgetting or when the last process closes the gallery.
    pub log_emptied: bool,
}

/// The store. One per thread; several processes may have one open on the same file.
pub struct Store {
    db: Connection,
    path: PathBuf,
    key: BoxKey,
    file: (u64, u64),
}

impl Store {
    /// The store in the configured data folder, with the configured box key.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn of(config: &usher_config::Config) -> Result<Self, StoreError> {
        let path = config.data.join(NAME);
        make_folder(&path)?;
        Self::open(&path, BoxKey::of(config, &path)?)
    }

    /// The store at `path`; file (0600) and folder (0700) are made where they are missing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(path: &Path, key: BoxKey) -> Result<Self, StoreError> {
        let db = opened(path)?;
        let file = identity(path).map_err(|why| access(path, &why))?;
        let mut store = Self { db, path: path.to_owned(), key, file };
        store.check_key()?;
        Ok(store)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn failure(&self) -> impl Fn(rusqlite::Error) -> StoreError + use<'_> {
        |error| failure(&self.path, &error)
    }

    /// Tells a wrong box key from damaged rows. A damaged check alone must not stop a gate: one readable row is proof
    /// enough, and where there is no row, nothing is lost by beginning anew.
    fn check_key(&mut self) -> Result<(), StoreError> {
        let nobody = VisitorId(Uuid::nil());
        let check = "SELECT value FROM meta WHERE name = 'check'";
        let found: Option<Vec<u8>> =
            self.db.query_row(check, [], |row| row.get(0)).optional().map_err(self.failure())?;
        if found.is_some_and(|sealed| seal::open(self.key.bytes(), nobody, Field::Check, &sealed).is_ok()) {
            return Ok(());
        }
        let mut rows =
            self.db.prepare("SELECT id, wrapped, enrolled_at, expires_at FROM visitor").map_err(self.failure())?;
        let opens = rows
            .query_map([], |row| {
                let (id, wrapped): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
                let field = Field::Key { enrolled: row.get(2)?, expires: row.get(3)? };
                let id = Uuid::from_slice(&id).map(VisitorId);
                Ok(id.is_ok_and(|id| DataKey::unwrap(&self.key, id, field, &wrapped).is_ok()))
            })
            .and_then(|rows| rows.collect::<rusqlite::Result<Vec<bool>>>())
            .map_err(self.failure())?;
        drop(rows);
        if !opens.is_empty() && !opens.contains(&true) {
            return Err(StoreError::WrongKey { path: self.path.clone() });
        }
        let sealed = seal::seal(self.key.bytes(), nobody, Field::Check, b"usher");
        let write = "INSERT OR REPLACE INTO meta (name, value) VALUES ('check', ?1)";
        self.db.execute(write, [sealed]).map_err(self.failure())?;
        Ok(())
    }

    /// Enrols somebody; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is stored then.
    pub fn enrol(&mut self, new: &Enrolment) -> Result<VisitorId, StoreError> {
        self.enrol_instead(new, &[])
    }

    /// Enrols somebody and forgets `old` in the same commit: both happen or neither.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn enrol_instead(&mut self, new: &Enrolment, old: &[VisitorId]) -> Result<VisitorId, StoreError> {
        let id = VisitorId(Uuid::new_v4());
        let path = self.path.clone();
        let (enrolled, expires) = (millis(new.enrolled), millis(new.expires));
        let data = DataKey::random();
        let wrapped = data.wrap(&self.key, id, Field::Key { enrolled, expires });
        let name = data.seal(id, Field::Name, new.name.as_bytes());
        let sport = data.seal(id, Field::Sport, new.sport.as_bytes());
        let mut written = || -> rusqlite::Result<()> {
            let write = self.db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let household = together(&write, &self.key, &new.household)?;
            for id in old {
                write.execute("DELETE FROM visitor WHERE id = ?1", [id.0.as_bytes()])?;
            }
            let household = household.map(|household| data.seal(id, Field::Household, household.0.as_bytes()));
            write.execute(
                "INSERT INTO visitor (id, wrapped, name, sport, enrolled_at, expires_at, household) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
                params![id.0.as_bytes(), wrapped, name, sport, enrolled, expires, household],
            )?;
            let owner = Owner { row: write.last_insert_rowid(), id, key: &data };
            owner.add_templates(&write, &new.templates)?;
            owner.add_crops(&write, &new.crops)?;
            write.commit()
        };
        written().map_err(|error| failure(&path, &error))?;
        if !old.is_empty() {
            self.empty_log();
        }
        Ok(id)
    }

    /// Forgets one visitor.
    ///
    /// # Errors
    /// [`StoreError::Nobody`] when nobody has this id, and whatever keeps the store from writing.
    pub fn forget(&mut self, id: VisitorId) -> Result<Forgotten, StoreError> {
        let gone = self.db.execute("DELETE FROM visitor WHERE id = ?1", [id.0.as_bytes()]).map_err(self.failure())?;
        if gone == 0 {
            return Err(StoreError::Nobody(id));
        }
        Ok(Forgotten { visitors: gone, log_emptied: self.empty_log() })
    }

    /// Forgets everybody, unreadable rows included.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub fn forget_everyone(&mut self) -> Result<Forgotten, StoreError> {
        let visitors = self.db.execute("DELETE FROM visitor", []).map_err(self.failure())?;
        Ok(Forgotten { visitors, log_emptied: self.empty_log() })
    }

    /// Forgets everybody whose time is over at `now`.
    ///
    /// # Errors
    /// Whatever keeps the store from writing.
    pub fn expire(&mut self, now: SystemTime) -> Result<Forgotten, StoreError> {
        let over = "DELETE FROM visitor WHERE expires_at <= ?1";
        let visitors = self.db.execute(over, [millis(now)]).map_err(self.failure())?;
        Ok(Forgotten { visitors, log_emptied: visitors == 0 || self.empty_log() })
    }

    /// Everybody, templates included. Rows that do not open are passed over and told.
    ///
    /// # Errors
    /// When the file as a whole cannot be read.
    pub fn load_all(&self) -> Result<Loaded, StoreError> {
        let mut loaded = Loaded::default();
        // One read transaction, so that visitors and templates are of one state.
        let read = self.db.unchecked_transaction().map_err(self.failure())?;
        let mut visitors = read.prepare(&format!("{PERSON} ORDER BY row")).map_err(self.failure())?;
        let mut rows = visitors.query([]).map_err(self.failure())?;
        while let Some(row) = rows.next().map_err(self.failure())? {
            let number = row.get(0).map_err(self.failure())?;
            match person(&self.key, &read, row) {
                Ok(person) => loaded.people.push(person),
                Err(why) => {
                    let id = row.get::<_, Vec<u8>>(1).ok().and_then(|id| Uuid::from_slice(&id).ok());
                    loaded.unreadable.push(Unreadable { row: number, visitor: id.map(VisitorId), why });
                }
            }
        }
        Ok(loaded)
    }

    /// The aligned crops that somebody's templates were made from; none where they did not agree that these are kept, and
    /// none where they cannot be read.
    ///
    /// # Errors
    /// [`StoreError::Nobody`] when nobody readable has this id, and when the file cannot be read.
    pub fn crops_of(&self, id: VisitorId) -> Result<Vec<Rgb>, StoreError> {
        let (row, key) = keyed(&self.db, &self.key, id).map_err(self.failure())?.ok_or(StoreError::Nobody(id))?;
        Ok(Owner { row, id, key: &key }.crops(&self.db).unwrap_or_default())
    }

    /// Adds templates to somebody's, durable when it returns: those of another model, or of another view.
    ///
    /// # Errors
    /// [`StoreError::Nobody`] when nobody readable has this id any more, and whatever keeps the store from writing.
    pub fn add_templates(&mut self, id: VisitorId, templates: &[Template]) -> Result<(), StoreError> {
        let path = self.path.clone();
        let write =
            self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(|e| failure(&path, &e))?;
        let (row, key) = keyed(&write, &self.key, id).map_err(|e| failure(&path, &e))?.ok_or(StoreError::Nobody(id))?;
        let added = Owner { row, id, key: &key }.add_templates(&write, templates).and_then(|()| write.commit());
        added.map_err(|error| failure(&path, &error))
    }

    /// A number that changes when another connection commits.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn version(&self) -> Result<i64, StoreError> {
        self.db.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(self.failure())
    }

    /// Opens the file again when another file has taken its place (a backup was restored, the gallery was deleted).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reopen_if_replaced(&mut self) -> Result<bool, StoreError> {
        if identity(&self.path).is_ok_and(|file| file == self.file) {
            return Ok(false);
        }
        *self = Self::open(&self.path, self.key.clone())?;
        Ok(true)
    }

    /// Writes the log's pages home and cuts the log to nothing; false when another process was reading from it.
    fn empty_log(&self) -> bool {
        let busy = self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get::<_, i64>(0));
        busy.is_ok_and(|busy| busy == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::rows::moment;
    use usher_models::template::ModelId;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&folder.path().join(NAME), BoxKey::random()).unwrap()
    }

    fn somebody() -> Enrolment {
        Enrolment {
            name: "Ada".to_owned(),
            sport: "Judo".to_owned(),
            templates: vec![Template::new(ModelId("m".into()), vec![0.6, 0.8]).unwrap()],
            crops: Vec::new(),
            household: Vec::new(),
            enrolled: moment(1_000),
            expires: moment(2_000),
        }
    }

    #[test]
    fn a_full_disk_stores_nothing_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        store.enrol(&somebody()).unwrap();
        let pages: i64 = store.db.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
        store.db.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        let many =
            Enrolment { templates: vec![Template::new(ModelId("m".into()), vec![1.0; 60_000]).unwrap()], ..somebody() };
        let error = store.enrol(&many).unwrap_err();
        assert!(matches!(error, StoreError::Full { .. }) && error.to_string().contains("free some space"), "{error}");
        assert_eq!(store.load_all().unwrap().people.len(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        store.db.pragma_update(None, "query_only", "ON").unwrap();
        let error = store.enrol(&somebody()).unwrap_err();
        assert!(matches!(error, StoreError::Access { .. }), "{error}");
    }

    #[test]
    fn a_damaged_row_is_passed_over_and_told_by_its_number() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = store(&folder);
        let ids: Vec<_> = (0..5).map(|_| store.enrol(&somebody()).unwrap()).collect();
        let harm = |sql: &str, id: VisitorId| assert_eq!(store.db.execute(sql, [id.0.as_bytes()]).unwrap(), 1, "{sql}");
        harm("UPDATE visitor SET name = sport WHERE id = ?1", ids[0]);
        harm("UPDATE visitor SET expires_at = expires_at + 1 WHERE id = ?1", ids[1]);
        harm("UPDATE template SET sealed = x'00' WHERE visitor = (SELECT row FROM visitor WHERE id = ?1)", ids[2]);
        let wrapped = "UPDATE visitor SET wrapped = (SELECT wrapped FROM visitor WHERE row = 5) WHERE id = ?1";
        harm(wrapped, ids[3]);
        let loaded = store.load_all().unwrap();
        assert_eq!(loaded.people.iter().map(|p| p.visitor.id).collect::<Vec<_>>(), [ids[4]]);
        let told: Vec<_> = loaded.unreadable.iter().map(|row| (row.row, row.visitor)).collect();
        assert_eq!(told, [(1, Some(ids[0])), (2, Some(ids[1])), (3, Some(ids[2])), (4, Some(ids[3]))]);
        assert_eq!(store.forget(ids[0]).unwrap().visitors, 1, "a damaged row can be forgotten");
    }

    #[test]
    fn a_damaged_check_does_not_stop_a_gate_and_a_wrong_key_does() {
        let folder = tempfile::tempdir().unwrap();
        let (path, key) = (folder.path().join(NAME), BoxKey::random());
        let mut store = Store::open(&path, key.clone()).unwrap();
        store.enrol(&somebody()).unwrap();
        store.db.execute("UPDATE meta SET value = x'00'", []).unwrap();
        assert_eq!(Store::open(&path, key.clone()).unwrap().load_all().unwrap().people.len(), 1);
        let error = Store::open(&path, BoxKey::random()).err().unwrap();
        assert!(
            matches!(error, StoreError::WrongKey { .. }) && error.to_string().contains("restore that key"),
            "{error}"
        );
        store.forget_everyone().unwrap();
        assert!(Store::open(&path, BoxKey::random()).is_ok(), "nothing is lost by a new key where nobody is enrolled");
    }
}
