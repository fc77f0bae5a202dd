//! Backgrounds: one ground with light, and textures on top of it.

use std::fmt::Write;

use super::{
    art::Finish,
    dice::Dice,
    palette::Palette,
    svg::{Svg, circle, polygon, rect, star},
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

/// What the textures need to know.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub palette: Palette,
    pub finish: Finish,
    /// Where the light is.
    pub focus: (f32, f32),
    pub energy: u8,
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
        Texture::Sunburst => sunburst(svg, stage, dice),
        Texture::Halftone => halftone(svg, stage, dice),
        Texture::SpeedLines => speed_lines(svg, stage, dice),
        Texture::Floor => floor(svg, stage),
        Texture::Circuit => circuit(svg, stage, dice),
        Texture::Bokeh => bokeh(svg, stage, dice),
        Texture::Blobs => blobs(svg, stage, dice),
        Texture::Diagonal => diagonal(svg, stage, dice),
        Texture::Stars => stars(svg, stage, dice),
        Texture::Hills => hills(svg, stage, dice),
        Texture::Bars => bars(svg, stage, dice),
        Texture::Candles => candles(svg, stage, dice),
        Texture::Confetti => confetti(svg, stage, dice),
        Texture::Hexes => hexes(svg, stage, dice),
        Texture::Notebook => notebook(svg, stage),
        Texture::Beams => beams(svg, stage, dice),
    }
}

/// The tone that shows on the ground without shouting.
fn tone(stage: &Stage) -> HexColour {
    if stage.palette.is_light { stage.palette.glow } else { lighter(stage.palette.glow, 0.25) }
}

fn sunburst(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let (cx, cy) = stage.focus;
    let wedges = 14 + stage.energy;
    let step = std::f32::consts::TAU / f32::from(wedges);
    let start = dice.range(0.0, step);
    let mut d = String::new();
    for i in 0..wedges {
        let a = start + step * f32::from(i);
        let b = a + step * 0.5;
        let far = 1500.0;
        let _ = write!(
            d,
            "M{cx:.0} {cy:.0}L{:.0} {:.0}L{:.0} {:.0}Z",
            cx + far * a.cos(),
            cy + far * a.sin(),
            cx + far * b.cos(),
            cy + far * b.sin()
        );
    }
    let colour = tone(stage);
    if stage.finish == Finish::Pro {
        let fill = svg.light(stage.focus, 820.0, &[(0.0, colour, 0.6), (1.0, colour, 0.0)]);
        svg.add(format_args!("<path d='{d}' fill='{fill}'/>"));
    } else {
        svg.add(format_args!("<path d='{d}' fill='{colour}' fill-opacity='0.3'/>"));
    }
}

fn halftone(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let from_left = dice.chance(0.5);
    let mut d = String::new();
    for row in 0..13_u8 {
        for column in 0..14_u8 {
            let offset = if row % 2 == 0 { 0.0 } else { 17.0 };
            let y = 720.0 - f32::from(row) * 30.0;
            let x = f32::from(column) * 34.0 + offset;
            let r = 15.0 - f32::from(row) * 0.75 - f32::from(column) * 0.72;
            if r > 1.5 {
                d.push_str(&circle(if from_left { x } else { 1280.0 - x }, y, r));
            }
        }
    }
    let colour = if stage.palette.is_light { stage.palette.accent } else { stage.palette.ink };
    let opacity = if stage.palette.is_light { 0.16 } else { 0.34 };
    svg.add(format_args!("<path d='{d}' fill='{colour}' fill-opacity='{opacity}'/>"));
}

fn speed_lines(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let (cx, cy) = stage.focus;
    let mut d = String::new();
    for _ in 0..36 + u16::from(stage.energy) * 4 {
        let a = dice.range(0.0, std::f32::consts::TAU);
        let near = dice.range(300.0, 520.0);
        let width = dice.range(0.006, 0.028);
        let (s, c) = a.sin_cos();
        let (s1, c1) = (a - width).sin_cos();
        let (s2, c2) = (a + width).sin_cos();
        let far = 1500.0;
        let _ = write!(
            d,
            "M{:.0} {:.0}L{:.0} {:.0}L{:.0} {:.0}Z",
            cx + near * c,
            cy + near * s,
            cx + far * c1,
            cy + far * s1,
            cx + far * c2,
            cy + far * s2
        );
    }
    let colour = if stage.palette.is_light { stage.palette.glow } else { lighter(stage.palette.glow, 0.55) };
    svg.add(format_args!("<path d='{d}' fill='{colour}' fill-opacity='0.34'/>"));
}

