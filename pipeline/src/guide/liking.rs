//! Likings: how well a place meets a wish about food, and how many go there.
//!
//! Suggestions and days judge places by the same: what somebody must keep to, what they like, and popularity, which is what was said
//! of a place and what its camera counts there now. A count names nobody.

use std::collections::BTreeMap;
use usher_config::{
    places::{DIETS, Place},
    value::Name,
};

/// From this popularity on a place is called popular.
const IS_POPULAR: f64 = 0.6;
/// People a minute that make a place half as popular as it can be.
const BUSY: f64 = 10.0;
/// Below so many people a minute there is no queue.
const QUIET: f64 = 1.0;

/// People a minute by camera, as flow counts them now.
pub type Seen = BTreeMap<Name, f64>;

/// The wishes that must be kept to.
pub fn musts(food: &[String]) -> impl Iterator<Item = &String> {
    food.iter().filter(|wish| DIETS.contains(&wish.as_str()))
}

/// The others.
pub fn likings(food: &[String]) -> impl Iterator<Item = &String> {
    food.iter().filter(|wish| !DIETS.contains(&wish.as_str()))
}

/// Whether all that must be kept to can be had there.
pub fn keeps(place: &Place, food: &[String]) -> bool {
    musts(food).all(|diet| place.diets.contains(diet))
}

/// The likings that the kitchen meets.
pub fn met<'a>(place: &'a Place, food: &'a [String]) -> impl Iterator<Item = &'a String> {
    likings(food).filter(|wish| place.kind.is_food() && place.cuisine.contains(wish))
}

/// The share of the likings that the kitchen meets, 0..=1; none where nobody likes anything in particular.
pub fn liked(place: &Place, food: &[String]) -> f64 {
    let wishes = likings(food).count();
    if wishes == 0 { 0.0 } else { met(place, food).count() as f64 / wishes as f64 }
}

/// How popular a place is, 0..=1: what was said of it and what is seen there, in equal parts where both are known.
pub fn popularity(place: &Place, seen: &Seen) -> Option<f64> {
    let now = people(place, seen).map(|people| people / (people + BUSY));
    match (place.popularity, now) {
        (Some(said), Some(now)) => Some((said + now) / 2.0),
        (said, now) => said.or(now),
    }
}

/// Whether it is called popular.
pub fn is_popular(place: &Place, seen: &Seen) -> bool {
    popularity(place, seen).is_some_and(|popularity| popularity >= IS_POPULAR)
}

/// Whether hardly anybody is seen there now; never of a place that no camera counts at.
pub fn is_quiet(place: &Place, seen: &Seen) -> bool {
    people(place, seen).is_some_and(|people| people < QUIET)
}

/// People a minute who are seen there.
fn people(place: &Place, seen: &Seen) -> Option<f64> {
    seen.get(place.camera.as_ref()?).copied().filter(|people| people.is_finite()).map(|people| people.max(0.0))
}
