//! The one place where errors become answers: problem details of RFC 9457 with a stable `code`.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use commands::CommandError;
use domain::algorithm::AlgorithmError;
use domain::conversation::ConversationError;
use domain::credit_ledger::CreditLedgerError;
use domain::generation_request::GenerationRequestError;
use domain::user::UserError;
use event_log::{LogError, clock};
use nats::RateVerdict;
use providers::pictures::PictureError;
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

/// The number of wanted events that an answer lacks.
pub const STALE: HeaderName = HeaderName::from_static("routix-stale");

/// Why a request was not answered with what it asked for.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    #[error(transparent)]
    Command(#[from] CommandError),
    #[error("the log failed")]
    Log(#[from] LogError),
    #[error("{detail}")]
    Unauthenticated { detail: &'static str },
    #[error("Admin access required")]
    AdminRequired,
    #[error("there is no such {what}")]
    NotFound { what: &'static str },
    /// Nothing was found by a read model that has not seen everything yet: it cannot know.
    #[error("no {what} is there yet, {behind} events are still to be seen")]
    NotSeenYet { what: &'static str, behind: i64 },
    #[error("{detail}")]
    Malformed { detail: String },
    #[error("{detail}")]
    Invalid { field: &'static str, detail: String },
    #[error("the content type must be {expected}")]
    WrongContentType { expected: &'static str },
    #[error("the body is larger than {max_bytes} bytes")]
    TooLarge { max_bytes: usize },
    #[error("the body did not arrive in time")]
    TooSlow,
    #[error("the address is too long")]
    UriTooLong,
    #[error("the headers are too large")]
    HeadersTooLarge,
    #[error("this method is not allowed here")]
    MethodNotAllowed,
    #[error("too many requests")]
    RateLimited(RateVerdict),
    #[error("too many uploads of yours are under way")]
    TooManyUploads,
    #[error("too many sockets are open")]
    TooManySockets,
    #[error("the service cannot do this at the moment")]
    Unavailable,
    #[error("something went wrong")]
    Internal,
}

/// The body of every answer that is not a success.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// A URI that names the kind of problem.
    #[schema(example = "urn:routix:problem:insufficient_credits")]
    pub r#type: String,
    #[schema(example = "Payment Required")]
    pub title: String,
    #[schema(example = 402)]
    pub status: u16,
    #[schema(example = "4 credits are needed and 1 are available")]
    pub detail: String,
    /// Stable: clients may compare it.
    #[schema(example = "insufficient_credits")]
    pub code: String,
    /// Members of this kind of problem, as `balance` and `required`.
    #[serde(flatten)]
    #[schema(value_type = Object)]
    pub extra: Map<String, Value>,
}

/// Status, code and own members of a problem.
struct Kind(StatusCode, &'static str, Value);

fn kind(status: StatusCode, code: &'static str) -> Kind {
    Kind(status, code, Value::Null)
}

impl ApiError {
    /// The problem of a lookup without a result: nothing was found, or the read model is behind and cannot tell.
    pub fn missing(what: &'static str, behind: Option<i64>) -> Self {
        behind.map_or(Self::NotFound { what }, |behind| Self::NotSeenYet { what, behind })
    }

    fn kind(&self) -> Kind {
        match self {
            Self::Command(error) => command_kind(error),
            Self::Internal => kind(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
            Self::Log(error) => log_kind(error),
            Self::Unauthenticated { .. } => kind(StatusCode::UNAUTHORIZED, "unauthenticated"),
            Self::AdminRequired => kind(StatusCode::FORBIDDEN, "admin_required"),
            Self::NotFound { .. } => kind(StatusCode::NOT_FOUND, "not_found"),
            Self::NotSeenYet { .. } => kind(StatusCode::SERVICE_UNAVAILABLE, "not_seen_yet"),
            Self::Malformed { .. } => kind(StatusCode::BAD_REQUEST, "malformed"),
            Self::Invalid { field, detail } => invalid(field, detail),
            Self::WrongContentType { .. } => {
                kind(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::TooLarge { .. } => kind(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
            Self::TooSlow => kind(StatusCode::REQUEST_TIMEOUT, "request_timeout"),
            Self::UriTooLong => kind(StatusCode::URI_TOO_LONG, "uri_too_long"),
            Self::HeadersTooLarge => kind(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large"),
            Self::MethodNotAllowed => kind(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::RateLimited(_) => kind(StatusCode::TOO_MANY_REQUESTS, "rate_limited"),
            Self::TooManyUploads => kind(StatusCode::TOO_MANY_REQUESTS, "too_many_uploads"),
            Self::TooManySockets => kind(StatusCode::TOO_MANY_REQUESTS, "too_many_sockets"),
            Self::Unavailable => kind(StatusCode::SERVICE_UNAVAILABLE, "unavailable"),
        }
    }

    fn headers(&self, status: StatusCode) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        }
        if let Self::RateLimited(verdict) = self {
            let fields = [
                ("retry-after", verdict.reset_seconds.to_string()),
                ("ratelimit", format!("default;r={};t={}", verdict.remaining, verdict.reset_seconds)),
            ];
            for (name, value) in fields {
                if let Ok(value) = HeaderValue::from_str(&value) {
                    headers.insert(HeaderName::from_static(name), value);
                }
            }
        }
        if let Self::NotSeenYet { behind, .. } = self {
            headers.insert(STALE, HeaderValue::from(*behind));
        }
        if status == StatusCode::SERVICE_UNAVAILABLE || matches!(self, Self::TooManyUploads) {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        headers
    }
}

impl ApiError {
    /// The parts of the answer.
    pub fn into_problem(self) -> (StatusCode, HeaderMap, Problem) {
        let Kind(status, code, mut extra) = self.kind();
        let detail = if status == StatusCode::INTERNAL_SERVER_ERROR {
            // All that leaves of an internal error is an id under which it can be found in the log.
            let trace_id = clock::new_id();
            tracing::error!(%trace_id, error = &self as &dyn std::error::Error, "a request failed");
            extra = json!({ "trace_id": trace_id });
            "something went wrong on our side".to_owned()
        } else if status == StatusCode::SERVICE_UNAVAILABLE {
            tracing::warn!(error = &self as &dyn std::error::Error, "a request could not be served");
            "the service cannot do this at the moment; try again, with the same Idempotency-Key".to_owned()
        } else {
            self.to_string()
        };
        let problem = Problem {
            r#type: format!("urn:routix:problem:{code}"),
            title: status.canonical_reason().unwrap_or("Error").to_owned(),
            status: status.as_u16(),
            detail,
            code: code.to_owned(),
            extra: extra.as_object().cloned().unwrap_or_default(),
        };
        (status, self.headers(status), problem)
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let (status, headers, problem) = self.into_problem();
        (status, headers, Json(problem)).into_response()
    }
}

fn invalid(field: &str, detail: &str) -> Kind {
    let errors = json!({ "errors": [{ "field": field, "detail": detail }] });
    Kind(StatusCode::UNPROCESSABLE_ENTITY, "invalid", errors)
}

fn command_kind(error: &CommandError) -> Kind {
    match error {
        CommandError::User(error) => match error {
            UserError::AlreadyRegistered => kind(StatusCode::CONFLICT, "already_registered"),
            UserError::NotRegistered => kind(StatusCode::NOT_FOUND, "not_found"),
            UserError::Erased => kind(StatusCode::GONE, "account_erased"),
            UserError::Deactivated => kind(StatusCode::FORBIDDEN, "account_deactivated"),
        },
        CommandError::Session(_) | CommandError::RefreshTokenInvalid => {
            kind(StatusCode::UNAUTHORIZED, "refresh_token_invalid")
        }
        CommandError::RefreshTokenReused => kind(StatusCode::UNAUTHORIZED, "refresh_token_reused"),
        CommandError::WrongCredentials => kind(StatusCode::UNAUTHORIZED, "wrong_credentials"),
        CommandError::Conversation(error) => match error {
            ConversationError::NotStarted => kind(StatusCode::NOT_FOUND, "not_found"),
            ConversationError::AlreadyStarted => kind(StatusCode::CONFLICT, "already_started"),
            ConversationError::Archived => kind(StatusCode::CONFLICT, "conversation_archived"),
            ConversationError::NoOpenBrief => kind(StatusCode::CONFLICT, "no_open_brief"),
        },
        CommandError::GenerationRequest(error) => match error {
            GenerationRequestError::NotRequested => kind(StatusCode::NOT_FOUND, "not_found"),
            GenerationRequestError::AlreadyRequested => kind(StatusCode::CONFLICT, "already_requested"),
            GenerationRequestError::Ended => kind(StatusCode::CONFLICT, "generation_ended"),
            GenerationRequestError::OutOfOrder => kind(StatusCode::CONFLICT, "out_of_order"),
        },
        CommandError::CreditLedger(error) => ledger_kind(error),
        CommandError::Template(domain::template::TemplateError::NotUploaded)
        | CommandError::Asset(domain::asset::AssetError::NotUploaded)
        | CommandError::Algorithm(AlgorithmError::NotDefined)
        | CommandError::NotFound { .. } => kind(StatusCode::NOT_FOUND, "not_found"),
        CommandError::Template(
            domain::template::TemplateError::AlreadyUploaded
            | domain::template::TemplateError::NoAnalysisUnderWay,
        )
        | CommandError::Asset(domain::asset::AssetError::AlreadyUploaded)
        | CommandError::Algorithm(AlgorithmError::AlreadyDefined | AlgorithmError::Inactive) => {
            kind(StatusCode::CONFLICT, "conflict")
        }
        CommandError::AlgorithmInactive { .. } => {
            kind(StatusCode::UNPROCESSABLE_ENTITY, "algorithm_inactive")
        }
        CommandError::WrongAssetKind { .. } => kind(StatusCode::UNPROCESSABLE_ENTITY, "wrong_asset_kind"),
        CommandError::ContentRejected { categories } => {
            Kind(StatusCode::UNPROCESSABLE_ENTITY, "content_rejected", json!({ "categories": categories }))
        }
        CommandError::Text(error) => invalid(error.field(), &error.to_string()),
        CommandError::PasswordLength { .. } => invalid("password", &error.to_string()),
        CommandError::Picture(error) => picture_kind(error),
        CommandError::Log(error) => log_kind(error),
        CommandError::Provider(error) if error.is_transient() => {
            kind(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        CommandError::Provider(_) | CommandError::Stopped => {
            kind(StatusCode::INTERNAL_SERVER_ERROR, "internal")
        }
        CommandError::ReadSide(_) | CommandError::TooBusy => {
            kind(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
    }
}

fn ledger_kind(error: &CreditLedgerError) -> Kind {
    match error {
        CreditLedgerError::InsufficientCredits { required, available } => Kind(
            StatusCode::PAYMENT_REQUIRED,
            "insufficient_credits",
            json!({ "balance": available, "required": required }),
        ),
        CreditLedgerError::AlreadyHeld { .. } | CreditLedgerError::NoSuchHold { .. } => {
            kind(StatusCode::CONFLICT, "conflict")
        }
        CreditLedgerError::NothingToDo => invalid("amount", &error.to_string()),
    }
}

fn picture_kind(error: &PictureError) -> Kind {
    match error {
        PictureError::TooLarge { .. } => kind(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        PictureError::UnsupportedType => kind(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type"),
        PictureError::TooManyPixels { .. } => kind(StatusCode::UNPROCESSABLE_ENTITY, "too_many_pixels"),
        PictureError::Corrupt { .. } => kind(StatusCode::UNPROCESSABLE_ENTITY, "corrupt_picture"),
        PictureError::TooSmall => kind(StatusCode::UNPROCESSABLE_ENTITY, "picture_too_small"),
    }
}

fn log_kind(error: &LogError) -> Kind {
    match error {
        LogError::VersionMismatch { actual, .. } => {
            Kind(StatusCode::PRECONDITION_FAILED, "version_mismatch", json!({ "version": actual }))
        }
        LogError::Contention { .. } => kind(StatusCode::CONFLICT, "contention"),
        LogError::CommandIdReused { .. } => kind(StatusCode::UNPROCESSABLE_ENTITY, "idempotency_key_reused"),
        LogError::Taken { kind: claim } => Kind(StatusCode::CONFLICT, "taken", json!({ "taken": claim })),
        LogError::OutcomeForgotten { .. } => kind(StatusCode::CONFLICT, "outcome_forgotten"),
        LogError::EventTooLarge { .. } => kind(StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        LogError::Rewound { .. } => kind(StatusCode::SERVICE_UNAVAILABLE, "log_rewound"),
        LogError::Unavailable(_) | LogError::OutcomeUnknown | LogError::Replaced { .. } => {
            kind(StatusCode::SERVICE_UNAVAILABLE, "unavailable")
        }
        LogError::Refused { .. }
        | LogError::Database(_)
        | LogError::Migration(_)
        | LogError::Unwritable(_)
        | LogError::Randomness(_)
        | LogError::Panicked
        | LogError::OtherSchema
        | LogError::Forged { .. }
        | LogError::Unreadable { .. } => kind(StatusCode::INTERNAL_SERVER_ERROR, "internal"),
    }
}
