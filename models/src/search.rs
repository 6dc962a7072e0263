//! Exact search: the rows of greatest inner product with a probe.
//!
//! Rows are kept twice: in single precision, and in eight bits with three numbers a row, a quarter of the size. A search
//! scans the second and scores, by the first, every row that the scan cannot rule out. What it rules out could not have
//! been among the best: the bound is derived in `codes.rs`. So the answer is that of scoring every row, and takes a
//! quarter of the memory's time. Several probes share one pass, eight at a time.

use crate::{
    codes::{self, Codes, LONGEST, PROBES, Probes},
    kernels::{
        scan::{Candidate, Rerank, Scan},
        simd::{LANES, isa::Isa},
    },
    template::Score,
};
use zeroize::{Zeroize as _, Zeroizing};

/// The widest rows: sums of products of bytes must fit 32 bits, and a few more of 16.
pub const WIDEST: usize = 1 << 16;
/// Blocks between two looks at what was found: at first few, so that limits rise soon; then as many as lie in the
/// second-level cache while further probes pass.
const BLOCKS: std::ops::RangeInclusive<usize> = 8..=64;

/// A row and how alike it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hit {
    /// Its place in the index, from 0.
    pub row: usize,
    /// The inner product; of unit vectors, their cosine.
    pub score: Score,
}

/// Why an index cannot take a vector, or has not what was asked for.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum SearchError {
    /// It is of another width.
    #[error("a vector of {found} numbers does not fit an index of {width}; make an index for that embedder")]
    Width {
        /// Numbers of the vector.
        found: usize,
        /// Numbers of the rows.
        width: usize,
    },
    /// It is wider than any index.
    #[error("an index takes rows of up to {WIDEST} numbers, not {found}; use an embedder of fewer")]
    Wide {
        /// Numbers of the vector.
        found: usize,
    },
    /// It holds what is no number, or is so long that products would overflow.
    #[error("a vector is not finite or longer than 1e15; scale it to unit length")]
    Length,
    /// There is no such row.
    #[error("there is no row {row} among {rows}; rows move when others are removed, look it up again")]
    Row {
        /// The row asked for.
        row: usize,
        /// How many there are.
        rows: usize,
    },
}

/// Rows of one width, searched exactly. Wiped on drop; `Debug` prints counts.
///
/// A search takes `&self` and any thread; who changes an index while others read builds a second one and replaces the
/// first whole. Must not be written to disk: rows are templates.
pub struct Index {
    width: usize,
    /// `(rows, width)`.
    rows: Zeroizing<Vec<f32>>,
    codes: Codes,
    isa: Isa,
}

impl std::fmt::Debug for Index {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Index({} rows of {}, …)", self.len(), self.width)
    }
}

impl Index {
    /// Of no rows yet, of `width` numbers each, with room for `rows`.
    pub fn with_capacity(width: usize, rows: usize) -> Self {
        let numbers = Zeroizing::new(Vec::with_capacity(rows * width));
        Self { width, rows: numbers, codes: Codes::with_capacity(width, rows), isa: Isa::best() }
    }

    /// Numbers of a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there is nothing to find.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that a search of every row reads: the eight-bit copy and its bounds. 140 MB for a million rows of 128.
    pub fn scan_bytes(&self) -> usize {
        self.codes.size()
    }

    /// The numbers of a row; `None` where there is none. Must not be logged, published or stored unsealed.
    pub fn row(&self, row: usize) -> Option<&[f32]> {
        (row < self.len()).then(|| &self.rows[row * self.width..][..self.width])
    }

    /// Appends a row, and says its place.
    ///
    /// # Errors
    /// [`SearchError::Width`], [`SearchError::Wide`] or [`SearchError::Length`]; the index is as before.
    pub fn push(&mut self, row: &[f32]) -> Result<usize, SearchError> {
        self.fits(row)?;
        codes::reserve(&mut self.rows, self.width);
        self.rows.extend_from_slice(row);
        self.codes.push(row);
        Ok(self.len() - 1)
    }

