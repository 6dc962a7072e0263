//! A snapshot of the gallery in memory, searched exactly.
//!
//! Immutable: whoever holds one sees one state of the gallery from start to end. The views of one visitor are pooled into
//! one direction, a row of the index: as many comparisons as people, which is what the threshold counts.

use crate::gallery::{
    bars,
    visitor::{Household, Visitor, VisitorId},
};
use std::{collections::HashMap, fmt, time::SystemTime};
use usher_models::{
    search::{Hit, Index, WIDEST},
    template::{Mismatch, ModelId, Score, Template},
};

/// A visitor with what the store knows of them.
#[derive(Clone, Debug)]
pub struct Enrolled {
    /// Who.
    pub visitor: Visitor,
    /// Since when.
    pub enrolled: SystemTime,
    /// Their templates, one for each view and model.
    pub templates: Vec<Template>,
}

/// A visitor whom a probe may show.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Candidate {
    /// Who.
    pub visitor: VisitorId,
    /// The comparison score with their pooled views.
    pub score: Score,
}

/// Everybody who can be recognised by one model. Wiped on drop; `Debug` prints counts.
pub struct Gallery {
    model: ModelId,
    /// A row for each visitor, in the same order.
    index: Index,
    visitors: Vec<Visitor>,
    places: HashMap<VisitorId, u32>,
    households: HashMap<Household, Vec<u32>>,
    /// What each visitor needs above the threshold.
    bars: Vec<f32>,
    unsearchable: usize,
    /// Those who have a pass and no face.
    faceless: HashMap<VisitorId, Visitor>,
}

impl fmt::Debug for Gallery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gallery({} enrolled by {}, …)", self.len(), self.model.0)
    }
}

impl Gallery {
    /// Those of `people` who have a template of `model` and have not expired at `now`. The others are kept by the store
    /// and counted here ([`Gallery::unsearchable`]).
    pub fn new(model: ModelId, people: Vec<Enrolled>, now: SystemTime) -> Self {
        let wanted = model.clone();
        let usable = |template: &&Template| *template.model() == wanted && template.vector().len() <= WIDEST;
        let width = people.iter().flat_map(|p| &p.templates).find(usable).map_or(0, |t| t.vector().len());
        let mut gallery = Self::with_capacity(model, width, people.len());
        for person in people.into_iter().filter(|person| person.visitor.expires > now) {
            if person.templates.is_empty() {
                gallery.faceless.insert(person.visitor.id, person.visitor);
                continue;
            }
            let fits = |template: &&Template| usable(template) && template.vector().len() == width;
            let views: Vec<Template> = person.templates.iter().filter(fits).cloned().collect();
            // Views that cancel out point nowhere; enrolment refuses them, since they are not of one person.
            match Template::mean(&views) {
                Ok(pooled) if !gallery.places.contains_key(&person.visitor.id) => {
                    gallery.push(person.visitor, pooled.vector());
                }
                _ => gallery.unsearchable += 1,
            }
        }
        gallery.bars = bars::bars(&gallery.index);
        gallery
    }

    /// The same as the state that follows `before`: nobody's bar is lower than it was.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        for (visitor, bar) in self.visitors.iter().zip(&mut self.bars) {
            *bar = bar.max(before.bar(visitor.id));
        }
        self
    }

    fn with_capacity(model: ModelId, width: usize, people: usize) -> Self {
        Self {
            model,
            index: Index::with_capacity(width, people),
            visitors: Vec::with_capacity(people),
            places: HashMap::with_capacity(people),
            households: HashMap::new(),
            bars: Vec::with_capacity(people),
            unsearchable: 0,
            faceless: HashMap::new(),
        }
    }

    fn push(&mut self, visitor: Visitor, template: &[f32]) {
        let place = u32::try_from(self.visitors.len()).expect("a venue has fewer than four thousand million visitors");
        self.index.push(template).expect(UNIT);
        self.places.insert(visitor.id, place);
        if let Some(household) = visitor.household {
            self.households.entry(household).or_default().push(place);
        }
        self.visitors.push(visitor);
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

    /// People who are kept but have no template of this model: they must enrol again to be recognised.
    pub fn unsearchable(&self) -> usize {
        self.unsearchable
    }

    /// What a visitor told us, with or without a face.
    pub fn visitor(&self, id: VisitorId) -> Option<&Visitor> {
        self.places.get(&id).map(|place| &self.visitors[*place as usize]).or_else(|| self.faceless.get(&id))
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
        let hits = self.index.best(&[probe.vector()], most).expect(UNIT);
        let candidate = |hit: Hit| Candidate { visitor: self.visitors[hit.row].id, score: hit.score };
        Ok(hits.into_iter().flatten().map(candidate).collect())
    }

    /// The score of `probe` with one visitor; `None` for nobody here or for another model.
    pub fn compare(&self, visitor: VisitorId, probe: &Template) -> Option<Score> {
        let place = *self.places.get(&visitor)?;
        self.score(place, probe)
    }

    /// The best score of `probe` with anybody of the visitor's household but the visitor.
    pub fn nearest_of_household(&self, visitor: VisitorId, probe: &Template) -> Option<Score> {
        let place = *self.places.get(&visitor)?;
        let household = self.visitors[place as usize].household?;
        let others = self.households.get(&household)?.iter().filter(|other| **other != place);
        others.filter_map(|other| self.score(*other, probe)).max_by(|a, b| a.0.total_cmp(&b.0))
    }

    fn score(&self, place: u32, probe: &Template) -> Option<Score> {
        let fits = *probe.model() == self.model && probe.vector().len() == self.index.width();
        fits.then(|| self.index.score(place as usize, probe.vector()).expect(UNIT))
    }

    /// How much more than the threshold it takes to be named as this visitor, 0 or more.
    pub fn bar(&self, visitor: VisitorId) -> f32 {
        self.places.get(&visitor).map_or(0.0, |place| self.bars[*place as usize])
    }

    /// When the first of them must be gone.
    pub fn next_expiry(&self) -> Option<SystemTime> {
        self.visitors.iter().chain(self.faceless.values()).map(|visitor| visitor.expires).min()
    }

    /// The same without those who have expired at `now`.
    pub fn without_expired(&self, now: SystemTime) -> Self {
        self.keeping(|visitor| visitor.expires > now).following(self)
    }

    /// The same as if one visitor had never enrolled: a walk of theirs is then a stranger's.
    pub fn without(&self, id: VisitorId) -> Self {
        self.keeping(|visitor| visitor.id != id)
    }

    fn keeping(&self, keeps: impl Fn(&Visitor) -> bool) -> Self {
        let kept = self.visitors.iter().enumerate().filter(|(_, visitor)| keeps(visitor));
        let mut gallery = Self::with_capacity(self.model.clone(), self.index.width(), self.len());
        gallery.unsearchable = self.unsearchable;
        let faceless = self.faceless.iter().filter(|(_, visitor)| keeps(visitor));
        gallery.faceless = faceless.map(|(id, visitor)| (*id, visitor.clone())).collect();
        for (row, visitor) in kept {
            gallery.push(visitor.clone(), self.index.row(row).expect("each visitor has a row"));
        }
        gallery.bars = bars::bars(&gallery.index);
        gallery
    }
}

