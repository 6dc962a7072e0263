//! What a scene promises.

use super::*;
use usher_config::crowd::{Changes, Enrolled, Person};

fn crowd(people: usize, together: u32, seed: u64) -> Crowd {
    let look = |at: usize| Look {
        picture: format!("{at}.jpg").into(),
        face: [40.0, 40.0, 80.0, 110.0],
        eyes: [[60.0, 80.0], [97.0, 80.0]],
    };
    let person = |at: usize| Person {
        who: format!("p{at}"),
        looks: if at == 0 { (0..4).map(look).collect() } else { vec![look(at)] },
        enrolled: at.is_multiple_of(2).then(|| Enrolled { name: "Ada".into(), sport: "curling".into(), from: None }),
    };
    Crowd {
        width: 1280,
        height: 720,
        fps: 15,
        seed,
        pictures: None,
        together,
        looped: true,
        walk: Gait::default(),
        changes: Changes::default(),
        people: (0..people).map(person).collect(),
    }
}

#[test]
fn the_same_seed_gives_the_same_crowd_and_another_seed_another() {
    let walks = |seed| Scene::of(&crowd(9, 3, seed)).walks(Duration::from_secs(300));
    assert_eq!(walks(7), walks(7));
    assert_ne!(walks(7), walks(8));
}

#[test]
fn everybody_walks_once_a_round_in_each_of_their_looks() {
    let scene = Scene::of(&crowd(9, 3, 1));
    for round in 0..3 {
        let mut seen: Vec<_> = scene
            .walks_between(scene.round() * round, scene.round() * (round + 1))
            .iter()
            .map(|walk| (walk.person, walk.look))
            .collect();
        seen.sort_unstable();
        let mut all: Vec<_> = (0..4).map(|look| (0, look)).chain((1..9).map(|person| (person, 0))).collect();
        all.sort_unstable();
        assert_eq!(seen, all);
    }
}

#[test]
fn the_truth_of_a_moment_and_the_list_of_walks_agree() {
    let scene = Scene::of(&crowd(9, 3, 3));
    let walks = scene.walks(Duration::from_secs(120));
    for frame in 0..100 * 15 {
        let pts = Duration::from_millis(frame * 1000 / 15);
        let mut there: Vec<u64> = scene.people_at(pts).iter().map(|present| present.walk).collect();
        let mut walking: Vec<u64> =
            walks.iter().filter(|walk| (walk.from..walk.to).contains(&pts)).map(|walk| walk.id).collect();
        there.sort_unstable();
        walking.sort_unstable();
        assert_eq!(there, walking, "at {pts:?}");
    }
}

#[test]
fn faces_grow_from_far_to_near_and_never_cover_each_other_before_they_leave() {
    let scene = Scene::of(&crowd(12, 3, 5));
    for walk in scene.walks(scene.round()) {
        let size_at = |pts: Duration| {
            let present = scene.people_at(pts).into_iter().find(|present| present.walk == walk.id);
            present.expect("it walks then").inter_eye_px
        };
        let (far, near) = (size_at(walk.from), size_at(walk.from + Duration::from_millis(3050)));
        assert!((15.0..=27.0).contains(&far), "{far}");
        assert!((50.0..=74.0).contains(&near), "{near}");
        let pausing = scene.people_at(walk.from + Duration::from_millis(3050));
        for one in &pausing {
            for other in pausing.iter().filter(|other| other.walk != one.walk && one.usable && other.usable) {
                assert_eq!(one.rect.iou(&other.rect), 0.0);
            }
        }
    }
}

#[test]
fn nobody_stands_beside_themselves() {
    let scene = Scene::of(&crowd(9, 3, 11));
    for frame in 0..4000 {
        let mut there: Vec<usize> =
            scene.people_at(Duration::from_millis(frame * 100)).iter().map(|present| present.person).collect();
        there.sort_unstable();
        let people = there.len();
        there.dedup();
        assert_eq!(there.len(), people, "at {frame}");
    }
}

#[test]
fn a_crowd_that_does_not_begin_again_ends() {
    let mut once = crowd(3, 2, 1);
    once.looped = false;
    let scene = Scene::of(&once);
    assert!(scene.people_at(scene.round() + Duration::from_secs(2)).is_empty());
    assert_eq!(scene.walks(Duration::from_secs(3600)).len(), 6);
}
