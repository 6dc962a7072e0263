//! Reasons never contradict the verdict, and of somebody without a name they say nothing but figures.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

#[path = "support/looks.rs"]
mod looks;

use looks::{Crowd, SIX_LOOKS, at, camera, gallery, law, looks, model, probe, rules, unit, walk, who};
use proptest::prelude::*;
use std::sync::Arc;
use usher::{
    capture::frame::Camera,
    gallery::search::Gallery,
    identify::{
        checks::{Found, Rule},
        evidence::MOST,
        identification::{Identification, Verdict},
        reasons::Reasons,
        tracks::Tracks,
    },
    infer::sighting::{Settled, TrackId},
};
use usher_config::decide::Liveness;
use usher_models::{liveness::Live, quality::Quality, template::Template};

/// What the rules come to is what was found, and nobody is in it.
fn hold(said: &Identification, enrolled: usize) {
    let reasons: &Reasons = &said.reasons;
    assert_eq!(reasons.found, Found::from(said.verdict));
    let implied = reasons.checks.expect("the looks were compared").implied();
    match reasons.found {
        // Advisory liveness holds no name back; required liveness was met when the name was given.
        Found::Doubted => assert!(matches!(implied, Found::Named | Found::Unproven), "{implied:?}: {reasons:#?}"),
        found => assert_eq!(implied, found, "{reasons:#?}"),
    }
    let evidence = reasons.evidence.expect("the looks were compared");
    // Whoever was found alike or named before the end: why is told as of then.
    let is_before = said.gone && matches!(said.verdict, Verdict::Alike | Verdict::Known { .. });
    assert!(is_before || evidence == said.evidence);
    let pooled = reasons.looks.iter().filter(|look| look.is_pooled).count();
    assert!((1..=MOST).contains(&pooled) && reasons.looks.len() <= 2 * MOST);
    assert_eq!(reasons.looks.len() as u32 + reasons.untold, evidence.looks);
    assert!(reasons.looks.is_sorted_by_key(|look| look.number));
    assert!(reasons.looks.iter().all(|look| look.score.is_some() == (look.is_pooled && enrolled > 0)));
    let written = format!("{reasons:?}");
    assert!((0..enrolled).all(|n| !written.contains(&who(n).0.to_string())), "whoever it was or was like");
}

/// One look: of which track, after how long, at whom, how alike, how good, how live.
type Shown = (u64, u64, usize, f32, f32, f32);

fn shown() -> impl Strategy<Value = Shown> {
    (1..3_u64, 0..260_u64, 0..5_usize, 0.3..0.99_f32, 0.05..1.0_f32, 0.0..1.0_f32)
}

/// Two tracks of one camera looked at in turn; everything that is said about them.
fn watched(seed: u64, enrolled: usize, twins: f32, liveness: Liveness, all: &[Shown]) -> Vec<Identification> {
    let mut crowd = Crowd::new(seed);
    let mut people: Vec<_> = (0..5).map(|_| crowd.person()).collect();
    people[1] = unit(people[0].iter().zip(&people[4]).map(|(a, b)| a + twins * b).collect());
    let gallery = gallery(&people[..enrolled]);
    let mut tracks = Tracks::new(rules(), law());
    let camera = Arc::new(Camera { liveness, ..Arc::into_inner(camera("cam")).unwrap() });
    let settled = [Settled::default(), Settled::default()];
    let (mut ms, mut said) = (0, Vec::new());
    for (track, after, person, likeness, good, live) in all {
        ms += after;
        let mut look = probe(&camera, *track, ms, crowd.look(&people[*person], *likeness));
        look.quality = Quality { sharpness: *good, ..look.quality };
        look.settled = settled[*track as usize - 1].clone();
        said.extend(tracks.look(look, &gallery));
        if settled[*track as usize - 1].is_claimed() {
            said.extend(tracks.live(TrackId(*track), Live(*live)));
        }
    }
    said.extend((1..3).filter_map(|track| tracks.gone(TrackId(track))));
    said
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn reasons_never_contradict_what_was_found(
        seed in 0..1000_u64,
        enrolled in 0..5_usize,
        twins in prop::sample::select(vec![0.02_f32, 0.3, 3.0]),
        liveness in prop::sample::select(vec![Liveness::Off, Liveness::Advisory, Liveness::Required]),
        steady in prop::option::of(0..2_usize),
        all in prop::collection::vec(shown(), 1..60),
    ) {
        // Mostly one person a track, or nobody would ever be named.
        let all: Vec<Shown> = all
            .into_iter()
            .map(|(track, after, person, likeness, good, live)| match steady {
                Some(who) => (track, after, who, likeness.max(0.7), good, live),
                None => (track, after, person, likeness, good, live),
            })
            .collect();
        for said in watched(seed, enrolled, twins, liveness, &all) {
            hold(&said, enrolled);
        }
    }
}

#[test]
fn every_finding_is_met_by_the_law_above() {
    // So that the law is not one about strangers alone.
    let same = |person: usize, likeness, live| -> Vec<Shown> {
        (0..40).map(|n| (1 + n % 2 * u64::from(person == 9), 100, person % 9, likeness, 0.6, live)).collect()
    };
    let found = |enrolled, twins, liveness, all: &[Shown]| {
        let said = watched(3, enrolled, twins, liveness, all);
        said.iter().for_each(|said| hold(said, enrolled));
        said.iter().map(|said| said.reasons.found).collect::<Vec<_>>()
    };
    assert!(found(3, 3.0, Liveness::Off, &same(0, 0.9, 1.0)).contains(&Found::Named));
    assert!(found(3, 0.02, Liveness::Off, &same(0, 0.9, 1.0)).contains(&Found::Alike));
    assert!(found(3, 3.0, Liveness::Off, &same(9, 0.9, 1.0)).contains(&Found::Alike), "two tracks claim one person");
    assert_eq!(found(1, 3.0, Liveness::Off, &same(4, 0.9, 1.0)), [Found::Unknown]);
    assert_eq!(found(0, 3.0, Liveness::Off, &same(4, 0.9, 1.0)), [Found::Unknown]);
    assert_eq!(found(3, 3.0, Liveness::Required, &same(0, 0.9, 0.1)), [Found::Unproven]);
    assert!(found(3, 3.0, Liveness::Advisory, &same(0, 0.9, 0.1)).contains(&Found::Doubted));
}

