//! Extractors: bodies, paths and queries that answer with a problem when they do not parse, and
//! who calls with which command id.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{FromRequest, FromRequestParts, OptionalFromRequest, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, header};
use domain::language::{Known, Language};
use event_log::{Actor, CommandContext, ReceiptLife, Version, clock};
use projections::Wanted;
use serde::de::DeserializeOwned;
use tokio::time::timeout;
use uuid::Uuid;

use crate::client_ip::client_ip;
use crate::problem::ApiError;
use crate::state::App;

/// The largest JSON body, in bytes.
pub const JSON_BYTES_MAX: usize = 64 * 1024;

/// A JSON body arrives whole within this time, however many pieces it comes in.
const BODY_MAX: Duration = Duration::from_secs(30);

/// A JSON body, with the bytes it came as: they are part of the command's fingerprint.
#[derive(Debug)]
pub struct ApiJson<T> {
    pub value: T,
    pub bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<App> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Self, ApiError> {
        let is_json = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| {
                let kind = value.split(';').next().unwrap_or_default().trim();
                kind.eq_ignore_ascii_case("application/json") || kind.to_ascii_lowercase().ends_with("+json")
            });
        if !is_json {
            return Err(ApiError::WrongContentType { expected: "application/json" });
        }
        let read = timeout(BODY_MAX, Bytes::from_request(request, app)).await;
        let bytes = read.map_err(|_| ApiError::TooSlow)?.map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(error)
                if error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE =>
            {
                ApiError::TooLarge { max_bytes: JSON_BYTES_MAX }
            }
            _ => ApiError::Malformed { detail: "the body could not be read".to_owned() },
        })?;
        let value = serde_json::from_slice(&bytes).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => {
                ApiError::Invalid { field: "body", detail: error.to_string() }
            }
            _ => ApiError::Malformed { detail: format!("the body is not valid JSON: {error}") },
        })?;
        Ok(Self { value, bytes })
    }
}

/// A body may be left out where nothing in it is needed.
impl<T: DeserializeOwned> OptionalFromRequest<App> for ApiJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, app: &App) -> Result<Option<Self>, ApiError> {
        if request.headers().contains_key(header::CONTENT_TYPE) {
            return Ok(Some(<Self as FromRequest<App>>::from_request(request, app).await?));
        }
        Ok(None)
    }
}

/// The ids in a path.
#[derive(Debug)]
pub struct ApiPath<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for ApiPath<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let path: Result<Path<T>, PathRejection> = Path::from_request_parts(parts, app).await;
        path.map(|Path(value)| Self(value)).map_err(|error| ApiError::Malformed { detail: error.body_text() })
    }
}

/// The parameters of a query string.
#[derive(Debug)]
pub struct ApiQuery<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for ApiQuery<T> {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        // The database holds no such character, so nothing can be found by it.
        if parts.uri.query().is_some_and(|query| query.contains("%00")) {
            return Err(ApiError::Invalid { field: "query", detail: "it holds a NUL character".to_owned() });
        }
        let query: Result<Query<T>, QueryRejection> = Query::from_request_parts(parts, app).await;
        query
            .map(|Query(value)| Self(value))
            .map_err(|error| ApiError::Invalid { field: "query", detail: error.body_text() })
    }
}

/// The headers of a request that carries a command.
#[derive(Debug, Clone)]
pub struct Caller {
    key: Option<String>,
    route: String,
    correlation_id: Uuid,
    ip: Option<String>,
    user_agent: Option<String>,
    traceparent: Option<String>,
    language: Option<Language>,
    /// The version that `If-Match` names.
    pub expected_version: Option<Version>,
}

const KEY_CHARS_MAX: usize = 255;
const USER_AGENT_CHARS_MAX: usize = 300;

