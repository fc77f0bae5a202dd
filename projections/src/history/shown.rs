//! The part of stored JSON that an auditor may see: personal words are there or `erased`, secrets never are.

use serde_json::{Map, Value, json};

/// Stands in place of a secret.
pub(super) const REDACTED: &str = "redacted";
const ERASED: &str = "erased";

/// A field whose name ends like this holds a secret, or something that one could be guessed back from. Rather
/// one field too many than one too few.
const SECRET_ENDINGS: [&str; 5] = ["hash", "token", "secret", "password", "api_key"];
/// Base64 of thousands of numbers: nobody reads it.
const VECTOR: &str = "embedding";
const VECTOR_CHARS_SHOWN: usize = 16;

pub(super) fn is_secret(field: &str) -> bool {
    let field = field.to_ascii_lowercase();
    SECRET_ENDINGS.iter().any(|ending| field.ends_with(ending))
}

/// Replaces the marked nodes of personal data by what is in them.
pub(super) fn plain(value: Value) -> Value {
    match value {
        Value::Object(mut fields) => {
            if fields.len() == 1 {
                if let Some(Value::Object(node)) = fields.get_mut("$personal") {
                    return plain(node.remove("value").unwrap_or(Value::Null));
                }
                if fields.contains_key("$erased") || fields.contains_key("$sealed") {
                    return json!(ERASED);
                }
            }
            Value::Object(fields.into_iter().map(|(name, field)| (name, plain(field))).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(plain).collect()),
        other => other,
    }
}

/// Takes out secrets and shortens vectors. Of values without marked nodes.
pub(super) fn without_secrets(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let shown = fields.into_iter().map(|(name, field)| {
                let field = field_without_secrets(&name, field);
                (name, field)
            });
            Value::Object(shown.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(without_secrets).collect()),
        other => other,
    }
}

/// A field of that name as it may be shown.
pub(super) fn field_without_secrets(name: &str, field: Value) -> Value {
    match field {
        Value::Null => Value::Null,
        _ if is_secret(name) => json!(REDACTED),
        Value::String(text) if name == VECTOR => {
            let start: String = text.chars().take(VECTOR_CHARS_SHOWN).collect();
            json!(format!("{start}… ({} characters)", text.chars().count()))
        }
        other => without_secrets(other),
    }
}
