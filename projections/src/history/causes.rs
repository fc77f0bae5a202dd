//! Why an event happened and what it led to: command, event, process manager, command.

use event_log::{LogError, Position};
use sqlx::PgConnection;
use uuid::Uuid;

use super::NAME;
use super::queries::{Entry, entries};
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
    let entry = reader.lookup(NAME, wanted, || entries!("WHERE position = $1", position.get())).await?;
    let Some(event) = entry.value else { return Ok(entry.map(|_| None)) };
    let mut read = reader.begin(NAME, Wanted::After(entry.checkpoint)).await?;
    let around = around(&mut read, event).await?;
    Ok(Fresh { value: Some(around), checkpoint: entry.checkpoint, behind: entry.behind })
}

async fn around(connection: &mut PgConnection, event: Entry) -> Result<Causes, LogError> {
    let mut nodes = Vec::new();
    for entry in upwards(connection, event.position).await? {
        nodes.push(node_of(connection, entry).await?);
    }
    let command = nodes.remove(0);
    let consequences = downwards(connection, event.event_id).await?;
    Ok(Causes { event, command, causes: nodes, consequences })
}

/// The event, the event that led to it, and so on up to an event without a cause.
async fn upwards(connection: &mut PgConnection, position: Position) -> Result<Vec<Entry>, LogError> {
    let chain = sqlx::query_as!(
        Entry,
        r#"
        WITH RECURSIVE chain AS (
            SELECT position, event_id, aggregate_type, aggregate_id, sequence, event_type, owner_id, actor,
                   command_id, correlation_id, causation_id, recorded_at, 0::bigint AS depth
            FROM history
            WHERE position = $1
            UNION ALL
            SELECT cause.position, cause.event_id, cause.aggregate_type, cause.aggregate_id, cause.sequence,
                   cause.event_type, cause.owner_id, cause.actor, cause.command_id, cause.correlation_id,
                   cause.causation_id, cause.recorded_at, chain.depth + 1
            FROM chain
            JOIN history AS cause ON cause.event_id = chain.causation_id
            WHERE chain.depth < $2 AND cause.position < chain.position)
        SELECT
            position AS "position!: Position",
            event_id AS "event_id!",
            aggregate_type AS "aggregate_type!",
            aggregate_id AS "aggregate_id!",
            sequence AS "sequence!",
            event_type AS "event_type!",
            owner_id,
            actor AS "actor!",
            command_id,
            correlation_id,
            causation_id,
            recorded_at AS "recorded_at!"
        FROM chain
        ORDER BY depth
        "#,
        position.get(),
        CAUSES_MAX,
    );
    Ok(chain.fetch_all(connection).await?)
}

/// The command of an event, with all that it wrote.
async fn node_of(connection: &mut PgConnection, entry: Entry) -> Result<CommandNode, LogError> {
    let events = match entry.command_id {
        Some(command) => {
            let events = entries!("WHERE command_id = $1 ORDER BY position LIMIT $2", command, CAUSES_MAX);
            events.fetch_all(connection).await?
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
    let entries = entries!("WHERE causation_id = $1 ORDER BY position LIMIT $2", event_id, CAUSES_MAX);
    let entries = entries.fetch_all(connection).await?;
    Ok(entries
        .chunk_by(|one, next| one.command_id.is_some() && one.command_id == next.command_id)
        .map(|events| node(&events[0], events.to_vec()))
        .collect())
}
