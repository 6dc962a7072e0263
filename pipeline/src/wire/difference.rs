//! What differs between two configurations, as far as somebody must do something about it.

use std::collections::BTreeMap;
use usher_config::{
    Config,
    capture::Camera,
    count::By,
    decide::{Gate, Mode},
    value::Name,
};

/// From one configuration to another. Stages read most of it from what is in force by themselves.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Difference {
    /// Cameras that are new.
    pub(super) added: Vec<Name>,
    /// Cameras that are gone.
    pub(super) removed: Vec<Name>,
    /// Cameras that must be connected anew: another address, password or decoder.
    pub(super) reconnected: Vec<Name>,
    /// Cameras that look, count or belong otherwise, and whose frames go on.
    pub(super) retold: Vec<Name>,
    /// Gates that are new, gone or otherwise.
    pub(super) gates: Vec<Name>,
    /// Gates that identify from now on, or for which somebody else answers: to be written down first.
    pub(super) identifying: BTreeMap<Name, Gate>,
    /// Sections that say something else.
    pub(super) sections: Vec<&'static str>,
}

impl Difference {
    /// What leads from `before` to `now`.
    pub(super) fn between(before: &Config, now: &Config) -> Self {
        let gate_of = |config: &Config, camera: &Name| {
            config.gates.iter().find(|(_, gate)| gate.cameras.contains(camera)).map(|(name, _)| name.clone())
        };
        let mut found = Self::default();
        found.removed.extend(before.cameras.keys().filter(|name| !now.cameras.contains_key(*name)).cloned());
        for (name, camera) in &now.cameras {
            let Some(old) = before.cameras.get(name) else {
                found.added.push(name.clone());
                continue;
            };
            if needs_connecting(old, camera) {
                found.reconnected.push(name.clone());
            } else if old != camera || gate_of(before, name) != gate_of(now, name) {
                found.retold.push(name.clone());
            }
        }
        let names = before.gates.keys().chain(now.gates.keys().filter(|name| !before.gates.contains_key(*name)));
        found.gates.extend(names.filter(|name| before.gates.get(*name) != now.gates.get(*name)).cloned());
        let is_new = |(name, gate): &(&Name, &Gate)| {
            gate.mode != Mode::Pass && before.gates.get(*name).is_none_or(|old| old.mode != gate.mode)
        };
        let identifying = now.gates.iter().filter(is_new);
        found.identifying.extend(identifying.map(|(name, gate)| (name.clone(), gate.clone())));
        let sections = [
            ("infer", before.infer != now.infer),
            ("rules", before.rules != now.rules),
            ("publish", before.publish != now.publish),
            ("signage", before.signage != now.signage),
            ("web", before.web != now.web),
        ];
        found.sections.extend(sections.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name));
        found
    }

    /// Whether nothing differs.
    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether what reads the camera must be another: its source, or who is handed its frames.
fn needs_connecting(before: &Camera, now: &Camera) -> bool {
    // Exhaustive: a new field is either told to the stages or asks for another connection.
    let Camera { source, login, ca, within, zone: _, count, latency, silence } = now;
    let by_motion = |by: By| by == By::Motion;
    (&before.source, &before.login, &before.ca, &before.within) != (source, login, ca, within)
        || (before.latency, before.silence) != (*latency, *silence)
        || by_motion(before.count.by) != by_motion(count.by)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const TEXT: &str = "site: x
cameras:
  a: { url: rtsp://10.0.0.1/s, login: { user: u, password: one } }
  b: { url: rtsp://10.0.0.2/s }
gates:
  g: { cameras: [a], quiet: 1 min }
  h: { cameras: [b] }
";

    fn config(text: &str) -> Config {
        usher_config::from_text(text, "x.yaml", Path::new("")).unwrap()
    }

    /// What differs when `from` is written as `to`.
    fn edited(edits: &[(&str, &str)]) -> Difference {
        let text = edits.iter().fold(TEXT.to_owned(), |text, (from, to)| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        });
        Difference::between(&config(TEXT), &config(&text))
    }

    fn names(of: &[Name]) -> Vec<&str> {
        of.iter().map(Name::as_str).collect()
    }

    #[test]
    fn the_same_twice_is_no_difference() {
        assert!(edited(&[]).is_empty() && edited(&[("\n  b:", "\n  # a remark\n  b:")]).is_empty());
    }

    #[test]
    fn another_address_password_or_decoder_connects_that_camera_anew_and_no_other() {
        for (from, to) in [
            ("10.0.0.1/s", "10.0.0.1/other"),
            ("password: one", "password: two"),
            ("password: one }", "password: one }, transport: udp"),
            ("password: one }", "password: one }, latency: 200 ms"),
            ("password: one }", "password: one }, silence: 5 s"),
            ("password: one }", "password: one }, count: { by: motion }"),
        ] {
            let found = edited(&[(from, to)]);
            assert_eq!((names(&found.reconnected), &found.retold[..]), (vec!["a"], &[][..]), "{to}");
            assert!(found.added.is_empty() && found.removed.is_empty() && found.gates.is_empty());
        }
        let allowed = edited(&[("gates:", "capture: { allow: [10.0.0.0/8] }\ngates:")]);
        assert_eq!(names(&allowed.reconnected), ["a", "b"], "where cameras may be is asked at every connection");
    }

    #[test]
    fn zones_lines_and_gates_are_told_and_break_no_connection() {
        let zone = "[[0.1, 0.1], [0.9, 0.1], [0.5, 0.9]]";
        for to in
            [format!("zone: {zone}"), "count: { line: [[0, 0.5], [1, 0.5]] }".into(), "count: { by: nothing }".into()]
        {
            let found = edited(&[("10.0.0.2/s", &format!("10.0.0.2/s, {to}"))]);
            assert_eq!((names(&found.retold), &found.reconnected[..]), (vec!["b"], &[][..]), "{to}");
        }
        let moved = edited(&[("[a]", "[b]"), ("  h: { cameras: [b] }", "  h: { cameras: [a] }")]);
        assert_eq!((names(&moved.retold), names(&moved.gates)), (vec!["a", "b"], vec!["g", "h"]));
    }

    #[test]
    fn cameras_and_gates_come_and_go() {
        let gone = edited(&[("  b: { url: rtsp://10.0.0.2/s }\n", ""), ("  h: { cameras: [b] }\n", "")]);
        assert_eq!((names(&gone.removed), names(&gone.gates)), (vec!["b"], vec!["h"]));
        let come = edited(&[("\n  b:", "\n  c: { url: /dev/video0 }\n  b:"), ("[b]", "[b, c]")]);
        assert_eq!((names(&come.added), names(&come.gates)), (vec!["c"], vec!["h"]));
        assert!(come.retold.is_empty() && come.reconnected.is_empty());
    }

    #[test]
    fn whoever_identifies_from_now_on_is_written_down_and_nobody_else() {
        let identifies = "quiet: 1 min, mode: identification, responsible: ";
        let found = edited(&[("quiet: 1 min", &format!("{identifies}Kim"))]);
        assert_eq!(found.identifying.keys().map(Name::as_str).collect::<Vec<_>>(), ["g"]);
        let before = config(&TEXT.replace("quiet: 1 min", &format!("{identifies}Kim")));
        let now = config(&TEXT.replace("quiet: 1 min", &format!("{identifies}Lee")));
        assert_eq!(Difference::between(&before, &now).identifying.len(), 1, "somebody else answers");
        assert!(Difference::between(&before, &config(TEXT)).identifying.is_empty());
        assert!(Difference::between(&before, &before).is_empty());
    }
}
