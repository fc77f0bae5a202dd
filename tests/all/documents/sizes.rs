//! The first documents are short, and so is the way to a new command.

use super::markdown::Document;

#[test]
fn each_of_the_first_documents_is_short() {
    for (path, kib_max) in [("ARCHITECTURE.md", 18), ("README.md", 7), ("BENCHMARKS.md", 6)] {
        let bytes = Document::read(path).text.len();
        assert!(bytes <= kib_max * 1024, "{path} has {bytes} bytes, more than {kib_max} KiB");
    }
}

#[test]
fn a_command_touches_nine_files_at_most() {
    let files = Document::read("docs/adding.md").table("a-command", "");
    assert!((1..=9).contains(&files.len()), "{} files", files.len());
}
