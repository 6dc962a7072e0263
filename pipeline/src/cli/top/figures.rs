//! The figures of `/metrics`, and what became of them between two looks.

use std::collections::BTreeMap;

/// Every series of a page in Prometheus' text form, by its name and labels.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Figures(BTreeMap<Series, f64>);

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Series {
    name: String,
    labels: BTreeMap<String, String>,
}

impl Figures {
    /// Reads a page; what is no series (a comment, half a line) is passed over.
    pub(crate) fn read(text: &str) -> Self {
        Self(text.lines().filter_map(series).collect())
    }

    /// The sum of all series of this name that bear these labels; `None` where there is none.
    pub(crate) fn sum(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let bears = |series: &&Series| {
            series.name == name && labels.iter().all(|(key, value)| series.labels.get(*key).is_some_and(|v| v == value))
        };
        let found: Vec<f64> = self.0.iter().filter(|(series, _)| bears(series)).map(|(_, value)| *value).collect();
        (!found.is_empty()).then(|| found.iter().sum())
    }

    /// The values that `label` has in series of this name, each once.
    pub(crate) fn values(&self, name: &str, label: &str) -> Vec<String> {
        let found = self.0.keys().filter(|series| series.name == name);
        let mut values: Vec<String> = found.filter_map(|series| series.labels.get(label).cloned()).collect();
        values.sort();
        values.dedup();
        values
    }

    /// How much a counter has grown a second since `before`, so many seconds ago. A counter that is smaller than it was began anew.
    pub(crate) fn rate(&self, before: &Self, name: &str, labels: &[(&str, &str)], seconds: f64) -> f64 {
        let (was, is) = (before.sum(name, labels).unwrap_or(0.0), self.sum(name, labels).unwrap_or(0.0));
        (if is < was { is } else { is - was }) / seconds
    }

    /// The least bound of a histogram's buckets below which this share of what came since `before` lies; `None` where nothing
    /// came, infinite beyond the last bound.
    pub(crate) fn quantile(&self, before: &Self, name: &str, labels: &[(&str, &str)], share: f64) -> Option<f64> {
        let bucket = format!("{name}_bucket");
        let count = |figures: &Self, bound: &str| {
            let labels: Vec<(&str, &str)> = labels.iter().copied().chain([("le", bound)]).collect();
            figures.sum(&bucket, &labels).unwrap_or(0.0)
        };
        let mut bounds: Vec<(f64, String)> =
            self.values(&bucket, "le").into_iter().filter_map(|bound| Some((number(&bound)?, bound))).collect();
        bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
        let came: Vec<(f64, f64)> =
            bounds.iter().map(|(value, bound)| (*value, count(self, bound) - count(before, bound))).collect();
        let all = came.last()?.1;
        (all > 0.0)
            .then(|| came.iter().find(|(_, below)| *below >= share * all).map_or(f64::INFINITY, |(bound, _)| *bound))
    }
}

fn number(text: &str) -> Option<f64> {
    if text == "+Inf" { Some(f64::INFINITY) } else { text.parse().ok() }
}

/// `name{label="value",…} number`
fn series(line: &str) -> Option<(Series, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let (head, value) = line.rsplit_once(' ')?;
    let value = number(value)?;
    let Some((name, rest)) = head.split_once('{') else {
        return Some((Series { name: head.to_owned(), labels: BTreeMap::new() }, value));
    };
    let mut labels = BTreeMap::new();
    let mut rest = rest.strip_suffix('}')?;
    while let Some((key, after)) = rest.split_once("=\"") {
        let (text, after) = quoted(after)?;
        labels.insert(key.trim_start_matches(',').to_owned(), text);
        rest = after;
    }
    Some((Series { name: name.to_owned(), labels }, value))
}

/// The text up to the closing quote, its escapes undone, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut said, mut escaped) = (String::new(), false);
    for (at, letter) in text.char_indices() {
        match (escaped, letter) {
            (false, '"') => return Some((said, &text[at + 1..])),
            (false, '\\') => escaped = true,
            (true, 'n') => {
                said.push('\n');
                escaped = false;
            }
            (_, letter) => {
                said.push(letter);
                escaped = false;
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = r#"# HELP a what
# TYPE a counter
a{camera="c-1",gate="g"} 12
a{camera="c-2",gate="g"} 3
b 0.5
odd{text="a \"quoted\", \\ and } brace"} 1
s_bucket{stage="infer",le="0.01"} 4
s_bucket{stage="infer",le="0.1"} 9
s_bucket{stage="infer",le="+Inf"} 10
half{camera="
"#;

    #[test]
    fn a_page_is_read_with_its_labels_and_what_is_no_series_is_passed_over() {
        let figures = Figures::read(PAGE);
        assert_eq!(figures.sum("a", &[]), Some(15.0));
        assert_eq!(figures.sum("a", &[("camera", "c-2")]), Some(3.0));
        assert_eq!((figures.sum("b", &[]), figures.sum("c", &[])), (Some(0.5), None));
        assert_eq!(figures.values("a", "camera"), ["c-1", "c-2"]);
        assert_eq!(figures.values("odd", "text"), [r#"a "quoted", \ and } brace"#]);
    }

    #[test]
    fn rates_are_by_the_second_and_a_counter_that_began_anew_counts_from_nought() {
        let (before, now) = (Figures::read("a 10"), Figures::read("a 16"));
        assert!((now.rate(&before, "a", &[], 2.0) - 3.0).abs() < 1e-9);
        assert!((before.rate(&now, "a", &[], 2.0) - 5.0).abs() < 1e-9);
    }

    #[test]
    fn quantiles_are_of_what_came_since() {
        let now = Figures::read(PAGE);
        let infer = [("stage", "infer")];
        assert_eq!(now.quantile(&Figures::default(), "s", &infer, 0.5), Some(0.1));
        assert_eq!(now.quantile(&Figures::default(), "s", &infer, 0.95), Some(f64::INFINITY));
        assert_eq!(now.quantile(&now, "s", &infer, 0.5), None, "nothing came");
    }

    proptest! {
        #[test]
        fn no_page_makes_it_panic(text in "[ab{}=\",\\\\ 0-9.\n#]{0,80}") {
            let figures = Figures::read(&text);
            let _any = figures.quantile(&Figures::default(), "a", &[], 0.5);
        }
    }
}
