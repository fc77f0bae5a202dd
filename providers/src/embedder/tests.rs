//! Which texts are near, and which are not.

use tokio::sync::OnceCell;

use super::*;
use crate::ports::{AnalysisHints, Intent, VisionAnalyzer, template_text};

/// Prompts of users, with the category that they mean.
const PROMPTS: &[(&str, &str)] = &[
    ("Create gaming thumbnail with explosions", "gaming"),
    ("I survived 100 days in hardcore Minecraft", "gaming"),
    ("epic boss battle in Elden Ring", "gaming"),
    ("iPhone 17 review, is it worth it?", "tech"),
    ("learn Rust programming in 10 minutes", "tech"),
    ("ChatGPT will change everything", "tech"),
    ("how to study for exams effectively", "education"),
    ("the history of Rome explained", "education"),
    ("my cozy morning routine vlog", "lifestyle"),
    ("apartment tour and home decor ideas", "lifestyle"),
    ("how I make passive income with dropshipping", "business"),
    ("bitcoin crash: what investors must know", "business"),
    ("30 day abs workout challenge at home", "fitness"),
    ("my gym transformation", "fitness"),
    ("the best pizza recipe", "food"),
    ("trying spicy street food in Bangkok", "food"),
    ("lofi beats to relax to", "music"),
    ("how to play guitar for beginners song tutorial", "music"),
    ("Japan travel guide for first timers", "travel"),
    ("cheap flights and hidden beaches in Thailand", "travel"),
    ("breaking news about the election", "news"),
    ("government crisis update", "news"),
    ("Champions League final highlights", "sports"),
    ("F1 race reaction, fastest cars", "sports"),
    ("what happens inside a black hole", "science"),
    ("SpaceX rocket to Mars", "science"),
    ("everyday makeup and skincare tutorial", "beauty"),
    ("summer fashion outfits", "beauty"),
    ("funny prank on my brother", "entertainment"),
    ("we react to the scariest horror movies", "entertainment"),
    ("my puppy meets a kitten for the first time", "pets"),
    ("training my new dog", "pets"),
];

struct Shelf(Vec<(&'static str, &'static str, Vec<f32>)>);

static SHELF: OnceCell<Shelf> = OnceCell::const_new();

/// Drawn and measured once for all tests: it is the slow part.
async fn shelf() -> &'static Shelf {
    SHELF.get_or_init(fill).await
}

async fn fill() -> Shelf {
    let analyzer = crate::analyzer::MeasuringAnalyzer;
    let mut rows = Vec::new();
    for template in crate::starter::library() {
        let tags: Vec<String> = template.tags.iter().map(|tag| (*tag).to_owned()).collect();
        let hints = AnalysisHints {
            category: Some(template.category.to_owned()),
            tags: tags.clone(),
            description: Some(template.description.to_owned()),
        };
        let dna = analyzer.design_dna(&template.draw().unwrap(), &hints).await.unwrap();
        dna.validate().unwrap();
        let text = template_text(&dna, template.category, &tags, template.description);
        rows.push((template.slug, template.category, vector(&text)));
    }
    Shelf(rows)
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

impl Shelf {
    fn ranked(&self, query: &[f32]) -> Vec<(f32, &'static str, &'static str)> {
        let mut rows: Vec<_> =
            self.0.iter().map(|(slug, category, v)| (dot(query, v), *slug, *category)).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0));
        rows
    }
}

async fn query(prompt: &str) -> (Intent, Vec<f32>) {
    let intent = crate::analyzer::MeasuringAnalyzer.intent(prompt).await.unwrap();
    let vector = vector(&intent.search_query(prompt));
    (intent, vector)
}

#[tokio::test]
async fn prompts_find_templates_of_their_category_above_the_threshold_and_others_stay_below() {
    let shelf = shelf().await;
    let (mut wanted, mut found, mut leaked) = (0, 0, 0);
    for (prompt, category) in PROMPTS {
        let (intent, query) = query(prompt).await;
        let ranked = shelf.ranked(&query);
        let own = ranked.iter().filter(|row| row.2 == *category).count().min(3);
        wanted += own;
        let hits = ranked[..own].iter().filter(|row| row.2 == *category && row.0 >= SIMILARITY_THRESHOLD);
        found += hits.count();
        if intent.category == *category {
            leaked += ranked.iter().filter(|row| row.2 != *category && row.0 >= SIMILARITY_THRESHOLD).count();
        }
    }
    assert!(found * 100 >= wanted * 92, "{found} of {wanted} best places hold the right category");
    assert_eq!(leaked, 0, "templates of other categories passed the threshold");
}

#[tokio::test]
async fn a_prompt_about_nothing_known_matches_nothing() {
    let shelf = shelf().await;
    let (_, query) = query("zxqw blorp").await;
    assert!(shelf.ranked(&query)[0].0 < SIMILARITY_THRESHOLD);
}

#[tokio::test]
async fn within_a_category_the_nearer_template_comes_first() {
    let shelf = shelf().await;
    for (prompt, slug) in [
        ("AI robot automation takes over", "tech-ai-robot"),
        ("learn coding, programming tutorial for software developers", "tech-code-minimal"),
        ("soccer football match goals", "sports-match-day"),
        ("racing cars drift", "sports-speed-race"),
        ("guitar concert of a rock band", "music-live-stage"),
    ] {
        let (_, query) = query(prompt).await;
        assert_eq!(shelf.ranked(&query)[0].1, slug, "{prompt}");
    }
}

#[tokio::test]
async fn every_vector_has_the_dimensions_length_one_and_never_changes() {
    for text in ["", "a", "gaming explosion", "日本の旅行", "🔥🔥", &"word ".repeat(10_000)] {
        let vector = HashEmbedder.embed(text).await.unwrap();
        assert_eq!(vector.len(), EMBEDDING_DIMENSIONS);
        assert!((dot(&vector, &vector) - 1.0).abs() < 1e-4, "{text}");
        assert_eq!(vector, HashEmbedder.embed(text).await.unwrap());
    }
}

#[test]
fn related_words_are_nearer_than_unrelated_ones() {
    let near = |a: &str, b: &str| dot(&vector(a), &vector(b));
    for (a, b, stranger) in [
        ("gaming", "game", "recipe"),
        ("gaming", "explosion", "makeup"),
        ("boss battle", "gamer", "skincare"),
        ("cooking", "recipes", "bitcoin"),
        ("running workouts", "gym", "galaxy"),
        ("thumbnail colour", "thumbnail colours", "puppy"),
    ] {
        assert!(
            near(a, b) > near(a, stranger) + 0.15,
            "{a}: {b} {} {stranger} {}",
            near(a, b),
            near(a, stranger)
        );
    }
}
