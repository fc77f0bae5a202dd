//! Measurements of the analyzer, on pictures whose numbers are known.

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

use super::*;
use crate::{
    colour::distance,
    ports::{BackgroundType, Balance, ColorTemperature, ContrastLevel, HexColour, LayoutType, TextPlacement},
};

fn png(draw: impl Fn(u32, u32) -> [u8; 3]) -> Vec<u8> {
    let picture = RgbImage::from_fn(640, 360, |x, y| Rgb(draw(x, y)));
    let mut out = std::io::Cursor::new(Vec::new());
    DynamicImage::ImageRgb8(picture).write_to(&mut out, ImageFormat::Png).unwrap();
    out.into_inner()
}

fn measured(draw: impl Fn(u32, u32) -> [u8; 3]) -> DesignDna {
    let dna = dna_of(&png(draw), &AnalysisHints::default()).unwrap();
    dna.validate().unwrap();
    dna
}

fn colour(text: &str) -> HexColour {
    text.parse().unwrap()
}

#[test]
fn a_single_colour_is_solid_calm_and_has_nothing_on_it() {
    let dna = measured(|_, _| [30, 60, 200]);
    assert_eq!(dna.color_analysis.primary_colors, [colour("#1E3CC8")]);
    assert_eq!(dna.color_analysis.color_temperature, ColorTemperature::Cool);
    assert_eq!(dna.color_analysis.contrast_level, ContrastLevel::Low);
    assert_eq!(dna.visual_elements.background_type, BackgroundType::Solid);
    assert_eq!(dna.composition.balance, Balance::Symmetric);
    assert!(!dna.visual_elements.has_text_overlay && !dna.visual_elements.has_human_face);
    assert!(dna.style_characteristics.energy_level <= 4);
}

#[test]
fn colours_are_found_by_their_share() {
    let dna = measured(|x, _| match x {
        0..350 => [200, 20, 30],
        350..560 => [250, 220, 10],
        _ => [20, 20, 20],
    });
    let primary = &dna.color_analysis.primary_colors;
    for (index, wanted) in ["#C8141E", "#FADC0A", "#141414"].iter().enumerate() {
        assert!(distance(primary[index], colour(wanted)) < 30.0, "{primary:?}");
    }
    assert_eq!(dna.color_analysis.color_temperature, ColorTemperature::Warm);
}

#[test]
fn black_beside_white_is_high_contrast_and_out_of_balance() {
    let dna = measured(|x, _| if x < 260 { [255, 255, 255] } else { [0, 0, 0] });
    assert_eq!(dna.color_analysis.contrast_level, ContrastLevel::High);
    assert_eq!(dna.composition.balance, Balance::Asymmetric);
    let mirrored = measured(|x, _| if (160..480).contains(&x) { [255, 255, 255] } else { [0, 0, 0] });
    assert_eq!(mirrored.composition.balance, Balance::Symmetric);
    assert_eq!(mirrored.composition.layout_type, LayoutType::Centered);
}

#[test]
fn a_busy_loud_picture_has_more_energy_than_a_soft_gradient() {
    let soft = measured(|x, _| [60 + (x / 5) as u8, 130, 190 - (x / 8) as u8]);
    let busy = measured(|x, y| if (x / 14 + y / 14) % 2 == 0 { [255, 230, 0] } else { [220, 0, 60] });
    let levels = (soft.style_characteristics.energy_level, busy.style_characteristics.energy_level);
    assert!(levels.0 <= 3 && levels.1 >= 8, "{levels:?}");
    assert_eq!(soft.visual_elements.background_type, BackgroundType::Gradient);
}

#[test]
fn a_face_is_found_where_its_skin_is() {
    let head = |x: u32, y: u32| {
        let (dx, dy) = ((x as f32 - 450.0) / 80.0, (y as f32 - 150.0) / 105.0);
        if dx * dx + dy * dy < 1.0 { [226, 172, 132] } else { [20, 40, 90] }
    };
    assert!(measured(head).visual_elements.has_human_face);
    let (x, y, height) = skin_patch(&image::load_from_memory(&png(head)).unwrap()).unwrap();
    assert!(
        (x - 450.0 / 640.0).abs() < 0.03
            && (y - 150.0 / 360.0).abs() < 0.03
            && (height - 210.0 / 360.0).abs() < 0.05
    );
    let ball = |x: u32, y: u32| if head(x, y)[0] > 100 { [40, 200, 90] } else { [20, 40, 90] };
    assert!(!measured(ball).visual_elements.has_human_face);
}

