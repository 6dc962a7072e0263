//! A snapshot of the gallery in memory, searched exactly.
//!
//! Immutable: whoever holds one sees one state of the gallery from start to end. Rows of numbers lie one after the
//! other, the templates of one visitor side by side, so that one pass finds the best of each visitor.

use crate::gallery::visitor::{Visitor, VisitorId};
use std::{collections::HashMap, fmt, time::SystemTime};
use usher_models::template::{Mismatch, ModelId, Score, Template};
use zeroize::Zeroizing;

/// A visitor with what the store knows of them.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Who.
    pub visitor: Visitor,
    /// Since when.
    pub enrolled: SystemTime,
    /// Their templates; may be of several models.
    pub templates: Vec<Template>,
}

/// A visitor whom a probe may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub visitor: VisitorId,
    /// The best comparison score among their templates.
    pub score: Score,
}

/// Everybody who can be recognised by one model. Wiped on drop; `Debug` prints counts.
pub struct Gallery {
    model: ModelId,
    width: usize,
    rows: Zeroizing<Vec<f32>>,
    owners: Vec<u32>,
    visitors: Vec<Visitor>,
    places: HashMap<VisitorId, u32>,
    unsearchable: usize,
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gallery({} enrolled, {} templates of {}, …)", self.len(), self.templates(), self.model.0)
    }
}

impl Gallery {
    /// Those of `people` who have a template of `model` and have not expired at `now`. The others are kept by the store
    /// and counted here ([`Gallery::unsearchable`]).
    pub fn new(model: ModelId, people: Vec<Enrolled>, now: SystemTime) -> Self {
        let usable = |template: &&Template| *template.model() == model;
        let width = people.iter().flat_map(|p| &p.templates).find(usable).map_or(0, |t| t.vector().len());
        let fits = |template: &&Template| usable(template) && template.vector().len() == width;
        let total = people.iter().flat_map(|p| &p.templates).filter(fits).count();
        // Reserved once: a growing vector would leave copies of templates behind.
        let mut rows = Zeroizing::new(Vec::with_capacity(total * width));
        let (mut owners, mut visitors, mut places, mut unsearchable) = (Vec::new(), Vec::new(), HashMap::new(), 0);
        for person in people.into_iter().filter(|person| person.visitor.expires > now) {
            if places.contains_key(&person.visitor.id) || !person.templates.iter().any(|t| fits(&t)) {
                unsearchable += 1;
                continue;
            }
            let place = u32::try_from(visitors.len()).expect("a venue has fewer than four thousand million visitors");
            for template in person.templates.iter().filter(fits) {
                rows.extend_from_slice(template.vector());
                owners.push(place);
            }
            places.insert(person.visitor.id, place);
            visitors.push(person.visitor);
        }
        Self { model, width, rows, owners, visitors, places, unsearchable }
    }

    /// Nobody.
    pub fn empty(model: ModelId) -> Self {
        Self::new(model, Vec::new(), SystemTime::UNIX_EPOCH)
    }

    /// The model whose templates are searched.
    pub fn model(&self) -> &ModelId {
        &self.model
    }

    /// People who can be recognised.
    pub fn len(&self) -> usize {
        self.visitors.len()
    }

    /// Whether there is nobody to recognise.
    pub fn is_empty(&self) -> bool {
        self.visitors.is_empty()
    }

    /// Templates searched: what a probe is compared with, and what the threshold depends on. At least [`Gallery::len`].
    pub fn templates(&self) -> usize {
        self.owners.len()
    }

    /// People who are kept but have no template of this model: they must enrol again to be recognised.
    pub fn unsearchable(&self) -> usize {
        self.unsearchable
    }

    /// What a visitor told us.
    pub fn visitor(&self, id: VisitorId) -> Option<&Visitor> {
        self.places.get(&id).map(|place| &self.visitors[*place as usize])
    }

    /// Everybody who can be recognised, in no particular order.
    pub fn visitors(&self) -> &[Visitor] {
        &self.visitors
    }

