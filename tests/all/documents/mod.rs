//! The documents are true where a machine can tell: their sizes, the paths, names and tests that they mention, and
//! their tables, which are compared with the code row by row.

mod code;
mod markdown;
mod mentions;
mod mutants;
mod program;
mod sizes;
mod tables;

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files below a folder whose names end with `.<extension>`, without build products and hidden folders.
fn files(folder: &Path, extension: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            found.extend(files(&path, extension));
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The rows of a table in a document are those of the code.
#[track_caller]
fn same<T: Ord + Debug>(table: &str, documented: &BTreeSet<T>, coded: &BTreeSet<T>) {
    assert!(!coded.is_empty(), "the code has rows for the table of {table}");
    let missing: Vec<&T> = coded.difference(documented).collect();
    let foreign: Vec<&T> = documented.difference(coded).collect();
    assert!(
        missing.is_empty() && foreign.is_empty(),
        "the table of {table} lacks {missing:?}, and the code knows nothing of {foreign:?}"
    );
}

#[test]
#[should_panic(expected = "the table of numbers lacks [3], and the code knows nothing of [1]")]
fn a_row_that_is_missing_on_either_side_is_found() {
    same("numbers", &BTreeSet::from([1, 2]), &BTreeSet::from([2, 3]));
}
