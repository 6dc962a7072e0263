//! Topics: where on the broker each event is found.
//!
//! ```text
//! usher/v1/SITE/box/BOX/status        retained, last will   how a box is
//! usher/v1/SITE/camera/CAMERA/state   retained              how a camera is
//! usher/v1/SITE/gate/GATE/visit       never retained        somebody known came (opaque id)
//! usher/v1/SITE/gate/GATE/greeting    never retained        what the screen shows
//! usher/v1/SITE/gate/GATE/face        never retained        the picture to it
//! usher/v1/SITE/gate/GATE/notice      never retained        a greeting without a name
//! usher/v1/SITE/gate/GATE/flow        retained              how many came and went, how long one waits, what staff may do
//! usher/v1/SITE/gate/GATE/forecast    retained              what comes next there
//! usher/v1/SITE/gate/GATE/lanes/set   never retained        to usher: so many lanes are open
//! usher/v1/SITE/programme             retained              sessions that are not held as announced
//! usher/v1/SITE/screen/SCREEN/alive   never retained        from a screen: it shows something
//! ```
//! Every level is a [`Name`] or a fixed word, so `a-z 0-9 _ -` only; no name of a person and no person's id stands in
//! one.

use usher_config::value::Name;

/// Makes one site's topics.
#[derive(Clone, Debug, PartialEq)]
pub struct Topics {
    root: String,
}

impl Topics {
    /// The topics of `site`.
    pub fn of(site: &Name) -> Self {
        Self { root: format!("usher/v1/{site}") }
    }

    /// How a box is.
    pub fn status(&self, box_name: &Name) -> String {
        format!("{}/box/{box_name}/status", self.root)
    }

    /// How a camera is.
    pub fn camera(&self, camera: &Name) -> String {
        format!("{}/camera/{camera}/state", self.root)
    }

    /// Somebody known came to a gate.
    pub fn visit(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/visit", self.root)
    }

    /// What the screen at a gate shows.
    pub fn greeting(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/greeting", self.root)
    }

    /// The picture to a greeting.
    pub fn face(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/face", self.root)
    }

    /// What the screen at a gate shows to somebody whom it cannot name.
    pub fn notice(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/notice", self.root)
    }

    /// How many came and went at a gate, and how it is there.
    pub fn flow(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/flow", self.root)
    }

    /// What comes next at a gate.
    pub fn forecast(&self, gate: &Name) -> String {
        format!("{}/gate/{gate}/forecast", self.root)
    }

    /// Where programs say how many lanes of a gate are open; the level after `gate` is the gate's name.
    pub fn lanes(&self) -> String {
        format!("{}/gate/+/lanes/set", self.root)
    }

    /// The gate of which it is said on `topic` how many lanes are open.
    pub fn lanes_of(&self, topic: &str) -> Option<Name> {
        let rest = topic.strip_prefix(&self.root)?.strip_prefix("/gate/")?;
        Name::new(rest.strip_suffix("/lanes/set")?)
    }

    /// What of the programme is not as announced.
    pub fn programme(&self) -> String {
        format!("{}/programme", self.root)
    }

    /// Where every screen says that it lives; the last level but one is the screen's name.
    pub fn alive(&self) -> String {
        format!("{}/screen/+/alive", self.root)
    }

    /// The screen that says on `topic` that it lives.
    pub fn screen_of(&self, topic: &str) -> Option<Name> {
        let rest = topic.strip_prefix(&self.root)?.strip_prefix("/screen/")?;
        Name::new(rest.strip_suffix("/alive")?)
    }

    /// Everything of the site.
    pub fn all(&self) -> String {
        format!("{}/#", self.root)
    }

    /// What a screen may listen to. Not visits: they carry a person's id, which a screen does not need. Not forecasts: they name
    /// nobody, and a screen does not need them either.
    pub fn for_screens(&self) -> [String; 7] {
        [
            "gate/+/greeting",
            "gate/+/face",
            "gate/+/notice",
            "gate/+/flow",
            "programme",
            "box/+/status",
            "camera/+/state",
        ]
        .map(|rest| format!("{}/{rest}", self.root))
    }
}

/// Whether everything that `filter` can match is matched by `allowed` too.
pub fn is_within(filter: &str, allowed: &str) -> bool {
    let mut asked = filter.split('/');
    for level in allowed.split('/') {
        match (level, asked.next()) {
            ("#", _) => return true,
            (_, None | Some("#")) => return false,
            ("+", Some(_)) => {}
            (level, Some(asked)) if level == asked => {}
            _ => return false,
        }
    }
    asked.next().is_none()
}

/// Whether a message on `topic` is for the moment only: a greeting, a face or a notice.
pub fn is_perishable(topic: &str) -> bool {
    ["/greeting", "/face", "/notice"].iter().any(|kind| topic.ends_with(kind))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    #[test]
    fn a_screen_hears_no_more_than_it_may() {
        let topics = Topics::of(&name("arena"));
        let may = |filter: &str| topics.for_screens().iter().any(|allowed| is_within(filter, allowed));
        for yes in [
            "usher/v1/arena/gate/north/flow",
            "usher/v1/arena/gate/north/greeting",
            "usher/v1/arena/gate/+/face",
            "usher/v1/arena/box/+/status",
        ] {
            assert!(may(yes), "{yes}");
        }
        for no in [
            "#",
            "+/#",
            "usher/#",
            "usher/v1/arena/#",
            "usher/v1/arena/gate/north/#",
            "usher/v1/arena/gate/north/+",
            "usher/v1/arena/+/north/greeting",
            "usher/v1/arena/gate/north/visit",
            "usher/v1/arena/gate/north/forecast",
            "usher/v1/other/gate/north/greeting",
            "usher/v1/+/gate/north/greeting",
            "usher/v1/arena/gate/north/greeting/more",
            "usher/v1/arena/gate/north",
            "$share/g/usher/v1/arena/gate/north/greeting",
            "$SYS/#",
            "",
        ] {
            assert!(!may(no), "{no}");
        }
    }

    fn matches(filter: &[String], topic: &[String]) -> bool {
        match (filter.first().map(String::as_str), topic.first()) {
            (Some("#"), _) => true,
            (None, None) => true,
            (Some("+"), Some(_)) => matches(&filter[1..], &topic[1..]),
            (Some(level), Some(other)) if level == other => matches(&filter[1..], &topic[1..]),
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn within_means_that_nothing_else_is_matched(
            filter in prop::collection::vec("[ab+]", 1..4), hash in any::<bool>(),
            allowed in prop::collection::vec("[ab+]", 1..4), topic in prop::collection::vec("[abc]", 1..5),
        ) {
            let mut filter = filter;
            if hash { filter.push("#".into()); }
            if is_within(&filter.join("/"), &allowed.join("/")) && matches(&filter, &topic) {
                prop_assert!(matches(&allowed, &topic));
            }
        }
    }
}
