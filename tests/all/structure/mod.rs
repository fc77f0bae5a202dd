//! The house keeps its shape: who may depend on whom, what every file says of itself, how long it may be.

mod circles;
mod dependencies;
mod modules;
mod numbers;
mod sql;
mod tokens;
mod wording;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// The crates of the workspace, as cargo tells of them.
fn packages() -> Vec<Value> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--no-deps", "--format-version", "1", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn arrows_between_rooms_run_one_way() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = [
        ("domain", vec![]),
        ("event_log", vec![]),
        ("nats", vec!["event_log"]),
        ("providers", vec![]),
        ("embedded", vec![]),
        ("commands", vec!["domain", "event_log", "nats", "providers"]),
        ("projections", vec!["domain", "event_log", "nats"]),
        ("api", vec!["commands", "domain", "event_log", "nats", "projections", "providers"]),
        (
            "testing",
            vec!["commands", "domain", "embedded", "event_log", "nats", "projections", "providers", "routix"],
        ),
        (
            "routix",
            vec!["api", "commands", "domain", "embedded", "event_log", "nats", "projections", "providers"],
        ),
    ]
    .into_iter()
    .map(|(room, arrows)| (room, arrows.into_iter().collect()))
    .collect();
    let packages = packages();
    assert_eq!(packages.len(), allowed.len() + 1, "every room but tests has its arrows here");
    for package in &packages {
        let room = package["name"].as_str().unwrap();
        let Some(arrows) = allowed.get(room) else {
            assert_eq!(room, "tests");
            continue;
        };
        for dependency in package["dependencies"].as_array().unwrap() {
            let name = dependency["name"].as_str().unwrap();
            let is_room = allowed.contains_key(name) && dependency["kind"].is_null();
            assert!(!is_room || arrows.contains(name), "{room} must not depend on {name}");
        }
    }
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_module_says_what_it_is_and_no_file_is_too_long() {
    let mut found = Vec::new();
    sources(&root(), &mut found);
    assert!(found.len() > 100);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        assert!(text.starts_with("//!"), "{shown} opens with what it is");
        let limit = if shown.contains("tests") { 600 } else { 500 };
        let lines = text.lines().count();
        assert!(lines <= limit, "{shown} has {lines} lines, a seam shows before {limit}");
    }
}

/// Clippy counts the lines of functions, where nothing lets it pass one over.
#[test]
fn functions_are_short_and_none_is_excused() {
    let limits = std::fs::read_to_string(root().join("clippy.toml")).unwrap();
    assert!(limits.lines().any(|line| line == "too-many-lines-threshold = 80"));
    let mut found = Vec::new();
    sources(&root(), &mut found);
    let lint = ["too", "many", "lines"].join("_");
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains(&lint), "{} excuses a long function", path.display());
    }
}

#[test]
fn sql_lives_in_the_log_the_projections_and_the_migrations_and_axum_in_the_api() {
    let mut found = Vec::new();
    for room in ["domain", "nats", "commands", "providers", "api", "embedded", "routix"] {
        sources(&root().join(room).join("src"), &mut found);
    }
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        for word in ["sqlx::query", "SELECT ", "INSERT INTO", "DELETE FROM"] {
            let is_embedded = shown.starts_with("embedded") && word == "SELECT ";
            assert!(is_embedded || !text.contains(word), "{shown} holds SQL: {word}");
        }
        assert!(shown.starts_with("api") || !text.contains("axum::"), "{shown} speaks HTTP");
    }
}

#[test]
fn only_the_program_knows_where_traces_go() {
    for room in ["domain", "event_log", "nats", "projections", "providers", "commands", "embedded", "api"] {
        let manifest = std::fs::read_to_string(root().join(room).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("opentelemetry"), "{room} opens spans and nothing more");
    }
}
