//! Writes `conversations` and `messages`.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::conversation::{Conversation, ConversationEvent};
use domain::user::User;
use event_log::{OpenedEvent, Position};
use sqlx::PgConnection;

use super::page::apply_page;
use super::view::LINE;
use super::{MessageView, NAME, message_view};
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Projection, one_row, subject};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Conversations;

#[async_trait]
impl Projection for Conversations {
    fn name(&self) -> &'static str {
        NAME
    }

    fn aggregates(&self) -> &'static [&'static str] {
        &[Conversation::TYPE, User::TYPE]
    }

    fn tables(&self) -> &'static [&'static str] {
        &["conversations", "messages"]
    }

    /// The brief is the assistant's business.
    fn passes_over(&self) -> &'static [&'static str] {
        &["AlgorithmChosen", "PictureAttached", "BriefCompleted"]
    }

    async fn apply_page(&self, tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
        match events {
            [event] => self.apply(tx, event).await,
            // Most pages hold none. What is said before and after an erasure does not fold together.
            page if page.iter().any(|event| erased_person(event).is_ok_and(|person| person.is_some())) => {
                for event in page {
                    self.apply(tx, event).await?;
                }
                Ok(())
            }
            page => apply_page(tx, page).await,
        }
    }

    async fn apply(&self, tx: &mut PgConnection, event: &OpenedEvent) -> Result<(), ApplyError> {
        if is_of_account(event) {
            return match erased_person(event)? {
                Some(person) => erase(tx, person).await,
                None => Ok(()),
            };
        }
        let id = subject(event)?;
        let position = event.recorded.position;
        let done = match event.parse()? {
            ConversationEvent::ConversationStarted { conversation_id, owner, title, started_at } => {
                sqlx::query(
                    "INSERT INTO conversations (id, user_id, title, created_at, updated_at, last_position) \
                     VALUES ($1, $2, $3, $4, $4, $5)",
                )
                .bind(conversation_id.0)
                .bind(owner.0)
                .bind(title.text())
                .bind(started_at)
                .bind(position)
                .execute(tx)
                .await?
            }
            ConversationEvent::ConversationRenamed { title, renamed_at, .. } => {
                sqlx::query(
                    "UPDATE conversations \
                     SET title = $2, updated_at = greatest(updated_at, $3), last_position = $4 WHERE id = $1",
                )
                .bind(id)
                .bind(title.text())
                .bind(renamed_at)
                .bind(position)
                .execute(tx)
                .await?
            }
            ConversationEvent::ConversationArchived { archived_at } => {
                sqlx::query(
                    "UPDATE conversations \
                     SET archived_at = $2, updated_at = greatest(updated_at, $2), last_position = $3 WHERE id = $1",
                )
                .bind(id)
                .bind(archived_at)
                .bind(position)
                .execute(tx)
                .await?
            }
            ConversationEvent::MessagePosted {
                conversation_id,
                message_id,
                role,
                body,
                content,
                posted_at,
                ..
            } => {
                let message = message_view(message_id, role, &body, &content, posted_at);
                return insert_message(tx, conversation_id.0, position, &message).await;
            }
            ConversationEvent::AlgorithmChosen { .. }
            | ConversationEvent::PictureAttached { .. }
            | ConversationEvent::BriefCompleted { .. } => return Ok(()),
        };
        one_row(&done, "conversations")
    }
}

/// The assistant's lines stay: they are the house's words, and stored in the clear.
async fn erase(tx: &mut PgConnection, person: uuid::Uuid) -> Result<(), ApplyError> {
    let contents = sqlx::query(
        "UPDATE messages SET content = $2 \
         WHERE conversation_id IN (SELECT id FROM conversations WHERE user_id = $1) AND NOT metadata ? $3",
    );
    contents.bind(person).bind(ERASED).bind(LINE).execute(&mut *tx).await?;
    let titles = sqlx::query("UPDATE conversations SET title = $2 WHERE user_id = $1");
    titles.bind(person).bind(ERASED).execute(tx).await?;
    Ok(())
}

async fn insert_message(
    tx: &mut PgConnection,
    conversation_id: uuid::Uuid,
    position: Position,
    message: &MessageView,
) -> Result<(), ApplyError> {
    let done = sqlx::query(
        "WITH chat AS ( \
             UPDATE conversations \
             SET updated_at = greatest(updated_at, $8), last_position = $2, message_count = message_count + 1 \
             WHERE id = $1 \
             RETURNING user_id) \
         INSERT INTO messages (conversation_id, position, id, user_id, role, type, content, metadata, timestamp) \
         SELECT $1, $2, $3, chat.user_id, $4, $5, $6, $7, $8 FROM chat",
    )
    .bind(conversation_id)
    .bind(position)
    .bind(message.id)
    .bind(&message.role)
    .bind(&message.kind)
    .bind(&message.content)
    .bind(&message.metadata)
    .bind(message.timestamp)
    .execute(tx)
    .await?;
    one_row(&done, "messages")
}