fn floor(svg: &mut Svg, stage: &Stage) {
    let colour = stage.palette.pop;
    let (horizon, bottom) = (470.0_f32, 740.0_f32);
    let shade = svg.linear(stage.palette.deep(), mix(stage.palette.base, stage.palette.glow, 0.4), 90.0);
    svg.add(format_args!(
        "<rect y='{horizon}' width='1280' height='250' fill='{shade}' fill-opacity='0.85'/>"
    ));
    let mut d = String::new();
    for i in -14_i8..=14 {
        let x = f32::from(i);
        let _ = write!(d, "M{:.0} {horizon}L{:.0} {bottom}", 640.0 + x * 46.0, 640.0 + x * 230.0);
    }
    for i in 1..9_u8 {
        let t = f32::from(i) / 8.0;
        let y = horizon + (bottom - horizon) * t * t;
        let _ = write!(d, "M0 {y:.0}L1280 {y:.0}");
    }
    svg.add(format_args!(
        "<path d='{d}' fill='none' stroke='{colour}' stroke-opacity='0.5' stroke-width='2.5'/>"
    ));
    let haze = svg.linear(stage.palette.glow, stage.palette.base, 90.0);
    svg.add(format_args!("<rect y='{}' width='1280' height='5' fill='{haze}'/>", horizon - 2.0));
}

fn circuit(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let (mut d, mut dots) = (String::new(), String::new());
    for _ in 0..30 {
        let (mut x, mut y) = (dice.range(0.0, 32.0).floor() * 40.0, dice.range(0.0, 18.0).floor() * 40.0);
        let _ = write!(d, "M{x:.0} {y:.0}");
        dots.push_str(&circle(x, y, 6.0));
        for _ in 0..3 {
            let run = dice.pick(&[80.0_f32, 120.0, 160.0]);
            let (dx, dy) = dice.pick(&[(1.0_f32, 0.0_f32), (0.0, 1.0), (0.7, 0.7), (0.7, -0.7), (0.0, -1.0)]);
            x += run * dx;
            y += run * dy;
            let _ = write!(d, "L{x:.0} {y:.0}");
        }
        dots.push_str(&circle(x, y, 6.0));
    }
    let colour = mix(stage.palette.pop, stage.palette.glow, 0.35);
    svg.add(format_args!("<path d='{d}' fill='none' stroke='{colour}' stroke-opacity='0.36' stroke-width='4' stroke-linejoin='round'/>"));
    svg.add(format_args!("<path d='{dots}' fill='{colour}' fill-opacity='0.6'/>"));
}

fn bokeh(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let colours = [stage.palette.glow, stage.palette.accent, stage.palette.pop, WHITE];
    for _ in 0..22 {
        let (x, y, r) = (dice.range(0.0, 1280.0), dice.range(0.0, 720.0), dice.range(16.0, 74.0));
        let colour = dice.pick(&colours);
        let opacity = dice.range(0.1, 0.3);
        if stage.finish == Finish::Lightning {
            svg.add(format_args!(
                "<circle cx='{x:.0}' cy='{y:.0}' r='{r:.0}' fill='{colour}' fill-opacity='{:.2}'/>",
                opacity * 0.6
            ));
        } else {
            let fill = svg.radial(&[
                (0.0, colour, 0.35),
                (0.8, colour, 0.55),
                (0.92, colour, 0.8),
                (1.0, colour, 0.0),
            ]);
            svg.add(format_args!(
                "<circle cx='{x:.0}' cy='{y:.0}' r='{r:.0}' fill='{fill}' opacity='{opacity:.2}'/>"
            ));
        }
    }
}

fn blobs(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let Palette { glow, pop, base, .. } = stage.palette;
    let shapes = [
        (1010.0, 330.0, 380.0, glow, 0.75),
        (1150.0, 690.0, 270.0, pop, 0.5),
        (60.0, 30.0, 240.0, glow, 0.55),
        (120.0, 740.0, 200.0, mix(pop, base, 0.4), 0.6),
    ];
    for (x, y, r, colour, opacity) in shapes {
        let (cx, cy) = (x + (stage.focus.0 - 960.0) * 0.5, y);
        let mut d = String::new();
        let turn = dice.range(0.0, 6.0);
        let points: Vec<(f32, f32)> = (0..9_u8)
            .map(|i| {
                let a = turn + f32::from(i) * std::f32::consts::TAU / 9.0;
                let reach = r * dice.range(0.84, 1.12);
                (cx + reach * a.cos(), cy + reach * a.sin())
            })
            .collect();
        for i in 0..points.len() {
            let (a, b) = (points[i], points[(i + 1) % points.len()]);
            let middle = (f32::midpoint(a.0, b.0), f32::midpoint(a.1, b.1));
            let next = points[(i + 2) % points.len()];
            let end = (f32::midpoint(b.0, next.0), f32::midpoint(b.1, next.1));
            if i == 0 {
                let _ = write!(d, "M{:.0} {:.0}", middle.0, middle.1);
            }
            let _ = write!(d, "Q{:.0} {:.0} {:.0} {:.0}", b.0, b.1, end.0, end.1);
        }
        svg.add(format_args!("<path d='{d}Z' fill='{colour}' fill-opacity='{opacity}'/>"));
    }
}

