//! No command is left out, and no question of it without a reason.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const QUESTIONS: [&str; 5] = ["happy", "refused", "repeated", "stale", "foreign"];

/// The questions that do not apply to a command, and why.
const WITHOUT: [(&str, &[&str], &str); 24] = [
    ("define_algorithm", &["stale", "foreign"], "it makes the algorithm, which belongs to the house"),
    ("upload_asset", &["stale", "foreign"], "it makes the asset"),
    ("delete_asset", &["stale"], "an asset does not change"),
    (
        "request_retry_of_projection",
        &["refused", "stale", "foreign"],
        "whatever an admin asks for is written down",
    ),
    ("request_retry_of_work", &["refused", "stale", "foreign"], "whatever an admin asks for is written down"),
    ("start_conversation", &["refused", "stale", "foreign"], "it makes the chat, and every title is fine"),
    ("rename_conversation", &[], ""),
    ("archive_conversation", &[], ""),
    ("post_text", &["stale"], "a message follows whatever came before"),
    ("choose_algorithm", &["stale"], "a message follows whatever came before"),
    ("attach_picture", &["stale"], "a message follows whatever came before"),
    ("grant_credits", &["stale", "foreign"], "an admin gives whoever it is whatever there is already"),
    ("erase_person", &["stale", "foreign"], "the caller has checked who asks; it is done whatever the state"),
    ("create_generation", &["stale"], "it makes the request"),
    ("regenerate", &["stale"], "it makes the request"),
    ("cancel_generation", &["stale"], "the end of a request has no version to wait for"),
    ("log_in", &["refused", "stale", "foreign"], "it makes the session; the password was checked before"),
    ("refresh", &["stale", "foreign"], "whoever has the token has the session"),
    ("log_out", &["stale", "foreign"], "the session is that of the token"),
    ("upload_template", &["stale", "foreign"], "it makes the template, which belongs to the house"),
    ("analyze_template", &["stale", "foreign"], "an admin asks for it whatever was analysed before"),
    ("set_template_active", &["stale", "foreign"], "on is on, whoever said it last"),
    ("register", &["stale", "foreign"], "it makes the account"),
    (
        "raise_password_hash",
        &["refused", "repeated", "stale", "foreign"],
        "a login does it with the hash that it verified; a newer one stays",
    ),
];

#[test]
fn every_command_is_asked_every_question_that_applies() {
    let known: BTreeSet<&str> = WITHOUT.iter().map(|(command, ..)| *command).collect();
    let commands = commands();
    let names: BTreeSet<&str> = commands.iter().map(String::as_str).collect();
    assert_eq!(known, names, "the table has the commands of the write side");
    let tests: Vec<String> = texts("tests/all").into_iter().flat_map(|text| tests_of(&text)).collect();
    let mut missing = Vec::new();
    for (command, without, reason) in WITHOUT {
        assert_eq!(without.is_empty(), reason.is_empty(), "{command}: what is left out has a reason");
        for question in QUESTIONS {
            let is_asked = tests.iter().any(|test| test.starts_with(&format!("{command}::{question}_")));
            if is_asked == without.contains(&question) {
                missing.push(format!("{command}::{question}"));
            }
        }
    }
    assert!(missing.is_empty(), "neither a test nor a reason, or both: {missing:?}");
}

/// The functions of the write side that answer with `Done`.
fn commands() -> Vec<String> {
    let mut found = Vec::new();
    for text in texts("src") {
        for (at, _) in text.match_indices("    pub async fn ") {
            let head = text[at..].split('{').next().unwrap();
            let name = head.trim_start().trim_start_matches("pub async fn ").split('(').next().unwrap();
            let is_own = !text[..at].contains("impl KeptErasures");
            if is_own && head.contains("-> Result<Done<") {
                found.push(name.to_owned());
            }
        }
    }
    found
}

/// The tests of a file as `module::test`.
fn tests_of(text: &str) -> Vec<String> {
    let mut module = "";
    let mut found = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(" {")) {
            module = name;
        } else if let Some(rest) = line.strip_prefix("    async fn ") {
            found.push(format!("{module}::{}", rest.split('(').next().unwrap()));
        }
    }
    found
}

fn texts(folder: &str) -> Vec<String> {
    let mut folders = vec![PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder)];
    let mut texts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension() == Some(Path::new("rs").as_os_str()) {
                texts.push(std::fs::read_to_string(path).unwrap());
            }
        }
    }
    texts
}
