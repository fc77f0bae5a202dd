//! What is let through and what is not.

use super::*;

fn categories(text: &str) -> Vec<String> {
    match review(text) {
        Verdict::Allowed => Vec::new(),
        Verdict::Rejected { categories } => categories,
    }
}

#[test]
fn everyday_words_of_games_and_history_are_allowed() {
    for text in [
        "Create gaming thumbnail with explosions",
        "I killed the final boss with a bomb in Minecraft",
        "World War 2 explained",
        "Sussex travel guide and Essex beaches",
        "Grape juice, therapist tips and a scunthorpe vlog",
        "How to survive a zombie apocalypse 100 days",
        "",
    ] {
        assert_eq!(categories(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn listed_words_are_rejected_with_their_category() {
    assert_eq!(categories("a NUDE model"), ["sexual"]);
    assert_eq!(categories("how to make a bomb at home"), ["illegal"]);
    assert_eq!(categories("heil hitler rally"), ["hate"]);
    assert_eq!(categories("porn and a school shooting"), ["sexual", "violence"]);
}

#[test]
fn simple_disguises_do_not_help() {
    for text in ["p0rn", "pooorn", "p o r n", "p.o.r.n", "n@ked", "P0RN!!!"] {
        assert_eq!(categories(text), ["sexual"], "{text}");
    }
}
