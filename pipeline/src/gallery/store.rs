//! The store: everybody enrolled, sealed, on disk.
//!
//! SQLite in WAL mode, every commit synced. Four tables: `consent` holds the sealed record of what somebody agreed to, and
//! nobody has a row in the others without one; `visitor` the wrapped data key and the sealed name, sport and household;
//! `template` their sealed templates; `picture` the sealed crops of those who agreed that theirs are kept. In the clear are
//! only the random id, the pass's tag, two dates and the models' names. Beside it lies the audit log, which is written first:
//! whoever is in the gallery and not in it, or is forgotten by it, is erased as soon as the gallery is opened.

use crate::{
    clock::{Clock, Moment, SystemClock},
    flow::lanes::By,
    gallery::{
        audit::{
            deed::Deed,
            log::{self, Log, LogError},
        },
        file::{StoreError, access, check_key, failure, identity, make_folder, opened},
        floor::Floor,
        key::BoxKey,
        pass::PassSecret,
        receipt::Signer,
        rows::{Owner, PERSON, keyed, millis, moment, person},
        seal::{DataKey, Field},
        search::Enrolled,
        visitor::{Custody, VisitorId},
    },
};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior};
use serde_json::Value;
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};
use tracing::error;
use usher_config::{
    decide::{Gate, Mode},
    value::Name,
};
use usher_models::{image::Rgb, template::Template};
use uuid::Uuid;

/// The gallery's file in the data folder.
pub const NAME: &str = "gallery.db";

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
    /// People who keep their key themselves: the box cannot tell who.
    pub locked: usize,
}

/// The store. One per thread; several processes may have one open on the same file.
pub struct Store {
    pub(crate) db: Connection,
    path: PathBuf,
    pub(crate) key: BoxKey,
    file: (u64, u64),
    pub(crate) log: Log,
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
        check_key(&db, path, &key)?;
        let log = opened_log(&path.with_file_name(log::NAME), &key)?;
        let mut store = Self { db, path: path.to_owned(), key, file, log };
        store.settle_accounts(SystemClock::start().now().wall)?;
        Ok(store)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn failure(&self) -> impl Fn(rusqlite::Error) -> StoreError + use<'_> {
        |error| failure(&self.path, &error)
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
            if Custody::of(row.get(8).map_err(self.failure())?) == Custody::Visitor {
                loaded.locked += 1;
                continue;
            }
            match person(&self.key, None, &read, row) {
                // Forgotten by the log, and the file could not be written yet.
                Ok(person) if self.log.is_gone(person.visitor.id) => {}
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

    /// Whoever this pass is of, opened with it; `None` for nobody, for whoever was forgotten and for rows that do not open.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn unlock(&self, pass: &PassSecret) -> Result<Option<Enrolled>, StoreError> {
        let mut find = self.db.prepare(&format!("{PERSON} WHERE tag = ?1")).map_err(self.failure())?;
        let mut rows = find.query([pass.tag()]).map_err(self.failure())?;
        let Some(row) = rows.next().map_err(self.failure())? else { return Ok(None) };
        let opened = person(&self.key, Some(pass), &self.db, row).ok();
        Ok(opened.filter(|person| !self.log.is_gone(person.visitor.id)))
    }

    /// The record of what somebody agreed to, signed by the box; `None` as for [`Store::unlock`].
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn receipt(&self, pass: &PassSecret) -> Result<Option<Value>, StoreError> {
        let find = "SELECT id, wrapped, enrolled_at, expires_at, custody, sealed FROM visitor \
                    JOIN consent ON consent.visitor = visitor.id WHERE tag = ?1";
        let found = self.db.query_row(find, [pass.tag()], |row| {
            let (id, wrapped): (Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?);
            let field = Field::Key { enrolled: row.get(2)?, expires: row.get(3)? };
            let pass = (Custody::of(row.get(4)?) == Custody::Visitor).then_some(pass);
            Ok((Uuid::from_slice(&id).unwrap_or_default(), wrapped, field, pass, row.get::<_, Vec<u8>>(5)?))
        });
        let Some((id, wrapped, field, pass, sealed)) = found.optional().map_err(self.failure())? else {
            return Ok(None);
        };
        let id = VisitorId(id);
        let record = || {
            let data = DataKey::unwrap(&self.key, pass, id, field, &wrapped).ok()?;
            serde_json::from_slice(&data.open(id, Field::Consent, &sealed).ok()?).ok()
        };
        Ok(record().map(|record| self.log.signer().receipt(&record)))
    }

