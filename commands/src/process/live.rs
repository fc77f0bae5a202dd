//! Frames that are not stored: fine progress and typing. Losing one is no fault, so errors are not passed on.

use domain::{ConversationId, RequestId, UserId};
use event_log::clock;
use nats::LiveFrame;
use serde_json::json;

use crate::Commands;

impl Commands {
    /// `chat:typing` to the owner of a chat.
    pub(super) async fn show_typing(
        &self,
        user_id: UserId,
        conversation_id: ConversationId,
        is_typing: bool,
        after_position: i64,
    ) {
        let payload =
            json!({ "conversation_id": conversation_id, "is_typing": is_typing, "timestamp": clock::now() });
        self.send_live(LiveFrame {
            user_id: user_id.0,
            kind: "chat:typing".to_owned(),
            subject: conversation_id.0,
            after_position,
            payload,
        })
        .await;
    }

    /// `generation:progress` between two stored stages.
    pub(super) async fn show_progress(
        &self,
        user_id: UserId,
        request_id: RequestId,
        progress: u8,
        after_position: i64,
    ) {
        let payload = json!({
            "request_id": request_id,
            "progress": progress,
            "status": "generating",
            "message": "Generating your thumbnail...",
            "timestamp": clock::now(),
        });
        self.send_live(LiveFrame {
            user_id: user_id.0,
            kind: "generation:progress".to_owned(),
            subject: request_id.0,
            after_position,
            payload,
        })
        .await;
    }

    async fn send_live(&self, frame: LiveFrame) {
        if let Err(error) = self.bus.publish_live(&frame).await {
            tracing::debug!(%error, kind = frame.kind, "a live frame was not sent");
        }
    }
}
