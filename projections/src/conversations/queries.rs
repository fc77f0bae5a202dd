//! Reads `conversations` and `messages`. Everything is asked for by its owner: what belongs to somebody else
//! is not there.

use chrono::{DateTime, Utc};
use domain::{ConversationId, UserId};
use event_log::{LogError, Position};
use serde::Serialize;
use serde_json::value::RawValue;
use sqlx::types::Json;
use uuid::Uuid;

use super::NAME;
use crate::freshness::Dated;
use crate::{Cursor, Fresh, PAGE_ROWS_MAX, Page, Reader, Wanted};

#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// The cursor of the next page, if there is one.
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

/// The messages of a chat that are asked for. The cursors are positions.
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

/// A chat, as its owner asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OwnChat {
    pub user: UserId,
    pub conversation: ConversationId,
}

/// A person's chats, last changed first, without archived ones.
pub async fn list(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    page: Page,
) -> Result<Fresh<ConversationPage>, LogError> {
    rows(reader, wanted, user, Part { before: Position::LAST, page }).await
}

/// Like `list`, from behind a cursor: nothing is shown twice or left out while chats change.
pub async fn list_before(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    cursor: Cursor,
) -> Result<Fresh<ConversationPage>, LogError> {
    let before = cursor.at.unwrap_or(Position::LAST);
    rows(reader, wanted, user, Part { before, page: Page::new(cursor.limit, 0) }).await
}

/// A part of a person's chats.
struct Part {
    before: Position,
    page: Page,
}

async fn rows(
    reader: &Reader,
    wanted: Wanted,
    user: UserId,
    Part { before, page }: Part,
) -> Result<Fresh<ConversationPage>, LogError> {
    let mut read = reader.begin(NAME, wanted).await?;
    let total = sqlx::query_scalar!(
        r#"SELECT count(*) AS "total!" FROM conversations WHERE user_id = $1 AND archived_at IS NULL"#,
        user.0,
    );
    let total = total.fetch_one(&mut *read).await?;
    let rows = sqlx::query_as!(
        Conversation,
        r#"
        SELECT
            id,
            title,
            message_count,
            created_at,
            updated_at,
            archived_at,
            last_position AS "last_position: Position"
        FROM conversations
        WHERE user_id = $1 AND archived_at IS NULL AND last_position < $2
        ORDER BY last_position DESC
        LIMIT $3 OFFSET $4
        "#,
        user.0,
        before.get(),
        page.limit + 1,
        page.offset,
    );
    let mut rows = rows.fetch_all(&mut *read).await?;
    let more = keep(&mut rows, page.limit);
    let next_cursor = rows.last().filter(|_| more).map(|last| last.last_position);
    Ok(read.finish(ConversationPage { rows, total, next_cursor }))
}

/// Reads a chat, archived or not.
pub async fn get(
    reader: &Reader,
    wanted: Wanted,
    chat: OwnChat,
) -> Result<Fresh<Option<Conversation>>, LogError> {
    let statement = || {
        sqlx::query_as!(
            Conversation,
            r#"
            SELECT
                id,
                title,
                message_count,
                created_at,
                updated_at,
                archived_at,
                last_position AS "last_position: Position"
            FROM conversations
            WHERE id = $1 AND user_id = $2
            "#,
            chat.conversation.0,
            chat.user.0,
        )
    };
    reader.lookup(NAME, wanted, statement).await
}

/// The checkpoint, the presence of the chat, and its messages: one statement, because this is what clients ask
/// for most, and because one statement sees one state of all three. One row too, with a list for each column: of
/// fifty rows each would be packed, sent and unpacked for itself. `array_agg` keeps the order of the subquery that
/// it alone reads (PostgreSQL's manual, aggregate functions).
macro_rules! said {
    ($bound:literal, $order:literal, $($value:expr),+) => {
        sqlx::query_as!(
            Said,
            r#"
            SELECT
                coalesce(c.position, 0) AS "checkpoint!: Position",
                chat.id IS NOT NULL AS "known!",
                page.ids AS "ids!",
                page.roles AS "roles!",
                page.kinds AS "kinds!",
                page.contents AS "contents!",
                page.metadata AS "metadata!: Vec<Json<Box<RawValue>>>",
                page.timestamps AS "timestamps!",
                page.positions AS "positions!: Vec<Position>"
            FROM (SELECT 1) AS one
            LEFT JOIN checkpoints AS c ON c.projection = $1
            LEFT JOIN conversations AS chat ON chat.id = $2 AND chat.user_id = $3
            CROSS JOIN LATERAL (
                SELECT coalesce(array_agg(m.id), '{}') AS ids,
                       coalesce(array_agg(m.role), '{}') AS roles,
                       coalesce(array_agg(m.type), '{}') AS kinds,
                       coalesce(array_agg(m.content), '{}') AS contents,
                       coalesce(array_agg(m.metadata), '{}') AS metadata,
                       coalesce(array_agg(m.timestamp), '{}') AS timestamps,
                       coalesce(array_agg(m.position), '{}') AS positions
                FROM (SELECT * FROM messages
                      WHERE conversation_id = chat.id AND position "# + $bound + r#" $4
                      ORDER BY position "# + $order + r#" LIMIT $5) AS m) AS page"#,
            $($value),+
        )
    };
}

/// The row of `said!`. The lists are as long as each other.
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

impl Dated for Said {
    fn checkpoint(&self) -> Position {
        self.checkpoint
    }

    fn is_missing(&self) -> bool {
        !self.known
    }
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

/// Messages of a chat; `None` when the person has no such chat.
pub async fn messages(
    reader: &Reader,
    wanted: Wanted,
    chat: OwnChat,
    window: Window,
    limit: i64,
) -> Result<Fresh<Option<MessagePage>>, LogError> {
    let limit = limit.clamp(1, PAGE_ROWS_MAX);
    let (id, user, rows) = (chat.conversation.0, chat.user.0, limit + 1);
    let found = match window {
        Window::Newest | Window::Before(_) => {
            let before = if let Window::Before(cursor) = window { cursor } else { Position::LAST };
            let statement = || said!("<", "DESC", NAME, id, user, before.get(), rows);
            reader.at_once(NAME, wanted, statement).await?
        }
        Window::After(cursor) => {
            let statement = || said!(">", "ASC", NAME, id, user, cursor.get(), rows);
            reader.at_once(NAME, wanted, statement).await?
        }
    };
    Ok(found.map(|rows| {
        let said = rows.into_iter().next().filter(|said| said.known)?;
        Some(page_of(said.into_messages(), window, limit))
    }))
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

/// Cuts the last row, which was read only to learn of a further page.
fn keep<T>(rows: &mut Vec<T>, limit: i64) -> bool {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = rows.len() > limit;
    rows.truncate(limit);
    more
}
