//! Textures that are places: floor, sky, hills, charts and lights out of focus.

use std::fmt::Write;

use super::stage::{Stage, tone};
use crate::{
    colour::{WHITE, darker, lighter, mix},
    ports::HexColour,
    studio::{
        art::Finish,
        dice::Dice,
        palette::Palette,
        svg::{Svg, circle, rect, star},
    },
};

pub(super) fn floor(svg: &mut Svg, stage: &Stage) {
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

pub(super) fn bokeh(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn blobs(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn stars(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn hills(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn bars(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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

pub(super) fn candles(svg: &mut Svg, stage: &Stage, dice: &mut Dice) {
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
