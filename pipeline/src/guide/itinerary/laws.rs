//! The laws of the planner, on problems small enough that every plan can be tried.

use crate::guide::itinerary::{
    check::{Fault, faults},
    problem::{Item, Plan, Problem, Start, Unfit, Visit, Window},
    solve::{Limits, Proof, Solution, solve},
};
use proptest::{option, prelude::*, sample::Index};

/// So few labels that the search falls back to what it does when a problem is too hard.
const HARD: Limits = Limits { gap: 1, spine: 1 };

fn windows() -> impl Strategy<Value = Vec<Window>> {
    let one = (0_u32..26, prop_oneof![3 => Just(0_u32), 2 => 0_u32..7]);
    prop::collection::vec(one, 1..3).prop_map(|mut all| {
        all.sort_unstable();
        let mut windows: Vec<Window> = Vec::new();
        for (from, long) in all {
            if windows.last().is_none_or(|last| last.to < from) {
                windows.push(Window { from, to: from + long });
            }
        }
        windows
    })
}

fn item() -> impl Strategy<Value = Item> {
    (0_usize..4, 1_u32..7, windows(), -2_i64..25, option::of(0_u32..3), 0_u32..4).prop_map(
        |(place, duration, windows, prize, group, entry)| Item { place, duration, windows, prize, group, entry },
    )
}

/// Four places with ways of any lengths, as no map has them, and up to five items.
fn problem() -> impl Strategy<Value = Problem> {
    let walk = prop_oneof![1 => Just(None), 6 => (0_u32..9).prop_map(Some)];
    let walks = prop::collection::vec(prop::collection::vec(walk, 4), 4);
    let costs = (0_i64..4).prop_flat_map(|walking| (Just(walking), 0..=walking));
    let items = prop::collection::vec(item(), 0..6);
    let ends = prop::collection::vec(0_usize..4, 1..3);
    (0_usize..4, 0_u32..6, ends, 8_u32..45, items, walks, costs).prop_map(
        |(place, time, ends, latest, items, walks, (walking, waiting))| Problem {
            start: Start { place, time },
            ends,
            latest,
            items,
            walks,
            walking,
            waiting,
        },
    )
}

/// The worth of the best plan, by trying every order and every beginning.
fn by_trial(problem: &Problem) -> Option<i64> {
    fn from(problem: &Problem, place: usize, time: u32, done: &mut Vec<usize>) -> Option<i64> {
        let cost = |walk: u32| problem.walking * i64::from(walk);
        let home = problem.ends.iter().filter_map(|end| problem.walks[place][*end]);
        let mut best = home.filter(|walk| time + walk <= problem.latest).map(|walk| -cost(walk)).max();
        for (index, item) in problem.items.iter().enumerate() {
            let of_group = |other: &usize| item.group.is_some() && problem.items[*other].group == item.group;
            if done.contains(&index) || done.iter().any(of_group) {
                continue;
            }
            let Some(walk) = problem.walks[place][item.place] else { continue };
            let ready = time + walk + if place == item.place { 0 } else { item.entry };
            for begins in item.windows.iter().flat_map(|window| window.from.max(ready)..=window.to) {
                done.push(index);
                let marks = item.prize - cost(walk) - problem.waiting * i64::from(begins - time - walk);
                let rest = from(problem, item.place, begins + item.duration, done);
                best = best.max(rest.map(|rest| marks + rest));
                done.pop();
            }
        }
        best
    }
    from(problem, problem.start.place, problem.start.time, &mut Vec::new())
}

fn solved(problem: &Problem) -> Option<Solution> {
    solve(problem, Limits::default()).unwrap()
}

