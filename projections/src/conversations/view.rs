//! A message as clients see it, the same in answers and in live frames.

use chrono::{DateTime, Utc};
use domain::conversation::{Content, MessageBody, MessageRole};
use domain::{MessageId, Timestamp};
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
    /// An object. Its fields depend on the type; what the assistant says has the key of its `line`, and in `is_final`
    /// whether more comes about the order.
    pub metadata: Value,
    pub timestamp: DateTime<Utc>,
}

/// The message that an event of kind `MessagePosted` tells of.
pub fn message_view(
    message_id: MessageId,
    role: MessageRole,
    body: &MessageBody,
    content: &Content,
    posted_at: Timestamp,
) -> MessageView {
    MessageView {
        id: message_id.0,
        role: role_name(role).to_owned(),
        kind: body.type_name().to_owned(),
        content: content.text().into_owned(),
        metadata: metadata(body, content),
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

/// The key of a line in the metadata of a message. A message without it holds the words of a person.
pub(super) const LINE: &str = "line";

fn metadata(body: &MessageBody, content: &Content) -> Value {
    let mut metadata = of_body(body);
    if let (Value::Object(fields), Content::Spoken { line, .. }) = (&mut metadata, content) {
        fields.insert(LINE.to_owned(), json!(line.key()));
        fields.insert("is_final".to_owned(), json!(line.is_final()));
    }
    metadata
}

fn of_body(body: &MessageBody) -> Value {
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
