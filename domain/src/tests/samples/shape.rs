//! The form of stored JSON: which fields there are, of which kinds, and what a choice can be.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::Value;

/// Free JSON of others: its form is not ours.
const FREE: [&str; 2] = ["config", "style_dna"];
/// Fields that tell which variant an object is.
const TAGS: [&str; 3] = ["key", "kind", "who"];
/// A name that no choice ever has.
const NOTHING: &str = "no such choice";

/// The value at each path.
pub(super) type Shape = BTreeMap<String, BTreeSet<String>>;

struct Place {
    /// The path of the field, the same in every element of an array.
    path: String,
    pointer: String,
    value: Value,
}

/// The kinds of values that examples have at each path; of an object its fields.
pub(super) fn shape(examples: &[Value]) -> Shape {
    let mut shape = Shape::new();
    for place in examples.iter().flat_map(places) {
        shape.entry(place.path).or_default().insert(kind(&place.value));
    }
    shape
}

/// The variants that the type accepts at each path. It is asked by offering it one that it does not know.
pub(super) fn accepted<E: DeserializeOwned>(examples: &[Value]) -> Shape {
    let mut accepted = Shape::new();
    for example in examples {
        for place in places(example).into_iter().filter(|place| place.pointer != "/type") {
            let mut other = example.clone();
            *other.pointer_mut(&place.pointer).unwrap() = Value::from(NOTHING);
            let error = serde_json::from_value::<E>(other).err().map(|error| error.to_string());
            if let Some(names) = error.as_deref().and_then(variants) {
                accepted.insert(place.path, names);
            }
        }
    }
    accepted
}

/// The variants that examples show at these paths.
pub(super) fn shown(examples: &[Value], paths: &Shape) -> Shape {
    let mut shown = Shape::new();
    for place in examples.iter().flat_map(places).filter(|place| paths.contains_key(&place.path)) {
        shown.entry(place.path).or_default().insert(variant(&place.value));
    }
    for names in shown.values_mut() {
        names.remove("null");
    }
    shown
}

/// The variant that stands at a place: a word, or the only field of an object that holds what the variant carries.
fn variant(value: &Value) -> String {
    match value {
        Value::String(word) => word.clone(),
        Value::Object(fields) if fields.len() == 1 => fields.keys().cloned().collect(),
        other => kind(other),
    }
}

/// The names in serde's "unknown variant `x`, expected one of `a`, `b`".
fn variants(error: &str) -> Option<BTreeSet<String>> {
    let expected = error.strip_prefix(&format!("unknown variant `{NOTHING}`, expected"))?;
    let names: BTreeSet<String> = expected.split('`').skip(1).step_by(2).map(str::to_owned).collect();
    // The marks of personal nodes are no choice of an event's.
    (!names.iter().any(|name| name.starts_with('$'))).then_some(names)
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        Value::Bool(_) => "bool".to_owned(),
        Value::Number(_) => "number".to_owned(),
        Value::String(_) => "string".to_owned(),
        Value::Array(_) => "array".to_owned(),
        Value::Object(fields) => {
            format!("object of {}", fields.keys().map(String::as_str).collect::<Vec<_>>().join(", "))
        }
    }
}

fn places(example: &Value) -> Vec<Place> {
    let mut found = Vec::new();
    walk(example, "", "", &mut found);
    found
}

fn walk(value: &Value, path: &str, pointer: &str, found: &mut Vec<Place>) {
    let mut inner = path.to_owned();
    match value {
        Value::Object(fields) => {
            let tag = TAGS.iter().find_map(|tag| fields.get(*tag)?.as_str());
            for (name, field) in fields.iter().filter(|(name, _)| !FREE.contains(&name.as_str())) {
                let is_tag = TAGS.contains(&name.as_str());
                let of = tag.filter(|_| !is_tag).map(|tag| format!("({tag})")).unwrap_or_default();
                walk(field, &format!("{path}{of}/{name}"), &format!("{pointer}/{name}"), found);
            }
            inner += &tag.map(|tag| format!("({tag})")).unwrap_or_default();
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{path}/*"), &format!("{pointer}/{index}"), found);
            }
        }
        _ => {}
    }
    found.push(Place { path: inner, pointer: pointer.to_owned(), value: value.clone() });
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Deserialize)]
    struct Event {
        #[serde(rename = "role")]
        _role: Role,
    }

    #[derive(Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Role {
        User,
        Admin,
    }

    #[test]
    fn a_field_that_is_added_left_out_renamed_or_of_another_kind_is_another_shape() {
        let stored = json!({ "type": "Put", "amount": 1, "notes": [{ "text": "a" }] });
        let same = json!({ "type": "Put", "amount": 2, "notes": [{ "text": "b" }, { "text": "c" }] });
        let shape = |example: &Value| shape(std::slice::from_ref(example));
        assert_eq!(shape(&stored), shape(&same));
        for other in [
            json!({ "type": "Put", "amount": 1, "notes": [{ "text": "a" }], "at": null }),
            json!({ "type": "Put", "notes": [{ "text": "a" }] }),
            json!({ "type": "Put", "coins": 1, "notes": [{ "text": "a" }] }),
            json!({ "type": "Put", "amount": "1", "notes": [{ "text": "a" }] }),
            json!({ "type": "Put", "amount": 1, "notes": [{ "text": "a", "by": "b" }] }),
            json!({ "type": "Put", "amount": null, "notes": [{ "text": "a" }] }),
        ] {
            assert_ne!(shape(&stored), shape(&other), "{other}");
        }
    }

    #[test]
    fn a_variant_without_an_example_is_missed() {
        let (user, admin) = (json!({ "role": "user" }), json!({ "role": "admin" }));
        let accepted = accepted::<Event>(std::slice::from_ref(&user));
        assert_eq!(accepted["/role"], BTreeSet::from(["user".to_owned(), "admin".to_owned()]));
        assert_ne!(shown(std::slice::from_ref(&user), &accepted), accepted);
        assert_eq!(shown(&[user, admin], &accepted), accepted);
    }
}
