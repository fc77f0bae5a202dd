//! The changes of a state by an event.

use serde::Serialize;
use serde_json::{Map, Value};

use super::shown::field_without_secrets;

/// A place of the state that is not as it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Difference {
    /// A JSON pointer (RFC 6901); empty for the whole state.
    pub path: String,
    /// Left out when there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub before: Option<Value>,
    /// Left out when there is nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<Value>,
}

/// The places in which two states differ, in the order of their paths. Secrets are compared, not shown.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare(&Place { path: String::new(), name: "" }, Some(before), Some(after), &mut found);
    found
}

struct Place<'a> {
    path: String,
    /// The nearest field that has a name: items of a list have that of the list.
    name: &'a str,
}

impl<'a> Place<'a> {
    fn field(&self, name: &'a str) -> Self {
        Self { path: format!("{}/{}", self.path, name.replace('~', "~0").replace('/', "~1")), name }
    }

    fn item(&self, index: usize) -> Self {
        Self { path: format!("{}/{index}", self.path), name: self.name }
    }
}

fn compare<'a>(
    place: &Place<'a>,
    before: Option<&'a Value>,
    after: Option<&'a Value>,
    found: &mut Vec<Difference>,
) {
    match (before, after) {
        _ if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => fields(place, before, after, found),
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                compare(&place.item(index), before.get(index), after.get(index), found);
            }
        }
        _ => {
            let shown = |value: Option<&Value>| value.map(|v| field_without_secrets(place.name, v.clone()));
            found.push(Difference { path: place.path.clone(), before: shown(before), after: shown(after) });
        }
    }
}

fn fields<'a>(
    place: &Place<'a>,
    before: &'a Map<String, Value>,
    after: &'a Map<String, Value>,
    found: &mut Vec<Difference>,
) {
    for (name, value) in before {
        compare(&place.field(name), Some(value), after.get(name), found);
    }
    for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        compare(&place.field(name), None, Some(value), found);
    }
}
