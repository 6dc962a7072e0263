//! Networks that a site brought may be named, and nothing else.
#![allow(clippy::unwrap_used, reason = "a test says no more by another word")]

use std::fs;
use usher_config::{decide::Liveness, from_text};

#[test]
fn a_network_is_known_once_it_lies_in_the_data_folder() {
    let folder = tempfile::tempdir().unwrap();
    let text = "site: s\ndata: data\ncameras: { cam: { url: /dev/video0 } }\n\
                gates: { gate: { cameras: [cam], liveness: required } }\n\
                infer: { detector: faces, embedder: r50, liveness: minifasnet+own }\n";
    let refused = from_text(text, "a.yaml", folder.path()).unwrap_err().to_string();
    for name in ["faces", "r50", "own"] {
        assert!(refused.contains(&format!("there is no network `{name}`")), "{refused}");
    }
    assert!(refused.contains("usher models import"), "{refused}");
    fs::create_dir_all(folder.path().join("data/models")).unwrap();
    for name in ["faces", "r50", "own"] {
        fs::write(folder.path().join(format!("data/models/{name}.safetensors")), "").unwrap();
    }
    let config = from_text(text, "a.yaml", folder.path()).unwrap();
    assert_eq!((&*config.infer.embedder, &*config.infer.liveness), ("r50", "minifasnet+own"));
    assert!(config.gates.values().all(|gate| gate.liveness == Liveness::Required));
    // A network of another kind is none of this one, and no path is a name.
    for wrong in ["sface", "../models/r50"] {
        let text = text.replace("detector: faces", &format!("detector: {wrong}"));
        assert!(from_text(&text, "a.yaml", folder.path()).is_err(), "{wrong}");
    }
}
