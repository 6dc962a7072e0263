//! Retention: until when somebody is kept who enrols now.

use crate::{gallery::consent::CEILING, guide::programme::last_end};
use std::time::SystemTime;
use usher_config::{Config, programme};

/// The event's end and as long again as is configured; from now where no end is known, or it is over; never more than
/// [`CEILING`] from now. A programme that cannot be read tells no end.
pub fn end(config: &Config, now: SystemTime) -> SystemTime {
    let gallery = &config.gallery;
    let ends = gallery.event_ends.or_else(|| {
        let programme = programme::read(config.guide.programme.as_deref()?).ok()?;
        last_end(&programme)
    });
    (ends.unwrap_or(now).max(now) + gallery.keep).min(now + CEILING)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{path::Path, time::Duration};

    fn config(gallery: &str) -> Config {
        let yaml = format!(
            "site: t\ncameras: {{ c: {{ url: /dev/video0 }} }}\ngates: {{ g: {{ cameras: [c] }} }}\ngallery: {gallery}\n"
        );
        usher_config::from_text(&yaml, "test", Path::new("")).unwrap()
    }

    #[test]
    fn visitors_are_kept_for_the_event_and_a_day_and_never_longer_than_a_month() {
        let at = |text: &str| SystemTime::from(text.parse::<jiff::Timestamp>().unwrap());
        let now = at("2026-12-01T12:00:00Z");
        let event = config("{ event_ends: '2026-12-06T23:00+09:00' }");
        assert_eq!(end(&event, now), at("2026-12-07T14:00:00Z"));
        assert_eq!(end(&config("{ keep: 2 h }"), now), at("2026-12-01T14:00:00Z"));
        let over = config("{ event_ends: '2026-11-06T23:00+09:00' }");
        assert_eq!(end(&over, now), at("2026-12-02T12:00:00Z"), "an event that is over does not end enrolment");
        let far = config("{ event_ends: '2027-11-06T23:00+09:00' }");
        assert_eq!(end(&far, now), now + Duration::from_secs(30 * 24 * 3600));
    }
}
