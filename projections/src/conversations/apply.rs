//! Writes `conversations` and `messages`.
//!
//! A page is folded in memory, and three statements write the outcome. A page that does not fit the rows is poison as a
//! whole.

use async_trait::async_trait;
use cqrs_es::Aggregate;
use domain::UserId;
use domain::conversation::{Conversation, ConversationEvent};
use domain::user::User;
use event_log::OpenedEvent;
use sqlx::PgConnection;

use super::NAME;
use super::page::{Folded, write};
use super::view::LINE;
use crate::erasure::{ERASED, erased_person, is_of_account};
use crate::runtime::{ApplyError, Latency, Payloads, PoisonPolicy, Projection, Spec, event_of};

static SPEC: Spec = Spec {
    name: NAME,
    reads: &[Conversation::TYPE, User::TYPE],
    ignored_events: &[
        // The brief is the assistant's business.
        event_of(ConversationEvent::VERSIONS, "AlgorithmChosen"),
        event_of(ConversationEvent::VERSIONS, "PictureAttached"),
        event_of(ConversationEvent::VERSIONS, "BriefCompleted"),
    ],
    tables: &["conversations", "messages"],
    poison: PoisonPolicy::Park,
    payloads: Payloads::Opened,
    latency: Latency::Interactive,
};

/// The projection.
#[derive(Debug, Clone, Copy)]
pub struct Conversations;

#[async_trait]
impl Projection for Conversations {
    fn spec(&self) -> &'static Spec {
        &SPEC
    }

    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError> {
        let mut folded = Folded::default();
        for event in page {
            if !is_of_account(event) {
                folded.add(event)?;
            } else if let Some(person) = erased_person(event)? {
                // The words before and after an erasure do not fold together.
                write(tx, std::mem::take(&mut folded)).await?;
                erase(tx, person).await?;
            }
        }
        write(tx, folded).await
    }
}

/// Overwrites the words of a person. The assistant's lines stay: they are the house's words, and stored in the clear.
async fn erase(tx: &mut PgConnection, person: UserId) -> Result<(), ApplyError> {
    sqlx::query!(
        r#"
        UPDATE messages SET content = $2
        WHERE conversation_id IN (SELECT id FROM conversations WHERE user_id = $1) AND NOT metadata ? $3
        "#,
        person.0,
        ERASED,
        LINE,
    )
    .execute(&mut *tx)
    .await?;
    sqlx::query!(r#"UPDATE conversations SET title = $2 WHERE user_id = $1"#, person.0, ERASED)
        .execute(tx)
        .await?;
    Ok(())
}
