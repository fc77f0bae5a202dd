//! A stored sample of every version of every event there ever was, in `domain/samples`, frozen: today's program
//! must read them for ever, and must not write another form under a version that has a sample.
//!
//! A file holds examples, one a line, so that together they show every field filled and empty and every variant
//! of every choice. `WRITE_SAMPLES=1 cargo test -p domain` writes the files that are missing; it changes none.

mod accounts;
mod chats;
mod house;
mod money;
mod orders;
mod shape;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use cqrs_es::{Aggregate, DomainEvent};
use serde_json::Value;

use crate::algorithm::Algorithm;
use crate::asset::Asset;
use crate::audit_trail::AuditTrail;
use crate::conversation::Conversation;
use crate::credit_ledger::CreditLedger;
use crate::generation_request::GenerationRequest;
use crate::session::Session;
use crate::template::Template;
use crate::user::User;
use crate::{StoredForms, stored_forms};
use shape::{accepted, shape, shown};

pub(super) use orders::generation_request as examples_of_requests;

const WRITE: &str = "WRITE_SAMPLES";

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("samples")
}

fn forms_of<A: Aggregate>() -> StoredForms {
    stored_forms().into_iter().find(|forms| forms.aggregate_type == A::TYPE).unwrap()
}

fn file(aggregate: &str, event: &str, version: &str) -> PathBuf {
    folder().join(aggregate).join(format!("{event}@{version}.json"))
}

/// The examples in a sample; `None` when there is no such file.
fn sample(aggregate: &str, event: &str, version: &str) -> Option<Vec<Value>> {
    let text = std::fs::read_to_string(file(aggregate, event, version)).ok()?;
    Some(serde_json::from_str(&text).unwrap())
}

fn write(aggregate: &str, event: &str, version: &str, examples: &[Value]) {
    let path = file(aggregate, event, version);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let lines: Vec<String> = examples.iter().map(Value::to_string).collect();
    std::fs::write(path, format!("[\n{}\n]\n", lines.join(",\n"))).unwrap();
}

/// The stored JSON with every personal value erased.
fn erased(value: Value) -> Value {
    match value {
        Value::Object(fields) => match fields.get("$personal") {
            Some(node) => serde_json::json!({ "$erased": { "owner": node["owner"] } }),
            None => Value::Object(fields.into_iter().map(|(name, field)| (name, erased(field))).collect()),
        },
        Value::Array(items) => Value::Array(items.into_iter().map(erased).collect()),
        other => other,
    }
}

/// An event of any version as the next ones see it, up to today's.
fn raised(forms: &StoredForms, event: &str, version: &str, mut payload: Value) -> Value {
    let current = forms.versions.iter().find(|(name, _)| *name == event).unwrap().1;
    let mut at = version;
    while at != current {
        let step = forms.upcasters.iter().find(|(name, from, _, _)| *name == event && *from == at);
        let (_, _, next, upcast) = step.unwrap_or_else(|| {
            panic!("{event} {at} is stored for ever: give event_names! the way from it to {current}")
        });
        payload = upcast(payload);
        at = next;
    }
    payload
}

/// Every version of an event that there ever was.
fn versions_of(forms: &StoredForms, event: &str) -> BTreeSet<String> {
    let current = forms.versions.iter().filter(|(name, _)| *name == event).map(|(_, version)| *version);
    let older = forms.upcasters.iter().filter(|(name, ..)| *name == event).map(|(_, from, ..)| *from);
    current.chain(older).map(str::to_owned).collect()
}

fn every_sample_loads<A: Aggregate>() {
    let forms = forms_of::<A>();
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(folder().join(A::TYPE)).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let (event, version) = name.strip_suffix(".json").unwrap().split_once('@').unwrap();
        assert!(forms.versions.iter().any(|(name, _)| *name == event), "{event} is stored and unknown now");
        let examples = sample(A::TYPE, event, version).unwrap();
        assert!(!examples.is_empty(), "{name} is empty");
        for example in examples {
            for stored in [example.clone(), erased(example)] {
                let today = raised(&forms, event, version, stored);
                let read: A::Event = serde_json::from_value(today.clone())
                    .unwrap_or_else(|error| panic!("{name} does not load any more: {error}\n{today}"));
                assert_eq!(read.event_type(), event);
                assert_eq!(serde_json::to_value(&read).unwrap(), today, "{name} comes back different");
            }
        }
        found.insert((event.to_owned(), version.to_owned()));
    }
    let known: BTreeSet<(String, String)> = forms
        .versions
        .iter()
        .flat_map(|(name, _)| versions_of(&forms, name).into_iter().map(|at| ((*name).to_owned(), at)))
        .collect();
    assert_eq!(found, known, "every version of every event has a sample, and every sample a version");
}

/// Holds today's examples against the frozen samples.
fn no_form_changed_unnoticed<A: Aggregate>(examples: &[A::Event]) {
    let forms = forms_of::<A>();
    for (event, version) in forms.versions {
        let today: Vec<Value> = examples
            .iter()
            .filter(|example| example.event_type() == *event)
            .map(|example| serde_json::to_value(example).unwrap())
            .collect();
        assert!(!today.is_empty(), "{event} has no example");
        let frozen = sample(A::TYPE, event, version).unwrap_or_else(|| {
            assert!(std::env::var_os(WRITE).is_some(), "{event}@{version} has no sample: run with {WRITE}=1");
            write(A::TYPE, event, version, &today);
            today.clone()
        });
        let advice = format!(
            "{} {event} changed its form under version {version}. Events of the old form are stored for ever: \
             raise the version in event_names!, write the upcaster from {version}, and run with {WRITE}=1 to \
             freeze a sample of the new version. Never edit a sample",
            A::TYPE
        );
        assert_eq!(shape(&today), shape(&frozen), "{advice}");
        let accepted = accepted::<A::Event>(&today);
        assert_eq!(shown(&frozen, &accepted), accepted, "{advice}");
    }
}

macro_rules! aggregates {
    ($($module:ident: $aggregate:ty, $examples:expr;)+) => {$(
        mod $module {
            use super::*;

            #[test]
            fn an_event_that_changes_shape_needs_a_new_version() {
                no_form_changed_unnoticed::<$aggregate>(&$examples);
            }

            #[test]
            fn a_stored_event_of_every_version_loads() {
                every_sample_loads::<$aggregate>();
            }
        }
    )+};
}

aggregates! {
    algorithm: Algorithm, house::algorithm();
    asset: Asset, accounts::asset();
    audit_trail: AuditTrail, accounts::audit_trail();
    conversation: Conversation, chats::conversation();
    credit_ledger: CreditLedger, money::credit_ledger();
    generation_request: GenerationRequest, orders::generation_request();
    session: Session, accounts::session();
    template: Template, house::template();
    user: User, accounts::user();
}
