use super::*;
use crate::ports::{AnalysisHints, Intent, VisionAnalyzer, template_text};

/// What users type, with the category they mean.
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

async fn shelf(with_category: bool) -> Shelf {
    let analyzer = crate::analyzer::MeasuringAnalyzer;
    let mut rows = Vec::new();
    for template in crate::starter::library() {
        let tags: Vec<String> = template.tags.iter().map(|tag| (*tag).to_owned()).collect();
        let hints = AnalysisHints {
            category: with_category.then(|| template.category.to_owned()),
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
        let mut rows: Vec<_> = self.0.iter().map(|(slug, category, v)| (dot(query, v), *slug, *category)).collect();
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
#[ignore = "prints the similarities behind the threshold"]
async fn survey() {
    let shelf = shelf(true).await;
    for (prompt, category) in PROMPTS {
        let (intent, query) = query(prompt).await;
        let ranked = shelf.ranked(&query);
        let own: Vec<f32> = ranked.iter().filter(|row| row.2 == *category).map(|row| row.0).collect();
        let other = ranked.iter().find(|row| row.2 != *category).unwrap();
        println!("{prompt:50} want {category:13} got {:13} own {own:.2?} best other {:.2} {} | {} | {:?} e{}", intent.category, other.0, other.1, intent.headline, intent.visual_elements, intent.energy_level);
    }
}
