//! The agenda: what happens next, by time; at one time in the order of writing down.

use std::{cmp::Ordering, collections::BinaryHeap, time::Duration};

/// Whatever is still to come.
pub(crate) struct Agenda<E> {
    heap: BinaryHeap<Entry<E>>,
    written: u64,
}

struct Entry<E> {
    at: Duration,
    number: u64,
    event: E,
}

impl<E> Default for Agenda<E> {
    fn default() -> Self {
        Self { heap: BinaryHeap::new(), written: 0 }
    }
}

impl<E> Agenda<E> {
    /// Writes `event` down for `at`.
    pub(crate) fn at(&mut self, at: Duration, event: E) {
        self.written += 1;
        self.heap.push(Entry { at, number: self.written, event });
    }

    /// The next event and its time.
    pub(crate) fn next(&mut self) -> Option<(Duration, E)> {
        self.heap.pop().map(|entry| (entry.at, entry.event))
    }
}

impl<E> PartialEq for Entry<E> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<E> Eq for Entry<E> {}

impl<E> PartialOrd for Entry<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E> Ord for Entry<E> {
    // The soonest is the greatest, since a heap gives its greatest first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.at, other.number).cmp(&(self.at, self.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soonest_comes_first_and_at_one_time_the_first_written_down() {
        let mut agenda = Agenda::default();
        for (second, name) in [(3, 'a'), (1, 'b'), (3, 'c'), (1, 'd'), (2, 'e')] {
            agenda.at(Duration::from_secs(second), name);
        }
        let order: String = std::iter::from_fn(|| agenda.next()).map(|(_, name)| name).collect();
        assert_eq!(order, "bdeac");
    }
}
