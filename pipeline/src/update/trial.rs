//! The trial of a release: it stays if the gate that it makes is as well as the one before.

use crate::{
    clock::{Clock, Moment},
    supervise::stop,
    update::place::{PlaceError, synced},
};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
    time::Duration,
};

/// How often a gate on trial is asked.
const ROUND: Duration = Duration::from_millis(200);

/// What a gate says of itself, as far as a trial looks.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Whether it is ready.
    pub ready: bool,
    /// What is not as it should be: cameras, broker, files.
    pub degraded: BTreeSet<String>,
}

impl Told {
    /// From the answer of `/readyz`; of a sentence only what it is about counts, since reasons change.
    pub fn of(answer: &serde_json::Value) -> Option<Self> {
        let said = answer.get("degraded")?.as_array()?.iter().filter_map(|text| text.as_str());
        let about = |text: &str| text.split_once(": ").map_or(text, |(what, _)| what).to_owned();
        Some(Self { ready: answer.get("ready")? == true, degraded: said.map(about).collect() })
    }
}

/// What is remembered of a trial until it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trial {
    /// Where `current` led before.
    pub from: PathBuf,
    /// Where it leads during the trial.
    pub to: PathBuf,
    /// Where `previous` led before.
    pub earlier: Option<PathBuf>,
    /// Whether a gate ran; none is started otherwise.
    pub ran: bool,
    /// What it said of itself then; `None` where it did not answer.
    pub before: Option<Told>,
}

impl Trial {
    /// The one that is not over, if there is one.
    pub fn read(path: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(path).ok()?).ok()
    }

    /// Remembers it, for good once this returns.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn begin(&self, path: &Path) -> Result<(), PlaceError> {
        let failed = |why| PlaceError::System { path: path.to_owned(), why };
        let folder = path.parent().unwrap_or(Path::new("."));
        let text = serde_json::to_vec(self).map_err(|why| failed(why.into()))?;
        let draft = path.with_extension("new");
        let mut file = fs::File::create(&draft).map_err(failed)?;
        file.write_all(&text).and_then(|()| file.sync_all()).map_err(failed)?;
        fs::rename(&draft, path).and_then(|()| synced(folder)).map_err(failed)
    }

    /// It is over.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn end(path: &Path) -> Result<(), PlaceError> {
        let failed = |why| PlaceError::System { path: path.to_owned(), why };
        match fs::remove_file(path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(failed(why)),
            _ => synced(path.parent().unwrap_or(Path::new("."))).map_err(failed),
        }
    }
}

/// How long a trial may take, and how long all must be well in it.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the start to the verdict.
    pub within: Duration,
    /// Without a break, up to the verdict.
    pub steady: Duration,
}

/// Asks a gate until it has been as well as before for a while; what is wrong with it when that takes too long.
///
/// # Errors
/// What was wrong when last asked, in one sentence.
pub fn watch(
    before: Option<&Told>,
    patience: Patience,
    clock: &dyn Clock,
    ask: &dyn Fn() -> Option<Told>,
    interrupted: &dyn Fn() -> bool,
) -> Result<(), String> {
    let (_held, stopped) = stop();
    let begun = clock.now();
    let mut well: Option<Moment> = None;
    loop {
        let wrong = wrong(before, ask().as_ref());
        let now = clock.now();
        well = if wrong.is_none() { well.or(Some(now)) } else { None };
        if well.is_some_and(|since| now.since(since) >= patience.steady) {
            return Ok(());
        }
        if interrupted() {
            return Err("it was interrupted".to_owned());
        }
        if now.since(begun) >= patience.within {
            return Err(wrong.unwrap_or_else(|| "it was well for too short a time".to_owned()));
        }
        stopped.wait(ROUND);
    }
}

fn wrong(before: Option<&Told>, now: Option<&Told>) -> Option<String> {
    let Some(now) = now else { return Some("its pages do not answer".to_owned()) };
    if !now.ready {
        return Some("it is not ready".to_owned());
    }
    // One that did not answer before is held to being ready, and to nothing more.
    let before = before?;
    let worse: Vec<&str> = now.degraded.difference(&before.degraded).map(String::as_str).collect();
    (!worse.is_empty()).then(|| format!("not as before: {}", worse.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(degraded: &[&str]) -> Told {
        Told::of(&json!({ "ready": true, "degraded": degraded })).unwrap()
    }

    #[test]
    fn a_gate_is_held_against_the_one_before_and_reasons_may_change() {
        let before = told(&["camera b: refused", "broker: away"]);
        assert_eq!(wrong(Some(&before), Some(&told(&["camera b: it shows the same picture"]))), None);
        let worse = wrong(Some(&before), Some(&told(&["broker: away", "camera a: refused"])));
        assert_eq!(worse.as_deref(), Some("not as before: camera a"));
        assert!(wrong(Some(&before), None).unwrap().contains("do not answer"));
        let unready = Told { ready: false, ..told(&[]) };
        assert_eq!(wrong(None, Some(&told(&["camera a: refused"]))), None);
        assert!(wrong(None, Some(&unready)).unwrap().contains("not ready"));
    }

    #[test]
    fn a_trial_is_remembered_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("trial");
        assert_eq!(Trial::read(&path), None);
        let (from, to) = ("packaged".into(), "releases/2".into());
        let trial = Trial { from, to, earlier: None, ran: true, before: Some(told(&["broker: away"])) };
        trial.begin(&path).unwrap();
        assert_eq!(Trial::read(&path), Some(trial));
        Trial::end(&path).unwrap();
        Trial::end(&path).unwrap();
        assert_eq!(Trial::read(&path), None);
    }
}
