//! Metrics: one list of names, so that docs, code and dashboards agree. No identity in any label.

use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusHandle};
use std::time::Duration;

/// Frames that a newer one replaced before a worker took them (load); by `camera`.
pub const PASSED_OVER: &str = "usher_frames_passed_over_total";
/// Frames analysed; by `camera`.
pub const ANALYSED: &str = "usher_frames_analysed_total";
/// Frames without people and without change, which went without the detector; by `camera`.
pub const UNCHANGED: &str = "usher_frames_unchanged_total";
/// Frames beyond `infer.analysed_fps`; by `camera`.
pub const BEYOND_RATE: &str = "usher_frames_beyond_rate_total";
/// Looks at the changed configuration; by `result`: applied, unchanged or refused.
pub const CONFIG_RELOADS: &str = "usher_config_reloads_total";
/// Times a camera was lost; by `camera` and `reason`.
pub const CAMERA_LOST: &str = "usher_camera_lost_total";
/// What came of enrolments at the page; by `outcome`: enrolled, like_another or refused.
pub const ENROLMENTS: &str = "usher_enrolments_total";
/// Passes shown to a camera; by `outcome`: unknown, unlocked or greeted.
pub const PASSES: &str = "usher_passes_total";
/// Data passed over one by one; by `stage` and `reason`.
pub const SKIPPED: &str = "usher_skipped_total";
/// Seconds a stage took for one item; by `stage`.
pub const STAGE_SECONDS: &str = "usher_stage_seconds";
/// People counted (tracks that ended); by `camera`.
pub const PEOPLE: &str = "usher_people_total";
/// Decisions; by `gate` and `deed`.
pub const DECISIONS: &str = "usher_decisions_total";
/// Seconds from the arrival of the first usable look to the broker's acknowledgement of the visit; by `gate`.
pub const ACKNOWLEDGED_SECONDS: &str = "usher_first_look_to_acknowledged_seconds";
/// Seconds from the arrival of the look that settled a visit to the broker's acknowledgement; by `gate`.
pub const SETTLED_ACKNOWLEDGED_SECONDS: &str = "usher_settling_look_to_acknowledged_seconds";
/// Seconds since a frame's arrival, when its look begins and when the visit that it settles is decided; by `at`: look or decision.
pub const FRAME_AGE_SECONDS: &str = "usher_frame_age_seconds";
/// Visits kept that the broker has not acknowledged.
pub const OUTBOX_DEPTH: &str = "usher_outbox_depth";
/// Visits acknowledged by the broker.
pub const ACKNOWLEDGED: &str = "usher_visits_acknowledged_total";
/// Events that expired before they could be sent; by `kind`.
pub const EXPIRED: &str = "usher_events_expired_total";
/// 1 while something cannot be written to the data folder; by `part`, `outbox` or `gallery`.
pub const DISK_FAILS: &str = "usher_disk_fails";
/// 1 while the broker is connected.
pub const BROKER_UP: &str = "usher_broker_up";
/// Visitors enrolled now.
pub const ENROLLED: &str = "usher_enrolled";
/// Of the last walks that ended without a name, the share that came as near to somebody enrolled as a tenth should.
pub const STRANGERS_NEAR: &str = "usher_strangers_near_ratio";
/// Old pipelines of a camera that overran their deadline on the way down; by `camera`.
pub const CAMERA_TEARDOWN_OVERRUN: &str = "usher_camera_teardown_overrun_total";

