//! The way of an update: believed, tried out, stored, switched to, watched, kept or taken back.

use crate::{
    clock::Clock,
    update::{
        file::{self, FileError, Manifest},
        keys::{KeyError, Trusted},
        place::{Link, Place, PlaceError},
        release::{self, About, IN_PACKAGE, ReleaseError},
        service::{self, ServiceError},
        trial::{Patience, Told, Trial, watch},
    },
};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Remembers a trial that is not over; the unit that settles it at the next boot looks for this.
const TRIAL: &str = "trial";

/// Where an update goes, and who says how it went.
pub struct Updater<'a> {
    /// The place of releases.
    pub place: &'a Path,
    /// Whose updates are taken.
    pub keys: &'a Path,
    /// The configuration that the gate runs with.
    pub config: &'a Path,
    /// The gate's unit.
    pub unit: &'a str,
    /// How long a trial takes.
    pub patience: Patience,
    /// The time.
    pub clock: &'a dyn Clock,
    /// What the gate says of itself; `None` while it does not answer.
    pub ask: &'a dyn Fn() -> Option<Told>,
    /// Whether whoever started this wants it to end.
    pub interrupted: &'a dyn Fn() -> bool,
    /// Hears each step before it is taken.
    pub tell: &'a dyn Fn(&str),
}

/// How an update ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Done {
    /// The gate runs with it, as well as before.
    Kept(About),
    /// It is in place; no gate ran, so none was started.
    InPlace(About),
    /// It was in place before.
    Already(About),
    /// Nothing was on trial.
    Nothing,
}

/// Why there was no update.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
    /// The file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The release.
    #[error(transparent)]
    Release(#[from] ReleaseError),
    /// The place.
    #[error(transparent)]
    Place(#[from] PlaceError),
    /// Of another program, or for another machine.
    #[error("it is {package} for {architecture}, this box runs usher on {ours}; take the file for {ours}")]
    Elsewhere {
        /// Its package.
        package: String,
        /// Its architecture.
        architecture: String,
        /// This box's.
        ours: String,
    },
    /// Not later than what is here.
    #[error(
        "{version} is not later than {current}, which is in place; `usher update --back` goes back to the one before"
    )]
    NotLater {
        /// Its version.
        version: String,
        /// What is in place.
        current: String,
    },
    /// Nothing to go back to.
    #[error("there is nothing to go back to in {place}; install an older package with apt if you must")]
    NothingBefore {
        /// The place of releases.
        place: PathBuf,
    },
    /// It did not do, and what was before is back.
    #[error("it was taken back: {reason}; what ran before runs again. Its log: `journalctl -u usher`")]
    TakenBack {
        /// What was wrong.
        reason: String,
    },
    /// It did not do, and what was before does not either.
    #[error("it was taken back: {reason}; what ran before does not run either: {again}. See `usher doctor`")]
    Down {
        /// What was wrong.
        reason: String,
        /// What is wrong now.
        again: String,
    },
}

