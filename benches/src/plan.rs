//! How many days a second are planned, how long one takes, and how near to the best that an exact solver finds?
//!
//! A thousand seeded visitors' days on seeded games (16 sports, 300 sessions, 200 places; `usher::guide::games`), each
//! planned from programme, places and wishes to the day that screens show. The same on games that hold all their
//! sessions on one day, and with every sport a favourite. Of the first, a subset goes to `peers/plan.py`: OR-tools
//! CP-SAT solves the same problems to proven optimality, in the same integers. Both answers are held against the
//! check that shares no code with either; a plan worth more than CP-SAT's optimum would be an error in a model.
//!
//! Times are processor time of the planning thread: what else the machine does does not count. Wall time is beside it.

use crate::process::root;
use anyhow::{Context, bail, ensure};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::{process::Command, time::Instant};
use usher::guide::{
    games::{Games, games, guests},
    itinerary::{
        check::faults,
        problem::{Plan, Problem},
        solve::{Limits, Proof, solve},
    },
    plan::{Site, Wanted, day_for, legs::Legs},
    ways::Ways,
};

pub(crate) const QUESTION: &str =
    "How long does a visitor's day take to plan, and how near is it to the best there is?";
/// Days that are planned.
const VISITORS: usize = 1000;
/// Days that CP-SAT plans too; `USHER_PROBLEMS` asks for another number.
const PROBLEMS: usize = 60;
/// Seconds that CP-SAT has for each.
const SECONDS: f64 = 300.0;

pub(crate) fn answer() -> anyhow::Result<Value> {
    let world = World::of(games(7, 5));
    let days = Days::planned(&world, &guests(&world.games, 11, VISITORS), |_| {})?;
    let full = World::of(games(8, 1));
    let guests_of_full = guests(&full.games, 12, VISITORS);
    let fuller = Days::planned(&full, &guests_of_full, |_| {})?;
    let every = |wanted: &mut Wanted| {
        wanted.sports = full.games.programme.sessions.iter().map(|session| session.sport.clone()).collect();
    };
    let fullest = Days::planned(&full, &guests_of_full[..VISITORS / 10], every)?;
    let met = [&days, &fuller].iter().all(|days| days.violations == 0 && quantile(&days.cpu_ms, 0.99) <= 50.0);
    Ok(json!({
        "games": "16 sports, 300 sessions, 200 places; five days, and all on one day",
        "days": days.told(),
        "all_sessions_on_one_day": fuller.told(),
        "and_every_sport_a_favourite": fullest.told(),
        "against_cp_sat": against(&days)?,
        "goals": { "p99_cpu_ms_at_most": 50, "violations": 0, "share_of_optimum": { "median": 0.99, "worst": 0.95 } },
        "met": met,
    }))
}

struct World {
    games: Games,
    ways: Ways,
    legs: Legs,
    made_ms: f64,
}

impl World {
    fn of(games: Games) -> Self {
        let begun = Instant::now();
        let ways = Ways::of(&games.places);
        let legs = Legs::of(&games.places, &ways);
        Self { games, ways, legs, made_ms: 1000.0 * begun.elapsed().as_secs_f64() }
    }
}

/// Days that were planned, and what that took.
struct Days {
    made_ms: f64,
    wall_ms: Vec<f64>,
    solve_ms: Vec<f64>,
    cpu_ms: Vec<f64>,
    optimal: usize,
    violations: usize,
    stops: usize,
    answers: Vec<(Problem, Plan)>,
}

impl Days {
    fn planned(world: &World, guests: &[Wanted], change: impl Fn(&mut Wanted)) -> anyhow::Result<Self> {
        let (programme, places) = (&world.games.programme, &world.games.places);
        let site = Site { programme, places, ways: &world.ways, legs: &world.legs, departures: None };
        let mut days = Self {
            made_ms: world.made_ms,
            wall_ms: Vec::new(),
            solve_ms: Vec::new(),
            cpu_ms: Vec::new(),
            optimal: 0,
            violations: 0,
            stops: 0,
            answers: Vec::new(),
        };
        for mut wanted in guests.iter().cloned() {
            change(&mut wanted);
            let (begun, before) = (Instant::now(), cpu_ms());
            let planned = day_for(&site, &wanted)?;
            days.cpu_ms.push(cpu_ms() - before);
            days.wall_ms.push(1000.0 * begun.elapsed().as_secs_f64());
            let before = cpu_ms();
            let again = solve(&planned.problem, Limits::default())?.context("a plan that was found before")?;
            days.solve_ms.push(cpu_ms() - before);
            ensure!(again.plan == planned.plan, "the same problem had two plans");
            days.optimal += usize::from(planned.proof == Proof::Optimal);
            days.violations += faults(&planned.problem, &planned.plan).len();
            days.stops += planned.plan.visits.len();
            days.answers.push((planned.problem, planned.plan));
        }
        Ok(days)
    }

