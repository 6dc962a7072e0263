//! Walk logs: who walked in recordings of a site's cameras.
//!
//! Whoever walks the gate for a test writes down when they did: enrolled visitors by the id that `usher list` shows, people who
//! never enrolled by a word of their own. `usher evaluate walks` and `usher calibrate` hold the gate against it.

use crate::{
    document::{self, Checks},
    problem::Problems,
    value::Name,
};
use garde::Validate;
use schemars::JsonSchema;
use serde::Deserialize;
use std::path::{Path, PathBuf};

/// Who walked, as written.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
#[schemars(title = "usher walk log")]
pub struct WalkLog {
    /// The recordings.
    #[garde(length(min = 1, max = 1000), dive)]
    pub recordings: Vec<Recording>,
}

/// What one camera recorded.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Recording {
    /// The camera of the configuration that took it: decides gate and opt-in zone.
    pub camera: Name,
    /// The video file, relative to this file's folder.
    pub file: PathBuf,
    /// Everybody who walked in it; faces at other times and places count as nobody's.
    #[garde(length(min = 1, max = 10_000), dive)]
    pub walks: Vec<Walk>,
}

/// One person's way through the picture.
#[derive(Clone, Debug, Deserialize, JsonSchema, PartialEq, Validate)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct Walk {
    /// Seconds from the recording's beginning to when they can be seen.
    #[garde(range(min = 0.0, max = 864_000.0))]
    pub from: f64,
    /// Seconds to when they are out of sight.
    #[garde(range(min = 0.0, max = 864_000.0))]
    pub to: f64,
    /// Who, if enrolled: the id that `usher list` shows.
    #[garde(inner(length(min = 1, max = 64)))]
    #[serde(default)]
    pub visitor: Option<String>,
    /// Who, if never enrolled: a word of your own, the same for the same person, so that people are counted and not walks.
    #[garde(inner(length(min = 1, max = 64)))]
    #[serde(default)]
    pub guest: Option<String>,
    /// Left and right limit of their way, pixels of the recording: where two people walk at one time.
    #[serde(default)]
    pub across: Option<[f32; 2]>,
}

impl Walk {
    /// Whether a face here, at this time, is theirs. Seconds, and pixels from the left.
    pub fn holds(&self, seconds: f64, x: f32) -> bool {
        (self.from..=self.to).contains(&seconds) && self.across.is_none_or(|[left, right]| (left..=right).contains(&x))
    }

    /// Who it is, in the log's own words.
    pub fn who(&self) -> &str {
        self.visitor.as_deref().or(self.guest.as_deref()).unwrap_or_default()
    }
}

/// The JSON schema of a walk log.
pub fn json_schema() -> serde_json::Value {
    document::json_schema::<WalkLog>()
}

/// Reads and checks the walk log at `path`; files in it are relative to its folder.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &Path) -> Result<WalkLog, Problems> {
    let mut log: WalkLog = document::parse(&document::text_of(path)?, &path.display().to_string(), check)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    log.recordings.iter_mut().for_each(|recording| recording.file = folder.join(&recording.file));
    Ok(log)
}

/// Each walk is somebody's, ends after it begins, and no two can be one face.
fn check(checks: &mut Checks<'_>) {
    let Some(recordings) = checks.root.entry("recordings") else { return };
    for (r, recording) in recordings.value.items().iter().enumerate() {
        let Some(walks) = recording.entry("walks") else { continue };
        let mut before: Vec<(f64, f64, Option<[f64; 2]>)> = Vec::new();
        for (w, walk) in walks.value.items().iter().enumerate() {
            let key = format!("recordings[{r}].walks[{w}]");
            let number = |name: &str| walk.get(name)?.text()?.parse::<f64>().ok();
            let is_there = |name: &str| walk.get(name).is_some();
            if is_there("visitor") == is_there("guest") {
                let message = if is_there("guest") { "this walk has two owners" } else { "nobody walks here" };
                let mend = "write either `visitor: ID` (enrolled, see `usher list`) or `guest: WORD` (never enrolled)";
                checks.find(walk.span.clone(), key, message, mend);
                continue;
            }
            let (Some(from), Some(to)) = (number("from"), number("to")) else { continue };
            if to <= from {
                checks.find(
                    walk.span.clone(),
                    key,
                    "this walk ends before it begins",
                    "write `to` greater than `from`",
                );
                continue;
            }
            let across = walk.get("across").and_then(|limits| {
                let limits = limits.items().iter().map(|limit| limit.text()?.parse().ok());
                <[f64; 2]>::try_from(limits.collect::<Option<Vec<f64>>>()?).ok()
            });
            let meets = |other: &(f64, f64, Option<[f64; 2]>)| {
                let at_once = from < other.1 && other.0 < to;
                let apart = across.zip(other.2).is_some_and(|(a, b)| a[1] < b[0] || b[1] < a[0]);
                at_once && !apart
            };
            if before.iter().any(meets) {
                let mend = "give both `across: [LEFT, RIGHT]` in pixels, such that they do not meet";
                checks.find(walk.span.clone(), key, "two walks are at the same time and place", mend);
            }
            before.push((from, to, across));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn read(walks: &str) -> Result<WalkLog, Problems> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "recordings:\n- camera: gate\n  file: monday.mkv\n  walks:\n{walks}").unwrap();
        super::read(file.path())
    }

    #[test]
    fn a_face_is_whose_walk_holds_it() {
        let log = read(
            "  - {from: 1, to: 4.5, visitor: 0193-a, across: [0, 600]}\n  - {from: 2, to: 6, guest: ann, across: [700, 1280]}\n",
        )
        .unwrap();
        let recording = &log.recordings[0];
        assert!(recording.file.ends_with("monday.mkv") && recording.file.is_absolute());
        let whose = |seconds, x| recording.walks.iter().find(|walk| walk.holds(seconds, x)).map(Walk::who);
        assert_eq!(whose(3.0, 100.0), Some("0193-a"));
        assert_eq!(whose(3.0, 900.0), Some("ann"));
        assert_eq!(whose(5.0, 100.0), None);
    }

    #[test]
    fn what_cannot_be_true_is_named_with_the_mend() {
        for (walks, message, mend) in [
            ("  - {from: 1, to: 2}\n", "nobody walks here", "`guest: WORD`"),
            ("  - {from: 1, to: 2, guest: a, visitor: b}\n", "two owners", "`visitor: ID`"),
            ("  - {from: 2, to: 2, guest: a}\n", "ends before it begins", "greater than"),
            ("  - {from: 1, to: 3, guest: a}\n  - {from: 2, to: 4, guest: b}\n", "same time and place", "`across:"),
            ("  - {from: -1, to: 3, guest: a}\n", "-1", ""),
            ("  []\n", "", ""),
        ] {
            let error = read(walks).unwrap_err().to_string();
            assert!(error.contains(message) && error.contains(mend), "{walks}: {error}");
        }
    }
}
