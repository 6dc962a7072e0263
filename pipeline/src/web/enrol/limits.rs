//! How often one address may ask: so that nobody tries passes or wears the box out.

use axum::http::StatusCode;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::{net::IpAddr, num::NonZeroU32};

/// Addresses remembered before those that are quiet are dropped.
const ADDRESSES: usize = 4096;

/// What is limited.
#[derive(Clone, Copy)]
pub(super) enum What {
    /// Looks while framing: several a second.
    Look,
    /// Enrolments: as quick as a person is, and a queue at one tablet.
    Enrol,
    /// Passes that are looked at: as quick as somebody presses a button.
    Pass,
    /// Days that are looked at; a page of a pass asks for both.
    Day,
    /// Passes whose holders want to be forgotten: never held up by how often they looked before.
    Forget,
    /// What staff ask for.
    Staff,
}

/// A limiter for each kind.
pub(super) struct Limits {
    look: DefaultKeyedRateLimiter<IpAddr>,
    enrol: DefaultKeyedRateLimiter<IpAddr>,
    pass: DefaultKeyedRateLimiter<IpAddr>,
    day: DefaultKeyedRateLimiter<IpAddr>,
    forget: DefaultKeyedRateLimiter<IpAddr>,
    staff: DefaultKeyedRateLimiter<IpAddr>,
}

impl Default for Limits {
    fn default() -> Self {
        let number = |n| NonZeroU32::new(n).expect("it is not zero");
        let limiter =
            |a_second, at_once| RateLimiter::keyed(Quota::per_second(number(a_second)).allow_burst(number(at_once)));
        Self {
            look: limiter(12, 24),
            enrol: limiter(2, 40),
            pass: limiter(1, 20),
            day: limiter(1, 20),
            forget: limiter(1, 20),
            staff: limiter(5, 20),
        }
    }
}

impl Limits {
    /// Whether this address may ask now.
    pub(super) fn admit(&self, what: What, from: IpAddr) -> Result<(), StatusCode> {
        let limiter = match what {
            What::Look => &self.look,
            What::Enrol => &self.enrol,
            What::Pass => &self.pass,
            What::Day => &self.day,
            What::Forget => &self.forget,
            What::Staff => &self.staff,
        };
        if limiter.len() > ADDRESSES {
            limiter.retain_recent();
        }
        limiter.check_key(&from).map_err(|_| StatusCode::TOO_MANY_REQUESTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_too_often_waits_and_nobody_else() {
        let limits = Limits::default();
        let (one, other) = (IpAddr::from([10, 0, 0, 1]), IpAddr::from([10, 0, 0, 2]));
        assert!((0..20).all(|_| limits.admit(What::Pass, one).is_ok()));
        assert_eq!(limits.admit(What::Pass, one), Err(StatusCode::TOO_MANY_REQUESTS));
        assert!(limits.admit(What::Pass, other).is_ok());
        assert!([What::Look, What::Day, What::Forget].into_iter().all(|what| limits.admit(what, one).is_ok()));
    }
}
