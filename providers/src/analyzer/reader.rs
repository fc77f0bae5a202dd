//! Reading prompts: what the user wants to see, by the words of the lexicon.

use crate::{
    lexicon::{CATEGORIES, Category, GENERAL, categories_of, energy_of, mood_of, motifs_of, style_of},
    ports::Intent,
    words::{stem, words},
};

const ELEMENTS_MAX: usize = 5;
const HEADLINE_WORDS_MAX: usize = 5;
const PROMPT_WORDS_MAX: usize = 200;

/// Words that ask for a thumbnail and say nothing about it, in the languages of most prompts.
const ASKING: &str = "create make generate design draw build give get need want would like please can could you me my us a an the for of to with about on thumbnail thumbnails miniature cover picture image youtube video videos clip new cool nice good great eye catching viral clickable professional something some that this which is are has have using use showing shows show featuring feature its it be will should style styled looking hey hi hello routix \
    создай сделай нарисуй сгенерируй мне для про о на с превью обложку обложка видео ролик ютуб пожалуйста \
    crea haz genera una un para mi el la de sobre con miniatura vídeo portada por favor \
    erstelle mach mache bitte ein eine einen mein meine für über mit von das der die vorschaubild zum \
    crée fais génère une mon ma pour sur avec le les des du miniature vidéo";

/// Where the description of the picture ends the topic.
const TURN: &str = "with featuring showing using that which including include avec con mit с где";

/// Small words that may stand inside a headline but not at its ends.
const SMALL: &str = "a an the of to in on at by for and or with from my your our their his her is are as so de la el en y und der die das le les du et и в на с vs";

/// Words about the picture itself, never part of a headline.
const ABOUT_THE_PICTURE: &str = "background backgrounds style styled color colors colour colours text font theme themed thumbnail thumbnails look vibe layout aesthetic mood palette lighting 16:9 720p 1280x720 hd 4k";

/// Reads any text; a text without known words gets the general category.
pub(super) fn read(prompt: &str) -> Intent {
    let all: Vec<String> = words(prompt).into_iter().take(PROMPT_WORDS_MAX).collect();
    let stems: Vec<String> = all.iter().map(|word| stem(word)).collect();
    let category = category_of(&stems);
    let style = first(&stems, style_of).unwrap_or(category.style);
    let mood = first(&stems, mood_of).unwrap_or(category.mood);
    Intent {
        category: category.name.to_owned(),
        style: style.to_owned(),
        mood: mood.to_owned(),
        energy_level: energy(prompt, &stems, category),
        visual_elements: elements(&stems, category),
        headline: headline(prompt, category),
    }
}

fn first(stems: &[String], of: impl Fn(&str) -> Option<&'static str>) -> Option<&'static str> {
    stems.iter().find_map(|stem| of(stem))
}

/// The category with most words; a word of one category counts more than one of several, and of
/// equals the one named first wins.
fn category_of(stems: &[String]) -> &'static Category {
    let mut votes: Vec<f32> = vec![0.0; CATEGORIES.len()];
    for (index, stem) in stems.iter().enumerate() {
        let rows = categories_of(stem);
        for row in rows {
            let named = if CATEGORIES[*row].name == stem || CATEGORIES[*row].name.starts_with(stem.as_str()) {
                0.6
            } else {
                0.0
            };
            let early = 0.01 / (1 + index.min(50)) as f32;
            let weight = if is_broad(CATEGORIES[*row].name) { 0.8 } else { 1.0 };
            votes[*row] += weight / (rows.len() as f32).sqrt() + named + early;
        }
    }
    let mut best: Option<usize> = None;
    for row in 0..votes.len() {
        if votes[row] > 0.0 && best.is_none_or(|known| votes[row] > votes[known]) {
            best = Some(row);
        }
    }
    best.map_or(&GENERAL, |row| &CATEGORIES[row])
}

/// Words of these speak about how something is told, more than about what.
fn is_broad(category: &str) -> bool {
    matches!(category, "education" | "lifestyle" | "entertainment")
}

fn energy(prompt: &str, stems: &[String], category: &Category) -> u8 {
    let words: i32 = stems.iter().map(|stem| i32::from(energy_of(stem))).sum();
    let shouts = i32::from(prompt.contains('!')) + i32::from(prompt.contains("!!"));
    let level = i32::from(category.energy) + words.clamp(-3, 3) * if words < 0 { 2 } else { 1 } + shouts;
    u8::try_from(level.clamp(1, 10)).unwrap_or(5)
}

/// What the words name, things of the category first, then what is typical for the category.
fn elements(stems: &[String], category: &Category) -> Vec<String> {
    let named: Vec<&str> = stems.iter().flat_map(|stem| motifs_of(stem).take(1)).collect();
    let is_typical = |element: &&&str| category.motifs.contains(*element);
    let (fitting, others) = (named.iter().filter(is_typical), named.iter().filter(|e| !is_typical(e)));
    let mut elements: Vec<String> = Vec::new();
    for element in fitting.chain(others).chain(category.motifs).copied() {
        if elements.len() < ELEMENTS_MAX && !elements.iter().any(|known| known == element) {
            elements.push(element.to_owned());
        }
    }
    elements
}

