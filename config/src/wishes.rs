//! Wishes: what a visitor wants of a day, as a file for trying plans.
//!
//! `usher guide plan --visitor FILE` reads it, as JSON or YAML. It is for whoever tries a programme and places: what
//! visitors told when they enrolled is sealed in the gallery and never in such a file.

use crate::{
    document::{self, Checks, tree::Node, words::nearest},
    problem::Problems,
    text::{Textual, Unfit, textual, unfit},
    value::Name,
};
use garde::Validate;
use jiff::civil::Time;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, path::Path};

/// What a visitor wants of a day.
#[derive(Clone, Debug, Serialize, Deserialize, Validate, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "usher wishes")]
pub struct Wishes {
    /// The favourite sports, the dearest first.
    #[garde(length(min = 1, max = 16), inner(length(chars, min = 1, max = 40)))]
    #[schemars(extend("examples" = [["Athletics", "Judo"]]))]
    pub sports: Vec<String>,
    /// Wishes about food.
    #[garde(length(max = 10))]
    #[serde(default)]
    #[schemars(extend("examples" = [["vegetarian"]]))]
    pub food: Vec<Food>,
    /// When they arrive, by the venue's clocks; without it, they are there.
    #[garde(skip)]
    #[serde(default)]
    pub arrival: Option<Daytime>,
    /// Whether they need ways without steps.
    #[garde(skip)]
    #[serde(default)]
    pub step_free: bool,
    /// The language to be told in, BCP 47; a plan is the same in all.
    #[garde(inner(length(chars, min = 2, max = 35)))]
    #[serde(default)]
    #[schemars(extend("examples" = ["fr"]))]
    pub language: Option<String>,
    /// The gate they come through, by its name in the places.
    #[garde(skip)]
    pub from: Name,
    /// When they want to leave, by the venue's clocks; without it, when the day ends.
    #[garde(skip)]
    #[serde(default)]
    pub until: Option<Daytime>,
    /// How long the queues at gates are, in seconds.
    #[garde(dive)]
    #[serde(default)]
    #[schemars(extend("examples" = [{ "gate-b": 240 }]))]
    pub waits: BTreeMap<Name, Wait>,
    /// How many people a minute cameras count at places now.
    #[garde(dive)]
    #[serde(default)]
    #[schemars(extend("examples" = [{ "food-court-1": 12 }]))]
    pub seen: BTreeMap<Name, People>,
}

/// People a minute.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
pub struct People(
    /// A minute.
    #[garde(range(min = 0.0, max = 10_000.0))]
    pub f64,
);

/// The schema of such a file.
pub fn json_schema() -> serde_json::Value {
    document::json_schema::<Wishes>()
}

/// Seconds in a queue; two hours at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Validate, JsonSchema)]
#[garde(transparent)]
pub struct Wait(
    /// Seconds.
    #[garde(range(max = 7200))]
    pub u32,
);

/// A wish about food: a word of enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the words of enrolment")]
pub enum Food {
    Vegetarian,
    Vegan,
    Halal,
    Kosher,
    GlutenFree,
    DairyFree,
    NutFree,
    Spicy,
    Noodles,
    Sweet,
}

impl Food {
    /// Its word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Vegetarian => "vegetarian",
            Self::Vegan => "vegan",
            Self::Halal => "halal",
            Self::Kosher => "kosher",
            Self::GlutenFree => "gluten_free",
            Self::DairyFree => "dairy_free",
            Self::NutFree => "nut_free",
            Self::Spicy => "spicy",
            Self::Noodles => "noodles",
            Self::Sweet => "sweet",
        }
    }
}

/// A time of day, as written: `9:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Daytime(pub Time);

textual!(Daytime, "daytime", "10:00");

impl fmt::Display for Daytime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl Textual for Daytime {
    fn read(text: &str) -> Result<Self, Unfit> {
        let number = |text: &str| text.parse::<i8>().ok().filter(|_| (1..=2).contains(&text.len()));
        let time = text.split_once(':').and_then(|(hour, minute)| Time::new(number(hour)?, number(minute)?, 0, 0).ok());
        match time {
            Some(time) => Ok(Self(time)),
            None => unfit(
                format!("`{text}` is no time of day"),
                "write hours and minutes of the venue's clocks, such as `9:30` or `21:00`",
            ),
        }
    }
}

/// What a site has: wishes can be for nothing else.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// The sports of its programme.
    pub sports: Vec<String>,
    /// The gates among its places.
    pub gates: Vec<String>,
}

/// Reads a file of wishes, and holds it against what the site has.
///
/// # Errors
/// Every problem of the file, or that it cannot be read.
pub fn read(path: &Path, known: &Known) -> Result<Wishes, Problems> {
    let text = document::text_within(path, 1 << 20, "check the path of the visitor's wishes")?;
    from_text(&text, &path.display().to_string(), known)
}

