//! The full history, for auditors: which events there are, why they happened, what an aggregate was at any
//! point of its past. Admins only, and every look is logged.

use event_log::{Position, StreamName, Version};
use std::collections::BTreeMap;

use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use projections::Cursor;
use projections::history::{
    self, AuditedEvent, Causes, CommandNode, Difference, Entry, Filter, Order, Past, Point, Step,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::next_page;
use crate::auth::AdminUser;
use crate::extract::{ApiPath, ApiQuery, Freshness};
use crate::problem::{ApiError, Problem};
use crate::reply::QueryReply;
use crate::state::App;

const LIMIT: i64 = 50;

pub fn routes() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(events)).routes(routes!(causes)).routes(routes!(aggregate))
}

/// An event without what it says.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryEntry)]
pub struct EntryView {
    #[schema(value_type = i64)]
    position: Position,
    event_id: Uuid,
    aggregate_type: String,
    aggregate_id: String,
    /// The version that the aggregate has with this event.
    sequence: i64,
    event_type: String,
    owner: Option<Uuid>,
    /// `user:<id>`, `admin:<id>`, `process:<name>` or `anonymous`.
    actor: String,
    command_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    /// The event that led to this one.
    causation_id: Option<Uuid>,
    recorded_at: DateTime<Utc>,
}

impl From<Entry> for EntryView {
    fn from(entry: Entry) -> Self {
        Self {
            position: entry.position,
            event_id: entry.event_id,
            aggregate_type: entry.aggregate_type,
            aggregate_id: entry.aggregate_id,
            sequence: entry.sequence,
            event_type: entry.event_type,
            owner: entry.owner_id,
            actor: entry.actor,
            command_id: entry.command_id,
            correlation_id: entry.correlation_id,
            causation_id: entry.causation_id,
            recorded_at: entry.recorded_at,
        }
    }
}

/// An event. Words of erased people read `erased`, secrets `redacted`.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryEvent)]
pub struct EventView {
    #[serde(flatten)]
    entry: EntryView,
    event_version: String,
    #[schema(value_type = Object)]
    payload: Value,
    /// The origin of the command: `ip`, `user_agent`, `traceparent`.
    request: BTreeMap<String, String>,
}

