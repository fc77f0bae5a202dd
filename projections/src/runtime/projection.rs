//! A read model, as the runtime sees it.

use async_trait::async_trait;
use event_log::OpenedEvent;
use nats::Bus;
use sqlx::PgConnection;

use super::error::ApplyError;
use super::spec::Spec;

/// A read model, as the runtime sees it.
#[async_trait]
pub trait Projection: Send + Sync + 'static {
    fn spec(&self) -> &'static Spec;

    /// Writes the content of a page of events, in their order, all or nothing. The effect does not depend on the cut
    /// of the pages. A page with a poison event is refused without naming the event: the runtime then applies pages of
    /// one event.
    async fn apply(&self, tx: &mut PgConnection, page: &[OpenedEvent]) -> Result<(), ApplyError>;

    /// Hears after the commit which events were applied. The call is skipped when the process dies.
    async fn after_commit(&self, _bus: &Bus, _applied: &[&OpenedEvent]) {}
}
