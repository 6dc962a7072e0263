//! The concierge: everything that a visitor may be told, asked in one place.
//!
//! Publish asks while a greeting is made, the visitor's own pages whenever they are opened. What it answers from is read anew when a
//! file changes; what it remembers of anybody is a key and the day they were told, in memory, until the day ends.

use crate::{
    gallery::visitor::Visitor,
    guide::{
        day::{Day, Nearby, StopKind, pair},
        liking::Seen,
        live::Live,
        places::{Asked, suggest},
        plan::{Site, Unplannable, Wanted, day_for},
        programme::{self, Upcoming},
        takeaway::TakeAway,
        ways::straight,
    },
};
use data_encoding::BASE32_NOPAD;
use jiff::{Timestamp, Zoned, tz::TimeZone};
use rand::{TryRng, rngs::SysRng};
use ring::hmac;
use std::{
    collections::{BTreeMap, HashSet},
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};
use usher_config::{
    places::{Kind, Place, Places, Position},
    value::Name,
};

/// Letters by which screens tell groups apart: chance makes two of a venue's groups alike once in a million days.
const PARTY: usize = 16;

/// Answers for one box.
pub struct Concierge {
    live: Arc<Live>,
    keys: TakeAway,
    /// Makes the words of groups, another set of them at each start.
    words: hmac::Key,
    /// Where visitors' telephones reach this box.
    address: Option<String>,
    /// How long one waits at gates now, where that is measured.
    waits: Mutex<BTreeMap<Name, Duration>>,
    /// How many go to places now, where a camera counts.
    seen: Mutex<Seen>,
    /// Gates that no plan begins at, said once.
    said: Mutex<HashSet<Name>>,
}

impl Concierge {
    /// One that answers from `live`; links to take a day along lead to `address` (`https://HOST[:PORT]`).
    ///
    /// # Panics
    /// When the system has no randomness to give at start.
    pub fn new(live: Arc<Live>, address: Option<String>) -> Self {
        let mut secret = [0; 32];
        SysRng.try_fill_bytes(&mut secret).expect("the system's random source does not fail after boot");
        Self {
            live,
            keys: TakeAway::default(),
            words: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            address,
            waits: Mutex::new(BTreeMap::new()),
            seen: Mutex::new(Seen::new()),
            said: Mutex::new(HashSet::new()),
        }
    }

    /// Says how long one waits at gates now; days are planned with it from then on.
    pub fn set_waits(&self, waits: BTreeMap<Name, Duration>) {
        *self.waits.lock().expect("no holder of this lock panics") = waits;
    }

    /// Says how many people a minute cameras count now; places with one of them are popular or quiet from then on.
    pub fn set_seen(&self, seen: Seen) {
        *self.seen.lock().expect("no holder of this lock panics") = seen;
    }

    /// The programme's sports, each once, in alphabetical order.
    pub fn sports(&self) -> Vec<String> {
        self.live.load().programme.as_deref().map(programme::sports).unwrap_or_default()
    }

    /// The next sessions of a sport, soonest first.
    pub fn sessions(&self, sport: &str, at: SystemTime, how_many: usize) -> Vec<Upcoming> {
        let guide = self.live.load();
        let programme = guide.programme.as_ref();
        programme.map(|programme| programme::next_sessions(programme, sport, at, how_many)).unwrap_or_default()
    }

    /// What of the programme is not as announced in the next 24 hours, soonest first.
    pub fn changes(&self, at: SystemTime, how_many: usize) -> Vec<Upcoming> {
        let guide = self.live.load();
        guide.programme.as_ref().map(|programme| programme::changes(programme, at, how_many)).unwrap_or_default()
    }

    /// All sessions that run at some time from `from` to `to`, soonest first.
    pub fn between(&self, from: SystemTime, to: SystemTime) -> Vec<Upcoming> {
        let guide = self.live.load();
        guide.programme.as_ref().map(|programme| programme::between(programme, from, to)).unwrap_or_default()
    }

    /// What the rest of a visitor's day could be, from a gate on, or from when they mean to arrive where no gate saw them yet.
    /// `None` where there is nothing to plan with, or nothing to do any more.
    pub fn day(&self, visitor: &Visitor, gate: Option<&Name>, at: SystemTime) -> Option<Day> {
        let guide = self.live.load();
        let (programme, places) = (guide.programme.as_ref()?, guide.places.as_ref()?);
        let site = Site {
            programme,
            places,
            ways: guide.ways.as_ref()?,
            legs: guide.legs.as_ref()?,
            departures: guide.departures(),
        };
        let now = zoned(at, programme.time_zone.clone())?;
        let wishes = &visitor.wishes;
        let from = gate.cloned().or_else(|| Name::new(&first_gate(places)?.name))?;
        let wanted = Wanted {
            sports: std::iter::once(&visitor.sport).chain(&wishes.sports).cloned().collect(),
            food: wishes.food.clone(),
            step_free: wishes.step_free,
            from: from.clone(),
            at: if gate.is_some() { now } else { arrival(wishes.arrival.as_deref(), now) },
            until: None,
            waits: self.waits.lock().expect("no holder of this lock panics").clone(),
            seen: self.seen.lock().expect("no holder of this lock panics").clone(),
            before: self.keys.told(visitor.id, at),
        };
        match day_for(&site, &wanted) {
            Ok(planned) => {
                let is_worth_it = |kind| matches!(kind, StopKind::Session | StopKind::Meal);
                let day = planned.day;
                if !day.stops.iter().any(|stop| is_worth_it(stop.kind)) {
                    return None;
                }
                self.keys.tell(visitor.id, &day, at);
                Some(day)
            }
            Err(why) => {
                self.say_once(&from, &why);
                None
            }
        }
    }

