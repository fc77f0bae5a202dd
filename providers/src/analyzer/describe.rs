//! From measurements to the names of the design DNA.

use super::{
    measure::{
        Light, Words, asymmetry, attention, border, flatness, has_corner_plate, light, skin_patch, words,
    },
    palette::{Swatch, palette},
    sample::Sample,
};
use crate::{
    colour::chroma,
    lexicon::{CATEGORIES, categories_of, category_named},
    ports::{
        AnalysisHints, BackgroundType, Balance, ColorAnalysis, ColorTemperature, Composition, ContrastLevel,
        DesignDna, FocalPoint, HexColour, LayoutType, StyleCharacteristics, TextPlacement, TextSize,
        TextStyle, Typography, VisualEffect, VisualElements, VisualHierarchy,
    },
    words::{self, stem},
};

const GRID: [FocalPoint; 9] = [
    FocalPoint::TopLeft,
    FocalPoint::Top,
    FocalPoint::TopRight,
    FocalPoint::Left,
    FocalPoint::Center,
    FocalPoint::Right,
    FocalPoint::BottomLeft,
    FocalPoint::Bottom,
    FocalPoint::BottomRight,
];

pub(super) fn describe(sample: &Sample, hints: &AnalysisHints) -> DesignDna {
    let light = light(sample);
    let text = words(sample);
    let face = skin_patch(sample);
    let energy = energy(&light);
    DesignDna {
        color_analysis: colours(&palette(sample), &light),
        typography: typography(text.as_ref(), &light),
        composition: composition(sample, text.as_ref(), face.map_or(0.0, |patch| patch.area)),
        visual_elements: VisualElements {
            has_human_face: face.is_some(),
            has_text_overlay: text.is_some(),
            has_logo_branding: has_corner_plate(sample, light.mean),
            background_type: background(sample),
            visual_effects: effects(&light, text.as_ref()),
        },
        style_characteristics: StyleCharacteristics {
            design_style: design_style(&light).to_owned(),
            energy_level: energy,
            mood: mood(&light, energy).to_owned(),
            target_audience: audience(hints),
        },
    }
}

fn colours(swatches: &[Swatch], light: &Light) -> ColorAnalysis {
    let mut primary: Vec<HexColour> =
        swatches.iter().filter(|s| s.share >= 0.1).map(|s| s.colour).take(4).collect();
    if primary.is_empty() {
        primary.extend(swatches.first().map(|swatch| swatch.colour));
    }
    let mut rest: Vec<&Swatch> =
        swatches.iter().filter(|s| s.share >= 0.008 && !primary.contains(&s.colour)).collect();
    let loudness = |swatch: &Swatch| chroma(swatch.colour) * swatch.share.sqrt();
    rest.sort_by(|a, b| loudness(b).total_cmp(&loudness(a)));
    ColorAnalysis {
        primary_colors: primary,
        secondary_colors: rest.into_iter().map(|swatch| swatch.colour).take(5).collect(),
        color_temperature: if light.warmth > 0.0 { ColorTemperature::Warm } else { ColorTemperature::Cool },
        contrast_level: match light {
            light if light.deviation > 62.0 && light.range > 150.0 => ContrastLevel::High,
            light if light.deviation > 32.0 => ContrastLevel::Medium,
            _ => ContrastLevel::Low,
        },
    }
}

/// 1 to 10 from edges, colour and contrast.
fn energy(light: &Light) -> u8 {
    let edges = (light.edges / 0.26).min(1.0);
    let colour = (light.saturation / 0.55).min(1.0);
    let contrast = (light.deviation / 80.0).min(1.0);
    let level = 1.0 + 9.0 * (0.4 * edges + 0.3 * colour + 0.3 * contrast);
    (level.round() as u8).clamp(1, 10)
}

fn typography(text: Option<&Words>, light: &Light) -> Typography {
    let Some(text) = text else {
        return Typography {
            text_style: TextStyle::Modern,
            text_size: TextSize::Small,
            text_placement: TextPlacement::Overlay,
            font_characteristics: Vec::new(),
        };
    };
    let text_style = match text.upright {
        upright if upright > 0.56 => TextStyle::Bold,
        upright if upright > 0.47 => TextStyle::Modern,
        _ if light.mean > 140.0 => TextStyle::Script,
        _ => TextStyle::Playful,
    };
    let text_size = match text.cover {
        cover if cover > 0.13 => TextSize::Large,
        cover if cover > 0.07 => TextSize::Medium,
        _ => TextSize::Small,
    };
    Typography {
        text_style,
        text_size,
        text_placement: text.placement,
        font_characteristics: vec!["heavy".to_owned(), "outlined".to_owned()],
    }
}

