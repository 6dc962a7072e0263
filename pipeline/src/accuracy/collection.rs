//! Collections: folders of known faces, as Labelled Faces in the Wild has them.
//!
//! ```text
//! FOLDER/NAME/NAME_0001.jpg, NAME_0002.jpg, …      one folder a person, pictures numbered from 1
//! FOLDER/pairs.txt                                 NAME 1 4              one person
//!                                                  NAME 1 OTHER 2        two people
//! ```
//! (Huang et al. 2007.) The first line of `pairs.txt` may say how many folds and pairs there are; it is not needed.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// What a picture's file name ends with.
const ENDINGS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "JPG"];

/// People and their pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collection {
    /// In order of their names; each has a picture at least.
    pub people: Vec<Person>,
    folder: PathBuf,
}

/// Somebody, and the pictures of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The folder's name.
    pub name: String,
    /// In order of their names.
    pub pictures: Vec<PathBuf>,
}

/// Which picture: of whom, and the how-many-th of theirs, both from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Which {
    /// Place in [`Collection::people`].
    pub person: usize,
    /// Place in [`Person::pictures`].
    pub picture: usize,
}

/// Why a folder is no collection. Whoever made it mends it.
#[derive(Debug, thiserror::Error)]
pub enum CollectionError {
    /// A folder or file cannot be read.
    #[error("{path} cannot be read ({error}); check the path and its permissions")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        error: std::io::Error,
    },
    /// Nobody in it.
    #[error("{0} has no person's folder with a picture; give a folder in the form of LFW: NAME/NAME_0001.jpg")]
    Empty(String),
    /// A line of `pairs.txt` is none.
    #[error("{file}:{line}: {why}; write `NAME 1 4` for one person or `NAME 1 OTHER 2` for two")]
    Pair {
        /// The file.
        file: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong.
        why: String,
    },
}

impl Collection {
    /// The people of a folder.
    ///
    /// # Errors
    /// [`CollectionError`].
    pub fn read(folder: &Path) -> Result<Self, CollectionError> {
        let mut people = Vec::new();
        for path in listed(folder)?.into_iter().filter(|path| path.is_dir()) {
            let is_picture = |path: &PathBuf| {
                path.extension().and_then(|ending| ending.to_str()).is_some_and(|ending| ENDINGS.contains(&ending))
            };
            let pictures: Vec<_> = listed(&path)?.into_iter().filter(is_picture).collect();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            if let (Some(name), false) = (name, pictures.is_empty()) {
                people.push(Person { name, pictures });
            }
        }
        if people.is_empty() {
            return Err(CollectionError::Empty(folder.display().to_string()));
        }
        Ok(Self { people, folder: folder.to_owned() })
    }

    /// Where it lies.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Every picture.
    pub fn all(&self) -> impl Iterator<Item = Which> + '_ {
        let of = |(person, who): (usize, &Person)| {
            (0..who.pictures.len()).map(move |picture| Which { person, picture }).collect::<Vec<_>>()
        };
        self.people.iter().enumerate().flat_map(of)
    }

    /// Where a picture lies.
    pub fn path(&self, which: Which) -> &Path {
        &self.people[which.person].pictures[which.picture]
    }

    /// The pairs of `pairs.txt`.
    ///
    /// # Errors
    /// [`CollectionError`]: the file cannot be read, or a line names a picture that is not there.
    pub fn pairs(&self) -> Result<Vec<(Which, Which)>, CollectionError> {
        let file = self.folder.join("pairs.txt");
        let text = fs::read_to_string(&file)
            .map_err(|error| CollectionError::Unreadable { path: file.display().to_string(), error })?;
        let places: BTreeMap<&str, usize> =
            self.people.iter().enumerate().map(|(place, person)| (person.name.as_str(), place)).collect();
        let which = |name: &str, number: &str| {
            let person = *places.get(name).ok_or_else(|| format!("there is no folder `{name}`"))?;
            let ends = |path: &Path| {
                let stem = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
                let of = stem.rsplit('_').next().unwrap_or_default();
                of.parse::<u32>().ok().is_some_and(|of| Ok(of) == number.parse())
            };
            let picture = self.people[person].pictures.iter().position(|path| ends(path));
            let picture = picture.ok_or_else(|| format!("`{name}` has no picture {number}"))?;
            Ok(Which { person, picture })
        };
        let mut pairs = Vec::new();
        for (line, text) in text.lines().enumerate() {
            let words: Vec<&str> = text.split_whitespace().collect();
            let pair = match words[..] {
                [] => continue,
                [_] | [_, _] if line == 0 => continue,
                [name, one, other] => which(name, one).and_then(|one| Ok((one, which(name, other)?))),
                [name, one, another, other] => which(name, one).and_then(|one| Ok((one, which(another, other)?))),
                _ => Err("this is no pair".to_owned()),
            };
            let fault = |why| CollectionError::Pair { file: file.display().to_string(), line: line + 1, why };
            pairs.push(pair.map_err(fault)?);
        }
        Ok(pairs)
    }
}

fn listed(folder: &Path) -> Result<Vec<PathBuf>, CollectionError> {
    let unreadable = |error| CollectionError::Unreadable { path: folder.display().to_string(), error };
    let entries = fs::read_dir(folder).map_err(unreadable)?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>, _>>().map_err(unreadable)?;
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str], pairs: &str) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for file in files {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, b"").unwrap();
        }
        fs::write(folder.path().join("pairs.txt"), pairs).unwrap();
        folder
    }

    #[test]
    fn people_pictures_and_pairs_are_read() {
        let files = ["Bo/Bo_0001.jpg", "Ann/Ann_0001.jpg", "Ann/Ann_0002.png", "Ann/notes.txt", "empty/notes.txt"];
        let folder = folder(&files, "10\t300\nAnn\t1\t2\n\nAnn\t2\tBo\t1\n");
        let collection = Collection::read(folder.path()).unwrap();
        let names: Vec<_> = collection.people.iter().map(|person| person.name.as_str()).collect();
        assert_eq!(names, ["Ann", "Bo"]);
        assert_eq!(collection.all().count(), 3);
        let at = |person, picture| Which { person, picture };
        assert_eq!(collection.pairs().unwrap(), [(at(0, 0), at(0, 1)), (at(0, 1), at(1, 0))]);
    }

    #[test]
    fn a_wrong_line_is_named_with_the_mend() {
        let files = ["Ann/Ann_0001.jpg"];
        for (pairs, why) in [
            ("Ann 1 2", "pairs.txt:1: `Ann` has no picture 2; write"),
            ("\nAnn 1 Bo 1", "pairs.txt:2: there is no folder `Bo`"),
            ("Ann 1 1\nAnn 1", "pairs.txt:2: this is no pair"),
            ("Ann one 1", "has no picture one"),
        ] {
            let folder = folder(&files, pairs);
            let error = Collection::read(folder.path()).unwrap().pairs().unwrap_err().to_string();
            assert!(error.contains(why), "{error}");
        }
    }

    #[test]
    fn a_folder_without_people_says_what_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let error = Collection::read(folder.path()).unwrap_err().to_string();
        assert!(error.contains("NAME/NAME_0001.jpg"), "{error}");
        assert!(Collection::read(Path::new("/nonexistent")).is_err());
    }
}