impl From<AuditedEvent> for EventView {
    fn from(event: AuditedEvent) -> Self {
        Self {
            entry: event.entry.into(),
            event_version: event.event_version,
            payload: event.payload,
            request: event.request,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    #[default]
    Newest,
    Oldest,
}

/// All that is given must hold.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventQuery {
    aggregate_type: Option<String>,
    aggregate_id: Option<String>,
    event_type: Option<String>,
    owner: Option<Uuid>,
    /// `user:<id>`, `admin:<id>`, `process:<name>` or `anonymous`.
    actor: Option<String>,
    command_id: Option<Uuid>,
    correlation_id: Option<Uuid>,
    causation_id: Option<Uuid>,
    /// Recorded at this time or later.
    from: Option<DateTime<Utc>>,
    /// Recorded before this time.
    to: Option<DateTime<Utc>>,
    #[param(value_type = Option<i64>)]
    position_from: Option<Position>,
    #[param(value_type = Option<i64>)]
    position_to: Option<Position>,
    /// The order of the entries.
    #[serde(default)]
    #[param(inline)]
    order: Direction,
    /// `next_cursor` of the page before.
    #[param(value_type = Option<i64>)]
    cursor: Option<Position>,
    /// At most so many events, 1 to 200.
    #[serde(default = "default_limit")]
    #[param(default = 50)]
    limit: i64,
}

fn default_limit() -> i64 {
    LIMIT
}

impl EventQuery {
    fn filter(self) -> Filter {
        Filter {
            aggregate_type: self.aggregate_type,
            aggregate_id: self.aggregate_id,
            event_type: self.event_type,
            owner: self.owner,
            actor: self.actor,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            causation_id: self.causation_id,
            recorded_from: self.from,
            recorded_to: self.to,
            position_from: self.position_from,
            position_to: self.position_to,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EventList {
    events: Vec<EventView>,
    #[schema(value_type = Option<i64>)]
    next_cursor: Option<Position>,
}

/// Events of everybody, by who, when, what and because of what.
#[utoipa::path(
    get,
    path = "/api/v1/admin/events",
    tag = "history",
    params(EventQuery, ("Routix-After" = Option<i64>, Header)),
    responses(
        (status = 200, description = "The events; a next page is named by `Link`", body = EventList),
        (status = 401, description = "Not logged in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "A filter that is none", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn events(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    Freshness(wanted): Freshness,
    uri: Uri,
    ApiQuery(query): ApiQuery<EventQuery>,
) -> Result<Response, ApiError> {
    tracing::info!(admin = %admin.user_id.0, owner = ?query.owner, "an admin reads the history");
    let order = match query.order {
        Direction::Newest => Order::NewestFirst,
        Direction::Oldest => Order::OldestFirst,
    };
    let cursor = Cursor { at: query.cursor, limit: query.limit };
    let page = history::events(app.reader(), wanted, &query.filter(), order, cursor).await?;
    let next = next_page(page.value.next_cursor, &without_cursor(&uri));
    let body = EventList {
        events: page.value.events.iter().cloned().map(Into::into).collect(),
        next_cursor: page.value.next_cursor,
    };
    Ok((next, QueryReply::new(&page, body)).into_response())
}

/// The same request from the beginning, ready for a cursor.
fn without_cursor(uri: &Uri) -> String {
    let parts = uri.query().unwrap_or_default().split('&');
    let kept: Vec<&str> = parts.filter(|part| !part.is_empty() && !part.starts_with("cursor=")).collect();
    format!("{}?{}", uri.path(), kept.join("&"))
}

/// A command: who sent it, because of which event, and what it wrote.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryCommand)]
pub struct CommandView {
    command_id: Option<Uuid>,
    actor: String,
    correlation_id: Option<Uuid>,
    /// The event that led to it. Null when a person began it.
    causation_id: Option<Uuid>,
    events: Vec<EntryView>,
}

impl From<CommandNode> for CommandView {
    fn from(node: CommandNode) -> Self {
        Self {
            command_id: node.command_id,
            actor: node.actor,
            correlation_id: node.correlation_id,
            causation_id: node.causation_id,
            events: node.events.into_iter().map(Into::into).collect(),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryCauses)]
pub struct CausesView {
    event: EntryView,
    /// The command that wrote the event.
    command: CommandView,
    /// The commands that led to it, nearest first; the last one is where it began.
    causes: Vec<CommandView>,
    /// The commands that the event led to directly.
    consequences: Vec<CommandView>,
}

impl From<Causes> for CausesView {
    fn from(causes: Causes) -> Self {
        Self {
            event: causes.event.into(),
            command: causes.command.into(),
            causes: causes.causes.into_iter().map(Into::into).collect(),
            consequences: causes.consequences.into_iter().map(Into::into).collect(),
        }
    }
}

/// Why an event happened, and what it led to.
#[utoipa::path(
    get,
    path = "/api/v1/admin/events/{position}/causes",
    tag = "history",
    params(("position" = i64, Path), ("Routix-After" = Option<i64>, Header)),
    responses(
        (status = 200, description = "Causes and consequences", body = CausesView),
        (status = 401, description = "Not logged in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such event", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn causes(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    Freshness(wanted): Freshness,
    ApiPath(position): ApiPath<Position>,
) -> Result<QueryReply<CausesView>, ApiError> {
    tracing::info!(admin = %admin.user_id.0, %position, "an admin reads the causes of an event");
    let found = history::causes(app.reader(), wanted, position).await?;
    let view = found.value.clone().ok_or(ApiError::missing("event", found.behind))?.into();
    Ok(QueryReply::new(&found, view))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PointQuery {
    /// After that many events of the aggregate.
    #[param(value_type = Option<i64>)]
    version: Option<Version>,
    /// As it was at that time (RFC 3339).
    at: Option<DateTime<Utc>>,
    /// At most so many of the last events are told, 1 to 200.
    #[serde(default = "default_limit")]
    #[param(default = 50)]
    limit: i64,
}

impl PointQuery {
    fn point(&self) -> Result<Point, ApiError> {
        match (self.version, self.at) {
            (None, None) => Ok(Point::Now),
            (Some(version), None) => Ok(Point::Version(version)),
            (None, Some(at)) => Ok(Point::At(at)),
            (Some(_), Some(_)) => Err(ApiError::Invalid {
                field: "version",
                detail: "give a version or a time, not both".to_owned(),
            }),
        }
    }
}

/// A place of the state that an event changed: a JSON pointer, and the values before and after.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryDifference)]
pub struct DifferenceView {
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    before: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Object)]
    after: Option<Value>,
}

impl From<Difference> for DifferenceView {
    fn from(difference: Difference) -> Self {
        Self { path: difference.path, before: difference.before, after: difference.after }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryStep)]
pub struct StepView {
    #[serde(flatten)]
    event: EventView,
    /// The changes that the event made in the state.
    differences: Vec<DifferenceView>,
}

impl From<Step> for StepView {
    fn from(step: Step) -> Self {
        Self { event: step.event.into(), differences: step.differences.into_iter().map(Into::into).collect() }
    }
}

/// An aggregate at a point of its past.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = HistoryState)]
pub struct PastView {
    aggregate_type: String,
    aggregate_id: String,
    #[schema(value_type = i64)]
    version: Version,
    #[schema(value_type = i64)]
    position: Position,
    /// The state as decisions saw it.
    #[schema(value_type = Object)]
    state: Value,
    /// The last events up to that point, oldest first.
    events: Vec<StepView>,
    /// With `version` set to this, the events before those are told. Null when there are none.
    #[schema(value_type = Option<i64>)]
    earlier_version: Option<Version>,
}

/// The state of an aggregate now, at a version or at a time, and how it came to be so.
#[utoipa::path(
    get,
    path = "/api/v1/admin/aggregates/{type}/{id}",
    tag = "history",
    params(("type" = String, Path), ("id" = String, Path), PointQuery),
    responses(
        (status = 200, description = "The state and the events up to it", body = PastView),
        (status = 401, description = "Not logged in", content_type = "application/problem+json", body = Problem),
        (status = 403, description = "Not an admin", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "No such aggregate at that point", content_type = "application/problem+json", body = Problem),
        (status = 422, description = "Both a version and a time", content_type = "application/problem+json", body = Problem),
    ),
    security(("bearerAuth" = []))
)]
async fn aggregate(
    State(app): State<App>,
    AdminUser(admin): AdminUser,
    ApiPath((aggregate_type, aggregate_id)): ApiPath<(String, String)>,
    ApiQuery(query): ApiQuery<PointQuery>,
) -> Result<axum::Json<PastView>, ApiError> {
    let point = query.point()?;
    tracing::info!(
        admin = %admin.user_id.0, aggregate_type, aggregate_id, "an admin reads the past of an aggregate"
    );
    let stream = StreamName { aggregate_type: &aggregate_type, aggregate_id: &aggregate_id };
    let found = history::past(app.reader(), stream, point, query.limit).await?;
    let Past { version, position, state, steps, earlier } =
        found.ok_or(ApiError::NotFound { what: "aggregate at that point" })?;
    Ok(axum::Json(PastView {
        aggregate_type,
        aggregate_id,
        version,
        position,
        state,
        events: steps.into_iter().map(Into::into).collect(),
        earlier_version: earlier,
    }))
}
