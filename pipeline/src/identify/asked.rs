//! By which rules it is asked who somebody is, and at which cameras.

use crate::{
    capture::frame::Camera,
    in_force::{Follower, InForce, Settings},
};
use std::{collections::BTreeMap, sync::Arc};
use usher_config::{identify::Rules, value::Name};

/// The rules: those of a recording hold as they are, those of a gate as they are in force.
pub enum Asked {
    /// By these, at every camera.
    By(Rules),
    /// As is in force.
    InForce(Follower),
}

impl From<Rules> for Asked {
    fn from(rules: Rules) -> Self {
        Self::By(rules)
    }
}

impl From<&Arc<InForce>> for Asked {
    fn from(in_force: &Arc<InForce>) -> Self {
        Self::InForce(in_force.follow("identify"))
    }
}

impl Asked {
    pub(super) fn rules(&self) -> Rules {
        match self {
            Self::By(rules) => rules.clone(),
            Self::InForce(follower) => follower.now().config.rules.clone(),
        }
    }

    pub(super) fn news(&mut self) -> Option<Arc<Settings>> {
        match self {
            Self::By(_) => None,
            Self::InForce(follower) => follower.news(),
        }
    }

    /// The camera that a look was taken at, knowing nobody whom its gate may not know both then and now. `None`: it was removed, or
    /// belongs to another gate by now.
    pub(super) fn camera(&self, then: &Arc<Camera>) -> Option<Arc<Camera>> {
        match self {
            Self::By(_) => Some(then.clone()),
            Self::InForce(follower) => allowed(then, &follower.now().cameras),
        }
    }
}

fn allowed(then: &Arc<Camera>, cameras: &BTreeMap<Name, Arc<Camera>>) -> Option<Arc<Camera>> {
    let now = cameras.get(&then.name).filter(|now| now.gate == then.gate)?;
    Some(if now.identifies { then } else { now }.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capture::frame::Zone;
    use usher_config::decide::Liveness;

    fn camera(gate: &str, identifies: bool) -> Arc<Camera> {
        let name = |text| Name::new(text).unwrap();
        let (zone, liveness) = (Zone::default(), Liveness::Off);
        Arc::new(Camera { name: name("a"), gate: name(gate), zone, liveness, identifies })
    }

    #[test]
    fn nobody_is_compared_with_more_people_than_the_gate_may_know_both_then_and_now() {
        for (then, now, may) in [(true, true, true), (true, false, false), (false, true, false), (false, false, false)]
        {
            let cameras = BTreeMap::from([(Name::new("a").unwrap(), camera("g", now))]);
            assert_eq!(allowed(&camera("g", then), &cameras).unwrap().identifies, may, "{then} {now}");
            assert!(allowed(&camera("other", then), &cameras).is_none(), "it belongs to another gate now");
        }
        assert!(allowed(&camera("g", true), &BTreeMap::new()).is_none(), "it was removed");
    }
}
