//! The watch over the thermometers.

use crate::{
    health::Health,
    infer::heat::{Reading, Share, hottest},
    metrics::{HEAT_SHARE, TEMPERATURE},
    supervise::{Beat, Stop, spawn},
};
use std::{path::PathBuf, sync::Arc, thread::JoinHandle, time::Duration};
use tracing::{info, warn};

/// Rounds of a second from one look to the next: what a look changes shows at the heat sink after about so long.
const ROUNDS: u32 = 10;

/// Looks at the thermometers below `sys` (`/sys`) until `stop`, and lets `share` follow; what that costs goes to `health`, the
/// metrics, and, when it begins and ends, to the log. Returns the thread `heat`.
pub fn watch(sys: PathBuf, share: Arc<Share>, health: Arc<Health>, stop: Stop, beat: Beat) -> JoinHandle<()> {
    spawn("heat", move || {
        let mut round = 0;
        while !stop.wait(Duration::from_secs(1)) {
            beat.beat();
            if round % ROUNDS == 0 {
                look(hottest(&sys).as_ref(), &share, &health);
            }
            round += 1;
        }
    })
}

/// One look.
fn look(hottest: Option<&Reading>, share: &Share, health: &Health) {
    share.decide(hottest);
    metrics::gauge!(HEAT_SHARE).set(share.get());
    if let Some(Reading { part, is, .. }) = hottest {
        metrics::gauge!(TEMPERATURE, "part" => part.clone()).set(*is);
    }
    let costs = hottest.filter(|_| share.get() < 1.0).map(|reading| words(reading, share.get()));
    match (health.heat().is_some(), &costs) {
        (false, Some(costs)) => warn!("{costs}"),
        (true, None) => info!("the box is cool again; every frame's rate is as configured"),
        _ => {}
    }
    health.set_heat(costs);
}

fn words(Reading { part, is, throttles }: &Reading, share: f32) -> String {
    format!(
        "{part} has {is:.0} °C and is throttled at {throttles:.0} °C: {:.0} % of the rate is analysed until it is cooler; \
         give the box shade, air or a heat sink",
        100.0 * share
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_heat_costs_is_told_until_it_costs_nothing() {
        let (share, health) = (Share::default(), Health::of([]));
        let at = |is| Reading { part: "cpu-thermal".into(), is, throttles: 99.0 };
        look(Some(&at(60.0)), &share, &health);
        assert_eq!(health.heat(), None);
        look(Some(&at(96.0)), &share, &health);
        let told = health.heat().unwrap();
        assert!(told.contains("96 °C") && told.contains("80 % of the rate") && told.contains("shade"), "{told}");
        look(Some(&at(91.0)), &share, &health);
        assert!(health.heat().is_some(), "until all of it is back");
        for _ in 0..3 {
            look(Some(&at(70.0)), &share, &health);
        }
        assert_eq!((health.heat(), share.get()), (None, 1.0));
    }
}
