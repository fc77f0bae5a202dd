//! The SQL is checked when it is compiled: nearly every statement of the two crates that hold SQL is given to a macro of
//! sqlx. A statement that is put together at run time says why, in a comment `// dynamic: …` on its line or above it.

use super::{root, sources};

const CRATES: [&str; 2] = ["event_log/src", "projections/src"];
/// The share of checked statements, in percent.
const CHECKED_MIN: usize = 85;

const CHECKED: [&str; 3] = ["sqlx::query!(", "sqlx::query_as!(", "sqlx::query_scalar!("];
const UNCHECKED: [&str; 7] = [
    "sqlx::query(",
    "sqlx::query_as(",
    "sqlx::query_as::<",
    "sqlx::query_scalar(",
    "sqlx::query_scalar::<",
    "sqlx::raw_sql(",
    "QueryBuilder::",
];

/// Tells that the comments at the line, or right above it, give the reason why its statement is not checked.
fn says_why(lines: &[&str], at: usize) -> bool {
    let above = lines[..at].iter().rev().take_while(|line| line.trim_start().starts_with("//"));
    std::iter::once(&lines[at]).chain(above).any(|line| line.contains("// dynamic: "))
}

#[test]
fn nearly_all_statements_are_checked_and_the_others_say_why_not() {
    let (mut checked, mut unchecked, mut silent) = (0, 0, Vec::new());
    for folder in CRATES {
        let mut found = Vec::new();
        sources(&root().join(folder), &mut found);
        for path in found {
            let text = std::fs::read_to_string(&path).unwrap();
            let lines: Vec<&str> = text.lines().collect();
            for (at, line) in lines.iter().enumerate() {
                if line.trim_start().starts_with("//") {
                    continue;
                }
                checked += usize::from(CHECKED.iter().any(|call| line.contains(call)));
                if UNCHECKED.iter().any(|call| line.contains(call)) {
                    unchecked += 1;
                    if !says_why(&lines, at) {
                        silent.push(format!("{}:{}", path.display(), at + 1));
                    }
                }
            }
        }
    }
    assert!(checked > 100, "there are statements: {checked}");
    assert!(
        checked * 100 >= (checked + unchecked) * CHECKED_MIN,
        "{checked} statements are checked, {unchecked} are not"
    );
    assert_eq!(silent, Vec::<String>::new(), "statements that are not checked and do not say why");
}

#[test]
fn a_reason_stands_on_the_line_or_right_above_it() {
    let lines = ["// dynamic: a name", "// of a table", "call()", "call()", "call() // dynamic: a name"];
    assert_eq!([2, 3, 4].map(|at| says_why(&lines, at)), [true, false, true]);
}
