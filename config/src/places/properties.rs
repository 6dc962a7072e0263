//! Properties: what a feature says of itself.

use crate::{
    document::words::nearest,
    places::{
        DIETS, DRAWN, Kind, Opening, geometry,
        geometry::Written,
        json,
        property::{Form, KINDS, Property, SYNONYMS},
    },
    problem::Finding,
    text::Textual as _,
    value::Name,
};
use jsonc_parser::ast::{Array, Object, ObjectProp, Value};
use std::borrow::Borrow as _;

/// What a property said.
#[derive(Clone, Debug)]
enum Said {
    Text(String),
    Words(Vec<String>),
    Number(f64),
    Flag(bool),
    Hours(Opening),
    Name(Name),
    Position(Written),
}

/// The properties of one feature.
#[derive(Clone, Debug, Default)]
pub(crate) struct Properties(Vec<(&'static str, Said)>);

/// Gives the properties a reader each.
macro_rules! getters {
    ($($name:ident: $said:ident as $type:ty),*) => {$(
        /// What the property of that name said; `None` where it is absent.
        pub(crate) fn $name(&self, name: &str) -> Option<&$type> {
            self.0.iter().find(|(known, _)| *known == name).and_then(|(_, said)| match said {
                Said::$said(said) => Some(said.borrow()),
                _ => None,
            })
        }
    )*};
}

impl Properties {
    getters!(text: Text as str, words: Words as [String], number: Number as f64, flag: Flag as bool, hours: Hours as Opening,
             name: Name as Name, position: Position as Written);
}

/// Where a feature is read: its path in the file, what its kind may be, what is found and remarked.
pub(crate) struct Reader<'r> {
    /// `features[3].properties`
    pub(crate) key: &'r str,
    pub(crate) table: &'static [Property],
    pub(crate) kinds: &'r [&'static str],
    pub(crate) findings: &'r mut Vec<Finding>,
    pub(crate) remarks: &'r mut Vec<Finding>,
}

