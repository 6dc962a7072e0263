//! A visitor's rows: sealed words, templates, and the crops of those who agreed that theirs are kept.

use crate::gallery::{
    key::BoxKey,
    pass::PassSecret,
    seal::{DataKey, Field, Unsealable},
    search::Enrolled,
    visitor::{Custody, Household, Visitor, VisitorId},
};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};
use std::time::{Duration, SystemTime};
use usher_models::{
    align::SIDE,
    image::{Rgb, Size},
    template::{ModelId, Template},
};
use uuid::Uuid;
use zeroize::Zeroizing;

/// Bytes of a crop: red, green and blue planes of an aligned face.
const CROP: usize = 3 * (SIDE * SIDE) as usize;

/// Whose rows, and the key that opens them.
pub(crate) struct Owner<'a> {
    pub(crate) row: i64,
    pub(crate) id: VisitorId,
    pub(crate) key: &'a DataKey,
}

impl Owner<'_> {
    /// Adds templates behind those that are there.
    pub(crate) fn add_templates(&self, write: &Transaction<'_>, templates: &[Template]) -> rusqlite::Result<()> {
        let next = "SELECT COALESCE(MAX(ordinal) + 1, 0) FROM template WHERE visitor = ?1";
        let next: u32 = write.query_row(next, [self.row], |row| row.get(0))?;
        for (ordinal, template) in (next..).zip(templates) {
            let model = template.model().0.as_str();
            let bytes = Zeroizing::new(template.vector().iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>());
            let sealed = self.key.seal(self.id, Field::Template { ordinal, model }, &bytes);
            let insert = "INSERT INTO template (visitor, ordinal, model, sealed) VALUES (?1, ?2, ?3, ?4)";
            write.execute(insert, params![self.row, ordinal, model, sealed])?;
        }
        Ok(())
    }

    /// All templates, of whatever model.
    pub(crate) fn templates(&self, read: &Connection) -> Result<Vec<Template>, String> {
        let query = "SELECT ordinal, model, sealed FROM template WHERE visitor = ?1 ORDER BY ordinal";
        let mut query = read.prepare_cached(query).map_err(sql)?;
        let mut rows = query.query([self.row]).map_err(sql)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            let (ordinal, model, bytes): (u32, String, Vec<u8>) =
                (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?, row.get(2).map_err(sql)?);
            let plain = self.key.open(self.id, Field::Template { ordinal, model: &model }, &bytes).map_err(sealed)?;
            let (numbers, rest) = plain.as_chunks::<4>();
            if !rest.is_empty() {
                return Err("a template is cut short".to_owned());
            }
            let vector = numbers.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
            found.push(Template::new(ModelId(model), vector).map_err(|error| error.to_string())?);
        }
        Ok(found)
    }

    /// Adds aligned crops, one for each view.
    pub(crate) fn add_crops(&self, write: &Transaction<'_>, crops: &[Rgb]) -> rusqlite::Result<()> {
        for (ordinal, crop) in (0_u32..).zip(crops) {
            let bytes = Zeroizing::new(crop.data.iter().map(|v| v.round().clamp(0.0, 255.0) as u8).collect::<Vec<_>>());
            let sealed = self.key.seal(self.id, Field::Picture { ordinal }, &bytes);
            let insert = "INSERT INTO picture (visitor, ordinal, sealed) VALUES (?1, ?2, ?3)";
            write.execute(insert, params![self.row, ordinal, sealed])?;
        }
        Ok(())
    }

    /// The aligned crops kept, none for whoever did not agree to that.
    pub(crate) fn crops(&self, read: &Connection) -> Result<Vec<Rgb>, String> {
        let query = "SELECT ordinal, sealed FROM picture WHERE visitor = ?1 ORDER BY ordinal";
        let mut query = read.prepare_cached(query).map_err(sql)?;
        let mut rows = query.query([self.row]).map_err(sql)?;
        let mut found = Vec::new();
        while let Some(row) = rows.next().map_err(sql)? {
            let (ordinal, bytes): (u32, Vec<u8>) = (row.get(0).map_err(sql)?, row.get(1).map_err(sql)?);
            let plain = self.key.open(self.id, Field::Picture { ordinal }, &bytes).map_err(sealed)?;
            if plain.len() != CROP {
                return Err("a picture is cut short".to_owned());
            }
            let data = plain.iter().map(|byte| f32::from(*byte)).collect();
            found.push(Rgb { size: Size { width: SIDE, height: SIDE }, data });
        }
        Ok(found)
    }
}

/// What [`person`] reads.
pub(crate) const PERSON: &str =
    "SELECT row, id, wrapped, name, sport, enrolled_at, expires_at, household, custody, wishes FROM visitor";

