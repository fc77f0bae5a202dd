//! One stored sample of every version of every event. The samples are as the log holds them and are never
//! changed: what was stored once must load for ever. A new version of an event adds a line.

use std::collections::BTreeSet;

use cqrs_es::{Aggregate, DomainEvent};
use serde::Deserialize;
use serde_json::Value;

use crate::algorithm::{Algorithm, AlgorithmEvent};
use crate::asset::{Asset, AssetEvent};
use crate::conversation::{Conversation, ConversationEvent};
use crate::credit_ledger::{CreditLedger, CreditLedgerEvent};
use crate::generation_request::{GenerationRequest, GenerationRequestEvent};
use crate::session::{Session, SessionEvent};
use crate::template::{Template, TemplateEvent};
use crate::user::{User, UserEvent};

#[derive(Debug, Deserialize)]
struct Sample {
    aggregate: String,
    version: String,
    payload: Value,
}

fn samples() -> Vec<Sample> {
    serde_json::from_str(include_str!("samples.json")).unwrap()
}

/// Loads the samples of an aggregate: which versions they are of, and how many there are.
fn load<A: Aggregate>(current: &[(&str, &str)]) -> usize {
    let mut seen = BTreeSet::new();
    let own: Vec<Sample> = samples().into_iter().filter(|sample| sample.aggregate == A::TYPE).collect();
    for Sample { version, payload, .. } in &own {
        let name = payload["type"].as_str().unwrap();
        let event: A::Event = serde_json::from_value(payload.clone())
            .unwrap_or_else(|error| panic!("{name} {version} does not load any more: {error}"));
        assert_eq!(event.event_type(), name);
        // A version that is not the current one loads as what the current one calls it.
        if event.event_version() == *version {
            let again = serde_json::to_value(&event).unwrap();
            for (field, value) in payload.as_object().unwrap() {
                assert_eq!(&again[field], value, "{name} {version} loses what its {field} says");
            }
        }
        seen.insert((name, version.as_str()));
    }
    for (name, version) in current {
        assert!(seen.contains(&(*name, *version)), "{name} {version} has no stored sample");
    }
    own.len()
}

#[test]
fn every_stored_sample_loads_and_no_event_version_is_skipped_silently() {
    let loaded = load::<User>(UserEvent::VERSIONS)
        + load::<Session>(SessionEvent::VERSIONS)
        + load::<Conversation>(ConversationEvent::VERSIONS)
        + load::<GenerationRequest>(GenerationRequestEvent::VERSIONS)
        + load::<CreditLedger>(CreditLedgerEvent::VERSIONS)
        + load::<Template>(TemplateEvent::VERSIONS)
        + load::<Algorithm>(AlgorithmEvent::VERSIONS)
        + load::<Asset>(AssetEvent::VERSIONS);
    assert_eq!(loaded, samples().len(), "every sample is of an aggregate that there is");
}
