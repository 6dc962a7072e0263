//! Memory that begins where a line of the cache begins.
//!
//! An allocator gives large pieces that begin 16 bytes behind a page: every second register of eight numbers would lie
//! across two lines, and cost two reads or, worse, two writes.

use std::ops::{Deref, DerefMut};

/// Bytes of a line of the cache.
const LINE: usize = 64;

/// Numbers from the start of a line on.
#[derive(Debug, Default)]
pub(crate) struct Aligned {
    /// Longer by most of a line.
    memory: Vec<f32>,
    first: usize,
    length: usize,
}

impl Aligned {
    /// So many zeros.
    pub(crate) fn zeros(length: usize) -> Self {
        let memory = vec![0.0; length + LINE / size_of::<f32>()];
        // Where it cannot be told, alignment is lost and nothing else.
        let first = memory.as_ptr().align_offset(LINE).min(LINE / size_of::<f32>());
        Self { memory, first, length }
    }

    /// The same numbers.
    pub(crate) fn of(numbers: &[f32]) -> Self {
        let mut aligned = Self::zeros(numbers.len());
        aligned.copy_from_slice(numbers);
        aligned
    }
}

impl Deref for Aligned {
    type Target = [f32];
    fn deref(&self) -> &[f32] {
        &self.memory[self.first..][..self.length]
    }
}

impl DerefMut for Aligned {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.memory[self.first..][..self.length]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_at_a_line_and_holds_what_it_was_given() {
        for length in [0, 1, 15, 16, 1000, 100_000] {
            let numbers: Vec<f32> = (0..length).map(|i| i as f32).collect();
            let aligned = Aligned::of(&numbers);
            assert_eq!(*aligned, numbers[..]);
            assert!((aligned.as_ptr() as usize).is_multiple_of(LINE));
        }
    }
}