/// People who came in, as flow counts them; by `gate`.
pub const GATE_ENTERED: &str = "usher_gate_entered_total";
/// People who went out; by `gate`.
pub const GATE_LEFT: &str = "usher_gate_left_total";
/// Came in less went out; by `gate`. Like every figure of a gate below, it is not a number while it is not known.
pub const GATE_INSIDE: &str = "usher_gate_inside";
/// Cameras that do not count now; by `gate`.
pub const GATE_LOST_CAMERAS: &str = "usher_gate_lost_cameras";
/// People in the queue; by `gate`.
pub const GATE_QUEUE: &str = "usher_gate_queue_people";
/// Seconds from the back of the queue to the gate; by `gate`.
pub const GATE_WAIT: &str = "usher_gate_wait_seconds";
/// Lanes that are open; by `gate`.
pub const GATE_LANES: &str = "usher_gate_lanes_open";
/// What staff may do now: how many advices; by `gate` and `kind`.
pub const GATE_ADVICE: &str = "usher_gate_advice";
/// Median of the people a minute who will arrive; by `gate` and `minutes` from now.
pub const GATE_FORECAST: &str = "usher_gate_forecast_per_minute";
/// Median of the seconds that one will wait; by `gate` and `minutes` from now.
pub const GATE_FORECAST_WAIT: &str = "usher_gate_forecast_wait_seconds";
/// The share of forecasts so far ahead that held, of late; by `gate`, `minutes` and `interval`, 80 or 95.
pub const GATE_COVERAGE: &str = "usher_gate_forecast_coverage_ratio";
/// Mean absolute error of forecasts so far ahead, people a minute; by `gate` and `minutes`.
pub const GATE_ERROR: &str = "usher_gate_forecast_error_per_minute";

/// Degrees Celsius of what has the fewest left before it is throttled; by `part`.
pub const TEMPERATURE: &str = "usher_temperature_celsius";
/// The share of the configured rate that heat leaves, from 0.25 to 1.
pub const HEAT_SHARE: &str = "usher_heat_share";

/// Upper bounds of the buckets of every histogram in seconds: a stage takes a millisecond, a greeting half a second.
/// No frame is older than a quarter of a second.
const SECONDS: [f64; 17] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.75, 1.0, 2.5];

/// Name and meaning of every counter, gauge and histogram; also the table of `docs/operate.md`.
pub const COUNTERS: &[(&str, &str)] = &[
    (PASSED_OVER, "frames that a newer one replaced before a worker took them (load), by camera"),
    (ANALYSED, "frames analysed, by camera"),
    (UNCHANGED, "frames without people and without change, which went without the detector, by camera"),
    (BEYOND_RATE, "frames beyond `infer.analysed_fps`, by camera"),
    (CONFIG_RELOADS, "times the configuration was read anew, by result: applied, unchanged or refused"),
    (CAMERA_LOST, "times a camera was lost, by camera and reason"),
    (CAMERA_TEARDOWN_OVERRUN, "old camera pipelines that overran their deadline on the way down, by camera"),
    (ENROLMENTS, "what came of enrolments at the page, by outcome; whoever is like another is enrolled as well"),
    (PASSES, "passes shown to a camera, by outcome"),
    (SKIPPED, "data passed over one by one, by stage and reason"),
    (PEOPLE, "people counted, enrolled or not, by camera"),
    (DECISIONS, "decisions, by gate and deed"),
    (ACKNOWLEDGED, "visits acknowledged by the broker"),
    (EXPIRED, "events that expired before they could be sent, by kind"),
    (GATE_ENTERED, "people who came in, as flow counts them, by gate"),
    (GATE_LEFT, "people who went out, by gate"),
];
/// See [`COUNTERS`].
pub const GAUGES: &[(&str, &str)] = &[
    (OUTBOX_DEPTH, "visits kept that the broker has not acknowledged"),
    (DISK_FAILS, "1 while visits (outbox) or consents and people (gallery) cannot be written to the disk, by part"),
    (BROKER_UP, "1 while the broker acknowledges"),
    (ENROLLED, "visitors enrolled now"),
    (
        STRANGERS_NEAR,
        "of the last walks that ended without a name, the share that came as near to somebody enrolled as 0.1 should",
    ),
    (TEMPERATURE, "degrees Celsius of the part that is nearest to being throttled, by part"),
    (HEAT_SHARE, "share of `infer.analysed_fps` and `calm_fps` that heat leaves: 1 on a cool box, 0.25 at least"),
    (GATE_INSIDE, "came in less went out, by gate; NaN while it is not known, as all figures of gates"),
    (GATE_LOST_CAMERAS, "cameras that do not count now, by gate"),
    (GATE_QUEUE, "people in the queue, by gate"),
    (GATE_WAIT, "seconds from the back of the queue to the gate, by gate"),
    (GATE_LANES, "lanes that are open, by gate"),
    (GATE_ADVICE, "what staff may do now: how many advices, by gate and kind"),
    (GATE_FORECAST, "median of the people a minute who will arrive, by gate and minutes from now"),
    (GATE_FORECAST_WAIT, "median of the seconds that one will wait, by gate and minutes from now"),
    (GATE_COVERAGE, "share of the last forecasts that held, by gate, minutes and interval (80 or 95)"),
    (GATE_ERROR, "mean absolute error of the last forecasts, people a minute, by gate and minutes"),
];
/// See [`COUNTERS`].
pub const HISTOGRAMS: &[(&str, &str)] = &[
    (STAGE_SECONDS, "seconds a stage took for one round, by stage"),
    (ACKNOWLEDGED_SECONDS, "seconds from the first usable look to the broker's acknowledgement, by gate"),
    (
        SETTLED_ACKNOWLEDGED_SECONDS,
        "seconds from the look that settled a visit to the broker's acknowledgement, by gate",
    ),
    (
        FRAME_AGE_SECONDS,
        "seconds since a frame's arrival when its look begins, and when the visit it settles is decided, by at: look or decision",
    ),
];

