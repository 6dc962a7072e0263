//! The place where releases lie, and the two links that say which counts.
//!
//! ```text
//! /usr/lib/usher/packaged/             what dpkg installed, and owns
//!                releases/0.2.0-…/     what updates brought
//!                current  -> …         what /usr/bin/usher and the unit lead to
//!                previous -> …         what it goes back to
//!                trial                 there while `current` has not shown yet that it runs
//! ```
//!
//! A release's folder appears whole or not at all, since it is renamed into place after it was synced; a link is replaced by a
//! rename. So whenever the power goes, `current` leads to a whole release.

use crate::supervise::stop;
use rustix::fs::{FlockOperation, flock};
use std::{
    fs, io,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    time::Duration,
};

/// Where a package's links lead.
pub const PATH: &str = "/usr/lib/usher";

const RELEASES: &str = "releases";
/// How often the lock is asked for. Whoever was killed may leave a child that holds it for a moment, until it runs its own program.
const TRIES: u32 = 10;
/// And how long between.
const ROUND: Duration = Duration::from_millis(200);
/// A release that is not whole yet.
const DRAFT: &str = ".draft";

/// Which of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Link {
    /// What runs, or would.
    Current,
    /// What it goes back to.
    Previous,
}

impl Link {
    fn name(self) -> &'static str {
        match self {
            Self::Current => "current",
            Self::Previous => "previous",
        }
    }
}

/// Why the place cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PlaceError {
    /// The system would not.
    #[error("{path}: {why}; run this as root, on a disk with room that is mounted writable")]
    System {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// Somebody else is at it.
    #[error("another `usher update` is at work in {path}; wait for it")]
    Busy {
        /// The place.
        path: PathBuf,
    },
}

/// The place, while nobody else changes it.
#[derive(Debug)]
pub struct Place {
    folder: PathBuf,
    /// Held as long as this.
    _lock: fs::File,
}