    fn told(&self) -> Value {
        let spread =
            |of: &[f64]| json!({ "p50": quantile(of, 0.5), "p99": quantile(of, 0.99), "most": quantile(of, 1.0) });
        let count = self.answers.len() as f64;
        let items: usize = self.answers.iter().map(|(problem, _)| problem.items.len()).sum();
        json!({
            "plans": count,
            "plans_per_cpu_second": 1000.0 * count / self.cpu_ms.iter().sum::<f64>(),
            "plans_per_second": 1000.0 * count / self.wall_ms.iter().sum::<f64>(),
            "cpu_ms_per_plan": spread(&self.cpu_ms),
            "of_that_solving": spread(&self.solve_ms),
            "wall_ms_per_plan": spread(&self.wall_ms),
            "ms_once_when_places_are_read": self.made_ms,
            "proven_optimal": self.optimal as f64 / count,
            "violations": self.violations,
            "items_per_problem": items as f64 / count,
            "stops_per_plan": self.stops as f64 / count,
        })
    }
}

/// Processor time of this thread so far, milliseconds.
fn cpu_ms() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e3 + time.tv_nsec as f64 / 1e6
}

fn quantile(of: &[f64], share: f64) -> f64 {
    let mut sorted = of.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted[((sorted.len() - 1) as f64 * share).round() as usize]
}

/// CP-SAT on a subset, evenly spread over the days.
fn against(days: &Days) -> anyhow::Result<Value> {
    let python = root().join("benches/peers/.venv-plan/bin/python");
    if !python.exists() {
        return Ok(json!("absent: `make bench` fetches it"));
    }
    let asked = std::env::var("USHER_PROBLEMS").ok().and_then(|problems| problems.parse().ok()).unwrap_or(PROBLEMS);
    let step = (days.answers.len() / asked.max(1)).max(1);
    let chosen: Vec<usize> = (0..days.answers.len()).step_by(step).take(asked).collect();
    let problems: Vec<&Problem> = chosen.iter().map(|index| &days.answers[*index].0).collect();
    let file = tempfile::NamedTempFile::new()?;
    serde_json::to_writer(&file, &json!({ "problems": problems, "seconds": SECONDS }))?;
    let output = Command::new(python).arg(root().join("benches/peers/plan.py")).arg(file.path()).output()?;
    ensure!(output.status.success(), "plan.py: {}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout)?;
    let (mut shares, mut seconds, mut ours, mut ended) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for (index, line) in chosen.iter().zip(said.lines()) {
        let (problem, plan) = &days.answers[*index];
        let answer: Value = serde_json::from_str(line)?;
        if answer["plan"].is_null() {
            ended += 1;
            continue;
        }
        let theirs: Plan = serde_json::from_value(answer["plan"].clone())?;
        let wrong = faults(problem, &theirs);
        ensure!(wrong.is_empty(), "CP-SAT's plan of problem {index} breaks a rule: {wrong:?}");
        let bound = answer["bound"].as_i64().context("a bound")?;
        if plan.value > bound {
            bail!(
                "problem {index}: a plan worth {} beats what CP-SAT proves to be the most, {bound}: the models differ",
                plan.value
            );
        }
        if answer["status"] != "OPTIMAL" {
            ended += 1;
            continue;
        }
        ensure!(theirs.value > 0, "problem {index} has nothing in it to compare");
        shares.push(plan.value as f64 / theirs.value as f64);
        seconds.push(answer["seconds"].as_f64().context("seconds")?);
        ours.push(days.solve_ms[*index] / 1000.0);
    }
    ensure!(shares.len() + ended == chosen.len(), "plan.py answered {} of {}", shares.len() + ended, chosen.len());
    ensure!(!shares.is_empty(), "CP-SAT finished none in {SECONDS} s each");
    let exact = shares.iter().filter(|share| **share == 1.0).count();
    let spread =
        |of: &[f64]| json!({ "median": quantile(of, 0.5), "p90": quantile(of, 0.9), "most": quantile(of, 1.0) });
    Ok(json!({
        "problems": chosen.len(),
        "finished": shares.len(),
        "not_finished_in_seconds": { "count": ended, "seconds": SECONDS },
        "share_of_optimum": { "median": quantile(&shares, 0.5), "worst": quantile(&shares, 0.0), "exactly": exact },
        "cp_sat_s": spread(&seconds),
        "usher_s": spread(&ours),
        "workers": "CP-SAT: one for each core; usher: one thread",
    }))
}
