//! Risks: what may go wrong for people, what usher does about it, and what is left to the controller.

use serde::Serialize;
use usher_config::{Config, decide::Liveness};

/// A risk.
#[derive(Debug, Serialize)]
pub(super) struct Risk {
    pub(super) what: &'static str,
    pub(super) done: String,
    pub(super) left: &'static str,
}

/// The risks of this configuration.
pub(super) fn risks(config: &Config) -> Vec<Risk> {
    let risk = |what, done: &str, left| Risk { what, done: done.to_owned(), left };
    let rate = (1.0 / config.rules.wrong_greetings).round();
    let guardian = config.gallery.notice.guardian_age;
    let judged = config.gates.values().filter(|gate| gate.liveness != Liveness::Off).count();
    let mut risks = vec![
        risk(
            "somebody is greeted by a wrong name",
            &format!(
                "the threshold rises with the number of people compared and is set for 1 of {rate} visitors who never enrolled; several \
                 looks, a margin to the second person; in doubt nobody is named"
            ),
            "figures of collections from the web do not hold for your visitors; error rates differ between groups of people \
             (docs/accuracy.md): measure at the site (`usher calibrate`), keep a person at the gate",
        ),
        risk(
            "a picture of somebody enrolled is held up",
            &format!("liveness is judged at {judged} of {} gates; a greeting opens no door", config.gates.len()),
            "liveness is often wrong both ways; nothing but a greeting may depend on it",
        ),
        risk(
            "people who look alike",
            "a margin between the first and the second; between declared households a larger one; staff are told of faces that are \
             alike where the box can open both",
            "of whoever keeps their key the box cannot tell that a face is enrolled twice",
        ),
        risk(
            "the box or its disk is stolen",
            if config.identifies() {
                "all that is personal is sealed; whoever has the disk and not the box key has nothing to try. With the box key, whoever \
                 enrolled by box is readable; whoever keeps their key is not"
            } else {
                "all that is personal is sealed, and the box key alone opens nothing without each visitor's pass"
            },
            "the box key lies on the same disk unless a systemd credential (TPM) holds it; a box stolen while it runs holds in memory \
             whoever it may recognise",
        ),
        risk(
            "a pass is stolen or photographed",
            "where there is a face behind it, the pass names nobody: the face does. It opens the visitor's own page (name, sports, receipt) and \
             can forget them",
            "a pass without a face greets whoever shows it; tell visitors to keep it as they keep a ticket",
        ),
        risk(
            "an old backup is restored",
            "an old gallery beside today's log, and a copy of the folder: whoever was forgotten is erased again, or everybody \
             is; everybody's end is authenticated in their row and still holds",
            "a whole disk put back bit by bit, and old files written over today's with their old times, are not noticed by the box: make \
             no backup of the data folder",
        ),
        risk(
            "somebody agrees because they have no choice",
            "the notice and the page offer a pass without a face with the same greeting and the same gates, and a decline button",
            "that ways, queues and services are equal is for the venue to see to",
        ),
        risk(
            "minors",
            &format!("below {guardian} years the page makes no template without a parent's or guardian's name"),
            "the age is asked and not proved, and a guardian's word is not checked: staff must",
        ),
        risk(
            "data are kept too long",
            "everybody has an end and nobody is kept for more than 30 days; a clock that is set back keeps nobody longer; who is due is \
             erased within a minute while usher runs",
            "a box that is switched off erases nobody until it starts; old blocks of flash are beyond any program's reach, what is in them is \
             sealed",
        ),
        risk(
            "staff or guests read what is not theirs",
            "no list of people without a staff token; tokens are kept as hashes and end by name; no name in topics, logs and metrics",
            "who has tokens, and who may enter the box, is the controller's to say; a session that is open outlives its token, by \
             twelve hours at most",
        ),
    ];
    if config.identifies() {
        risks.push(risk(
            "bystanders are compared without having agreed",
            "only in the opt-in zone; their numbers live in memory for the seconds of the walk; nothing of them is stored, sent or named \
             (pipeline/tests/bystanders.rs)",
            "comparing is processing: legal ground, a marked zone and a way past it are the controller's",
        ));
    }
    if config.gates.values().any(|gate| gate.mode == usher_config::decide::Mode::Pass) {
        risks.push(risk(
            "bystanders at a gate in mode `pass`",
            "nobody is embedded before the first pass of the day; then whoever is in the opt-in zone is compared with those who showed theirs",
            "the same zone and signs are needed; a code is read in the whole picture, not in the zone alone",
        ));
    }
    risks
}

/// What only the controller can say.
pub(super) const OPEN: &[&str] = &[
    "legal ground: usher records explicit consent (GDPR 6(1)(a), 9(2)(a)); say why it is freely given here, and what holds for bystanders in the zone",
    "necessity and proportionality: why a face, and why a name on a screen, are needed for a greeting; what was considered instead",
    "national law, and what your supervisory authority says of biometric identification in places open to the public",
    "whether the data protection officer and the people concerned were asked, and what they said",
    "processors: who runs the box, the broker, the screens; contracts; whether data leave the country",
    "signs at the zone, the way past it, and how the way without a face is equal in fact",
    "who answers requests (see, correct, take along, erase), how fast; what is done after a breach",
    "what the audit log's random ids and times may be kept for, and until when the data folder is deleted after the event",
    "accuracy on your visitors: own trials, with their intervals, by group where people agreed to it",
    "risks that remain, who accepts them, and the date of the next review",
];
