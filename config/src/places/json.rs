//! JSON as a tree whose every value knows its place.

use crate::problem::Finding;
use jsonc_parser::{
    ast::{ObjectProp, Value},
    common::{Range as Placed, Ranged as _},
    errors::{ParseError, ParseErrorKind},
    parse_to_ast,
};
use std::ops::Range;

/// The text as it is read: without a byte order mark, lines ending as on Unix. Control characters, which no terminal
/// should be sent, are replaced where JSON allows none anyway.
pub(crate) fn plain(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n");
    text.replace(|c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r'), "\u{fffd}")
}

/// Reads one value, as strictly as RFC 8259.
pub(crate) fn parse(text: &str) -> Result<Value<'_>, Box<Finding>> {
    let strict = jsonc_parser::ParseOptions {
        allow_comments: false,
        allow_loose_object_property_names: false,
        allow_trailing_commas: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    let parsed = parse_to_ast(text, &jsonc_parser::CollectOptions::default(), &strict);
    let parsed = parsed.map_err(|error| Box::new(unreadable(text, &error)))?;
    parsed.value.ok_or_else(|| {
        let mend = "export the venue's map as GeoJSON, or begin with the example `config/places.geojson`";
        Box::new(Finding::new(0..0, "", "the file is empty", mend))
    })
}

/// What is no JSON, with the mend for what people most often get wrong.
fn unreadable(text: &str, error: &ParseError) -> Finding {
    use ParseErrorKind as Kind;
    let range = error.range();
    let mut at = range.start.min(text.len());
    if text.trim_start().starts_with('<') {
        let mend = "export it as GeoJSON: this looks like KML, GPX or a web page";
        return Finding::new(0..1, "", "this is not JSON: it begins with `<`", mend);
    }
    let said = error.kind().to_string();
    let mut chars = said.chars();
    let said: String = chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default();
    let mend = match error.kind() {
        Kind::TrailingCommasNotAllowed => "remove the comma before the bracket",
        Kind::ExpectedComma => "put a comma between the two values",
        Kind::CommentsNotAllowed => "remove the comment: JSON has none",
        Kind::SingleQuotedStringsNotAllowed => "use double quotes",
        Kind::ExpectedStringObjectProperty | Kind::UnexpectedWord => "put double quotes round words",
        Kind::UnterminatedArray | Kind::UnterminatedObject => "close the bracket that was opened here",
        Kind::ExpectedColonAfterObjectKey => "put a colon between the key and its value",
        Kind::NestingDepthExceeded => "check that this is the right file: GeoJSON nests less than ten deep",
        Kind::MultipleRootJsonValues => {
            "keep one FeatureCollection: lines of GeoJSON each on its own are to be put into its `features`"
        }
        Kind::String(_) => "close the quote, and write a line break as `\\n`",
        Kind::UnaryPlusNumbersNotAllowed | Kind::BareDecimalPointNumbersNotAllowed => {
            "write numbers such as `13.4` or `-0.5`"
        }
        Kind::NonFiniteNumbersNotAllowed => "write a number, or leave the value out",
        _ => "check commas, quotes and brackets around here",
    };
    if at == text.len() {
        // A caret behind the end would be drawn under nothing.
        at = text.trim_end().len().saturating_sub(1);
    }
    let at = text.floor_char_boundary(at);
    Finding::new(at..at + 1, "", format!("this is not JSON: {said}"), mend)
}

/// The bytes of a value.
pub(crate) fn span(value: &Value<'_>) -> Range<usize> {
    bytes(value.range())
}

/// The bytes of a key, with its quotes.
pub(crate) fn key_span(entry: &ObjectProp<'_>) -> Range<usize> {
    let start = entry.range.start;
    start..start + entry.name.as_str().len() + 2
}

fn bytes(range: Placed) -> Range<usize> {
    range.start..range.end
}

/// A value in words, for messages.
pub(crate) fn seen(value: &Value<'_>) -> String {
    match value {
        Value::StringLit(text) if text.value.chars().count() > 60 => "a long text".to_owned(),
        Value::StringLit(text) => format!("`{}`", text.value.replace('\n', " ")),
        Value::NumberLit(number) => number.value.to_owned(),
        Value::BooleanLit(yes) => format!("`{}`", yes.value),
        Value::NullKeyword(_) => "`null`".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::Object(_) => "an object".to_owned(),
    }
}

/// The text of a string; `None` where the value is none.
pub(crate) fn text<'v>(value: &'v Value<'_>) -> Option<&'v str> {
    value.as_string_lit().map(|text| text.value.as_ref())
}

/// A number; `None` where the value is none, or one that no computer holds.
pub(crate) fn number(value: &Value<'_>) -> Option<f64> {
    value.as_number_lit()?.value.parse().ok().filter(|number: &f64| number.is_finite())
}