impl Reader<'_> {
    /// Reads what is there; values that do not fit are found and left out.
    pub(crate) fn read(&mut self, object: &Object<'_>) -> Properties {
        let mut read = Properties::default();
        for entry in &object.properties {
            let name = entry.name.as_str();
            // What is `null` is not said: that is how map tools export an empty column.
            if entry.value.as_null_keyword().is_some() {
                continue;
            }
            let Some(property) = self.table.iter().find(|property| property.name == name) else {
                self.unknown(entry, object);
                continue;
            };
            if read.0.iter().any(|(known, _)| *known == name) {
                let key = format!("{}.{name}", self.key);
                let message = format!("`{name}` stands here a second time");
                self.findings.push(Finding::new(json::key_span(entry), key, message, "keep one of the two"));
                continue;
            }
            if let Some(said) = self.value(&entry.value, property) {
                read.0.push((property.name, said));
            }
        }
        read
    }

    /// A property that is not ours: a mistake where it is nearly one of ours, else one of a map tool.
    fn unknown(&mut self, entry: &ObjectProp<'_>, object: &Object<'_>) {
        let name = entry.name.as_str();
        let key = format!("{}.{name}", self.key);
        let missing = |known: &&str| object.get(known).is_none_or(|other| other.value.as_null_keyword().is_some());
        let known = self.table.iter().map(|property| property.name).filter(missing);
        if let Some(near) = misspelt(name, known) {
            let message = format!("unknown property `{name}`");
            self.findings.push(Finding::new(json::key_span(entry), key, message, format!("did you mean `{near}`?")));
            return;
        }
        let word = name.split(':').next().unwrap_or_default().to_lowercase();
        let ours = SYNONYMS.iter().find(|(other, ours)| *other == word && missing(ours)).map(|(_, ours)| *ours);
        let property = ours.and_then(|ours| self.table.iter().find(|property| property.name == ours));
        if let Some(property) = property {
            let mend = format!("write `\"{}\": {}`, or leave it if that is not meant", property.name, property.example);
            self.remarks.push(Finding::new(json::key_span(entry), key, format!("`{name}` is not read"), mend));
        }
    }

    fn value(&mut self, value: &Value<'_>, property: &Property) -> Option<Said> {
        match property.form {
            Form::Kind => self.kind(value),
            Form::Text(most) => self.text(value, property, most),
            Form::Words => self.words(value, property),
            Form::Diets => self.diets(value, property),
            Form::Price => self.within(value, property, 1.0, 4.0, true),
            Form::Share => self.within(value, property, 0.0, 1.0, false),
            Form::Hours => self.hours(value, property),
            Form::Flag => self.flag(value, property),
            Form::Name => {
                let text = json::text(value).map(Name::read);
                match text {
                    Some(Ok(name)) => Some(Said::Name(name)),
                    Some(Err(unfit)) => {
                        self.wrong(value, property.name, format!("`{}`: {}", property.name, unfit.message), unfit.mend)
                    }
                    None => self.unlike(value, property, "text"),
                }
            }
            Form::Position => {
                let key = format!("{}.{}", self.key, property.name);
                geometry::position(value, &key, self.findings).map(Said::Position)
            }
        }
    }

    fn wrong(
        &mut self,
        value: &Value<'_>,
        name: &str,
        message: impl Into<String>,
        mend: impl Into<String>,
    ) -> Option<Said> {
        self.findings.push(Finding::new(json::span(value), format!("{}.{name}", self.key), message, mend));
        None
    }

    fn unlike(&mut self, value: &Value<'_>, property: &Property, what: &str) -> Option<Said> {
        let Property { name, example, .. } = property;
        self.wrong(
            value,
            name,
            format!("`{name}` must be {what}, not {}", json::seen(value)),
            format!("write for instance `\"{name}\": {example}`"),
        )
    }

    fn kind(&mut self, value: &Value<'_>) -> Option<Said> {
        let word = json::text(value);
        if let Some(word) = word.filter(|word| self.kinds.contains(word)) {
            return Some(Said::Text(word.to_owned()));
        }
        let names = || self.kinds.iter().map(|kind| format!("`{kind}`")).collect::<Vec<_>>().join(", ");
        let mend = match word {
            Some(word) if DRAWN.contains(&word) => format!("draw what is `{word}` as a Polygon"),
            Some("path") => "draw a path as a LineString".to_owned(),
            Some(word) if Kind::of(word).is_some() => format!("give what is `{word}` a Point: a LineString is a path"),
            Some(word) => match meant(word, self.kinds).or_else(|| nearest(word, self.kinds.iter().copied())) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("write one of {}", names()),
            },
            None => format!("write one of {}", names()),
        };
        self.wrong(value, "kind", format!("`kind` cannot be {}", json::seen(value)), mend)
    }

    fn text(&mut self, value: &Value<'_>, property: &Property, most: usize) -> Option<Said> {
        let name = property.name;
        let Some(text) = json::text(value) else { return self.unlike(value, property, "text") };
        let length = text.chars().count();
        if text.trim().is_empty() {
            let mend = format!("write for instance `\"{name}\": {}`, or leave it out", property.example);
            return self.wrong(value, name, format!("`{name}` is empty"), mend);
        }
        if length > most {
            return self.wrong(
                value,
                name,
                format!("`{name}` has {length} characters, more than {most}"),
                "shorten it",
            );
        }
        Some(Said::Text(text.trim().to_owned()))
    }

    /// A list of texts; one text is told how to be a list.
    fn list<'v>(&mut self, value: &'v Value<'_>, property: &Property) -> Option<&'v Array<'v>> {
        if let Some(text) = json::text(value) {
            let words: Vec<String> = text.split([';', ',']).map(|word| format!("\"{}\"", word.trim())).collect();
            let name = property.name;
            let message = format!("`{name}` must be a list, not {}", json::seen(value));
            self.wrong(value, name, message, format!("write `\"{name}\": [{}]`", words.join(", ")));
            return None;
        }
        let list = value.as_array();
        if list.is_none() {
            self.unlike(value, property, "a list of words");
        }
        list
    }

    fn words(&mut self, value: &Value<'_>, property: &Property) -> Option<Said> {
        let list = self.list(value, property)?;
        let before = self.findings.len();
        let mut words = Vec::with_capacity(list.elements.len());
        for item in &list.elements {
            match json::text(item).map(str::trim) {
                Some(word) if (1..=40).contains(&word.chars().count()) => words.push(word.to_lowercase()),
                _ => {
                    let message = format!("`{}` lists words, not {}", property.name, json::seen(item));
                    self.wrong(item, property.name, message, format!("write for instance `{}`", property.example));
                }
            }
        }
        (self.findings.len() == before).then_some(Said::Words(words))
    }

    fn diets(&mut self, value: &Value<'_>, property: &Property) -> Option<Said> {
        let list = self.list(value, property)?;
        let before = self.findings.len();
        let mut diets: Vec<String> = Vec::with_capacity(list.elements.len());
        for item in &list.elements {
            let word = json::text(item);
            if let Some(word) = word.filter(|word| DIETS.contains(word)) {
                if !diets.iter().any(|diet| diet == word) {
                    diets.push(word.to_owned());
                }
                continue;
            }
            let mend = match word.map(|word| (word, nearest(word, DIETS.into_iter()))) {
                Some((word @ ("spicy" | "noodles" | "sweet"), _)) => {
                    format!("write `{word}` in `cuisine`: it is a liking")
                }
                Some((_, Some(near))) => format!("did you mean `{near}`?"),
                _ => format!("write {}", DIETS.map(|diet| format!("`{diet}`")).join(", ")),
            };
            self.wrong(item, property.name, format!("`{}` cannot be {}", property.name, json::seen(item)), mend);
        }
        (self.findings.len() == before).then_some(Said::Words(diets))
    }

    fn within(&mut self, value: &Value<'_>, property: &Property, least: f64, most: f64, whole: bool) -> Option<Said> {
        let name = property.name;
        let Some(number) = json::number(value) else {
            let quoted = json::text(value).filter(|text| text.trim().parse::<f64>().is_ok_and(f64::is_finite));
            return match quoted {
                Some(text) => {
                    let message = format!("`{name}` must be a number, not text");
                    self.wrong(value, name, message, format!("write it without quotes: `\"{name}\": {}`", text.trim()))
                }
                None => self.unlike(value, property, "a number"),
            };
        };
        if (least..=most).contains(&number) && !(whole && number.fract() != 0.0) {
            return Some(Said::Number(number));
        }
        let mend = if !whole && number > 1.0 && number <= 100.0 {
            format!("write {} for {number} of 100", number / 100.0)
        } else {
            format!("write a {}number from {least} to {most}", if whole { "whole " } else { "" })
        };
        self.wrong(value, name, format!("`{name}` is {}, outside its range", json::seen(value)), mend)
    }

    fn flag(&mut self, value: &Value<'_>, property: &Property) -> Option<Said> {
        let name = property.name;
        if let Some(flag) = value.as_boolean_lit() {
            return Some(Said::Flag(flag.value));
        }
        let word = match value {
            Value::NumberLit(number) => number.value.to_owned(),
            _ => json::text(value).unwrap_or_default().to_lowercase(),
        };
        let mend = match word.as_str() {
            "yes" | "true" | "1" | "on" | "designated" => format!("write `\"{name}\": true`, without quotes"),
            "no" | "false" | "0" | "off" => format!("write `\"{name}\": false`, without quotes"),
            _ => "write `true` or `false`".to_owned(),
        };
        self.wrong(value, name, format!("`{name}` cannot be {}", json::seen(value)), mend)
    }

    fn hours(&mut self, value: &Value<'_>, property: &Property) -> Option<Said> {
        let name = property.name;
        let Some(text) = json::text(value) else { return self.unlike(value, property, "text") };
        let span = json::span(value);
        match Opening::read(text) {
            Ok(opening) => {
                if let Some((doubt, mend)) = opening.doubt() {
                    let key = format!("{}.{name}", self.key);
                    self.remarks.push(Finding::new(span, key, format!("`{name}` {doubt}"), mend));
                }
                Some(Said::Hours(opening))
            }
            Err(unreadable) => {
                // Without escapes the text stands in the file as it is, one byte after its quote.
                let inside = if span.len() == text.len() + 2 {
                    let at = span.start + 1 + unreadable.at;
                    at..(span.end - 1).max(at + 1)
                } else {
                    span
                };
                let message = format!("`{name}`: {}", unreadable.message);
                self.findings.push(Finding::new(inside, format!("{}.{name}", self.key), message, unreadable.mend));
                None
            }
        }
    }
}

/// Our word for another one.
fn meant(word: &str, kinds: &[&'static str]) -> Option<&'static str> {
    let word = word.to_lowercase().replace([' ', '-'], "_");
    let ours = |(others, ours): &(&str, &'static str)| {
        (kinds.contains(ours) && others.split(' ').any(|other| other == word)).then_some(*ours)
    };
    KINDS.iter().find_map(ours)
}

/// The known name that a name is nearly: stricter than elsewhere, since other people's properties are no mistakes.
fn misspelt(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    let plain = |word: &str| word.to_lowercase().replace(['-', '_', ' ', ':'], "");
    let wanted = plain(name);
    let near = |known: &&str| {
        let known = plain(known);
        let edits = strsim::damerau_levenshtein(&wanted, &known);
        let most = known.len().min(wanted.len()) / 4;
        wanted.len() > 3 && edits <= most || known.len() > 6 && strsim::jaro_winkler(&wanted, &known) > 0.93
    };
    known.filter(near).min_by_key(|known| strsim::damerau_levenshtein(&wanted, &plain(known)))
}
