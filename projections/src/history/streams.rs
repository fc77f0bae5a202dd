//! The state of an aggregate at any point of its past, and the events that led to it.

use std::collections::VecDeque;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use event_log::{EventLog, LogError, OpenedEvent, Position, StreamName, Version};
use serde_json::Value;

use super::diff::{Difference, differences};
use super::fold::beginning;
use super::queries::{AuditedEvent, Entry, audited};
use super::shown::without_secrets;
use crate::{PAGE_ROWS_MAX, Reader};

/// Events that are read at once.
const STREAM_PAGE: i64 = 1000;

/// Up to where a stream is folded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Point {
    Now,
    /// After that many events.
    Version(Version),
    /// As it was then.
    At(DateTime<Utc>),
}

impl Point {
    fn includes(self, event: &OpenedEvent) -> bool {
        match self {
            Self::Now => true,
            Self::Version(version) => event.recorded.sequence <= version.get(),
            Self::At(at) => event.recorded.recorded_at <= at,
        }
    }
}

/// An event and what it changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub event: AuditedEvent,
    pub differences: Vec<Difference>,
}

/// An aggregate at a point of its past.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// The number of events that the state is folded from.
    pub version: Version,
    /// The position of the last of them.
    pub position: Position,
    pub state: Value,
    /// The last events up to the point, oldest first.
    pub steps: Vec<Step>,
    /// Earlier events than those are told with `version` set to this.
    pub earlier: Option<Version>,
}

struct RawStep {
    event: OpenedEvent,
    differences: Vec<Difference>,
}

/// Folds a stream up to a point, from the log itself. The last `limit` events are told with what they changed.
/// `None` when there is no such stream, or none yet at that point.
pub async fn past(
    reader: &Reader,
    stream: StreamName<'_>,
    point: Point,
    limit: i64,
) -> Result<Option<Past>, LogError> {
    let Some(mut folding) = beginning(stream.aggregate_type) else { return Ok(None) };
    let log = reader.log();
    let limit = usize::try_from(limit.clamp(1, PAGE_ROWS_MAX)).unwrap_or(1);
    let mut last: VecDeque<RawStep> = VecDeque::new();
    let (mut version, mut state) = (0, folding.state());
    'pages: loop {
        let page = log.stream_page(stream, Version::new(version), STREAM_PAGE).await?;
        if page.is_empty() {
            break;
        }
        for event in page {
            let event = log.open(Arc::new(event)).await?;
            if !point.includes(&event) {
                break 'pages;
            }
            version = event.recorded.sequence;
            if last.len() == limit {
                last.pop_front();
            }
            folding.apply(&event)?;
            let after = folding.state();
            last.push_back(RawStep { differences: differences(&state, &after), event });
            state = after;
        }
    }
    let (Some(first), Some(end)) = (last.front(), last.back()) else { return Ok(None) };
    if matches!(point, Point::Version(wanted) if wanted != version) {
        return Ok(None);
    }
    let earlier = Some(first.event.recorded.sequence - 1).filter(|before| *before > 0);
    let position = end.event.recorded.position;
    let state = without_secrets(state);
    let mut steps = Vec::with_capacity(last.len());
    for raw in last {
        steps.push(told(log, raw).await?);
    }
    Ok(Some(Past {
        version: Version::new(version),
        position,
        state,
        steps,
        earlier: earlier.map(Version::new),
    }))
}

async fn told(log: &EventLog, raw: RawStep) -> Result<Step, LogError> {
    let recorded = &raw.event.recorded;
    let metadata = raw.event.metadata();
    let entry = Entry {
        position: recorded.position,
        event_id: recorded.event_id,
        aggregate_type: recorded.aggregate_type.clone(),
        aggregate_id: recorded.aggregate_id.clone(),
        sequence: recorded.sequence,
        event_type: recorded.event_type.clone(),
        owner_id: recorded.owner_id,
        actor: metadata.actor.unwrap_or_default(),
        command_id: metadata.command_id,
        correlation_id: metadata.correlation_id,
        causation_id: metadata.causation_id,
        recorded_at: recorded.recorded_at,
    };
    let event = audited(log, entry, &raw.event).await?;
    Ok(Step { event, differences: raw.differences })
}
