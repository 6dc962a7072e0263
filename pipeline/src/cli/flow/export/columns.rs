//! The table as Parquet.

use crate::cli::flow::export::{Line, word};
use parquet::{
    data_type::{ByteArray, ByteArrayType, Int32Type, Int64Type},
    errors::ParquetError,
    file::{properties::WriterProperties, writer::SerializedFileWriter},
    schema::parser::parse_message_type,
};
use std::{fs::File, sync::Arc};

/// Times are milliseconds since 1970; what nobody saw is null.
const FORM: &str = "message counts {
    required int64 timestamp (TIMESTAMP(MILLIS,true));
    required binary gate (UTF8);
    optional int32 entered (INTEGER(32,false));
    optional int32 left (INTEGER(32,false));
    required binary counting (UTF8);
}";

/// Rows of a group: a gate's two months; readers skip groups whose times do not matter to them.
const GROUP: usize = 90_000;

/// Writes the table.
pub(super) fn write(file: File, lines: &[Line]) -> Result<(), ParquetError> {
    let form = Arc::new(parse_message_type(FORM)?);
    let mut writer = SerializedFileWriter::new(file, form, Arc::new(WriterProperties::builder().build()))?;
    for lines in lines.chunks(GROUP) {
        let mut group = writer.next_row_group()?;
        let mut number = 0;
        while let Some(mut column) = group.next_column()? {
            let text = |of: &dyn Fn(&Line) -> String| -> Vec<ByteArray> {
                lines.iter().map(|line| ByteArray::from(of(line).into_bytes())).collect()
            };
            match number {
                0 => {
                    let times: Vec<i64> = lines.iter().map(|line| line.minute.at.as_millisecond()).collect();
                    column.typed::<Int64Type>().write_batch(&times, None, None)?;
                }
                1 => {
                    let gates = text(&|line| line.gate.to_string());
                    column.typed::<ByteArrayType>().write_batch(&gates, None, None)?;
                }
                2 | 3 => {
                    let counts: Vec<Option<u32>> = lines
                        .iter()
                        .map(|line| if number == 2 { line.minute.entered } else { line.minute.left })
                        .collect();
                    let there: Vec<i16> = counts.iter().map(|count| i16::from(count.is_some())).collect();
                    let told: Vec<i32> = counts.iter().flatten().map(|count| count.cast_signed()).collect();
                    column.typed::<Int32Type>().write_batch(&told, Some(&there), None)?;
                }
                _ => {
                    let words = text(&|line| word(line.minute.counting).to_owned());
                    column.typed::<ByteArrayType>().write_batch(&words, None, None)?;
                }
            }
            column.close()?;
            number += 1;
        }
        group.close()?;
    }
    writer.close().map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::{count::tally::Minute, told::Counting};
    use jiff::Timestamp;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use usher_config::value::Name;

    #[test]
    fn a_gap_is_null_and_comes_back_as_one() {
        let line = |second, entered, counting| Line {
            gate: Name::new("gate-b").unwrap(),
            minute: Minute { at: Timestamp::from_second(second).unwrap(), entered, left: None, counting },
        };
        let file = tempfile::NamedTempFile::new().unwrap();
        let lines = [line(60, Some(7), Counting::Whole), line(120, None, Counting::None)];
        write(file.reopen().unwrap(), &lines).unwrap();
        let reader = SerializedFileReader::new(file.reopen().unwrap()).unwrap();
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!(
            rows,
            [
                "{timestamp: 1970-01-01 00:01:00.000 +00:00, gate: \"gate-b\", entered: 7, left: null, counting: \"whole\"}",
                "{timestamp: 1970-01-01 00:02:00.000 +00:00, gate: \"gate-b\", entered: null, left: null, counting: \"none\"}"
            ]
        );
    }
}
