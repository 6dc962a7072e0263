use super::*;
use crate::flow::forecast::tests::days;

fn plan(horizons: &[i64], test: usize, events: Vec<Event>) -> Plan {
    let horizons = horizons.iter().map(|minutes| SignedDuration::from_mins(*minutes)).collect();
    Plan { horizons, test, zone: TimeZone::UTC, events, weather: None, library: false }
}

fn tested(series: &Series, plan: &Plan) -> Backtest {
    run(series, plan, &mut |_, _| {}).unwrap()
}

#[test]
fn what_comes_later_changes_no_forecast_made_before() {
    let (series, events) = days(11, 21);
    let plan = Plan { library: true, ..plan(&[15, 60], 48, events) };
    let turn = series.counts.len() - 24;
    let mut other = series.clone();
    for (index, count) in other.counts[turn..].iter_mut().enumerate() {
        *count = if index % 3 == 0 { None } else { Some(500.0 + index as f64) };
    }
    let (this, that) = (tested(&series, &plan), tested(&other, &plan));
    let from = series.counts.len() - 48;
    let mut same = 0;
    for target in from..series.counts.len() {
        for (horizon, ahead) in [1, 4].into_iter().enumerate() {
            let (a, b) = (this.trace[target - from].spreads[horizon], that.trace[target - from].spreads[horizon]);
            // Its origin is the first step that was not seen.
            if target + 1 - ahead <= turn {
                assert_eq!(a, b, "{target} from {}", target + 1 - ahead);
                same += usize::from(a.is_some());
            }
        }
    }
    assert!(same > 40, "{same}");
    assert_ne!(this.trace[47].spreads[0], that.trace[47].spreads[0], "the change itself is seen");
}

#[test]
fn scores_are_those_of_a_plain_computation() {
    let (mut series, events) = days(12, 24);
    series.counts[22 * 96 + 10] = None;
    let all = series.counts.len();
    let plan = plan(&[30], 3 * 96, events);
    let tested = tested(&series, &plan);
    let count = |at: usize| series.counts[at];
    let from = all - 3 * 96;
    let naive = |range: std::ops::Range<usize>| {
        let errors: Vec<f64> = range.filter_map(|at| Some((count(at)? - count(at - 7 * 96)?).abs())).collect();
        errors.iter().sum::<f64>() / errors.len() as f64
    };
    let scale = naive(7 * 96..from);
    let made = || tested.trace.iter().filter_map(|step| Some((step.spreads[0]?, step.count?)));
    let many = made().count() as f64;
    let error = made().map(|(spread, count)| (spread.fan().median - count).abs()).sum::<f64>() / many;
    let closed = made().filter(|(s, count)| (s.fan().low80..=s.fan().high80).contains(count)).count() as f64 / many;
    let figures = &tested.scored[0].all;
    let close = |a: Option<f64>, b: f64| assert!((a.unwrap() - b).abs() < 1e-3, "{a:?} {b}");
    assert!((tested.scale - scale).abs() < 1e-12);
    close(figures.mase, error / scale);
    close(figures.mase_seasonal_naive, naive(from + 1..all) / scale);
    close(figures.closed80, closed);
    assert_eq!((figures.forecasts, figures.compared), (3 * 96 - 2, 3 * 96 - 2));
    let event = tested.scored[0].event_hours.as_ref().unwrap();
    assert!(event.forecasts > 5 && event.forecasts < figures.forecasts / 2);
}

#[test]
fn it_beats_last_week_and_every_library_model_where_days_have_a_season() {
    let (series, events) = days(13, 29);
    let plan = Plan { library: true, ..plan(&[30], 96, events) };
    let figures = tested(&series, &plan).scored[0].all.clone();
    assert_eq!(figures.mase_library.len(), 3, "{figures:?}");
    assert!(figures.mase.unwrap() < 0.75 * figures.mase_seasonal_naive.unwrap(), "{figures:?}");
    assert!(figures.mase.unwrap() < 0.95 * figures.mase_best_library.unwrap(), "{figures:?}");
}

#[test]
fn plans_that_do_not_fit_say_what_would() {
    let (series, _) = days(14, 12);
    let said = |plan: &Plan| run(&series, plan, &mut |_, _| {}).unwrap_err().to_string();
    let message = said(&plan(&[20], 96, Vec::new()));
    assert_eq!(
        message,
        "a horizon of 20m is no whole number of steps of 15m, or more than a week; name one that is, such as 15m"
    );
    assert!(said(&plan(&[30], 6 * 96, Vec::new())).contains("576 steps before the test and 576 in it are too few"));
    let odd = Series { step: SignedDuration::from_secs(7 * 60), ..series.clone() };
    let message = run(&odd, &plan(&[7], 96, Vec::new()), &mut |_, _| {}).unwrap_err().to_string();
    assert!(message.contains("steps of 7m do not make a day"), "{message}");
}

#[test]
fn the_page_needs_nothing_else_and_trusts_no_text() {
    let (series, events) = days(15, 16);
    let tested = tested(&series, &plan(&[15, 60], 96, events));
    let page = report::html(&tested, "a <b> & c", &TimeZone::UTC).unwrap();
    assert_eq!(page.matches("<svg").count(), 4);
    assert!(page.contains("a &lt;b&gt; &amp; c") && page.contains("60 min, event hours"));
    for outside in ["<script", "src=", "href=", "@import", "url("] {
        assert!(!page.contains(outside), "{outside}");
    }
}
