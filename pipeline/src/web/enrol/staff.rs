//! Who may open a station: whoever has the token of this start, or one that was given to staff for good.
//!
//! Tokens of staff are kept as their SHA-256 only: a token has 128 random bits, so there is nothing to guess.

use crate::web::session::Sessions;
use usher_config::{Config, value::Secret};

/// Sessions that open by these tokens.
pub(super) fn sessions(config: &Config, token: &Secret) -> Sessions {
    Sessions::new(token).and_staff(config.data.join(crate::web::staff::NAME))
}
