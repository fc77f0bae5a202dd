//! Reads `conversations` and `messages`. Everything is asked for by its owner: what belongs to somebody else
//! is not there.

use chrono::{DateTime, Utc};
use event_log::{LogError, Position};
use futures::FutureExt;
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::PgConnection;
use sqlx::types::Json;
use uuid::Uuid;

use super::NAME;
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
    pub last_position: Position,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ConversationPage {
    pub rows: Vec<Conversation>,
    pub total: i64,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<Position>,
}

/// A `MessageView` as it is stored.
#[derive(Debug, Clone)]
pub struct Message {
    pub id: Uuid,
    pub role: String,
    pub kind: String,
    pub content: String,
    /// JSON as the database has it: nobody looks into it on the way to the client.
    pub metadata: Box<RawValue>,
    pub timestamp: DateTime<Utc>,
    /// The order within the chat; the cursor of the list.
    pub position: Position,
}

/// Which messages of a chat. The cursors are positions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Window {
    Newest,
    Before(Position),
    After(Position),
}

/// Messages in the order in which they were said.
#[derive(Debug, Clone)]
pub struct MessagePage {
    pub messages: Vec<Message>,
    /// For `Window::Before`, if older messages than these exist.
    pub older: Option<Position>,
    /// For `Window::After`, if newer messages than these exist.
    pub newer: Option<Position>,
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
    (cursor, limit): (Position, i64),
) -> Result<Fresh<ConversationPage>, LogError> {
    let page = Page::new(limit, 0);
    reader.read(NAME, wanted, move |connection| rows(connection, user, cursor.get(), page).boxed()).await
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
        .lookup_at_once(NAME, wanted, move |connection| {
            async move { said(connection, (user, conversation), window, limit).await }.boxed()
        })
        .await
}

/// The checkpoint, whether the chat is there, and its messages: one statement, because this is what clients ask
/// for most, and because one statement sees one state of all three. One row too, with a list for each column: of
/// fifty rows each would be packed, sent and unpacked for itself. `array_agg` keeps the order of the subquery that
/// it alone reads (PostgreSQL's manual, aggregate functions).
macro_rules! said {
    ($bound:literal, $order:literal) => {
        concat!(
            "SELECT coalesce(c.position, 0) AS checkpoint, chat.id IS NOT NULL AS known, page.* \
             FROM (SELECT 1) AS one \
             LEFT JOIN checkpoints AS c ON c.projection = $1 \
             LEFT JOIN conversations AS chat ON chat.id = $2 AND chat.user_id = $3 \
             CROSS JOIN LATERAL ( \
                 SELECT coalesce(array_agg(m.id), '{}') AS ids, \
                        coalesce(array_agg(m.role), '{}') AS roles, \
                        coalesce(array_agg(m.type), '{}') AS kinds, \
                        coalesce(array_agg(m.content), '{}') AS contents, \
                        coalesce(array_agg(m.metadata), '{}') AS metadata, \
                        coalesce(array_agg(m.timestamp), '{}') AS timestamps, \
                        coalesce(array_agg(m.position), '{}') AS positions \
                 FROM (SELECT * FROM messages \
                       WHERE conversation_id = chat.id AND position ",
            $bound,
            " $4 ORDER BY position ",
            $order,
            " LIMIT $5) AS m) AS page"
        )
    };
}

/// What `said!` gives. The lists are as long as each other.
#[derive(sqlx::FromRow)]
struct Said {
    checkpoint: Position,
    known: bool,
    ids: Vec<Uuid>,
    roles: Vec<String>,
    kinds: Vec<String>,
    contents: Vec<String>,
    metadata: Vec<Json<Box<RawValue>>>,
    timestamps: Vec<DateTime<Utc>>,
    positions: Vec<Position>,
}

impl Said {
    fn into_messages(self) -> Vec<Message> {
        let texts = self.roles.into_iter().zip(self.kinds).zip(self.contents);
        let places = self.timestamps.into_iter().zip(self.positions);
        let messages = self.ids.into_iter().zip(texts).zip(self.metadata).zip(places);
        messages
            .map(|(((id, ((role, kind), content)), Json(metadata)), (timestamp, position))| Message {
                id,
                role,
                kind,
                content,
                metadata,
                timestamp,
                position,
            })
            .collect()
    }
}

async fn said(
    connection: &mut PgConnection,
    (user, conversation): (Uuid, Uuid),
    window: Window,
    limit: i64,
) -> Result<(Position, Option<MessagePage>), LogError> {
    let (bound, select) = match window {
        Window::Newest => (Position::LAST, said!("<", "DESC")),
        Window::Before(cursor) => (cursor, said!("<", "DESC")),
        Window::After(cursor) => (cursor, said!(">", "ASC")),
    };
    let said: Said = sqlx::query_as(select)
        .bind(NAME)
        .bind(conversation)
        .bind(user)
        .bind(bound)
        .bind(limit + 1)
        .fetch_one(connection)
        .await?;
    let (checkpoint, known) = (said.checkpoint, said.known);
    Ok((checkpoint, known.then(|| page_of(said.into_messages(), window, limit))))
}

fn page_of(mut messages: Vec<Message>, window: Window, limit: i64) -> MessagePage {
    let more = keep(&mut messages, limit);
    if let Window::After(_) = window {
        let newer = messages.last().filter(|_| more).map(|last| last.position);
        return MessagePage { messages, older: None, newer };
    }
    messages.reverse();
    let older = messages.first().filter(|_| more).map(|first| first.position);
    MessagePage { messages, older, newer: None }
}

/// Cuts the row that was read only to learn whether there is one more.
fn keep<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
