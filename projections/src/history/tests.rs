//! The view of auditors on states and events: differences, and no secrets.

use serde_json::{Value, json};

use super::diff::differences;
use super::fold::beginning;
use super::shown::{plain, without_secrets};

fn told(before: &Value, after: &Value) -> Value {
    serde_json::to_value(differences(before, after)).unwrap()
}

#[test]
fn a_difference_names_its_place_and_both_values() {
    let before = json!({ "Open": { "title": "a", "pictures": { "face": null }, "parts": [1, 2] } });
    let after =
        json!({ "Open": { "title": "b", "pictures": { "face": "x" }, "parts": [1, 3, 4], "new": true } });
    assert_eq!(
        told(&before, &after),
        json!([
            { "path": "/Open/parts/1", "before": 2, "after": 3 },
            { "path": "/Open/parts/2", "after": 4 },
            { "path": "/Open/pictures/face", "before": null, "after": "x" },
            { "path": "/Open/title", "before": "a", "after": "b" },
            { "path": "/Open/new", "after": true },
        ])
    );
    assert_eq!(told(&before, &before), json!([]));
    assert_eq!(
        told(&json!("NotStarted"), &json!({ "a/b~c": 1 })),
        json!([{ "path": "", "before": "NotStarted", "after": { "a/b~c": 1 } }])
    );
    let (one, two) = (json!({ "a/b~c": 1 }), json!({ "a/b~c": 2 }));
    assert_eq!(told(&one, &two), json!([{ "path": "/a~1b~0c", "before": 1, "after": 2 }]));
}

#[test]
fn a_changed_secret_is_told_and_not_shown() {
    let (before, after) =
        (json!({ "password_hash": "$argon2$old" }), json!({ "password_hash": "$argon2$new" }));
    let told = told(&before, &after);
    assert_eq!(told, json!([{ "path": "/password_hash", "before": "redacted", "after": "redacted" }]));
    let registered = differences(&json!("Unregistered"), &json!({ "Active": before }));
    assert!(!serde_json::to_string(&registered).unwrap().contains("argon2"));
}

#[test]
fn personal_words_are_shown_until_they_are_erased() {
    let owner = "00000000-0000-0000-0000-000000000007";
    let event = json!({
        "title": { "$personal": { "owner": owner, "value": "My words" } },
        "prompt": { "$erased": { "owner": owner } },
        "job": { "texts": [{ "$personal": { "owner": owner, "value": { "headline": "EPIC" } } }] },
    });
    let shown =
        json!({ "title": "My words", "prompt": "erased", "job": { "texts": [{ "headline": "EPIC" }] } });
    assert_eq!(plain(event), shown);
}

#[test]
fn secrets_never_leave_and_vectors_are_shortened() {
    let owner = "00000000-0000-0000-0000-000000000007";
    let event = json!({
        "password_hash": { "$personal": { "owner": owner, "value": "$argon2id$secret" } },
        "token": "f00d",
        "refresh_token": ["f00d"],
        "config": { "api_key": "f00d", "size": "1280x720" },
        "analysis": { "embedding": "A".repeat(8192), "embedding_model": "ngrams-1" },
    });
    let shown = without_secrets(plain(event));
    let text = shown.to_string();
    assert!(!text.contains("f00d") && !text.contains("argon2"), "{text}");
    assert_eq!(shown["config"]["size"], "1280x720");
    assert_eq!(shown["analysis"]["embedding"], format!("{}… (8192 characters)", "A".repeat(16)));
    assert_eq!(shown["analysis"]["embedding_model"], "ngrams-1");
}

#[test]
fn every_aggregate_of_the_history_can_be_folded() {
    use crate::Projection;
    for aggregate in super::History.spec().reads {
        assert!(beginning(aggregate).is_some(), "{aggregate}");
    }
    assert!(beginning("nothing").is_none());
}
