//! Writes pictures for the eye: the starter library, and prompts in every finish, matched to it.
//!
//! `cargo run -p providers --example gallery -- <directory> [face picture] [logo picture]`

use std::{error::Error, fs, path::PathBuf};

use bytes::Bytes;
use providers::{AnalysisHints, GenerationJob, Providers, starter, template_text};
use serde_json::json;
use uuid::Uuid;

const PROMPTS: [&str; 12] = [
    "Create gaming thumbnail with explosions",
    "learn Rust programming in 10 minutes",
    "how I make passive income",
    "the best pizza recipe ever",
    "Japan travel guide",
    "30 day abs workout challenge",
    "breaking news about the election",
    "lofi beats to relax",
    "what happens inside a black hole",
    "my cozy morning routine vlog",
    "everyday makeup tutorial",
    "funny prank on my dog",
];

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let directory = PathBuf::from(arguments.next().ok_or("give a directory")?);
    let face = arguments.next().map(fs::read).transpose()?.map(Bytes::from);
    let logo = arguments.next().map(fs::read).transpose()?.map(Bytes::from);
    fs::create_dir_all(&directory)?;

    let providers = Providers::built_in(&directory.join("objects"))?;
    let studio = providers.generator("studio").ok_or("studio is built in")?;
    let mut shelf = Vec::new();
    for template in starter::library() {
        let png = template.draw()?;
        fs::write(directory.join(format!("starter-{}.png", template.slug)), &png)?;
        let tags: Vec<String> = template.tags.iter().map(|tag| (*tag).to_owned()).collect();
        let hints =
            AnalysisHints { category: Some(template.category.to_owned()), ..AnalysisHints::default() };
        let dna = providers.analyzer.design_dna(&png, &hints).await?;
        let text = template_text(&dna, template.category, &tags, template.description);
        shelf.push((providers.embedder.embed(&text).await?, dna));
    }
    for (index, prompt) in PROMPTS.iter().enumerate() {
        let intent = providers.analyzer.intent(prompt).await?;
        let query = providers.embedder.embed(&intent.search_query(prompt)).await?;
        let similarity = |vector: &[f32]| query.iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
        let style = shelf.iter().max_by(|a, b| similarity(&a.0).total_cmp(&similarity(&b.0)));
        for finish in ["classic", "pro", "lightning"] {
            let job = GenerationJob {
                attempt_id: Uuid::nil(),
                prompt: (*prompt).to_owned(),
                headline: intent.headline.clone(),
                custom_text: None,
                intent: intent.clone(),
                style: style.map(|(_, dna)| dna.clone()),
                face: face.clone().filter(|_| index % 2 == 1),
                logo: logo.clone().filter(|_| index % 3 == 1),
                config: json!({ "finish": finish }),
                seed: index as u64,
                width: 1280,
                height: 720,
            };
            let picture = studio.generate(&job, &|_| {}).await?;
            fs::write(directory.join(format!("prompt-{index:02}-{finish}.png")), &picture.png)?;
        }
    }
    Ok(())
}
