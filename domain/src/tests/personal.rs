//! Personal values: how they are stored, and that nothing but the owner shows in a log line.

use serde_json::json;

use super::examples::{ALICE, hers, words};
use crate::{MessageText, Personal};

const SECRET: &str = "my secret cat";

fn erased() -> Personal<MessageText> {
    Personal::Erased { owner: ALICE }
}

#[test]
fn a_known_value_is_stored_as_a_marked_node_that_names_its_owner() {
    let node = json!({ "$personal": { "owner": ALICE.to_string(), "value": SECRET } });
    assert_eq!(serde_json::to_value(hers(words(SECRET))).unwrap(), node);
    let read: Personal<MessageText> = serde_json::from_value(node).unwrap();
    assert_eq!(read, hers(words(SECRET)));
}

#[test]
fn an_erased_value_is_stored_as_a_mark_without_a_value() {
    let node = json!({ "$erased": { "owner": ALICE.to_string() } });
    assert_eq!(serde_json::to_value(erased()).unwrap(), node);
    let read: Personal<MessageText> = serde_json::from_value(node).unwrap();
    assert_eq!(read, erased());
}

#[test]
fn a_sealed_or_bare_value_is_not_mistaken_for_a_known_one() {
    let nodes = [
        json!({ "$sealed": { "owner": ALICE.to_string(), "box": "AAAA" } }),
        json!({ "$personal": { "value": SECRET } }),
        json!(SECRET),
    ];
    for node in nodes {
        assert!(serde_json::from_value::<Personal<MessageText>>(node.clone()).is_err(), "{node} was read");
    }
}

#[test]
fn debug_shows_whose_it_is_and_never_what_it_is() {
    let shown = format!("{:?} {:#?}", hers(words(SECRET)), Some(hers(SECRET.to_owned())));
    assert!(!shown.contains("secret"), "{shown}");
    assert!(shown.contains(&ALICE.to_string()));
    assert!(format!("{:?}", erased()).contains("erased"));
}

#[test]
fn an_event_shown_by_debug_keeps_personal_text_to_itself() {
    let event = crate::conversation::ConversationEvent::BriefCompleted {
        conversation_id: super::examples::CHAT,
        prompt: hers(words(SECRET)),
        algorithm_id: super::examples::ROUTIX_V1,
        face: None,
        logo: None,
        completed_at: super::examples::minute(0),
    };
    assert!(!format!("{event:?}").contains("secret"));
}

#[test]
fn a_reader_sees_the_text_or_that_it_was_erased() {
    assert_eq!(hers(words(SECRET)).text(), SECRET);
    assert_eq!(erased().text(), "erased");
    assert_eq!(hers(words(SECRET)).known().map(MessageText::as_str), Some(SECRET));
    assert_eq!(erased().known(), None);
    assert_eq!((hers(1).owner(), erased().owner()), (ALICE, ALICE));
}

#[test]
fn what_is_made_of_a_personal_value_belongs_to_the_same_person() {
    assert_eq!(hers(20).map(|value| value + 1), hers(21));
    assert_eq!(erased().map(|text| text.as_str().len()), Personal::Erased { owner: ALICE });
}
