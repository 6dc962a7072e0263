//! What is suggested, held against its laws.

use crate::guide::{liking::Seen, places::*};
use proptest::prelude::*;
use std::collections::BTreeMap;
use usher_config::{
    places::{DIETS, from_text},
    value::Name,
};

const METRE: f64 = 1.0 / 111_195.0;

/// A site without paths: places north of [13.4, 52.5], each so many metres away, with further properties.
fn site(places: &[(&str, f64, &str)]) -> Places {
    let feature = |(kind, metres, more): &(&str, f64, &str)| {
        format!(
            r#"{{"type":"Feature","geometry":{{"type":"Point","coordinates":[13.4,{}]}},"properties":{{"kind":"{kind}"{more}}}}}"#,
            52.5 + metres * METRE
        )
    };
    let features: Vec<String> = places.iter().map(feature).collect();
    from_text(&format!(r#"{{"type":"FeatureCollection","features":[{}]}}"#, features.join(",")), "site").unwrap()
}

const HERE: Position = Position { longitude: 13.4, latitude: 52.5 };
/// A Tuesday.
const NOON: &str = "2026-07-14T12:00:00+02:00[Europe/Berlin]";

fn at(text: &str) -> Zoned {
    text.parse().unwrap()
}

fn asked<'a>(food: &'a [String], seen: &'a Seen) -> Asked<'a> {
    const FOOD: &[Kind] = &[Kind::Restaurant, Kind::Cafe, Kind::Kiosk];
    Asked { at: HERE, when: at(NOON), kinds: FOOD, food, step_free: false, price: None, seen }
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn suggested(places: &Places, asked: &Asked<'_>) -> Vec<Suggestion> {
    suggest(places, &Ways::of(places), asked, 100)
}

#[test]
fn what_is_near_liked_and_open_comes_first_and_says_so() {
    let site = site(&[
        ("cafe", 600.0, r#","name":"Far""#),
        ("restaurant", 100.0, r#","name":"Closed","opening_hours":"18:00-23:00""#),
        (
            "restaurant",
            200.0,
            r#","name":"Noodles","cuisine":["noodles"],"diets":["vegan"],"opening_hours":"11:00-22:00""#,
        ),
        ("kiosk", 100.0, r#","name":"Near","diets":["vegan"]"#),
        ("shop", 10.0, r#","name":"Shop""#),
    ]);
    let none = BTreeMap::new();
    let food = words(&["noodles", "vegan"]);
    let found = suggested(&site, &asked(&food, &none));
    assert_eq!(found.iter().map(|one| one.place).collect::<Vec<_>>(), [2, 3]);
    let wish = |food: &str| Why::Wish { food: food.to_owned() };
    let until = Why::OpenUntil { at: "22:00".to_owned() };
    // 200 m as the crow flies are 260 m on foot, and those 237 s.
    let walk = (found[0].walk.metres, found[0].walk.seconds);
    assert_eq!(
        (walk, &found[0].why),
        ((260, 237), &vec![wish("vegan"), wish("noodles"), Why::Near { minutes: 4 }, until])
    );
    assert_eq!(found[1].why, [wish("vegan"), Why::Near { minutes: 2 }]);
    let found = suggested(&site, &asked(&[], &none));
    assert_eq!(found.iter().map(|one| one.place).collect::<Vec<_>>(), [3, 2], "nothing speaks for the far café");
}

#[test]
fn a_place_is_open_by_the_venues_clocks_and_until_it_closes() {
    let site = site(&[
        ("cafe", 1.0, r#","name":"A","opening_hours":"Mo-Fr 10:00-22:00""#),
        ("cafe", 2.0, r#","name":"B""#),
        ("cafe", 3.0, r#","name":"C","opening_hours":"20:00-02:30""#),
    ]);
    let [a, b, c] = &site.places[..] else { panic!() };
    assert!(is_open(a, &at(NOON), &at("2026-07-14T22:00+02:00[Europe/Berlin]")));
    assert!(!is_open(a, &at(NOON), &at("2026-07-14T22:01+02:00[Europe/Berlin]")));
    assert!(is_open(a, &at(NOON), &at(NOON)) && !is_open(c, &at(NOON), &at(NOON)));
    assert_eq!(open_until(a, &at(NOON)), Some(at("2026-07-14T22:00+02:00[Europe/Berlin]")));
    assert_eq!((open_until(b, &at(NOON)), open_until(c, &at(NOON))), (None, None));
    // By UTC it is ten already when it is noon here; the clocks that count are those of the moment that is asked for.
    assert!(!is_open(a, &at("2026-07-14T08:30:00+00:00[UTC]"), &at("2026-07-14T10:30:00+00:00[UTC]")));
    // The night in which clocks go back is an hour longer, and the bar with it.
    let night = (at("2026-10-24T20:00+02:00[Europe/Berlin]"), at("2026-10-25T12:00+01:00[Europe/Berlin]"));
    let hours: Vec<i64> =
        hours(c, &night.0, &night.1).iter().map(|(opens, closes)| closes.duration_since(opens).as_mins()).collect();
    assert_eq!(hours.iter().sum::<i64>(), 390);
}

#[test]
fn whoever_needs_no_steps_is_led_without_any() {
    let site = site(&[("cafe", 20.0, r#","name":"Up","step_free":false"#), ("cafe", 300.0, r#","name":"Level""#)]);
    let none = BTreeMap::new();
    let found = suggested(&site, &Asked { step_free: true, ..asked(&[], &none) });
    assert_eq!(found.iter().map(|one| one.place).collect::<Vec<_>>(), [1]);
    assert_eq!(found[0].why[0], Why::StepFree);
}

#[test]
fn what_costs_more_than_asked_for_is_left_out_only_then() {
    let site = site(&[("cafe", 20.0, r#","name":"Dear","price":4"#), ("cafe", 30.0, r#","name":"Unknown""#)]);
    let none = BTreeMap::new();
    let place =
        |price| suggested(&site, &Asked { price, ..asked(&[], &none) }).iter().map(|one| one.place).collect::<Vec<_>>();
    assert_eq!((place(None), place(Some(2))), (vec![0, 1], vec![1]));
}

#[test]
fn an_empty_place_is_called_quiet_and_a_full_one_popular() {
    let site = site(&[("cafe", 50.0, r#","name":"A","camera":"c1""#)]);
    let why = |people: f64| {
        let live = BTreeMap::from([(Name::new("c1").unwrap(), people)]);
        suggested(&site, &asked(&[], &live))[0].why.clone()
    };
    assert!(why(0.2).contains(&Why::Quiet) && !why(0.2).contains(&Why::Popular));
    assert!(why(30.0).contains(&Why::Popular) && !why(30.0).contains(&Why::Quiet));
    assert_eq!(why(f64::NAN), [Why::Near { minutes: 1 }], "a figure that is none says nothing");
}

#[test]
fn the_words_for_diets_are_those_of_enrolment() {
    assert!(DIETS.iter().all(|diet| crate::gallery::visitor::FOOD.contains(diet)));
}

/// What a generated place is like.
type Made = (u8, f64, Vec<usize>, Option<usize>, Option<f64>, bool, Option<f64>);

fn made() -> impl Strategy<Value = Vec<Made>> {
    let place = (
        0..3u8,
        5.0..2000.0f64,
        prop::collection::vec(0..4usize, 0..3),
        prop::option::of(0..4usize),
        prop::option::of(0.0..=1.0f64),
        any::<bool>(),
        prop::option::of(0.0..60.0f64),
    );
    prop::collection::vec(place, 1..12)
}

const OPENING: [&str; 4] = ["11:00-14:00", "Mo,We 10:00-22:00", "10:00-12:20", "00:00-24:00"];

fn places(made: &[Made]) -> (Places, BTreeMap<Name, f64>) {
    let mut live = BTreeMap::new();
    let texts: Vec<String> = made
        .iter()
        .enumerate()
        .map(|(index, (_, _, words, opening, popularity, step_free, people))| {
            let camera = Name::new(&format!("c{index}")).unwrap();
            people.map(|people| live.insert(camera, people));
            let diets: Vec<String> = words.iter().map(|word| format!("\"{}\"", DIETS[*word])).collect();
            let cuisine = ["noodles", "spicy", "sweet", "other"][words.first().copied().unwrap_or(3)];
            let opening = opening.map(|one| format!(r#","opening_hours":"{}""#, OPENING[one])).unwrap_or_default();
            let popularity = popularity.map(|one| format!(r#","popularity":{one}"#)).unwrap_or_default();
            format!(
                r#","name":"P{index}","diets":[{}],"cuisine":["{cuisine}"],"step_free":{step_free},"camera":"c{index}"{opening}{popularity}"#,
                diets.join(",")
            )
        })
        .collect();
    let kinds = ["cafe", "restaurant", "toilets"];
    let all: Vec<(&str, f64, &str)> =
        made.iter().zip(&texts).map(|(made, text)| (kinds[made.0 as usize], made.1, text.as_str())).collect();
    (site(&all), live)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_suggested_fits_and_every_reason_is_true(made in made(), wishes in prop::collection::vec(0..10usize, 0..3), step_free: bool) {
        let (site, live) = places(&made);
        let food: Vec<String> = wishes.iter().map(|wish| crate::gallery::visitor::FOOD[*wish].to_owned()).collect();
        let asked = Asked { step_free, kinds: &[Kind::Cafe, Kind::Restaurant, Kind::Toilets], ..asked(&food, &live) };
        let found = suggested(&site, &asked);
        prop_assert!(found.is_sorted_by(|one, other| one.score >= other.score));
        for one in &found {
            let place = &site.places[one.place];
            let comes = asked.when.checked_add(i64::from(one.walk.seconds).seconds()).unwrap();
            prop_assert!((0.0..=1.0).contains(&one.score), "{}", one.score);
            prop_assert!(is_open(place, &comes, &later(&comes, stay(place.kind))));
            prop_assert!(!step_free || place.step_free);
            if place.kind.is_food() {
                prop_assert!(food.iter().filter(|wish| DIETS.contains(&wish.as_str())).all(|wish| place.diets.contains(wish)));
            }
            prop_assert!(!one.why.is_empty());
            for why in &one.why {
                let holds = match why {
                    Why::Wish { food: wish } => {
                        food.contains(wish) && (place.diets.contains(wish) || place.cuisine.contains(wish))
                    }
                    Why::Near { minutes } => {
                        *minutes == one.walk.seconds.div_ceil(60)
                            && (*minutes <= 10 || found.iter().all(|other| other.walk.seconds >= one.walk.seconds))
                    }
                    Why::Popular => is_popular(place, asked.seen),
                    Why::Quiet => live[place.camera.as_ref().unwrap()] < 1.0,
                    Why::OpenUntil { at } => {
                        let closes = open_until(place, &comes).unwrap();
                        *at == closes.strftime("%H:%M").to_string() && closes > comes
                    }
                    Why::StepFree => step_free && place.step_free,
                    Why::Favourite { .. } | Why::Departs { .. } => false,
                };
                prop_assert!(holds, "{why:?} of {place:?}");
            }
        }
    }

    #[test]
    fn nearer_is_never_worse_and_more_people_never_less(made in made(), closer in 0.0..1.0f64, more in 0.0..60.0f64) {
        let (site, live) = places(&made);
        // Open already, so that coming earlier is not coming too early.
        let asked = Asked { when: at("2026-07-15T11:30:00+02:00[Europe/Berlin]"), ..asked(&[], &live) };
        let all = |site: &Places, asked: &Asked<'_>| -> BTreeMap<usize, Suggestion> {
            suggested(site, asked).into_iter().map(|one| (one.place, one)).collect()
        };
        let mut nearer = made.clone();
        nearer[0].1 *= closer;
        let (moved, _) = places(&nearer);
        let mut busier = live.clone();
        if let Some(people) = busier.get_mut(&Name::new("c0").unwrap()) {
            *people += more;
        }
        let crowded = Asked { seen: &busier, ..asked.clone() };
        if let Some(before) = all(&site, &asked).get(&0) {
            prop_assert!(all(&moved, &asked)[&0].score >= before.score - 1e-9);
            match all(&site, &crowded).get(&0) {
                Some(after) => prop_assert!(after.score >= before.score - 1e-9),
                None => prop_assert_eq!(&before.why, &[Why::Quiet], "nothing else spoke for it, and it is not quiet now"),
            }
        }
    }
}
