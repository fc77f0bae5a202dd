//! Writes a page of events at once: the page is folded in memory, and three statements write what came of it.
//!
//! The effect is that of `apply`, one by one; a test holds the two together. What is not as it should be is
//! poison for the whole page, and the runtime then finds the event by applying them singly.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::conversation::ConversationEvent;
use event_log::{OpenedEvent, Position};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::message_view;
use crate::erasure::is_of_account;
use crate::runtime::{ApplyError, subject};

/// A chat that began on this page.
struct Started {
    user_id: Uuid,
    created_at: DateTime<Utc>,
}

/// What became of a chat on this page.
struct Change {
    started: Option<Started>,
    title: Option<String>,
    archived_at: Option<DateTime<Utc>>,
    updated_at: DateTime<Utc>,
    last_position: Position,
    messages: i64,
}

/// Columns of the messages of a page.
#[derive(Default)]
struct Messages {
    conversation_ids: Vec<Uuid>,
    positions: Vec<Position>,
    ids: Vec<Uuid>,
    roles: Vec<String>,
    kinds: Vec<String>,
    contents: Vec<String>,
    metadata: Vec<Value>,
    timestamps: Vec<DateTime<Utc>>,
}

#[derive(Default)]
struct Folded {
    chats: HashMap<Uuid, Change>,
    messages: Messages,
}

pub(super) async fn apply_page(tx: &mut PgConnection, events: &[OpenedEvent]) -> Result<(), ApplyError> {
    let mut folded = Folded::default();
    for event in events.iter().filter(|event| !is_of_account(event)) {
        folded.add(event)?;
    }
    let (started, changed): (Vec<_>, Vec<_>) =
        folded.chats.into_iter().partition(|(_, change)| change.started.is_some());
    insert_chats(tx, &started).await?;
    update_chats(tx, &changed).await?;
    insert_messages(tx, &folded.messages).await
}

impl Folded {
    fn add(&mut self, event: &OpenedEvent) -> Result<(), ApplyError> {
        let id = subject(event)?;
        let position = event.recorded.position;
        match event.parse()? {
            ConversationEvent::ConversationStarted { conversation_id, owner, title, started_at } => {
                let change = Change {
                    started: Some(Started { user_id: owner.0, created_at: started_at }),
                    title: Some(title.text().to_owned()),
                    archived_at: None,
                    updated_at: started_at,
                    last_position: position,
                    messages: 0,
                };
                if self.chats.insert(conversation_id.0, change).is_some() {
                    return Err(ApplyError::poison("a chat begins after its first event"));
                }
            }
            ConversationEvent::ConversationRenamed { title, renamed_at, .. } => {
                self.change(id, renamed_at, position).title = Some(title.text().to_owned());
            }
            ConversationEvent::ConversationArchived { archived_at } => {
                self.change(id, archived_at, position).archived_at = Some(archived_at);
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
                self.change(conversation_id.0, posted_at, position).messages += 1;
                let message = message_view(message_id, role, &body, &content, posted_at);
                self.messages.conversation_ids.push(conversation_id.0);
                self.messages.positions.push(position);
                self.messages.ids.push(message.id);
                self.messages.roles.push(message.role);
                self.messages.kinds.push(message.kind);
                self.messages.contents.push(message.content);
                self.messages.metadata.push(message.metadata);
                self.messages.timestamps.push(message.timestamp);
            }
            ConversationEvent::AlgorithmChosen { .. }
            | ConversationEvent::PictureAttached { .. }
            | ConversationEvent::BriefCompleted { .. } => {}
        }
        Ok(())
    }

    fn change(&mut self, id: Uuid, at: DateTime<Utc>, position: Position) -> &mut Change {
        let change = self.chats.entry(id).or_insert(Change {
            started: None,
            title: None,
            archived_at: None,
            updated_at: at,
            last_position: position,
            messages: 0,
        });
        change.updated_at = change.updated_at.max(at);
        change.last_position = position;
        change
    }
}

/// Refuses a statement that wrote fewer or more rows than the page asks for.
fn all_rows(written: u64, wanted: usize, what: &'static str) -> Result<(), ApplyError> {
    if usize::try_from(written) == Ok(wanted) {
        return Ok(());
    }
    Err(ApplyError::poison(format!("{what}: {written} rows instead of {wanted}")))
}

fn column<T>(chats: &[(Uuid, Change)], value: impl Fn(&Change) -> T) -> Vec<T> {
    chats.iter().map(|(_, change)| value(change)).collect()
}

async fn insert_chats(tx: &mut PgConnection, chats: &[(Uuid, Change)]) -> Result<(), ApplyError> {
    if chats.is_empty() {
        return Ok(());
    }
    let (owners, created): (Vec<Uuid>, Vec<DateTime<Utc>>) = chats
        .iter()
        .filter_map(|(_, change)| change.started.as_ref())
        .map(|started| (started.user_id, started.created_at))
        .unzip();
    let done = sqlx::query(
        "INSERT INTO conversations ( \
             id, user_id, title, message_count, created_at, updated_at, archived_at, last_position) \
         SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[], \
                              $6::timestamptz[], $7::timestamptz[], $8::bigint[])",
    )
    .bind(chats.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(owners)
    .bind(column(chats, |change| change.title.clone()))
    .bind(column(chats, |change| change.messages))
    .bind(created)
    .bind(column(chats, |change| change.updated_at))
    .bind(column(chats, |change| change.archived_at))
    .bind(column(chats, |change| change.last_position))
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), chats.len(), "conversations")
}

async fn update_chats(tx: &mut PgConnection, chats: &[(Uuid, Change)]) -> Result<(), ApplyError> {
    if chats.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(
        "UPDATE conversations AS c \
         SET title = coalesce(page.title, c.title), message_count = c.message_count + page.messages, \
             updated_at = greatest(c.updated_at, page.updated_at), \
             archived_at = coalesce(page.archived_at, c.archived_at), last_position = page.last_position \
         FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[]) \
              AS page (id, title, messages, updated_at, archived_at, last_position) \
         WHERE c.id = page.id",
    )
    .bind(chats.iter().map(|(id, _)| *id).collect::<Vec<_>>())
    .bind(column(chats, |change| change.title.clone()))
    .bind(column(chats, |change| change.messages))
    .bind(column(chats, |change| change.updated_at))
    .bind(column(chats, |change| change.archived_at))
    .bind(column(chats, |change| change.last_position))
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), chats.len(), "conversations")
}

async fn insert_messages(tx: &mut PgConnection, messages: &Messages) -> Result<(), ApplyError> {
    if messages.ids.is_empty() {
        return Ok(());
    }
    let done = sqlx::query(
        "INSERT INTO messages (conversation_id, position, id, user_id, role, type, content, metadata, timestamp) \
         SELECT page.conversation_id, page.position, page.id, c.user_id, page.role, page.type, page.content, \
                page.metadata, page.timestamp \
         FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[], \
                     $8::timestamptz[]) \
              AS page (conversation_id, position, id, role, type, content, metadata, timestamp) \
         JOIN conversations AS c ON c.id = page.conversation_id",
    )
    .bind(&messages.conversation_ids)
    .bind(&messages.positions)
    .bind(&messages.ids)
    .bind(&messages.roles)
    .bind(&messages.kinds)
    .bind(&messages.contents)
    .bind(&messages.metadata)
    .bind(&messages.timestamps)
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), messages.ids.len(), "messages")
}
