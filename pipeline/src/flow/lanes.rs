//! Lanes that staff say are open: kept over a restart, and written down before they count.
//!
//! Nobody sees lanes, so somebody says it: on the flow page, by a program, or over the broker. What was said last holds until
//! something else is said; at a gate of which nothing was said, the configuration's `open_lanes` holds.

use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tracing::warn;
use usher_config::value::Name;

/// The file in the data folder.
pub const NAME: &str = "lanes.json";

/// How often the broker may change one gate: lanes open by hand, and each change is a line of the audit log for good.
const EVERY: Duration = Duration::from_secs(5);

/// Who said it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    /// Whoever has signed in, on the page or by its API.
    Operator,
    /// A program that may publish to the broker.
    Broker,
}

/// Writes down that so many lanes are open at a gate, and by whom; what it answers with is why it cannot.
pub type Audit = Box<dyn FnMut(&Name, u32, By, SystemTime) -> Result<(), String> + Send>;

/// What was said, by gate.
pub struct OpenLanes {
    file: Option<PathBuf>,
    audit: Option<Audit>,
    said: BTreeMap<Name, u32>,
    /// When the broker last changed a gate (steady time), and what it said since.
    changed: BTreeMap<Name, Duration>,
    waiting: BTreeMap<Name, u32>,
}

impl OpenLanes {
    /// Nothing was said, and what will be is forgotten with the process.
    pub fn forgetful() -> Self {
        Self { file: None, audit: None, said: BTreeMap::new(), changed: BTreeMap::new(), waiting: BTreeMap::new() }
    }

    /// What was said before a restart, kept in `folder`; of it what still fits the gates with so many lanes. A file that cannot be
    /// read says nothing: the configuration holds, and a warning says so.
    pub fn kept(folder: &Path, lanes: &BTreeMap<Name, u32>, audit: Audit) -> Self {
        let file = folder.join(NAME);
        let said = match read(&file) {
            Ok(said) => said,
            Err(reason) => {
                warn!(file = %file.display(), %reason, "open lanes cannot be read; those of the configuration hold");
                BTreeMap::new()
            }
        };
        let kept = Self { file: Some(file), audit: Some(audit), said, ..Self::forgetful() };
        kept.fitting(lanes)
    }

    fn fitting(mut self, lanes: &BTreeMap<Name, u32>) -> Self {
        self.fit(lanes);
        self
    }

    /// The gates are built otherwise: what was said holds where it still fits.
    pub fn fit(&mut self, lanes: &BTreeMap<Name, u32>) {
        self.said.retain(|gate, open| lanes.get(gate).is_some_and(|most| *open <= *most));
        self.waiting.retain(|gate, _| lanes.contains_key(gate));
    }

    /// How many are open at a gate; `None` where nobody said.
    pub fn at(&self, gate: &Name) -> Option<u32> {
        self.said.get(gate).copied()
    }

    /// So many are open from now on. Written down first: what cannot be is not so.
    ///
    /// # Errors
    /// Why it cannot be written down.
    pub fn set(&mut self, gate: &Name, open: u32, by: By, now: SystemTime) -> Result<(), String> {
        if self.at(gate) == Some(open) {
            return Ok(());
        }
        if let Some(audit) = &mut self.audit {
            audit(gate, open, by, now)?;
        }
        let mut said = self.said.clone();
        said.insert(gate.clone(), open);
        if let Some(file) = &self.file {
            write(file, &said).map_err(|reason| format!("{}: {reason}", file.display()))?;
        }
        self.said = said;
        Ok(())
    }

    /// The broker said it: the last that it said of a gate counts, once [`OpenLanes::due`] says that it is time.
    pub fn ask(&mut self, gate: Name, open: u32) {
        self.waiting.insert(gate, open);
    }

    /// What the broker said and is to be set now (steady time): of each gate once in five seconds.
    pub fn due(&mut self, now: Duration) -> Vec<(Name, u32)> {
        let changed = &mut self.changed;
        let is_due = |gate: &Name| changed.get(gate).is_none_or(|at| now.saturating_sub(*at) >= EVERY);
        let due: Vec<(Name, u32)> = self.waiting.extract_if(.., |gate, _| is_due(gate)).collect();
        changed.extend(due.iter().map(|(gate, _)| (gate.clone(), now)));
        due
    }
}

