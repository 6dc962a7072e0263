//! Bars: how much more than the threshold it takes to be named as somebody who is like many others.
//!
//! Some people are taken for others more often than most ("lambs"; Doddington et al., *Sheep, goats, lambs and wolves*, 1998).
//! How like the others somebody is shows among those who enrolled: the mean of the scores with the [`NEAREST`] of them. What
//! that is above the median of all is put on top of the threshold for this visitor. This is the reference's half of adaptive
//! symmetric normalisation (AS-norm), without the division by the deviation, which a cohort of hundreds does not carry; and
//! it only ever rises, so that it can make nobody's name easier to get. See `docs/accuracy.md` for what it does.

use usher_models::search::Index;

/// How many of the others count: of 10, 30 and 60 what missed fewest.
pub(crate) const NEAREST: usize = 30;

/// Fewest people enrolled for whom there are bars: the nearest are half of them then.
pub(crate) const FEWEST: usize = 2 * NEAREST + 1;

/// Most people whom somebody is compared with: evenly chosen among more.
const COHORT: usize = 1000;

/// The bar of each row of `index`, none below 0; all 0 where there are too few.
pub(crate) fn bars(index: &Index) -> Vec<f32> {
    let people = index.len();
    if people < FEWEST {
        return vec![0.0; people];
    }
    let step = people.div_ceil(COHORT);
    let mut cohort = Index::with_capacity(index.width(), people.div_ceil(step));
    for row in (0..people).step_by(step) {
        cohort.push(index.row(row).expect(ROW)).expect(ROW);
    }
    let likeness: Vec<f32> = (0..people)
        .map(|row| {
            let own = row.is_multiple_of(step).then_some(row / step);
            let near = cohort.best(&[index.row(row).expect(ROW)], NEAREST + 1).expect(ROW);
            let others = near.into_iter().flatten().filter(|hit| Some(hit.row) != own).take(NEAREST);
            others.map(|hit| hit.score.0).sum::<f32>() / NEAREST as f32
        })
        .collect();
    let mut sorted = likeness.clone();
    sorted.sort_by(f32::total_cmp);
    let median = sorted[people / 2];
    likeness.into_iter().map(|likeness| (likeness - median).max(0.0)).collect()
}

const ROW: &str = "the rows of an index fit an index of its width";

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    fn unit(v: Vec<f32>) -> Vec<f32> {
        let length = v.iter().map(|x| x * x).sum::<f32>().sqrt();
        v.into_iter().map(|x| x / length).collect()
    }

    fn people(count: usize, lambs: usize) -> Index {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let mut index = Index::with_capacity(32, count);
        let all: Vec<Vec<f32>> =
            (0..count).map(|_| unit((0..32).map(|_| random.random_range(-1.0..1.0_f32)).collect())).collect();
        // A lamb has something of everybody.
        let middle: Vec<f32> = (0..32).map(|i| all[lambs..].iter().take(60).map(|v| v[i]).sum()).collect();
        for (n, v) in all.iter().enumerate() {
            let row =
                if n < lambs { unit(v.iter().zip(&middle).map(|(a, b)| a + b / 4.0).collect()) } else { v.clone() };
            index.push(&row).unwrap();
        }
        index
    }

    #[test]
    fn whoever_is_like_many_others_has_a_higher_bar() {
        let bars = bars(&people(400, 10));
        let mean = |of: &[f32]| of.iter().sum::<f32>() / of.len() as f32;
        let (lambs, others) = (mean(&bars[..10]), mean(&bars[10..]));
        println!("bars of lambs {lambs:.3}, of others {others:.3}");
        assert!(lambs > 3.0 * others && lambs > 0.03);
        assert!(bars.iter().all(|bar| (0.0..0.5).contains(bar)));
        assert!(bars.iter().filter(|bar| **bar == 0.0).count() >= 200, "half of all are below the median");
    }

    #[test]
    fn few_people_have_no_bars() {
        assert!(bars(&people(FEWEST - 1, 5)).iter().all(|bar| *bar == 0.0));
        assert!(bars(&Index::with_capacity(4, 0)).is_empty());
    }

    #[test]
    fn a_crowd_is_compared_with_an_even_choice_of_itself() {
        let bars = bars(&people(2500, 10));
        assert_eq!(bars.len(), 2500);
        assert!(bars[..10].iter().all(|bar| *bar > 0.0), "{:?}", &bars[..10]);
    }
}
