//! A message as clients see it, the same in answers and in live frames.

use chrono::{DateTime, Utc};
use domain::conversation::{MessageBody, MessageRole};
use domain::{MessageId, MessageText, Personal, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MessageView {
    pub id: Uuid,
    /// `user`, `assistant` or `system`.
    pub role: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub content: String,
    /// An object; what is in it depends on the type.
    pub metadata: Value,
    pub timestamp: DateTime<Utc>,
}

/// The message that an event of kind `MessagePosted` tells of.
pub fn message_view(
    message_id: MessageId,
    role: MessageRole,
    body: &MessageBody,
    content: &Personal<MessageText>,
    posted_at: Timestamp,
) -> MessageView {
    MessageView {
        id: message_id.0,
        role: role_name(role).to_owned(),
        kind: body.type_name().to_owned(),
        content: content.text().to_owned(),
        metadata: metadata(body),
        timestamp: posted_at,
    }
}

fn role_name(role: MessageRole) -> &'static str {
    match role {
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
        MessageRole::System => "system",
    }
}

fn metadata(body: &MessageBody) -> Value {
    match body {
        MessageBody::Text => json!({}),
        MessageBody::AlgorithmSelection { algorithm_id } => json!({ "algorithm_id": algorithm_id }),
        MessageBody::FileUpload { asset_id, asset_type } => {
            json!({ "asset_id": asset_id, "asset_type": asset_type })
        }
        MessageBody::AlgorithmSelect { options } => json!({ "options": options }),
        MessageBody::UploadRequest { accepted_types, max_bytes } => json!({
            "accepted_types": accepted_types,
            "max_bytes": max_bytes,
            "actions": ["upload_face", "upload_logo", "skip"],
        }),
        MessageBody::ThumbnailResult { request_id, generation_time_ms, algorithm } => json!({
            "request_id": request_id,
            "image_url": format!("/api/v1/generation/{request_id}/image"),
            "actions": ["download", "regenerate", "share"],
            "generation_time": seconds(*generation_time_ms),
            "algorithm": algorithm,
        }),
    }
}

/// Seconds with one decimal at most: `3.2s`, `28s`.
fn seconds(millis: u64) -> String {
    let tenths = (millis + 50) / 100;
    match tenths % 10 {
        0 => format!("{}s", tenths / 10),
        rest => format!("{}.{rest}s", tenths / 10),
    }
}
