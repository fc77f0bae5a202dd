//! A starter template and its drawing.

use crate::{
    ports::{HexColour, ProviderError, TextSize, TextStyle},
    studio::{
        art::Finish,
        brief::Brief,
        compose::{Images, draw},
        dice::Dice,
        encode,
        fonts::Font,
        grounds::Texture,
        layout::{Kind, Layout, Wish},
        palette::Palette,
    },
};

/// A template to upload at the first start.
#[derive(Debug, Clone)]
pub struct StarterTemplate {
    /// Stable: an upload under the same slug is the same template.
    pub slug: &'static str,
    /// A category that a prompt can have.
    pub category: &'static str,
    pub tags: Vec<&'static str>,
    pub description: &'static str,
    pub(super) drawing: Drawing,
}

/// The look of a template.
#[derive(Debug, Clone, Copy)]
pub(super) struct Drawing {
    pub(super) words: &'static str,
    pub(super) style: TextStyle,
    pub(super) size: TextSize,
    pub(super) kind: Kind,
    /// base, glow, accent, pop
    pub(super) colours: [u32; 4],
    pub(super) textures: &'static [Texture],
    /// The hero first.
    pub(super) motifs: &'static [&'static str],
    pub(super) finish: Finish,
    pub(super) energy: u8,
}

impl StarterTemplate {
    /// Draws the template as a PNG of 1280x720. Blocking: tens to hundreds of milliseconds of CPU.
    pub fn draw(&self) -> Result<Vec<u8>, ProviderError> {
        let Drawing { words, style, size, kind, colours, textures, motifs, finish, energy } = self.drawing;
        let mut dice = Dice::salted(0, &[self.slug]);
        let wish = Wish { kind, size, energy, has_face: false, has_logo: false, has_text: !words.is_empty() };
        let [base, glow, accent, pop] = colours.map(colour);
        let brief = Brief {
            text: words.to_owned(),
            font: Font::of_style(style).covering(words),
            palette: Palette::of(base, glow, accent, pop),
            layout: Layout::of(wish, &mut dice),
            textures: textures.to_vec(),
            is_flat: finish == Finish::Lightning,
            motifs: motifs.to_vec(),
            energy,
            finish,
            dice,
        };
        encode(draw(&brief, &Images::default(), (1280, 720), &mut |_| {})?)
    }
}

fn colour(hex: u32) -> HexColour {
    let [_, r, g, b] = hex.to_be_bytes();
    HexColour([r, g, b])
}
