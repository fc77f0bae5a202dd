//! Reads `conversations` and `messages`. Everything is asked for by its owner: what belongs to somebody else
//! is not there.

use chrono::{DateTime, Utc};
use event_log::LogError;
use futures::FutureExt;
use serde::Serialize;
use sqlx::PgConnection;
use uuid::Uuid;

use super::{MessageView, NAME};
use crate::{Fresh, PAGE_ROWS_MAX, Page, Reader, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Conversation {
    pub id: Uuid,
    pub title: String,
    pub message_count: i64,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub archived_at: Option<DateTime<Utc>>,
    /// The position of the last change; the cursor of the list.
    pub last_position: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversationPage {
    pub rows: Vec<Conversation>,
    pub total: i64,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<i64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, sqlx::FromRow)]
pub struct Message {
    #[serde(flatten)]
    #[sqlx(flatten)]
    pub view: MessageView,
    /// The order within the chat; the cursor of the list.
    pub position: i64,
}

/// Which messages of a chat. The cursors are positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Newest,
    Before(i64),
    After(i64),
}

/// Messages in the order in which they were said.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MessagePage {
    pub messages: Vec<Message>,
    /// For `Window::Before`, if older messages than these exist.
    pub older: Option<i64>,
    /// For `Window::After`, if newer messages than these exist.
    pub newer: Option<i64>,
}

const COLUMNS: &str = "id, title, message_count, created_at, updated_at, archived_at, last_position";

/// A person's chats, last changed first, without archived ones.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    page: Page,
) -> Result<Fresh<ConversationPage>, LogError> {
    reader.read(NAME, wanted, move |connection| rows(connection, user, i64::MAX, page).boxed()).await
}

/// Like `list`, from behind a cursor: nothing is shown twice or left out while chats change.
pub async fn list_before(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    (cursor, limit): (i64, i64),
) -> Result<Fresh<ConversationPage>, LogError> {
    let page = Page::new(limit, 0);
    reader.read(NAME, wanted, move |connection| rows(connection, user, cursor, page).boxed()).await
}

async fn rows(
    connection: &mut PgConnection,
    user: Uuid,
    before: i64,
    page: Page,
) -> Result<ConversationPage, LogError> {
    let total =
        sqlx::query_scalar("SELECT count(*) FROM conversations WHERE user_id = $1 AND archived_at IS NULL")
            .bind(user)
            .fetch_one(&mut *connection)
            .await?;
    let select = format!(
        "SELECT {COLUMNS} FROM conversations \
         WHERE user_id = $1 AND archived_at IS NULL AND last_position < $2 \
         ORDER BY last_position DESC LIMIT $3 OFFSET $4"
    );
    let mut rows: Vec<Conversation> = sqlx::query_as(&select)
        .bind(user)
        .bind(before)
        .bind(page.limit + 1)
        .bind(page.offset)
        .fetch_all(connection)
        .await?;
    let more = keep(&mut rows, page.limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| last.last_position);
    Ok(ConversationPage { rows, total, next_cursor })
}

/// One chat, archived or not.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    user: Uuid,
    id: Uuid,
) -> Result<Fresh<Option<Conversation>>, LogError> {
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let select = format!("SELECT {COLUMNS} FROM conversations WHERE id = $1 AND user_id = $2");
                Ok(sqlx::query_as(&select).bind(id).bind(user).fetch_optional(connection).await?)
            }
            .boxed()
        })
        .await
}

/// Messages of a chat; `None` when the person has no such chat.
pub async fn messages(
    reader: &Reader,
    wanted: Wanted,
    (user, conversation): (Uuid, Uuid),
    window: Window,
    limit: i64,
) -> Result<Fresh<Option<MessagePage>>, LogError> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    reader
        .lookup(NAME, wanted, move |connection| {
            async move {
                let known: bool = sqlx::query_scalar(
                    "SELECT EXISTS (SELECT 1 FROM conversations WHERE id = $1 AND user_id = $2)",
                )
                .bind(conversation)
                .bind(user)
                .fetch_one(&mut *connection)
                .await?;
                if known { Ok(Some(said(connection, conversation, window, limit).await?)) } else { Ok(None) }
            }
            .boxed()
        })
        .await
}

async fn said(
    connection: &mut PgConnection,
    conversation: Uuid,
    window: Window,
    limit: i64,
) -> Result<MessagePage, LogError> {
    let (bound, select) = match window {
        Window::Newest | Window::Before(_) => (
            if let Window::Before(cursor) = window { cursor } else { i64::MAX },
            "SELECT id, role, type, content, metadata, timestamp, position FROM messages \
             WHERE conversation_id = $1 AND position < $2 ORDER BY position DESC LIMIT $3",
        ),
        Window::After(cursor) => (
            cursor,
            "SELECT id, role, type, content, metadata, timestamp, position FROM messages \
             WHERE conversation_id = $1 AND position > $2 ORDER BY position LIMIT $3",
        ),
    };
    let mut messages: Vec<Message> =
        sqlx::query_as(select).bind(conversation).bind(bound).bind(limit + 1).fetch_all(connection).await?;
    let more = keep(&mut messages, limit);
    if let Window::After(_) = window {
        let newer = messages.last().filter(|_| more).map(|last| last.position);
        return Ok(MessagePage { messages, older: None, newer });
    }
    messages.reverse();
    let older = messages.first().filter(|_| more).map(|first| first.position);
    Ok(MessagePage { messages, older, newer: None })
}

/// Cuts the row that was read only to learn whether there is one more.
fn keep<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