impl Place {
    /// Opens it for one process alone.
    ///
    /// # Errors
    /// [`PlaceError`].
    pub fn open(folder: &Path) -> Result<Self, PlaceError> {
        let path = folder.join("lock");
        let failed = |why| PlaceError::System { path: path.clone(), why };
        let lock = fs::File::create(&path).map_err(failed)?;
        let (_held, stopped) = stop();
        for last in (0..TRIES).rev() {
            match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Ok(Self { folder: folder.to_owned(), _lock: lock }),
                Err(rustix::io::Errno::WOULDBLOCK) if last > 0 => drop(stopped.wait(ROUND)),
                Err(rustix::io::Errno::WOULDBLOCK) => break,
                Err(why) => return Err(failed(why.into())),
            }
        }
        Err(PlaceError::Busy { path: folder.to_owned() })
    }

    /// A name below it.
    pub fn at(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Where a link leads, relative to the place; `None` where it leads to nothing.
    pub fn leads(&self, link: Link) -> Option<PathBuf> {
        let target = fs::read_link(self.at(link.name())).ok()?;
        self.folder.join(&target).is_dir().then_some(target)
    }

    /// The folder that a link leads to.
    pub fn release(&self, link: Link) -> PathBuf {
        self.at(link.name())
    }

    /// Lets a link lead elsewhere, for good once this returns.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn lead(&self, link: Link, to: &Path) -> Result<(), PlaceError> {
        let (path, draft) = (self.at(link.name()), self.at(&format!(".{}.new", link.name())));
        let failed = |why| PlaceError::System { path: path.clone(), why };
        match fs::remove_file(&draft) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(failed(why)),
            _ => {}
        }
        symlink(to, &draft).and_then(|()| fs::rename(&draft, &path)).and_then(|()| synced(&self.folder)).map_err(failed)
    }

    /// Lets a link lead where it led before it was changed; nowhere, if that was so.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn restore(&self, link: Link, to: Option<&Path>) -> Result<(), PlaceError> {
        let path = self.at(link.name());
        match to {
            Some(to) => self.lead(link, to),
            None => match fs::remove_file(&path) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => Err(PlaceError::System { path, why }),
                _ => Ok(()),
            },
        }
    }

    /// An empty folder for a release that is not whole yet.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn draft(&self) -> Result<PathBuf, PlaceError> {
        let path = self.at(DRAFT);
        let failed = |why| PlaceError::System { path: path.clone(), why };
        self.clear(&path)?;
        fs::create_dir_all(self.at(RELEASES)).and_then(|()| fs::create_dir(&path)).map_err(failed)?;
        Ok(path)
    }

    /// Puts a folder within the draft into its place, whole; answers with where it lies, relative to the place.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn settle(&self, folder: &Path, name: &str) -> Result<PathBuf, PlaceError> {
        let relative = Path::new(RELEASES).join(name);
        let path = self.folder.join(&relative);
        let failed = |why| PlaceError::System { path: path.clone(), why };
        // Of an update that failed before; what is current is never replaced.
        self.clear(&path)?;
        let opened = fs::File::open(folder).map_err(failed)?;
        rustix::fs::syncfs(&opened).map_err(|why| failed(why.into()))?;
        fs::rename(folder, &path).and_then(|()| synced(&self.at(RELEASES))).map_err(failed)?;
        self.clear(&self.at(DRAFT))?;
        Ok(relative)
    }

    /// Removes every release that no link leads to.
    ///
    /// # Errors
    /// [`PlaceError::System`].
    pub fn tidy(&self) -> Result<(), PlaceError> {
        self.clear(&self.at(DRAFT))?;
        // Of a link or a trial that a kill interrupted: drafts, which nothing reads.
        for name in [".current.new", ".previous.new", "trial.new"] {
            let _mostly_none = fs::remove_file(self.at(name));
        }
        let kept = [Link::Current, Link::Previous].map(|link| self.leads(link));
        let Ok(releases) = fs::read_dir(self.at(RELEASES)) else { return Ok(()) };
        for release in releases.flatten() {
            let relative = Path::new(RELEASES).join(release.file_name());
            if !kept.iter().flatten().any(|kept| *kept == relative) {
                self.clear(&release.path())?;
            }
        }
        Ok(())
    }

    fn clear(&self, path: &Path) -> Result<(), PlaceError> {
        match fs::remove_dir_all(path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => Err(PlaceError::System { path: path.to_owned(), why }),
            _ => Ok(()),
        }
    }
}

/// What is in a folder by name stays there, whatever becomes of the power.
pub(crate) fn synced(folder: &Path) -> io::Result<()> {
    fs::File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_replaced_and_what_none_leads_to_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::open(folder.path()).unwrap();
        assert!(matches!(Place::open(folder.path()), Err(PlaceError::Busy { .. })), "one at a time");
        assert_eq!(place.leads(Link::Current), None);
        let release = |name: &str| {
            let draft = place.draft().unwrap();
            fs::create_dir(draft.join("in")).unwrap();
            fs::write(draft.join("in/usher"), name).unwrap();
            place.settle(&draft.join("in"), name).unwrap()
        };
        let [first, second, third] = ["1", "2", "3"].map(release);
        place.lead(Link::Current, &first).unwrap();
        place.lead(Link::Previous, &first).unwrap();
        place.lead(Link::Current, &third).unwrap();
        place.draft().unwrap();
        place.tidy().unwrap();
        assert_eq!(fs::read_to_string(place.release(Link::Current).join("usher")).unwrap(), "3");
        assert!(place.at("releases/1/usher").exists() && !folder.path().join(second).exists());
        assert!(!place.at(DRAFT).exists());
        fs::remove_dir_all(place.at("releases/1")).unwrap();
        assert_eq!(place.leads(Link::Previous), None, "a link that leads to nothing is none");
    }
}