fn diagonal(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let Palette { glow, accent, .. } = stage.palette;
    let is_right = stage.focus.0 >= 640.0;
    let flip = |x: f32| if is_right { x } else { 1280.0 - x };
    let edge = 640.0 + dice.range(-30.0, 40.0);
    let panel = polygon(&[
        (flip(edge + 120.0), 0.0),
        (flip(1280.0), 0.0),
        (flip(1280.0), 720.0),
        (flip(edge - 120.0), 720.0),
    ]);
    let fill = if stage.finish == Finish::Lightning {
        glow.to_string()
    } else {
        svg.linear(lighter(glow, 0.1), darker(glow, 0.35), 70.0)
    };
    svg.add(format_args!("<path d='{panel}' fill='{fill}'/>"));
    for (shift, width, colour) in [(-26.0, 22.0, accent), (-70.0, 12.0, stage.palette.paper)] {
        let x = edge + shift;
        let stripe = polygon(&[
            (flip(x + 120.0), 0.0),
            (flip(x + width + 120.0), 0.0),
            (flip(x + width - 120.0), 720.0),
            (flip(x - 120.0), 720.0),
        ]);
        svg.add(format_args!("<path d='{stripe}' fill='{colour}'/>"));
    }
    for i in 0..4_u8 {
        let x = 900.0 + f32::from(i) * 120.0;
        let stripe = polygon(&[
            (flip(x + 120.0), 0.0),
            (flip(x + 160.0), 0.0),
            (flip(x - 80.0), 720.0),
            (flip(x - 120.0), 720.0),
        ]);
        svg.add(format_args!("<path d='{stripe}' fill='#FFFFFF' fill-opacity='0.09'/>"));
    }
}

fn stars(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let (mut small, mut large) = (String::new(), String::new());
    for _ in 0..90 {
        small.push_str(&circle(dice.range(0.0, 1280.0), dice.range(0.0, 720.0), dice.range(0.8, 2.6)));
    }
    for _ in 0..9 {
        let r = dice.range(9.0, 20.0);
        large.push_str(&star((dice.range(0.0, 1280.0), dice.range(0.0, 720.0)), (r, r * 0.18), 4, 0.0));
    }
    let colour = if stage.palette.is_light { stage.palette.accent } else { WHITE };
    if stage.finish == Finish::Pro {
        let (x, y) = stage.focus;
        let haze = mix(stage.palette.glow, stage.palette.pop, 0.3);
        let cloud = svg.light((1280.0 - x, 720.0 - y), 620.0, &[(0.0, haze, 0.34), (1.0, haze, 0.0)]);
        svg.add(format_args!("<rect width='1280' height='720' fill='{cloud}'/>"));
    }
    svg.add(format_args!("<path d='{small}' fill='{colour}' fill-opacity='0.7'/><path d='{large}' fill='{colour}' fill-opacity='0.85'/>"));
}

fn hills(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let Palette { base, glow, accent, .. } = stage.palette;
    let (x, _) = stage.focus;
    let sky = svg.linear(base, lighter(glow, 0.35), 90.0);
    svg.add(format_args!("<rect width='1280' height='720' fill='{sky}'/>"));
    let halo = svg.radial(&[(0.0, lighter(accent, 0.4), 0.9), (0.45, accent, 0.5), (1.0, accent, 0.0)]);
    svg.add(format_args!("<circle cx='{x:.0}' cy='300' r='360' fill='{halo}'/><circle cx='{x:.0}' cy='300' r='150' fill='{}'/>", lighter(accent, 0.45)));
    for (level, shade) in [(470.0, 0.25), (545.0, 0.5), (625.0, 0.75)] {
        let colour = mix(glow, darker(base, 0.5), shade);
        let mut d = String::from("M0 720");
        let mut at = -60.0;
        let _ = write!(d, "L-60 {level:.0}");
        while at < 1340.0 {
            let step = dice.range(130.0, 250.0);
            let peak = level - dice.range(10.0, 90.0);
            let _ = write!(d, "Q{:.0} {peak:.0} {:.0} {level:.0}", at + step / 2.0, at + step);
            at += step;
        }
        svg.add(format_args!("<path d='{d}L1340 720Z' fill='{colour}'/>"));
    }
}

fn bars(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let mut d = String::new();
    for i in 0..32_u8 {
        let x = f32::from(i) * 40.0 + 5.0;
        let near = 1.0 - ((x - stage.focus.0).abs() / 900.0).min(0.8);
        let height = dice.range(60.0, 420.0) * near;
        d.push_str(&rect((x, 720.0 - height), (28.0, height + 20.0), 6.0));
    }
    let fill = svg.linear(stage.palette.pop, stage.palette.glow, 90.0);
    svg.add(format_args!("<path d='{d}' fill='{fill}' fill-opacity='0.45'/>"));
}

