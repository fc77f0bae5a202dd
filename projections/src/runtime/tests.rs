//! What counts as poison, and what is kept of an error's text.

use event_log::LogError;

use super::ApplyError;
use super::error::without_quotes;

#[test]
fn a_lost_connection_passes_and_a_refused_row_does_not() {
    assert!(matches!(ApplyError::from(sqlx::Error::PoolTimedOut), ApplyError::Transient(_)));
    assert!(matches!(ApplyError::from(sqlx::Error::WorkerCrashed), ApplyError::Transient(_)));
    let refused = LogError::Refused { reason: "a constraint".to_owned() };
    assert!(matches!(ApplyError::from(refused), ApplyError::Poison { .. }));
}

#[test]
fn the_reason_of_a_poison_event_holds_nothing_that_a_person_wrote() {
    let error = serde_json::from_str::<u32>(r#""my \"secret\" wish""#).unwrap_err();
    let unreadable = LogError::Unreadable { what: "event 7 (X)".to_owned(), reason: error.to_string() };
    let ApplyError::Poison { reason } = ApplyError::from(unreadable) else { panic!("it is poison") };
    assert!(!reason.contains("secret") && !reason.contains("wish"), "{reason}");
    assert!(reason.contains("event 7 (X)") && reason.contains("expected u32"), "{reason}");
}

#[test]
fn text_outside_quotes_is_kept() {
    assert_eq!(without_quotes(r#"a "b" c "d\\" e"#), r#"a "…" c "…" e"#);
    assert_eq!(without_quotes("no quotes"), "no quotes");
    assert_eq!(without_quotes(r#"open "for ever"#), r#"open "…""#);
}
