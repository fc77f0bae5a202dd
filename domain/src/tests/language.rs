//! The language in which a person is answered.

use Language::{English, German};

use crate::language::{Known, Language};

#[test]
fn the_profile_comes_before_the_message_and_the_message_before_the_request() {
    let none = Known::default();
    assert_eq!(none.choose(), English);
    assert_eq!(Known { request: Some(German), ..none }.choose(), German);
    assert_eq!(Known { message: Some(English), request: Some(German), ..none }.choose(), English);
    assert_eq!(Known::of_request(Some("de")), Known { request: Some(German), ..none });
    assert_eq!([Known::of_request(Some("fr")), Known::of_request(None)], [none, none]);
    let all = Known { profile: Some(German), message: Some(English), request: Some(English) };
    assert_eq!(all.choose(), German);
}

#[test]
fn a_client_gets_the_language_that_it_wants_most() {
    for (header, wanted) in [
        ("de", Some(German)),
        ("DE-ch", Some(German)),
        ("en-GB,en;q=0.9", Some(English)),
        ("de;q=0.4, en;q=0.5", Some(English)),
        ("fr, de;q=0.7, en;q=0.3", Some(German)),
        ("de, en", Some(German)),
        ("en, de", Some(English)),
        ("de ; q=0.001", Some(German)),
    ] {
        assert_eq!(Language::negotiate(header), wanted, "{header}");
    }
}

#[test]
fn a_client_that_names_none_of_ours_has_no_language() {
    for header in ["", "fr", "*", "de;q=0", "de;q=2", "de;q=many", "deutsch", "den", ",;,", "en;level=1"] {
        assert_eq!(Language::negotiate(header), None, "{header}");
    }
}
