//! Drawing a fitted block of words in the manner of a finish.

use std::fmt::Write;

use super::{
    art::Finish,
    headline::{Block, Line},
    layout::Area,
    palette::Palette,
    svg::{Svg, escape, polygon},
};
use crate::{
    colour::{Hsl, contrast, darker, from_hsl, hsl, lighter, mix},
    ports::HexColour,
};

/// The three colours that decide whether a word can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Voice {
    pub fill: HexColour,
    /// What directly surrounds the letters: outline or plate.
    pub surround: HexColour,
}

/// Colours of a line; their contrast is at least 4.5 in every palette.
pub(crate) fn voice(palette: &Palette, finish: Finish, is_loud: bool) -> Voice {
    if finish == Finish::Lightning {
        let plate = if is_loud { palette.accent } else { palette.ink };
        let fill = palette.on(plate);
        let plate = (0..10).fold(plate, |plate, _| {
            if contrast(fill, plate) >= 4.5 {
                plate
            } else if fill == palette.ink {
                lighter(plate, 0.15)
            } else {
                darker(plate, 0.15)
            }
        });
        return Voice { fill, surround: plate };
    }
    if palette.is_light {
        let strong = if is_loud { palette.accent } else { palette.ink };
        let fill = (0..12).fold(strong, |fill, _| {
            if contrast(fill, palette.paper) >= 4.5 { fill } else { darker(fill, 0.14) }
        });
        return Voice { fill, surround: palette.paper };
    }
    let fill = if is_loud { palette.accent } else { palette.paper };
    Voice { fill: palette.readable(fill), surround: palette.ink }
}

/// Writes the block, turned by `tilt` degrees around its middle.
pub(crate) fn write(svg: &mut Svg, block: &Block, palette: &Palette, finish: Finish, tilt: f32) {
    let Some((cx, cy)) = middle(block) else { return };
    svg.add(format_args!(
        "<g transform='rotate({tilt:.2} {cx:.1} {cy:.1})' {} stroke-linejoin='round'>",
        block.font.attributes()
    ));
    match finish {
        Finish::Classic => classic(svg, block, palette),
        Finish::Pro => pro(svg, block, palette),
        Finish::Lightning => lightning(svg, block, palette),
    }
    svg.add(format_args!("</g>"));
}

/// The rectangle around all ink of the block, before turning.
pub(crate) fn extent(block: &Block) -> Option<Area> {
    let first = block.lines.first()?.ink;
    let corners =
        block.lines.iter().fold((first.x, first.y, first.x + first.w, first.y + first.h), |c, line| {
            let ink = line.ink;
            (c.0.min(ink.x), c.1.min(ink.y), c.2.max(ink.x + ink.w), c.3.max(ink.y + ink.h))
        });
    Some(Area { x: corners.0, y: corners.1, w: corners.2 - corners.0, h: corners.3 - corners.1 })
}

/// The same colour in a lower light: yellow sinks to orange, cyan to blue.
fn warmer(colour: HexColour) -> HexColour {
    let tone = hsl(colour);
    let turn = if (35.0..170.0).contains(&tone.h) { -20.0 } else { 20.0 };
    from_hsl(Hsl { h: tone.h + turn, s: tone.s, l: tone.l * 0.92 })
}

fn middle(block: &Block) -> Option<(f32, f32)> {
    extent(block).map(|area| area.center())
}

fn text(svg: &mut Svg, line: &Line, shift: (f32, f32), paint: &str) {
    let words = escape(&line.text);
    svg.add(format_args!(
        "<text x='{:.1}' y='{:.1}' font-size='{:.1}' {paint}>{words}</text>",
        line.at.0 + shift.0,
        line.at.1 + shift.1,
        line.font_size
    ));
}

/// Like [`text`], with the words of a single line that do not shout in another paint.
fn two_tone(svg: &mut Svg, line: &Line, loud: &str, plain: &str) {
    let Some(shouting) = line.loud_word else {
        let fill = if line.is_loud { loud } else { plain };
        return text(svg, line, (0.0, 0.0), &format!("fill='{fill}'"));
    };
    let words = line.text.split(' ').enumerate().fold(String::new(), |mut out, (index, word)| {
        let gap = if index == 0 { "" } else { " " };
        let fill = if index == shouting { loud } else { plain };
        let _ = write!(out, "<tspan fill='{fill}'>{gap}{}</tspan>", escape(word));
        out
    });
    svg.add(format_args!(
        "<text x='{:.1}' y='{:.1}' font-size='{:.1}' xml:space='preserve'>{words}</text>",
        line.at.0, line.at.1, line.font_size
    ));
}

