//! The words of the library.

use super::{TemplateStatus, normalised};

#[test]
fn categories_are_compared_without_case_and_space() {
    assert_eq!(normalised("  Gaming "), "gaming");
    assert_eq!(normalised("ÄSTHETIK"), "ästhetik");
    assert_eq!(normalised(" "), "");
}

#[test]
fn statuses_are_the_words_of_the_contract() {
    let words: Vec<&str> = TemplateStatus::ALL.iter().map(|status| status.name()).collect();
    assert_eq!(words, ["pending_analysis", "analyzing", "analyzed", "failed"]);
}