    /// The time floor that was written down last.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn floor(&self) -> Result<Option<SystemTime>, StoreError> {
        let find = "SELECT value FROM meta WHERE name = 'floor'";
        let found: Option<Vec<u8>> =
            self.db.query_row(find, [], |row| row.get(0)).optional().map_err(self.failure())?;
        Ok(found.and_then(|bytes| bytes.try_into().ok()).map(|bytes| moment(i64::from_le_bytes(bytes))))
    }

    /// Writes the time floor down; it never falls.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write_floor(&self, at: SystemTime) -> Result<(), StoreError> {
        if self.floor()?.is_none_or(|before| before < at) {
            let write = "INSERT OR REPLACE INTO meta (name, value) VALUES ('floor', ?1)";
            self.db.execute(write, [millis(at).to_le_bytes()]).map_err(self.failure())?;
        }
        Ok(())
    }

    /// The latest that it may be, by the clock and by the floor.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn latest(&self, now: Moment) -> Result<SystemTime, StoreError> {
        Ok(Floor::new(self.floor()?, now).latest(now))
    }

    /// Writes down which gates compare everybody with everybody enrolled from now on, and who answers for each.
    ///
    /// # Errors
    /// When the audit log cannot be written.
    pub fn note_identification(&mut self, gates: &BTreeMap<Name, Gate>, now: SystemTime) -> Result<(), StoreError> {
        let of = |(gate, settings): (&Name, &Gate)| match &settings.mode {
            Mode::Identification { responsible } => Some((gate.to_string(), responsible.clone())),
            Mode::Pass => None,
        };
        let gates: Vec<_> = gates.iter().filter_map(of).collect();
        Ok(self.log.locked(|log| log.append_identification(&gates, now))?)
    }

    /// Writes down that staff say how many lanes of a gate are open.
    ///
    /// # Errors
    /// When the audit log cannot be written.
    pub fn note_lanes(&mut self, gate: &Name, open: u32, by: By, now: SystemTime) -> Result<(), StoreError> {
        let deed = Deed::Lanes { gate: gate.to_string(), open, by };
        self.log.locked(|log| log.append(vec![deed], now))?;
        Ok(())
    }

    /// The box's public key, which its receipts are held against.
    pub fn signer(&self) -> &Signer {
        self.log.signer()
    }

    /// Whether somebody has a row, and was not forgotten by the audit log as far as it was read.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn holds(&self, id: VisitorId) -> Result<bool, StoreError> {
        let find = "SELECT EXISTS (SELECT 1 FROM visitor WHERE id = ?1)";
        let is_here: bool = self.db.query_row(find, [id.0.as_bytes()], |row| row.get(0)).map_err(self.failure())?;
        Ok(is_here && !self.log.is_gone(id))
    }

    /// Two numbers of which one changes when another connection commits, the other when the audit log grows.
    ///
    /// # Errors
    /// When the files cannot be read.
    pub fn version(&self) -> Result<(i64, u64), StoreError> {
        let commits = self.db.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(self.failure())?;
        let log = fs::metadata(self.log.path()).map_err(|why| access(self.log.path(), &why))?;
        Ok((commits, log.len()))
    }

    /// Reads what others wrote into the audit log: whom it forgot is nobody from then on, whether or not the rows are erased.
    ///
    /// # Errors
    /// When the audit log cannot be read.
    pub fn catch_up(&mut self) -> Result<(), StoreError> {
        self.log.locked(|_| Ok(()))
    }

    /// Opens the file again when another file has taken its place (a backup was restored, the gallery was deleted).
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn reopen_if_replaced(&mut self) -> Result<bool, StoreError> {
        let is_same_log = identity(self.log.path()).is_ok_and(|file| self.log.is_in(file));
        if is_same_log && identity(&self.path).is_ok_and(|file| file == self.file) {
            return Ok(false);
        }
        *self = Self::open(&self.path, self.key.clone())?;
        Ok(true)
    }
}

/// The audit log; one that is not whole is put aside, and whoever it spoke for is forgotten: nothing says any more who asked
/// to be known.
fn opened_log(path: &Path, key: &BoxKey) -> Result<Log, StoreError> {
    match Log::open(path, Signer::of(key)) {
        Err(LogError::Broken { why, .. }) => {
            let aside = path.with_extension(format!("broken-{}", Uuid::new_v4().simple()));
            error!(%why, aside = %aside.display(), "the audit log is not whole; it is put aside, and everybody it spoke for is forgotten");
            fs::rename(path, &aside).map_err(|why| LogError::Access { path: path.to_owned(), why })?;
            Ok(Log::open(path, Signer::of(key))?)
        }
        other => Ok(other?),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gallery::{audit::deed::Why, consent::Consent, enrolment::Enrolment};
    use usher_models::template::ModelId;

    fn store(folder: &tempfile::TempDir) -> Store {
        Store::open(&folder.path().join(NAME), BoxKey::random()).unwrap()
    }

    fn somebody() -> Enrolment {
        let templates = vec![Template::new(ModelId("m".into()), vec![0.6, 0.8]).unwrap()];
        Enrolment {
            templates,
            ..Enrolment::new("Ada", "Judo", Consent::at_desk("test", "1", "0"), moment(1_000), moment(2_000))
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
        let ids: Vec<_> = (0..5).map(|_| store.enrol(&somebody()).unwrap().visitor).collect();
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
        assert_eq!(
            store.forget(ids[0], Why::Staff, moment(1_500)).unwrap().visitors,
            1,
            "a damaged row can be forgotten"
        );
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
        store.forget_everyone(moment(1_500)).unwrap();
        assert!(Store::open(&path, BoxKey::random()).is_ok(), "nothing is lost by a new key where nobody is enrolled");
    }
}
