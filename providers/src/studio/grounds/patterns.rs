//! Textures that repeat: rays, dots, lines, tiles and stripes.

use std::fmt::Write;

use super::stage::{Stage, tone};
use crate::{
    colour::{WHITE, darker, lighter, mix},
    studio::{
        art::Finish,
        dice::Dice,
        palette::Palette,
        svg::{Svg, circle, polygon},
    },
};

pub(super) fn sunburst(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn halftone(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn speed_lines(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn circuit(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn hexes(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn notebook(svg: &mut Svg, stage: &Stage) {
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

pub(super) fn confetti(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
    let colours = [stage.palette.accent, stage.palette.pop, stage.palette.paper, stage.palette.glow];
    for _ in 0..20 + u16::from(stage.energy) * 3 {
        let (x, y, turn) = (dice.range(0.0, 1280.0), dice.range(0.0, 720.0), dice.range(0.0, 180.0));
        let (w, h) = (dice.range(8.0, 26.0), dice.range(8.0, 16.0));
        let colour = dice.pick(&colours);
        let r = if dice.chance(0.4) { h } else { 2.0 };
        svg.add(format_args!("<rect x='{x:.0}' y='{y:.0}' width='{w:.0}' height='{h:.0}' rx='{r:.0}' fill='{colour}' fill-opacity='0.8' transform='rotate({turn:.0} {x:.0} {y:.0})'/>"));
    }
}

pub(super) fn diagonal(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn beams(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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
