//! Rate limits: how often one caller may do what costs us. The key is the user when logged in, the address
//! otherwise; a repeated Idempotency-Key does not count.

use std::time::Duration;

use event_log::{CommandContext, EventLog, LogError};
use nats::RateLimiter;

use crate::problem::ApiError;

const WINDOW: Duration = Duration::from_mins(1);

/// The limited actions, and their number a minute.
#[derive(Debug, Clone, Copy)]
pub enum Limited {
    Generation,
    Message,
    Login,
    Registration,
    Upload,
}

impl Limited {
    fn name(self) -> &'static str {
        match self {
            Self::Generation => "generation",
            Self::Message => "message",
            Self::Login => "login",
            Self::Registration => "registration",
            Self::Upload => "upload",
        }
    }

    fn per_minute(self) -> u32 {
        match self {
            Self::Generation | Self::Login => 10,
            Self::Registration => 5,
            Self::Upload | Self::Message => 30,
        }
    }
}

/// The limits of this process; none when they are off.
#[derive(Debug, Clone)]
pub struct Limits(Option<RateLimiter>);

impl Limits {
    pub fn new(limiter: Option<RateLimiter>) -> Self {
        Self(limiter)
    }

    /// Counts one request of `who`.
    pub async fn count(&self, what: Limited, who: &str) -> Result<(), ApiError> {
        let Some(limiter) = &self.0 else { return Ok(()) };
        let verdict = limiter.hit(&format!("{}/{who}", what.name()), what.per_minute(), WINDOW).await;
        if verdict.allowed { Ok(()) } else { Err(ApiError::RateLimited(verdict)) }
    }

    /// Counts an upload before its body is read, unless its command id is known: what it was sent with before is
    /// compared later.
    pub async fn count_upload(
        &self,
        log: &EventLog,
        who: &str,
        context: &CommandContext,
    ) -> Result<(), ApiError> {
        if self.0.is_none() {
            return Ok(());
        }
        match log.first_outcome(context).await {
            Ok(None) => self.count(Limited::Upload, who).await,
            Ok(Some(_)) | Err(LogError::CommandIdReused { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Counts a command, unless its id had its effect before.
    pub async fn count_command(
        &self,
        log: &EventLog,
        what: Limited,
        who: &str,
        context: &CommandContext,
    ) -> Result<(), ApiError> {
        if self.0.is_none() || log.first_outcome(context).await?.is_some() {
            return Ok(());
        }
        self.count(what, who).await
    }
}
