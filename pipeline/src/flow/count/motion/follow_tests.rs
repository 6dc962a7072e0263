use super::*;
use std::time::SystemTime;

const STATURE: Stature = Stature { at: 18.0, slope: 0.2, breadth: 0.36 };

/// A picture of these people, the nearest last, and what moves in it; each has a luma.
fn picture(people: &[(Body, f32)]) -> (Small, Vec<bool>) {
    let (width, height) = (320, 180);
    let (mut luma, mut mask) = (vec![110.0; width * height], vec![false; width * height]);
    let mut people = people.to_vec();
    people.sort_by(|a, b| a.0.y.total_cmp(&b.0.y));
    for (body, shade) in people {
        for (part, [left, top, right, bottom]) in
            PARTS.iter().map(|part| pixels(&STATURE.rect(&body), *part, width, height)).enumerate()
        {
            for y in top..bottom {
                luma[y * width..][left..right.max(left)].fill(shade + 20.0 * part as f32);
                mask[y * width..][left..right.max(left)].fill(true);
            }
        }
    }
    (Small { width, height, step: 1, luma }, mask)
}

/// Whom the numbers stand for at the end and how many numbers there were, where everybody walks from here to there.
fn walked(ways: &[([f32; 2], [f32; 2], f32)], frames: u32) -> (Vec<(u64, [f32; 2])>, usize) {
    let mut follow = Follow::new(320, 180, TrackIds::default());
    let (mut numbers, mut last) = (Vec::new(), Vec::new());
    for frame in 0..frames {
        let part = frame as f32 / (frames - 1) as f32;
        let body = |from: &[f32; 2], to: &[f32; 2]| Body {
            x: from[0] + part * (to[0] - from[0]),
            y: from[1] + part * (to[1] - from[1]),
            tall: 1.0,
        };
        let people: Vec<(Body, f32)> = ways.iter().map(|(from, to, luma)| (body(from, to), *luma)).collect();
        let (small, mask) = picture(&people);
        let steady = Duration::from_millis(u64::from(frame) * 83);
        let now = Moment { steady, wall: SystemTime::UNIX_EPOCH + steady };
        follow.see(&small, &mask, &STATURE, now);
        last = follow.seen_at(now).map(|(id, body)| (id.0, [body.x, body.y])).collect();
        numbers.extend(last.iter().map(|(id, _)| *id));
    }
    numbers.sort_unstable();
    numbers.dedup();
    (last, numbers.len())
}

/// The number of whoever is at this place.
fn who(last: &[(u64, [f32; 2])], at: [f32; 2]) -> Option<u64> {
    let near = last.iter().filter(|(_, [x, y])| (x - at[0]).hypot(y - at[1]) < 5.0);
    near.map(|(id, _)| *id).next()
}

#[test]
fn three_abreast_are_three_from_beginning_to_end() {
    let way = |x: f32, luma: f32| ([x, 60.0], [x + 15.0 * (x - 160.0) / 20.0, 150.0], luma);
    let (last, numbers) = walked(&[way(147.0, 40.0), way(160.0, 45.0), way(173.0, 150.0)], 50);
    assert_eq!((last.len(), numbers), (3, 3), "{last:?}");
}

#[test]
fn two_who_pass_each_other_keep_their_numbers() {
    let (down, up) = ([150.0, 60.0], [160.0, 150.0]);
    let halfway: Vec<_> = walked(&[(down, [151.0, 75.0], 40.0), (up, [159.0, 135.0], 170.0)], 12).0;
    let (first, second) = (who(&halfway, [151.0, 75.0]).unwrap(), who(&halfway, [159.0, 135.0]).unwrap());
    let (last, numbers) = walked(&[(down, [158.0, 150.0], 40.0), (up, [152.0, 60.0], 170.0)], 60);
    assert_eq!(numbers, 2, "{last:?}");
    assert_eq!((who(&last, [158.0, 150.0]), who(&last, [152.0, 60.0])), (Some(first), Some(second)), "{last:?}");
}

#[test]
fn whoever_is_hidden_behind_somebody_is_the_same_person_afterwards() {
    // Both walk across; the one behind is overtaken, and hidden for most of a second.
    let (near, behind) = (([60.0, 128.0], [260.0, 128.0], 60.0), ([100.0, 124.0], [200.0, 124.0], 160.0));
    let (last, numbers) = walked(&[near, behind], 60);
    assert_eq!((last.len(), numbers), (2, 2), "{last:?}");
    assert!(who(&last, [260.0, 128.0]).is_some() && who(&last, [200.0, 124.0]).is_some(), "{last:?}");
}

#[test]
fn nobody_is_followed_where_nothing_moves() {
    assert_eq!(walked(&[], 20), (Vec::new(), 0));
}

#[test]
fn whoever_no_picture_shows_is_given_up_once() {
    let mut follow = Follow::new(320, 180, TrackIds::default());
    let at = |frame: u32| {
        let steady = Duration::from_millis(u64::from(frame) * 83);
        Moment { steady, wall: SystemTime::UNIX_EPOCH + steady }
    };
    let (small, mask) = picture(&[(Body { x: 150.0, y: 100.0, tall: 1.0 }, 40.0)]);
    let (empty, nothing) = picture(&[]);
    let mut gone = Vec::new();
    for frame in 0..40 {
        let (small, mask) = if frame < 20 { (&small, &mask) } else { (&empty, &nothing) };
        gone.extend(follow.see(small, mask, &STATURE, at(frame)));
    }
    assert_eq!(gone.len(), 1);
    assert_eq!((gone[0].begun, gone[0].seen), (at(0), at(19)));
    assert_eq!(follow.expire(at(200)), []);
}