/// The headline of one to five words: the quoted ones, else the topic without the asking around it.
fn headline(prompt: &str, category: &Category) -> String {
    if let Some(quoted) = quoted(prompt) {
        return quoted;
    }
    let tokens = tokens_of(first_clause(prompt));
    let body = without_picture_words(&tokens[asking_ends(&tokens)..]);
    let turn = body.iter().position(|token| is_in(TURN, token)).unwrap_or(body.len());
    let (topic, rest) = body.split_at(turn);
    let mut picked: Vec<&str> = topic.to_vec();
    if topic.iter().filter(|token| !is_in(SMALL, token)).count() < 2 {
        let more =
            rest.iter().filter(|token| !is_in(SMALL, token) && !is_in(TURN, token) && !is_in(ASKING, token));
        picked.extend(more.take(4 - picked.len().min(4)));
    }
    shorten(&mut picked);
    if picked.is_empty() {
        return if category.name == GENERAL.name {
            "Watch This".to_owned()
        } else {
            capitalised(category.name)
        };
    }
    picked.iter().map(|token| capitalised(token)).collect::<Vec<_>>().join(" ")
}

/// The text up to a colon, question mark, full stop or the like, when that alone is a headline.
fn first_clause(prompt: &str) -> &str {
    let mut ends = prompt.match_indices([':', '?', '.', ',', ';', '–', '—', '\n']).map(|(at, _)| at);
    let is_enough = |at: &usize| {
        let tokens = tokens_of(&prompt[..*at]);
        tokens[asking_ends(&tokens)..].iter().filter(|token| !is_in(SMALL, token)).count() >= 2
    };
    ends.find(is_enough).map_or(prompt, |at| &prompt[..at])
}

fn tokens_of(text: &str) -> Vec<&str> {
    text.split_whitespace()
        .map(|token| {
            token.trim_matches(|c: char| !c.is_alphanumeric() && !matches!(c, '$' | '€' | '%' | '#' | '+'))
        })
        .filter(|token| token.chars().any(char::is_alphanumeric))
        .take(PROMPT_WORDS_MAX)
        .collect()
}

/// Index of the first word that is not part of "please make me a thumbnail about …".
fn asking_ends(tokens: &[&str]) -> usize {
    let is_wish = |index: usize| {
        is_in("i id im i'd i'm", tokens[index])
            && tokens.get(index + 1).is_some_and(|next| is_in("want need would am have like", next))
    };
    (0..tokens.len()).find(|index| !is_in(ASKING, tokens[*index]) && !is_wish(*index)).unwrap_or(tokens.len())
}

/// At most five words: without articles, else up to the last preposition, else cut.
fn shorten(picked: &mut Vec<&str>) {
    if picked.len() > HEADLINE_WORDS_MAX {
        picked.retain(|token| !is_in("a an the my your our their is are", token));
    }
    if picked.len() > HEADLINE_WORDS_MAX {
        let is_break = |token: &str| is_in("in on at by for from of about to and", token);
        let cut = (2..=HEADLINE_WORDS_MAX).rev().find(|index| is_break(picked[*index]));
        picked.truncate(cut.unwrap_or(HEADLINE_WORDS_MAX));
    }
    while picked.last().is_some_and(|token| is_in(SMALL, token)) {
        picked.pop();
    }
}

/// Drops "dark background", "in retro style" and the like.
fn without_picture_words<'a>(tokens: &[&'a str]) -> Vec<&'a str> {
    let mut kept: Vec<&str> = Vec::new();
    for token in tokens {
        if is_in(ABOUT_THE_PICTURE, token) {
            let is_turn = |kept: &[&str]| kept.last().is_some_and(|last| is_in(TURN, last));
            if kept.len() > 1 && !is_turn(&kept) {
                kept.pop();
            }
            continue;
        }
        kept.push(token);
    }
    kept
}

fn quoted(prompt: &str) -> Option<String> {
    for (open, close) in [('"', '"'), ('“', '”'), ('«', '»'), ('„', '“')] {
        let Some(start) = prompt.find(open) else { continue };
        let inner = &prompt[start + open.len_utf8()..];
        let Some(end) = inner.find(close) else { continue };
        let words: Vec<&str> = inner[..end].split_whitespace().take(HEADLINE_WORDS_MAX).collect();
        if !words.is_empty() {
            return Some(words.join(" "));
        }
    }
    None
}

fn is_in(list: &str, token: &str) -> bool {
    let token = token.to_lowercase();
    list.split_whitespace().any(|word| word == token)
}

/// First letter in upper case, unless the word has its own spelling, as `iPhone` has.
fn capitalised(word: &str) -> String {
    if word.chars().any(char::is_uppercase) {
        return word.to_owned();
    }
    let mut chars = word.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