    /// Removes a row; the last one takes its place, all others keep theirs.
    ///
    /// # Errors
    /// [`SearchError::Row`] when there is no such row; the index is as before.
    pub fn swap_remove(&mut self, row: usize) -> Result<(), SearchError> {
        let Some(last) = self.len().checked_sub(1).filter(|last| row <= *last) else {
            return Err(SearchError::Row { row, rows: self.len() });
        };
        self.rows.copy_within(last * self.width.., row * self.width);
        self.rows[last * self.width..].zeroize();
        self.rows.truncate(last * self.width);
        self.codes.swap_remove(row);
        Ok(())
    }

    /// The score of one row, the same to the bit as [`Index::best`] gives it.
    ///
    /// # Errors
    /// [`SearchError`] when there is no such row, or the probe is no vector of this index.
    pub fn score(&self, row: usize, probe: &[f32]) -> Result<Score, SearchError> {
        self.fits(probe)?;
        let rows = self.row(row).ok_or(SearchError::Row { row, rows: self.len() })?;
        let mut scores = [0.0];
        let candidates = &[Candidate { probe: 0, row: 0 }];
        self.isa.run(Rerank { rows, probes: &[probe], candidates, scores: &mut scores });
        Ok(Score(scores[0]))
    }

    /// The `most` best rows of each probe, or all where there are fewer; best first, and of equals the lower row first.
    ///
    /// # Errors
    /// [`SearchError`] when a probe is no vector of this index.
    pub fn best(&self, probes: &[&[f32]], most: usize) -> Result<Vec<Vec<Hit>>, SearchError> {
        for probe in probes {
            self.fits(probe)?;
        }
        let most = most.min(self.len());
        let mut best = vec![Vec::with_capacity(most + 1); probes.len()];
        if most > 0 {
            self.search(probes, most, &mut best);
        }
        Ok(best)
    }

    fn fits(&self, vector: &[f32]) -> Result<(), SearchError> {
        match vector.len() {
            found if found != self.width => Err(SearchError::Width { found, width: self.width }),
            found if found > WIDEST => Err(SearchError::Wide { found }),
            // Written so that what is no number is refused too.
            _ if !(codes::length(vector) <= LONGEST) => Err(SearchError::Length),
            _ => Ok(()),
        }
    }

    fn search(&self, probes: &[&[f32]], most: usize, best: &mut [Vec<Hit>]) {
        let batches = probes.chunks(PROBES).map(|probes| (probes, Probes::new(probes))).collect::<Vec<_>>();
        let blocks = self.len().div_ceil(LANES);
        let (mut found, mut scores) = (Vec::new(), Vec::new());
        let mut from = 0;
        while from < blocks {
            let to = (from + (from / 8).clamp(*BLOCKS.start(), *BLOCKS.end())).min(blocks);
            let (steps, bounds) = self.codes.blocks(from, to);
            for ((probes, batch), best) in batches.iter().zip(best.chunks_mut(PROBES)) {
                let mut limits = [f32::NEG_INFINITY; PROBES];
                for (limit, best) in limits.iter_mut().zip(&*best) {
                    *limit = worst(best, most);
                }
                found.clear();
                let first = from * LANES;
                self.isa.run(Scan { steps, bounds, first, probes: batch, limits: &limits, found: &mut found });
                found.retain(|candidate| candidate.row < self.len());
                scores.clear();
                scores.resize(found.len(), 0.0);
                self.isa.run(Rerank { rows: &self.rows, probes, candidates: &found, scores: &mut scores });
                for (candidate, score) in found.iter().zip(&scores) {
                    offer(&mut best[candidate.probe], most, Hit { row: candidate.row, score: Score(*score) });
                }
            }
            from = to;
        }
    }
}

/// What a further row must exceed. An equal one does not: rows come in rising order, and of equals the lower wins.
fn worst(best: &[Hit], most: usize) -> f32 {
    if best.len() < most { f32::NEG_INFINITY } else { best.last().map_or(f32::NEG_INFINITY, |hit| hit.score.0) }
}

fn offer(best: &mut Vec<Hit>, most: usize, hit: Hit) {
    if hit.score.0 > worst(best, most) {
        let at = best.partition_point(|other| other.score >= hit.score);
        best.insert(at, hit);
        best.truncate(most);
    }
}

#[cfg(test)]
mod tests;
