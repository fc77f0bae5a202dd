//! The event that erases a person. Read models hold words in the clear, so each that does overwrites them when
//! it comes to that event. A rebuild reads the same words as erased, and arrives at the same rows.

use cqrs_es::Aggregate;
use domain::UserId;
use domain::user::User;
use event_log::OpenedEvent;

use crate::runtime::{ApplyError, subject};

/// Stands where words of an erased person stood: the same as `Personal::text` gives.
pub(crate) const ERASED: &str = "erased";

/// Tells events of accounts apart. Read models of other aggregates want of those only erasures.
pub(crate) fn is_of_account(event: &OpenedEvent) -> bool {
    event.recorded.aggregate_type == User::TYPE
}

/// The person that an event erases.
pub(crate) fn erased_person(event: &OpenedEvent) -> Result<Option<UserId>, ApplyError> {
    if is_of_account(event) && event.recorded.event_type == "PersonErased" {
        return subject(event).map(|id| Some(UserId(id)));
    }
    Ok(None)
}
