//! Errors of NATS. All pass by themselves or are made good from the log.

#[derive(Debug, thiserror::Error)]
pub enum BusError {
    #[error("NATS is not available: {reason}")]
    Unavailable { reason: String },
    #[error("message {sequence} of the stream has no usable {header}")]
    Malformed { sequence: u64, header: &'static str },
    #[error("message {sequence} of the stream was not published by this log")]
    Forged { sequence: u64 },
}

impl BusError {
    pub(crate) fn unavailable(reason: impl std::fmt::Display) -> Self {
        Self::Unavailable { reason: reason.to_string() }
    }
}
