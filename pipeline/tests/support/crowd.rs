//! Crowd files made from the demo's crowd.

use crate::gate::pictures;
use std::{fs, path::Path};
use usher_config::crowd::{Look, Person};

/// Writes a crowd file of these people in the looks they have there, none of them enrolled by it.
pub(crate) fn write_crowd(into: &Path, seed: u64, together: u32, people: &[Person]) -> anyhow::Result<()> {
    let mut text = format!("seed: {seed}\npictures: {}\ntogether: {together}\npeople:\n", pictures()?.display());
    for person in people {
        text += &format!("- who: {}\n  looks:\n", person.who);
        for Look { picture, face, eyes } in &person.looks {
            text += &format!("  - {{ picture: {}, face: {face:?}, eyes: {eyes:?} }}\n", picture.display());
        }
    }
    Ok(fs::write(into, text)?)
}
