//! Every dependency that a manifest declares is named by a source file of its crate.
//!
//! A dependency of the program must be named below `src` outside of tests, otherwise it belongs under
//! `dev-dependencies`. A name in a comment does not count.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::{packages, root, sources};

/// Dependencies that no source file names, each with the reason why it is declared all the same.
const UNNAMED: [(&str, &str); 0] = [];

/// A dependency as `cargo metadata` tells of it.
struct Declared {
    name: String,
    is_dev: bool,
}

fn declared(package: &Value) -> Vec<Declared> {
    let dependencies = package["dependencies"].as_array().unwrap();
    let declared = dependencies.iter().map(|dependency| Declared {
        name: dependency["name"].as_str().unwrap().to_owned(),
        is_dev: dependency["kind"] == "dev",
    });
    declared.collect()
}

#[test]
fn every_dependency_of_a_crate_is_named_by_one_of_its_files() {
    let mut unnamed = Vec::new();
    for package in packages() {
        let room = package["name"].as_str().unwrap();
        let folder = Path::new(package["manifest_path"].as_str().unwrap()).parent().unwrap();
        let mut files = Vec::new();
        sources(folder, &mut files);
        let texts: Vec<(bool, String)> = files
            .iter()
            .map(|path| {
                let text = std::fs::read_to_string(path).unwrap();
                (is_of_the_program(path.strip_prefix(folder).unwrap()), without_comments(&text))
            })
            .collect();
        for dependency in declared(&package) {
            let mut texts = texts.iter().filter(|(of_program, _)| dependency.is_dev || *of_program);
            let is_excused = UNNAMED.iter().any(|(excused, _)| *excused == dependency.name);
            if !is_excused && !texts.any(|(_, text)| names(text, &dependency.name.replace('-', "_"))) {
                unnamed.push(format!("{room}: {}", dependency.name));
            }
        }
    }
    assert!(unnamed.is_empty(), "declared, and named by no file: {unnamed:?}");
}

#[test]
fn every_dependency_of_the_workspace_is_declared_by_a_crate() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split_once("[workspace.dependencies]\n").unwrap().1;
    let table = table.split_once("\n[").unwrap().0;
    let lines = table.lines().filter_map(|line| line.split_once(" = ")).map(|(name, _)| name.trim());
    let known: BTreeSet<String> = lines.filter(|name| !name.starts_with('#')).map(str::to_owned).collect();
    assert!(known.len() > 30, "the table was read");
    let used: BTreeSet<String> =
        packages().iter().flat_map(declared).map(|dependency| dependency.name).collect();
    let unused: Vec<&String> = known.difference(&used).collect();
    assert!(unused.is_empty(), "declared for the workspace, and by no crate: {unused:?}");
}

/// A file below `src` that is neither `tests.rs`, `<something>_tests.rs` nor in a folder `tests`.
fn is_of_the_program(path: &Path) -> bool {
    let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
    let is_test = |part: &&str| *part == "tests" || *part == "tests.rs" || part.ends_with("_tests.rs");
    parts.first() == Some(&"src") && !parts.iter().any(is_test)
}

/// The text without its line comments, which are the only ones that the house writes.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| line.split_once("//").map_or(line, |(code, _)| code));
    code.collect::<Vec<_>>().join("\n")
}

/// `name::` as the first part of a path, or `use name;`.
fn names(text: &str, name: &str) -> bool {
    text.match_indices(name).any(|(at, _)| {
        let (before, behind) = (&text[..at], &text[at + name.len()..]);
        let begins = !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == ':');
        let is_used = before.ends_with("use ") && (behind.starts_with(';') || behind.starts_with(" as "));
        begins && (behind.starts_with("::") || is_used)
    })
}

#[test]
fn a_name_counts_only_as_the_beginning_of_a_path() {
    for text in ["use bytes::Bytes;", "let a = bytes::Bytes::new();", "use bytes;", "use bytes as b;"] {
        assert!(names(text, "bytes"), "{text}");
    }
    for text in ["picture.bytes", "my_bytes::of", "crate::bytes::of", "as_bytes::<u8>()", "use bytes_more;"] {
        assert!(!names(text, "bytes"), "{text}");
    }
    assert!(!names(&without_comments("// see bytes::Bytes"), "bytes"));
}
