//! Positions, versions and epochs are types of `event_log`: no signature has them as a plain number.

use std::path::PathBuf;

use super::{root, sources};

/// Names of parameters, fields and functions that hold a position, a version or an epoch.
const NAMES: [&str; 18] = [
    "position",
    "positions",
    "after_position",
    "floor_position",
    "first_position",
    "last_position",
    "head",
    "upto",
    "version",
    "versions",
    "expected_version",
    "epoch",
    "start",
    "since",
    "first",
    "last",
    "after",
    "before",
];

/// The declared type behind `name:` or `fn name(...) ->` in a line, without the wrappers around it.
fn bare(line: &str, name: &str) -> bool {
    let is_boundary = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
    line.match_indices(name).any(|(at, _)| {
        let (before, rest) = (&line[..at], &line[at + name.len()..]);
        let declared = if let Some(declared) = rest.strip_prefix(": ") {
            declared
        } else if before.ends_with("fn ") && rest.starts_with('(') {
            rest.split_once("-> ").map_or("", |(_, declared)| declared)
        } else {
            return false;
        };
        let mut declared = declared.trim_start_matches(['&', '[']);
        while let Some(inner) =
            ["Option<", "Vec<", "Result<", "&["].iter().find_map(|wrapper| declared.strip_prefix(wrapper))
        {
            declared = inner;
        }
        is_boundary(before) && declared.starts_with("i64")
    })
}

#[test]
fn no_signature_has_a_position_a_version_or_an_epoch_as_a_plain_number() {
    assert!(
        bare("pub fn head(&self) -> Result<i64, LogError> {", "head"),
        "the search finds what it is to find"
    );
    assert!(bare("    after_position: Option<i64>,", "after_position"));
    assert!(!bare("    let position: Position = row;", "position"));
    let mut found: Vec<PathBuf> = Vec::new();
    for room in ["event_log", "nats", "projections", "commands", "api", "routix"] {
        sources(&root().join(room).join("src"), &mut found);
    }
    let mut plain = Vec::new();
    for path in found {
        // The types themselves count the steps between two of theirs.
        if path.ends_with("event_log/src/numbers.rs") || path.to_string_lossy().ends_with("tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            // A result that is a position only inside is one that lost its type at the door.
            let is_stripped = line.contains("Ok(") && line.contains("position") && line.contains(".get())");
            if is_stripped || NAMES.iter().any(|name| bare(line, name)) {
                plain.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(plain.is_empty(), "{}", plain.join("\n"));
}
