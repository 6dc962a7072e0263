//! The filter of a support bundle: only words that usher itself says get through.
//!
//! What a name, a pass or a password looks like cannot be told, so nothing is searched for. A word is let through when it is
//! one of usher's own sentences, a camera's, a gate's or the site's name, a word of the system's errors, or a short number; all
//! else becomes `…`. What stood in the configuration and was blanked there is blanked everywhere, whatever word it is.

use std::collections::{BTreeSet, HashSet};

/// What stands for whatever was not let through.
pub(super) const BLANK: &str = "…";

/// Words of usher's own sentences (`build/words.rs`).
const OWN: &str = include_str!(concat!(env!("OUT_DIR"), "/words.txt"));

/// Words that are not lower-case: levels, formats, what the system says of its errors.
const OTHERS: &[&str] = &[
    "TRACE",
    "DEBUG",
    "INFO",
    "WARN",
    "ERROR",
    "RTSP",
    "RTSPS",
    "MQTT",
    "TLS",
    "TCP",
    "UDP",
    "HTTP",
    "YAML",
    "JSON",
    "QR",
    "CPU",
    "GPU",
    "CUDA",
    "SQLite",
    "GStreamer",
    "H.264",
    "H.265",
    "JPEG",
    "VP8",
    "VP9",
    "AV1",
    "NV12",
    "I420",
    "Linux",
    "Debian",
    "Ubuntu",
    "Connection",
    "No",
    "Permission",
    "Broken",
    "Resource",
    "Network",
    "Address",
    "Read-only",
    "Input/output",
    "Invalid",
    "Too",
    "Operation",
    "Not",
    "Device",
    "Could",
    "Internal",
    "Unauthorized",
    "Forbidden",
    "GB",
    "MB",
    "GiB",
    "MiB",
    "x86_64",
    "aarch64",
    "refused",
    "reset",
    "peer",
    "such",
    "directory",
    "denied",
    "pipe",
    "temporarily",
    "unavailable",
    "unreachable",
    "timed",
    "argument",
    "permitted",
    "os",
    "usher",
    "gate",
    "camera",
    "broker",
    "stage",
    "reason",
    "kind",
    "outcome",
];

/// Digits of the longest number: of nobody's telephone.
const DIGITS: usize = 7;
/// So many fractions in a row are no figures of a gate any more.
const RUN: usize = 4;

/// Lets through what names nobody.
pub(super) struct Filter {
    words: HashSet<&'static str>,
    names: BTreeSet<String>,
    blanked: Vec<String>,
}

impl Filter {
    /// Lets usher's own words through and these `names` (of cameras, gates, the site), though never what was `blanked`.
    pub(super) fn of(names: BTreeSet<String>, mut blanked: Vec<String>) -> Self {
        blanked.retain(|text| !text.is_empty());
        // The longest first: what is part of another must not hide it.
        blanked.sort_by_key(|text| std::cmp::Reverse(text.len()));
        Self { words: OWN.lines().chain(OTHERS.iter().copied()).collect(), names, blanked }
    }

    /// A text, line by line.
    pub(super) fn text(&self, text: &str) -> String {
        text.lines().map(|line| self.line(line) + "\n").collect()
    }

    /// One line.
    pub(super) fn line(&self, line: &str) -> String {
        let mut line = line.to_owned();
        for secret in self.blanked.iter().filter(|secret| secret.len() >= 4) {
            line = line.replace(secret.as_str(), BLANK);
        }
        let mut said: Vec<String> = Vec::new();
        for token in line.split_whitespace().map(|token| self.token(token)) {
            if token != BLANK || said.last().is_none_or(|last| last != BLANK) {
                said.push(token);
            }
        }
        let runs = said.chunk_by(|one, next| is_fraction(one) == is_fraction(next));
        let told =
            runs.map(|run| if run.len() >= RUN && is_fraction(&run[0]) { BLANK.to_owned() } else { run.join(" ") });
        told.collect::<Vec<_>>().join(" ")
    }

    /// One word with what stands around it.
    fn token(&self, token: &str) -> String {
        let around = |letter: char| "()[]{}\"'`,;:.!?".contains(letter);
        let core = token.trim_matches(around);
        let start = token.len() - token.trim_start_matches(around).len();
        let (before, after) = (&token[..start], &token[(start + core.len()).min(token.len())..]);
        if let Some((key, value)) = core.split_once('=') {
            return if self.is_known(key) {
                format!("{before}{key}={}{after}", self.token(value))
            } else {
                BLANK.to_owned()
            };
        }
        if core.is_empty() || self.is_known(core) || is_number(core) { token.to_owned() } else { BLANK.to_owned() }
    }

    /// Whether a word names nobody.
    pub(super) fn is_known(&self, word: &str) -> bool {
        let is_blanked = self.blanked.iter().any(|blanked| blanked == word);
        !is_blanked && (self.words.contains(word) || self.names.contains(word))
    }

