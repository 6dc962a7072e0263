//! Blanking: visits of whoever was forgotten lose who it was, and go on their way.
//!
//! That somebody came is counted by whoever subscribes; who it was is nobody's any more.

use crate::{
    gallery::visitor::VisitorId,
    publish::outbox::{Outbox, Row},
};
use rusqlite::{Connection, params};
use std::collections::BTreeSet;
use uuid::Uuid;

/// Who of these was forgotten. An error to ask is nobody: nothing is blanked then, and it is asked again.
pub type Forgotten = Box<dyn Fn(&[VisitorId]) -> Vec<VisitorId> + Send>;

impl Row {
    /// Nobody's id.
    pub const NOBODY: VisitorId = VisitorId(Uuid::nil());

    /// Takes out of the row who it was.
    pub fn blank(&mut self) {
        self.body = blanked(&self.body, self.visitor).into();
        self.visitor = Self::NOBODY;
    }
}

impl Outbox {
    /// Blanks every row of whoever `forgotten` names, on disk and in memory, and forgets that they came lately. To be called
    /// about every second.
    pub(crate) fn blank(&self, forgotten: &Forgotten) {
        let on_disk = self.read(|keep| keep.visitors()).unwrap_or_default();
        let inner = self.lock();
        let mut visitors: BTreeSet<VisitorId> = on_disk.into_iter().collect();
        visitors.extend(inner.in_memory.values().map(|row| row.visitor));
        visitors.extend(inner.owed.iter().map(|visit| visit.visitor));
        visitors.remove(&Row::NOBODY);
        drop(inner);
        if visitors.is_empty() {
            return;
        }
        let gone: BTreeSet<_> = forgotten(&visitors.into_iter().collect::<Vec<_>>()).into_iter().collect();
        if gone.is_empty() {
            return;
        }
        let mut inner = self.lock();
        for row in inner.in_memory.values_mut().filter(|row| gone.contains(&row.visitor)) {
            row.blank();
        }
        inner.owed.retain(|visit| !gone.contains(&visit.visitor));
        // Once for each: a disk that takes nothing is asked again and again.
        if !gone.iter().all(|visitor| inner.gone.contains(visitor)) {
            inner.blanked += 1;
        }
        inner.gone = gone.clone();
        drop(inner);
        let visitors = gone.len();
        // After whatever is being written now: a row that is on its way to the disk is blanked there.
        if self.read(move |keep| keep.blank(&gone)).is_some() {
            self.lock().gone.clear();
            tracing::info!(visitors, "visits of somebody who was forgotten are nobody's now");
        }
    }
}

/// Everybody of whom there is a row, or who is remembered.
pub(crate) fn visitors(db: &mut Connection) -> rusqlite::Result<Vec<VisitorId>> {
    let mut select = db.prepare_cached("SELECT visitor FROM row UNION SELECT visitor FROM recent")?;
    let ids = select.query_map([], |row| Ok(VisitorId(Uuid::from_bytes(row.get(0)?))))?;
    ids.collect()
}

/// Takes these visitors out of every row, in one commit.
pub(crate) fn blank(db: &mut Connection, gone: &BTreeSet<VisitorId>) -> rusqlite::Result<()> {
    let commit = db.transaction()?;
    let rows: Vec<(i64, VisitorId, Vec<u8>)> = {
        let mut select = commit.prepare_cached("SELECT seq, visitor, body FROM row")?;
        let rows =
            select.query_map([], |row| Ok((row.get(0)?, VisitorId(Uuid::from_bytes(row.get(1)?)), row.get(2)?)))?;
        rows.filter(|row| row.as_ref().map_or(true, |(_, visitor, _)| gone.contains(visitor)))
            .collect::<rusqlite::Result<_>>()?
    };
    for (seq, visitor, body) in rows {
        let update = "UPDATE row SET visitor = ?, body = ? WHERE seq = ?";
        commit.execute(update, params![Row::NOBODY.0.as_bytes(), blanked(&body, visitor), seq])?;
    }
    for visitor in gone {
        commit.execute("DELETE FROM recent WHERE visitor = ?", [visitor.0.as_bytes()])?;
    }
    commit.commit()
}

/// The body with nobody's id in the place of theirs; as long as before.
fn blanked(body: &[u8], visitor: VisitorId) -> Vec<u8> {
    let (theirs, nobodys) = (visitor.to_string().into_bytes(), Row::NOBODY.to_string().into_bytes());
    let mut body = body.to_vec();
    let mut from = 0;
    while let Some(at) = body[from..].windows(theirs.len()).position(|window| window == theirs) {
        body[from + at..from + at + theirs.len()].copy_from_slice(&nobodys);
        from += at + theirs.len();
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;
    const NOBODY: VisitorId = Row::NOBODY;

    use crate::{
        clock::{Clock, HandClock},
        publish::outbox::{Kind, Row},
    };
    use std::time::{Duration, SystemTime};
    use usher_config::value::Name;

    #[test]
    fn whoever_is_forgotten_is_in_no_row_and_no_byte_and_the_visit_goes_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        let clock = HandClock::at(SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000));
        let outbox = Outbox::open(&path, Duration::from_secs(600), clock.clone()).unwrap();
        let [gone, kept] = [1, 2].map(|n| VisitorId(Uuid::from_u128(0xabcd_0000_0000 + n)));
        let now = clock.now().wall;
        let row = |visitor: VisitorId| Row {
            id: Uuid::new_v4(),
            kind: Kind::Visit,
            gate: Name::new("north").unwrap(),
            visitor,
            topic: "t".into(),
            body: format!("{{\"visitor\":\"{visitor}\",\"subject\":\"{visitor}\"}}").into_bytes().into(),
            decided: now,
            keep_until: now + Duration::from_secs(60),
            arrived: None,
        };
        outbox.append(vec![row(gone), row(kept), row(gone)]);
        let forgotten: Forgotten = Box::new(move |asked| asked.iter().copied().filter(|id| *id == gone).collect());
        outbox.blank(&forgotten);
        let rows = outbox.after(0, 10);
        assert_eq!(rows.iter().map(|one| one.row.visitor).collect::<Vec<_>>(), [NOBODY, kept, NOBODY]);
        let body = String::from_utf8(rows[0].row.body.to_vec()).unwrap();
        assert_eq!(body, format!("{{\"visitor\":\"{NOBODY}\",\"subject\":\"{NOBODY}\"}}"));
        assert_eq!(outbox.recent_visits(SystemTime::UNIX_EPOCH).len(), 1);
        for file in ["outbox.db", "outbox.db-wal"] {
            let bytes = std::fs::read(folder.path().join(file)).unwrap_or_default();
            let text = gone.to_string();
            assert!(!bytes.windows(16).any(|window| window == gone.0.as_bytes()), "{file}");
            assert!(!bytes.windows(36).any(|window| window == text.as_bytes()), "{file}");
        }
    }
}