impl Updater<'_> {
    /// Whether this box would take an update: signature, whole, for this machine, later than what is in place.
    ///
    /// # Errors
    /// [`UpdateError`]; nothing is changed.
    pub fn check(&self, path: &Path) -> Result<Manifest, UpdateError> {
        let update = file::open(path, &Trusted::read(self.keys)?)?;
        let manifest = update.copy(&mut io::sink())?;
        self.admits(&manifest, &About::of(&self.place.join("current"))?)?;
        Ok(manifest)
    }

    /// Takes an update.
    ///
    /// # Errors
    /// [`UpdateError`]; what was in place before is in place again, and runs if it ran.
    pub fn apply(&self, path: &Path) -> Result<Done, UpdateError> {
        let trusted = Trusted::read(self.keys)?;
        let place = Place::open(self.place)?;
        self.end_what_was_interrupted(&place)?;
        let stored = self.stored(&place, path, &trusted);
        match stored {
            Ok(None) => Ok(Done::Already(About::of(&place.release(Link::Current))?)),
            Ok(Some(to)) => self.switch(&place, &to),
            Err(error) => {
                place.tidy()?;
                Err(error)
            }
        }
    }

    /// Goes back to what was in place before; this, too, is on trial.
    ///
    /// # Errors
    /// [`UpdateError`].
    pub fn back(&self) -> Result<Done, UpdateError> {
        let place = Place::open(self.place)?;
        self.end_what_was_interrupted(&place)?;
        let (previous, current) = (place.leads(Link::Previous), place.leads(Link::Current));
        let previous = previous.filter(|previous| current.as_ref() != Some(previous));
        let previous = previous.ok_or_else(|| UpdateError::NothingBefore { place: self.place.to_owned() })?;
        self.switch(&place, &previous)
    }

    /// Ends a trial that the power, or a kill, interrupted.
    ///
    /// # Errors
    /// [`UpdateError::TakenBack`] when it ended badly.
    pub fn settle(&self) -> Result<Done, UpdateError> {
        self.settle_in(&Place::open(self.place)?)
    }

    fn settle_in(&self, place: &Place) -> Result<Done, UpdateError> {
        let path = place.at(TRIAL);
        let Some(trial) = Trial::read(&path) else {
            Trial::end(&path)?;
            place.tidy()?;
            return Ok(Done::Nothing);
        };
        if place.leads(Link::Current).as_ref() == Some(&trial.to) {
            return self.judge(place, &trial);
        }
        self.take_back(place, &trial, "it was interrupted".to_owned())
    }

    /// What an earlier update left behind is in order before another begins, whichever way that ends.
    fn end_what_was_interrupted(&self, place: &Place) -> Result<(), UpdateError> {
        match self.settle_in(place) {
            Err(UpdateError::TakenBack { .. }) | Ok(_) => Ok(()),
            Err(other) => Err(other),
        }
    }

    fn admits(&self, manifest: &Manifest, current: &About) -> Result<(), UpdateError> {
        let ours = release::architecture()?;
        let (package, architecture) = (manifest.package.clone(), manifest.architecture.clone());
        if package != current.package || architecture != ours {
            return Err(UpdateError::Elsewhere { package, architecture, ours });
        }
        let (version, before) = (&manifest.version, &current.version);
        if release::is_later(version, before)? {
            return Ok(());
        }
        Err(UpdateError::NotLater { version: version.clone(), current: before.clone() })
    }

    /// Where the release of an update lies now, whole; `None` when it is current already.
    fn stored(&self, place: &Place, path: &Path, trusted: &Trusted) -> Result<Option<PathBuf>, UpdateError> {
        (self.tell)("verify");
        let update = file::open(path, trusted)?;
        let name = name(&update.manifest);
        if place.leads(Link::Current).is_some_and(|current| current.file_name() == Some(name.as_ref())) {
            return Ok(None);
        }
        self.admits(&update.manifest, &About::of(&place.release(Link::Current))?)?;
        let draft = place.draft()?;
        let (package, tree) = (draft.join("package.deb"), draft.join("tree"));
        let failed = |why| FileError::System { path: package.clone(), why };
        let manifest = update.copy(&mut fs::File::create(&package).map_err(failed)?)?;
        (self.tell)("unpack");
        release::unpack(&package, &tree)?;
        let folder = tree.join(IN_PACKAGE);
        let about = About::of(&folder)?;
        if about.version != manifest.version || about.architecture != manifest.architecture {
            let what = format!("it is {} for {} inside", about.version, about.architecture);
            return Err(ReleaseError::Other { folder: path.to_owned(), what }.into());
        }
        (self.tell)("try");
        release::try_out(&folder, &manifest.version, self.config)?;
        (self.tell)("store");
        Ok(Some(place.settle(&folder, &name)?))
    }

    fn switch(&self, place: &Place, to: &Path) -> Result<Done, UpdateError> {
        let nothing = || UpdateError::NothingBefore { place: self.place.to_owned() };
        let from = place.leads(Link::Current).ok_or_else(nothing)?;
        let ran = service::runs(self.unit);
        let before = if ran { (self.ask)() } else { None };
        let trial = Trial { from, to: to.to_owned(), earlier: place.leads(Link::Previous), ran, before };
        (self.tell)("mark");
        place.lead(Link::Previous, &trial.from)?;
        trial.begin(&place.at(TRIAL))?;
        (self.tell)("switch");
        place.lead(Link::Current, &trial.to)?;
        self.judge(place, &trial)
    }

    fn judge(&self, place: &Place, trial: &Trial) -> Result<Done, UpdateError> {
        if trial.ran
            && let Err(reason) = self.runs_well(trial)
        {
            return self.take_back(place, trial, reason);
        }
        (self.tell)("keep");
        Trial::end(&place.at(TRIAL))?;
        place.tidy()?;
        let about = About::of(&place.release(Link::Current))?;
        Ok(if trial.ran { Done::Kept(about) } else { Done::InPlace(about) })
    }

    fn runs_well(&self, trial: &Trial) -> Result<(), String> {
        (self.tell)("restart");
        service::restart(self.unit).map_err(|error: ServiceError| error.to_string())?;
        (self.tell)("watch");
        watch(trial.before.as_ref(), self.patience, self.clock, self.ask, self.interrupted)
    }

    fn take_back(&self, place: &Place, trial: &Trial, reason: String) -> Result<Done, UpdateError> {
        (self.tell)("back");
        place.lead(Link::Current, &trial.from)?;
        place.restore(Link::Previous, trial.earlier.as_deref())?;
        // The trial is over only once the gate of before was started: whoever is interrupted here begins again here.
        let again = if trial.ran { service::restart(self.unit).map_err(|error| error.to_string()) } else { Ok(()) };
        Trial::end(&place.at(TRIAL))?;
        place.tidy()?;
        let never = || false;
        let again = again.and_then(|()| {
            if trial.ran { watch(trial.before.as_ref(), self.patience, self.clock, self.ask, &never) } else { Ok(()) }
        });
        Err(match again {
            Ok(()) => UpdateError::TakenBack { reason },
            Err(again) => UpdateError::Down { reason, again },
        })
    }
}

/// The folder of a release; the hash tells two of one version apart.
fn name(manifest: &Manifest) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || ".+~-".contains(letter);
    let version: String = manifest.version.chars().map(|letter| if plain(letter) { letter } else { '_' }).collect();
    format!("{version}-{}", manifest.sha256.get(..12).unwrap_or_default())
}
