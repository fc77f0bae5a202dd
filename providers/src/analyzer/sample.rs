//! A small copy of a picture, on which everything is measured.

use image::DynamicImage;

use crate::ports::HexColour;

pub(super) const WIDTH: usize = 192;
pub(super) const HEIGHT: usize = 108;

/// Pixels of 192x108, row by row, and their brightness in 0..=255.
pub(super) struct Sample {
    pub pixels: Vec<HexColour>,
    pub luma: Vec<f32>,
}

impl Sample {
    /// Squeezes any picture to the sample's shape; transparent parts count as white.
    pub(super) fn of(picture: &DynamicImage) -> Self {
        let small = picture.thumbnail_exact(WIDTH as u32, HEIGHT as u32).to_rgba8();
        let pixels: Vec<HexColour> = small
            .pixels()
            .map(|pixel| {
                let [r, g, b, a] = pixel.0.map(u32::from);
                HexColour([r, g, b].map(|channel| ((channel * a + 255 * (255 - a)) / 255) as u8))
            })
            .collect();
        let luma = pixels
            .iter()
            .map(|HexColour([r, g, b])| 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b))
            .collect();
        Self { pixels, luma }
    }

    pub(super) fn luma_at(&self, x: usize, y: usize) -> f32 {
        self.luma[y * WIDTH + x]
    }

    /// Change of brightness to the right and downwards.
    pub(super) fn step(&self, x: usize, y: usize) -> (f32, f32) {
        let here = self.luma_at(x, y);
        let right = if x + 1 < WIDTH { self.luma_at(x + 1, y) - here } else { 0.0 };
        let down = if y + 1 < HEIGHT { self.luma_at(x, y + 1) - here } else { 0.0 };
        (right, down)
    }
}
