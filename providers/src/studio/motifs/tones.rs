//! The colours of motifs: of the picture, or of nature.

use crate::ports::HexColour;

/// The colours a motif may take from the picture's palette.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tones {
    pub main: HexColour,
    pub accent: HexColour,
    pub pop: HexColour,
    pub dark: HexColour,
    pub light: HexColour,
}

/// A constant colour of nature: fire is orange in every palette.
pub(super) const fn rgb(hex: u32) -> HexColour {
    let [_, r, g, b] = hex.to_be_bytes();
    HexColour([r, g, b])
}
