//! The desk: what flow is asked and told, and who answers.
//!
//! Pages ask what would become of a queue were lanes opened or closed, and say how many are; the stage answers between two of its rounds. A desk where
//! four questions wait already takes no fifth: whoever asks is told to ask again.

use crate::flow::{lanes::By, told::Fan};
use crossbeam::channel::{Receiver, Sender, bounded};
use serde::Serialize;
use std::time::{Duration, SystemTime};
use usher_config::value::Name;

/// Questions that may wait: more than operators ask at a time.
const WAITING: usize = 4;

/// "What if so many lanes were open from then on?"
#[derive(Debug)]
pub struct Question {
    /// At which gate.
    pub gate: Name,
    /// Lanes that would be open.
    pub lanes: u32,
    /// From when on.
    pub from: SystemTime,
    /// Takes the answer.
    reply: Sender<Answer>,
}

impl Question {
    /// Answers it.
    pub fn answer(self, answer: Answer) {
        // Whoever asked may have gone.
        let _gone = self.reply.try_send(answer);
    }
}

/// "So many lanes are open."
#[derive(Debug)]
pub struct Order {
    /// At which gate.
    pub gate: Name,
    /// Lanes that are open.
    pub lanes: u32,
    /// Who says so.
    pub by: By,
    /// Takes what came of it; nobody waits for it where a program said it over the broker.
    reply: Option<Sender<Result<(), Refusal>>>,
}

impl Order {
    /// Says what came of it.
    pub fn answer(self, answer: Result<(), Refusal>) {
        if let Some(reply) = self.reply {
            let _gone = reply.try_send(answer);
        }
    }
}

/// What arrives at the stage.
#[derive(Debug)]
pub enum Asked {
    /// What would be.
    WhatIf(Question),
    /// What is.
    Lanes(Order),
}

/// What is said to a question.
pub type Answer = Result<WhatIf, Refusal>;

/// How a gate would be, with what was asked for and without.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// How it will be as lanes are planned now.
    pub as_is: Vec<Step>,
    /// How it would be.
    pub would_be: Vec<Step>,
}

/// A part of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Step {
    /// Minutes from now.
    pub minutes: u32,
    /// Lanes that are open then.
    pub lanes: u32,
    /// People in the queue.
    pub queue: Fan,
    /// Seconds that whoever arrives then waits.
    pub wait_seconds: Fan,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Another name.
    #[error("no gate has this name")]
    NoGate,
    /// Nobody measures a queue there.
    #[error("no queue is measured at this gate; give it `lanes`, and a camera that counts")]
    NoQueue,
    /// More than there are.
    #[error("this gate has {0} lanes")]
    Lanes(u32),
    /// Later than is forecast.
    #[error("that is farther ahead than is forecast; ask about the next {0} minutes")]
    TooFar(u32),
    /// The audit log, or the disk, takes nothing.
    #[error("this cannot be written down, so nothing was changed ({0}); make room in the data folder and try again")]
    NotKept(String),
    /// Others ask.
    #[error("others are asking; ask again")]
    Busy,
    /// The stage has much to do.
    #[error("flow does not answer now; ask again")]
    Silent,
}

/// Where questions are asked; every page has a copy.
#[derive(Clone)]
pub struct Desk {
    asked: Sender<Asked>,
}

/// A desk, and where its questions arrive.
pub fn desk() -> (Desk, Receiver<Asked>) {
    let (asked, arrives) = bounded(WAITING);
    (Desk { asked }, arrives)
}

impl Desk {
    /// Asks, and waits for the answer, at most `patience`. Not for the runtime's thread.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&self, gate: Name, lanes: u32, from: SystemTime, patience: Duration) -> Answer {
        // One answer comes at most.
        let (reply, answer) = bounded(1);
        let question = Asked::WhatIf(Question { gate, lanes, from, reply });
        self.asked.try_send(question).map_err(|_| Refusal::Busy)?;
        answer.recv_timeout(patience).unwrap_or(Err(Refusal::Silent))
    }

    /// Says how many lanes an operator has open, and waits until it is so. Not for the runtime's thread.
    ///
    /// # Errors
    /// Why it is not; after [`Refusal::Silent`] it may yet become so.
    pub fn set_lanes(&self, gate: Name, lanes: u32, patience: Duration) -> Result<(), Refusal> {
        let (reply, answer) = bounded(1);
        let order = Asked::Lanes(Order { gate, lanes, by: By::Operator, reply: Some(reply) });
        self.asked.try_send(order).map_err(|_| Refusal::Busy)?;
        answer.recv_timeout(patience).unwrap_or(Err(Refusal::Silent))
    }

    /// Hands on what a program said over the broker; waits for nobody. Whether it was taken.
    pub fn hear_lanes(&self, gate: Name, lanes: u32) -> bool {
        self.asked.try_send(Asked::Lanes(Order { gate, lanes, by: By::Broker, reply: None })).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_full_desk_says_ask_again_and_a_silent_stage_holds_nobody_up() {
        let (desk, asked) = desk();
        let gate = || Name::new("gate-a").unwrap();
        for _ in 0..WAITING {
            assert_eq!(desk.ask(gate(), 3, SystemTime::UNIX_EPOCH, Duration::ZERO), Err(Refusal::Silent));
        }
        assert_eq!(desk.ask(gate(), 3, SystemTime::UNIX_EPOCH, Duration::ZERO), Err(Refusal::Busy));
        assert!(!desk.hear_lanes(gate(), 3));
        let Asked::WhatIf(first) = asked.recv().unwrap() else { panic!("a question was asked") };
        assert_eq!((first.lanes, first.gate.as_str()), (3, "gate-a"));
        first.answer(Err(Refusal::NoQueue)); // Nobody waits for it any more, and nothing breaks.
    }
}
