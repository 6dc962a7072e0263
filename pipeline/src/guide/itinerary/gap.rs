//! The gaps: what fits between one fixed stop and the next.
//!
//! From a fixed stop one leaves at a known time, and the next begins at a known time. So what a gap can bring depends on
//! nothing but which groups it uses: meals and rests are weighed here once, by labels, whatever was done before.
//!
//! A label is a way through loose stops. One that is there no later, with the same groups used and no fewer marks (were it
//! to wait until the other is there), makes the other superfluous: whatever follows the other can follow it.

use crate::guide::itinerary::ground::{Ground, Stand, Stop, Used};

/// A way through loose stops since the gap's beginning.
#[derive(Clone, Debug)]
pub(super) struct Label<'g> {
    /// The last of them.
    pub(super) stop: &'g Stop,
    /// The label before it; `None` at the gap's beginning.
    pub(super) before: Option<u32>,
    stand: Stand,
    used: Used,
    marks: i64,
}

/// Where a gap leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    /// The fixed stop of an index.
    Fixed(usize),
    /// The end.
    Home,
}

/// The best way through a gap for one set of groups.
#[derive(Clone, Debug)]
pub(super) struct Way {
    pub(super) to: To,
    /// Groups that it uses, that of the stop it leads to included.
    pub(super) used: Used,
    /// What it brings, that of the stop it leads to included.
    pub(super) marks: i64,
    /// Its last label; `None` where it goes straight.
    pub(super) label: Option<u32>,
}

/// All ways from one stand on.
pub(super) struct Gap<'g> {
    pub(super) labels: Vec<Label<'g>>,
    pub(super) ways: Vec<Way>,
    /// Whether none was left out.
    pub(super) is_whole: bool,
}

/// Most labels that are kept of a level once a gap has too many of them: enough for the places of a large site.
const BEAM: usize = 256;

impl<'g> Gap<'g> {
    /// The ways from `stand` on, all that may be part of a best plan; where that takes more labels than `most`, the most
    /// promising only.
    pub(super) fn from(ground: &'g Ground<'_>, stand: Stand, most: usize) -> Self {
        let whole = labels_of(ground, stand, most, usize::MAX);
        let is_whole = whole.is_some() && ground.left_out.is_empty();
        let labels = whole.or_else(|| labels_of(ground, stand, usize::MAX, BEAM)).unwrap_or_default();
        let mut ends = Ends { ground, best: vec![Vec::new(); ground.fixed.len() + 1] };
        ends.close(stand, 0, 0, None);
        for (index, label) in labels.iter().enumerate() {
            ends.close(label.stand, label.used, label.marks, Some(index as u32));
        }
        Self { labels, ways: ends.best.into_iter().flatten().collect(), is_whole }
    }
}

/// The labels of a gap, level by level: those of a level have one stop more than those of the level before. `None` where
/// there would be more than `most`.
fn labels_of<'g>(ground: &'g Ground<'_>, begin: Stand, most: usize, beam: usize) -> Option<Vec<Label<'g>>> {
    let mut labels: Vec<Label<'g>> = Vec::new();
    let mut level = vec![None];
    let groups: Vec<&[Stop]> = ground.loose.iter().map(Vec::as_slice).collect();
    while !level.is_empty() {
        let first = labels.len();
        for group in &groups {
            for stop in *group {
                let of_stop = labels.len();
                for before in &level {
                    let (stand, used, marks) = match before {
                        None => (begin, 0, 0),
                        Some(before) => {
                            let label = &labels[*before as usize];
                            (label.stand, label.used, label.marks)
                        }
                    };
                    if used & stop.bit != 0 || stand.time > stop.last() {
                        continue;
                    }
                    let Some((stand, brought)) = ground.step(stand, stop) else { continue };
                    let label = Label { stop, before: *before, stand, used: used | stop.bit, marks: marks + brought };
                    keep(ground, &mut labels, of_stop, label);
                }
                if labels.len() > most {
                    return None;
                }
            }
        }
        // A label that uses the same groups has as many stops, so a level is final when it is made.
        level = (first..labels.len()).map(|index| Some(index as u32)).collect();
        if level.len() > beam {
            let worth = |index: &Option<u32>| {
                let label = &labels[index.map_or(0, |index| index as usize)];
                label.marks - ground.problem.waiting * i64::from(label.stand.time)
            };
            level.sort_by_key(|index| std::cmp::Reverse(worth(index)));
            level.truncate(beam);
        }
    }
    Some(labels)
}

/// Adds a label to those of its stop and level, from index `of_stop` on, unless one of them makes it superfluous; takes
/// away those that it makes superfluous.
fn keep<'g>(ground: &Ground<'_>, labels: &mut Vec<Label<'g>>, of_stop: usize, label: Label<'g>) {
    let waiting = ground.problem.waiting;
    let beats = |one: &Label<'_>, other: &Label<'_>| {
        one.used == other.used
            && one.stand.time <= other.stand.time
            && one.marks - waiting * i64::from(other.stand.time - one.stand.time) >= other.marks
    };
    if labels[of_stop..].iter().any(|other| beats(other, &label)) {
        return;
    }
    let mut index = of_stop;
    while index < labels.len() {
        if beats(&label, &labels[index]) {
            labels.swap_remove(index);
        } else {
            index += 1;
        }
    }
    labels.push(label);
}

/// The best ways to each fixed stop, and home last, as labels are closed.
struct Ends<'g, 'p> {
    ground: &'g Ground<'p>,
    best: Vec<Vec<Way>>,
}

impl Ends<'_, '_> {
    /// Goes on from a stand to everything fixed, and home.
    fn close(&mut self, stand: Stand, used: Used, marks: i64, label: Option<u32>) {
        let fixed = &self.ground.fixed;
        let first = fixed.partition_point(|stop| stop.windows[0].from < stand.time);
        for (index, stop) in fixed.iter().enumerate().skip(first) {
            if used & stop.bit == 0
                && let Some((_, brought)) = self.ground.step(stand, stop)
            {
                let way = Way { to: To::Fixed(index), used: used | stop.bit, marks: marks + brought, label };
                note(&mut self.best[index], way);
            }
        }
        if let Some((.., brought)) = self.ground.home(stand) {
            note(&mut self.best[fixed.len()], Way { to: To::Home, used, marks: marks + brought, label });
        }
    }
}

/// Keeps a way unless one with no more groups brings as much; drops those that it beats.
fn note(ways: &mut Vec<Way>, way: Way) {
    let beats = |one: &Way, other: &Way| one.used & !other.used == 0 && one.marks >= other.marks;
    if !ways.iter().any(|other| beats(other, &way)) {
        ways.retain(|other| !beats(&way, other));
        ways.push(way);
    }
}
