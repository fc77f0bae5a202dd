//! The seven colours of a picture: from a template's DNA, or from the category and mood.

use super::dice::Dice;
use crate::{
    colour::{
        BLACK, Hsl, WHITE, chroma, contrast, darker, distance, from_hsl, hsl, hue_gap, lighter, luminance,
        mix,
    },
    ports::{ColorAnalysis, HexColour, Intent},
};

/// Roles, not places: the finish and the layout decide where each is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Palette {
    /// The ground.
    pub base: HexColour,
    /// The ground in the light.
    pub glow: HexColour,
    /// The loud colour: emphasised words, outlines, the hero.
    pub accent: HexColour,
    /// The second loud colour.
    pub pop: HexColour,
    /// Outlines and shadows.
    pub ink: HexColour,
    /// Plain words; reads on `ink` and on the ground.
    pub paper: HexColour,
    /// Tells whether the ground is light, so that words are dark.
    pub is_light: bool,
}

const fn rgb(hex: u32) -> HexColour {
    let [_, r, g, b] = hex.to_be_bytes();
    HexColour([r, g, b])
}

/// base, glow, accent, pop; several for each category.
const CATEGORIES: &[(&str, [u32; 4])] = &[
    ("gaming", [0x2A_0A5E, 0x8A_2BE2, 0xFF_E600, 0x00_E5FF]),
    ("gaming", [0x6E_0B14, 0xFF_4A1C, 0xFF_DD33, 0x2E_C4FF]),
    ("gaming", [0x05_2B52, 0x00_9DFF, 0x7C_FF2B, 0xFF_2E88]),
    ("tech", [0x07_1C3F, 0x16_77FF, 0x00_F0FF, 0xFF_B300]),
    ("tech", [0x12_0F33, 0x5B_4DFF, 0x6C_FFC4, 0xFF_5C8A]),
    ("education", [0x0B_5A50, 0x20_BF98, 0xFF_D43B, 0xFF_6B6B]),
    ("education", [0x1B_3FA8, 0x55_95FF, 0xFF_D43B, 0xFF_7A59]),
    ("lifestyle", [0xC2_2F6A, 0xFF_8FA3, 0xFF_E45C, 0x5C_E1E6]),
    ("lifestyle", [0xFF_F0E4, 0xFF_C9A8, 0xE8_4A5F, 0x2A_9D8F]),
    ("business", [0x06_2A1E, 0x0F_A968, 0xFF_D54A, 0x59_E0FF]),
    ("business", [0x0A_1A33, 0x1F_5CA8, 0xFF_C629, 0x22_D07A]),
    ("fitness", [0x17_171D, 0xE6_3020, 0xFF_E100, 0xFF_7A1A]),
    ("fitness", [0x0C_1C28, 0x00_8FD6, 0xC6_FF00, 0xFF_5722]),
    ("food", [0x8E_1B16, 0xFF_6A2B, 0xFF_E45C, 0x7C_C94C]),
    ("food", [0xFF_F3DF, 0xFF_CF87, 0xD6_2828, 0x3A_8F4A]),
    ("music", [0x34_0A57, 0xD6_249F, 0x00_F0FF, 0xFF_D60A]),
    ("music", [0x0E_0B26, 0x3D_2BFF, 0xFF_3D9A, 0x3D_FFC8]),
    ("travel", [0x00_5C99, 0x3E_C8EC, 0xFF_D84D, 0xFF_6B35]),
    ("travel", [0x0C_3B3A, 0x1F_A39A, 0xFF_B347, 0xFF_5E5B]),
    ("news", [0x7A_0410, 0xE5_121C, 0xFF_FFFF, 0xFF_D60A]),
    ("news", [0x0A_1C4A, 0x1E_4FD8, 0xFF_DD00, 0xFF_2D2D]),
    ("sports", [0x08_3B1E, 0x1F_B552, 0xFF_E600, 0xFF_FFFF]),
    ("science", [0x0B_0F2E, 0x3A_38C9, 0x4D_F3FF, 0xFF_A62B]),
    ("beauty", [0xFB_E3EA, 0xFF_B8CC, 0xB8_1D5B, 0x7A_3E9D]),
    ("entertainment", [0x3B_0764, 0xC0_26D3, 0xFF_E14D, 0x22_D3EE]),
    ("pets", [0x0F_6B74, 0x35_C9C0, 0xFF_D166, 0xFF_7B54]),
    ("general", [0x14_2A6B, 0x3B_7BFF, 0xFF_D60A, 0xFF_5A5F]),
    ("general", [0x4A_1259, 0xE0_3A8C, 0xFF_E14D, 0x4D_E2FF]),
];

/// Palettes a style or mood word asks for, before the category has its say.
const STYLES: &[(&str, [u32; 4])] = &[
    ("neon", [0x0B_0620, 0x7A_1BFF, 0x39_FF14, 0xFF_2BD6]),
    ("luxury", [0x0E_0C0A, 0x4A_3A16, 0xF2_C14E, 0xFF_F1C9]),
    ("retro", [0x2B_1B54, 0xFF_6F59, 0xFF_D166, 0x3E_C9A7]),
    ("minimalist", [0xF3_F4F6, 0xDD_E3EC, 0x11_58E6, 0xFF_5A36]),
    ("pastel", [0xE9_F1FF, 0xFF_D9E8, 0xD6_3384, 0x4C_6EF5]),
    ("horror", [0x0D_0809, 0x6A_0A12, 0xFF_2E2E, 0xB7_FF3C]),
];

