//! Rust text as tokens: names, `::`, quoted texts and single signs. Comments and lifetimes are left out.

/// A token; a quoted text keeps its opening quote, so that it is never taken for a name.
pub type Token = String;

pub fn tokens(text: &str) -> Vec<Token> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = raw_text(rest) {
            found.push("\"".to_owned());
            length
        } else if first == '"' || rest.starts_with("b\"") {
            let length = quoted(rest);
            found.push(rest[rest.find('"').unwrap_or_default()..length].to_owned());
            length
        } else if first == '\'' {
            character_or_lifetime(rest)
        } else if first.is_alphanumeric() || first == '_' {
            let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
            found.push(rest[..length].to_owned());
            length
        } else if rest.starts_with("::") {
            found.push("::".to_owned());
            2
        } else {
            if !first.is_whitespace() {
                found.push(first.to_string());
            }
            first.len_utf8()
        };
        rest = &rest[length..];
    }
    found
}

/// Comments of this kind may hold each other.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0, 0);
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

/// The length of `r"..."`, `r#"..."#` and so on, where the text begins with one.
fn raw_text(text: &str) -> Option<usize> {
    let begun = text.strip_prefix("br").or_else(|| text.strip_prefix('r'))?;
    let hashes = begun.len() - begun.trim_start_matches('#').len();
    begun[hashes..].strip_prefix('"')?;
    let opened = text.len() - begun.len() + hashes + 1;
    let end = format!("\"{}", "#".repeat(hashes));
    Some(text[opened..].find(&end).map_or(text.len(), |at| opened + at + end.len()))
}

fn quoted(text: &str) -> usize {
    let mut is_escaped = false;
    let opened = text.find('"').unwrap_or_default() + 1;
    for (at, sign) in text[opened..].char_indices() {
        match sign {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            '"' => return opened + at + 1,
            _ => {}
        }
    }
    text.len()
}

fn character_or_lifetime(text: &str) -> usize {
    let inside = &text[1..];
    let mut signs = inside.char_indices();
    match signs.next() {
        // The escaped sign may be a quote itself.
        Some((_, '\\')) => inside[2..].find('\'').map_or(text.len(), |at| 1 + 2 + at + 1),
        Some(_) => match signs.next() {
            Some((at, '\'')) => 1 + at + 1,
            _ => 1 + inside.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(inside.len()),
        },
        None => text.len(),
    }
}

#[test]
fn names_are_found_and_nothing_in_comments_or_texts() {
    let text = r##"use a::b; // c::d
        /* e /* f */ g */ fn h<'i>(j: &'i str, k: char = '\'', l = 'm') { "n::o\"p"; r#"q"r"#; b's' }"##;
    let names = tokens(text).into_iter().filter(|token| token.starts_with(char::is_alphabetic));
    let names: Vec<String> = names.collect();
    assert_eq!(names, ["use", "a", "b", "fn", "h", "j", "str", "k", "char", "l", "b"]);
}
