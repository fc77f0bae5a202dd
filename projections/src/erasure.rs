//! Which event erases a person. Read models hold words in the clear, so each one that does overwrites them when
//! it comes to that event. A rebuild reads the same words as erased, and arrives at the same rows.

use cqrs_es::Aggregate;
use domain::user::User;
use event_log::OpenedEvent;
use uuid::Uuid;

use crate::runtime::{ApplyError, subject};

/// What stands where words of an erased person stood: the same as `Personal::text` gives.
pub(crate) const ERASED: &str = "erased";

/// Whether an event is of an account. Read models of other aggregates want of those only erasures.
pub(crate) fn is_of_account(event: &OpenedEvent) -> bool {
    event.recorded.aggregate_type == User::TYPE
}

/// The person that an event erases.
pub(crate) fn erased_person(event: &OpenedEvent) -> Result<Option<Uuid>, ApplyError> {
    if is_of_account(event) && event.recorded.event_type == "PersonErased" {
        return subject(event).map(Some);
    }
    Ok(None)
}