    /// The `most` best candidates, best first; each visitor once, with the best of their templates.
    ///
    /// # Errors
    /// [`Mismatch`] when the probe is of another model or length.
    pub fn search(&self, probe: &Template, most: usize) -> Result<Vec<Candidate>, Mismatch> {
        if *probe.model() != self.model {
            return Err(Mismatch::Models { probe: probe.model().clone(), reference: self.model.clone() });
        }
        if self.is_empty() || most == 0 {
            return Ok(Vec::new());
        }
        if probe.vector().len() != self.width {
            return Err(Mismatch::Lengths { probe: probe.vector().len(), reference: self.width });
        }
        let mut best = Vec::<(u32, f32)>::with_capacity(most + 1);
        let mut keep = |owner: u32, score: f32| {
            if best.len() == most && best.last().is_some_and(|worst| worst.1 >= score) {
                return;
            }
            let at = best.partition_point(|other| other.1 >= score);
            best.insert(at, (owner, score));
            best.truncate(most);
        };
        let mut leader = (self.owners[0], f32::NEG_INFINITY);
        for (row, owner) in self.rows.chunks_exact(self.width).zip(&self.owners) {
            let score = dot(row, probe.vector());
            if *owner != leader.0 {
                keep(leader.0, leader.1);
                leader = (*owner, score);
            } else if score > leader.1 {
                leader.1 = score;
            }
        }
        keep(leader.0, leader.1);
        let candidate =
            |(owner, score): (u32, f32)| Candidate { visitor: self.visitors[owner as usize].id, score: Score(score) };
        Ok(best.into_iter().map(candidate).collect())
    }

    /// The best score of `probe` against one visitor's templates; `None` for nobody here or for another model.
    pub fn compare(&self, visitor: VisitorId, probe: &Template) -> Option<Score> {
        let place = *self.places.get(&visitor)?;
        if *probe.model() != self.model || probe.vector().len() != self.width {
            return None;
        }
        // A visitor's rows lie side by side, in the order of visitors.
        let from = self.owners.partition_point(|owner| *owner < place);
        let to = self.owners.partition_point(|owner| *owner <= place);
        let rows = self.rows[from * self.width..to * self.width].chunks_exact(self.width);
        rows.map(|row| dot(row, probe.vector())).max_by(f32::total_cmp).map(Score)
    }

    /// When the first of them must be gone.
    pub fn next_expiry(&self) -> Option<SystemTime> {
        self.visitors.iter().map(|visitor| visitor.expires).min()
    }

    /// The same without those who have expired at `now`.
    pub fn without_expired(&self, now: SystemTime) -> Self {
        let keeps = |owner: u32| self.visitors[owner as usize].expires > now;
        let total = self.owners.iter().filter(|owner| keeps(**owner)).count();
        let mut rows = Zeroizing::new(Vec::with_capacity(total * self.width));
        let (mut owners, mut visitors, mut places) = (Vec::new(), Vec::<Visitor>::new(), HashMap::new());
        for (index, owner) in self.owners.iter().enumerate().filter(|(_, owner)| keeps(**owner)) {
            let visitor = &self.visitors[*owner as usize];
            let place = *places.entry(visitor.id).or_insert_with(|| {
                visitors.push(visitor.clone());
                visitors.len() as u32 - 1
            });
            rows.extend_from_slice(&self.rows[index * self.width..][..self.width]);
            owners.push(place);
        }
        let (model, width, unsearchable) = (self.model.clone(), self.width, self.unsearchable);
        Self { model, width, rows, owners, visitors, places, unsearchable }
    }
}

