//! Brings stored events to the form that this program knows.
//!
//! Events are never edited, so a stored one has the form of its day. What is older is raised step by step by
//! pure functions; what is newer, or came by a way nobody described, is refused as unreadable and never
//! guessed. An event of the current version costs a look-up and a comparison: no parsing, no copy.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value;
use uuid::Uuid;

use crate::LogError;

/// A step from one version of an event to the next.
#[derive(Debug, Clone, Copy)]
pub struct Upcaster {
    pub event_type: &'static str,
    pub from_version: &'static str,
    pub to_version: &'static str,
    /// Total and pure. Personal nodes are opened, or marked as erased, and must keep their marks.
    pub upcast: fn(Value) -> Value,
}

impl From<(&'static str, &'static str, &'static str, fn(Value) -> Value)> for Upcaster {
    fn from(
        (event_type, from_version, to_version, upcast): (
            &'static str,
            &'static str,
            &'static str,
            fn(Value) -> Value,
        ),
    ) -> Self {
        Self { event_type, from_version, to_version, upcast }
    }
}

#[derive(Debug)]
struct Known {
    current: &'static str,
    steps: Vec<Upcaster>,
}

#[derive(Debug, Clone)]
struct Forms {
    snapshot_form: &'static str,
    events: Arc<HashMap<&'static str, Known>>,
}

/// The events that this program knows, each with its current version, and the forms of states in snapshots.
/// Without any, every event is taken as it is stored. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct EventForms(Arc<HashMap<&'static str, Forms>>);

impl EventForms {
    /// Adds one aggregate: the form of its state, the names of its events with their current versions, and the steps
    /// that lead there.
    ///
    /// # Errors
    /// `Refused` when a step is of an unknown event, leads nowhere, or shares its start with another.
    pub fn with<U: Copy + Into<Upcaster>>(
        mut self,
        aggregate_type: &'static str,
        snapshot_form: &'static str,
        versions: &'static [(&'static str, &'static str)],
        upcasters: &[U],
    ) -> Result<Self, LogError> {
        let mut events: HashMap<_, _> = versions
            .iter()
            .map(|(event_type, current)| (*event_type, Known { current, steps: vec![] }))
            .collect();
        for step in upcasters {
            let step: Upcaster = (*step).into();
            let known = events.get_mut(step.event_type).ok_or_else(|| misplaced(aggregate_type, &step))?;
            if step.from_version == known.current
                || known.steps.iter().any(|other| other.from_version == step.from_version)
            {
                return Err(misplaced(aggregate_type, &step));
            }
            known.steps.push(step);
        }
        for known in events.values() {
            if let Some(lost) = known.steps.iter().find(|step| known.way_from(step.from_version).is_none()) {
                return Err(misplaced(aggregate_type, lost));
            }
        }
        Arc::make_mut(&mut self.0).insert(aggregate_type, Forms { snapshot_form, events: Arc::new(events) });
        Ok(self)
    }

    /// The mark of a snapshot. A snapshot with another mark is ignored and replaced.
    pub(crate) fn schema_tag(&self, aggregate_type: &str) -> String {
        let form = self.0.get(aggregate_type).map_or("undeclared", |forms| forms.snapshot_form);
        format!("{aggregate_type}/{form}")
    }

    /// The payload of an event in today's form. An aggregate that nobody declared passes as it is.
    pub(crate) fn raise<'a>(
        &self,
        stored: &Stored<'_>,
        payload: Cow<'a, str>,
    ) -> Result<Cow<'a, str>, LogError> {
        let Some(forms) = self.0.get(stored.aggregate_type) else { return Ok(payload) };
        let Some(known) = forms.events.get(stored.event_type) else {
            return Err(stored.unreadable("this program does not know such an event"));
        };
        if stored.event_version == known.current {
            return Ok(payload);
        }
        let way = known.way_from(stored.event_version).ok_or_else(|| {
            stored.unreadable(&format!(
                "it is stored in version {}, and this program knows {} and no way between them",
                stored.event_version, known.current
            ))
        })?;
        let mut value =
            serde_json::from_str(&payload).map_err(|error| stored.unreadable(&error.to_string()))?;
        for step in way {
            value = (step.upcast)(value);
        }
        Ok(Cow::Owned(value.to_string()))
    }
}

impl Known {
    /// The steps from an older version to the current one.
    fn way_from(&self, version: &str) -> Option<Vec<&Upcaster>> {
        let mut way = Vec::new();
        let mut at = version;
        while at != self.current {
            let step = self.steps.iter().find(|step| step.from_version == at)?;
            // More steps than there are would be a circle.
            if way.len() == self.steps.len() {
                return None;
            }
            way.push(step);
            at = step.to_version;
        }
        Some(way)
    }
}

/// The form of a stored event, and its place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stored<'a> {
    pub(crate) aggregate_type: &'a str,
    pub(crate) aggregate_id: &'a str,
    pub(crate) sequence: i64,
    pub(crate) event_type: &'a str,
    pub(crate) event_version: &'a str,
    /// The person whom the event belongs to.
    pub(crate) owner: Option<Uuid>,
}

impl Stored<'_> {
    pub(crate) fn unreadable(&self, reason: &str) -> LogError {
        let Self { aggregate_type, aggregate_id, sequence, event_type, .. } = self;
        LogError::Unreadable {
            what: format!("{aggregate_type}/{aggregate_id} at sequence {sequence} ({event_type})"),
            reason: reason.to_owned(),
        }
    }
}

fn misplaced(aggregate_type: &str, step: &Upcaster) -> LogError {
    let Upcaster { event_type, from_version, to_version, .. } = step;
    LogError::Refused {
        reason: format!(
            "the upcaster of {aggregate_type} {event_type} from {from_version} to {to_version} leads nowhere"
        ),
    }
}
