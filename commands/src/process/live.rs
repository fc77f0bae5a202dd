//! Frames that are not stored: fine progress and typing. Losing one is no fault, so errors are not passed on.

use domain::generation_request::{Job, Status};
use domain::language::Language;
use domain::{ConversationId, UserId};
use event_log::{Position, clock};
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
        after_position: Position,
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

    /// `generation:progress` while the picture is drawn, between two stored stages.
    pub(super) async fn show_drawing(
        &self,
        job: &Job,
        percent: u8,
        language: Language,
        after_position: Position,
    ) {
        let status = Status::Generating;
        let payload = json!({
            "request_id": job.request_id,
            "progress": percent,
            "status": status,
            "message": status.sentence(language),
            "timestamp": clock::now(),
        });
        self.send_live(LiveFrame {
            user_id: job.user_id.0,
            kind: "generation:progress".to_owned(),
            subject: job.request_id.0,
            after_position,
            payload,
        })
        .await;
    }

    async fn send_live(&self, frame: LiveFrame) {
        if let Err(error) = self.bus.publish_live(self.log.vault().authenticator(), &frame).await {
            tracing::debug!(%error, kind = frame.kind, "a live frame was not sent");
        }
    }
}
