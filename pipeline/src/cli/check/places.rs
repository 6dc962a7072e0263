//! Names that places and the configuration must share.
//!
//! Each file is right by itself; what one calls `gate-b` the other must call so too, or a day begins nowhere and a count is nobody's.

use std::collections::BTreeSet;
use usher_config::{
    Config,
    places::{Kind, Places},
};

/// What fits nowhere, each with its mend.
pub(crate) fn strangers(places: &Places, config: &Config) -> Vec<String> {
    let drawn: BTreeSet<&str> =
        places.places.iter().filter(|place| place.kind == Kind::Gate).map(|gate| gate.name.as_str()).collect();
    let undrawn = config.gates.keys().filter(|gate| !drawn.contains(gate.as_str())).map(|gate| {
        let known = known(&drawn);
        format!("the places have no gate `{gate}`, so no day can begin there: add a point of `kind: gate` with that name ({known})")
    });
    let cameras: BTreeSet<&str> = config.cameras.keys().map(|name| name.as_str()).collect();
    let unseen = places.places.iter().filter_map(|place| {
        let camera = place.camera.as_ref().filter(|camera| !cameras.contains(camera.as_str()))?;
        let known = known(&cameras);
        Some(format!(
            "the place `{}` is counted by camera `{camera}`, which is none of the cameras: mend the name, or leave `camera` out ({known})",
            place.name
        ))
    });
    undrawn.chain(unseen).collect()
}

fn known(names: &BTreeSet<&str>) -> String {
    if names.is_empty() {
        return "there is none yet".to_owned();
    }
    format!("there are: {}", names.iter().copied().collect::<Vec<_>>().join(", "))
}
