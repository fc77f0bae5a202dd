//! Arithmetic of colours, shared by drawing and measuring.

use crate::ports::HexColour;

/// Hue in degrees, saturation and lightness in 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Hsl {
    pub h: f32,
    pub s: f32,
    pub l: f32,
}

pub(crate) const WHITE: HexColour = HexColour([255, 255, 255]);
pub(crate) const BLACK: HexColour = HexColour([0, 0, 0]);

/// `t` = 0 gives `a`, 1 gives `b`.
pub(crate) fn mix(a: HexColour, b: HexColour, t: f32) -> HexColour {
    let t = t.clamp(0.0, 1.0);
    let blend = |x: u8, y: u8| (f32::from(x) + (f32::from(y) - f32::from(x)) * t).round() as u8;
    HexColour([blend(a.0[0], b.0[0]), blend(a.0[1], b.0[1]), blend(a.0[2], b.0[2])])
}

pub(crate) fn lighter(colour: HexColour, amount: f32) -> HexColour {
    mix(colour, WHITE, amount)
}

/// Towards black, keeping the hue alive: dark tones are a little more saturated.
pub(crate) fn darker(colour: HexColour, amount: f32) -> HexColour {
    let Hsl { h, s, l } = hsl(colour);
    from_hsl(Hsl { h, s: (s * (1.0 + amount * 0.15)).min(1.0), l: l * (1.0 - amount) })
}

/// Relative luminance as WCAG 2 defines it, 0..=1.
pub(crate) fn luminance(colour: HexColour) -> f32 {
    let [r, g, b] = colour.0.map(|channel| {
        let value = f32::from(channel) / 255.0;
        if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// Contrast ratio as WCAG 2 defines it, 1..=21.
pub(crate) fn contrast(a: HexColour, b: HexColour) -> f32 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

/// Perceived distance ("redmean"), 0 to about 765.
pub(crate) fn distance(a: HexColour, b: HexColour) -> f32 {
    let [dr, dg, db] = [0, 1, 2].map(|i| f32::from(a.0[i]) - f32::from(b.0[i]));
    let red = f32::midpoint(f32::from(a.0[0]), f32::from(b.0[0]));
    ((2.0 + red / 256.0) * dr * dr + 4.0 * dg * dg + (2.0 + (255.0 - red) / 256.0) * db * db).sqrt()
}

/// Degrees between two hues, 0..=180.
pub(crate) fn hue_gap(a: f32, b: f32) -> f32 {
    let gap = (a - b).rem_euclid(360.0);
    gap.min(360.0 - gap)
}

/// The strength of a colour to the eye: saturation that is neither near black nor near white.
pub(crate) fn chroma(colour: HexColour) -> f32 {
    let max = colour.0.iter().copied().max().unwrap_or(0);
    let min = colour.0.iter().copied().min().unwrap_or(0);
    f32::from(max - min) / 255.0
}

pub(crate) fn hsl(colour: HexColour) -> Hsl {
    let [r, g, b] = colour.0.map(|channel| f32::from(channel) / 255.0);
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    let (l, range) = (f32::midpoint(max, min), max - min);
    if range < 1e-4 {
        return Hsl { h: 0.0, s: 0.0, l };
    }
    let s = range / (1.0 - (2.0 * l - 1.0).abs()).max(1e-4);
    let sextant = if (max - r).abs() < f32::EPSILON {
        ((g - b) / range).rem_euclid(6.0)
    } else if (max - g).abs() < f32::EPSILON {
        (b - r) / range + 2.0
    } else {
        (r - g) / range + 4.0
    };
    Hsl { h: sextant * 60.0, s: s.min(1.0), l }
}

pub(crate) fn from_hsl(colour: Hsl) -> HexColour {
    let s = colour.s.clamp(0.0, 1.0);
    let l = colour.l.clamp(0.0, 1.0);
    let chroma = (1.0 - (2.0 * l - 1.0).abs()) * s;
    let sextant = colour.h.rem_euclid(360.0) / 60.0;
    let x = chroma * (1.0 - (sextant % 2.0 - 1.0).abs());
    let (r, g, b) = match sextant as u8 {
        0 => (chroma, x, 0.0),
        1 => (x, chroma, 0.0),
        2 => (0.0, chroma, x),
        3 => (0.0, x, chroma),
        4 => (x, 0.0, chroma),
        _ => (chroma, 0.0, x),
    };
    let m = l - chroma / 2.0;
    HexColour([r, g, b].map(|value| ((value + m) * 255.0).round() as u8))
}
