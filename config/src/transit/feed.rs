//! A feed's files, from a zip file or a folder.

use crate::problem::Problems;
use std::{
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};
use zip::ZipArchive;

/// Most bytes of one file that are read; the calls of the largest city have half as many.
pub(crate) const LARGEST: u64 = 2 << 30;

/// An opened feed.
pub(crate) enum Feed {
    Folder(PathBuf),
    Zip(PathBuf, Box<ZipArchive<BufReader<File>>>),
}

impl Feed {
    /// Opens it.
    ///
    /// # Errors
    /// That it is not there, or neither a folder nor a zip file.
    pub(crate) fn open(path: &Path) -> Result<Self, Problems> {
        if path.is_dir() {
            return Ok(Self::Folder(path.to_owned()));
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| {
            let mend = "check the path, and let the user that runs usher read it";
            Problems::whole_file(&name, format!("the feed cannot be read: {error}"), mend)
        })?;
        let archive = ZipArchive::new(BufReader::new(file)).map_err(|error| {
            let mend = "fetch the feed (GTFS, a zip file) again: it may have been cut off; or name its folder";
            Problems::whole_file(&name, format!("this is no zip file: {error}"), mend)
        })?;
        Ok(Self::Zip(path.to_owned(), Box::new(archive)))
    }

    /// What problems call a file of it.
    pub(crate) fn name(&self, file: &str) -> String {
        let (Self::Folder(path) | Self::Zip(path, _)) = self;
        path.join(file).display().to_string()
    }

    /// A file's bytes; `None` where the feed has no such file.
    pub(crate) fn file(&mut self, file: &str) -> Option<Box<dyn Read + '_>> {
        match self {
            Self::Folder(path) => Some(Box::new(File::open(path.join(file)).ok()?.take(LARGEST))),
            Self::Zip(_, archive) => {
                // Some publishers zip the folder instead of what is in it.
                let is_it =
                    |name: &str| name == file || name.strip_suffix(file).is_some_and(|above| above.ends_with('/'));
                let names = archive.file_names().filter_map(Result::ok);
                let name = names.filter(|name| is_it(name)).min_by_key(|name| name.len())?.into_owned();
                Some(Box::new(archive.by_name(&name).ok()?.take(LARGEST)))
            }
        }
    }
}