#[test]
fn words_drawn_by_the_house_are_seen_where_they_stand() {
    let placements = [
        ("gaming-boss-blast", TextPlacement::Left),
        ("business-stock-market", TextPlacement::Right),
        ("education-idea-explained", TextPlacement::Bottom),
        ("food-street-burger", TextPlacement::Top),
    ];
    for template in crate::starter::library() {
        let Some((_, placement)) = placements.iter().find(|(slug, _)| *slug == template.slug) else {
            continue;
        };
        let dna = dna_of(&template.draw().unwrap(), &AnalysisHints::default()).unwrap();
        assert!(dna.visual_elements.has_text_overlay, "{}", template.slug);
        assert_eq!(dna.typography.text_placement, *placement, "{}", template.slug);
    }
}

#[test]
fn hints_change_the_audience_and_nothing_else() {
    let picture = png(|x, y| [(x / 3) as u8, (y / 2) as u8, 90]);
    let plain = dna_of(&picture, &AnalysisHints::default()).unwrap();
    let hints = AnalysisHints { category: Some("Finance".to_owned()), ..AnalysisHints::default() };
    let mut hinted = dna_of(&picture, &hints).unwrap();
    assert_eq!(plain.style_characteristics.target_audience, "general");
    assert_eq!(hinted.style_characteristics.target_audience, "business");
    hinted.style_characteristics.target_audience = "general".to_owned();
    assert_eq!(plain, hinted);
    let hints =
        AnalysisHints { tags: vec!["guitar".to_owned(), "song".to_owned()], ..AnalysisHints::default() };
    assert_eq!(dna_of(&picture, &hints).unwrap().style_characteristics.target_audience, "music");
}

#[test]
fn what_is_no_picture_is_a_bad_request() {
    let refused = dna_of(b"GIF89a....", &AnalysisHints::default());
    assert!(matches!(refused, Err(ProviderError::BadRequest { .. })));
}

#[test]
fn prompts_give_category_and_headline() {
    for (prompt, category, headline) in [
        ("Create gaming thumbnail with explosions", "gaming", "Gaming Explosions"),
        ("make me a thumbnail about learning Rust in 10 minutes", "tech", "Learning Rust In 10 Minutes"),
        ("How to make the best pizza at home", "food", "How To Make Best Pizza"),
        ("I survived 100 days in hardcore Minecraft", "gaming", "I Survived 100 Days"),
        ("I want a thumbnail for my Japan travel vlog with mountains", "travel", "Japan Travel Vlog"),
        ("iPhone 17 review, is it worth it?", "tech", "iPhone 17 Review"),
        ("thumbnail that says \"DON'T BUY THIS\" for a laptop review", "tech", "DON'T BUY THIS"),
        ("bitcoin crash: what investors must know", "business", "Bitcoin Crash"),
        ("30 day abs workout challenge at home", "fitness", "30 Day Abs Workout Challenge"),
        ("Создай превью для видео про космос", "science", "Космос"),
        ("Crea una miniatura de cocina con receta fácil", "food", "Cocina Receta Fácil"),
        ("make a thumbnail", "general", "Watch This"),
        ("", "general", "Watch This"),
        ("日本の旅行", "general", "日本の旅行"),
    ] {
        let intent = reader::read(prompt);
        assert_eq!((intent.category.as_str(), intent.headline.as_str()), (category, headline), "{prompt}");
    }
}

#[test]
fn the_words_of_a_prompt_set_energy_style_and_things() {
    let loud = reader::read("EPIC gaming battle with huge explosions!!!");
    let quiet = reader::read("calm minimalist yoga routine");
    assert!(
        loud.energy_level >= 9 && quiet.energy_level <= 4,
        "{} {}",
        loud.energy_level,
        quiet.energy_level
    );
    assert!(loud.visual_elements.contains(&"explosion".to_owned()));
    assert_eq!((quiet.style.as_str(), quiet.mood.as_str()), ("minimalist", "calm"));
    assert_eq!(reader::read("neon rocket thumbnail").style, "neon");
    for prompt in ["", "a", "🔥", &"word ".repeat(5000)] {
        let intent = reader::read(prompt);
        assert!((1..=10).contains(&intent.energy_level));
        assert!((1..=5).contains(&intent.headline.split(' ').count()), "{prompt} {}", intent.headline);
    }
}