impl Palette {
    /// The palette of a matched template.
    pub(crate) fn of_template(colours: &ColorAnalysis) -> Self {
        let mut list: Vec<HexColour> = Vec::new();
        for colour in colours.primary_colors.iter().chain(&colours.secondary_colors) {
            if list.iter().all(|known| distance(*known, *colour) > 40.0) {
                list.push(*colour);
            }
        }
        let base = ground_of(&colours.primary_colors);
        let loud = |against: &[HexColour]| {
            let score = |colour: HexColour| {
                let apart = against.iter().map(|other| distance(colour, *other)).fold(f32::MAX, f32::min);
                (chroma(colour) + 0.1) * apart.min(400.0) * contrast(colour, base).min(5.0)
            };
            list.iter()
                .copied()
                .filter(|colour| {
                    chroma(*colour) > 0.35 && against.iter().all(|o| distance(*colour, *o) > 130.0)
                })
                .max_by(|a, b| score(*a).total_cmp(&score(*b)))
        };
        let hue = hsl(base).h;
        let accent = loud(&[base]).unwrap_or_else(|| {
            from_hsl(Hsl { h: if hue_gap(hue, 50.0) > 50.0 { 50.0 } else { 195.0 }, s: 1.0, l: 0.55 })
        });
        let pop = loud(&[base, accent])
            .unwrap_or_else(|| from_hsl(Hsl { h: hsl(accent).h + 150.0, s: 0.85, l: 0.58 }));
        let near = |colour: &&HexColour| distance(**colour, accent) > 90.0 && distance(**colour, base) > 50.0;
        let kin = list.iter().filter(near).find(|c| chroma(**c) > 0.2 && hue_gap(hsl(**c).h, hue) < 70.0);
        let glow = kin.copied().unwrap_or_else(|| lit(base));
        Self::of(base, glow, accent, pop)
    }

    /// Without a template: what the words ask for.
    pub(crate) fn of_intent(intent: &Intent, dice: &mut Dice) -> Self {
        let wanted = [intent.style.as_str(), intent.mood.as_str()];
        let by_style: Vec<_> =
            STYLES.iter().filter(|(name, _)| wanted.contains(name)).map(|(_, c)| *c).collect();
        let rows = |category: &str| -> Vec<_> {
            CATEGORIES.iter().filter(|(name, _)| *name == category).map(|(_, c)| *c).collect()
        };
        let mut choices = if by_style.is_empty() { rows(&intent.category) } else { by_style };
        if choices.is_empty() {
            choices = rows("general");
        }
        let [base, glow, accent, pop] = dice.pick(&choices).map(rgb);
        Self::of(base, glow, accent, pop)
    }

    pub(crate) fn of(base: HexColour, glow: HexColour, accent: HexColour, pop: HexColour) -> Self {
        let is_light = luminance(base) > 0.45;
        let tint = hsl(base);
        let ink = if is_light {
            let mut ink = from_hsl(Hsl { h: tint.h, s: 0.3, l: 0.1 });
            if chroma(accent) > 0.3 {
                ink = mix(darker(accent, 0.8), ink, 0.5);
            }
            ink
        } else {
            from_hsl(Hsl { h: tint.h, s: (tint.s * 0.7).min(0.6), l: 0.05 })
        };
        Self { base, glow, accent, pop, ink, paper: WHITE, is_light }
    }

    /// The darkest tone of the ground, for its edges.
    pub(crate) fn deep(&self) -> HexColour {
        if self.is_light { mix(self.base, self.glow, 0.6) } else { mix(darker(self.base, 0.6), BLACK, 0.15) }
    }

    /// `colour`, brightened until it reads on `ink` with a ratio of at least 4.5.
    pub(crate) fn readable(&self, colour: HexColour) -> HexColour {
        let mut colour = colour;
        for _ in 0..12 {
            if contrast(colour, self.ink) >= 4.5 {
                break;
            }
            colour = lighter(colour, 0.15);
        }
        colour
    }

    /// White or ink, whichever reads better on `plate`.
    pub(crate) fn on(&self, plate: HexColour) -> HexColour {
        if contrast(self.paper, plate) >= contrast(self.ink, plate) { self.paper } else { self.ink }
    }
}

/// The ground among the primary colours. Outlines and shadows make near-black the commonest colour of
/// many pictures, so a dark colour with a hue is preferred to one without.
fn ground_of(primary: &[HexColour]) -> HexColour {
    let first = primary.first().copied().unwrap_or(rgb(0x14_2A6B));
    if luminance(first) > 0.45 {
        return first;
    }
    let is_tinted = |colour: &HexColour| chroma(*colour) >= 0.14 && luminance(*colour) < 0.4;
    let ground = primary.iter().copied().find(is_tinted).unwrap_or(first);
    let tone = hsl(ground);
    if tone.l < 0.14 { from_hsl(Hsl { l: 0.14, ..tone }) } else { ground }
}

/// A lit version of a ground colour; greys get a hint of blue.
fn lit(base: HexColour) -> HexColour {
    let Hsl { h, s, l } = hsl(base);
    if l > 0.7 {
        return from_hsl(Hsl { h, s: s.max(0.25), l: (l - 0.12).max(0.5) });
    }
    let h = if s < 0.08 { 222.0 } else { h };
    from_hsl(Hsl { h: h + 12.0, s: s.max(0.35) + 0.1, l: (l + 0.28).min(0.62) })
}
