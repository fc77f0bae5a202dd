//! Every aggregate under random commands: what it became step by step is what a replay of its events makes
//! of it, its state and its events survive storage, and each event is stored under the name it is listed with.

use std::collections::BTreeSet;
use std::fmt::Debug;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::commands;
use crate::algorithm::{Algorithm, AlgorithmEvent};
use crate::asset::{Asset, AssetEvent};
use crate::audit_trail::{AuditTrail, AuditTrailEvent};
use crate::conversation::{Conversation, ConversationEvent};
use crate::credit_ledger::{CreditLedger, CreditLedgerEvent};
use crate::generation_request::{GenerationRequest, GenerationRequestEvent};
use crate::session::{Session, SessionEvent};
use crate::template::{Template, TemplateEvent};
use crate::user::{User, UserEvent};

const COMMANDS_MAX: usize = 60;

/// Commands to an aggregate whose state can be compared.
pub(super) trait Subject: Aggregate<Services = ()> + Clone + PartialEq + Debug {}
impl<A: Aggregate<Services = ()> + Clone + PartialEq + Debug> Subject for A {}

/// Decides one command. A refusal leaves the state as it was.
#[tokio::main(flavor = "current_thread")]
pub(super) async fn decide<A: Subject>(state: &mut A, command: A::Command) -> Vec<A::Event> {
    let sink = EventSink::default();
    let mut next = state.clone();
    if next.handle(command, &(), &sink).await.is_err() {
        return vec![];
    }
    *state = next;
    sink.collect().await
}

fn replay<A: Subject>(events: &[A::Event]) -> A {
    let mut state = A::default();
    for event in events {
        state.apply(event.clone());
    }
    state
}

fn stored<T: Serialize + DeserializeOwned>(value: &T) -> T {
    serde_json::from_str(&serde_json::to_string(value).unwrap()).unwrap()
}

/// The JSON with every personal value taken out of it, as the log shows it once the person was erased.
fn erase(value: &mut Value) -> usize {
    if let Some(node) = value.get_mut("$personal") {
        let owner = node.get("owner").unwrap().clone();
        *value = serde_json::json!({ "$erased": { "owner": owner } });
        return 1;
    }
    match value {
        Value::Array(items) => items.iter_mut().map(erase).sum(),
        Value::Object(fields) => fields.values_mut().map(erase).sum(),
        _ => 0,
    }
}

fn keeps_its_word<A: Subject>(commands: Vec<A::Command>, versions: &[(&str, &str)]) -> Vec<String> {
    let mut state = A::default();
    let mut events: Vec<A::Event> = vec![];
    let mut erased_events: Vec<A::Event> = vec![];
    for command in commands {
        for event in decide(&mut state, command) {
            assert_eq!(stored(&event), event, "an event came back different from storage");
            let (name, version) = (event.event_type(), event.event_version());
            assert!(versions.contains(&(&name, &version)), "{name} {version} is not listed");
            let mut json = serde_json::to_value(&event).unwrap();
            assert_eq!(json["type"], *name, "an event is stored under another name than it is listed with");
            erase(&mut json);
            let erased: A::Event = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(serde_json::to_value(&erased).unwrap(), json, "an erased event changed its form");
            erased_events.push(erased);
            events.push(event);
        }
        assert_eq!(replay::<A>(&events), state, "a replay differs from what became step by step");
        assert_eq!(stored(&state), state, "a snapshot differs from the state");
    }
    let mut erased_state = serde_json::to_value(&state).unwrap();
    erase(&mut erased_state);
    let replayed = serde_json::to_value(replay::<A>(&erased_events)).unwrap();
    assert_eq!(replayed, erased_state, "the life of an erased person takes another turn");
    events.iter().map(DomainEvent::event_type).collect()
}

/// Without this the properties could hold because nothing ever happens.
fn every_event_happens<A: Subject>(command: impl Strategy<Value = A::Command>, versions: &[(&str, &str)])
where
    A::Command: Debug,
{
    let mut runner = TestRunner::deterministic();
    let sequences = vec(command, 0..COMMANDS_MAX);
    let mut seen = BTreeSet::new();
    for _ in 0..100 {
        let commands = sequences.new_tree(&mut runner).unwrap().current();
        seen.extend(keeps_its_word::<A>(commands, versions));
    }
    let listed: BTreeSet<String> = versions.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(listed.len(), versions.len(), "a name is listed twice");
    assert_eq!(seen, listed);
}

macro_rules! aggregates {
    ($($module:ident: $aggregate:ty, $event:ty, $command:expr;)+) => {$(
        mod $module {
            use super::*;

            proptest! {
                #[test]
                fn any_command_sequence_replays_to_the_same_state_and_round_trips(
                    commands in vec($command, 0..COMMANDS_MAX)
                ) {
                    keeps_its_word::<$aggregate>(commands, <$event>::VERSIONS);
                }
            }

            #[test]
            fn random_commands_lead_to_every_event() {
                every_event_happens::<$aggregate>($command, <$event>::VERSIONS);
            }
        }
    )+};
}

aggregates! {
    user: User, UserEvent, commands::user();
    session: Session, SessionEvent, commands::session();
    conversation: Conversation, ConversationEvent, commands::conversation();
    generation_request: GenerationRequest, GenerationRequestEvent, commands::generation_request();
    credit_ledger: CreditLedger, CreditLedgerEvent, commands::credit_ledger();
    template: Template, TemplateEvent, commands::template();
    algorithm: Algorithm, AlgorithmEvent, commands::algorithm();
    asset: Asset, AssetEvent, commands::asset();
    audit_trail: AuditTrail, AuditTrailEvent, commands::audit_trail();
}
