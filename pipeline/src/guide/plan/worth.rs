//! What the parts of a day are worth.
//!
//! One point is what a minute on foot costs; everything else is said in it. Nobody can measure how much a session pleases,
//! so the numbers keep to what people say: the dearest sport first, a meal before a session of the third sport, ten
//! minutes' walk for a clearly better meal, and rather waiting than going home without what one came for.

use jiff::civil::{Time, time};
use usher_config::places::Kind;

/// Marks of a point: so that costs of a second are whole.
pub const POINT: i64 = 600;
/// Marks that a second on foot costs: 1 point a minute.
pub const WALKING: i64 = 10;
/// Marks that a second of waiting costs: a tenth of a point a minute. Nine hours until the evening's final cost 54 points,
/// half of what the final is worth: they are waited for, and spent on what else there is.
pub const WAITING: i64 = 1;

/// What a session of the first, second and third favourite sport is worth, and of all further ones, in hundredths. Two of
/// the second sport are worth a little more than one of the first at the same time.
pub const RANKS: [i64; 4] = [100, 60, 40, 25];
/// Points for seeing a session at all.
const SESSION: i64 = 60;
/// Seconds of it for another point: two minutes. A session twice as long is worth half as much again, not twice.
const SESSION_SECONDS: i64 = 120;
/// Seconds to be at a session before it begins, after the gate: bags are looked into and a seat is found. Organisers ask
/// for more; what is known of the queue is added.
pub const SEATED: u32 = 600;

/// Marks of a session of the sport of a rank (0 = the dearest), of so many seconds.
pub fn session(rank: usize, seconds: u32) -> i64 {
    let marks = SESSION * POINT + i64::from(seconds) * POINT / SESSION_SECONDS;
    marks * RANKS[rank.min(RANKS.len() - 1)] / 100
}

/// A meal: when it is, by the venue's clocks; it begins and ends between.
pub struct Meal {
    /// From when.
    pub from: Time,
    /// Until when.
    pub to: Time,
}

/// Lunch and dinner. One of each a day.
pub const MEALS: [Meal; 2] = [
    Meal { from: time(11, 30, 0, 0), to: time(14, 30, 0, 0) },
    Meal { from: time(17, 30, 0, 0), to: time(21, 0, 0, 0) },
];

/// Seconds that a meal takes, and points for having it, by where; `None` where one cannot eat. Who is in a hurry eats
/// standing: less worth, but in half the time.
pub const fn meal(kind: Kind) -> Option<(u32, i64)> {
    match kind {
        Kind::Restaurant => Some((40 * 60, 60)),
        Kind::Cafe => Some((30 * 60, 50)),
        Kind::Kiosk => Some((20 * 60, 40)),
        _ => None,
    }
}

/// Points between the least and the most liked place for a meal: 40 minutes' walk, so that a clearly better one (a
/// quarter) is worth ten.
pub const LIKING: f64 = 40.0;
/// How much of that a meal that meets a liking (`noodles`) has before the others.
pub const LIKED: f64 = 0.5;
/// How much popularity counts. The rest is the same for all.
pub const POPULAR: f64 = 0.5;

/// Seconds of a rest: long enough to sit down and drink something.
pub const REST: u32 = 20 * 60;
/// Points for a rest: taken when it is on the way, never instead of a session or a meal.
pub const RESTED: i64 = 15;
/// Seconds after the arrival before a rest is of use: three busy hours.
pub const BUSY: u32 = 3 * 3600;
/// Seconds between a meal's time and a rest: a meal is a rest.
pub const APART: u32 = 30 * 60;

/// Points for a stop that was told before, when planning again: a plan that changes all the time is no help. As much as
/// fifteen minutes on foot: what is clearly better still comes instead.
pub const KEPT: i64 = 15;
