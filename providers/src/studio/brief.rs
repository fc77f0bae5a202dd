//! From a job to drawing instructions: what to write, show and colour.

use super::{
    art::Finish,
    dice::Dice,
    fonts::{Font, drawable},
    grounds::{Texture, textures_for},
    layout::{Kind, Layout, Wish},
    palette::Palette,
};
use crate::{
    lexicon::{category_named, motifs_of},
    ports::{BackgroundType, DesignDna, GenerationJob, Intent, TextSize, TextStyle},
    words::{stem, words},
};

const MOTIFS_MAX: usize = 4;

/// Everything that is decided before drawing starts.
#[derive(Debug, Clone)]
pub(crate) struct Brief {
    pub text: String,
    pub font: Font,
    pub palette: Palette,
    pub layout: Layout,
    pub textures: Vec<Texture>,
    pub is_flat: bool,
    /// The hero first.
    pub motifs: Vec<&'static str>,
    pub energy: u8,
    pub finish: Finish,
    pub dice: Dice,
}

impl Brief {
    pub(crate) fn of_job(job: &GenerationJob) -> Self {
        let intent = &job.intent;
        let text = text_of(job);
        let mut dice = Dice::salted(job.seed, &[&text, &intent.category]);
        let style = job.style.as_ref();
        let finish = finish_of(&job.config);
        let palette = style.map_or_else(
            || Palette::of_intent(intent, &mut dice),
            |dna| Palette::of_template(&dna.color_analysis),
        );
        let energy = energy_of(intent, style);
        let wish = Wish {
            kind: Kind::choose(style, &mut dice),
            size: style.map_or(TextSize::Large, |dna| dna.typography.text_size),
            energy,
            has_face: job.face.is_some(),
            has_logo: job.logo.is_some(),
            has_text: !text.is_empty(),
        };
        let ground = style.map(|dna| dna.visual_elements.background_type);
        let category = category_named(&intent.category);
        let layout = Layout::of(wish, &mut dice);
        Self {
            font: font_of(intent, style, finish, &mut dice).covering(&text),
            palette,
            layout,
            textures: textures_for(category.name, ground, &mut dice),
            is_flat: ground == Some(BackgroundType::Solid),
            motifs: motifs_for(intent),
            energy,
            finish,
            dice,
            text,
        }
    }
}

/// The user's own words, else the headline, else nothing; only what the fonts can draw. A text that
/// loses more than half of its letters is not shown mutilated.
fn text_of(job: &GenerationJob) -> String {
    let choices =
        [job.custom_text.as_deref().unwrap_or_default(), job.headline.as_str(), job.intent.headline.as_str()];
    for choice in choices {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).count();
        let text = drawable(choice);
        if !text.is_empty() && letters(&text) * 2 >= letters(choice) {
            return text;
        }
    }
    String::new()
}

fn finish_of(config: &serde_json::Value) -> Finish {
    match config.get("finish").and_then(serde_json::Value::as_str) {
        Some("pro") => Finish::Pro,
        Some("lightning") => Finish::Lightning,
        _ => Finish::Classic,
    }
}

fn energy_of(intent: &Intent, style: Option<&DesignDna>) -> u8 {
    let asked = intent.energy_level.clamp(1, 10);
    style.map_or(asked, |dna| u8::midpoint(asked, dna.style_characteristics.energy_level.clamp(1, 10)))
}

fn font_of(intent: &Intent, style: Option<&DesignDna>, finish: Finish, dice: &mut Dice) -> Font {
    if let Some(dna) = style {
        return Font::of_style(dna.typography.text_style);
    }
    let style = match (intent.style.as_str(), intent.category.as_str()) {
        ("minimalist" | "modern" | "clean", _) | (_, "tech" | "science") => TextStyle::Modern,
        ("luxury" | "elegant" | "cinematic", _) => TextStyle::Classic,
        ("cartoon" | "retro", _) => TextStyle::Playful,
        (_, "beauty") => TextStyle::Script,
        ("pastel" | "warm" | "scenic", _) => dice.pick(&[TextStyle::Script, TextStyle::Bold]),
        (_, "gaming" | "entertainment" | "pets") => dice.pick(&[TextStyle::Playful, TextStyle::Bold]),
        _ if finish == Finish::Lightning => TextStyle::Modern,
        _ => TextStyle::Bold,
    };
    Font::of_style(style)
}

/// Motifs for the elements in order, filled up with what is typical for the category.
fn motifs_for(intent: &Intent) -> Vec<&'static str> {
    let asked = intent
        .visual_elements
        .iter()
        .flat_map(|element| words(element))
        .flat_map(|word| motifs_of(&stem(&word)).take(1).collect::<Vec<_>>());
    let typical = category_named(&intent.category).motifs.iter().copied();
    let mut motifs: Vec<&'static str> = Vec::new();
    for motif in asked.chain(typical) {
        if !motifs.contains(&motif) && motifs.len() < MOTIFS_MAX {
            motifs.push(motif);
        }
    }
    // An explosion is a backdrop for another thing, not the thing itself.
    if motifs.first() == Some(&"explosion") && motifs.len() > 1 {
        motifs.swap(0, 1);
    }
    motifs
}
