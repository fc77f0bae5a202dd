//! Why an event happened and what it led to: command, event, process manager, command.

use event_log::{LogError, Position};
use futures::FutureExt;
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use super::queries::{COLUMNS, Entry};
use crate::{Fresh, Reader, Wanted};

/// Causes that are followed upwards, and consequences that are listed.
pub const CAUSES_MAX: i64 = 200;

/// A command: who sent it, because of which event, and what it wrote.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandNode {
    pub command_id: Option<Uuid>,
    pub actor: String,
    pub correlation_id: Option<Uuid>,
    /// The event that led to the command. None when a person began it.
    pub causation_id: Option<Uuid>,
    /// In the order of the log.
    pub events: Vec<Entry>,
}

/// An event in the middle of its causes and consequences.
#[derive(Debug, Clone, PartialEq)]
pub struct Causes {
    pub event: Entry,
    /// The command that wrote it.
    pub command: CommandNode,
    /// The commands that led to it, nearest first; the last one is the root.
    pub causes: Vec<CommandNode>,
    /// The commands that the event led to directly.
    pub consequences: Vec<CommandNode>,
}

/// The causes and consequences of the event at a position; `None` when the history holds none there.
pub async fn causes(
    reader: &Reader,
    wanted: Wanted,
    position: Position,
) -> Result<Fresh<Option<Causes>>, LogError> {
    reader.lookup(NAME, wanted, move |connection| around(connection, position).boxed()).await
}

async fn around(connection: &mut PgConnection, position: Position) -> Result<Option<Causes>, LogError> {
    let chain = upwards(connection, position).await?;
    let Some(event) = chain.first().cloned() else { return Ok(None) };
    let mut nodes = Vec::new();
    for entry in chain {
        nodes.push(node_of(connection, entry).await?);
    }
    let command = nodes.remove(0);
    let consequences = downwards(connection, event.event_id).await?;
    Ok(Some(Causes { event, command, causes: nodes, consequences }))
}

/// The event, the one that led to it, and so on up to one that nothing led to.
async fn upwards(connection: &mut PgConnection, position: Position) -> Result<Vec<Entry>, LogError> {
    let select = format!(
        "WITH RECURSIVE chain AS ( \
             SELECT {COLUMNS}, 0::bigint AS depth FROM history WHERE position = $1 \
             UNION ALL \
             SELECT {}, chain.depth + 1 FROM chain JOIN history AS cause ON cause.event_id = chain.causation_id \
             WHERE chain.depth < $2 AND cause.position < chain.position) \
         SELECT {COLUMNS} FROM chain ORDER BY depth",
        COLUMNS.split(", ").map(|column| format!("cause.{}", column.trim())).collect::<Vec<_>>().join(", ")
    );
    Ok(sqlx::query_as(&select).bind(position).bind(CAUSES_MAX).fetch_all(connection).await?)
}

/// The command of an event, with all that it wrote.
async fn node_of(connection: &mut PgConnection, entry: Entry) -> Result<CommandNode, LogError> {
    let events = match entry.command_id {
        Some(command) => {
            let select =
                format!("SELECT {COLUMNS} FROM history WHERE command_id = $1 ORDER BY position LIMIT $2");
            sqlx::query_as(&select).bind(command).bind(CAUSES_MAX).fetch_all(connection).await?
        }
        None => vec![entry.clone()],
    };
    Ok(node(&entry, events))
}

fn node(of: &Entry, events: Vec<Entry>) -> CommandNode {
    CommandNode {
        command_id: of.command_id,
        actor: of.actor.clone(),
        correlation_id: of.correlation_id,
        causation_id: of.causation_id,
        events,
    }
}

/// The commands that an event led to. The events of one command stand together in the log.
async fn downwards(connection: &mut PgConnection, event_id: Uuid) -> Result<Vec<CommandNode>, LogError> {
    let select = format!("SELECT {COLUMNS} FROM history WHERE causation_id = $1 ORDER BY position LIMIT $2");
    let entries: Vec<Entry> =
        sqlx::query_as(&select).bind(event_id).bind(CAUSES_MAX).fetch_all(connection).await?;
    Ok(entries
        .chunk_by(|one, next| one.command_id.is_some() && one.command_id == next.command_id)
        .map(|events| node(&events[0], events.to_vec()))
        .collect())
}
