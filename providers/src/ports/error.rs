//! The failures of a provider. The class decides the next step: retry, fall back, or stop.

use serde::{Deserialize, Serialize};

/// Error classes every adapter maps to. Texts carry no personal words and no secrets.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "class", rename_all = "snake_case")]
pub enum ProviderError {
    /// Key missing, wrong or forbidden. Never retried; an operator must act.
    #[error("the provider refused the credentials")]
    Auth,
    /// Paid budget or plan exhausted. Not retried; the breaker opens for long.
    #[error("the provider's quota is used up")]
    Quota,
    #[error("the provider asks for fewer calls")]
    RateLimited { retry_after_ms: Option<u64> },
    /// A 5xx or "busy": retry, then fall back.
    #[error("the provider is overloaded")]
    Overloaded,
    /// The outcome is unknown: a paid call is looked up, or assumed paid, never blindly repeated.
    #[error("the provider did not answer in time")]
    Timeout,
    /// The provider refuses the content. Not retried, and not sent to the next provider.
    #[error("the provider blocked the content")]
    ContentBlocked { categories: Vec<String> },
    /// Our request is wrong: a fault of the adapter or of its input.
    #[error("the provider refused the request: {reason}")]
    BadRequest { reason: String },
    #[error("the provider does not know this object")]
    NotFound,
    /// A success whose body could not be understood.
    #[error("the provider's answer could not be understood: {reason}")]
    Protocol { reason: String },
    /// Disk or socket, before an outcome could exist.
    #[error("input or output failed: {reason}")]
    Io { reason: String },
}

impl ProviderError {
    /// Whether the same call may succeed later with nothing changed. `Timeout` is transient, but
    /// whether a paid call may be repeated is the caller's decision, not this one's.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::RateLimited { .. } | Self::Overloaded | Self::Timeout | Self::Io { .. } => true,
            Self::Auth
            | Self::Quota
            | Self::ContentBlocked { .. }
            | Self::BadRequest { .. }
            | Self::NotFound
            | Self::Protocol { .. } => false,
        }
    }
}