/// Reads wishes from their text; `file_name` is what problems call it.
///
/// # Errors
/// Every problem of the text.
pub fn from_text(text: &str, file_name: &str, known: &Known) -> Result<Wishes, Problems> {
    document::parse(text, file_name, |checks| check(checks, known))
}

/// Sports and gates are the site's, and the day does not end before it begins.
fn check(checks: &mut Checks<'_>, known: &Known) {
    let text = |node: &Node| node.text().map(str::to_owned);
    let folded = |name: &str| name.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    for (index, node) in checks.root.get("sports").map(Node::items).unwrap_or_default().iter().enumerate() {
        let Some(sport) = text(node) else { continue };
        if known.sports.is_empty() || known.sports.iter().any(|there| folded(there) == folded(&sport)) {
            continue;
        }
        let message = format!("the programme has no sport `{sport}`");
        checks.find(node.span.clone(), format!("sports[{index}]"), message, instead(&sport, &known.sports));
    }
    let from = checks.root.get("from").and_then(|node| Some((node.span.clone(), text(node)?)));
    let waits = checks.root.get("waits").map(Node::entries).unwrap_or_default().iter();
    let waits = waits.map(|entry| (format!("waits.{}", entry.key), entry.key_span.clone(), entry.key.clone()));
    let gates: Vec<_> = from.map(|(span, gate)| ("from".to_owned(), span, gate)).into_iter().chain(waits).collect();
    for (key, span, gate) in gates {
        if !known.gates.is_empty() && !known.gates.contains(&gate) {
            checks.find(span, key, format!("the places have no gate `{gate}`"), instead(&gate, &known.gates));
        }
    }
    let time = |key: &str| {
        let node = checks.root.get(key)?;
        Some((node.span.clone(), Daytime::read(node.text()?).ok()?))
    };
    if let Some(((_, arrival), (span, until))) = time("arrival").zip(time("until"))
        && until.0 <= arrival.0
    {
        let message = format!("they leave at {until}, which is not after their arrival at {arrival}");
        checks.find(span, "until", message, "write a later `until`, or leave it out");
    }
}

/// The nearest of what there is, else all of it.
fn instead(word: &str, known: &[String]) -> String {
    match nearest(word, known.iter().map(String::as_str)) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("write one of: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known() -> Known {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Known { sports: words(&["Athletics", "Table tennis", "Judo"]), gates: words(&["gate-a", "gate-b"]) }
    }

    #[test]
    fn wishes_are_read_from_json_and_from_yaml() {
        let json = r#"{"sports":["table  TENNIS"],"food":["gluten_free","noodles"],"arrival":"9:05","step_free":true,
            "language":"fr","from":"gate-a","until":"22:00","waits":{"gate-b":240}}"#;
        let wishes = from_text(json, "v.json", &known()).unwrap();
        assert_eq!(wishes.food.iter().map(|food| food.word()).collect::<Vec<_>>(), ["gluten_free", "noodles"]);
        assert_eq!(wishes.arrival.unwrap().to_string(), "09:05");
        assert_eq!((wishes.step_free, wishes.waits.values().map(|wait| wait.0).collect()), (true, vec![240]));
        let short = from_text("sports: [Judo]\nfrom: gate-b\n", "v.yaml", &known()).unwrap();
        assert!(!short.step_free && short.until.is_none() && short.food.is_empty());
    }

    #[test]
    fn every_problem_is_named_at_once_with_its_mend() {
        let text = "sports: [Athletic, Curling]\nfood: [vegetarien]\narrival: 10 am\nfrom: gate-aa\nwaits: { gate-z: 9000 }\nsteps: no\n";
        let problems = from_text(text, "v.yaml", &known()).unwrap_err();
        let said: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "v.yaml:1:10: the programme has no sport `Athletic`; did you mean `Athletics`?",
                "v.yaml:1:20: the programme has no sport `Curling`; write one of: Athletics, Table tennis, Judo",
                "v.yaml:2:8: `food[0]` cannot be `vegetarien`; did you mean `vegetarian`?",
                "v.yaml:3:10: `arrival`: `10 am` is no time of day; write hours and minutes of the venue's clocks, such as \
                 `9:30` or `21:00`",
                "v.yaml:4:7: the places have no gate `gate-aa`; did you mean `gate-a`?",
                "v.yaml:5:10: the places have no gate `gate-z`; did you mean `gate-a`?",
                "v.yaml:5:18: `gate-z` is 9000, outside its range; write a number from 0 to 7200",
                "v.yaml:6:1: unknown key `steps`; remove it; the keys here are `arrival`, `food`, `from`, `language`, \
                 `seen`, `sports`, `step_free`, `until`, `waits`",
            ]
        );
    }

    #[test]
    fn a_day_does_not_end_before_it_begins() {
        let text = "sports: [Judo]\nfrom: gate-a\narrival: '18:00'\nuntil: '9:00'\n";
        let said = from_text(text, "v.yaml", &known()).unwrap_err().to_string();
        assert!(said.contains("they leave at 09:00, which is not after their arrival at 18:00"), "{said}");
    }
}
