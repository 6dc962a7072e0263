//! Metric names: one list, so that docs, code and dashboards agree. No identity in any label.

/// Frames that a newer one replaced before they were analysed; by `camera`.
pub const PASSED_OVER: &str = "usher_frames_passed_over_total";
/// Frames analysed; by `camera`.
pub const ANALYSED: &str = "usher_frames_analysed_total";
/// Times a camera was lost; by `camera` and `reason`.
pub const CAMERA_LOST: &str = "usher_camera_lost_total";
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
/// Visits kept that the broker has not acknowledged.
pub const OUTBOX_DEPTH: &str = "usher_outbox_depth";
/// Visits acknowledged by the broker.
pub const ACKNOWLEDGED: &str = "usher_visits_acknowledged_total";
/// Events that expired before they could be sent; by `kind`.
pub const EXPIRED: &str = "usher_events_expired_total";
/// 1 while the broker is connected.
pub const BROKER_UP: &str = "usher_broker_up";
/// Visitors enrolled now.
pub const ENROLLED: &str = "usher_enrolled";
/// Old pipelines of a camera that overran their deadline on the way down; by `camera`.
pub const CAMERA_TEARDOWN_OVERRUN: &str = "usher_camera_teardown_overrun_total";
