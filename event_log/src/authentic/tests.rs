//! Values against one computed elsewhere (Python's hmac), and what they do not let pass.

use super::*;
use crate::Position;

const ORIGIN: Uuid = Uuid::from_u128(3);

fn authenticator() -> Authenticator {
    Authenticator::new(&[7; 32], ORIGIN)
}

fn event() -> RecordedEvent {
    let mut event = RecordedEvent {
        position: Position::new(1),
        aggregate_type: "jar".to_owned(),
        aggregate_id: "j1".to_owned(),
        sequence: 7,
        event_type: "CoinsPut".to_owned(),
        event_version: "1.0".to_owned(),
        payload: r#"{"amount":1}"#.to_owned(),
        metadata: r#"{"actor":"user:1"}"#.to_owned(),
        event_id: Uuid::from_u128(5),
        owner_id: Some(Uuid::from_u128(9)),
        recorded_at: chrono::DateTime::UNIX_EPOCH,
        chain: vec![],
        authentication: vec![],
    };
    event.authentication = authenticator().of_event(&event.digest()).to_vec();
    event
}

#[test]
fn a_value_is_of_the_documented_form() {
    assert_eq!(hex::encode(event().authentication), EXPECTED);
}

/// `b"\x01\x01" + hmac.digest(b"\x07" * 32, digest + (3).to_bytes(16, "big"), "sha256")`
const EXPECTED: &str = "01013e1ac888b80385dae14652bb10d74520595336609e587979447587ab85af38c4";

#[test]
fn a_value_holds_for_its_event_its_log_and_its_key_only() {
    assert!(authenticator().is_authentic(&event()));
    let changed = [
        RecordedEvent { payload: r#"{"amount":2}"#.to_owned(), ..event() },
        RecordedEvent { metadata: r#"{"actor":"admin:1"}"#.to_owned(), ..event() },
        RecordedEvent { sequence: 8, ..event() },
        RecordedEvent { owner_id: None, ..event() },
        RecordedEvent { authentication: vec![], ..event() },
        RecordedEvent { authentication: [&[2], &event().authentication[1..]].concat(), ..event() },
        RecordedEvent { authentication: [&[1, 2], &event().authentication[2..]].concat(), ..event() },
    ];
    for forged in changed {
        assert!(!authenticator().is_authentic(&forged), "{forged:?}");
        let admitted = authenticator().admit(forged.clone());
        assert_eq!((admitted.aggregate_type.as_str(), admitted.owner_id), ("void", None));
        assert_eq!(admitted.position, forged.position, "its place stays taken");
    }
    assert!(!Authenticator::new(&[8; 32], ORIGIN).is_authentic(&event()));
    assert!(!Authenticator::new(&[7; 32], Uuid::from_u128(4)).is_authentic(&event()));
    assert_eq!(authenticator().admit(event()), event());
}

#[test]
fn a_value_of_a_snapshot_is_none_of_an_event() {
    let snapshot = SnapshotDigest {
        aggregate_type: "jar",
        aggregate_id: "j1",
        version: Version::new(100),
        schema_tag: "jar/1",
        event_id: Uuid::from_u128(5),
        payload: r#"{"coins":1}"#,
    };
    let value = authenticator().of_snapshot(&snapshot);
    assert!(authenticator().is_snapshot(&snapshot, &value));
    let changed = [
        SnapshotDigest { payload: r#"{"coins":9}"#, ..snapshot },
        SnapshotDigest { version: Version::new(200), ..snapshot },
        SnapshotDigest { aggregate_id: "j2", ..snapshot },
        SnapshotDigest { event_id: Uuid::from_u128(6), ..snapshot },
        SnapshotDigest { schema_tag: "jar/2", ..snapshot },
    ];
    for other in changed {
        assert!(!authenticator().is_snapshot(&other, &value), "{other:?}");
    }
    assert!(!authenticator().has_value(&snapshot.compute(), &value));
}
