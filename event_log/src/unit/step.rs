//! The part of one aggregate in a unit: its state, from memory or fresh, and its decisions.

use std::fmt::Debug;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use futures::future::BoxFuture;

use super::names;
use crate::cache::StreamKey;
use crate::load;
use crate::log::EventLog;
use crate::{LogError, Vault, Version};

/// An event that an aggregate decided on, not sealed yet.
pub(super) struct Decision {
    pub(super) event_type: String,
    pub(super) event_version: String,
    /// JSON.
    pub(super) payload: String,
}

/// An aggregate of a unit, with its type hidden.
pub(super) trait Step<E>: Send + Sync {
    fn key(&self) -> &StreamKey;
    /// Adds the names of its commands.
    fn name_commands(&self, names: &mut String);
    fn version(&self) -> Version;
    fn is_fresh(&self) -> bool;
    /// Makes state available: from the cache, or as the primary has it when `fresh` is wanted.
    fn load<'a>(&'a mut self, log: &'a EventLog, fresh: bool) -> BoxFuture<'a, Result<(), LogError>>;
    fn decide(&mut self) -> BoxFuture<'_, Result<Vec<Decision>, E>>;
    /// The schema tag and the state after the decision.
    fn snapshot(&self, vault: &Vault) -> Result<(String, String), LogError>;
    fn remember(self: Box<Self>, log: &EventLog, version: Version);
}

pub(super) struct TypedStep<A: Aggregate> {
    key: StreamKey,
    expected: Option<Version>,
    commands: Vec<A::Command>,
    state: A,
    version: Version,
    fresh: bool,
    /// The state after the decision.
    next: Option<A>,
    assume_new: bool,
}

impl<A: Aggregate> TypedStep<A> {
    /// Commands to one aggregate. `assume_new` saves loading one that most probably does not exist yet.
    pub(super) fn new(
        key: StreamKey,
        expected: Option<Version>,
        commands: Vec<A::Command>,
        assume_new: bool,
    ) -> Self {
        Self {
            key,
            expected,
            commands,
            state: A::default(),
            version: Version::ZERO,
            fresh: false,
            next: None,
            assume_new,
        }
    }
}

impl<A, E> Step<E> for TypedStep<A>
where
    A: Aggregate<Services = ()> + Clone + 'static,
    A::Command: Clone + Debug + Send + Sync,
    E: From<A::Error> + From<LogError> + Send,
{
    fn key(&self) -> &StreamKey {
        &self.key
    }

    fn name_commands(&self, names: &mut String) {
        names::name_all(&self.commands, names);
    }

    fn version(&self) -> Version {
        self.version
    }

    fn is_fresh(&self) -> bool {
        self.fresh
    }

    fn load<'a>(&'a mut self, log: &'a EventLog, fresh: bool) -> BoxFuture<'a, Result<(), LogError>> {
        Box::pin(async move {
            if !fresh {
                if let Some((state, version)) = log.cache().get::<A>(&self.key) {
                    (self.state, self.version, self.fresh) = (state, version, false);
                    return Ok(());
                }
                if self.assume_new {
                    return Ok(());
                }
            }
            let mark = log.cache().mark();
            let loaded = match log.cache().get::<A>(&self.key) {
                Some((state, version)) => {
                    load::advance(log.pool(), log.vault(), self.key.aggregate_id, state, version).await?
                }
                None => load::load(log.pool(), log.vault(), self.key.aggregate_id).await?,
            };
            (self.state, self.version, self.fresh) = (loaded.0, loaded.1, true);
            log.cache().put_read(mark, self.key, self.state.clone(), self.version);
            Ok(())
        })
    }

    fn decide(&mut self) -> BoxFuture<'_, Result<Vec<Decision>, E>> {
        Box::pin(async move {
            if let Some(expected) = self.expected
                && expected != self.version
            {
                let stream = self.key.to_string();
                return Err(LogError::VersionMismatch { stream, expected, actual: self.version }.into());
            }
            let mut next = self.state.clone();
            let mut decisions = Vec::new();
            for command in &self.commands {
                let sink = EventSink::default();
                next.handle(command.clone(), &(), &sink).await?;
                for event in sink.collect().await {
                    let payload = serde_json::to_string(&event)
                        .map_err(|error| LogError::Refused { reason: error.to_string() })?;
                    decisions.push(Decision {
                        event_type: event.event_type(),
                        event_version: event.event_version(),
                        payload,
                    });
                }
            }
            self.next = Some(next);
            Ok(decisions)
        })
    }

    fn snapshot(&self, vault: &Vault) -> Result<(String, String), LogError> {
        let state = serde_json::to_string(self.next.as_ref().unwrap_or(&self.state))
            .map_err(|error| LogError::Refused { reason: error.to_string() })?;
        Ok((vault.schema_tag(A::TYPE), state))
    }

    fn remember(self: Box<Self>, log: &EventLog, version: Version) {
        let state = self.next.unwrap_or(self.state);
        log.cache().put(self.key, state, version);
    }
}
