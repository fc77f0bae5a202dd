//! A document as its tests read it: sections, tables, links and marked words, without fenced examples.

use std::collections::BTreeSet;

use super::{files, root};

/// A document of the repository.
pub struct Document {
    /// From the root of the repository.
    pub path: String,
    pub text: String,
}

/// A heading and the lines up to the next one.
pub struct Section {
    pub anchor: String,
    pub lines: Vec<String>,
}

impl Document {
    /// Reads the document at a path from the root.
    pub fn read(path: &str) -> Self {
        let text =
            std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        Self { path: path.to_owned(), text }
    }

    pub fn all() -> Vec<Self> {
        let paths = files(&root(), "md");
        paths.iter().map(|path| Self::read(path.strip_prefix(root()).unwrap().to_str().unwrap())).collect()
    }

    /// The sections without what is fenced. The first one has no heading.
    pub fn sections(&self) -> Vec<Section> {
        let mut sections = vec![Section { anchor: String::new(), lines: Vec::new() }];
        let mut is_fenced = false;
        for line in self.text.lines() {
            if line.trim_start().starts_with("```") {
                is_fenced = !is_fenced;
            } else if !is_fenced && line.starts_with('#') {
                let anchor = anchor(line.trim_start_matches('#').trim());
                sections.push(Section { anchor, lines: Vec::new() });
            } else if !is_fenced {
                sections.last_mut().unwrap().lines.push(line.to_owned());
            }
        }
        sections
    }

    /// The anchors of the headings.
    pub fn anchors(&self) -> BTreeSet<String> {
        self.sections().into_iter().map(|section| section.anchor).collect()
    }

    /// The rows of the first table of a section whose first column has this title, without head and rule.
    #[track_caller]
    pub fn table(&self, anchor: &str, first_column: &str) -> Vec<Vec<String>> {
        let sections = self.sections();
        let section = sections.iter().find(|section| section.anchor == anchor);
        let section = section.unwrap_or_else(|| panic!("{} has no section {anchor}", self.path));
        let head = section
            .lines
            .iter()
            .position(|line| cells(line).first().is_some_and(|cell| cell == first_column));
        let head = head.unwrap_or_else(|| panic!("{}#{anchor} has no table of {first_column}", self.path));
        let rows = section.lines[head..].iter().map_while(|line| line.starts_with('|').then(|| cells(line)));
        rows.skip(2).collect()
    }
}

/// The cells of a table's row; none of another line.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().strip_prefix('|').and_then(|line| line.strip_suffix('|'));
    inner.map(|inner| inner.split('|').map(|cell| cell.trim().to_owned()).collect()).unwrap_or_default()
}

/// The name of a heading in addresses, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    kept.map(|c| if c == ' ' { '-' } else { c.to_ascii_lowercase() }).collect()
}

/// The words between backticks.
pub fn marked(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The targets of links and pictures.
pub fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn a_document_is_taken_apart() {
    let text = "Before.\n\n## Live `frames`, and more\n\n```sh\n# no heading\n```\n\n| a | b |\n| --- | --- |\n\
                | `x` | [y](z.md#q) |\n\nAfter `one` and `two`.\n";
    let document = Document { path: "made-up.md".to_owned(), text: text.to_owned() };
    assert_eq!(document.anchors(), BTreeSet::from([String::new(), "live-frames-and-more".to_owned()]));
    let rows = document.table("live-frames-and-more", "a");
    assert_eq!(rows, [["`x`", "[y](z.md#q)"]]);
    assert_eq!(links(&rows[0][1]), ["z.md#q"]);
    assert_eq!(marked("After `one` and `two`."), ["one", "two"]);
}
