//! What the studio draws, looked at pixel by pixel.

mod words;

use std::{collections::HashSet, sync::Mutex};

use bytes::Bytes;
use image::{DynamicImage, Rgb, RgbImage};
use serde_json::json;
use uuid::Uuid;

use super::{
    art::{Art, Finish, Placement},
    fonts::{Font, drawable, measure},
    layout::{Area, Kind, Layout, Wish},
    palette::Palette,
    *,
};
use crate::{
    colour::{contrast, distance},
    ports::{
        BackgroundType, Balance, ColorAnalysis, ColorTemperature, Composition, ContrastLevel, DesignDna,
        HexColour, Intent, LayoutType, StyleCharacteristics, TextPlacement, TextSize, TextStyle, Typography,
        VisualElements, VisualHierarchy,
    },
};

const FACE: HexColour = HexColour([12, 220, 150]);
const LOGO: HexColour = HexColour([250, 0, 200]);

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

fn gaming(finish: &str) -> GenerationJob {
    job("Gaming Explosions", "gaming", &["controller", "explosion"], finish)
}

fn dna(colours: &[&str], placement: TextPlacement) -> DesignDna {
    DesignDna {
        color_analysis: ColorAnalysis {
            primary_colors: colours.iter().map(|c| c.parse().unwrap()).collect(),
            secondary_colors: Vec::new(),
            color_temperature: ColorTemperature::Cool,
            contrast_level: ContrastLevel::High,
        },
        typography: Typography {
            text_style: TextStyle::Bold,
            text_size: TextSize::Large,
            text_placement: placement,
            font_characteristics: Vec::new(),
        },
        composition: Composition {
            layout_type: LayoutType::RuleOfThirds,
            focal_points: Vec::new(),
            visual_hierarchy: VisualHierarchy::TextFirst,
            balance: Balance::Asymmetric,
        },
        visual_elements: VisualElements {
            has_human_face: false,
            has_text_overlay: true,
            has_logo_branding: false,
            background_type: BackgroundType::Gradient,
            visual_effects: Vec::new(),
        },
        style_characteristics: StyleCharacteristics {
            design_style: "bold".to_owned(),
            energy_level: 7,
            mood: "exciting".to_owned(),
            target_audience: "gaming".to_owned(),
        },
    }
}

fn draw(job: &GenerationJob) -> GeneratedPicture {
    draw_job(job, &mut |_| {}).unwrap()
}

fn pixels(picture: &GeneratedPicture) -> RgbImage {
    image::load_from_memory(&picture.png).unwrap().to_rgb8()
}

/// Mean difference per channel, 0 to 255.
fn difference(a: &RgbImage, b: &RgbImage) -> f64 {
    let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(x, y)| u64::from(x.abs_diff(*y))).sum();
    sum as f64 / a.as_raw().len() as f64
}

fn share_near(picture: &RgbImage, colour: HexColour, reach: f32) -> f32 {
    let near = picture.pixels().filter(|pixel| distance(HexColour(pixel.0), colour) < reach).count();
    near as f32 / (picture.width() * picture.height()) as f32
}

fn plain(colour: HexColour, width: u32, height: u32) -> Bytes {
    let mut png = std::io::Cursor::new(Vec::new());
    let picture = RgbImage::from_pixel(width, height, Rgb(colour.0));
    DynamicImage::ImageRgb8(picture).write_to(&mut png, image::ImageFormat::Png).unwrap();
    Bytes::from(png.into_inner())
}

#[test]
fn the_same_job_gives_the_same_bytes_and_another_seed_another_picture() {
    let first = draw(&gaming("classic"));
    assert_eq!(first, draw(&gaming("classic")));
    let other = draw(&GenerationJob { seed: 8, ..gaming("classic") });
    assert!(difference(&pixels(&first), &pixels(&other)) > 3.0);
}

#[test]
fn every_finish_gives_a_picture_of_its_own_below_one_megabyte() {
    let drawn: Vec<_> = ["classic", "pro", "lightning"].iter().map(|finish| draw(&gaming(finish))).collect();
    for picture in &drawn {
        assert!(picture.png.len() < 1_000_000);
        assert_eq!(pixels(picture).dimensions(), (1280, 720));
        assert_eq!((picture.width, picture.height), (1280, 720));
    }
    let drawn: Vec<_> = drawn.iter().map(pixels).collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(
            difference(&drawn[a], &drawn[b]) > 8.0,
            "{a} and {b} are {}",
            difference(&drawn[a], &drawn[b])
        );
    }
}