/// The rules that kept the last track of a walk from a name.
fn kept(said: &[Identification]) -> Vec<Rule> {
    let reasons = &said.last().unwrap().reasons;
    reasons.checks.unwrap().kept_from().map(|check| check.rule).collect()
}

#[test]
fn the_rule_that_kept_somebody_from_a_name_is_said() {
    let mut crowd = Crowd::new(1);
    let (person, stranger) = (crowd.person(), crowd.person());
    let twin = unit(person.iter().zip(&stranger).map(|(a, b)| a + 0.05 * b).collect());
    let (one, two) = (gallery(std::slice::from_ref(&person)), gallery(&[person.clone(), twin]));
    let mut walked = |gallery: &Gallery, at: &[(u64, f32)]| {
        walk(&mut Tracks::new(rules(), law()), gallery, &mut crowd, &person, 1, at)
    };
    assert_eq!(kept(&walked(&one, &looks(0.9))), []);
    assert_eq!(kept(&walked(&one, &[(0, 0.9), (300, 0.9)])), [Rule::Looks]);
    assert_eq!(kept(&walked(&one, &[(0, 0.9), (90, 0.9), (180, 0.9), (240, 0.9)])), [Rule::Over]);
    assert_eq!(kept(&walked(&two, &looks(0.9))), [Rule::Margin]);
    assert_eq!(kept(&walked(&Gallery::empty(model()), &looks(0.9))), [Rule::Threshold]);
    assert!(kept(&walked(&one, &looks(0.2))).starts_with(&[Rule::Threshold]));

    // One look of six shows somebody else.
    let (camera, mut tracks) = (camera("cam"), Tracks::new(rules(), law()));
    for (n, ms) in [0, 100, 200, 240].into_iter().enumerate() {
        let look = if n == 1 { crowd.look(&stranger, 0.97) } else { crowd.look(&person, 0.97) };
        assert!(tracks.look(probe(&camera, 1, ms, look), &one).is_none());
    }
    let look = crowd.look(&person, 0.97);
    assert!(tracks.look(probe(&camera, 1, 400, look), &one).is_none());
    assert_eq!(kept(&[tracks.gone(TrackId(1)).unwrap()]), [Rule::Single]);

    // Somebody leads by the whole evidence, and did not at the look before.
    let mut tracks = Tracks::new(rules(), law());
    for ms in [0, 130] {
        let look = crowd.look(&stranger, 0.9);
        assert!(tracks.look(probe(&camera, 1, ms, look), &Gallery::empty(model())).is_none());
    }
    let look = crowd.look(&stranger, 0.9);
    assert!(tracks.look(probe(&camera, 1, 300, look), &gallery(std::slice::from_ref(&stranger))).is_none());
    assert_eq!(kept(&[tracks.gone(TrackId(1)).unwrap()]), [Rule::Twice]);
}

#[test]
fn looks_are_told_with_what_became_of_them() {
    let mut crowd = Crowd::new(2);
    let (person, other) = (crowd.person(), crowd.person());
    let gallery = gallery(&[person]);
    let (camera, mut tracks) = (camera("cam"), Tracks::new(rules(), law()));
    for n in 0..30_u64 {
        let mut look = probe(&camera, 1, n * 100, crowd.look(&other, 0.9));
        look.quality.sharpness = 0.2 + 0.02 * n as f32;
        tracks.look(look, &gallery);
        let blink = probe(&camera, 1, n * 100 + 10, crowd.look(&other, 0.9));
        tracks.look(blink, &gallery);
    }
    let said = tracks.gone(TrackId(1)).unwrap();
    assert_eq!(said.verdict, Verdict::Unknown);
    let Reasons { looks, refused, untold, embedded, .. } = &*said.reasons;
    assert_eq!((*refused, *untold, looks.len()), (30, 14, 16));
    assert_eq!(looks.iter().filter(|look| look.is_pooled).count(), MOST);
    assert!(looks.iter().all(|look| look.after.as_millis() as u32 == (look.number - 1) * 100));
    assert!(looks.iter().all(|look| (look.weight - look.quality.weight()).abs() < 1e-6));
    assert_eq!(*embedded, Some(at(29 * 100 + 20)));
}

#[test]
fn templates_of_another_model_are_not_compared_and_not_made_up() {
    let person = Crowd::new(4).person();
    let mut tracks = Tracks::new(rules(), law());
    let stranger = Template::new(usher_models::template::ModelId("other".into()), person.clone()).unwrap();
    for ms in SIX_LOOKS {
        assert!(
            tracks
                .look(probe(&camera("cam"), 1, ms, stranger.clone()), &gallery(std::slice::from_ref(&person)))
                .is_none()
        );
    }
    let said = tracks.gone(TrackId(1)).unwrap();
    assert!(said.reasons.checks.is_none() && said.reasons.evidence.is_none() && said.reasons.looks.len() == 6);
}