fn read(file: &Path) -> io::Result<BTreeMap<Name, u32>> {
    match fs::read(file) {
        Ok(text) => serde_json::from_slice(&text).map_err(io::Error::from),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
        Err(error) => Err(error),
    }
}

/// Whole or not at all, whenever somebody pulls the plug.
fn write(file: &Path, said: &BTreeMap<Name, u32>) -> io::Result<()> {
    let draft = file.with_extension("json.new");
    let mut new = File::create(&draft)?;
    new.write_all(&serde_json::to_vec(said)?)?;
    new.sync_all()?;
    fs::rename(draft, file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    type Written = Arc<Mutex<Vec<(Name, u32, By)>>>;

    fn kept(folder: &Path, written: &Written) -> OpenLanes {
        let lanes = BTreeMap::from([(name("gate-a"), 4), (name("gate-b"), 2)]);
        let written = written.clone();
        let audit = move |gate: &Name, open, by, _| {
            written.lock().unwrap().push((gate.clone(), open, by));
            if open == 3 { Err("the log is full".to_owned()) } else { Ok(()) }
        };
        OpenLanes::kept(folder, &lanes, Box::new(audit))
    }

    #[test]
    fn what_was_said_is_written_down_once_and_outlives_a_restart() {
        let (folder, written) = (tempfile::tempdir().unwrap(), Written::default());
        let mut lanes = kept(folder.path(), &written);
        assert_eq!(lanes.at(&name("gate-a")), None);
        for _ in 0..3 {
            lanes.set(&name("gate-a"), 0, By::Operator, SystemTime::UNIX_EPOCH).unwrap();
        }
        assert_eq!(*written.lock().unwrap(), [(name("gate-a"), 0, By::Operator)]);
        assert_eq!(kept(folder.path(), &written).at(&name("gate-a")), Some(0));
    }

    #[test]
    fn what_cannot_be_written_down_is_not_so() {
        let (folder, written) = (tempfile::tempdir().unwrap(), Written::default());
        let mut lanes = kept(folder.path(), &written);
        lanes.set(&name("gate-a"), 2, By::Operator, SystemTime::UNIX_EPOCH).unwrap();
        let refused = lanes.set(&name("gate-a"), 3, By::Operator, SystemTime::UNIX_EPOCH);
        assert_eq!((refused, lanes.at(&name("gate-a"))), (Err("the log is full".to_owned()), Some(2)));
        assert_eq!(kept(folder.path(), &written).at(&name("gate-a")), Some(2));
    }

    #[test]
    fn a_gate_that_was_rebuilt_and_a_file_that_is_torn_say_nothing() {
        let (folder, written) = (tempfile::tempdir().unwrap(), Written::default());
        fs::write(folder.path().join(NAME), r#"{"gate-a": 5, "gate-b": 2, "gone": 1}"#).unwrap();
        let lanes = kept(folder.path(), &written);
        assert_eq!(
            [lanes.at(&name("gate-a")), lanes.at(&name("gate-b")), lanes.at(&name("gone"))],
            [None, Some(2), None]
        );
        fs::write(folder.path().join(NAME), r#"{"gate-a": 1, "#).unwrap();
        assert_eq!(kept(folder.path(), &written).at(&name("gate-a")), None);
    }

    #[test]
    fn a_program_that_changes_its_mind_each_second_is_heard_in_the_end_and_not_each_time() {
        let mut lanes = OpenLanes::forgetful();
        let mut heard = Vec::new();
        for second in 0..20 {
            lanes.ask(name("gate-a"), second);
            heard.extend(lanes.due(Duration::from_secs(second.into())));
        }
        heard.extend(lanes.due(Duration::from_secs(60)));
        assert_eq!(heard.iter().map(|(_, open)| *open).collect::<Vec<_>>(), [0, 5, 10, 15, 19]);
    }
}
