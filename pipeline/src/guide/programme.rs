//! The next sessions of a sport.

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, civil::Date};
use std::time::{Duration, SystemTime};
use usher_config::{
    programme::{Programme, Session, Status, When},
    value::Name,
};

/// Days ahead that repeated sessions are looked for: a week, and one more for those that are over today.
const DAYS: i64 = 8;

/// A session that runs or is to come.
#[derive(Clone, Debug, PartialEq)]
pub struct Upcoming {
    /// What it is told by when its time or place changes.
    pub id: String,
    /// What is on.
    pub title: String,
    /// The sport, as the programme spells it.
    pub sport: String,
    /// The building or ground.
    pub venue: String,
    /// Where in it.
    pub place: String,
    /// The gate to take, where the programme names one.
    pub gate: Option<Name>,
    /// Whether it is held as announced.
    pub status: Status,
    /// Its beginning, by the venue's clocks.
    pub starts: Zoned,
    /// Its end, by the venue's clocks.
    pub ends: Zoned,
    /// Whether it runs at the moment asked for.
    pub is_now: bool,
}

impl Upcoming {
    /// Its beginning in RFC 3339 with the venue's offset: `2026-07-14T10:00:00+02:00`.
    pub fn starts_at(&self) -> String {
        rfc3339(&self.starts)
    }

    /// Its end, likewise.
    pub fn ends_at(&self) -> String {
        rfc3339(&self.ends)
    }
}

fn rfc3339(at: &Zoned) -> String {
    at.timestamp().display_with_offset(at.offset()).to_string()
}

/// The next sessions of a sport at a moment, the one that begins first in front, at most `how_many`.
///
/// Sessions that run count, until their end. Capitals and blanks of `sport` do not matter. A sport that the programme
/// does not have has no sessions. One that is cancelled is told where it would have been the next, since somebody may be on
/// the way to it, and where there is room for what is held instead; others that are cancelled are left out.
pub fn next_sessions(programme: &Programme, sport: &str, at: SystemTime, how_many: usize) -> Vec<Upcoming> {
    let wanted = folded(sport);
    let mut found = upcoming(programme, at, |session| folded(&session.sport) == wanted);
    let is_off = |session: &Upcoming| session.status == Status::Cancelled;
    let told = found.first().filter(|first| is_off(first) && how_many > 1).cloned();
    found.retain(|session| !is_off(session));
    found.splice(0..0, told);
    found.truncate(how_many);
    found
}

/// What is not held as announced and begins within the next 24 hours or runs, soonest first, at most `how_many`.
pub fn changes(programme: &Programme, at: SystemTime, how_many: usize) -> Vec<Upcoming> {
    let mut found = upcoming(programme, at, |session| session.status != Status::OnTime);
    let until = at + Duration::from_secs(24 * 3600);
    found.retain(|session| SystemTime::from(session.starts.timestamp()) <= until);
    found.truncate(how_many);
    found
}

/// All sessions that run at some time from `from` to `to`, soonest first; cancelled ones are none.
pub fn between(programme: &Programme, from: SystemTime, to: SystemTime) -> Vec<Upcoming> {
    let mut found = upcoming(programme, from, |session| session.status != Status::Cancelled);
    found.retain(|session| SystemTime::from(session.starts.timestamp()) <= to);
    found
}

/// All sessions of a kind that run or are to come, soonest first.
fn upcoming(programme: &Programme, at: SystemTime, is_meant: impl Fn(&Session) -> bool) -> Vec<Upcoming> {
    let Ok(now) = Timestamp::try_from(at) else { return Vec::new() };
    let now = now.to_zoned(programme.time_zone.clone());
    let meant = programme.sessions.iter().filter(|session| is_meant(session));
    let mut found: Vec<Upcoming> = meant.flat_map(|session| occurrences(session, &now)).collect();
    found.sort_by(|a, b| (a.starts.timestamp(), &a.title).cmp(&(b.starts.timestamp(), &b.title)));
    found
}

/// The sports of a programme, each once, in alphabetical order.
pub fn sports(programme: &Programme) -> Vec<String> {
    let mut sports: Vec<&String> = programme.sessions.iter().map(|session| &session.sport).collect();
    sports.sort_by_key(|sport| folded(sport));
    sports.dedup_by_key(|sport| folded(sport));
    sports.into_iter().cloned().collect()
}

