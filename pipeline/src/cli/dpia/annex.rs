//! The annex: facts of the box, what is told of them, and what is left to the controller.

use crate::cli::{
    dpia::{
        facts::{Gate, Kept, Promise, Stock, Told, gates, kept, promise, stock},
        risks::{OPEN, Risk, risks},
        words::{Figure, Measure, Processing, figures, measures, processing, warnings},
    },
    list::stamp,
};
use serde::Serialize;
use std::time::SystemTime;
use usher_config::Config;

/// All of it.
#[derive(Debug, Serialize)]
pub(super) struct Annex {
    pub(super) site: String,
    /// When it was made, RFC 3339.
    pub(super) made: String,
    pub(super) usher: &'static str,
    pub(super) controller: Option<String>,
    pub(super) contact: Option<String>,
    pub(super) gates: Vec<Gate>,
    pub(super) processing: Vec<Processing>,
    pub(super) kept: Kept,
    pub(super) measures: Vec<Measure>,
    pub(super) promise: Promise,
    pub(super) figures: Vec<Figure>,
    pub(super) gallery: Told<Stock>,
    pub(super) risks: Vec<Risk>,
    pub(super) warnings: Vec<String>,
    /// What only the controller can say.
    pub(super) open: &'static [&'static str],
}

impl Annex {
    /// The annex of this configuration at `now`. Reads the data folder where there is one, and writes nothing.
    pub(super) fn of(config: &Config, now: SystemTime) -> Self {
        let gallery = stock(config, now);
        let (visitors, locked) = match &gallery {
            Told::Known(stock) => (stock.report.visitors, stock.report.locked),
            Told::Unknown { .. } => (0, 0),
        };
        let mut warnings = warnings(config);
        if visitors > locked && !config.identifies() {
            let held = visitors - locked;
            warnings.push(format!(
                "the box still holds the keys of {held} visitors who enrolled while a gate was in mode `identification`; they end with their time"
            ));
        }
        let notice = &config.gallery.notice;
        Self {
            site: config.site.to_string(),
            made: stamp(now),
            usher: env!("CARGO_PKG_VERSION"),
            controller: notice.controller.clone(),
            contact: notice.contact.clone(),
            gates: gates(config),
            processing: processing(config),
            kept: kept(config, now),
            measures: measures(config),
            promise: promise(config, visitors),
            figures: figures(config),
            gallery,
            risks: risks(config),
            warnings,
            open: OPEN,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::dpia::page::markdown;
    use std::{fs, path::Path};

    /// Two cameras at two gates; `gates` says how these are.
    fn annex(data: &Path, gates: &str) -> Annex {
        let yaml = format!(
            "site: north-park\ndata: {}\ncameras:\n  a: {{ url: /dev/video0 }}\n  \
             b: {{ url: \"rtsp://10.0.0.2/s\", zone: [[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]] }}\ngates: {gates}\n\
             gallery: {{ notice: {{ controller: \"North | Park\", contact: a@b.example }} }}\n",
            data.display()
        );
        let config = usher_config::from_text(&yaml, "test", Path::new("")).unwrap();
        Annex::of(&config, SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_800_000_000))
    }

    const PASS: &str = "{ east: { cameras: [a] }, west: { cameras: [b] } }";
    const BOTH: &str =
        "{ east: { cameras: [a], mode: identification, responsible: Kim Min-ji }, west: { cameras: [b] } }";

    #[test]
    fn every_gate_mode_and_responsible_person_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let text = markdown(&annex(folder.path(), BOTH));
        for told in [
            "| east | identification, for which Kim Min-ji answers |",
            "| west | pass |",
            "a: the whole picture",
            "b: a zone of 3 corners",
            "North \\| Park",
            "the opt-in zone of `a` is its whole picture",
            "`b` sends its pictures unencrypted",
            "TO BE FILLED IN BY THE CONTROLLER",
        ] {
            assert!(text.contains(told), "{told}\n{text}");
        }
    }

    #[test]
    fn an_annex_differs_between_modes() {
        let folder = tempfile::tempdir().unwrap();
        let [pass, both] = [PASS, BOTH].map(|gates| markdown(&annex(folder.path(), gates)));
        assert!(pass.contains("no gate may compare everybody") && !both.contains("no gate may compare everybody"));
        assert!(both.contains("the box holds the key") && !pass.contains("the box holds the key"));
        assert!(!pass.contains("answers |"), "nobody answers for what is not done");
    }

    #[test]
    fn without_a_gallery_it_says_so_and_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let annex = annex(folder.path(), BOTH);
        let text = markdown(&annex);
        assert!(text.contains("not available: there is no gallery yet"), "{text}");
        assert!(text.contains("sface-2021dec"), "the shipped law needs no data folder");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        let data = serde_json::to_value(&annex).unwrap();
        assert_eq!(data["gates"][0]["responsible"], "Kim Min-ji");
        assert!(data["gallery"]["not_available"].as_str().unwrap().contains("no gallery"), "{data}");
        assert_eq!(data["promise"]["law"]["model"], "sface-2021dec");
    }

    #[test]
    fn figures_stand_in_their_sources_as_they_are_told() {
        let folder = tempfile::tempdir().unwrap();
        let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let told = annex(folder.path(), BOTH).figures;
        assert!(told.len() > 3);
        for figure in told {
            let name = figure.source.split(['/', ',']).nth(1).unwrap();
            let text = fs::read_to_string(docs.join(name)).unwrap();
            assert!(text.contains(figure.figure), "{} is not in {}", figure.figure, figure.source);
        }
    }
}