fn value(problem: &Problem) -> Option<i64> {
    solved(problem).map(|solution| solution.plan.value)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn no_plan_that_can_be_tried_is_worth_more(problem in problem()) {
        let solution = solved(&problem);
        prop_assert_eq!(solution.as_ref().map(|one| one.plan.value), by_trial(&problem));
        if let Some(solution) = solution {
            prop_assert_eq!(solution.proof, Proof::Optimal);
            prop_assert_eq!(faults(&problem, &solution.plan), []);
        }
    }

    #[test]
    fn a_search_that_was_ended_keeps_every_rule_and_its_promise(problem in problem()) {
        let best = by_trial(&problem);
        if let Some(solution) = solve(&problem, HARD).unwrap() {
            prop_assert_eq!(faults(&problem, &solution.plan), []);
            let best = best.unwrap();
            prop_assert!(solution.plan.value <= best);
            match solution.proof {
                Proof::Optimal => prop_assert_eq!(solution.plan.value, best),
                Proof::Gap { at_most } if best > 0 => {
                    let missing = (best - solution.plan.value) as f64 / best as f64;
                    prop_assert!(missing <= at_most + 1e-9, "{missing} is missing, {at_most} was promised");
                }
                Proof::Gap { .. } => {}
            }
        }
    }

    #[test]
    fn a_higher_prize_never_lowers_the_value(problem in problem(), which: Index, more in 0_i64..9) {
        prop_assume!(!problem.items.is_empty());
        let mut dearer = problem.clone();
        let item = which.index(problem.items.len());
        dearer.items[item].prize += more;
        prop_assert!(value(&dearer) >= value(&problem));
    }

    #[test]
    fn longer_walks_never_raise_the_value(problem in problem(), from in 0_usize..4, to in 0_usize..4, more: Option<u8>) {
        let mut longer = problem.clone();
        let walk = &mut longer.walks[from][to];
        *walk = walk.zip(more).map(|(walk, more)| walk + u32::from(more % 12));
        prop_assert!(value(&longer) <= value(&problem));
    }

    #[test]
    fn a_longer_queue_never_raises_the_value(problem in problem(), which: Index, more in 0_u32..9) {
        prop_assume!(!problem.items.is_empty());
        let mut jammed = problem.clone();
        let item = which.index(problem.items.len());
        jammed.items[item].entry += more;
        prop_assert!(value(&jammed) <= value(&problem));
    }

    #[test]
    fn the_same_problem_has_the_same_plan(problem in problem()) {
        prop_assert_eq!(solved(&problem), solved(&problem));
    }
}

fn session(place: usize, at: u32, duration: u32, prize: i64) -> Item {
    Item { place, duration, windows: vec![Window { from: at, to: at }], prize, group: None, entry: 0 }
}

/// Two places ten seconds apart, from the first at 0 and back until 1,000.
fn two_places(items: Vec<Item>) -> Problem {
    let walks = vec![vec![Some(0), Some(10)], vec![Some(10), Some(0)]];
    Problem { start: Start { place: 0, time: 0 }, ends: vec![0], latest: 1000, items, walks, walking: 2, waiting: 1 }
}

#[test]
fn a_day_without_anything_is_the_way_home() {
    let plan = solved(&two_places(vec![])).unwrap().plan;
    assert_eq!(plan, Plan { visits: vec![], end: 0, home: 0, value: 0 });
}

#[test]
fn an_end_that_cannot_be_reached_has_no_plan() {
    let mut problem = two_places(vec![session(1, 20, 10, 100)]);
    problem.walks[1][0] = None;
    (problem.start.place, problem.ends) = (1, vec![0]);
    assert_eq!(solved(&problem), None);
}

#[test]
fn walking_and_waiting_are_paid_for() {
    let plan = solved(&two_places(vec![session(1, 30, 10, 100)])).unwrap().plan;
    assert_eq!(plan.visits, [Visit { item: 0, arrives: 10, begins: 30, ends: 40 }]);
    assert_eq!((plan.home, plan.value), (50, 100 - 2 * 10 - 20 - 2 * 10));
    assert!(solved(&two_places(vec![session(1, 30, 10, 59)])).unwrap().plan.visits.is_empty(), "not worth the way");
}

