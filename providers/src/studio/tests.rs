use std::time::Instant;

use bytes::Bytes;
use serde_json::json;
use uuid::Uuid;

use super::*;
use crate::ports::Intent;

fn job(headline: &str, category: &str, elements: &[&str], finish: &str) -> GenerationJob {
    GenerationJob {
        attempt_id: Uuid::nil(),
        prompt: headline.to_owned(),
        headline: headline.to_owned(),
        custom_text: None,
        intent: Intent {
            category: category.to_owned(),
            style: "bold".to_owned(),
            mood: "exciting".to_owned(),
            energy_level: 8,
            visual_elements: elements.iter().map(|e| (*e).to_owned()).collect(),
            headline: headline.to_owned(),
        },
        style: None,
        face: None,
        logo: None,
        config: json!({ "finish": finish }),
        seed: 7,
        width: 1280,
        height: 720,
    }
}

#[test]
#[ignore = "writes a gallery for the eye; set STUDIO_GALLERY to a directory"]
fn gallery() {
    let Ok(dir) = std::env::var("STUDIO_GALLERY") else { return };
    let rows: &[(&str, &str, &[&str])] = &[
        ("Gaming Explosions", "gaming", &["explosion", "controller"]),
        ("Learn Rust in 10 Minutes", "tech", &["laptop"]),
        ("Passive Income 2026", "business", &["cash", "chart"]),
        ("Best Pizza Ever", "food", &["pizza"]),
        ("Japan Travel Guide", "travel", &["plane", "mountain"]),
        ("30 Day Abs", "fitness", &["dumbbell"]),
        ("Breaking News", "news", &["megaphone"]),
        ("Lofi Beats", "music", &["headphones"]),
        ("Black Holes Explained", "science", &["rocket"]),
        ("My Morning Routine", "lifestyle", &["coffee"]),
    ];
    for (index, (headline, category, elements)) in rows.iter().enumerate() {
        for finish in ["classic", "pro", "lightning"] {
            let mut job = job(headline, category, elements, finish);
            job.seed = index as u64;
            if let Ok(face) = std::env::var("STUDIO_FACE")
                && index % 2 == 1
            {
                job.face = Some(Bytes::from(std::fs::read(face).unwrap()));
            }
            if let Ok(logo) = std::env::var("STUDIO_LOGO")
                && index % 3 == 1
            {
                job.logo = Some(Bytes::from(std::fs::read(logo).unwrap()));
            }
            let start = Instant::now();
            let mut marks = String::new();
            let picture = draw_job(&job, &mut |p| marks.push_str(&format!(" {p}@{}", start.elapsed().as_millis()))).unwrap();
            println!("{category} {finish}: {:?} {} KiB{marks}", start.elapsed(), picture.png.len() / 1024);
            std::fs::write(format!("{dir}/{category}-{finish}.png"), &picture.png).unwrap();
        }
    }
}

#[test]
#[ignore = "writes one prompt in the style of every starter template; set STUDIO_GALLERY to a directory"]
fn gallery_of_styles() {
    let Ok(dir) = std::env::var("STUDIO_GALLERY") else { return };
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for template in crate::starter::library() {
        let png = template.draw().unwrap();
        let analyzer = crate::analyzer::MeasuringAnalyzer;
        use crate::ports::VisionAnalyzer;
        let dna = runtime.block_on(analyzer.design_dna(&png, &crate::ports::AnalysisHints::default())).unwrap();
        let intent = runtime.block_on(analyzer.intent(template.description)).unwrap();
        let mut job = job(&intent.headline, template.category, &[], "classic");
        job.intent = intent;
        job.style = Some(dna);
        let picture = draw_job(&job, &mut |_| {}).unwrap();
        std::fs::write(format!("{dir}/styled-{}.png", template.slug), &picture.png).unwrap();
    }
}
