//! Backgrounds: one ground with light, and textures on top of it.

mod patterns;
mod scenes;
mod stage;

pub(crate) use stage::Stage;

use super::{
    art::Finish,
    dice::Dice,
    palette::Palette,
    svg::{Svg, polygon},
};
use crate::{
    colour::{BLACK, WHITE, darker, hsl, hue_gap, lighter, mix},
    ports::{BackgroundType, HexColour},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Texture {
    Sunburst,
    Halftone,
    SpeedLines,
    Floor,
    Circuit,
    Bokeh,
    Blobs,
    Diagonal,
    Stars,
    Hills,
    Bars,
    Candles,
    Confetti,
    Hexes,
    Notebook,
    Beams,
}

/// Textures that suit a category, main one first.
pub(crate) fn textures_for(category: &str, ground: Option<BackgroundType>, dice: &mut Dice) -> Vec<Texture> {
    use Texture::{
        Bars, Beams, Blobs, Bokeh, Candles, Circuit, Confetti, Diagonal, Floor, Halftone, Hexes, Hills,
        Notebook, SpeedLines, Stars, Sunburst,
    };
    if ground == Some(BackgroundType::Solid) {
        return vec![dice.pick(&[Blobs, Diagonal])];
    }
    if ground == Some(BackgroundType::Gradient) {
        return vec![dice.pick(&[Beams, Bokeh, Blobs])];
    }
    match category {
        "gaming" => {
            vec![dice.pick(&[Sunburst, Hexes, SpeedLines, Floor]), dice.pick(&[Halftone, SpeedLines])]
        }
        "tech" => vec![dice.pick(&[Circuit, Floor, Hexes]), dice.pick(&[Stars, Beams])],
        "education" => vec![dice.pick(&[Notebook, Blobs, Sunburst]), dice.pick(&[Confetti, Halftone])],
        "business" => vec![dice.pick(&[Candles, Diagonal, Bars]), dice.pick(&[Beams, Halftone])],
        "fitness" => vec![dice.pick(&[Diagonal, SpeedLines]), Halftone],
        "food" => vec![dice.pick(&[Sunburst, Blobs]), dice.pick(&[Bokeh, Halftone])],
        "music" => vec![dice.pick(&[Bars, Beams, Sunburst]), dice.pick(&[Bokeh, Stars])],
        "travel" => vec![Hills, dice.pick(&[Bokeh, Beams])],
        "news" => vec![dice.pick(&[Diagonal, Beams]), Halftone],
        "sports" => vec![dice.pick(&[SpeedLines, Diagonal, Sunburst]), Halftone],
        "science" => vec![Stars, dice.pick(&[Hexes, Circuit, Beams])],
        "beauty" | "lifestyle" => vec![dice.pick(&[Blobs, Bokeh]), dice.pick(&[Bokeh, Confetti])],
        "pets" => vec![dice.pick(&[Blobs, Hills]), Confetti],
        "entertainment" => vec![dice.pick(&[Sunburst, Beams]), dice.pick(&[Confetti, Halftone, Stars])],
        _ => vec![dice.pick(&[Sunburst, Diagonal, Blobs, Beams]), dice.pick(&[Halftone, Confetti])],
    }
}

/// Paints ground and light; textures follow through [`paint`].
pub(crate) fn ground(svg: &mut Svg, stage: &Stage, flat: bool) {
    let Palette { base, glow, .. } = stage.palette;
    let deep = stage.palette.deep();
    if stage.finish == Finish::Lightning || flat {
        svg.add(format_args!("<rect width='1280' height='720' fill='{base}'/>"));
        return;
    }
    let radius = if stage.finish == Finish::Pro { 900.0 } else { 1000.0 };
    let lit = if stage.finish == Finish::Pro { lighter(glow, 0.12) } else { glow };
    let stops = [(0.0, lit, 1.0), (0.32, mix(glow, base, 0.55), 1.0), (0.62, base, 1.0), (1.0, deep, 1.0)];
    let fill = svg.light(stage.focus, radius, &stops);
    svg.add(format_args!("<rect width='1280' height='720' fill='{fill}'/>"));
}

pub(crate) fn paint(svg: &mut Svg, texture: Texture, stage: &Stage, dice: &mut Dice) {
    match texture {
        Texture::Sunburst => patterns::sunburst(svg, stage, dice),
        Texture::Halftone => patterns::halftone(svg, stage, dice),
        Texture::SpeedLines => patterns::speed_lines(svg, stage, dice),
        Texture::Floor => scenes::floor(svg, stage),
        Texture::Circuit => patterns::circuit(svg, stage, dice),
        Texture::Bokeh => scenes::bokeh(svg, stage, dice),
        Texture::Blobs => scenes::blobs(svg, stage, dice),
        Texture::Diagonal => patterns::diagonal(svg, stage, dice),
        Texture::Stars => scenes::stars(svg, stage, dice),
        Texture::Hills => scenes::hills(svg, stage, dice),
        Texture::Bars => scenes::bars(svg, stage, dice),
        Texture::Candles => scenes::candles(svg, stage, dice),
        Texture::Confetti => patterns::confetti(svg, stage, dice),
        Texture::Hexes => patterns::hexes(svg, stage, dice),
        Texture::Notebook => patterns::notebook(svg, stage),
        Texture::Beams => patterns::beams(svg, stage, dice),
    }
}

/// Darkens the corners, so that the eye stays inside.
pub(crate) fn vignette(svg: &mut Svg, stage: &Stage) {
    let strength = if stage.finish == Finish::Pro { 0.62 } else { 0.34 };
    let colour = if stage.palette.is_light { darker(stage.palette.glow, 0.3) } else { BLACK };
    let strength = if stage.palette.is_light { strength * 0.5 } else { strength };
    let fill =
        svg.light((640.0, 360.0), 820.0, &[(0.0, colour, 0.0), (0.58, colour, 0.0), (1.0, colour, strength)]);
    svg.add(format_args!("<rect width='1280' height='720' fill='{fill}'/>"));
}

/// What makes the pro finish deep: two coloured side lights, shafts from above, and dust out of focus.
pub(crate) fn side_lights(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let Palette { accent, pop, glow, is_light, .. } = stage.palette;
    let strength = if is_light { 0.22 } else { 0.46 };
    // Light of an opposite hue turns the ground to mud.
    let kin = |colour: HexColour| {
        if hue_gap(hsl(colour).h, hsl(glow).h) < 80.0 { colour } else { lighter(glow, 0.2) }
    };
    for (x, colour) in [(-140.0, kin(pop)), (1420.0, kin(accent))] {
        let fill = svg.light((x, 640.0), 620.0, &[(0.0, colour, strength), (1.0, colour, 0.0)]);
        svg.add(format_args!("<circle cx='{x:.0}' cy='640' r='620' fill='{fill}'/>"));
    }
    let shaft =
        svg.light((stage.focus.0, -80.0), 760.0, &[(0.0, WHITE, 0.34), (0.6, glow, 0.12), (1.0, glow, 0.0)]);
    for _ in 0..3 {
        let (top, foot, spread) =
            (stage.focus.0 + dice.range(-60.0, 60.0), dice.range(-420.0, 420.0), dice.range(50.0, 110.0));
        let d = polygon(&[
            (top - 16.0, -10.0),
            (top + 16.0, -10.0),
            (stage.focus.0 + foot + spread, 740.0),
            (stage.focus.0 + foot - spread, 740.0),
        ]);
        svg.add(format_args!("<path d='{d}' fill='{shaft}'/>"));
    }
    for _ in 0..8 {
        let (x, y, r) = (dice.range(0.0, 1280.0), dice.range(0.0, 720.0), dice.range(18.0, 58.0));
        let colour = dice.pick(&[accent, pop, WHITE]);
        let fill = svg.radial(&[(0.0, colour, 0.3), (0.75, colour, 0.24), (1.0, colour, 0.0)]);
        svg.add(format_args!(
            "<circle cx='{x:.0}' cy='{y:.0}' r='{r:.0}' fill='{fill}' fill-opacity='0.6'/>"
        ));
    }
}
