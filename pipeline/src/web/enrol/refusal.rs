//! A refusal: a status, a word for programs and a sentence for people.

use crate::{
    gallery::file::StoreError,
    web::enrol::{answers::Refused, desk::Busy},
};
use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

/// A refusal in words, for programs and people.
pub(super) struct No(pub(super) StatusCode, pub(super) Refused);

impl IntoResponse for No {
    fn into_response(self) -> Response {
        let again = (self.0 == StatusCode::TOO_MANY_REQUESTS || self.0 == StatusCode::SERVICE_UNAVAILABLE)
            .then_some([(header::RETRY_AFTER, "1")]);
        (self.0, again.unwrap_or([(header::RETRY_AFTER, "0")]), Json(self.1)).into_response()
    }
}

pub(super) fn no(status: StatusCode, code: &str, message: &dyn ToString) -> No {
    No(status, Refused { code: code.to_owned(), view: None, message: message.to_string() })
}

/// Others are not being served where the disk fails, so "in a moment" would be a lie: the page sends people to staff.
const DISK: StatusCode = StatusCode::INSUFFICIENT_STORAGE;
const FAILS: &str = "the box's disk is full or fails, so nothing was stored and nothing changed; please tell staff";
const HANGS: &str = "the box's disk does not answer, so nobody is enrolled, and whoever asked to be forgotten is as soon as \
                     it answers; please tell staff";

const BEGUN: &str = "forgotten, as the audit log says: nobody is recognised by what is left, which is erased as soon as the \
                     box's disk takes it";

pub(super) fn busy(busy: Busy) -> No {
    match busy {
        Busy::Others => no(StatusCode::SERVICE_UNAVAILABLE, "busy", &"others are being served; ask again in a moment"),
        Busy::Hangs => no(DISK, "store", &HANGS),
        Busy::Disk => no(DISK, "store", &FAILS),
    }
}

pub(super) fn too_often(status: StatusCode) -> No {
    no(status, "too_often", &"asked too often; ask again in a moment")
}

pub(super) fn store_failed(error: StoreError) -> No {
    tracing::error!(%error, "the store failed at the enrolment desk");
    match error {
        StoreError::Begun { .. } => no(DISK, "store", &BEGUN),
        error if error.is_disk() => no(DISK, "store", &FAILS),
        _ => {
            let again = "the box cannot write just now; nothing was changed, try again";
            no(StatusCode::SERVICE_UNAVAILABLE, "store", &again)
        }
    }
}