    /// A metric: its name, its labels as far as they are known, its value.
    pub(super) fn metric(&self, line: &str) -> Option<String> {
        let (series, value) = line.rsplit_once(' ').filter(|_| line.starts_with("usher_"))?;
        value.parse::<f64>().ok()?;
        let Some((name, labels)) = series.split_once('{') else { return Some(line.to_owned()) };
        let label = |label: &str| {
            let (key, value) = label.split_once("=\"")?;
            let value = value.strip_suffix('"')?;
            let parts = value.split(['_', '-', ' ']);
            let known = self.is_known(value)
                || is_number(value)
                || value == "+Inf"
                || parts.clone().all(|part| self.is_known(part));
            Some(format!("{key}=\"{}\"", if known { value } else { BLANK }))
        };
        let labels =
            labels.strip_suffix('}')?.split("\",").map(|text| label(&format!("{}\"", text.trim_end_matches('"'))));
        Some(format!("{name}{{{}}} {value}", labels.collect::<Option<Vec<_>>>()?.join(",")))
    }
}

/// A short number, with its unit; a time; a version. No address of a network.
fn is_number(text: &str) -> bool {
    let body = text.trim_end_matches('%');
    let unit = body.trim_start_matches(|letter: char| letter.is_ascii_digit() || ".:+-/TZx".contains(letter));
    let units = ["", "s", "ms", "us", "µs", "ns", "min", "h", "d", "px", "fps", "MB", "GB", "GiB", "MiB"];
    let figures = &body[..body.len() - unit.len()];
    let digits = figures.bytes().filter(u8::is_ascii_digit).count();
    let dots = figures.matches('.').count();
    let is_time = figures.len() >= 19
        && figures.as_bytes()[4] == b'-'
        && figures.as_bytes()[10] == b'T'
        && figures.starts_with("20");
    digits > 0 && dots < 3 && figures.matches(':').count() < 3 && units.contains(&unit) && (digits <= DIGITS || is_time)
}

fn is_fraction(token: &str) -> bool {
    let core = token.trim_matches(|letter: char| "()[]{},;".contains(letter));
    core.contains('.') && core.parse::<f64>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter() -> Filter {
        Filter::of(
            ["gate-b-1".to_owned(), "north-park".to_owned()].into(),
            vec!["seat".to_owned(), "Hidden word".to_owned()],
        )
    }

    #[test]
    fn what_usher_says_gets_through_as_it_was() {
        for line in [
            "2026-11-30T16:15:43.123456Z WARN camera lost camera=gate-b-1 reason=Connection refused (os error 111)",
            "INFO the gate starts without these files, and reads them as soon as they are mended",
            "WARN memory could not be locked",
        ] {
            assert_eq!(filter().line(line), line);
        }
    }

    #[test]
    fn whoever_is_named_in_whatever_way_is_blanked() {
        let cases = [
            "enrolled Mina",
            "enrolled mina kim",
            "enrolled \"Mina\"",
            "name=Mina",
            "visitor=4f7c2d1e-90ab-4c1d-8a77-0c4e6b1f2d3c",
            "https://np.example/p#AB3DE7GH2JKMNPQRSTVW",
            "rtsp://usher:pass@192.168.50.11/stream",
            "192.168.50.11",
            "fe80::1ff:fe23",
            "call 010-1234-5678",
            "mina@example.org",
            "김민지",
            "/home/mina/usher.yaml",
            "seat",
            "password=seat",
            "mina=3",
            "MINA",
        ];
        for case in cases {
            let said = filter().line(case);
            assert!(said.contains(BLANK), "{case}: {said}");
            let told = ["mina", "kim", "4f7c", "ab3d", "pass@", "192", "fe80", "1234", "민", "seat", "home"];
            assert!(!told.iter().any(|word| said.to_lowercase().contains(word)), "{case}: {said}");
        }
        assert_eq!(filter().line("a Hidden word here"), "a … here");
    }

    #[test]
    fn numbers_of_a_template_are_none_of_a_gate() {
        let template: Vec<String> = (0..128).map(|at| format!("{:.4}", f64::from(at) / 500.0 - 0.1)).collect();
        for text in [
            template.join(", "),
            template.join(" "),
            format!("[{}]", template.join(",")),
            format!("look 3 {}", template.join(" ")),
        ] {
            let said = filter().line(&text);
            assert!(said.matches('.').count() < RUN, "{said}");
        }
        assert_eq!(filter().line("score .41 of 0.42 at 0.97"), "score .41 of 0.42 at 0.97");
    }

    #[test]
    fn no_given_name_is_a_word_of_ushers() {
        let filter = filter();
        for name in [
            "mina", "minji", "anna", "ahmed", "maria", "jose", "wei", "li", "kim", "lee", "park-min", "sofia", "john",
            "noah",
        ] {
            assert!(!filter.is_known(name), "{name}");
        }
        assert!(filter.words.len() > 1000, "usher says more than {} words", filter.words.len());
    }

    #[test]
    fn of_a_metric_unknown_labels_are_blanked() {
        let metric = |line: &str| filter().metric(line);
        let whole = "usher_camera_lost_total{camera=\"gate-b-1\",reason=\"silent\"} 3";
        assert_eq!(metric(whole).as_deref(), Some(whole));
        assert_eq!(metric("usher_a{name=\"Mina\"} 1").as_deref(), Some("usher_a{name=\"…\"} 1"));
        assert_eq!(metric("usher_b_sum 0.25").as_deref(), Some("usher_b_sum 0.25"));
        assert_eq!(
            metric("usher_c{le=\"0.005\",stage=\"infer\"} 9").as_deref(),
            Some("usher_c{le=\"0.005\",stage=\"infer\"} 9")
        );
        assert_eq!(metric("other_d 1"), None);
        assert_eq!(metric("usher_e Mina"), None);
    }
}