fn classic(svg: &mut Svg, block: &Block, palette: &Palette) {
    let width = block.outline;
    let drop = width * 0.55;
    for line in &block.lines {
        let ink = palette.ink;
        let paint = format!("fill='{ink}' stroke='{ink}' stroke-width='{width:.1}'");
        text(svg, line, (drop, drop), &paint);
    }
    for line in &block.lines {
        let Voice { surround, .. } = voice(palette, Finish::Classic, line.is_loud);
        text(
            svg,
            line,
            (0.0, 0.0),
            &format!("fill='{surround}' stroke='{surround}' stroke-width='{width:.1}'"),
        );
    }
    for line in &block.lines {
        let [loud, plain] =
            [true, false].map(|is_loud| voice(palette, Finish::Classic, is_loud).fill.to_string());
        two_tone(svg, line, &loud, &plain);
    }
}

fn pro(svg: &mut Svg, block: &Block, palette: &Palette) {
    let width = block.outline;
    if let Some(area) = extent(block) {
        let colour = if palette.is_light { palette.paper } else { palette.ink };
        // White light around dark words shows its steps sooner than shade around white ones.
        let opacity = if palette.is_light { 0.15 } else { 0.34 };
        for grown in [2.9, 1.9] {
            for line in &block.lines {
                let paint = format!(
                    "fill='none' stroke='{colour}' stroke-opacity='{opacity}' stroke-width='{:.1}'",
                    width * grown
                );
                text(svg, line, (0.0, area.h * 0.014), &paint);
            }
        }
    }
    for step in (1..=3_u8).rev() {
        let depth = f32::from(step) * width * 0.21;
        for line in &block.lines {
            let base = voice(palette, Finish::Pro, line.is_loud);
            let side =
                if palette.is_light { mix(base.fill, palette.ink, 0.3) } else { darker(base.fill, 0.62) };
            let paint = format!("fill='{side}' stroke='{side}' stroke-width='{:.1}'", width * 0.35);
            text(svg, line, (depth * 0.4, depth), &paint);
        }
    }
    for line in &block.lines {
        let Voice { surround, .. } = voice(palette, Finish::Pro, line.is_loud);
        let edge = if palette.is_light { surround } else { palette.ink };
        text(
            svg,
            line,
            (0.0, 0.0),
            &format!("fill='{edge}' stroke='{edge}' stroke-width='{:.1}'", width * 0.5),
        );
        let [loud, plain] = [true, false].map(|is_loud| {
            let fill = voice(palette, Finish::Pro, is_loud).fill;
            let (top, bottom) = match (palette.is_light, is_loud) {
                (true, _) => (fill, darker(fill, 0.2)),
                (false, true) => (lighter(fill, 0.4), palette.readable(warmer(fill))),
                (false, false) => (fill, mix(fill, palette.glow, 0.3)),
            };
            svg.linear(top, bottom, 90.0)
        });
        two_tone(svg, line, &loud, &plain);
    }
}

fn lightning(svg: &mut Svg, block: &Block, palette: &Palette) {
    let padding = block.outline * 0.75;
    for line in &block.lines {
        let Area { x, y, w, h } = line.ink;
        let Voice { fill, surround } = voice(palette, Finish::Lightning, line.is_loud);
        let slant = h * 0.08;
        let (left, right, top, bottom) =
            (x - padding * 1.5, x + w + padding * 1.5, y - padding, y + h + padding);
        let plate = polygon(&[
            (left + slant, top),
            (right + slant, top),
            (right - slant, bottom),
            (left - slant, bottom),
        ]);
        svg.add(format_args!("<path d='{plate}' fill='{surround}'/>"));
        text(svg, line, (0.0, 0.0), &format!("fill='{fill}'"));
    }
}
