//! A wish: what somebody asks for at the page, checked, and why not, in a word and a sentence.

use crate::{
    gallery::{
        consent::Place,
        enrol::{Duplicate, EnrolError, Wish},
        name::{NameError, shown, sport_of},
        notice::LANGUAGES,
        visitor::{FOOD, Wishes, together},
    },
    web::enrol::{
        Shared,
        answers::{Enrol, Refused},
        desk::Refusal,
        refusal::{No, no, store_failed},
    },
};
use axum::http::StatusCode;
use data_encoding::BASE64;
use zeroize::{Zeroize as _, Zeroizing};

/// Most views.
pub(super) const VIEWS: u8 = 3;
/// Most favourite sports.
const SPORTS: usize = 3;

/// What was asked for, checked.
pub(super) fn wish(shared: &Shared, asked: &Enrol) -> Result<Wish, No> {
    let unfit = |code: &str, message: &dyn ToString| no(StatusCode::UNPROCESSABLE_ENTITY, code, message);
    let name = shown(&asked.name).map_err(|error| unfit(name_code(&error), &error))?;
    let text = |text: &str| shown(text).map_err(|error| unfit("sport_unknown", &error));
    let known = shared.sports();
    let sport = |sport: &String| {
        if known.is_empty() { text(sport) } else { sport_of(sport, &known).map_err(|e| unfit("sport_unknown", &e)) }
    };
    let mut sports: Vec<String> = asked.sports.iter().take(SPORTS).map(sport).collect::<Result<_, _>>()?;
    if sports.is_empty() || asked.sports.len() > SPORTS {
        return Err(unfit("sport_unknown", &"give one to three sports"));
    }
    let spoken = |language: &str| LANGUAGES.contains(&language);
    let arrival = asked.arrival.as_deref().map(str::trim).filter(|at| !at.is_empty());
    let is_time = |at: &str| at.len() == 5 && at.parse::<jiff::civil::Time>().is_ok();
    let group = asked.together.as_deref().filter(|text| !text.trim().is_empty());
    let wrong = match () {
        () if !spoken(&asked.language) => Some("a language is one of those that the page speaks"),
        () if asked.food.len() > FOOD.len() || asked.food.iter().any(|food| !FOOD.contains(&food.as_str())) => {
            Some("wishes about food are of those that the form names")
        }
        () if arrival.is_some_and(|at| !is_time(at)) => Some("a time of arrival is written `18:30`"),
        () if group.is_some_and(|text| together(text).is_none()) => {
            return Err(unfit("together", &"the code of a group has five letters, A to Z"));
        }
        () if !asked.consent.agreed => Some("nobody is enrolled who does not agree"),
        () if asked.views.len() > usize::from(VIEWS) => Some("give at most three views"),
        () if !asked.views.is_empty() && !shared.custody().contains(&asked.custody) => {
            Some("this venue does not offer that")
        }
        () => None,
    };
    if let Some(wrong) = wrong {
        return Err(unfit("other", &wrong));
    }
    let now = shared.now();
    let notice = shared
        .notices
        .of(&asked.consent.notice, now)
        .filter(|notice| notice.offer.face != asked.views.is_empty())
        .ok_or_else(|| unfit("notice_changed", &"the notice has changed since it was read; read it again"))?;
    let guardian = asked.consent.guardian.as_deref().map(shown).transpose();
    let guardian = guardian.map_err(|error| unfit("guardian_missing", &error))?;
    if asked.consent.minor && guardian.is_none() {
        return Err(unfit("guardian_missing", &"a parent or guardian must agree and give a name"));
    }
    let consent = shared.notices.notice.consent(&asked.consent.notice, &notice.language, Place::Page, guardian);
    let favourite = sports.remove(0);
    Ok(Wish {
        // Whoever looks like somebody enrolled is taken in and told to staff; the gate names neither until they have
        // seen to it. The visitor must not learn from us who else is here.
        duplicate: Duplicate::Beside,
        custody: asked.custody,
        wishes: Wishes {
            sports,
            language: asked.language.clone(),
            food: asked.food.clone(),
            arrival: arrival.map(str::to_owned),
            step_free: asked.step_free,
            together: group.and_then(together),
        },
        ..Wish::new(&name, &favourite, notice.until, consent)
    })
}

fn name_code(error: &NameError) -> &'static str {
    match error {
        NameError::Empty => "name_empty",
        NameError::Long(_) => "name_long",
        NameError::Character(_) => "name_character",
    }
}

/// The pictures; their text is wiped.
pub(super) fn views(asked: &mut Enrol) -> Result<Vec<Zeroizing<Vec<u8>>>, No> {
    let mut views = Vec::new();
    for (view, text) in asked.views.iter_mut().enumerate() {
        let bytes = BASE64.decode(text.as_bytes()).map(Zeroizing::new);
        text.zeroize();
        let refused = |_| {
            No(
                StatusCode::UNPROCESSABLE_ENTITY,
                Refused {
                    code: "picture".to_owned(),
                    view: Some(view),
                    message: "the picture is not base64".to_owned(),
                },
            )
        };
        views.push(bytes.map_err(refused)?);
    }
    Ok(views)
}

/// Why not, as a word and a sentence.
pub(super) fn refused(refusal: Refusal) -> No {
    let at = |picture: usize| Some(picture.saturating_sub(1));
    let (code, view) = match &refusal {
        Refusal::Picture(view, _) => ("picture", Some(*view)),
        Refusal::Enrol(error) => match error {
            EnrolError::NoFace { picture } => ("no_face", at(*picture)),
            EnrolError::Faces { picture, .. } => ("several_faces", at(*picture)),
            EnrolError::Small { picture, .. } => ("too_small", at(*picture)),
            EnrolError::Blurred { picture } => ("blurred", at(*picture)),
            EnrolError::Turned { picture } => ("turned", at(*picture)),
            EnrolError::Spoilt { picture, .. } => ("spoilt", at(*picture)),
            EnrolError::Strangers { other, .. } => ("strangers", at(*other)),
            EnrolError::Name(error) => (name_code(error), None),
            EnrolError::Past => ("past", None),
            EnrolError::Store(_) => ("store", None),
            _ => ("other", None),
        },
    };
    let message = match refusal {
        Refusal::Picture(_, error) => error.to_string(),
        Refusal::Enrol(EnrolError::Store(error)) => return store_failed(error),
        Refusal::Enrol(EnrolError::Models(error)) => {
            tracing::error!(%error, "a network failed at the enrolment desk");
            "the box cannot read faces just now".to_owned()
        }
        Refusal::Enrol(error) => error.to_string(),
    };
    No(StatusCode::UNPROCESSABLE_ENTITY, Refused { code: code.to_owned(), view, message })
}
