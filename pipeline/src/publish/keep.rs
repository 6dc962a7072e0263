//! What keeps the outbox's rows: one file at a gate, a disk made of faults in the simulator.

use crate::{
    gallery::visitor::VisitorId,
    publish::{
        outbox::{Recent, Row, Waiting},
        shelf::ShelfError,
    },
};
use std::{collections::BTreeSet, time::SystemTime};

/// A place where rows survive the process. Whatever answers `Ok` is durable; whatever answers an error that
/// [heals](ShelfError::heals) may have been done all the same.
pub trait Keep: Send {
    /// Opens it, or begins a new one; a damaged one is moved aside.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn open(&mut self, now: SystemTime) -> Result<(), ShelfError>;

    /// Opens what could not be opened, and begins anew where it turned out damaged.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn reopen_if_needed(&mut self, now: SystemTime) -> Result<(), ShelfError>;

    /// The next free sequence number, and how many rows there are.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn extent(&mut self) -> Result<(u64, u64), ShelfError>;

    /// Writes `rows` by their sequence numbers, and remembers their visits, in one commit.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn put(&mut self, rows: &[(u64, Row)]) -> Result<(), ShelfError>;

    /// At most `most` rows after `cursor`, in order.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn after(&mut self, cursor: u64, most: usize) -> Result<Vec<Waiting>, ShelfError>;

    /// Deletes rows, in one commit; how many there were.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn delete(&mut self, seqs: &[u64]) -> Result<u64, ShelfError>;

    /// Deletes rows whose keep-until is over (their sequence numbers) and visits from before `remember_from`.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn prune(&mut self, now: SystemTime, remember_from: SystemTime) -> Result<Vec<u64>, ShelfError>;

    /// Remembered visits from `since` on.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn recent(&mut self, since: SystemTime) -> Result<Vec<Recent>, ShelfError>;

    /// Remembers visits that have no row any more, in one commit.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn remember(&mut self, visits: &[Recent]) -> Result<(), ShelfError>;

    /// Everybody of whom there is a row, or who is remembered.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn visitors(&mut self) -> Result<Vec<VisitorId>, ShelfError>;

    /// Takes these visitors out of every row ([`Row::blank`]), and out of what is remembered, in one commit.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn blank(&mut self, gone: &BTreeSet<VisitorId>) -> Result<(), ShelfError>;

    /// Moves the ends of rows decided between two times, and those times, all in milliseconds since 1970.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn move_rows(&mut self, from: i64, to: i64, by: i64) -> Result<(), ShelfError>;

    /// Writes as much as a window of visits takes, and takes it away again: a full disk reads well.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn try_room(&mut self) -> Result<(), ShelfError>;

    /// Moves everything into its last place.
    ///
    /// # Errors
    /// [`ShelfError`].
    fn checkpoint(&mut self) -> Result<(), ShelfError>;

    /// A full disk, as SQLite sees it.
    #[cfg(test)]
    fn limit_pages(&mut self, pages: u32) {
        unreachable!("nothing but a file has pages: {pages}");
    }
}
