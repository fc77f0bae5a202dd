//! Which names an event takes or gives up: for a log whose claims have to be made again from its events.
//!
//! The commands take claims themselves, in the append (`user.rs`, `algorithm.rs`); whoever adds a claim to a
//! command adds its event here.

use domain::algorithm::AlgorithmEvent;
use domain::user::UserEvent;
use event_log::{Claim, LogError, OpenedEvent};

use crate::algorithm::{DEFAULT_CLAIM, SLUG_CLAIM};
use crate::user::EMAIL_CLAIM;

/// The claims of an event.
#[derive(Debug, Clone, Default)]
pub struct EventClaims {
    pub claims: Vec<Claim>,
    /// Names that cannot be read any more, because the person's key is gone: they stay free.
    pub unreadable: usize,
}

/// The claims that an event takes and releases.
///
/// # Errors
/// `Unreadable` when the payload is not that of its type.
pub fn claims_of(event: &OpenedEvent) -> Result<EventClaims, LogError> {
    let mut found = EventClaims::default();
    match event.recorded.event_type.as_str() {
        "UserRegistered" => {
            if let UserEvent::UserRegistered { user_id, email, .. } = event.parse()? {
                match email.known() {
                    Some(email) => found.claims.push(Claim::take(EMAIL_CLAIM, email.normalised(), user_id.0)),
                    None => found.unreadable += 1,
                }
            }
        }
        "AlgorithmDefined" => {
            if let AlgorithmEvent::AlgorithmDefined { definition, .. } = event.parse()? {
                let owner = definition.algorithm_id.0;
                found.claims.push(Claim::take(SLUG_CLAIM, definition.slug.as_str(), owner));
            }
        }
        "AlgorithmMadeDefault" => {
            if let AlgorithmEvent::AlgorithmMadeDefault { algorithm_id, .. } = event.parse()? {
                found.claims.push(Claim::take(DEFAULT_CLAIM, "", algorithm_id.0));
            }
        }
        _ => {}
    }
    Ok(found)
}