fn candles(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let mut y = 560.0_f32;
    let mut grid = String::new();
    for i in 1..9_u8 {
        let _ = write!(grid, "M0 {}L1280 {}", u16::from(i) * 80, u16::from(i) * 80);
    }
    svg.add(format_args!(
        "<path d='{grid}' stroke='{}' stroke-opacity='0.2' stroke-width='2'/>",
        tone(stage)
    ));
    for i in 0..26_u8 {
        let x = f32::from(i) * 50.0 + 10.0;
        let step = dice.range(-70.0, 40.0);
        let (top, bottom) = (y.min(y + step), y.max(y + step) + 8.0);
        let colour = if step < 0.0 { HexColour([0x24, 0xD6, 0x7B]) } else { HexColour([0xF2, 0x4B, 0x57]) };
        svg.add(format_args!(
            "<path d='M{:.0} {:.0}L{:.0} {:.0}' stroke='{colour}' stroke-opacity='0.5' stroke-width='3'/><path d='{}' fill='{colour}' fill-opacity='0.5'/>",
            x + 14.0, top - 22.0, x + 14.0, bottom + 22.0, rect((x, top), (28.0, bottom - top), 4.0)
        ));
        y = (y + step).clamp(130.0, 620.0);
    }
}

fn confetti(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let colours = [stage.palette.accent, stage.palette.pop, stage.palette.paper, stage.palette.glow];
    for _ in 0..20 + u16::from(stage.energy) * 3 {
        let (x, y, turn) = (dice.range(0.0, 1280.0), dice.range(0.0, 720.0), dice.range(0.0, 180.0));
        let (w, h) = (dice.range(8.0, 26.0), dice.range(8.0, 16.0));
        let colour = dice.pick(&colours);
        let r = if dice.chance(0.4) { h } else { 2.0 };
        svg.add(format_args!("<rect x='{x:.0}' y='{y:.0}' width='{w:.0}' height='{h:.0}' rx='{r:.0}' fill='{colour}' fill-opacity='0.8' transform='rotate({turn:.0} {x:.0} {y:.0})'/>"));
    }
}

fn hexes(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let hex = |x: f32, y: f32, r: f32| {
        let points: Vec<_> = (0..6_u8)
            .map(|i| (f32::from(i) * 60.0_f32).to_radians())
            .map(|a| (x + r * a.cos(), y + r * a.sin()))
            .collect();
        polygon(&points)
    };
    let (mut outline, mut filled) = (String::new(), String::new());
    for column in 0..13_u8 {
        for row in 0..8_u8 {
            let x = f32::from(column) * 105.0;
            let y = f32::from(row) * 121.0 + if column % 2 == 0 { 0.0 } else { 60.5 };
            outline.push_str(&hex(x, y, 66.0));
            if dice.chance(0.16) {
                filled.push_str(&hex(x, y, 60.0));
            }
        }
    }
    let colour = tone(stage);
    svg.add(format_args!("<path d='{filled}' fill='{colour}' fill-opacity='0.26'/><path d='{outline}' fill='none' stroke='{colour}' stroke-opacity='0.28' stroke-width='3'/>"));
}

fn notebook(svg: &mut Svg, stage: &Stage) {
    let mut d = String::new();
    for i in 0..33_u8 {
        let _ = write!(d, "M{0} 0L{0} 720", u16::from(i) * 40);
    }
    for i in 0..19_u8 {
        let _ = write!(d, "M0 {0}L1280 {0}", u16::from(i) * 40);
    }
    let colour = if stage.palette.is_light { stage.palette.accent } else { WHITE };
    svg.add(format_args!("<path d='{d}' stroke='{colour}' stroke-opacity='0.15' stroke-width='2'/>"));
}

fn beams(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let colour = if stage.palette.is_light { stage.palette.glow } else { lighter(stage.palette.glow, 0.4) };
    let from_left = stage.focus.0 < 640.0;
    for _ in 0..7 {
        let (top, spread, lean) =
            (dice.range(200.0, 1240.0), dice.range(50.0, 150.0), dice.range(240.0, 460.0));
        let flip = |x: f32| if from_left { 1280.0 - x } else { x };
        let d = polygon(&[
            (flip(top), -10.0),
            (flip(top + spread * 0.4), -10.0),
            (flip(top - lean + spread), 730.0),
            (flip(top - lean - spread), 730.0),
        ]);
        let fill = svg.linear(colour, stage.palette.base, 90.0);
        svg.add(format_args!("<path d='{d}' fill='{fill}' fill-opacity='{:.2}'/>", dice.range(0.12, 0.3)));
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