/// When the last session ends; `None` where one repeats week by week, since then nothing says when that ends.
pub fn last_end(programme: &Programme) -> Option<SystemTime> {
    let end = |session: &Session| match session.when {
        When::Once { end, .. } => end.to_zoned(programme.time_zone.clone()).ok().map(|end| end.timestamp()),
        When::Weekly { .. } => None,
    };
    let ends: Option<Vec<_>> = programme.sessions.iter().map(end).collect();
    ends?.into_iter().max().map(SystemTime::from)
}

/// A sport's name as it is compared: blanks as one, capitals as small letters.
pub(crate) fn folded(sport: &str) -> String {
    sport.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase()
}

/// When a session is held from a moment on, in the coming days.
fn occurrences(session: &Session, now: &Zoned) -> Vec<Upcoming> {
    let days = |first: Date| (0..=DAYS).filter_map(move |day| first.checked_add(day.days()).ok());
    let times: Vec<_> = match &session.when {
        When::Once { start, end } => vec![(*start, *end)],
        When::Weekly { days: weekdays, start, end } => days(now.date())
            .filter(|date| weekdays.contains(&date.weekday()))
            .map(|date| (date.to_datetime(*start), date.to_datetime(*end)))
            .collect(),
    };
    let upcoming = |(start, end): (jiff::civil::DateTime, jiff::civil::DateTime)| {
        // A time that the clocks skip is moved forward, one they show twice is the first: what a venue's staff would do.
        let starts = start.to_zoned(now.time_zone().clone()).ok()?;
        let ends = end.to_zoned(now.time_zone().clone()).ok()?;
        (ends.duration_since(now) > SignedDuration::ZERO).then(|| Upcoming {
            id: session.id.clone(),
            status: session.status,
            title: session.title.clone(),
            sport: session.sport.clone(),
            venue: session.venue.clone(),
            place: session.place.clone(),
            gate: session.gate.clone(),
            is_now: starts.timestamp() <= now.timestamp(),
            starts,
            ends,
        })
    };
    times.into_iter().filter_map(upcoming).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_config::programme::from_text;

    fn at(text: &str) -> SystemTime {
        text.parse::<Timestamp>().unwrap().into()
    }

    fn programme() -> Programme {
        let session = |sport: &str, title: &str, place: &str, when: &str| {
            format!("  - {{ sport: {sport}, title: {title}, venue: Park, place: {place}, {when} }}\n")
        };
        let text = [
            "time_zone: Europe/Berlin\nsessions:\n".to_owned(),
            session("Épée", "Late", "Hall", "start: '20:00', end: '21:00', days: daily"),
            session("Épée", "Early", "Hall", "start: '10:00', end: '12:00', days: daily"),
            session("Épée", "Gala", "Hall", "start: 2026-07-14 15:00, end: 2026-07-14 16:00"),
            session("Judo", "Bouts", "Mat", "start: '9:00', end: '10:00', days: [sun]"),
        ]
        .concat();
        from_text(&text, "programme.yaml").unwrap()
    }

    fn titles(sport: &str, when: &str, how_many: usize) -> Vec<String> {
        next_sessions(&programme(), sport, at(when), how_many).into_iter().map(|one| one.title).collect()
    }

    #[test]
    fn the_next_sessions_come_in_the_order_of_their_beginning() {
        assert_eq!(titles("épée", "2026-07-14T05:00:00Z", 4), ["Early", "Gala", "Late", "Early"]);
        assert_eq!(titles("épée", "2026-07-14T05:00:00Z", 1), ["Early"]);
    }

    #[test]
    fn a_session_that_runs_counts_until_its_end() {
        let found = next_sessions(&programme(), "Épée", at("2026-07-14T09:30:00Z"), 2);
        assert_eq!((found[0].title.as_str(), found[0].is_now, found[1].is_now), ("Early", true, false));
        assert_eq!(found[0].starts_at(), "2026-07-14T10:00:00+02:00");
        assert_eq!(found[0].ends_at(), "2026-07-14T12:00:00+02:00");
        assert_eq!(titles("Épée", "2026-07-14T10:00:00Z", 1), ["Gala"]);
    }

    #[test]
    fn capitals_and_blanks_of_a_sport_do_not_matter() {
        assert_eq!(titles("  ÉPÉE ", "2026-07-15T05:00:00Z", 1), ["Early"]);
        assert!(titles("Curling", "2026-07-15T05:00:00Z", 3).is_empty());
    }

    #[test]
    fn a_session_of_some_days_waits_for_its_day() {
        // 2026-07-14 is a Tuesday.
        let found = next_sessions(&programme(), "judo", at("2026-07-14T05:00:00Z"), 3);
        assert_eq!(found.iter().map(Upcoming::starts_at).collect::<Vec<_>>(), ["2026-07-19T09:00:00+02:00"]);
        // On the day itself, when it is over, the next one is a week away.
        let found = next_sessions(&programme(), "judo", at("2026-07-19T08:00:00Z"), 3);
        assert_eq!(found.iter().map(Upcoming::starts_at).collect::<Vec<_>>(), ["2026-07-26T09:00:00+02:00"]);
    }

    /// Titles and statuses of the next sessions of a day with cancelled ones.
    fn on_a_bad_day(how_many: usize) -> Vec<(String, Status)> {
        let session = |title: &str, hour: u8, status: &str| {
            format!(
                "  - {{ sport: Judo, title: {title}, venue: Park, start: '2026-07-14 {hour}:00', end: '2026-07-14 {hour}:30', \
                 status: {status} }}\n"
            )
        };
        let sessions = [
            session("Warm-up", 9, "cancelled"),
            session("Heats", 10, "cancelled"),
            session("Bouts", 11, "delayed"),
            session("Show", 12, "cancelled"),
            session("Finals", 13, "sold_out"),
        ];
        let text = format!("time_zone: Europe/Berlin\nsessions:\n{}", sessions.concat());
        let found = next_sessions(&from_text(&text, "a.yaml").unwrap(), "judo", at("2026-07-14T05:00:00Z"), how_many);
        found.into_iter().map(|one| (one.title, one.status)).collect()
    }

    #[test]
    fn a_cancelled_session_is_told_once_where_it_would_have_been_the_next() {
        let told =
            |titles: &[(&str, Status)]| titles.iter().map(|(title, is)| ((*title).to_owned(), *is)).collect::<Vec<_>>();
        let next = [("Warm-up", Status::Cancelled), ("Bouts", Status::Delayed), ("Finals", Status::SoldOut)];
        assert_eq!(on_a_bad_day(3), told(&next));
        assert_eq!(on_a_bad_day(9), told(&next));
        assert_eq!(on_a_bad_day(2), told(&next[..2]));
        assert_eq!(on_a_bad_day(1), told(&next[1..2]), "with one line, what is held is worth more");
    }

    #[test]
    fn changes_are_what_is_not_as_announced_within_a_day() {
        let session = |title: &str, when: &str, status: &str| {
            format!(
                "  - {{ sport: {title}, title: {title}, venue: Park, start: '2026-07-{when}:00', end: '2026-07-{when}:30', \
                 status: {status} }}\n"
            )
        };
        let sessions = [
            session("Late", "15 09", "moved"),
            session("Tomorrow", "15 08", "cancelled"),
            session("Over", "14 06", "moved"),
            session("Plain", "14 10", "on_time"),
            session("Now", "14 09", "delayed"),
        ];
        let text = format!("time_zone: Europe/Berlin\nsessions:\n{}", sessions.concat());
        let programme = from_text(&text, "a.yaml").unwrap();
        // A quarter past nine by the venue's clocks.
        let found = changes(&programme, at("2026-07-14T07:15:00Z"), 9);
        assert_eq!(found.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["Now", "Tomorrow", "Late"]);
        let found = changes(&programme, at("2026-07-14T06:15:00Z"), 9);
        assert_eq!(found.iter().map(|one| one.title.as_str()).collect::<Vec<_>>(), ["Now", "Tomorrow"]);
        assert_eq!(changes(&programme, at("2026-07-14T06:15:00Z"), 1).len(), 1);
    }

    #[test]
    fn the_offset_follows_the_venues_clocks_through_the_year() {
        let found = next_sessions(&programme(), "épée", at("2026-10-24T21:30:00Z"), 1);
        assert_eq!(found[0].starts_at(), "2026-10-25T10:00:00+01:00");
    }

    #[test]
    fn every_sport_is_listed_once() {
        assert_eq!(sports(&programme()), ["Judo", "Épée"]);
    }

    #[test]
    fn the_shipped_programme_always_has_three_next_sessions() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../config/programme.yaml");
        let programme = usher_config::programme::read(std::path::Path::new(path)).unwrap();
        for sport in sports(&programme) {
            for hour in 0..24 * 8 {
                let now = at("2026-03-26T00:00:00Z") + Duration::from_secs(hour * 3600);
                assert_eq!(next_sessions(&programme, &sport, now, 3).len(), 3, "{sport}");
            }
        }
    }
}
