//! Splitting text into words, and bringing related forms of a word together.

/// Lowercase words of letters and digits, in order; an apostrophe inside a word is dropped.
pub(crate) fn words(text: &str) -> Vec<String> {
    let joined: String = text.chars().filter(|c| !matches!(c, '\'' | '’')).collect();
    joined
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}

/// Words whose ending is not an ending.
const UNCHANGED: [&str; 6] = ["news", "series", "species", "always", "bring", "king"];

/// A light English stem: plurals and the commonest endings. Words of other scripts stay as they are.
pub(crate) fn stem(word: &str) -> String {
    if !word.is_ascii() || word.len() < 4 || UNCHANGED.contains(&word) {
        return word.to_owned();
    }
    for (ending, replacement) in [
        ("iness", "y"),
        ("ies", "y"),
        ("ing", ""),
        ("ness", ""),
        ("ments", "ment"),
        ("ers", "er"),
        ("ed", ""),
        ("ly", ""),
        ("sses", "ss"),
        ("shes", "sh"),
        ("ches", "ch"),
        ("xes", "x"),
        ("oes", "o"),
        ("s", ""),
    ] {
        let Some(root) = word.strip_suffix(ending) else { continue };
        if root.len() < 3
            || (ending == "s" && (root.ends_with('s') || root.ends_with('u') || root.ends_with('i')))
        {
            continue;
        }
        let mut stem = format!("{root}{replacement}");
        if matches!(ending, "ing" | "ed") {
            undouble(&mut stem);
        }
        if stem.len() > 4 && stem.ends_with('e') {
            stem.pop();
        }
        return stem;
    }
    let mut stem = word.to_owned();
    if stem.len() > 4 && stem.ends_with('e') {
        stem.pop();
    }
    stem
}

/// running -> runn -> run
fn undouble(stem: &mut String) {
    let mut last = stem.bytes().rev();
    if let (Some(a), Some(b)) = (last.next(), last.next())
        && a == b
        && !matches!(a, b'l' | b's' | b'z' | b'e' | b'o')
    {
        stem.pop();
    }
}
