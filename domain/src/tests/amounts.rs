//! Amounts as they stand in sentences.

use crate::Credits;

#[test]
fn an_amount_in_a_sentence_agrees_with_its_number() {
    let sentence = |amount: u32| format!("{}, or {}", Credits(amount).in_words(), Credits(amount));
    assert_eq!(sentence(0), "0 credits, or 0");
    assert_eq!(sentence(1), "1 credit, or 1");
    assert_eq!(sentence(24), "24 credits, or 24");
}
