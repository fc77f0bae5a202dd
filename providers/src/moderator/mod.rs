//! The built-in moderator: a short list of words and phrases, matched on word boundaries.
//!
//! It stops what no thumbnail service may draw and little else: "kill", "war" and "explosion" are
//! everyday words of games and history. It sees through simple disguises (digits for letters,
//! doubled letters, letters spaced out), not through clever ones.

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};
use std::sync::LazyLock;

use async_trait::async_trait;

use crate::ports::{Moderator, ProviderError, Verdict};

/// Category and phrases; a phrase is matched as whole words in a row.
const PHRASES: &[(&str, &[&str])] = &[
    (
        "sexual",
        &[
            "porn",
            "porno",
            "pornography",
            "pornographic",
            "nsfw",
            "hentai",
            "nude",
            "nudes",
            "nudity",
            "naked",
            "onlyfans",
            "blowjob",
            "handjob",
            "orgasm",
            "masturbate",
            "masturbation",
            "hardcore sex",
            "sex tape",
            "sex scene",
        ],
    ),
    (
        "sexual_minors",
        &[
            "child porn",
            "cp porn",
            "loli",
            "lolicon",
            "shota",
            "underage sex",
            "underage nude",
            "sexy child",
            "sexy kid",
            "sexy teen",
            "nude teen",
            "nude child",
        ],
    ),
    (
        "hate",
        &[
            "nigger",
            "nigga",
            "faggot",
            "kike",
            "tranny",
            "wetback",
            "white power",
            "white supremacy",
            "heil hitler",
            "sieg heil",
            "gas the jews",
            "kill all jews",
            "kill all muslims",
            "kill all gays",
            "ethnic cleansing is good",
        ],
    ),
    (
        "self_harm",
        &[
            "kill myself",
            "kill yourself",
            "kys",
            "commit suicide",
            "how to suicide",
            "suicide method",
            "cut myself",
            "self harm",
            "selfharm",
            "hang myself",
            "pro ana",
            "thinspo",
        ],
    ),
    (
        "violence",
        &[
            "beheading",
            "behead",
            "decapitation",
            "dismember",
            "dismembered",
            "snuff",
            "gore porn",
            "real gore",
            "school shooting",
            "mass shooting",
            "torture video",
            "rape",
            "raped",
            "rapist",
        ],
    ),
    (
        "illegal",
        &[
            "buy cocaine",
            "buy heroin",
            "buy meth",
            "sell drugs",
            "cook meth",
            "make a bomb",
            "build a bomb",
            "bomb making",
            "pipe bomb",
            "stolen credit card",
            "stolen credit cards",
            "credit card dump",
            "human trafficking",
        ],
    ),
];

pub(crate) struct WordListModerator;

#[async_trait]
impl Moderator for WordListModerator {
    async fn review(&self, text: &str) -> Result<Verdict, ProviderError> {
        Ok(review(text))
    }
}

fn review(text: &str) -> Verdict {
    let mut found = found_in(&normalised(text, false));
    if text.contains(|c| is_symbol(c) || plain_letter(c) != c) {
        found.extend(found_in(&normalised(text, true)));
    }
    if found.is_empty() {
        return Verdict::Allowed;
    }
    Verdict::Rejected { categories: found.into_iter().map(|index| PHRASES[index].0.to_owned()).collect() }
}

/// A phrase whose words are collapsed, and the place of its category.
struct Listed {
    category: usize,
    words: Vec<String>,
}

/// The phrases by their first word: every message is reviewed, and nearly none has such a word.
static LISTED: LazyLock<HashMap<String, Vec<Listed>>> = LazyLock::new(|| {
    let mut listed: HashMap<String, Vec<Listed>> = HashMap::new();
    for (category, (_, phrases)) in PHRASES.iter().enumerate() {
        for phrase in *phrases {
            let words: Vec<String> = phrase.split(' ').map(collapsed).collect();
            listed.entry(words[0].clone()).or_default().push(Listed { category, words });
        }
    }
    listed
});

/// The categories of which a phrase's words stand in a row, in the order of the list. Doubled letters are
/// compared collapsed on both sides.
fn found_in(words: &[String]) -> BTreeSet<usize> {
    let starting =
        |index: usize| LISTED.get(&words[index]).into_iter().flatten().map(move |listed| (index, listed));
    (0..words.len())
        .flat_map(starting)
        .filter(|(index, listed)| words[*index..].starts_with(&listed.words))
        .map(|(_, listed)| listed.category)
        .collect()
}

/// Words in lower case, letters spaced out put together, doubled letters collapsed.
fn normalised(text: &str, is_leet: bool) -> Vec<String> {
    let lower = text.to_lowercase();
    let is_part = |c: char| c.is_alphanumeric() || (is_leet && is_symbol(c));
    let mut words: Vec<String> = Vec::new();
    let mut spelled = String::new();
    let tokens = lower.split(|c: char| !is_part(c)).map(|token| token.trim_matches('!'));
    for token in tokens.filter(|token| !token.is_empty()) {
        let word = if is_leet && token.chars().any(char::is_alphabetic) {
            Cow::Owned(token.chars().map(plain_letter).collect())
        } else {
            Cow::Borrowed(token)
        };
        if word.chars().nth(1).is_none() {
            spelled.push_str(&word);
            words.push(word.into_owned());
            continue;
        }
        flush(&mut spelled, &mut words);
        words.push(collapsed(&word));
    }
    flush(&mut spelled, &mut words);
    words
}

/// Three or more single letters in a row are also read as one word.
fn flush(spelled: &mut String, words: &mut Vec<String>) {
    if spelled.chars().count() >= 3 {
        words.push(collapsed(spelled));
    }
    spelled.clear();
}

/// What stands for a letter and is none.
fn is_symbol(c: char) -> bool {
    matches!(c, '@' | '$' | '!')
}

fn plain_letter(c: char) -> char {
    match c {
        '0' => 'o',
        '1' | '!' => 'i',
        '3' => 'e',
        '4' | '@' => 'a',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    }
}

fn collapsed(word: &str) -> String {
    let mut out = String::with_capacity(word.len());
    let mut last = None;
    for c in word.chars() {
        if last != Some(c) {
            out.push(c);
        }
        last = Some(c);
    }
    out
}
