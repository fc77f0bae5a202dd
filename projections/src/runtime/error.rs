//! Why an event was not applied, by what can be done about it.

use event_log::LogError;

/// Errors of `Projection::apply`.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Passes by itself: the event is applied again later.
    #[error("the read model is not available")]
    Transient(#[source] LogError),
    /// Will be the same at every attempt.
    #[error("the event cannot be applied: {reason}")]
    Poison { reason: String },
}

impl ApplyError {
    pub fn poison(reason: impl Into<String>) -> Self {
        Self::Poison { reason: reason.into() }
    }
}

impl From<LogError> for ApplyError {
    fn from(error: LogError) -> Self {
        match error {
            LogError::Unreadable { what, reason } => {
                Self::Poison { reason: format!("{what} cannot be read: {}", without_quotes(&reason)) }
            }
            LogError::Unavailable(_)
            | LogError::OutcomeUnknown
            | LogError::Contention { .. }
            | LogError::Refused { .. }
            | LogError::Database(_)
            | LogError::Migration(_)
            | LogError::Unwritable(_)
            | LogError::Randomness(_)
            | LogError::Panicked
            | LogError::VersionMismatch { .. }
            | LogError::CommandIdReused { .. }
            | LogError::Taken { .. }
            | LogError::Rewound { .. }
            | LogError::OutcomeForgotten { .. }
            | LogError::Replaced { .. }
            | LogError::Forged { .. }
            | LogError::OtherSchema
            | LogError::EventTooLarge { .. } => Self::Transient(error),
        }
    }
}

/// Only what Postgres says about the data is the event's fault. A missing table or permission is not: no event
/// is set aside for it.
impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            sqlx::Error::Database(refusal) if is_about_data(refusal.code().as_deref()) => {
                // The message names types and constraints; values are in its detail, which is left out.
                Self::Poison { reason: refusal.message().to_owned() }
            }
            sqlx::Error::Encode(_) => Self::poison("a value has no form in the database"),
            _ => Self::Transient(error.into()),
        }
    }
}

/// Data exceptions, violated constraints, exceeded limits. Source: the `SQLSTATE` classes of the manual.
pub(super) fn is_about_data(code: Option<&str>) -> bool {
    code.and_then(|code| code.get(..2)).is_some_and(|class| matches!(class, "22" | "23" | "54"))
}

/// The text without what stands in double quotes: parsers quote the value that they refuse, and it may be a
/// person's. The reason is stored and logged.
pub(super) fn without_quotes(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut quoted = false;
    let mut escaped = false;
    for c in text.chars() {
        match c {
            '"' if !escaped => {
                if !quoted {
                    kept.push_str("\"…\"");
                }
                quoted = !quoted;
            }
            _ if !quoted => kept.push(c),
            _ => {}
        }
        escaped = quoted && c == '\\' && !escaped;
    }
    kept
}