    /// Where a visitor would like to eat or rest near by, the best first: near `here` where they say where they are, else where their
    /// day has led them by now. Whether it was near `here` is told beside it: who is not at the venue is told what is near the gate.
    pub fn nearby(&self, visitor: &Visitor, here: Option<Position>, at: SystemTime) -> (Vec<Nearby>, bool) {
        let guide = self.live.load();
        let zone = guide.programme.as_ref().map_or(TimeZone::UTC, |programme| programme.time_zone.clone());
        let Some(((places, ways), when)) = guide.places.as_ref().zip(guide.ways.as_ref()).zip(zoned(at, zone)) else {
            return (Vec::new(), false);
        };
        let here = here.filter(|here| places.places.iter().any(|place| straight(*here, place.at) < SITE_METRES));
        let by_plan = || self.keys.told(visitor.id, at).and_then(|day| reached(&day, at));
        let Some(near) = here.or_else(by_plan).or_else(|| Some(first_gate(places)?.at)) else {
            return (Vec::new(), false);
        };
        let seen = self.seen.lock().expect("no holder of this lock panics").clone();
        let asked = Asked {
            at: near,
            when,
            kinds: &[Kind::Restaurant, Kind::Cafe, Kind::Kiosk, Kind::Rest],
            food: &visitor.wishes.food,
            step_free: visitor.wishes.step_free,
            price: None,
            seen: &seen,
        };
        let told = suggest(places, ways, &asked, NEARBY).into_iter().map(|found| {
            let place = &places.places[found.place];
            Nearby {
                kind: place.kind.word(),
                name: place.name.clone(),
                walk_s: found.walk.seconds,
                walk_m: found.walk.metres,
                at: pair(place.at),
                why: found.why,
            }
        });
        (told.collect(), here.is_some())
    }

    fn say_once(&self, gate: &Name, why: &Unplannable) {
        // That a day is over is no fault of anybody.
        if matches!(why, Unplannable::Over { .. } | Unplannable::NoTime { .. }) {
            return;
        }
        if self.said.lock().expect("no holder of this lock panics").insert(gate.clone()) {
            tracing::warn!(%gate, %why, "no day can be planned");
        }
    }

    /// The link by which a visitor takes the day along, to be shown as a symbol: `HTTPS://HOST/D#KEY`, in the letters that take
    /// least room. `None` where no address was given.
    pub fn link(&self, visitor: &Visitor, at: SystemTime) -> Option<String> {
        let address = self.address.as_ref()?.to_ascii_uppercase();
        Some(format!("{address}{PAGE}#{}", self.keys.key_of(visitor.id, at)?))
    }

    /// The keys that were given out.
    pub fn keys(&self) -> &TakeAway {
        &self.keys
    }

    /// A word for those with whom a visitor wants to be greeted: the same for all of them, until usher ends, and nothing else.
    pub fn party(&self, visitor: &Visitor) -> Option<String> {
        let code = visitor.wishes.together.as_ref()?;
        let tag = hmac::sign(&self.words, code.as_bytes());
        let mut word = BASE32_NOPAD.encode(tag.as_ref());
        word.truncate(PARTY);
        Some(word)
    }

    /// The site as screens draw it: areas, paths and places; `None` where nobody drew one.
    pub fn map(&self) -> Option<serde_json::Value> {
        let guide = self.live.load();
        let places = guide.places.as_ref()?;
        let line = |line: &[Position]| line.iter().copied().map(pair).collect::<Vec<_>>();
        let areas: Vec<_> = places
            .areas
            .iter()
            .map(|area| serde_json::json!({ "kind": area.kind, "name": area.name, "outline": line(&area.outline) }))
            .collect();
        let drawn: Vec<_> = places
            .places
            .iter()
            .map(|place| serde_json::json!({ "kind": place.kind.word(), "name": place.name, "at": pair(place.at) }))
            .collect();
        let paths: Vec<_> = places.paths.iter().map(|path| line(&path.line)).collect();
        Some(serde_json::json!({ "areas": areas, "paths": paths, "places": drawn }))
    }
}

/// Places near by that are told at once.
const NEARBY: usize = 5;
/// Whoever is further from every place is not at the venue, metres.
const SITE_METRES: f64 = 1_500.0;

fn first_gate(places: &Places) -> Option<&Place> {
    places.places.iter().find(|place| place.kind == Kind::Gate)
}

/// Where a day has led by a time: the last stop that has begun.
fn reached(day: &Day, at: SystemTime) -> Option<Position> {
    let now = Timestamp::try_from(at).ok()?;
    let begun = day.stops.iter().filter(|stop| stop.starts.parse::<Timestamp>().is_ok_and(|starts| starts <= now));
    let [longitude, latitude] = begun.filter_map(|stop| stop.at).next_back()?;
    Some(Position { longitude, latitude })
}

/// The page that a link leads to.
pub const PAGE: &str = "/D";

fn zoned(at: SystemTime, zone: TimeZone) -> Option<Zoned> {
    Some(Timestamp::try_from(at).ok()?.to_zoned(zone))
}

/// When a visitor comes: at the time they gave, where that is still to come today; now, where not.
fn arrival(said: Option<&str>, now: Zoned) -> Zoned {
    let time = said.and_then(|said| said.parse::<jiff::civil::Time>().ok());
    let comes = time.and_then(|time| now.date().to_datetime(time).to_zoned(now.time_zone().clone()).ok());
    comes.filter(|comes| comes.timestamp() > now.timestamp()).unwrap_or(now)
}
