//! The two connections of the appender: while one batch is written over one of them, the next is over the other.

use std::sync::Arc;
use std::time::Duration;

use futures::future::{BoxFuture, FutureExt};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, PgConnection};
use tokio::time::{Instant, sleep_until, timeout};

use super::pacing::{OPEN_MAX, RETRY_DELAY_MAX, RETRY_DELAY_MIN};
use crate::guard::Guard;

pub(super) struct Lanes {
    options: PgConnectOptions,
    guard: Arc<Guard>,
    free: Vec<PgConnection>,
    opening: Option<BoxFuture<'static, Result<PgConnection, sqlx::Error>>>,
    /// After a failure the next attempt begins so much later.
    delay: Duration,
}

impl Lanes {
    pub(super) fn new(options: PgConnectOptions, guard: Arc<Guard>) -> Self {
        // Plans made while the table was empty stay bad, and planning each call costs more than running it.
        let options = options.options([
            ("plan_cache_mode", "force_generic_plan"),
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("synchronous_commit", "on"),
            ("statement_timeout", "30s"),
        ]);
        Self { options, guard, free: Vec::new(), opening: None, delay: Duration::ZERO }
    }

    /// A free connection. Where there is none another one is being opened from now on.
    pub(super) fn take(&mut self) -> Option<PgConnection> {
        let free = self.free.pop();
        if free.is_none() && self.opening.is_none() {
            let (options, guard) = (self.options.clone(), self.guard.clone());
            let from = Instant::now() + self.delay;
            self.opening = Some(
                async move {
                    sleep_until(from).await;
                    let opened = timeout(OPEN_MAX, async {
                        let mut fresh = options.connect().await?;
                        guard.check(&mut fresh).await?;
                        Ok(fresh)
                    });
                    opened.await.unwrap_or_else(|_| Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())))
                }
                .boxed(),
            );
        }
        free
    }

    pub(super) fn give_back(&mut self, connection: PgConnection) {
        self.free.push(connection);
    }

    /// Ends when the connection that is being opened is open or has failed. Never ends while none is.
    pub(super) async fn opened(&mut self) {
        let Some(opening) = &mut self.opening else { return std::future::pending().await };
        let result = opening.await;
        self.opening = None;
        match result {
            Ok(fresh) => {
                self.free.push(fresh);
                self.delay = Duration::ZERO;
            }
            Err(error) => {
                tracing::warn!(%error, "no further connection to append over");
                self.delay = (self.delay * 2).clamp(RETRY_DELAY_MIN, RETRY_DELAY_MAX);
            }
        }
    }
}
