//! The known faults: the patches in `tests/mutants`, and the table of its `README.md` that names the test of each.

use std::path::{Path, PathBuf};

const TABLE: &str = "README.md";
/// Stands in the table where no test is named yet.
const NONE: &str = "-";

/// A fault, and the test that has to fail under it.
#[derive(Debug)]
pub struct Fault {
    pub id: String,
    pub package: String,
    /// A target of the package: `lib`, or the name of a test target.
    pub target: String,
    /// The whole name of the test in its target.
    pub test: Option<String>,
    pub patch: PathBuf,
}

/// The faults with these ids, or all of them.
pub fn read(folder: &Path, ids: &[String]) -> Vec<Fault> {
    let table = std::fs::read_to_string(folder.join(TABLE)).unwrap();
    let faults: Vec<Fault> = table.lines().filter_map(|line| fault(folder, line)).collect();
    for id in ids {
        assert!(faults.iter().any(|fault| fault.id == *id), "{id} is not in the table");
    }
    faults.into_iter().filter(|fault| ids.is_empty() || ids.contains(&fault.id)).collect()
}

/// The fault of a row. Heads and rules of tables are none: no patch has their name.
fn fault(folder: &Path, line: &str) -> Option<Fault> {
    let cells: Vec<&str> =
        line.trim().strip_prefix('|')?.strip_suffix('|')?.split('|').map(str::trim).collect();
    let [id, _, package, target, test] = cells[..] else { return None };
    let patch = folder.join(format!("{id}.patch"));
    patch.exists().then(|| Fault {
        id: id.to_owned(),
        package: package.to_owned(),
        target: target.to_owned(),
        test: (test != NONE).then(|| test.to_owned()),
        patch,
    })
}
