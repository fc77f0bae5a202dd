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
            LogError::Unavailable(_) | LogError::OutcomeUnknown | LogError::Contention { .. } => {
                Self::Transient(error)
            }
            LogError::Unreadable { what, reason } => {
                Self::Poison { reason: format!("{what} cannot be read: {}", without_quotes(&reason)) }
            }
            // What Postgres says names constraints, not values.
            LogError::Refused { .. }
            | LogError::VersionMismatch { .. }
            | LogError::CommandIdReused { .. }
            | LogError::Taken { .. } => Self::Poison { reason: error.to_string() },
        }
    }
}

impl From<sqlx::Error> for ApplyError {
    fn from(error: sqlx::Error) -> Self {
        LogError::from(error).into()
    }
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
