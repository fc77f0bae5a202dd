//! What clients were told against the log: invariants 1, 3, 6 and 7.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value;
use uuid::Uuid;

use super::stored::{Stored, person_and_command};
use crate::support::told::{Acknowledged, ReadBack};

type Effects = BTreeMap<(Uuid, Uuid), Vec<i64>>;

/// The positions of each command of each person.
pub fn effects(log: &[Stored]) -> Effects {
    let mut effects = Effects::new();
    for event in log {
        effects.entry(person_and_command(event)).or_default().push(event.position);
    }
    effects
}

/// The id that a command gets by its key, derived here a second time.
pub fn command_id(owner: Uuid, key: &str) -> Uuid {
    Uuid::new_v5(&owner, format!("idempotency-key {key}").as_bytes())
}

/// An acknowledged command is in the log, at the position that was told, under the id that its key gives.
pub fn what_was_acknowledged_is_in_the_log(log: &[Stored], acknowledged: &[Acknowledged]) {
    let effects = effects(log);
    let head = i64::try_from(log.len()).unwrap();
    for command in acknowledged {
        let position = command.position;
        assert!(
            (1..=head).contains(&position),
            "invariant 1: an acknowledged command at {position} is in the log, which ends at {head}"
        );
        if let Some(key) = &command.key {
            let found = effects.get(&(command.owner, command_id(command.owner, key)));
            assert_eq!(
                found.and_then(|positions| positions.last()),
                Some(&position),
                "invariant 1: the command {key} of {} was told to be at {position}",
                command.owner
            );
        }
    }
}

/// Whoever had seen a position when a command was sent finds the command behind it.
pub fn effects_stand_behind_their_causes(log: &[Stored], acknowledged: &[Acknowledged]) {
    let effects = effects(log);
    for command in acknowledged {
        let Acknowledged { seen, position, .. } = *command;
        // A command that changed nothing tells the head as it was.
        assert!(
            position >= seen,
            "invariant 3: a command at {position} was sent by someone who had seen {seen}"
        );
        let Some(key) = &command.key else { continue };
        if let Some(positions) = effects.get(&(command.owner, command_id(command.owner, key))) {
            assert!(
                positions[0] > seen,
                "invariant 3: the command {key} began at {} though its author had seen {seen}",
                positions[0]
            );
        }
    }
}

/// A key that was used again got the same answer; a command that was refused, and sent once, had no effect.
pub fn a_key_has_one_answer(log: &[Stored], acknowledged: &[Acknowledged], refused: &[(Uuid, String)]) {
    let mut answers: HashMap<(Uuid, &str), &Acknowledged> = HashMap::new();
    for command in acknowledged {
        let Some(key) = &command.key else { continue };
        let first = answers.entry((command.owner, key)).or_insert(command);
        let told = |command: &Acknowledged| (command.status, command.position, without_tokens(&command.body));
        assert_eq!(told(first), told(command), "invariant 6: the key {key} has one answer");
    }
    let effects = effects(log);
    for (owner, key) in refused {
        let is_accepted = answers.contains_key(&(*owner, key.as_str()));
        let effect = effects.get(&(*owner, command_id(*owner, key)));
        assert!(
            is_accepted || effect.is_none(),
            "invariant 6: the command {key} was refused and has the events {effect:?}"
        );
    }
}

/// Tokens are signed anew for every answer.
fn without_tokens(body: &Value) -> Value {
    let mut body = body.clone();
    if let Some(fields) = body.as_object_mut() {
        fields.retain(|name, _| !name.ends_with("_token"));
    }
    body
}

/// A page that was to have seen everything up to a position held every message that stands there.
pub fn reads_have_seen_what_they_must(log: &[Stored], reads: &[ReadBack]) {
    let mut chats: HashMap<&str, Vec<(i64, &str)>> = HashMap::new();
    for event in log.iter().filter(|event| event.event == "MessagePosted") {
        let message = event.payload["message_id"].as_str().unwrap();
        chats.entry(&event.id).or_default().push((event.position, message));
    }
    for page in reads.iter().filter(|page| page.is_whole) {
        let Some(said) = chats.get(page.chat.as_str()) else { continue };
        for (position, message) in said.iter().filter(|(position, _)| *position <= page.after) {
            assert!(
                page.messages.iter().any(|held| held == message),
                "invariant 7: a page read after {} misses the message of position {position}",
                page.after
            );
        }
    }
}