#[test]
fn different_prompts_give_clearly_different_pictures() {
    let prompts = [
        gaming("classic"),
        job("Best Pizza", "food", &["pizza"], "classic"),
        job("Lofi Beats", "music", &["headphones"], "classic"),
    ];
    let drawn: Vec<_> = prompts.iter().map(|job| pixels(&draw(job))).collect();
    for (a, b) in [(0, 1), (0, 2), (1, 2)] {
        assert!(difference(&drawn[a], &drawn[b]) > 25.0);
    }
}

#[test]
fn the_palette_of_the_template_dominates_the_picture() {
    let styled = |colours: &[&str]| GenerationJob {
        style: Some(dna(colours, TextPlacement::Left)),
        ..gaming("classic")
    };
    let green = pixels(&draw(&styled(&["#0B5A2A", "#1FB552", "#FFD60A"])));
    let red = pixels(&draw(&styled(&["#7A0410", "#E5121C", "#FFFFFF"])));
    let share = |picture: &RgbImage, channel: usize| {
        let leading = picture.pixels().filter(|p| (0..3).all(|c| c == channel || p.0[channel] > p.0[c]));
        leading.count() as f32 / (1280.0 * 720.0)
    };
    assert!(share(&green, 1) > 0.45, "green leads in {}", share(&green, 1));
    assert!(share(&red, 0) > 0.6, "red leads in {}", share(&red, 0));
    assert!(difference(&green, &red) > 25.0);
}

#[test]
fn the_template_decides_where_the_words_stand() {
    let at = |placement| {
        let job = GenerationJob { style: Some(dna(&["#101040", "#3050C0"], placement)), ..gaming("classic") };
        Brief::of_job(&job).layout.text.center()
    };
    assert!(at(TextPlacement::Left).0 < 500.0);
    assert!(at(TextPlacement::Right).0 > 780.0);
    assert!(at(TextPlacement::Top).1 < 250.0);
    assert!(at(TextPlacement::Bottom).1 > 470.0);
}

#[test]
fn words_change_the_pixels_where_they_stand_and_custom_text_wins() {
    let with = |text: Option<&str>| {
        let mut job = job("Headline Words", "tech", &["laptop"], "classic");
        job.custom_text = text.map(str::to_owned);
        // One salt for the dice, so that only the words differ.
        job.style = Some(dna(&["#101040", "#3050C0"], TextPlacement::Left));
        job
    };
    let brief = Brief::of_job(&with(Some("MY OWN TEXT")));
    assert_eq!(brief.text, "MY OWN TEXT");
    assert_eq!(Brief::of_job(&with(None)).text, "Headline Words");
    let mut silent = brief.clone();
    silent.text = String::new();
    let images = Images::default();
    let draw = |brief: &Brief| compose::draw(brief, &images, (1280, 720), &mut |_| {}).unwrap();
    let (spoken, silent) = (draw(&brief), draw(&silent));
    let Area { x, y, w, h } = brief.layout.text;
    let mut changed = [0_usize; 2];
    for (index, (a, b)) in spoken.pixels().iter().zip(silent.pixels()).enumerate() {
        let (px, py) = ((index % 1280) as f32, (index / 1280) as f32);
        let is_inside = px >= x && px < x + w && py >= y && py < y + h;
        changed[usize::from(is_inside)] += usize::from(a != b);
    }
    assert!(changed[1] > 60_000, "{changed:?}");
    assert!(changed[0] < 500, "words left their area: {changed:?}");
}

#[test]
fn words_never_touch_the_face() {
    for kind in [Kind::Left, Kind::Right, Kind::Top, Kind::Bottom, Kind::Center] {
        for size in [TextSize::Large, TextSize::Medium, TextSize::Small] {
            for energy in [1, 5, 10] {
                let wish = Wish { kind, size, energy, has_face: true, has_logo: true, has_text: true };
                let layout = Layout::of(wish, &mut dice::Dice::salted(1, &[]));
                let ((fx, fy), r) = layout.face.unwrap();
                let Area { x, y, w, h } = layout.text;
                let nearest = (fx.clamp(x, x + w), fy.clamp(y, y + h));
                let gap = (nearest.0 - fx).hypot(nearest.1 - fy) - r;
                assert!(gap >= 18.0, "{kind:?} {size:?} {energy}: {gap}");
                assert!(
                    fx - r >= 0.0 && fx + r <= 1280.0 && fy - r >= 0.0 && fy + r <= 720.0,
                    "{kind:?} clips the face"
                );
            }
        }
    }
}