/// One row of [`PERSON`], opened; with the visitor's `pass` where they keep the key.
pub(crate) fn person(
    key: &BoxKey,
    pass: Option<&PassSecret>,
    read: &Connection,
    row: &Row<'_>,
) -> Result<Enrolled, String> {
    let id: Vec<u8> = row.get(1).map_err(sql)?;
    let id = VisitorId(Uuid::from_slice(&id).map_err(|_| "the id has not 16 bytes".to_owned())?);
    let (enrolled, expires) = (row.get(5).map_err(sql)?, row.get(6).map_err(sql)?);
    let wrapped: Vec<u8> = row.get(2).map_err(sql)?;
    let custody = Custody::of(row.get(8).map_err(sql)?);
    let pass = pass.filter(|_| custody == Custody::Visitor);
    let data = DataKey::unwrap(key, pass, id, Field::Key { enrolled, expires }, &wrapped).map_err(sealed)?;
    let text = |column, field| {
        let bytes: Vec<u8> = row.get(column).map_err(sql)?;
        let plain = data.open(id, field, &bytes).map_err(sealed)?;
        std::str::from_utf8(&plain).map(str::to_owned).map_err(|_| "a text is not UTF-8".to_owned())
    };
    let household = row.get::<_, Option<Vec<u8>>>(7).map_err(sql)?.map(|bytes| household(&data, id, &bytes));
    let visitor = Visitor {
        id,
        name: text(3, Field::Name)?,
        sport: text(4, Field::Sport)?,
        expires: moment(expires),
        household: household.transpose()?,
        custody,
        wishes: serde_json::from_str(&text(9, Field::Wishes)?).map_err(|_| "the wishes cannot be read".to_owned())?,
    };
    let templates = Owner { row: row.get(0).map_err(sql)?, id, key: &data }.templates(read)?;
    Ok(Enrolled { visitor, enrolled: moment(enrolled), templates })
}

fn household(key: &DataKey, id: VisitorId, bytes: &[u8]) -> Result<Household, String> {
    let plain = key.open(id, Field::Household, bytes).map_err(sealed)?;
    Uuid::from_slice(&plain).map(Household).map_err(|_| "a household has not 16 bytes".to_owned())
}

/// Somebody's row and data key; `None` for nobody, for whoever keeps their key, and for a row that does not open.
pub(crate) fn keyed(read: &Connection, key: &BoxKey, id: VisitorId) -> rusqlite::Result<Option<(i64, DataKey)>> {
    let find = "SELECT row, wrapped, enrolled_at, expires_at FROM visitor WHERE id = ?1 AND custody = 0";
    let found = read.query_row(find, [id.0.as_bytes()], |row| {
        let field = Field::Key { enrolled: row.get(2)?, expires: row.get(3)? };
        Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?, field))
    });
    let opened = |(row, wrapped, field): (i64, Vec<u8>, Field<'_>)| {
        DataKey::unwrap(key, None, id, field, &wrapped).ok().map(|key| (row, key))
    };
    Ok(found.optional()?.and_then(opened))
}

/// One household of all these people: that of the first who has one, else a new one. `None` for nobody.
pub(crate) fn together(
    write: &Transaction<'_>,
    key: &BoxKey,
    people: &[VisitorId],
) -> rusqlite::Result<Option<Household>> {
    let mut members = Vec::new();
    for id in people {
        let Some((row, data)) = keyed(write, key, *id)? else { continue };
        let bytes = write.query_row("SELECT household FROM visitor WHERE row = ?1", [row], |row| row.get(0))?;
        let own = Option::<Vec<u8>>::and_then(bytes, |bytes| household(&data, *id, &bytes).ok());
        members.push((row, *id, data, own));
    }
    let Some(first) = members.iter().find_map(|(.., own)| *own).or(members.first().map(|_| Household(Uuid::new_v4())))
    else {
        return Ok(None);
    };
    for (row, id, data, own) in members {
        if own != Some(first) {
            let sealed = data.seal(id, Field::Household, first.0.as_bytes());
            write.execute("UPDATE visitor SET household = ?2 WHERE row = ?1", params![row, sealed])?;
        }
    }
    Ok(Some(first))
}

/// Milliseconds since 1970; the ends of time are far enough.
pub(crate) fn millis(at: SystemTime) -> i64 {
    match at.duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    }
}

/// The moment so many milliseconds after 1970.
pub(crate) fn moment(millis: i64) -> SystemTime {
    let by = Duration::from_millis(millis.unsigned_abs());
    let end = if millis < 0 { SystemTime::UNIX_EPOCH.checked_sub(by) } else { SystemTime::UNIX_EPOCH.checked_add(by) };
    // Beyond what the system can count: as good as gone.
    end.unwrap_or(SystemTime::UNIX_EPOCH)
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
fn sql(error: rusqlite::Error) -> String {
    error.to_string()
}

fn sealed(error: Unsealable) -> String {
    error.to_string()
}
