//! The table of faults in tests/mutants has a row for each patch, and each row names a test that exists.

use std::collections::BTreeSet;

use super::markdown::Document;
use super::{files, root, same};

#[test]
fn every_fault_has_a_patch_a_row_and_a_test() {
    let rows = Document::read("tests/mutants/README.md").table("faults-that-the-tests-must-notice", "id");
    let documented: BTreeSet<String> = rows.iter().map(|row| row[0].clone()).collect();
    assert_eq!(documented.len(), rows.len(), "an id is that of one fault");
    let stem = |path: &std::path::PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    let patches = files(&root().join("tests/mutants"), "patch");
    same("faults", &documented, &patches.iter().map(stem).collect());
    for row in rows {
        let [id, _, package, _, test] = &row[..] else { panic!("{row:?} has five cells") };
        // No test is named yet.
        if test == "-" {
            continue;
        }
        let name = test.rsplit("::").next().unwrap();
        let is_there = files(&root().join(package), "rs")
            .iter()
            .any(|path| std::fs::read_to_string(path).unwrap().contains(&format!("fn {name}(")));
        assert!(is_there, "{id}: {package} has no test {name}");
    }
}