#[test]
fn a_queue_is_for_those_who_come_from_elsewhere() {
    let mut items = vec![session(1, 20, 10, 100), session(1, 30, 10, 100)];
    items.iter_mut().for_each(|item| item.entry = 5);
    assert_eq!(solved(&two_places(items.clone())).unwrap().plan.visits.len(), 2);
    items[0].entry = 11;
    assert_eq!(solved(&two_places(items)).unwrap().plan.visits[0].item, 1, "too late for the first");
}

#[test]
fn the_check_finds_each_thing_that_a_plan_must_not_do() {
    let mut problem = two_places(vec![session(1, 30, 10, 100), session(1, 50, 10, 100)]);
    problem.items[1].entry = 3;
    let plan = solved(&problem).unwrap().plan;
    assert_eq!(faults(&problem, &plan), []);
    assert_eq!(plan.visits.len(), 2);
    type Spoil = fn(&mut Problem, &mut Plan);
    let spoilt: [(Spoil, &str); 14] = [
        (|_, plan| plan.visits[0].item = 9, "does not have"),
        (|_, plan| plan.visits[1] = plan.visits[0], "done before"),
        (|problem, _| problem.items.iter_mut().for_each(|item| item.group = Some(4)), "second of group 4"),
        (|problem, _| problem.walks[0][1] = None, "no way to visit 0"),
        (|problem, _| problem.walks[0][1] = Some(11), "arrives at 10, which is not when the walk ends: 11"),
        (|problem, _| problem.walks[0][1] = Some(31), "before its entry is over at 31"),
        (|problem, _| problem.items[0].entry = 21, "before its entry is over"),
        (|problem, _| problem.items[0].windows[0].to = 29, "outside its windows"),
        (|_, plan| plan.visits[1].ends = 61, "its beginning and its duration: 60"),
        (|_, plan| plan.end = 1, "place 1 is no end"),
        (|problem, _| problem.walks[1][0] = None, "no way to the end"),
        (|_, plan| plan.home = 71, "the end is reached at 71"),
        (|problem, _| problem.latest = 69, "after 69"),
        (|_, plan| plan.value += 1, "marks and is worth"),
    ];
    for (spoil, words) in spoilt {
        let (mut problem, mut plan) = (problem.clone(), plan.clone());
        spoil(&mut problem, &mut plan);
        let found: Vec<String> = faults(&problem, &plan).iter().map(Fault::to_string).collect();
        assert!(found.iter().any(|fault| fault.contains(words)), "{words}: {found:?}");
    }
}

#[test]
fn what_is_no_problem_is_named_with_the_mend() {
    type Spoil = fn(&mut Problem);
    let spoilt: [(Spoil, &str); 8] = [
        (|problem| problem.items[0].place = 7, "item 0 is at place 7, of 2 places in `walks`; add a row"),
        (|problem| problem.walks[1] = vec![], "row 1 of `walks` has 0 columns for 2 rows; write one for each place"),
        (|problem| problem.ends = vec![], "there is no end; name one place"),
        (|problem| problem.items[0].duration = 0, "item 0 lasts no time; give it"),
        (|problem| problem.items[0].windows[0].to = 1, "the windows of item 0 are not in the order of time; sort them"),
        (|problem| problem.waiting = 3, "waiting costs 3 and walking 2 marks a second; write 0 <="),
        (|problem| problem.items[0].prize = i64::MAX, "item 0 is too large; keep"),
        (|problem| problem.walks[0][1] = Some(u32::MAX), "a walk is too large; keep"),
    ];
    for (spoil, words) in spoilt {
        let mut problem = two_places(vec![session(1, 30, 10, 100)]);
        spoil(&mut problem);
        let found: Unfit = solve(&problem, Limits::default()).unwrap_err();
        assert!(found.to_string().contains(words), "{found}");
    }
}
