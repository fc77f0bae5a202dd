//! An event as it is stored, and what is known about the command that caused it.

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize, Serializer};
use uuid::Uuid;

use crate::{LogError, Position};

/// The sender of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    User(Uuid),
    Admin(Uuid),
    Process(&'static str),
    /// Somebody who is not logged in.
    Anonymous,
}

impl Actor {
    /// The id under which receipts are kept: the person's, else the nil UUID.
    pub fn receipt_owner(self) -> Uuid {
        match self {
            Self::User(id) | Self::Admin(id) => id,
            Self::Process(_) | Self::Anonymous => Uuid::nil(),
        }
    }
}

impl std::fmt::Display for Actor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Admin(id) => write!(f, "admin:{id}"),
            Self::Process(name) => write!(f, "process:{name}"),
            Self::Anonymous => f.write_str("anonymous"),
        }
    }
}

/// The life of a command's receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReceiptLife {
    /// [`RECEIPT_DAYS`](crate::RECEIPT_DAYS): clients repeat commands within minutes.
    Client,
    /// The same, for a step of a process manager. A step can come back later than that: from a parked row, or from an
    /// event that a recovery put back. So its aggregate must refuse the repetition, or the step must not be done so long
    /// after its cause.
    Step,
    /// For ever: nothing but the receipt stands against a second effect, at whatever time.
    Endless,
}

/// The circumstances of a command. They end in the metadata of every event.
#[derive(Debug, Clone)]
pub struct CommandContext {
    pub actor: Actor,
    /// Whose events these are: they replay to this person's clients. `None` for what belongs to the house.
    pub owner: Option<Uuid>,
    /// The same id again gives the first outcome.
    pub command_id: Uuid,
    /// A keyed hash of what the command asks for, to refuse the id for anything else.
    pub fingerprint: Vec<u8>,
    pub receipt: ReceiptLife,
    pub correlation_id: Uuid,
    /// The event that led to this command.
    pub causation_id: Option<Uuid>,
    pub ip: Option<String>,
    pub user_agent: Option<String>,
    /// The cause of the command, W3C Trace Context. Its events name the span of the command itself where spans are
    /// recorded.
    pub traceparent: Option<String>,
    /// The language that the person asked for, as a tag (RFC 5646). Whatever the command leads to is told in it.
    pub language: Option<String>,
}

impl CommandContext {
    /// The context of a step of a process manager: its command id follows from process, cause and step.
    pub fn for_process(
        process: &'static str,
        cause: Uuid,
        correlation_id: Uuid,
        owner: Option<Uuid>,
        step: &str,
    ) -> Self {
        Self {
            actor: Actor::Process(process),
            owner,
            command_id: crate::clock::derived_id(cause, &format!("{process}/{step}")),
            fingerprint: Vec::new(),
            receipt: ReceiptLife::Endless,
            correlation_id,
            causation_id: Some(cause),
            ip: None,
            user_agent: None,
            traceparent: None,
            language: None,
        }
    }

    /// The metadata of every event of this command, as JSON. All values are strings: a number would make the
    /// stream unreadable for postgres-es. `sealed` holds address and user agent, sealed; `here` is the place in
    /// the trace that the command is carried out in, where that is recorded.
    pub(crate) fn metadata(
        &self,
        sealed: [Option<String>; 2],
        here: Option<&str>,
    ) -> Result<String, LogError> {
        let [ip, user_agent] = sealed;
        let metadata = Metadata {
            actor: self.actor,
            command_id: self.command_id,
            correlation_id: self.correlation_id,
            owner: self.owner,
            causation_id: self.causation_id,
            traceparent: here.or(self.traceparent.as_deref()),
            language: self.language.as_deref(),
            ip,
            user_agent,
        };
        serde_json::to_string(&metadata).map_err(LogError::Unwritable)
    }
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(serialize_with = "as_text")]
    actor: Actor,
    command_id: Uuid,
    correlation_id: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    causation_id: Option<Uuid>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    language: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ip: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_agent: Option<String>,
}

fn as_text<S: Serializer>(actor: &Actor, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(actor)
}

/// An event as the log holds it: personal nodes are sealed, payload and metadata are the exact stored text.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedEvent {
    pub position: Position,
    pub aggregate_type: String,
    pub aggregate_id: String,
    pub sequence: i64,
    pub event_type: String,
    pub event_version: String,
    pub payload: String,
    pub metadata: String,
    pub event_id: Uuid,
    pub owner_id: Option<Uuid>,
    pub recorded_at: DateTime<Utc>,
    pub chain: Vec<u8>,
    /// The value that says that this log wrote it: `authentic.rs`.
    pub authentication: Vec<u8>,
}

/// A recorded event whose personal nodes were opened, or marked as erased.
#[derive(Debug, Clone)]
pub struct OpenedEvent {
    pub recorded: std::sync::Arc<RecordedEvent>,
    /// JSON.
    pub payload: String,
}

impl OpenedEvent {
    /// The payload as an event of the domain.
    ///
    /// # Errors
    /// `Unreadable` when the stored form is not that of `E`.
    pub fn parse<E: DeserializeOwned>(&self) -> Result<E, LogError> {
        serde_json::from_str(&self.payload).map_err(|error| LogError::Unreadable {
            what: format!("event {} ({})", self.recorded.position, self.recorded.event_type),
            reason: error.to_string(),
        })
    }

    /// The circumstances of the command that caused the event. An unreadable one is missing: the log keeps it as
    /// it is.
    pub fn metadata(&self) -> EventMetadata {
        serde_json::from_str(&self.recorded.metadata).unwrap_or_default()
    }
}

/// The type of an aggregate that nobody has: of an event that this log did not write.
const VOID: &str = "void";

impl RecordedEvent {
    /// The same place in the log, with nothing in it. Whoever follows passes over it.
    pub(crate) fn voided(self) -> Self {
        Self {
            aggregate_type: VOID.to_owned(),
            event_type: "Void".to_owned(),
            payload: "null".to_owned(),
            metadata: "{}".to_owned(),
            owner_id: None,
            ..self
        }
    }

    /// The place in a trace at which it was written, W3C Trace Context.
    pub fn traceparent(&self) -> Option<String> {
        #[derive(Deserialize)]
        struct Traced {
            traceparent: Option<String>,
        }
        serde_json::from_str::<Traced>(&self.metadata).ok()?.traceparent
    }
}

/// The metadata of an event.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct EventMetadata {
    /// `user:<id>`, `admin:<id>`, `process:<name>` or `anonymous`.
    pub actor: Option<String>,
    pub command_id: Option<Uuid>,
    /// The same for all events of one request.
    pub correlation_id: Option<Uuid>,
    /// The event that led to the command.
    pub causation_id: Option<Uuid>,
    /// W3C Trace Context.
    pub traceparent: Option<String>,
    /// The language that the person asked for, as a tag (RFC 5646).
    pub language: Option<String>,
    /// Sealed.
    pub ip: Option<String>,
    /// Sealed.
    pub user_agent: Option<String>,
}
