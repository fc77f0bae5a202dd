//! The light that all textures of a ground share.

use crate::{
    colour::lighter,
    ports::HexColour,
    studio::{art::Finish, palette::Palette},
};

/// The colours and the light that a texture is drawn in.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub palette: Palette,
    pub finish: Finish,
    /// The middle of the light.
    pub focus: (f32, f32),
    pub energy: u8,
}

/// The tone that shows on the ground without shouting.
pub(super) fn tone(stage: &Stage) -> HexColour {
    if stage.palette.is_light { stage.palette.glow } else { lighter(stage.palette.glow, 0.25) }
}
