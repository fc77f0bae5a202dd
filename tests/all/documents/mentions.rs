//! Everything that a document mentions is there: files, folders, links with their anchors, names of the code, tests.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::markdown::{Document, links, marked};
use super::{files, root};

/// The beginnings of marked words with a slash that are no paths of the repository: addresses, media types, and the
/// data folder of the program.
const ELSEWHERE: [&str; 3] = ["/", "application/", ".routix/"];
const FILES: [&str; 4] = [".rs", ".sql", ".toml", ".md"];

/// The paths that a pattern means: `<name>` stands for any part of a name.
fn meant(pattern: &str) -> Vec<PathBuf> {
    let mut found = vec![root()];
    for part in pattern.split('/').filter(|part| !part.is_empty()) {
        found = match part.split_once('<').and_then(|(start, rest)| Some((start, rest.split_once('>')?.1))) {
            None => found.into_iter().map(|folder| folder.join(part)).filter(|path| path.exists()).collect(),
            Some((start, end)) => found.iter().flat_map(|folder| entries(folder, start, end)).collect(),
        };
    }
    found
}

/// The entries of a folder whose names have this start and this end.
fn entries(folder: &Path, start: &str, end: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let entries = entries.map(|entry| entry.unwrap());
    let fits = |name: &str| name.starts_with(start) && name.ends_with(end);
    entries.filter(|entry| fits(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect()
}

/// Tells whether a marked word is a path with a folder in it.
fn is_path(word: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_-.,/<>{}".contains(c);
    word.contains('/') && word.chars().all(is_plain) && !ELSEWHERE.iter().any(|start| word.starts_with(start))
}

/// The paths and file names of a document that are not there. A bare file name is looked for beside the document and
/// beside the paths that its section named before.
fn lost(document: &Document) -> Vec<String> {
    let mut lost = Vec::new();
    let own = root().join(&document.path).parent().unwrap().to_owned();
    for section in document.sections() {
        let mut beside = BTreeSet::from([root(), own.clone()]);
        let text = section.lines.join("\n");
        for word in marked(&text) {
            if is_path(word) {
                let paths = meant(word);
                if paths.is_empty() {
                    lost.push(word.to_owned());
                }
                for path in paths {
                    beside.insert(path.parent().unwrap().to_owned());
                    beside.insert(path);
                }
            } else if FILES.iter().any(|end| word.ends_with(end)) && !word.contains([' ', '/']) {
                let is_there = beside.iter().any(|folder| folder.join(word).exists());
                if !is_there {
                    lost.push(word.to_owned());
                }
            }
        }
    }
    lost
}

/// The links of a document that lead nowhere.
fn broken(document: &Document) -> Vec<String> {
    let folder = root().join(&document.path).parent().unwrap().to_owned();
    let is_broken = |link: &&str| {
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let target = if path.is_empty() { root().join(&document.path) } else { folder.join(path) };
        let Ok(target) = target.canonicalize() else { return true };
        let root = root().canonicalize().unwrap();
        let Ok(path) = target.strip_prefix(root) else { return true };
        !anchor.is_empty() && !Document::read(path.to_str().unwrap()).anchors().contains(anchor)
    };
    let text: String = document.sections().into_iter().flat_map(|section| section.lines).collect();
    let own = links(&text).into_iter().filter(|link| !link.contains("://"));
    own.filter(is_broken).map(str::to_owned).collect()
}

/// The names in `a::b` and in `f()`; none of another word.
fn names(word: &str) -> Vec<&str> {
    let path = word.strip_suffix("()").unwrap_or(word);
    let names: Vec<&str> = path.split("::").collect();
    let is_name =
        |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if (names.len() > 1 || path != word) && names.iter().all(is_name) { names } else { Vec::new() }
}

/// The findings in each document, with its path.
fn of_each(documents: &[Document], find: impl Fn(&Document) -> Vec<String>) -> Vec<(String, String)> {
    let of_one = |document: &Document| {
        find(document).into_iter().map(|found| (document.path.clone(), found)).collect::<Vec<_>>()
    };
    documents.iter().flat_map(of_one).collect()
}

#[test]
fn every_path_in_a_document_exists() {
    let documents = Document::all();
    assert!(documents.len() > 8, "there are documents");
    let lost = of_each(&documents, lost);
    assert!(lost.is_empty(), "documents name paths that are not there: {lost:#?}");
}

#[test]
fn every_link_in_a_document_leads_somewhere() {
    let broken = of_each(&Document::all(), broken);
    assert!(broken.is_empty(), "documents have broken links: {broken:#?}");
}

#[test]
fn every_name_of_the_code_in_a_document_occurs_in_the_code() {
    let sources = files(&root(), "rs").into_iter().filter(|path| !path.starts_with(root().join("tests")));
    let mut known = BTreeSet::new();
    for path in sources {
        let text = std::fs::read_to_string(path).unwrap();
        known.extend(text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').map(str::to_owned));
    }
    let unknown = of_each(&Document::all(), |document| {
        let text: String = document.sections().into_iter().flat_map(|section| section.lines).collect();
        let named = marked(&text).into_iter().flat_map(names);
        named.filter(|name| !known.contains(*name)).map(str::to_owned).collect()
    });
    assert!(unknown.is_empty(), "documents name things that the code does not have: {unknown:#?}");
}

#[test]
fn every_test_in_the_table_of_faults_exists() {
    let rows = Document::read("docs/faults.md").table("one-test-each", "fault");
    assert!(rows.len() > 20, "the table has rows");
    for row in rows {
        let [file] = marked(&row[1])[..] else { panic!("one file stands in {row:?}") };
        let tests = marked(&row[2]);
        assert!(!tests.is_empty(), "a test stands in {row:?}");
        let text =
            std::fs::read_to_string(root().join(file)).unwrap_or_else(|error| panic!("{file}: {error}"));
        for test in tests {
            assert!(is_test(&text, test), "{file} has no test {test}");
        }
    }
}

/// Tells whether the text of a file declares a test of this name.
fn is_test(text: &str, name: &str) -> bool {
    let Some((before, _)) = text.split_once(&format!("fn {name}(")) else { return false };
    let mut above = before.lines().rev().skip(1).take_while(|line| line.trim_start().starts_with('#'));
    above.any(|line| line.contains("test"))
}

#[test]
fn mentions_of_what_is_not_there_are_found() {
    let text = "`event_log/src/append/mod.rs` and `pacing.rs`, `<room>/src/lib.rs`, `docs`.\n\n## Next\n\n\
                `pacing.rs`, `event_log/src/nowhere.rs`, `apii/src/lib.rs`, `<room>/src/never.rs`, `/api/v1/me`.\n\
                [here](README.md#two-commands), [there](README.md#three-commands), [gone](GONE.md)\n";
    let document = Document { path: "made-up.md".to_owned(), text: text.to_owned() };
    let missing = ["pacing.rs", "event_log/src/nowhere.rs", "apii/src/lib.rs", "<room>/src/never.rs"];
    assert_eq!(lost(&document), missing);
    assert_eq!(broken(&document), ["README.md#three-commands", "GONE.md"]);
    assert_eq!(names("Unit::run"), ["Unit", "run"]);
    assert_eq!(names("all()"), ["all"]);
    assert_eq!(names("generation:failed"), [""; 0]);
    assert!(is_test("#[tokio::test]\nasync fn it_works() {", "it_works"));
    assert!(!is_test("/// A test.\nfn it_works() {", "it_works"));
}