impl FromRequestParts<App> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, ApiError> {
        let key = text(&parts.headers, "idempotency-key").map(|key| key.trim_matches('"').to_owned());
        if key.as_ref().is_some_and(|key| key.is_empty() || key.chars().count() > KEY_CHARS_MAX) {
            return Err(ApiError::Malformed {
                detail: format!("an Idempotency-Key has 1 to {KEY_CHARS_MAX} characters"),
            });
        }
        Ok(Self {
            key,
            route: format!("{} {}", parts.method, parts.uri.path()),
            correlation_id: clock::new_id(),
            ip: client_ip(parts, app.settings().trusted_proxies).map(|ip| ip.to_string()),
            user_agent: text(&parts.headers, "user-agent")
                .map(|agent| agent.chars().take(USER_AGENT_CHARS_MAX).collect()),
            traceparent: text(&parts.headers, "traceparent").filter(|trace| is_traceparent(trace)),
            language: accepted_language(&parts.headers),
            expected_version: expected_version(&parts.headers)?,
        })
    }
}

impl Caller {
    /// The context of the command that this request carries. `body` is what its fingerprint covers besides
    /// method and path.
    pub fn context(&self, app: &App, actor: Actor, body: &[u8]) -> CommandContext {
        let owner = actor.receipt_owner();
        let command_id = match &self.key {
            // Bound to the person, so that two people with the same key have two commands.
            Some(key) => clock::derived_id(owner, &format!("idempotency-key {key}")),
            None => clock::new_id(),
        };
        CommandContext {
            actor,
            owner: Some(owner).filter(|owner| !owner.is_nil()),
            command_id,
            fingerprint: app.log().vault().fingerprint(&[self.route.as_bytes(), body]),
            receipt: ReceiptLife::Client,
            correlation_id: self.correlation_id,
            causation_id: None,
            ip: self.ip.clone(),
            user_agent: self.user_agent.clone(),
            traceparent: self.traceparent.clone(),
            language: self.language.map(|language| language.name().to_owned()),
        }
    }

    pub fn ip(&self) -> &str {
        self.ip.as_deref().unwrap_or("unknown")
    }
}

/// The freshness that a query wants: `Routix-After: <position>`.
#[derive(Debug, Clone, Copy)]
pub struct Freshness(pub Wanted);

impl FromRequestParts<App> for Freshness {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let Some(after) = text(&parts.headers, "routix-after") else { return Ok(Self(Wanted::Now)) };
        match after.parse() {
            Ok(position) if position >= 0 => Ok(Self(Wanted::After(position))),
            _ => Err(ApiError::Malformed { detail: "Routix-After is a position".to_owned() }),
        }
    }
}

/// The language of the sentences in an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerLanguage(pub Language);

impl FromRequestParts<App> for AnswerLanguage {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &App) -> Result<Self, ApiError> {
        let request = accepted_language(&parts.headers);
        Ok(Self(Known { request, ..Known::default() }.choose()))
    }
}

fn accepted_language(headers: &HeaderMap) -> Option<Language> {
    Language::negotiate(&text(headers, "accept-language")?)
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::to_owned)
}

fn expected_version(headers: &HeaderMap) -> Result<Option<Version>, ApiError> {
    match text(headers, "if-match") {
        None => Ok(None),
        Some(any) if any.trim() == "*" => Ok(None),
        Some(tag) => {
            let version =
                tag.trim().trim_matches('"').strip_prefix('v').and_then(|digits| digits.parse().ok());
            let detail = "If-Match is an ETag of ours, as \"v17\"".to_owned();
            version.map(Some).ok_or(ApiError::Malformed { detail })
        }
    }
}

/// `00-<32 hex>-<16 hex>-<2 hex>`, W3C Trace Context. Anything else is ignored.
fn is_traceparent(value: &str) -> bool {
    let parts: Vec<&str> = value.split('-').collect();
    let hex = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    matches!(parts.as_slice(), [version, trace, span, flags]
        if hex(version, 2) && hex(trace, 32) && hex(span, 16) && hex(flags, 2))
}
