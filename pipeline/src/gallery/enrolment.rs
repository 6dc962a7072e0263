//! An enrolment: what is taken in of somebody who agreed, all of it or nothing.
//!
//! The consent goes into the audit log first, then consent, visitor and templates into the gallery in one commit. A crash in
//! between leaves a consent of which nothing is kept; the next opening says so in the log.

use crate::gallery::{
    audit::deed::{Deed, Why},
    consent::{CEILING, Consent, Scope},
    file::{StoreError, failure},
    pass::PassSecret,
    rows::{Owner, millis, together},
    seal::{DataKey, Field},
    store::Store,
    visitor::{Custody, VisitorId, Wishes},
};
use rusqlite::{TransactionBehavior, params};
use serde_json::Value;
use std::time::SystemTime;
use usher_models::{image::Rgb, template::Template};
use uuid::Uuid;

/// Somebody to be enrolled.
#[derive(Clone)]
pub struct Enrolment {
    /// The name to be shown, already checked ([`crate::gallery::name::shown`]).
    pub name: String,
    /// The favourite sport.
    pub sport: String,
    /// What else they told.
    pub wishes: Wishes,
    /// Their templates, one for each view and model; none for whoever wants a pass without a face.
    pub templates: Vec<Template>,
    /// The aligned crops that the templates were made from; only with the visitor's consent, else none.
    pub crops: Vec<Rgb>,
    /// Whom they may be taken for, by their own word: they become one household with all of these. Only where the box holds
    /// the key.
    pub household: Vec<VisitorId>,
    /// Who holds the key.
    pub custody: Custody,
    /// What they agreed to.
    pub consent: Consent,
    /// Now.
    pub enrolled: SystemTime,
    /// When they must be gone.
    pub expires: SystemTime,
}

impl Enrolment {
    /// Somebody without a face yet; the rest is for struct update syntax.
    pub fn new(name: &str, sport: &str, consent: Consent, enrolled: SystemTime, expires: SystemTime) -> Self {
        Self {
            name: name.to_owned(),
            sport: sport.to_owned(),
            wishes: Wishes::default(),
            templates: Vec::new(),
            crops: Vec::new(),
            household: Vec::new(),
            custody: Custody::Box,
            consent,
            enrolled,
            expires,
        }
    }
}

/// What somebody gets who enrolled. `Debug` prints the id only.
#[derive(Clone)]
pub struct Issued {
    /// Who they are here.
    pub visitor: VisitorId,
    /// The secret of their pass; shown once, kept nowhere.
    pub pass: PassSecret,
    /// The record of their consent, signed by the box.
    pub receipt: Value,
    /// Who is enrolled already with a face like theirs; for staff.
    pub like: Vec<VisitorId>,
}

impl std::fmt::Debug for Issued {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Issued({}, …)", self.visitor)
    }
}

impl Store {
    /// Enrols somebody; durable when it returns.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is stored then.
    pub fn enrol(&mut self, new: &Enrolment) -> Result<Issued, StoreError> {
        self.enrol_instead(new, &[])
    }

    /// Enrols somebody and forgets `old` in the same commit: both happen or neither.
    ///
    /// # Errors
    /// [`StoreError`]; nothing is changed then.
    pub fn enrol_instead(&mut self, new: &Enrolment, old: &[VisitorId]) -> Result<Issued, StoreError> {
        if new.expires.duration_since(new.enrolled).is_ok_and(|kept| kept > CEILING) {
            return Err(StoreError::Ceiling);
        }
        let (visitor, pass) = (VisitorId(Uuid::new_v4()), PassSecret::random());
        let scope = Scope {
            visitor,
            face: !new.templates.is_empty(),
            crops: !new.crops.is_empty(),
            custody: new.custody,
            given: new.enrolled,
            expires: new.expires,
        };
        let record = new.consent.record(&scope);
        let consented = Deed::Consented {
            visitor,
            notice: new.consent.sha256.clone(),
            custody: new.custody,
            face: scope.face,
            expires_ms: millis(new.expires),
        };
        let path = self.path().to_owned();
        let Self { db, key, log, .. } = self;
        log.locked(|log| {
            log.append(vec![consented], new.enrolled)?;
            let data = DataKey::random();
            let field = Field::Key { enrolled: millis(new.enrolled), expires: millis(new.expires) };
            let wrapped = data.wrap(key, (new.custody == Custody::Visitor).then_some(&pass), visitor, field);
            let text = |field, text: &str| data.seal(visitor, field, text.as_bytes());
            let (name, sport) = (text(Field::Name, &new.name), text(Field::Sport, &new.sport));
            let wishes = serde_json::to_string(&new.wishes).expect("texts are JSON");
            let (wishes, sealed) = (text(Field::Wishes, &wishes), text(Field::Consent, &record.to_string()));
            let mut written = || -> rusqlite::Result<()> {
                let write = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let household = match new.custody {
                    Custody::Box => together(&write, key, &new.household)?,
                    Custody::Visitor => None,
                };
                for old in old {
                    write.execute("DELETE FROM consent WHERE visitor = ?1", [old.0.as_bytes()])?;
                }
                let household = household.map(|household| data.seal(visitor, Field::Household, household.0.as_bytes()));
                let id = visitor.0.as_bytes();
                write.execute("INSERT INTO consent (visitor, sealed) VALUES (?1, ?2)", params![id, sealed])?;
                write.execute(
                    "INSERT INTO visitor (id, tag, custody, wrapped, name, sport, wishes, household, enrolled_at, expires_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
                    params![
                        id,
                        pass.tag(),
                        new.custody.number(),
                        wrapped,
                        name,
                        sport,
                        wishes,
                        household,
                        millis(new.enrolled),
                        millis(new.expires)
                    ],
                )?;
                let owner = Owner { row: write.last_insert_rowid(), id: visitor, key: &data };
                owner.add_templates(&write, &new.templates)?;
                owner.add_crops(&write, &new.crops)?;
                write.commit()
            };
            written().map_err(|error| {
                // Nothing was stored, so nobody is to believe that it was. Should this not be written either, the next
                // opening of the gallery finds a consent without a row, and writes it then.
                let _the_next_opening_does = log.append(vec![Deed::Unfinished { visitor }], new.enrolled);
                failure(&path, &error)
            })?;
            // After the rows are gone: were this first and the commit failed, somebody would be forgotten for nothing. What
            // is not written here is at the next opening, as an enrolment of which nothing is kept.
            let forgotten = old.iter().map(|old| Deed::Forgotten { visitor: *old, why: Why::Replaced });
            let _the_next_opening_does = log.append(forgotten.collect(), new.enrolled);
            Ok::<_, StoreError>(())
        })?;
        if !old.is_empty() {
            self.empty_log();
        }
        Ok(Issued { visitor, pass, receipt: self.log.signer().receipt(&record), like: Vec::new() })
    }
}
