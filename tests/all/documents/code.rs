//! Words of the code that no function lists: they are read from its text.

use super::{files, root};

/// The text of a file.
#[track_caller]
pub fn text(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The texts of all files of a folder.
pub fn texts(folder: &str) -> Vec<String> {
    files(&root().join(folder), "rs").iter().map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// The body of the first function of a name.
#[track_caller]
pub fn function<'a>(text: &'a str, name: &str) -> &'a str {
    let begun = text.find(&format!("fn {name}(")).unwrap_or_else(|| panic!("there is a function {name}"));
    let indent = text[..begun].lines().last().unwrap_or_default();
    let indent = &indent[..indent.len() - indent.trim_start().len()];
    let end =
        text[begun..].find(&format!("\n{indent}}}")).unwrap_or_else(|| panic!("the function {name} ends"));
    &text[begun..begun + end]
}

/// The string literals of a text, without those in comments.
pub fn literals(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '/' if rest.peek() == Some(&'/') => while rest.next().is_some_and(|c| c != '\n') {},
            // The quote as a character of its own.
            '\'' if rest.peek() == Some(&'"') => {
                rest.next();
            }
            '"' => {
                let mut literal = String::new();
                while let Some(c) = rest.next().filter(|c| *c != '"') {
                    literal.push(c);
                    if c == '\\' {
                        literal.extend(rest.next());
                    }
                }
                found.push(literal);
            }
            _ => {}
        }
    }
    found
}

/// The literals that are the first argument of a call, as in `name("...")`.
pub fn arguments(text: &str, call: &str) -> Vec<String> {
    let opened = format!("{call}(\"");
    let calls = text.split(&opened).skip(1);
    calls.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
}

#[test]
fn literals_are_found() {
    let text =
        "fn a() {\n    // \"no\"\n    b(\"one\", '\"', \"t\\\"wo\");\n}\n\nfn c() {\n    d(\"three\");\n}\n";
    assert_eq!(literals(text), ["one", "t\\\"wo", "three"]);
    assert_eq!(literals(function(text, "a")), ["one", "t\\\"wo"]);
    assert_eq!(arguments(text, "d"), ["three"]);
}
