//! Fitting words into an area: line breaks, sizes and the word that shouts.

use super::{
    fonts::{Font, Ink, measure},
    layout::Area,
};
use crate::ports::ProviderError;

const WORDS_MAX: usize = 12;
const WORD_CHARS_MAX: usize = 18;
const LINES_MAX: usize = 4;
/// The widest spread of sizes within one block.
const SIZE_SPREAD_MAX: f32 = 2.1;
/// Gap between lines as a share of the mean line height.
const LEADING: f32 = 0.2;

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    pub text: String,
    /// Origin on the baseline.
    pub at: (f32, f32),
    pub font_size: f32,
    /// Where the ink lies.
    pub ink: Area,
    pub is_loud: bool,
    /// In a block of one line only this word shouts.
    pub loud_word: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Block {
    pub font: Font,
    pub lines: Vec<Line>,
    /// Stroke width of the outline.
    pub outline: f32,
}

/// Words for the area: cut to 12, over-long ones split.
fn words_of(text: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let chars: Vec<char> = word.chars().collect();
        words.extend(chars.chunks(WORD_CHARS_MAX).map(|chunk| chunk.iter().collect()));
    }
    if words.len() > WORDS_MAX {
        words.truncate(WORDS_MAX);
        if let Some(last) = words.last_mut() {
            last.push('…');
        }
    }
    words
}

/// The largest even block of `text` inside `area`. None when there is nothing to write.
pub(crate) fn fit(text: &str, font: Font, area: &Area, align: f32) -> Result<Option<Block>, ProviderError> {
    let words = words_of(&font.case(text));
    if words.is_empty() || area.w < 1.0 || area.h < 1.0 {
        return Ok(None);
    }
    let count = words.len();
    let mut spans = Vec::new();
    for from in 0..count {
        for to in from + 1..=count {
            spans.push((from, to));
        }
    }
    let texts: Vec<String> = spans.iter().map(|(from, to)| words[*from..*to].join(" ")).collect();
    let inks = measure(font, &texts)?;
    let ink_of = |from: usize, to: usize| spans.iter().position(|span| *span == (from, to)).map_or(0, |i| i);

    let mut best: Option<(f32, Vec<usize>, Vec<f32>)> = None;
    for breaks in partitions(count, LINES_MAX) {
        let lines: Vec<Ink> = breaks.windows(2).map(|pair| inks[ink_of(pair[0], pair[1])]).collect();
        if lines.iter().any(|ink| ink.width < 1.0) {
            continue;
        }
        let sizes = sizes_of(&lines, area);
        let smallest = sizes.iter().copied().fold(f32::MAX, f32::min);
        let cover: f32 = lines.iter().zip(&sizes).map(|(ink, s)| ink.width * ink.height * s * s).sum();
        let score = cover * smallest.powf(0.8);
        if best.as_ref().is_none_or(|(known, ..)| score > *known) {
            best = Some((score, breaks, sizes));
        }
    }
    let Some((_, breaks, sizes)) = best else { return Ok(None) };
    let spans: Vec<usize> = breaks.windows(2).map(|pair| ink_of(pair[0], pair[1])).collect();
    let parts: Vec<(String, Ink, f32)> =
        spans.iter().zip(&sizes).map(|(i, size)| (texts[*i].clone(), inks[*i], *size)).collect();
    Ok(Some(place(&parts, font, area, align)))
}

/// Every way to cut `count` words into at most `lines_max` lines, as cut positions.
fn partitions(count: usize, lines_max: usize) -> Vec<Vec<usize>> {
    let mut done = Vec::new();
    let mut open = vec![vec![0_usize]];
    while let Some(cuts) = open.pop() {
        let from = cuts.last().copied().unwrap_or(0);
        let used = cuts.len() - 1;
        for to in from + 1..=count {
            let mut next = cuts.clone();
            next.push(to);
            if to == count {
                done.push(next);
            } else if used + 1 < lines_max {
                open.push(next);
            }
        }
    }
    done
}

/// Scale of each line (times 100 is the font size): wide as the area, within the spread and height.
fn sizes_of(lines: &[Ink], area: &Area) -> Vec<f32> {
    let mut sizes: Vec<f32> = lines.iter().map(|ink| area.w / ink.width).collect();
    let smallest = sizes.iter().copied().fold(f32::MAX, f32::min);
    for size in &mut sizes {
        *size = size.min(smallest * SIZE_SPREAD_MAX);
    }
    let heights: f32 = lines.iter().zip(&sizes).map(|(ink, size)| ink.height * size).sum();
    let gaps = heights / lines.len() as f32 * LEADING * (lines.len() - 1) as f32;
    let shrink = (area.h / (heights + gaps)).min(1.0);
    sizes.iter().map(|size| size * shrink).collect()
}

fn place(parts: &[(String, Ink, f32)], font: Font, area: &Area, align: f32) -> Block {
    let count = parts.len() as f32;
    let heights: f32 = parts.iter().map(|(_, ink, size)| ink.height * size).sum();
    let gap = heights / count * LEADING;
    let total = heights + gap * (count - 1.0);
    let mut y = area.y + (area.h - total) / 2.0;
    let loud = loudest(parts);
    let lines = parts
        .iter()
        .enumerate()
        .map(|(index, (text, ink, size))| {
            let (w, h) = (ink.width * size, ink.height * size);
            let x = area.x + (area.w - w) * align;
            let line = Line {
                text: text.clone(),
                at: (x - ink.left * size, y - ink.top * size),
                font_size: size * 100.0,
                ink: Area { x, y, w, h },
                is_loud: index == loud,
                loud_word: (parts.len() == 1).then(|| loudest_word(text)),
            };
            y += h + gap;
            line
        })
        .collect();
    Block { font, lines, outline: (heights / count * 0.17).clamp(8.0, 26.0) }
}

/// The word with a digit, else the longest.
fn loudest_word(text: &str) -> usize {
    let weight =
        |word: &str| word.chars().count() + if word.chars().any(|c| c.is_ascii_digit()) { 100 } else { 0 };
    text.split(' ').enumerate().max_by_key(|(_, word)| weight(word)).map_or(0, |(index, _)| index)
}

/// A number shouts; else the line with the longest word; else the last.
fn loudest(parts: &[(String, Ink, f32)]) -> usize {
    if let Some(index) = parts.iter().position(|(text, ..)| text.chars().any(|c| c.is_ascii_digit())) {
        return index;
    }
    let longest = |text: &str| text.split(' ').map(|word| word.chars().count()).max().unwrap_or(0);
    parts
        .iter()
        .enumerate()
        .max_by_key(|(index, (text, ..))| (longest(text), *index))
        .map_or(0, |(index, _)| index)
}
