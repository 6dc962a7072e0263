//! The thread that writes the record, so that a slow disk holds up nobody.

use crate::{
    flow::count::record::{Record, Row},
    health::Health,
    supervise::spawn,
};
use crossbeam::channel::{Receiver, Sender, TrySendError, bounded};
use std::{sync::Arc, thread::JoinHandle};
use tracing::{info, warn};

/// Batches on their way to the disk: five minutes of ten seconds each; then rows wait with whoever counts.
const BATCHES: usize = 30;

/// Hands rows to the disk without waiting for it.
pub(super) struct Writer {
    rows: Sender<Vec<Row>>,
    waiting: Vec<Row>,
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts the thread `record`; `health` hears when the disk takes nothing.
    pub(super) fn start(record: Record, health: Arc<Health>) -> Self {
        let (rows, rows_out) = bounded(BATCHES);
        let thread = spawn("record", move || write(&rows_out, record, &health));
        Self { rows, waiting: Vec::new(), thread }
    }

    /// Takes rows in; returns at once. An empty batch reminds the thread of what it could not write.
    pub(super) fn take(&mut self, rows: Vec<Row>) {
        self.waiting.extend(rows);
        if self.waiting.is_empty() {
            return;
        }
        match self.rows.try_send(std::mem::take(&mut self.waiting)) {
            Ok(()) => {}
            Err(TrySendError::Full(rows) | TrySendError::Disconnected(rows)) => self.waiting = rows,
        }
    }

    /// Waits until all of it is written, or could not be.
    pub(super) fn finish(self) {
        let _ended_with_the_process = self.rows.send(self.waiting);
        drop(self.rows);
        let _panicked_and_aborted = self.thread.join();
    }
}

fn write(rows: &Receiver<Vec<Row>>, mut record: Record, health: &Health) {
    let mut was_well = true;
    for rows in rows {
        let written = record.write(rows);
        let (waiting, lost) = record.behind();
        let trouble = written.as_ref().err().map(|reason| {
            let lost = if lost > 0 { format!(" and {lost} are lost") } else { String::new() };
            format!(
                "counts cannot be written: {reason}; {waiting} rows wait in memory{lost}; make room in `flow.record`"
            )
        });
        health.set_flow("record", trouble);
        match &written {
            Err(reason) if was_well => warn!(%reason, "counts cannot be written; counting goes on in memory"),
            Ok(()) if !was_well => info!("counts are written again"),
            _ => {}
        }
        was_well = written.is_ok();
    }
}
