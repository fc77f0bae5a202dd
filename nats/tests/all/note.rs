//! A small aggregate for these tests: a note that text is added to.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use event_log::LogError;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Note;

#[derive(Debug, Clone)]
pub struct Write(pub String);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum NoteEvent {
    TextWritten { text: String },
}

impl DomainEvent for NoteEvent {
    fn event_type(&self) -> String {
        "TextWritten".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub struct Never;

#[derive(Debug, thiserror::Error)]
pub enum Failure {
    #[error(transparent)]
    Note(#[from] Never),
    #[error(transparent)]
    Log(#[from] LogError),
}

impl Aggregate for Note {
    const TYPE: &'static str = "note";
    type Command = Write;
    type Event = NoteEvent;
    type Error = Never;
    type Services = ();

    async fn handle(&mut self, Write(text): Write, (): &(), sink: &EventSink<Self>) -> Result<(), Never> {
        sink.write(NoteEvent::TextWritten { text }, self).await;
        Ok(())
    }

    fn apply(&mut self, NoteEvent::TextWritten { .. }: NoteEvent) {}
}