#[test]
fn face_and_logo_appear_in_every_finish() {
    for finish in ["classic", "pro", "lightning"] {
        let mut job = gaming(finish);
        let without = pixels(&draw(&job));
        job.face = Some(plain(FACE, 300, 400));
        job.logo = Some(plain(LOGO, 200, 100));
        let with = pixels(&draw(&job));
        assert!(share_near(&without, FACE, 24.0) < 0.001);
        assert!(
            share_near(&with, FACE, 24.0) > 0.05,
            "{finish}: face covers {}",
            share_near(&with, FACE, 24.0)
        );
        assert!(
            share_near(&with, LOGO, 24.0) > 0.004,
            "{finish}: logo covers {}",
            share_near(&with, LOGO, 24.0)
        );
    }
}

#[test]
fn a_face_that_is_no_picture_is_refused() {
    let job = GenerationJob { face: Some(Bytes::from_static(b"MZ not a picture")), ..gaming("classic") };
    assert!(matches!(draw_job(&job, &mut |_| {}), Err(ProviderError::BadRequest { .. })));
    let job = GenerationJob { width: 100_000, ..gaming("classic") };
    assert!(matches!(draw_job(&job, &mut |_| {}), Err(ProviderError::BadRequest { .. })));
}

#[test]
fn every_motif_draws_something_of_its_own() {
    let tones = motifs::Tones {
        main: HexColour([90, 60, 200]),
        accent: HexColour([255, 214, 10]),
        pop: HexColour([0, 200, 255]),
        dark: HexColour([20, 16, 30]),
        light: HexColour([255, 255, 255]),
    };
    let mut seen = HashSet::new();
    for name in motifs::names() {
        let art: Art = motifs::draw(name, &tones, &mut dice::Dice::salted(1, &[])).unwrap();
        let mut svg = svg::Svg::default();
        art.place(
            &mut svg,
            &Placement {
                at: (640.0, 360.0),
                size: 400.0,
                turn: 0.0,
                finish: Finish::Classic,
                outline: HexColour([255, 255, 255]),
                outline_width: 0.0,
                ink: HexColour([0, 0, 0]),
                has_soft_shadow: false,
            },
        );
        let tree = fonts::parse(&svg.finish(1280, 720), &fonts::options()).unwrap();
        let bounds = tree.root().abs_bounding_box();
        assert!(bounds.width() > 180.0 && bounds.height() > 180.0, "{name} is tiny: {bounds:?}");
        assert!(bounds.left() > 400.0 && bounds.right() < 880.0, "{name} leaves its box: {bounds:?}");
        let mut pixmap = tiny_skia::Pixmap::new(1280, 720).unwrap();
        resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixmap.as_mut());
        assert!(seen.insert(pixmap.take()), "{name} looks like another motif");
    }
}

#[test]
fn every_word_of_the_lexicon_leads_to_a_motif_that_exists() {
    let known = motifs::names();
    for category in crate::lexicon::CATEGORIES {
        assert!(category.motifs.iter().all(|name| known.contains(name)), "{}", category.name);
        assert!(category.motifs.len() >= 4);
    }
    for word in ["explosions", "laptop", "pizza", "abs", "podcast", "puppy", "mars", "secret"] {
        let motif = crate::lexicon::motifs_of(&crate::words::stem(word)).next().unwrap();
        assert!(known.contains(&motif), "{word} -> {motif}");
    }
}

#[tokio::test]
async fn progress_rises_to_one_hundred_in_several_steps() {
    let seen = Mutex::new(Vec::new());
    let job = gaming("lightning");
    let picture = Studio.generate(&job, &|percent| seen.lock().unwrap().push(percent)).await.unwrap();
    let seen = seen.into_inner().unwrap();
    assert!(seen.len() >= 5 && seen.is_sorted() && seen.last() == Some(&100), "{seen:?}");
    assert_eq!(picture.provider_generation_id, format!("studio-{}", Uuid::nil()));
}
