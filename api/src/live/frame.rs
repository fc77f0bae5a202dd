//! The frames of events: a pure function of the event, in one place, with every field named.
//! What is not named here does not leave; no template's events are. Sentences are in the language of the request
//! that led to the event.

use domain::conversation::ConversationEvent;
use domain::credit_ledger::CreditLedgerEvent;
use domain::generation_request::{GenerationRequestEvent, Status};
use domain::language::{Known, Language};
use event_log::{LogError, OpenedEvent, Position};
use projections::conversations;
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

/// A frame as clients get it. Frames that are not stored have no id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Frame {
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<Position>,
    pub payload: Value,
}

impl Frame {
    pub fn unstored(kind: &str, payload: Value) -> Self {
        Self { kind: kind.to_owned(), id: None, payload }
    }

    /// Tells a client to fetch everything anew: its positions mean nothing here.
    pub fn reset(reason: &str, log_id: Uuid, position: Position) -> Self {
        Self::unstored("reset", json!({ "reason": reason, "log_id": log_id, "position": position }))
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The frame of a stored event, if it has one.
pub fn public_frame(event: &OpenedEvent) -> Result<Option<Frame>, LogError> {
    let frame = match event.recorded.aggregate_type.as_str() {
        "conversation" => conversation_frame(event.parse()?),
        "generation_request" => generation_frame(&event.parse()?, language_of(event)),
        "credit_ledger" => ledger_frame(&event.parse()?),
        _ => None,
    };
    let id = Some(event.recorded.position);
    Ok(frame.map(|(kind, payload)| Frame { kind: kind.to_owned(), id, payload }))
}

fn language_of(event: &OpenedEvent) -> Language {
    Known::of_request(event.metadata().language.as_deref()).choose()
}

/// The request that a stored frame moved on, so that older fine progress of it is dropped.
pub fn stage_subject(frame: &Frame) -> Option<&str> {
    frame.kind.starts_with("generation:").then(|| frame.payload.get("request_id")?.as_str()).flatten()
}

fn conversation_frame(event: ConversationEvent) -> Option<(&'static str, Value)> {
    let ConversationEvent::MessagePosted {
        conversation_id, message_id, role, body, content, posted_at, ..
    } = event
    else {
        return None;
    };
    let message = conversations::message_view(message_id, role, &body, &content, posted_at);
    Some((
        "chat:message",
        json!({ "conversation_id": conversation_id, "message": message, "timestamp": posted_at }),
    ))
}

fn generation_frame(event: &GenerationRequestEvent, language: Language) -> Option<(&'static str, Value)> {
    match event {
        GenerationRequestEvent::AnalysisStarted { request_id, started_at: at }
        | GenerationRequestEvent::IntentAnalyzed { request_id, analyzed_at: at, .. }
        | GenerationRequestEvent::TemplatesMatched { request_id, matched_at: at, .. }
        | GenerationRequestEvent::AttemptStarted { request_id, number: 1, started_at: at, .. } => {
            let status = Status::entered_by(event)?;
            Some((
                "generation:progress",
                json!({
                    "request_id": request_id,
                    "progress": status.percent(),
                    "status": status,
                    "message": status.sentence(language),
                    "timestamp": at,
                }),
            ))
        }
        GenerationRequestEvent::GenerationCompleted {
            request_id,
            algorithm,
            processing_time_ms,
            completed_at,
            ..
        } => Some((
            "generation:completed",
            json!({
                "request_id": request_id,
                "thumbnail_url": format!("/api/v1/generation/{request_id}/image"),
                "processing_time": seconds(*processing_time_ms),
                "algorithm_used": algorithm,
                "timestamp": completed_at,
            }),
        )),
        GenerationRequestEvent::GenerationFailed { request_id, reason, failed_at, .. } => Some((
            "generation:failed",
            json!({
                "request_id": request_id,
                "error": reason.sentence(language),
                "retry_possible": reason.retry_possible(),
                "timestamp": failed_at,
            }),
        )),
        GenerationRequestEvent::GenerationCancelled { request_id, cancelled_at, .. } => Some((
            "generation:failed",
            json!({
                "request_id": request_id,
                "error": Status::Cancelled.sentence(language),
                "retry_possible": true,
                "timestamp": cancelled_at,
            }),
        )),
        GenerationRequestEvent::GenerationRequested { .. }
        | GenerationRequestEvent::PromptComposed { .. }
        | GenerationRequestEvent::AttemptStarted { .. }
        | GenerationRequestEvent::AttemptEnded { .. } => None,
    }
}

fn ledger_frame(event: &CreditLedgerEvent) -> Option<(&'static str, Value)> {
    let CreditLedgerEvent::CreditsHeld { user_id, balance_after, crossed_low: Some(threshold), .. } = event
    else {
        return None;
    };
    Some((
        "system:credits_low",
        json!({ "user_id": user_id, "current_credits": balance_after, "threshold": threshold }),
    ))
}

/// Milliseconds as seconds with three decimals: the seed's `number`.
pub fn seconds(ms: u64) -> Value {
    serde_json::Number::from_f64(f64::from(u32::try_from(ms).unwrap_or(u32::MAX)) / 1000.0)
        .map_or(Value::Null, Value::Number)
}
