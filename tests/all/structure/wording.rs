//! Doc comments are sentences with a subject: few open with a word that only points at one.

use super::{root, sources};

const POINTERS: [&str; 9] = ["What", "Whether", "How", "Who", "Where", "One", "When", "That", "Of"];
/// So many of a hundred may.
const SHARE_MAX: usize = 6;

#[test]
fn few_doc_comments_open_with_a_word_that_only_points_at_a_subject() {
    let (mut all, mut pointing) = (0, Vec::new());
    let mut found = Vec::new();
    sources(&root(), &mut found);
    for path in found {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut is_inside = false;
        for (number, line) in text.lines().enumerate() {
            let line = line.trim_start();
            let opener = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            if let Some(opener) = opener
                && !is_inside
            {
                all += 1;
                let word =
                    opener.trim_start().split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
                if POINTERS.contains(&word) {
                    pointing.push(format!("{}:{}: {}", path.display(), number + 1, opener.trim()));
                }
            }
            is_inside = opener.is_some();
        }
    }
    assert!(all > 2000, "there are doc comments");
    assert!(pointing.len() * 100 <= all * SHARE_MAX, "{} of {all}:\n{}", pointing.len(), pointing.join("\n"));
}
