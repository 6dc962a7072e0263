//! A table of a feed: columns by name, every problem by line.

use crate::problem::{Problem, Problems};
use csv::{ByteRecord, Reader, ReaderBuilder};
use std::{borrow::Cow, io::Read};

/// Most problems that are told of one feed.
const MOST: usize = 100;

/// What is wrong with a feed.
#[derive(Default)]
pub(crate) struct Troubles(Vec<Problem>);

impl Troubles {
    /// Says what is wrong with a line (0: with the file).
    pub(crate) fn find(
        &mut self,
        file: &str,
        line: u64,
        key: &str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) {
        if self.are_many() {
            return;
        }
        let line = usize::try_from(line).unwrap_or(usize::MAX).max(1);
        self.0.push(Problem::in_line(file, line, key, message, mend));
    }

    /// Whether as many were found as are told: no need to read on.
    pub(crate) fn are_many(&self) -> bool {
        self.0.len() >= MOST
    }

    /// All of them; `Ok` where there are none.
    pub(crate) fn all(self) -> Result<(), Problems> {
        Problems::of_lines(self.0)
    }
}

/// A table that is being read.
pub(crate) struct Table<'f> {
    file: String,
    reader: Reader<Box<dyn Read + 'f>>,
    record: ByteRecord,
    /// Where each column asked for is.
    places: Vec<Option<usize>>,
    columns: &'static [&'static str],
}

/// One row.
pub(crate) struct Row<'t> {
    record: &'t ByteRecord,
    places: &'t [Option<usize>],
    columns: &'static [&'static str],
    file: &'t str,
    /// Its line in the file, from 1.
    pub(crate) line: u64,
}

impl<'f> Table<'f> {
    /// Begins to read; `columns` are those that are asked for by index, the first `required` of which must be there.
    pub(crate) fn open(
        file: String,
        bytes: Box<dyn Read + 'f>,
        columns: &'static [&'static str],
        required: usize,
        troubles: &mut Troubles,
    ) -> Option<Self> {
        let mut reader = ReaderBuilder::new().flexible(true).buffer_capacity(1 << 16).from_reader(bytes);
        let header = match reader.byte_headers() {
            Ok(header) => header,
            Err(error) => {
                troubles.find(&file, 0, "", format!("the file cannot be read: {error}"), "fetch the feed again");
                return None;
            }
        };
        let trimmed = |cell: &[u8]| String::from_utf8_lossy(cell).trim().to_owned();
        let header: Vec<String> = header.iter().map(trimmed).collect();
        let places: Vec<_> = columns.iter().map(|column| header.iter().position(|name| name == column)).collect();
        let mut whole = true;
        for (column, _) in columns.iter().zip(&places).take(required).filter(|(_, place)| place.is_none()) {
            let mend = "fetch the feed again, or ask whoever publishes it: GTFS requires the column";
            troubles.find(&file, 1, column, format!("the column `{column}` is missing"), mend);
            whole = false;
        }
        whole.then(|| Self { file, reader, record: ByteRecord::new(), places, columns })
    }

    /// The next row; `None` at the end, or where so much is wrong that nobody reads on.
    pub(crate) fn next(&mut self, troubles: &mut Troubles) -> Option<Row<'_>> {
        if troubles.are_many() {
            return None;
        }
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return None,
            Err(error) => {
                let line = self.reader.position().line();
                let mend = "fetch the feed again: it may have been cut off";
                troubles.find(&self.file, line, "", format!("the file cannot be read further: {error}"), mend);
                return None;
            }
        }
        let line = self.record.position().map_or(0, csv::Position::line);
        Some(Row { record: &self.record, places: &self.places, columns: self.columns, file: &self.file, line })
    }
}

impl<'t> Row<'t> {
    /// A cell's bytes, trimmed; empty where the row or the file has none.
    pub(crate) fn bytes(&self, column: usize) -> &'t [u8] {
        self.places[column].and_then(|place| self.record.get(place)).unwrap_or_default().trim_ascii()
    }

    /// Says what is wrong with one of its columns.
    pub(crate) fn find(&self, column: usize, troubles: &mut Troubles, message: String, mend: &str) {
        troubles.find(self.file, self.line, self.columns[column], message, mend);
    }

    /// A cell's text.
    pub(crate) fn text(&self, column: usize) -> Cow<'t, str> {
        String::from_utf8_lossy(self.bytes(column))
    }
}
