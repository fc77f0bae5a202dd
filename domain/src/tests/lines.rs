//! The words of the house in every language: the assistant's lines, the ladder and the reasons of failures.

use std::collections::BTreeSet;

use crate::Credits;
use crate::conversation::Line;
use crate::conversation::Missing;
use crate::conversation::lines::welcome;
use crate::generation_request::{FailureReason, Status};
use crate::language::Language;

/// Every line, and each with every choice among its arguments.
pub(crate) fn examples_of_lines() -> Vec<Line> {
    let mut lines = vec![
        Line::GotIt,
        Line::WhichVersion,
        Line::NoVersion,
        Line::AddPicture,
        Line::Perfect,
        Line::Ready,
        Line::NotEnoughCredits { required: Credits(41), available: Credits(17) },
        Line::NotEnoughCredits { required: Credits(1), available: Credits(0) },
        Line::VersionInactive { name: "Routix Zwölf".to_owned() },
        Line::ContentRejected,
    ];
    lines.extend(Missing::ALL.iter().map(|what| Line::Gone { what: *what }));
    for reason in FailureReason::ALL {
        lines.extend([1, 23].map(|returned| Line::Failed { reason: *reason, returned: Credits(returned) }));
    }
    lines
}

/// Every sentence of the house in one language, in the same order for each.
fn sentences(language: Language) -> Vec<String> {
    let lines = examples_of_lines().into_iter().map(|line| line.text(language));
    let statuses = Status::ALL.iter().map(|status| status.sentence(language).to_owned());
    let reasons = FailureReason::ALL.iter().map(|reason| reason.sentence(language));
    let welcome = welcome("Ada", language);
    let suggestions = welcome.suggestions.into_iter().map(str::to_owned);
    lines.chain(statuses).chain(reasons).chain([welcome.greeting]).chain(suggestions).collect()
}

/// The values of the arguments of a line, as a reader has to find them in its text.
fn values(line: &Line) -> Vec<String> {
    match line {
        Line::GotIt
        | Line::WhichVersion
        | Line::NoVersion
        | Line::AddPicture
        | Line::Perfect
        | Line::Ready
        | Line::ContentRejected
        | Line::Gone { .. } => vec![],
        Line::NotEnoughCredits { required, available } => vec![required.to_string(), available.to_string()],
        Line::VersionInactive { name } => vec![name.clone()],
        Line::Failed { returned, .. } => vec![returned.to_string()],
    }
}

#[test]
fn the_examples_show_every_line() {
    let error = serde_json::from_str::<Line>(r#"{ "key": "" }"#).unwrap_err().to_string();
    let known: BTreeSet<&str> = error.split('`').skip(3).step_by(2).collect();
    let lines = examples_of_lines();
    assert_eq!(lines.iter().map(Line::key).collect::<BTreeSet<_>>(), known, "{error}");
    for line in lines {
        assert_eq!(serde_json::to_value(&line).unwrap()["key"], line.key());
    }
}

#[test]
fn every_line_uses_its_arguments_in_every_language() {
    for language in Language::ALL {
        let mut texts = BTreeSet::new();
        for line in examples_of_lines() {
            let text = line.text(*language);
            for value in values(&line) {
                assert!(text.contains(&value), "{value} is missing in {text}");
            }
            assert!(texts.insert(text), "two lines that differ read the same: {line:?}");
        }
        assert!(welcome("Ada", *language).greeting.contains("Ada"));
    }
}

#[test]
fn every_sentence_is_there_in_every_language() {
    let count = sentences(Language::English).len();
    for language in Language::ALL {
        let sentences = sentences(*language);
        assert_eq!(sentences.len(), count);
        assert!(sentences.iter().all(|sentence| sentence.chars().any(char::is_alphabetic)));
        assert!(sentences.iter().all(|sentence| sentence.trim() == sentence && !sentence.contains('{')));
    }
}

/// Words that are the same in both languages, and names.
const SHARED: [&str; 11] =
    ["Ada", "Credit", "Credits", "Laptop", "Logo", "Routix", "Thumbnail", "Version", "Was", "Zwölf", "in"];

fn words(sentence: &str) -> BTreeSet<String> {
    let words = sentence.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    words.filter(|word| !SHARED.contains(word)).map(str::to_lowercase).collect()
}

#[test]
fn no_english_is_left_in_another_language() {
    let english: BTreeSet<String> =
        sentences(Language::English).iter().flat_map(|sentence| words(sentence)).collect();
    for language in Language::ALL.iter().filter(|language| **language != Language::English) {
        for sentence in sentences(*language) {
            let left: Vec<String> = words(&sentence).intersection(&english).cloned().collect();
            assert!(left.is_empty(), "{left:?} in {sentence}");
        }
    }
}

#[test]
fn an_order_ends_with_a_final_line() {
    for line in examples_of_lines() {
        let goes_on = matches!(line, Line::GotIt | Line::WhichVersion | Line::AddPicture | Line::Perfect);
        assert_eq!(line.is_final(), !goes_on, "{line:?}");
    }
}

#[test]
fn the_words_of_the_contract_are_kept() {
    let text = |line: Line| line.text(Language::English);
    assert_eq!(text(Line::GotIt), "Got it! 🎮 Let me create that for you...");
    assert_eq!(text(Line::AddPicture), "Would you like to add your face or logo?");
    assert_eq!(text(Line::Perfect), "Perfect! Generating now... ✨");
    let poor = Line::NotEnoughCredits { required: Credits(4), available: Credits(1) };
    assert_eq!(text(poor.clone()), "This needs 4 credits and you have 1. Nothing was charged.");
    assert_eq!(
        poor.text(Language::German),
        "Dafür brauchst du 4 Credits und hast 1. Es wurde nichts abgebucht."
    );
    let failed = Line::Failed { reason: FailureReason::TimedOut, returned: Credits(1) };
    assert_eq!(
        text(failed.clone()),
        "Generation failed: it took too long. 1 credit returned to your balance."
    );
    assert_eq!(
        failed.text(Language::German),
        "Das hat nicht geklappt: es hat zu lange gedauert. 1 Credit ist wieder auf deinem Konto."
    );
}
