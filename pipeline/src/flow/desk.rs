//! The desk: what flow is asked, and who answers.
//!
//! Pages ask what would become of a queue were lanes opened or closed; the stage answers between two of its rounds. A desk where
//! four questions wait already takes no fifth: whoever asks is told to ask again.

use crate::flow::told::Fan;
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
    questions: Sender<Question>,
}

/// A desk, and where its questions arrive.
pub fn desk() -> (Desk, Receiver<Question>) {
    let (questions, asked) = bounded(WAITING);
    (Desk { questions }, asked)
}

impl Desk {
    /// Asks, and waits for the answer, at most `patience`. Not for the runtime's thread.
    ///
    /// # Errors
    /// Why there is none.
    pub fn ask(&self, gate: Name, lanes: u32, from: SystemTime, patience: Duration) -> Answer {
        // One answer comes at most.
        let (reply, answer) = bounded(1);
        self.questions.try_send(Question { gate, lanes, from, reply }).map_err(|_| Refusal::Busy)?;
        answer.recv_timeout(patience).unwrap_or(Err(Refusal::Silent))
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
        let first = asked.recv().unwrap();
        assert_eq!((first.lanes, first.gate.as_str()), (3, "gate-a"));
        first.answer(Err(Refusal::NoQueue)); // Nobody waits for it any more, and nothing breaks.
    }
}
