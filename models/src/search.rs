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
            _ if codes::length(vector) <= LONGEST => Ok(()),
            // Too long, or no number.
            _ => Err(SearchError::Length),
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
mod tests {
    use super::*;
    use crate::{codes::tests::hard, kernels::numbers};
    use proptest::prelude::*;

    fn index(width: usize, rows: &[Vec<f32>]) -> Index {
        let mut index = Index::with_capacity(width, 0);
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(index.push(row), Ok(i));
        }
        index
    }

    /// Every row scored, then sorted.
    fn all(index: &Index, probe: &[f32], most: usize) -> Vec<Hit> {
        let mut hits: Vec<_> =
            (0..index.len()).map(|row| Hit { row, score: index.score(row, probe).unwrap() }).collect();
        hits.sort_by(|a, b| b.score.0.partial_cmp(&a.score.0).unwrap().then(a.row.cmp(&b.row)));
        hits.truncate(most);
        hits
    }

    fn agrees(index: &Index, probes: &[Vec<f32>], most: usize) {
        let probes: Vec<_> = probes.iter().map(Vec::as_slice).collect();
        let found = index.best(&probes, most).unwrap();
        assert_eq!(found.len(), probes.len());
        for (found, probe) in found.iter().zip(probes) {
            assert_eq!(*found, all(index, probe, most));
        }
    }

    fn vectors(width: usize, count: usize, seed: u64) -> Vec<Vec<f32>> {
        numbers(width * count, seed).chunks_exact(width).map(<[f32]>::to_vec).collect()
    }

    proptest! {
        #[test]
        fn the_best_are_those_of_scoring_every_row((width, rows, probes) in (1..70_usize).prop_flat_map(|width| {
            let vectors = move |n| prop::collection::vec(prop::collection::vec(hard(), width), n);
            (Just(width), vectors(0..200), vectors(0..20))
        }), most in 0..12_usize) {
            agrees(&index(width, &rows), &probes, most);
        }

        #[test]
        fn rows_that_are_equal_in_eight_bits_are_told_apart(seed: u64, apart in 1e-7..1e-2_f32, most in 1..20_usize) {
            let base = numbers(96, seed);
            let near = |noise: Vec<f32>| base.iter().zip(noise).map(|(b, n)| b + n * apart).collect();
            let rows: Vec<Vec<f32>> = vectors(96, 900, !seed).into_iter().map(near).collect();
            agrees(&index(96, &rows), &[base.clone(), rows[7].clone()], most);
        }

        #[test]
        fn rows_come_and_go(changes in prop::collection::vec((any::<bool>(), any::<prop::sample::Index>()), 0..120)) {
            let supply = vectors(13, changes.len(), 5);
            let (mut model, mut changed) = (Vec::new(), Index::with_capacity(13, 0));
            for ((removes, at), row) in changes.into_iter().zip(supply) {
                if removes && !model.is_empty() {
                    let at = at.index(model.len());
                    model.swap_remove(at);
                    changed.swap_remove(at).unwrap();
                } else {
                    changed.push(&row).unwrap();
                    model.push(row);
                }
            }
            let fresh = index(13, &model);
            prop_assert_eq!(changed.scan_bytes(), fresh.scan_bytes());
            let probe = numbers(13, 6);
            prop_assert_eq!(changed.best(&[&probe], 9), fresh.best(&[&probe], 9));
            for (i, row) in model.iter().enumerate() {
                prop_assert_eq!(changed.row(i), Some(row.as_slice()));
            }
        }
    }

    #[test]
    fn a_large_index_is_searched_as_exactly_for_one_probe_as_for_many() {
        let index = index(32, &vectors(32, 20_000, 1));
        for probes in [1, 7, 8, 17] {
            agrees(&index, &vectors(32, probes, 2), 10);
        }
    }

    #[test]
    fn a_row_whose_loss_is_all_in_the_direction_of_the_probe_is_found() {
        // In eight bits the best row is (127, 0, 0, …): it loses 100 · 0.49 of a step, as much as a row can.
        let row = |rest: &[f32]| [&[1.0], rest, &[0.0; 101]].concat()[..101].to_vec();
        let mut rows = vec![row(&[48.0 / 127.0]); 2000];
        rows[1500] = row(&[0.49 / 127.0; 100]);
        let found = index(101, &rows).best(&[&[1.0; 101]], 1).unwrap();
        assert_eq!(found[0][0].row, 1500);
    }

    #[test]
    fn of_equals_the_lower_row_is_first() {
        let index = index(3, &vec![vec![0.6, 0.0, 0.8]; 1000]);
        let found = index.best(&[&[0.6, 0.0, 0.8]], 4).unwrap();
        assert_eq!(found[0].iter().map(|hit| hit.row).collect::<Vec<_>>(), [0, 1, 2, 3]);
    }

    #[test]
    fn a_million_rows_of_128_take_no_more_than_160_megabytes() {
        assert!(index(128, &vectors(128, 1000, 1)).scan_bytes() * 1000 <= 160_000_000);
    }

    #[test]
    fn what_cannot_be_compared_is_refused_with_the_mend() {
        let mut index = index(2, &[vec![1.0, 0.0]]);
        for wrong in [f32::NAN, f32::INFINITY, 1e16] {
            let error = index.push(&[wrong, 0.0]).unwrap_err();
            assert!(error.to_string().ends_with("scale it to unit length"));
            assert_eq!(index.best(&[&[0.0, wrong]], 1), Err(error));
        }
        assert!(index.push(&[1.0]).unwrap_err().to_string().contains("make an index for that embedder"));
        assert!(index.swap_remove(1).unwrap_err().to_string().contains("look it up again"));
        assert_eq!((index.len(), index.row(1)), (1, None));
        let wide = Index::with_capacity(WIDEST + 1, 0).push(&vec![0.0; WIDEST + 1]).unwrap_err();
        assert!(wide.to_string().ends_with("use an embedder of fewer"));
    }
}
