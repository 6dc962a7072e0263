//! Cells of a CSV file, each with its place.
//!
//! `csv-core` says where a cell ends; how far it has read says where that is in the file. A row is a line: where a quote
//! is left open, the lines below are tried, and a quote that nothing closes costs its own row and no other.

use csv_core::{ReadFieldResult, Reader, ReaderBuilder};
use std::ops::Range;

/// Lines that one row may go over: a cell with line breaks of a spreadsheet has a few.
const LINES: usize = 20;

/// One cell.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Cell {
    /// Its bytes of the text, quotes included.
    pub(crate) span: Range<usize>,
    /// What it says; trimmed, line breaks as blanks.
    pub(crate) text: String,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    /// Its bytes of the text, without the line's end.
    pub(crate) span: Range<usize>,
    pub(crate) cells: Vec<Cell>,
    /// Where a quote is opened that nothing closes.
    pub(crate) open: Option<usize>,
}

impl Row {
    /// Whether anything is written in it.
    pub(crate) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.text.is_empty())
    }
}

/// The rows of `text` from byte `from` on; lines that are empty or begin with `#` are none.
pub(crate) fn rows(text: &str, from: usize, separator: u8) -> Vec<Row> {
    let mut lines = Vec::new();
    let mut start = from;
    for line in text[from..].split_inclusive('\n') {
        let end = start + line.trim_end_matches(['\n', '\r']).len();
        lines.push(start..end);
        start += line.len();
    }
    // One for all rows: to make it takes longer than to read a row.
    let mut reader = ReaderBuilder::new().delimiter(separator).build();
    let mut rows = Vec::new();
    let mut next = 0;
    while let Some(line) = lines.get(next) {
        next += 1;
        if text[line.clone()].trim().is_empty() || text[line.clone()].starts_with('#') {
            continue;
        }
        let mut row = row(text, line.clone(), &mut reader);
        if row.open.is_some() {
            // Closed further down, where the quotes are even again?
            for (more, last) in lines.iter().enumerate().skip(next).take(LINES) {
                let longer = self::row(text, line.start..last.end, &mut reader);
                if longer.open.is_none() {
                    row = longer;
                    next = more + 1;
                    break;
                }
            }
        }
        rows.push(row);
    }
    rows
}

/// One row.
fn row(text: &str, span: Range<usize>, reader: &mut Reader) -> Row {
    let raw = &text.as_bytes()[span.clone()];
    reader.reset();
    let mut out = vec![0; raw.len() + 1];
    let (mut cells, mut open) = (Vec::new(), None);
    let (mut start, mut at, mut filled) = (0, 0, 0);
    loop {
        let (result, read, written) = reader.read_field(&raw[at..], &mut out[filled..]);
        at += read;
        filled += written;
        match result {
            ReadFieldResult::InputEmpty => {}
            ReadFieldResult::Field { record_end } => {
                let end = if record_end { raw.len() } else { at - 1 };
                let cell = &raw[start..end];
                if cell.first() == Some(&b'"') && cell.iter().filter(|byte| **byte == b'"').count() % 2 == 1 {
                    open = open.or(Some(span.start + start));
                }
                let text = String::from_utf8_lossy(&out[..filled]);
                let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
                cells.push(Cell { span: span.start + start..span.start + end, text });
                (start, filled) = (at, 0);
                if record_end {
                    break;
                }
            }
            // The output has room for the whole row, so it is never full.
            ReadFieldResult::OutputFull | ReadFieldResult::End => break,
        }
    }
    Row { span, cells, open }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<Vec<String>> {
        rows(text, 0, b',').iter().map(|row| row.cells.iter().map(|cell| cell.text.clone()).collect()).collect()
    }

    #[test]
    fn quotes_separators_and_line_breaks_in_cells_are_read() {
        assert_eq!(
            texts("a,\"b, c\",\"d \"\"e\"\"\",\n# no row\n\n,x\n"),
            [vec!["a", "b, c", "d \"e\"", ""], vec!["", "x"]]
        );
        assert_eq!(texts("a,\"b\nc\",d\ne,f,g\n"), [["a", "b c", "d"], ["e", "f", "g"]]);
    }

    #[test]
    fn a_quote_that_nothing_closes_costs_its_own_row_only() {
        let text = "a,\"b,c\nd,e,f\n";
        let rows = rows(text, 0, b',');
        assert_eq!((rows[0].open, rows[1].open, rows.len()), (Some(2), None, 2));
        assert_eq!(rows[1].cells.len(), 3);
    }

    proptest! {
        #[test]
        fn cells_are_those_of_the_csv_crate_and_lie_where_they_say(
            table in prop::collection::vec(prop::collection::vec("[a-zé,;\"# ]{0,6}", 2..5), 1..5)
        ) {
            let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
            for row in &table {
                writer.write_record(row.iter().map(|cell| format!("x{cell}"))).unwrap();
            }
            let text = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            let read = rows(&text, 0, b',');
            prop_assert_eq!(read.len(), table.len());
            for (row, written) in read.iter().zip(&table) {
                prop_assert_eq!(row.open, None);
                prop_assert_eq!(row.cells.len(), written.len());
                for (cell, written) in row.cells.iter().zip(written) {
                    let folded = format!("x{written}").split_whitespace().collect::<Vec<_>>().join(" ");
                    prop_assert_eq!(&cell.text, &folded);
                    let raw = &text[cell.span.clone()];
                    let quoted = format!("\"x{}\"", written.replace('"', "\"\""));
                    prop_assert!(raw == quoted || raw[1..] == *written);
                }
            }
        }
    }
}
