//! The built-in embedder: hashed words, character n-grams and topics of the lexicon.
//!
//! Words of one topic (gaming, game, explosion, battle) share dimensions, so that they are near
//! although they share no letters. Deterministic: a vector depends on the text and the version in
//! the model's name, which must change with every change of this file or of the lexicon.

#[cfg(test)]
mod tests;

use async_trait::async_trait;

use crate::{
    lexicon::{CATEGORIES, categories_of, motifs_of},
    ports::{EMBEDDING_DIMENSIONS, Embedder, ProviderError},
    words::{stem, words},
};

const MODEL: &str = "routix-hash-1536-v1";
/// Calibrated on the starter library, see the tests: matching categories lie above, others below.
const SIMILARITY_THRESHOLD: f32 = 0.45;
const WORDS_MAX: usize = 400;

const WORD_WEIGHT: f32 = 1.0;
const NGRAM_WEIGHT: f32 = 0.22;
const TOPIC_WEIGHT: f32 = 1.5;
const MOTIF_WEIGHT: f32 = 0.7;
/// A word after `category:` is what a person or a reader decided, not a guess.
const NAMED_TOPIC_WEIGHT: f32 = 3.0;

/// Words that every template or every query has.
const COMMON: &str = "a an the of to in on at by for and or with from my your is are it this that me make create thumbnail video youtube style mood energy contrast high medium low text overlay typography symmetric asymmetric centered rule thirds warm cool human face person logo branding please want need about how what";

pub(crate) struct HashEmbedder;

#[async_trait]
impl Embedder for HashEmbedder {
    fn model(&self) -> &'static str {
        MODEL
    }

    fn similarity_threshold(&self) -> f32 {
        SIMILARITY_THRESHOLD
    }

    async fn embed(&self, text: &str) -> Result<Vec<f32>, ProviderError> {
        Ok(vector(text))
    }
}

/// The unit vector of a text.
fn vector(text: &str) -> Vec<f32> {
    let mut vector = vec![0.0; EMBEDDING_DIMENSIONS];
    let tokens = words(text);
    let mut is_category = false;
    for token in tokens.iter().take(WORDS_MAX) {
        if token == "category" {
            is_category = true;
            continue;
        }
        add_word(&mut vector, token, is_category);
        is_category = false;
    }
    let length = vector.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length < 1e-6 {
        // A text without words is near to nothing, and still a unit vector.
        vector[0] = 1.0;
        return vector;
    }
    for value in &mut vector {
        *value /= length;
    }
    vector
}

fn add_word(vector: &mut [f32], token: &str, is_category: bool) {
    let stem = stem(token);
    let is_common = COMMON.split(' ').any(|word| word == token);
    let weight = if is_common { 0.12 } else { 1.0 };
    add(vector, &format!("w:{stem}"), WORD_WEIGHT * weight);
    if is_common {
        return;
    }
    let padded: Vec<char> = std::iter::once('^').chain(stem.chars()).chain(std::iter::once('$')).collect();
    for gram in padded.windows(3) {
        add(vector, &format!("g:{}", gram.iter().collect::<String>()), NGRAM_WEIGHT);
    }
    let topics = categories_of(&stem);
    let share = if is_category { NAMED_TOPIC_WEIGHT } else { TOPIC_WEIGHT } / (topics.len().max(1) as f32);
    for row in topics {
        add(vector, &format!("t:{}", CATEGORIES[*row].name), share);
    }
    for motif in motifs_of(&stem).take(2) {
        add(vector, &format!("m:{motif}"), MOTIF_WEIGHT);
    }
}

/// Spreads a feature over four dimensions with signs, so that chance collisions cancel out.
fn add(vector: &mut [f32], feature: &str, weight: f32) {
    let mut hash = feature.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    for _ in 0..4 {
        hash = (hash ^ (hash >> 31)).wrapping_mul(0x94D0_49BB_1331_11EB).rotate_left(23);
        let index = (hash >> 16) as usize % vector.len();
        let sign = if hash & 1 == 0 { 0.5 } else { -0.5 };
        vector[index] += weight * sign;
    }
}