/// Why an index takes what it is given here.
const UNIT: &str = "a template is a unit vector, and of the width that was compared";

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
        let id = VisitorId(Uuid::from_u128(n));
        let visitor = Visitor::named(id, "n", "s", at(expires));
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
            let pooled = people.iter().filter_map(|p| Template::mean(&p.templates).ok());
            let mut expected: Vec<_> = pooled.map(|pooled| probe.compare(&pooled).unwrap().0).collect();
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
        assert_eq!((gallery.len(), gallery.next_expiry()), (2, Some(at(10))));
        let gallery = gallery.without_expired(at(10));
        assert_eq!((gallery.len(), gallery.next_expiry()), (1, Some(at(20))));
        assert!(gallery.visitor(VisitorId(Uuid::from_u128(1))).is_none());
        let probe = Template::new(model(), vec![1.0, 0.0]).unwrap();
        assert_eq!(gallery.search(&probe, 5).unwrap()[0].visitor, VisitorId(Uuid::from_u128(2)));
    }

    #[test]
    fn only_the_others_of_a_household_are_near_by_declaration() {
        let household = |n| Some(Household(Uuid::from_u128(n)));
        let mut people: Vec<_> = [[1.0, 0.0], [0.8, 0.6], [0.6, 0.8], [0.0, 1.0]]
            .iter()
            .enumerate()
            .map(|(n, v)| person(n as u128, 9, &[v.to_vec()]))
            .collect();
        for (n, of) in [household(7), household(7), household(8), None].into_iter().enumerate() {
            people[n].visitor.household = of;
        }
        let gallery = Gallery::new(model(), people, SystemTime::UNIX_EPOCH);
        let probe = Template::new(model(), vec![1.0, 0.0]).unwrap();
        let near =
            |gallery: &Gallery, n| gallery.nearest_of_household(VisitorId(Uuid::from_u128(n)), &probe).map(|s| s.0);
        assert!((near(&gallery, 0).unwrap() - 0.8).abs() < 1e-6 && (near(&gallery, 1).unwrap() - 1.0).abs() < 1e-6);
        assert_eq!((near(&gallery, 2), near(&gallery, 3), near(&gallery, 4)), (None, None, None));
        let gallery = gallery.without(VisitorId(Uuid::from_u128(0)));
        assert_eq!(near(&gallery, 1), None, "whoever is gone is nobody's other");
    }

    #[test]
    fn a_bar_only_ever_rises_while_somebody_is_enrolled() {
        use rand::{RngExt, SeedableRng};
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(3);
        let mut vector = || vec![(0..16).map(|_| random.random_range(-1.0..1.0_f32)).collect::<Vec<_>>()];
        let people: Vec<_> = (0..200).map(|n| person(n, if n < 100 { 20 } else { 9 }, &vector())).collect();
        let at = |s| SystemTime::UNIX_EPOCH + Duration::from_secs(s);
        let all = Gallery::new(model(), people.clone(), at(0));
        let bars = |gallery: &Gallery| gallery.visitors().iter().map(|v| (v.id, gallery.bar(v.id))).collect::<Vec<_>>();
        assert!(bars(&all).iter().any(|(_, bar)| *bar > 0.0));
        let later = all.without_expired(at(10));
        assert_eq!(later.len(), 100);
        assert!(bars(&later).iter().all(|(id, bar)| *bar >= all.bar(*id)));
        let few = Gallery::new(model(), people[..30].to_vec(), at(0));
        assert!(bars(&few).iter().all(|(_, bar)| *bar == 0.0), "too few to tell");
        assert!(bars(&few.following(&all)).iter().all(|(id, bar)| *bar == all.bar(*id)));
        assert_eq!(all.bar(VisitorId(Uuid::from_u128(999))), 0.0);
    }
}
