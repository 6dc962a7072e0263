//! Another embedder: templates of it for whoever's crops are kept.
//!
//! Templates of two embedders never compare, and nothing turns one into the other. So a gallery holds both for a while: the
//! gate compares by the embedder it has, enrolment makes templates of the next one too, crops that visitors agreed to keep
//! are embedded again here, and whoever is left enrols again or expires. Then the gate changes over.

use crate::gallery::{file::StoreError, store::Store, visitor::VisitorId};
use std::time::SystemTime;
use usher_models::{embed::Embedder, error::ModelError};

/// What a migration did, or would do.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Migrated {
    /// People who had templates of the embedder before.
    pub had: usize,
    /// People who have some now, made from their crops.
    pub made: usize,
    /// People who must enrol again, with when they expire anyway; those who stay longest first.
    pub must_enrol: Vec<(VisitorId, SystemTime)>,
}

/// What stops a migration; what was done until then stays done, and doing it again goes on from there.
#[derive(Debug, thiserror::Error)]
pub enum MigrateError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The embedder.
    #[error(transparent)]
    Models(#[from] ModelError),
}

/// Gives everybody who has not expired at `now` templates of `embedder`, from the crops that are kept. With `is_trial` it
/// only says what it would do. `embedder` must embed references as enrolment does: [`usher_models::embed::mirrored`].
///
/// # Errors
/// [`MigrateError`].
pub fn migrate(
    store: &mut Store,
    embedder: &mut dyn Embedder,
    now: SystemTime,
    is_trial: bool,
) -> Result<Migrated, MigrateError> {
    let (model, mut done) = (embedder.model(), Migrated::default());
    for person in store.load_all()?.people {
        let (id, expires) = (person.visitor.id, person.visitor.expires);
        if expires <= now {
            continue;
        }
        if person.templates.iter().any(|template| *template.model() == model) {
            done.had += 1;
            continue;
        }
        let crops = match store.crops_of(id) {
            // Forgotten since the list was read.
            Err(StoreError::Nobody(_)) => continue,
            crops => crops?,
        };
        if crops.is_empty() {
            done.must_enrol.push((id, expires));
            continue;
        }
        if !is_trial {
            let templates = embedder.embed(&crops)?;
            match store.add_templates(id, &templates) {
                Err(StoreError::Nobody(_)) => continue,
                added => added?,
            }
        }
        done.made += 1;
    }
    done.must_enrol.sort_by_key(|(_, expires)| std::cmp::Reverse(*expires));
    Ok(done)
}