/// Makes this process count. To be called once; `render` of the handle is the text of `/metrics`.
///
/// # Errors
/// When another recorder is installed already.
pub fn install() -> Result<PrometheusHandle, BuildError> {
    let builder = PrometheusBuilder::new()
        .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &SECONDS)?
        .upkeep_timeout(Duration::from_secs(5));
    let handle = builder.install_recorder()?;
    COUNTERS.iter().for_each(|(name, meaning)| metrics::describe_counter!(*name, *meaning));
    GAUGES.iter().for_each(|(name, meaning)| metrics::describe_gauge!(*name, *meaning));
    HISTOGRAMS.iter().for_each(|(name, meaning)| metrics::describe_histogram!(*name, *meaning));
    Ok(handle)
}

/// The text of metrics without those of cameras and gates that are no more: a series that was counted once is told for ever
/// otherwise. `is_there` is asked by label and value.
pub fn without_removed(text: &str, is_there: impl Fn(&str, &str) -> bool) -> String {
    let stays = |line: &&str| {
        line.starts_with('#')
            || ["camera", "gate"].iter().all(|label| {
                let named = line.split_once(&format!("{label}=\"")).and_then(|(_, rest)| rest.split_once('"'));
                named.is_none_or(|(value, _)| is_there(label, value))
            })
    };
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n').filter(stays) {
        kept.push_str(line);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_of_what_was_removed_are_not_told() {
        let text = "# TYPE a counter\na{camera=\"c-1\",reason=\"x\"} 1\na{camera=\"c-2\"} 2\nb{gate=\"g\"} 3\nb{gate=\"h\"} 4\nd 5\n";
        let told = without_removed(text, |label, value| [("camera", "c-2"), ("gate", "g")].contains(&(label, value)));
        assert_eq!(told, "# TYPE a counter\na{camera=\"c-2\"} 2\nb{gate=\"g\"} 3\nd 5\n");
        assert_eq!(without_removed(text, |_, _| true), text);
    }

    #[test]
    fn the_operators_page_lists_every_metric() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/operate.md");
        let page = std::fs::read_to_string(path).unwrap();
        let rows = |kind: &str, of: &[(&str, &str)]| -> String {
            of.iter().map(|(name, meaning)| format!("| `{name}` | {kind} | {meaning} |\n")).collect()
        };
        let (counters, gauges) = (rows("counter", COUNTERS), rows("gauge", GAUGES));
        let table =
            format!("| metric | kind | meaning |\n|---|---|---|\n{counters}{gauges}{}", rows("histogram", HISTOGRAMS));
        let (before, rest) = page.split_once("its test -->\n").unwrap();
        let (_, after) = rest.split_once("<!-- end -->").unwrap();
        let fresh = format!("{before}its test -->\n{table}<!-- end -->{after}");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        assert_eq!(
            std::fs::read_to_string(path).unwrap(),
            fresh,
            "run this test with BLESS=1 to renew docs/operate.md"
        );
    }
}
