//! Prepares a unit for the appender: its events sealed, numbered and hashed, with snapshots, claims and receipt.

use chrono::{DateTime, Duration, Utc};
use tracing::Instrument;
use uuid::Uuid;

use super::{NewDecision, Step, Unit, span};
use crate::append::{AppendError, Appended, NewClaim, NewEvent, NewSnapshot, NewUnit};
use crate::authentic::SnapshotDigest;
use crate::chain::EventDigest;
use crate::load::SNAPSHOT_EVERY_EVENTS;
use crate::receipts::RECEIPT_DAYS;
use crate::seal::Place;
use crate::{CommandContext, LogError, ReceiptLife, Vault, Version, clock};

/// A payload's size as it is stored, sealed. The relay's messages must fit into what NATS takes by default.
const EVENT_BYTES_MAX: usize = 256 << 10;

impl<E> Unit<E>
where
    E: From<LogError> + Send + 'static,
{
    /// Hands the decisions to the appender. Their payloads are taken out of them: after a conflict they are
    /// decided anew.
    pub(super) async fn append(&mut self, decisions: &mut [NewDecision]) -> Result<Appended, E> {
        let vault = self.log.vault();
        let metadata = self.metadata().await?;
        let mut sequences: Vec<Version> = self.steps.iter().map(|step| step.version()).collect();
        let mut events = Vec::with_capacity(decisions.len());
        for NewDecision { step, event } in decisions {
            sequences[*step] = sequences[*step].next();
            let (event_id, sequence) = (clock::new_id(), sequences[*step].get());
            let event_version = std::mem::take(&mut event.event_version);
            let stream = self.steps[*step].key();
            let mut buffer = Uuid::encode_buffer();
            let (aggregate_type, aggregate_id) =
                (stream.aggregate_type, &*stream.aggregate_id.hyphenated().encode_lower(&mut buffer));
            let place = Place::Event { aggregate_type, aggregate_id, sequence, owner: self.context.owner };
            let payload = within_limit(vault.seal(std::mem::take(&mut event.payload), place).await?)?;
            let (digest, authentication) = EventDigest {
                aggregate_type,
                aggregate_id,
                sequence,
                event_type: &event.event_type,
                event_version: &event_version,
                event_id,
                payload: &payload,
                metadata: &metadata,
                owner: self.context.owner,
            }
            .authenticated(vault.authenticator());
            let event_type = event.event_type.clone();
            events.push(NewEvent {
                event_id,
                stream: *step,
                sequence,
                event_type,
                event_version,
                payload,
                digest,
                authentication,
            });
        }
        let mut snapshots = Vec::new();
        for (stream, (step, sequence)) in self.steps.iter().zip(&sequences).enumerate() {
            if sequence.get() / SNAPSHOT_EVERY_EVENTS > step.version().get() / SNAPSHOT_EVERY_EVENTS {
                let last = events.iter().rfind(|event: &&NewEvent| event.stream == stream);
                let event_id = last.map(|event| event.event_id).unwrap_or_default();
                snapshots.push(snapshot_of(vault, &**step, (stream, *sequence), event_id).await?);
            }
        }
        let expires_at = receipt_end(self.context.receipt);
        let claims = self.claims.iter().map(|claim| NewClaim {
            kind: claim.kind,
            key_hash: vault.claim_hash(claim.kind, &claim.key),
            owner: claim.owner,
            taken: claim.taken,
        });
        let unit = NewUnit {
            owner: self.context.actor.receipt_owner(),
            command_id: self.context.command_id,
            fingerprint: self.context.fingerprint.clone(),
            outcome: self.outcome.to_string(),
            expires_at,
            metadata,
            event_owner: self.context.owner,
            expected: self.steps.iter().map(|step| (*step.key(), step.version())).collect(),
            events,
            claims: claims.collect(),
            snapshots,
        };
        let span = span::of_append(unit.events.len());
        let appended = self.log.appender().append(unit).instrument(span.clone()).await;
        span::tell_append(&span, &appended);
        appended.map_err(|error| match error {
            AppendError::Stopped | AppendError::Unknown => LogError::OutcomeUnknown.into(),
            AppendError::Rewound(rewound) => LogError::from(rewound).into(),
            AppendError::Refused { reason } => LogError::Refused { reason }.into(),
        })
    }

    /// The metadata of the unit's events. What belongs to the person who acts is sealed.
    async fn metadata(&self) -> Result<String, LogError> {
        let person = match self.context.actor.receipt_owner() {
            nil if nil.is_nil() => self.context.owner,
            actor => Some(actor),
        };
        let CommandContext { ip, user_agent, .. } = &self.context;
        let sealed = match person {
            Some(person) if ip.is_some() || user_agent.is_some() => {
                let texts = [ip.as_deref(), user_agent.as_deref()];
                self.log.vault().seal_texts(person, self.context.command_id, texts).await?
            }
            _ => [None, None],
        };
        self.context.metadata(sealed, self.log.traceparent().as_deref())
    }
}

fn receipt_end(life: ReceiptLife) -> Option<DateTime<Utc>> {
    match life {
        ReceiptLife::Client | ReceiptLife::Step => Some(clock::now() + Duration::days(RECEIPT_DAYS)),
        ReceiptLife::Endless => None,
    }
}

async fn snapshot_of<E>(
    vault: &Vault,
    step: &dyn Step<E>,
    (stream, version): (usize, Version),
    event_id: Uuid,
) -> Result<NewSnapshot, LogError> {
    let (schema_tag, state) = step.snapshot(vault)?;
    let mut buffer = Uuid::encode_buffer();
    let (aggregate_type, aggregate_id) =
        (step.key().aggregate_type, &*step.key().aggregate_id.hyphenated().encode_lower(&mut buffer));
    let place = Place::Snapshot { aggregate_type, aggregate_id, version };
    let payload = vault.seal(state, place).await?;
    let digest = SnapshotDigest {
        aggregate_type,
        aggregate_id,
        version,
        schema_tag: &schema_tag,
        event_id,
        payload: &payload,
    };
    let authentication = vault.authenticator().of_snapshot(&digest);
    Ok(NewSnapshot { stream, version, schema_tag, payload, event_id, authentication })
}

/// The table refuses more; said here so that the caller learns why.
fn within_limit(payload: String) -> Result<String, LogError> {
    if payload.len() > EVENT_BYTES_MAX {
        return Err(LogError::EventTooLarge { bytes: payload.len(), max_bytes: EVENT_BYTES_MAX });
    }
    Ok(payload)
}
