//! Bounded text: what fits at both ends, what is refused just beyond, and in which words.

use proptest::prelude::*;

use crate::{Credits, CustomText, EmailAddress, MessageText, Prompt, Slug, TextError, Title, Username};

fn length(field: &'static str, max: usize, actual: usize) -> Result<String, TextError> {
    Err(TextError::Length { field, min: 1, max, actual })
}

type Parse = fn(&str) -> Result<String, TextError>;

/// Every text with a length: its field, its limit and how it is parsed.
fn kinds() -> [(&'static str, usize, Parse); 5] {
    [
        ("prompt", 1000, |text| Prompt::parse(text).map(|text| text.to_string())),
        ("content", 1000, |text| MessageText::parse(text).map(|text| text.to_string())),
        ("custom_text", 200, |text| CustomText::parse(text).map(|text| text.to_string())),
        ("title", 200, |text| Title::parse(text).map(|text| text.to_string())),
        ("username", 100, |text| Username::parse(text).map(|text| text.to_string())),
    ]
}

#[test]
fn one_character_and_the_maximum_fit_and_none_and_one_more_do_not() {
    for (field, max, parse) in kinds() {
        assert_eq!(parse(""), length(field, max, 0));
        assert_eq!(parse("x"), Ok("x".to_owned()));
        assert_eq!(parse(&"x".repeat(max)), Ok("x".repeat(max)));
        assert_eq!(parse(&"x".repeat(max + 1)), length(field, max, max + 1));
    }
}

#[test]
fn lengths_are_counted_in_characters_not_bytes() {
    for (field, max, parse) in kinds() {
        assert_eq!(parse(&"語".repeat(max)), Ok("語".repeat(max)));
        assert_eq!(parse(&"語".repeat(max + 1)), length(field, max, max + 1));
    }
}

#[test]
fn blanks_around_a_text_neither_count_nor_stay() {
    for (field, max, parse) in kinds() {
        assert_eq!(parse(&format!(" \n{}\t ", "x".repeat(max))), Ok("x".repeat(max)));
        assert_eq!(parse(" \u{3000}\n\t"), length(field, max, 0));
    }
}

#[test]
fn lines_and_tabs_are_text_and_other_control_characters_are_not() {
    assert_eq!(Prompt::parse("a\r\n\tb").unwrap().as_str(), "a\r\n\tb");
    for control in ['\0', '\u{7}', '\u{1b}', '\u{85}'] {
        let refused = Prompt::parse(&format!("a{control}b")).unwrap_err();
        assert_eq!(refused, TextError::Form { field: "prompt", reason: "it holds control characters" });
        assert_eq!(refused.field(), "prompt");
    }
}

#[test]
fn a_refusal_says_what_would_fit() {
    let refused = CustomText::parse(&"x".repeat(201)).unwrap_err();
    assert_eq!(refused.to_string(), "custom_text must have 1 to 200 characters, not 201");
}

#[test]
fn a_short_message_is_its_own_title() {
    let title = |text: &str| Title::from_message(&MessageText::parse(text).unwrap()).to_string();
    assert_eq!(title("A cat on a volcano"), "A cat on a volcano");
    assert_eq!(title("A cat\n on  a\tvolcano"), "A cat on a volcano");
    assert_eq!(title(&"x".repeat(60)), "x".repeat(60));
}

#[test]
fn a_long_message_is_cut_between_words_and_marked() {
    let title = |text: &str| Title::from_message(&MessageText::parse(text).unwrap()).to_string();
    let words = "word ".repeat(11);
    assert_eq!(title(&format!("{words}1234 cut")), format!("{words}1234…"));
    assert_eq!(title(&format!("{words}12345 cut")), format!("{}…", words.trim_end()));
}

#[test]
fn a_first_word_that_is_too_long_is_cut_and_marked() {
    let title = Title::from_message(&MessageText::parse(&"語".repeat(61)).unwrap());
    assert_eq!(title.as_str(), format!("{}…", "語".repeat(59)));
}

proptest! {
    #[test]
    fn a_title_made_of_any_message_is_a_title_of_at_most_sixty_characters(text in "\\PC{1,1000}") {
        if let Ok(message) = MessageText::parse(&text) {
            let title = Title::from_message(&message);
            prop_assert!(title.as_str().chars().count() <= 60, "{}", title);
            prop_assert_eq!(Title::parse(title.as_str()), Ok(title));
        }
    }

    #[test]
    fn what_was_parsed_parses_to_itself(text in "(\\PC|\\s){0,1100}") {
        if let Ok(message) = MessageText::parse(&text) {
            prop_assert_eq!(MessageText::parse(message.as_str()), Ok(message));
        }
    }
}

#[test]
fn usual_email_addresses_are_accepted_as_they_are_written() {
    for text in ["a@b.c", "Alice.O'Hara+tag@mail.example-host.co.uk", "用户@例子.公司", "x@1.de"] {
        let address = EmailAddress::parse(text).unwrap();
        assert_eq!((address.as_str(), AsRef::<str>::as_ref(&address)), (text, text));
    }
}

#[test]
fn what_is_no_email_address_is_refused() {
    let texts = [
        "",
        "@",
        "a@",
        "@b.c",
        "ab.c",
        "a@b",
        "a@b.",
        "a@.c",
        "a@b..c",
        "a@-b.c",
        "a@b-.c",
        "a b@c.d",
        "a@b@c.d",
        "\"a\"@b.c",
        "a@b_c.d",
        "a@b.c/d",
        "a@b c.d",
    ];
    for text in texts {
        assert!(EmailAddress::parse(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn an_email_address_with_a_line_break_or_tab_inside_is_refused() {
    for text in ["a\nb@c.d", "a\r\nBcc: x@c.d", "a\tb@c.d", "a@c\n.d", "a\u{a0}b@c.d"] {
        assert!(EmailAddress::parse(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn an_email_address_has_at_most_64_bytes_before_the_at_and_255_characters() {
    let host = "example.com";
    assert!(EmailAddress::parse(&format!("{}@{host}", "a".repeat(64))).is_ok());
    assert!(EmailAddress::parse(&format!("{}@{host}", "a".repeat(65))).is_err());
    let long = |labels: usize| format!("a@{}.de", vec!["b".repeat(9); labels].join("."));
    assert_eq!(long(25).len(), 254);
    assert!(EmailAddress::parse(&long(25)).is_ok());
    assert!(EmailAddress::parse(&long(26)).is_err());
}

#[test]
fn two_addresses_that_differ_in_letter_case_only_are_the_same() {
    let normal = |text: &str| EmailAddress::parse(text).unwrap().normalised();
    assert_eq!(normal("Alice@Example.COM"), normal("alice@example.com"));
    assert_ne!(normal("alice@example.com"), normal("alicia@example.com"));
}

#[test]
fn a_slug_is_made_of_small_letters_digits_and_dashes() {
    for text in ["routix_v1", "a", "0-9", &"x".repeat(100)] {
        assert_eq!(Slug::parse(text).unwrap().as_str(), text);
    }
    for text in ["", "Routix", "routix v1", "routix/v1", "é", &"x".repeat(101)] {
        assert!(Slug::parse(text).is_err(), "{text:?} was accepted");
    }
}

#[test]
fn credits_neither_wrap_round_nor_fall_below_zero() {
    assert_eq!(Credits(2).plus(Credits(3)), Credits(5));
    assert_eq!(Credits(u32::MAX).plus(Credits(1)), Credits(u32::MAX));
    assert_eq!(Credits(2).minus(Credits(2)), Some(Credits::ZERO));
    assert_eq!(Credits(2).minus(Credits(3)), None);
    assert_eq!([Credits(u32::MAX), Credits(1)].into_iter().sum::<Credits>(), Credits(u32::MAX));
}
