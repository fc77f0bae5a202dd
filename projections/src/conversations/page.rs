//! The outcome of a page of events: folded in memory, written with three statements.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use domain::conversation::ConversationEvent;
use event_log::{OpenedEvent, Position};
use serde_json::Value;
use sqlx::PgConnection;
use uuid::Uuid;

use super::view::message_view;
use crate::runtime::{ApplyError, subject};

/// A chat that began on this page.
struct Started {
    user_id: Uuid,
    created_at: DateTime<Utc>,
}

/// The change of a chat on this page.
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

/// The outcome of some events, in their order.
#[derive(Default)]
pub(super) struct Folded {
    chats: HashMap<Uuid, Change>,
    messages: Messages,
}

/// Writes the outcome of some events.
pub(super) async fn write(tx: &mut PgConnection, folded: Folded) -> Result<(), ApplyError> {
    let (started, changed): (Vec<_>, Vec<_>) =
        folded.chats.into_iter().partition(|(_, change)| change.started.is_some());
    insert_chats(tx, &started).await?;
    update_chats(tx, &changed).await?;
    insert_messages(tx, &folded.messages).await
}

impl Folded {
    /// Adds the outcome of the next event.
    pub(super) fn add(&mut self, event: &OpenedEvent) -> Result<(), ApplyError> {
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

fn ids(chats: &[(Uuid, Change)]) -> Vec<Uuid> {
    chats.iter().map(|(id, _)| *id).collect()
}

fn column<'a, T>(chats: &'a [(Uuid, Change)], value: impl Fn(&'a Change) -> T) -> Vec<T> {
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
    let done = sqlx::query!(
        r#"
        INSERT INTO conversations (
            id, user_id, title, message_count, created_at, updated_at, archived_at, last_position)
        SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::bigint[], $5::timestamptz[],
                             $6::timestamptz[], $7::timestamptz[], $8::bigint[])
        "#,
        &ids(chats),
        &owners,
        column(chats, |change| change.title.as_deref()) as _,
        &column(chats, |change| change.messages),
        &created,
        &column(chats, |change| change.updated_at),
        column(chats, |change| change.archived_at) as _,
        column(chats, |change| change.last_position) as _,
    )
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), chats.len(), "conversations")
}

async fn update_chats(tx: &mut PgConnection, chats: &[(Uuid, Change)]) -> Result<(), ApplyError> {
    if chats.is_empty() {
        return Ok(());
    }
    let done = sqlx::query!(
        r#"
        UPDATE conversations AS c
        SET title = coalesce(page.title, c.title), message_count = c.message_count + page.messages,
            updated_at = greatest(c.updated_at, page.updated_at),
            archived_at = coalesce(page.archived_at, c.archived_at), last_position = page.last_position
        FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::timestamptz[], $6::bigint[])
             AS page (id, title, messages, updated_at, archived_at, last_position)
        WHERE c.id = page.id
        "#,
        &ids(chats),
        column(chats, |change| change.title.as_deref()) as _,
        &column(chats, |change| change.messages),
        &column(chats, |change| change.updated_at),
        column(chats, |change| change.archived_at) as _,
        column(chats, |change| change.last_position) as _,
    )
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), chats.len(), "conversations")
}

async fn insert_messages(tx: &mut PgConnection, messages: &Messages) -> Result<(), ApplyError> {
    if messages.ids.is_empty() {
        return Ok(());
    }
    let done = sqlx::query!(
        r#"
        INSERT INTO messages (conversation_id, position, id, user_id, role, type, content, metadata, timestamp)
        SELECT page.conversation_id, page.position, page.id, c.user_id, page.role, page.type, page.content,
               page.metadata, page.timestamp
        FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::jsonb[],
                    $8::timestamptz[])
             AS page (conversation_id, position, id, role, type, content, metadata, timestamp)
        JOIN conversations AS c ON c.id = page.conversation_id
        "#,
        &messages.conversation_ids,
        &messages.positions as _,
        &messages.ids,
        &messages.roles,
        &messages.kinds,
        &messages.contents,
        &messages.metadata,
        &messages.timestamps,
    )
    .execute(tx)
    .await?;
    all_rows(done.rows_affected(), messages.ids.len(), "messages")
}
