//! The tables of docs/contracts.md and docs/operating.md, row by row beside the code.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use domain::conversation::Line;
use domain::generation_request::Status;
use serde_json::json;

use super::code::{arguments, function, literals, text, texts};
use super::markdown::{Document, marked};
use super::{program, same};

/// The only marked word of a cell.
#[track_caller]
fn word(cell: &str) -> String {
    let [word] = marked(cell)[..] else { panic!("{cell} is one marked word") };
    word.to_owned()
}

fn contracts() -> Document {
    Document::read("docs/contracts.md")
}

/// The constant of `StatusCode` for a status, as `NOT_FOUND`.
fn constant(status: StatusCode) -> Option<String> {
    Some(status.canonical_reason()?.to_uppercase().replace([' ', '-'], "_"))
}

/// Status and code of each problem that a text of Rust makes by `kind` or `Kind`.
fn problems(text: &str) -> BTreeSet<(u16, String)> {
    let dense: String = text.split_whitespace().collect();
    let made: Vec<&str> = dense.split("ind(StatusCode::").skip(1).collect();
    let status = |name: &str| {
        let mut all = (100..600).filter_map(|code| StatusCode::from_u16(code).ok());
        all.find(|status| constant(*status).as_deref() == Some(name))
            .unwrap_or_else(|| panic!("{name} is a status"))
    };
    let problem = |rest: &str| {
        let (name, rest) =
            rest.split_once(",\"").unwrap_or_else(|| panic!("{rest} begins with status and code"));
        (status(name).as_u16(), rest.split('"').next().unwrap_or_default().to_owned())
    };
    made.into_iter().map(problem).collect()
}

#[test]
fn error_codes() {
    let rows = contracts().table("error-codes", "status");
    let documented = rows.iter().map(|row| (row[0].parse().unwrap(), word(&row[1]))).collect();
    let source = text("api/src/problem.rs");
    same("error codes", &documented, &problems(&source));
}

#[test]
fn problems_are_read_from_the_code() {
    let source = "a => kind(StatusCode::NOT_FOUND, \"gone\"),\n b => Kind(\n StatusCode::CONFLICT,\n \"held\",\n json!(1)),";
    assert_eq!(problems(source), BTreeSet::from([(404, "gone".to_owned()), (409, "held".to_owned())]));
}

#[test]
fn events() {
    let mut documented = BTreeSet::new();
    for row in contracts().table("events", "aggregate") {
        for event in marked(&row[1]) {
            let (name, version) = event.split_once('@').unwrap_or((event, "1.0"));
            documented.insert((word(&row[0]), name.to_owned(), version.to_owned()));
        }
    }
    let coded = domain::stored_forms().into_iter().flat_map(|forms| {
        let of_one = |&(name, version): &(&str, &str)| {
            (forms.aggregate_type.to_owned(), name.to_owned(), version.to_owned())
        };
        forms.versions.iter().map(of_one).collect::<Vec<_>>()
    });
    same("events", &documented, &coded.collect());
}

#[test]
fn headers_of_the_stream() {
    let documented = contracts().table("headers", "header").iter().map(|row| word(&row[0])).collect();
    let coded = arguments(&text("nats/src/message.rs"), "name").into_iter().collect();
    same("the stream's headers", &documented, &coded);
}

/// The types of frames in a text of Rust: two lower-case words with a colon between, and what is sent as `unstored`.
fn frames(text: &str) -> BTreeSet<String> {
    let is_word = |word: &str| !word.is_empty() && word.chars().all(|c| c.is_ascii_lowercase() || c == '_');
    let is_type =
        |literal: &String| literal.split_once(':').is_some_and(|(room, name)| is_word(room) && is_word(name));
    literals(text).into_iter().filter(is_type).chain(arguments(text, "unstored")).collect()
}

#[test]
fn live_frames() {
    let rows = contracts().table("live-frames", "type");
    let documented = rows.iter().map(|row| word(&row[0])).collect();
    let sources = texts("api/src/live").into_iter().chain(texts("commands/src/process"));
    same("live frames", &documented, &sources.flat_map(|source| frames(&source)).collect());

    let with_id = rows.iter().filter(|row| row[1] != "no").map(|row| word(&row[0])).collect();
    let stored =
        frames(&text("api/src/live/frame.rs")).into_iter().filter(|kind| kind.contains(':')).collect();
    same("stored frames", &with_id, &stored);
}

#[test]
fn steps_of_progress() {
    let rows = contracts().table("live-frames", "type");
    let row = rows.iter().find(|row| row[0] == "`generation:progress`").unwrap();
    let documented =
        row[1].split(|c: char| !c.is_ascii_digit()).filter_map(|text| text.parse().ok()).collect();
    let shown = Status::ALL.iter().filter(|status| **status != Status::Pending && !status.is_final());
    same(
        "steps of progress",
        &documented,
        &shown.filter_map(|status| status.percent()).collect::<BTreeSet<u8>>(),
    );
}

#[test]
fn types_of_messages() {
    let documented = contracts().table("messages", "type").iter().map(|row| word(&row[0])).collect();
    let coded =
        literals(function(&text("domain/src/conversation/events.rs"), "type_name")).into_iter().collect();
    same("types of messages", &documented, &coded);
}

#[test]
fn lines_of_the_assistant() {
    let rows = contracts().table("messages", "line");
    let documented = rows.iter().map(|row| (word(&row[0]), row[1] == "true")).collect();
    let keys = literals(function(&text("domain/src/conversation/line.rs"), "key"));
    let coded = keys.into_iter().map(|key| {
        // The arguments of every line that has any; the others take no notice.
        let stored = json!({
            "key": key, "required": 1, "available": 1, "returned": 1,
            "name": "v", "what": "picture", "reason": "timed_out",
        });
        let line: Line = serde_json::from_value(stored).unwrap_or_else(|error| panic!("{key}: {error}"));
        (line.key().to_owned(), line.is_final())
    });
    same("the assistant's lines", &documented, &coded.collect());
}

#[test]
fn settings() {
    let rows = Document::read("docs/operating.md").table("settings", "variable");
    let documented = rows.iter().map(|row| {
        let default = row[1].strip_prefix('`').and_then(|cell| cell.strip_suffix('`'));
        (word(&row[0]), default.map(str::to_owned))
    });
    let mut coded = program::settings();
    // A setting that is no option of the whole program is a literal somewhere. In `nats` such names are those of
    // JetStream's own.
    for room in ["api", "commands", "embedded", "event_log", "projections", "providers", "routix"] {
        for literal in texts(&format!("{room}/src")).iter().flat_map(|source| literals(source)) {
            let is_name = literal.chars().all(|c| c.is_ascii_uppercase() || c == '_');
            if is_name && literal.starts_with("ROUTIX_") {
                coded.entry(literal).or_insert(None);
            }
        }
    }
    same("settings", &documented.collect(), &coded.into_iter().collect());
}

#[test]
fn roles() {
    let rows = Document::read("docs/operating.md").table("roles", "role");
    let documented = rows.iter().map(|row| word(&row[0])).collect();
    same("roles", &documented, &program::roles().into_iter().collect());
}
