//! The way to the collector: the HTTP client that everything else uses too.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use opentelemetry_http::{HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

/// A collector that is away is told of once in a while, not for every batch.
pub(super) const WARN_EVERY: Duration = Duration::from_mins(1);
/// Of an answer nothing but a few words about refused spans is wanted.
const ANSWER_BYTES_MAX: usize = 64 << 10;
const TIMEOUT_DEFAULT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct Collector {
    http: reqwest::Client,
    runtime: Handle,
    warned: Mutex<Option<Instant>>,
}

impl Collector {
    pub(super) fn new(runtime: Handle) -> anyhow::Result<Self> {
        let http = reqwest::Client::builder().timeout(timeout()).build()?;
        Ok(Self { http, runtime, warned: Mutex::default() })
    }

    fn warn(&self, error: &HttpError) {
        if self.may_warn(Instant::now()) {
            let error: &(dyn std::error::Error + 'static) = error.as_ref();
            tracing::warn!(error, "spans cannot be exported and are lost; everything else goes on");
        }
    }

    /// Tells whether the last warning was long enough ago.
    pub(super) fn may_warn(&self, now: Instant) -> bool {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        let may = warned.is_none_or(|last| now - last >= WARN_EVERY);
        if may {
            *warned = Some(now);
        }
        may
    }
}

/// The exporter has a thread of its own, outside of the runtime that this client needs.
#[async_trait]
impl HttpClient for Collector {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let sent = self.runtime.spawn(send(self.http.clone(), request)).await?;
        match &sent {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.warn(&format!("the collector answered {}", answer.status()).into()),
            Err(error) => self.warn(error),
        }
        sent
    }
}

async fn send(http: reqwest::Client, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
    let mut answer = http.execute(request.try_into()?).await.map_err(reqwest::Error::without_url)?;
    let mut body = BytesMut::new();
    while let Some(chunk) = answer.chunk().await? {
        if body.len() + chunk.len() > ANSWER_BYTES_MAX {
            return Err("the collector's answer is too long".into());
        }
        body.extend_from_slice(&chunk);
    }
    let mut response = Response::new(body.freeze());
    *response.status_mut() = answer.status();
    *response.headers_mut() = std::mem::take(answer.headers_mut());
    Ok(response)
}

/// The patience with the collector, in milliseconds, by the standard variables.
fn timeout() -> Duration {
    ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok()?.parse().ok())
        .map_or(TIMEOUT_DEFAULT, Duration::from_millis)
}
