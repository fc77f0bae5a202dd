//! The errors that count as poison, and the part of their text that is kept.

use event_log::LogError;

use super::error::{ApplyError, is_about_data, without_quotes};

#[test]
fn what_is_not_the_events_fault_passes() {
    assert!(matches!(ApplyError::from(sqlx::Error::PoolTimedOut), ApplyError::Transient(_)));
    assert!(matches!(ApplyError::from(sqlx::Error::WorkerCrashed), ApplyError::Transient(_)));
    let refused = LogError::Refused { reason: "no such table".to_owned() };
    assert!(matches!(ApplyError::from(refused), ApplyError::Transient(_)));
}

#[test]
fn only_complaints_about_data_are_poison() {
    for code in ["23505", "22P05", "22000", "54000"] {
        assert!(is_about_data(Some(code)), "{code}");
    }
    for code in ["42P01", "40001", "57P01", "53300", "25P02", ""] {
        assert!(!is_about_data(Some(code)), "{code}");
    }
    assert!(!is_about_data(None));
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