fn composition(sample: &Sample, text: Option<&Words>, face_area: f32) -> Composition {
    let cells = attention(sample);
    let mut order: Vec<usize> = (0..9).collect();
    order.sort_by(|a, b| cells[*b].total_cmp(&cells[*a]));
    let focal_points: Vec<FocalPoint> =
        order.iter().filter(|cell| cells[**cell] > 0.135).take(3).map(|cell| GRID[*cell]).collect();
    let pull: f32 = (0..9).map(|cell| cells[cell] * (cell % 3) as f32).sum::<f32>() - 1.0;
    let uneven = asymmetry(sample);
    let is_symmetric = uneven < 26.0 && pull.abs() < 0.12;
    let layout_type = match (is_symmetric, pull.abs()) {
        (true, _) => LayoutType::Centered,
        (false, pull) if pull < 0.15 && uneven < 55.0 => LayoutType::RuleOfThirds,
        (false, _) => LayoutType::Asymmetric,
    };
    Composition {
        layout_type,
        focal_points,
        visual_hierarchy: match text {
            Some(text) if text.cover > face_area * 1.5 && text.cover > 0.09 => VisualHierarchy::TextFirst,
            Some(text) if text.cover > 0.05 => VisualHierarchy::Balanced,
            _ => VisualHierarchy::SubjectFirst,
        },
        balance: if is_symmetric { Balance::Symmetric } else { Balance::Asymmetric },
    }
}

fn background(sample: &Sample) -> BackgroundType {
    match border(sample) {
        (spread, edges) if spread < 6.0 && edges < 0.03 => BackgroundType::Solid,
        _ if flatness(sample) > 0.5 => BackgroundType::Solid,
        (_, edges) if edges < 0.125 => BackgroundType::Gradient,
        (_, edges) if edges < 0.34 => BackgroundType::Pattern,
        _ => BackgroundType::Image,
    }
}

fn effects(light: &Light, text: Option<&Words>) -> Vec<VisualEffect> {
    let found = [
        (text.is_some(), VisualEffect::Outline),
        (light.range > 150.0 && text.is_some(), VisualEffect::Shadow),
        (light.mean < 110.0 && light.saturation > 0.3, VisualEffect::Glow),
        (light.edges > 0.22, VisualEffect::Particles),
        (light.edges < 0.03, VisualEffect::Blur),
    ];
    found.into_iter().filter(|(is_there, _)| *is_there).map(|(_, effect)| effect).collect()
}

fn design_style(light: &Light) -> &'static str {
    match light {
        light if light.edges < 0.05 && light.saturation < 0.35 => "minimalist",
        light if light.mean > 145.0 && light.saturation < 0.22 => "minimalist",
        light if light.mean > 145.0 && light.saturation < 0.35 => "warm",
        light if light.mean < 90.0 && light.saturation > 0.29 => "neon",
        light if light.edges > 0.24 => "maximalist",
        light if light.saturation > 0.27 => "bold",
        light if light.saturation < 0.18 => "elegant",
        light if light.warmth > 0.5 => "vintage",
        _ => "modern",
    }
}

fn mood(light: &Light, energy: u8) -> &'static str {
    match energy {
        8..=10 => "exciting",
        6 | 7 if light.mean < 95.0 => "dramatic",
        6 | 7 => "playful",
        4 | 5 if light.warmth < 0.0 => "professional",
        4 | 5 => "warm",
        _ => "calm",
    }
}

/// Pixels do not tell who should click: the category does, else the words around it.
fn audience(hints: &AnalysisHints) -> String {
    if let Some(category) = hints.category.as_deref().map(str::trim).filter(|category| !category.is_empty()) {
        let known = category_named(category);
        let name = if known.name == "general" { category } else { known.name };
        return name.to_lowercase().chars().take(60).collect();
    }
    let mut votes = [0_u16; 32];
    let text = hints.tags.iter().map(String::as_str).chain(hints.description.as_deref());
    for word in text.flat_map(words::words) {
        for row in categories_of(&stem(&word)) {
            votes[*row % 32] += 1;
        }
    }
    let best = (0..CATEGORIES.len()).rev().max_by_key(|row| votes[*row]).filter(|row| votes[*row] > 0);
    best.map_or("general", |row| CATEGORIES[row].name).to_owned()
}
