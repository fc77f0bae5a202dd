//! Design DNA: what a template looks like, as numbers and names.
//!
//! Field names are the seed's; a language model is asked for exactly this JSON. Closed sets are
//! enums, so a wrong value fails to parse; `validate` refuses what types cannot say.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

const COLOURS_MAX: usize = 8;
const WORD_CHARS_MAX: usize = 60;
const LIST_MAX: usize = 12;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DesignDna {
    pub color_analysis: ColorAnalysis,
    pub typography: Typography,
    pub composition: Composition,
    pub visual_elements: VisualElements,
    pub style_characteristics: StyleCharacteristics,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColorAnalysis {
    /// Strongest first, 1 to 8.
    pub primary_colors: Vec<HexColour>,
    pub secondary_colors: Vec<HexColour>,
    pub color_temperature: ColorTemperature,
    pub contrast_level: ContrastLevel,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Typography {
    pub text_style: TextStyle,
    pub text_size: TextSize,
    pub text_placement: TextPlacement,
    /// Free words, e.g. `condensed`, `outlined`.
    #[serde(default)]
    pub font_characteristics: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Composition {
    pub layout_type: LayoutType,
    /// Strongest first.
    pub focal_points: Vec<FocalPoint>,
    pub visual_hierarchy: VisualHierarchy,
    pub balance: Balance,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VisualElements {
    pub has_human_face: bool,
    pub has_text_overlay: bool,
    pub has_logo_branding: bool,
    pub background_type: BackgroundType,
    #[serde(default)]
    pub visual_effects: Vec<VisualEffect>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StyleCharacteristics {
    /// e.g. `minimalist`, `maximalist`, `vintage`, `modern`.
    pub design_style: String,
    /// 1 (calm) to 10 (high energy).
    pub energy_level: u8,
    /// e.g. `exciting`, `professional`, `playful`, `dramatic`.
    pub mood: String,
    /// e.g. `gaming`, `business`, `lifestyle`.
    pub target_audience: String,
}

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum $name { $(#[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
    };
}

closed_set!(ColorTemperature { Warm = "warm", Cool = "cool" });
closed_set!(ContrastLevel { High = "high", Medium = "medium", Low = "low" });
closed_set!(TextStyle {
    Bold = "bold",
    Script = "script",
    Modern = "modern",
    Condensed = "condensed",
    Playful = "playful",
    Classic = "classic",
});
closed_set!(TextSize { Large = "large", Medium = "medium", Small = "small" });
closed_set!(TextPlacement {
    Center = "center",
    Corner = "corner",
    Overlay = "overlay",
    Left = "left",
    Right = "right",
    Top = "top",
    Bottom = "bottom",
});
closed_set!(LayoutType { Centered = "centered", RuleOfThirds = "rule_of_thirds", Asymmetric = "asymmetric" });
closed_set!(
    /// A cell of the 3x3 grid over the picture.
    FocalPoint {
        TopLeft = "top_left",
        Top = "top",
        TopRight = "top_right",
        Left = "left",
        Center = "center",
        Right = "right",
        BottomLeft = "bottom_left",
        Bottom = "bottom",
        BottomRight = "bottom_right",
    }
);
closed_set!(VisualHierarchy {
    TextFirst = "text_first",
    SubjectFirst = "subject_first",
    Balanced = "balanced",
});
closed_set!(Balance { Symmetric = "symmetric", Asymmetric = "asymmetric" });
closed_set!(BackgroundType { Solid = "solid", Gradient = "gradient", Image = "image", Pattern = "pattern" });
closed_set!(VisualEffect {
    Glow = "glow",
    Shadow = "shadow",
    Blur = "blur",
    Outline = "outline",
    Grain = "grain",
    Rays = "rays",
    Halftone = "halftone",
    Particles = "particles",
});

/// A colour written `#RRGGBB`; lower case is read, upper case is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct HexColour(pub [u8; 3]);

impl fmt::Display for HexColour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [r, g, b] = self.0;
        write!(f, "#{r:02X}{g:02X}{b:02X}")
    }
}

impl FromStr for HexColour {
    type Err = DnaFault;

    fn from_str(text: &str) -> Result<Self, DnaFault> {
        let digits =
            text.strip_prefix('#').filter(|d| d.len() == 6 && d.bytes().all(|b| b.is_ascii_hexdigit()));
        let number = digits.and_then(|d| u32::from_str_radix(d, 16).ok()).ok_or(DnaFault::NotAColour)?;
        let [_, r, g, b] = number.to_be_bytes();
        Ok(Self([r, g, b]))
    }
}

impl TryFrom<String> for HexColour {
    type Error = DnaFault;

    fn try_from(text: String) -> Result<Self, DnaFault> {
        text.parse()
    }
}

impl From<HexColour> for String {
    fn from(colour: HexColour) -> Self {
        colour.to_string()
    }
}

/// What makes a DNA unusable although it parsed.
#[derive(thiserror::Error, Debug, Clone, PartialEq, Eq)]
pub enum DnaFault {
    #[error("not a colour of the form #RRGGBB")]
    NotAColour,
    #[error("{field} has {count} entries, allowed are {min} to {max}")]
    Count { field: &'static str, count: usize, min: usize, max: usize },
    #[error("energy level {0} is not between 1 and 10")]
    Energy(u8),
    #[error("{field} is empty or longer than {WORD_CHARS_MAX} characters")]
    Word { field: &'static str },
}

impl DesignDna {
    /// The words a template is found by: the seed's `_create_searchable_text`, in its order.
    pub fn searchable_text(&self) -> String {
        let style = &self.style_characteristics;
        let contrast = format!("contrast {}", self.color_analysis.contrast_level.as_str());
        let mut elements = vec![
            style.design_style.as_str(),
            style.mood.as_str(),
            style.target_audience.as_str(),
            self.color_analysis.color_temperature.as_str(),
            contrast.as_str(),
            self.composition.layout_type.as_str(),
            self.composition.balance.as_str(),
        ];
        if self.visual_elements.has_human_face {
            elements.push("human face person");
        }
        if self.visual_elements.has_text_overlay {
            elements.push("text overlay typography");
        }
        if self.visual_elements.has_logo_branding {
            elements.push("logo branding");
        }
        elements.retain(|element| !element.is_empty());
        elements.join(" ")
    }

    /// Refuses a DNA that parsed but cannot be used: no colour, energy out of range, empty words.
    pub fn validate(&self) -> Result<(), DnaFault> {
        let counts = [
            ("primary_colors", self.color_analysis.primary_colors.len(), 1, COLOURS_MAX),
            ("secondary_colors", self.color_analysis.secondary_colors.len(), 0, COLOURS_MAX),
            ("focal_points", self.composition.focal_points.len(), 0, LIST_MAX),
            ("font_characteristics", self.typography.font_characteristics.len(), 0, LIST_MAX),
            ("visual_effects", self.visual_elements.visual_effects.len(), 0, LIST_MAX),
        ];
        for (field, count, min, max) in counts {
            if count < min || count > max {
                return Err(DnaFault::Count { field, count, min, max });
            }
        }
        let style = &self.style_characteristics;
        if !(1..=10).contains(&style.energy_level) {
            return Err(DnaFault::Energy(style.energy_level));
        }
        let words = [
            ("design_style", style.design_style.as_str()),
            ("mood", style.mood.as_str()),
            ("target_audience", style.target_audience.as_str()),
        ];
        let fonts = self.typography.font_characteristics.iter().map(|w| ("font_characteristics", w.as_str()));
        for (field, word) in words.into_iter().chain(fonts) {
            if word.trim().is_empty() || word.chars().count() > WORD_CHARS_MAX {
                return Err(DnaFault::Word { field });
            }
        }
        Ok(())
    }
}

/// The text to embed for a template: its searchable DNA and what the admin said about it.
pub fn template_text(dna: &DesignDna, category: &str, tags: &[String], description: &str) -> String {
    let mut parts = vec![dna.searchable_text(), format!("category:{category}")];
    parts.extend(tags.iter().cloned());
    parts.push(description.to_owned());
    parts.retain(|part| !part.is_empty());
    parts.join(" ")
}
