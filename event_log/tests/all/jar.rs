//! A small aggregate for these tests: a jar of coins with notes on it.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use event_log::LogError;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use uuid::Uuid;

/// Counts coins, so that an event that is applied twice or not at all shows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Jar {
    pub coins: i64,
    /// Personal nodes, as the log opens them.
    pub notes: Vec<Value>,
}

#[derive(Debug, Clone)]
pub enum JarCommand {
    Put(i64),
    /// Refused when there are fewer.
    Take(i64),
    /// Takes all there is; an empty jar is left as it is.
    Empty,
    /// Leaves words that belong to a person.
    Note(Uuid, String),
    /// Makes an event of any size.
    Fill(String),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum JarEvent {
    CoinsPut { amount: i64 },
    CoinsTaken { amount: i64 },
    NoteLeft { note: Value },
    Filled { text: String },
}

impl DomainEvent for JarEvent {
    fn event_type(&self) -> String {
        match self {
            Self::CoinsPut { .. } => "CoinsPut",
            Self::CoinsTaken { .. } => "CoinsTaken",
            Self::NoteLeft { .. } => "NoteLeft",
            Self::Filled { .. } => "Filled",
        }
        .to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("{wanted} coins are wanted and {there} are there")]
pub struct NotEnough {
    pub wanted: i64,
    pub there: i64,
}

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Jar(#[from] NotEnough),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Aggregate for Jar {
    const TYPE: &'static str = "jar";
    type Command = JarCommand;
    type Event = JarEvent;
    type Error = NotEnough;
    type Services = ();

    async fn handle(
        &mut self,
        command: JarCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), NotEnough> {
        let event = match command {
            JarCommand::Put(amount) => JarEvent::CoinsPut { amount },
            JarCommand::Take(wanted) if wanted > self.coins => {
                return Err(NotEnough { wanted, there: self.coins });
            }
            JarCommand::Take(amount) => JarEvent::CoinsTaken { amount },
            JarCommand::Empty if self.coins == 0 => return Ok(()),
            JarCommand::Empty => JarEvent::CoinsTaken { amount: self.coins },
            JarCommand::Note(owner, words) => {
                JarEvent::NoteLeft { note: json!({ "$personal": { "owner": owner, "value": words } }) }
            }
            JarCommand::Fill(text) => JarEvent::Filled { text },
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: JarEvent) {
        match event {
            JarEvent::CoinsPut { amount } => self.coins += amount,
            JarEvent::CoinsTaken { amount } => self.coins -= amount,
            JarEvent::NoteLeft { note } => self.notes.push(note),
            JarEvent::Filled { .. } => {}
        }
    }
}