/// Eight sums at a time: one sum would forbid the compiler its vector instructions.
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let (a8, a_rest) = a.as_chunks::<8>();
    let (b8, b_rest) = b.as_chunks::<8>();
    let mut sums = [0.0_f32; 8];
    for (x, y) in a8.iter().zip(b8) {
        for lane in 0..8 {
            sums[lane] += x[lane] * y[lane];
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(x, y)| x * y).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::time::Duration;
    use uuid::Uuid;

    fn model() -> ModelId {
        ModelId("m".into())
    }

    fn person(n: u128, expires: u64, vectors: &[Vec<f32>]) -> Enrolled {
        let templates = vectors.iter().filter_map(|v| Template::new(model(), v.clone()).ok()).collect();
        let at = |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let visitor =
            Visitor { id: VisitorId(Uuid::from_u128(n)), name: "n".into(), sport: "s".into(), expires: at(expires) };
        Enrolled { visitor, enrolled: at(0), templates }
    }

    fn vectors() -> impl Strategy<Value = Vec<Vec<Vec<f32>>>> {
        let vector = prop::collection::vec(-1.0..1.0_f32, 11);
        prop::collection::vec(prop::collection::vec(vector, 1..4), 0..30)
    }

    proptest! {
        #[test]
        fn search_finds_what_comparing_with_everybody_finds(people in vectors(), probe in prop::collection::vec(-1.0..1.0_f32, 11), most in 1..6usize) {
            let Ok(probe) = Template::new(model(), probe) else { return Ok(()) };
            let people: Vec<_> = people.iter().enumerate().map(|(n, v)| person(n as u128, 9, v)).collect();
            let mut expected: Vec<_> = people.iter().filter(|p| !p.templates.is_empty()).map(|p| {
                p.templates.iter().map(|t| probe.compare(t).unwrap().0).fold(f32::NEG_INFINITY, f32::max)
            }).collect();
            expected.sort_by(|a, b| b.total_cmp(a));
            expected.truncate(most);
            let gallery = Gallery::new(model(), people, SystemTime::UNIX_EPOCH);
            let found = gallery.search(&probe, most).unwrap();
            prop_assert_eq!(found.len(), expected.len());
            for (a, b) in found.iter().zip(&expected) {
                prop_assert!((a.score.0 - b).abs() < 1e-5);
            }
            let mut ids: Vec<_> = found.iter().map(|c| c.visitor).collect();
            ids.dedup();
            prop_assert_eq!(ids.len(), found.len(), "each visitor once");
        }
    }

    #[test]
    fn templates_of_another_model_are_not_searched() {
        let mut other = person(1, 9, &[vec![1.0, 0.0]]);
        other.templates = vec![Template::new(ModelId("other".into()), vec![1.0, 0.0]).unwrap()];
        let gallery = Gallery::new(model(), vec![other, person(2, 9, &[vec![0.0, 1.0]])], SystemTime::UNIX_EPOCH);
        assert_eq!((gallery.len(), gallery.unsearchable()), (1, 1));
        let probe = Template::new(model(), vec![1.0, 0.0]).unwrap();
        assert_eq!(gallery.search(&probe, 5).unwrap().len(), 1);
        let foreign = Template::new(ModelId("other".into()), vec![1.0, 0.0]).unwrap();
        assert!(gallery.search(&foreign, 1).is_err());
    }

    #[test]
    fn who_has_expired_is_neither_found_nor_told() {
        let at = |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let people = vec![person(1, 10, &[vec![1.0, 0.0], vec![0.9, 0.1]]), person(2, 20, &[vec![0.0, 1.0]])];
        let gallery = Gallery::new(model(), people, at(9));
        assert_eq!((gallery.len(), gallery.templates(), gallery.next_expiry()), (2, 3, Some(at(10))));
        let gallery = gallery.without_expired(at(10));
        assert_eq!((gallery.len(), gallery.templates(), gallery.next_expiry()), (1, 1, Some(at(20))));
        assert!(gallery.visitor(VisitorId(Uuid::from_u128(1))).is_none());
        let probe = Template::new(model(), vec![1.0, 0.0]).unwrap();
        assert_eq!(gallery.search(&probe, 5).unwrap()[0].visitor, VisitorId(Uuid::from_u128(2)));
    }
}
