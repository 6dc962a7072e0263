//! A snapshot of the gallery in memory, searched exactly.
//!
//! Immutable: whoever holds one sees one state of the gallery from start to end. The templates of one visitor lie side by
//! side in one index. It finds templates; the best of each visitor are among so many of them as `most` visitors can have.

use crate::gallery::visitor::{Visitor, VisitorId};
use std::{collections::HashMap, fmt, time::SystemTime};
use usher_models::{
    search::{Index, WIDEST},
    template::{Mismatch, ModelId, Score, Template},
};

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
    index: Index,
    /// Whose each row is; never falling.
    owners: Vec<u32>,
    /// The most templates that one visitor has.
    most_templates: usize,
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
        let usable = |template: &&Template| *template.model() == model && template.vector().len() <= WIDEST;
        let width = people.iter().flat_map(|p| &p.templates).find(usable).map_or(0, |t| t.vector().len());
        let fits = |template: &&Template| usable(template) && template.vector().len() == width;
        let total = people.iter().flat_map(|p| &p.templates).filter(fits).count();
        let mut rows = Rows::with_capacity(width, total);
        let (mut visitors, mut places, mut unsearchable) = (Vec::new(), HashMap::new(), 0);
        for person in people.into_iter().filter(|person| person.visitor.expires > now) {
            if places.contains_key(&person.visitor.id) || !person.templates.iter().any(|t| fits(&t)) {
                unsearchable += 1;
                continue;
            }
            let place = u32::try_from(visitors.len()).expect("a venue has fewer than four thousand million visitors");
            person.templates.iter().filter(fits).for_each(|template| rows.push(place, template.vector()));
            places.insert(person.visitor.id, place);
            visitors.push(person.visitor);
        }
        rows.gallery(model, visitors, places, unsearchable)
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
        if probe.vector().len() != self.index.width() {
            return Err(Mismatch::Lengths { probe: probe.vector().len(), reference: self.index.width() });
        }
        // Were all better rows of as few visitors as can be, this many rows would still be of `most`.
        let rows = (most - 1).saturating_mul(self.most_templates).saturating_add(1);
        let hits = self.index.best(&[probe.vector()], rows).expect(UNIT);
        let mut found = Vec::<Candidate>::new();
        for hit in hits.into_iter().flatten() {
            let visitor = self.visitors[self.owners[hit.row] as usize].id;
            if found.len() < most && found.iter().all(|other| other.visitor != visitor) {
                found.push(Candidate { visitor, score: hit.score });
            }
        }
        Ok(found)
    }

    /// The best score of `probe` against one visitor's templates; `None` for nobody here or for another model.
    pub fn compare(&self, visitor: VisitorId, probe: &Template) -> Option<Score> {
        let place = *self.places.get(&visitor)?;
        if *probe.model() != self.model || probe.vector().len() != self.index.width() {
            return None;
        }
        // A visitor's rows lie side by side, in the order of visitors.
        let from = self.owners.partition_point(|owner| *owner < place);
        let to = self.owners.partition_point(|owner| *owner <= place);
        let scores = (from..to).map(|row| self.index.score(row, probe.vector()).expect(UNIT));
        scores.max_by(|a, b| a.0.total_cmp(&b.0))
    }

    /// When the first of them must be gone.
    pub fn next_expiry(&self) -> Option<SystemTime> {
        self.visitors.iter().map(|visitor| visitor.expires).min()
    }

    /// The same without those who have expired at `now`.
    pub fn without_expired(&self, now: SystemTime) -> Self {
        self.keeping(|visitor| visitor.expires > now)
    }

    /// The same without one visitor: a walk of theirs is then a stranger's.
    pub fn without(&self, id: VisitorId) -> Self {
        self.keeping(|visitor| visitor.id != id)
    }

    fn keeping(&self, keeps: impl Fn(&Visitor) -> bool) -> Self {
        let keeps = |owner: u32| keeps(&self.visitors[owner as usize]);
        let total = self.owners.iter().filter(|owner| keeps(**owner)).count();
        let mut rows = Rows::with_capacity(self.index.width(), total);
        let (mut visitors, mut places) = (Vec::<Visitor>::new(), HashMap::new());
        for (row, owner) in self.owners.iter().enumerate().filter(|(_, owner)| keeps(**owner)) {
            let visitor = &self.visitors[*owner as usize];
            let place = *places.entry(visitor.id).or_insert_with(|| {
                visitors.push(visitor.clone());
                visitors.len() as u32 - 1
            });
            rows.push(place, self.index.row(row).expect("each owner is of a row"));
        }
        rows.gallery(self.model.clone(), visitors, places, self.unsearchable)
    }
}

/// Why an index takes what it is given here.
const UNIT: &str = "a template is a unit vector, and of the width that was compared";

/// The rows of a gallery in the making, visitor after visitor.
struct Rows {
    index: Index,
    owners: Vec<u32>,
    most_templates: usize,
    /// How many the last visitor has.
    last: usize,
}

impl Rows {
    fn with_capacity(width: usize, rows: usize) -> Self {
        let index = Index::with_capacity(width, rows);
        Self { index, owners: Vec::with_capacity(rows), most_templates: 0, last: 0 }
    }

    fn push(&mut self, owner: u32, template: &[f32]) {
        self.index.push(template).expect(UNIT);
        self.last = if self.owners.last() == Some(&owner) { self.last + 1 } else { 1 };
        self.most_templates = self.most_templates.max(self.last);
        self.owners.push(owner);
    }

    fn gallery(
        self,
        model: ModelId,
        visitors: Vec<Visitor>,
        places: HashMap<VisitorId, u32>,
        unsearchable: usize,
    ) -> Gallery {
        let Self { index, owners, most_templates, .. } = self;
        Gallery { model, index, owners, most_templates, visitors, places, unsearchable }
    }
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
