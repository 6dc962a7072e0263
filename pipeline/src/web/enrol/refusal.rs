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

pub(super) fn busy(_: Busy) -> No {
    no(StatusCode::SERVICE_UNAVAILABLE, "busy", &"others are being served; ask again in a moment")
}

pub(super) fn too_often(status: StatusCode) -> No {
    no(status, "too_often", &"asked too often; ask again in a moment")
}

#[expect(clippy::needless_pass_by_value, reason = "what `map_err` hands over")]
pub(super) fn store_failed(error: StoreError) -> No {
    tracing::error!(%error, "the store failed at the enrolment desk");
    no(StatusCode::SERVICE_UNAVAILABLE, "store", &"the box cannot write just now; nothing was changed, try again")
}
