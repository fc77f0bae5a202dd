//! Putting a picture together, back to front, and rendering it.

use std::sync::Arc;

use resvg::{tiny_skia, usvg};

use super::{
    art::{Finish, Placement},
    brief::Brief,
    dice::Dice,
    fonts::{options, parse},
    grounds::{Stage, Texture, ground, paint, side_lights, vignette},
    headline,
    layout::{Area, Spot},
    lettering,
    motifs::{self, Tones},
    palette::Palette,
    portrait::{Cutout, Portrait},
    svg::{Svg, circle, rect, star},
};
use crate::{
    colour::{WHITE, chroma, contrast, darker, distance, lighter},
    ports::{HexColour, ProviderError},
};

/// The user's pictures, already cut to size as PNG.
#[derive(Debug, Default, Clone)]
pub(crate) struct Images {
    pub face: Option<Portrait>,
    pub logo: Option<Portrait>,
}

/// Width and height in pixels of the finished picture.
pub(crate) type Size = (u32, u32);

/// Draws the brief. `progress` gets 0..=100.
pub(crate) fn draw(
    brief: &Brief,
    images: &Images,
    size: Size,
    progress: &mut dyn FnMut(u8),
) -> Result<tiny_skia::Pixmap, ProviderError> {
    let mut dice = brief.dice.clone();
    let layout = &brief.layout;
    let focus = layout.face.map_or(layout.hero.at, |(at, _)| at);
    let stage = Stage { palette: brief.palette, finish: brief.finish, focus, energy: brief.energy };
    let mut svg = Svg::default();

    ground(&mut svg, &stage, brief.is_flat);
    let count = if brief.finish == Finish::Lightning { 1 } else { 2 };
    for texture in brief.textures.iter().take(count) {
        paint(&mut svg, *texture, &stage, &mut dice);
    }
    if brief.finish != Finish::Lightning {
        vignette(&mut svg, &stage);
        scrim(&mut svg, brief);
    }
    if brief.finish == Finish::Pro {
        side_lights(&mut svg, &stage, &mut dice);
    }
    progress(15);

    halo(&mut svg, brief, focus);
    supporting(&mut svg, brief, &mut dice);
    sparks(&mut svg, brief, &mut dice);
    if let Some(face) = &images.face {
        portrait(&mut svg, brief, face);
    }
    hero(&mut svg, brief, &mut dice);
    progress(30);

    if let Some(block) = headline::fit(&brief.text, brief.font, &inset(&layout.text, brief), layout.align)? {
        lettering::write(&mut svg, &block, &brief.palette, brief.finish, layout.tilt);
    }
    if let Some(logo) = &images.logo {
        badge(&mut svg, brief, logo);
    }
    progress(45);

    render(svg, images, size, progress)
}

fn render(
    svg: Svg,
    images: &Images,
    size: Size,
    progress: &mut dyn FnMut(u8),
) -> Result<tiny_skia::Pixmap, ProviderError> {
    let (width, height) = size;
    let face = images.face.as_ref().map(|face| Arc::clone(&face.png));
    let logo = images.logo.as_ref().map(|logo| Arc::clone(&logo.png));
    let mut options = options();
    options.image_href_resolver = usvg::ImageHrefResolver {
        resolve_data: Box::new(|_, _, _| None),
        resolve_string: Box::new(move |href, _| match href {
            "face" => face.clone().map(usvg::ImageKind::PNG),
            "logo" => logo.clone().map(usvg::ImageKind::PNG),
            _ => None,
        }),
    };
    let tree = parse(&svg.finish(width, height), &options)?;
    progress(60);
    let mut pixmap = tiny_skia::Pixmap::new(width, height).ok_or_else(|| ProviderError::BadRequest {
        reason: format!("a picture of {width}x{height} is not possible"),
    })?;
    resvg::render(&tree, tiny_skia::Transform::identity(), &mut pixmap.as_mut());
    progress(85);
    Ok(pixmap)
}

/// The area for ink: outline, shadow and tilt need room around it.
pub(crate) fn inset(area: &Area, brief: &Brief) -> Area {
    let tilt = brief.layout.tilt.to_radians().abs();
    let (dx, dy) = (16.0 + area.h * tilt * 0.5, 16.0 + area.w * tilt * 0.5);
    Area { x: area.x + dx, y: area.y + dy, w: (area.w - 2.0 * dx).max(0.0), h: (area.h - 2.0 * dy).max(0.0) }
}

/// A quiet shade behind the words, so that no texture fights with them.
fn scrim(svg: &mut Svg, brief: &Brief) {
    let area = brief.layout.text;
    if area.w < 1.0 {
        return;
    }
    let palette = &brief.palette;
    let colour = if palette.is_light { lighter(palette.base, 0.4) } else { darker(palette.base, 0.55) };
    let radius = area.w.max(area.h) * 0.68;
    let fill =
        svg.light(area.center(), radius, &[(0.0, colour, 0.72), (0.55, colour, 0.5), (1.0, colour, 0.0)]);
    let (x, y) = area.center();
    svg.add(format_args!("<circle cx='{x:.0}' cy='{y:.0}' r='{radius:.0}' fill='{fill}'/>"));
}

/// Light behind the hero or the face.
fn halo(svg: &mut Svg, brief: &Brief, (x, y): (f32, f32)) {
    if brief.finish == Finish::Lightning {
        let r = brief.layout.face.map_or(brief.layout.hero.size * 0.52, |(_, r)| r * 1.22);
        let Palette { base, glow, accent, pop, .. } = brief.palette;
        let stands_out = |colour: &HexColour| {
            contrast(*colour, base) > 1.35 && chroma(*colour) > 0.15 && distance(*colour, accent) > 150.0
        };
        let colour = [glow, pop].into_iter().find(stands_out).unwrap_or_else(|| lighter(base, 0.3));
        svg.add(format_args!(
            "<circle cx='{x:.0}' cy='{y:.0}' r='{r:.0}' fill='{colour}' fill-opacity='0.92'/>"
        ));
        return;
    }
    let r = brief.layout.face.map_or(brief.layout.hero.size * 0.72, |(_, r)| r * 1.6);
    let (core, rim) = (lighter(brief.palette.glow, 0.6), brief.palette.glow);
    let fill = svg.radial(&[(0.0, core, 0.85), (0.4, rim, 0.6), (1.0, rim, 0.0)]);
    svg.add(format_args!("<circle cx='{x:.0}' cy='{y:.0}' r='{r:.0}' fill='{fill}'/>"));
}

fn tones(brief: &Brief) -> Tones {
    let palette = &brief.palette;
    let is_pale = chroma(palette.accent) < 0.2;
    Tones {
        main: palette.glow,
        accent: if is_pale { palette.pop } else { palette.accent },
        pop: if is_pale { palette.glow } else { palette.pop },
        dark: darker(palette.ink, 0.1),
        light: WHITE,
    }
}

/// A blast behind the hero when one was asked for.
const BLAST: &str = "explosion";

/// Motifs around the hero, and the blast behind it.
fn supporting(svg: &mut Svg, brief: &Brief, dice: &mut Dice) {
    let tones = tones(brief);
    if has_blast(brief)
        && let Some(art) = motifs::draw(BLAST, &tones, dice)
    {
        let (at, size) = match brief.layout.face {
            Some((at, r)) => (at, r * 2.9),
            None => (brief.layout.hero.at, brief.layout.hero.size * 1.16),
        };
        art.place(svg, &placement(brief, &Spot { at, size, turn: brief.layout.hero.turn }, 0.0));
    }
    let others = brief.motifs.iter().skip(1).filter(|name| **name != BLAST);
    for (spot, name) in brief.layout.sides.iter().zip(others) {
        if let Some(art) = motifs::draw(name, &tones, dice) {
            art.place(svg, &placement(brief, spot, 5.0));
        }
    }
}

/// The hero, in front of everything but the words.
fn hero(svg: &mut Svg, brief: &Brief, dice: &mut Dice) {
    let name = brief.motifs.first().copied().unwrap_or("star");
    let scale = if has_blast(brief) && brief.layout.face.is_none() { 0.82 } else { 1.0 };
    let spot = Spot { size: brief.layout.hero.size * scale, ..brief.layout.hero };
    if brief.finish == Finish::Pro && brief.layout.face.is_none() {
        let ((x, y), r) = (spot.at, spot.size * 0.46);
        let shade = svg.radial(&[(0.0, brief.palette.ink, 0.55), (1.0, brief.palette.ink, 0.0)]);
        svg.add(format_args!(
            "<ellipse cx='{x:.0}' cy='{:.0}' rx='{r:.0}' ry='{:.0}' fill='{shade}'/>",
            y + r * 1.04,
            r * 0.2
        ));
    }
    if let Some(art) = motifs::draw(name, &tones(brief), dice) {
        art.place(svg, &Placement { has_soft_shadow: true, ..placement(brief, &spot, 9.0) });
    }
}

fn has_blast(brief: &Brief) -> bool {
    brief.motifs.iter().skip(1).any(|name| *name == BLAST)
}

fn placement(brief: &Brief, spot: &Spot, outline_width: f32) -> Placement {
    let (outline, outline_width) = match brief.finish {
        Finish::Classic => (WHITE, outline_width),
        Finish::Pro => (brief.palette.ink, outline_width * 0.3),
        Finish::Lightning => (brief.palette.ink, 0.0),
    };
    Placement {
        at: spot.at,
        size: spot.size,
        turn: spot.turn,
        finish: brief.finish,
        outline,
        outline_width,
        ink: brief.palette.ink,
        has_soft_shadow: false,
    }
}

/// Sparks around the focus; more with more energy, fewer when flat.
fn sparks(svg: &mut Svg, brief: &Brief, dice: &mut Dice) {
    if brief.finish == Finish::Lightning || brief.energy < 3 || brief.textures.contains(&Texture::Notebook) {
        return;
    }
    let (cx, cy) = brief.layout.face.map_or(brief.layout.hero.at, |(at, _)| at);
    let reach = brief.layout.face.map_or(brief.layout.hero.size * 0.5, |(_, r)| r);
    let text = brief.layout.text;
    let colours = [brief.palette.accent, WHITE, brief.palette.pop];
    for _ in 0..u16::from(brief.energy) * if brief.finish == Finish::Pro { 4 } else { 2 } {
        let (a, r) = (dice.range(0.0, std::f32::consts::TAU), dice.range(reach * 0.95, reach * 1.6));
        let (x, y) = (cx + r * a.cos() * 1.15, cy + r * a.sin());
        let is_on_text = x > text.x && x < text.x + text.w && y > text.y && y < text.y + text.h;
        if is_on_text {
            continue;
        }
        let size = dice.range(2.0, 7.0);
        let colour = dice.pick(&colours);
        let d = if dice.chance(0.25) {
            star((x, y), (size * 3.4, size * 0.7), 4, 0.0)
        } else {
            circle(x, y, size)
        };
        if brief.finish == Finish::Pro {
            let glow = svg.radial(&[(0.0, colour, 0.7), (1.0, colour, 0.0)]);
            svg.add(format_args!("<circle cx='{x:.0}' cy='{y:.0}' r='{:.0}' fill='{glow}'/>", size * 3.0));
        }
        svg.add(format_args!("<path d='{d}' fill='{colour}'/>"));
    }
}

fn portrait(svg: &mut Svg, brief: &Brief, face: &Portrait) {
    let Some(((x, y), r)) = brief.layout.face else { return };
    let palette = &brief.palette;
    let frame = |grow: f32| match brief.finish {
        Finish::Lightning => {
            rect((x - r - grow, y - r - grow), ((r + grow) * 2.0, (r + grow) * 2.0), r * 0.3 + grow)
        }
        Finish::Classic | Finish::Pro => circle(x, y, r + grow),
    };
    if face.cutout == Cutout::Transparent {
        let plate = svg.linear(lighter(palette.glow, 0.2), palette.base, 90.0);
        svg.add(format_args!("<path d='{}' fill='{plate}'/>", frame(0.0)));
    }
    match brief.finish {
        Finish::Pro => {
            let glow = svg.light(
                (x, y),
                r * 1.45,
                &[(0.6, palette.accent, 0.9), (0.78, palette.accent, 0.4), (1.0, palette.accent, 0.0)],
            );
            svg.add(format_args!("<circle cx='{x:.0}' cy='{y:.0}' r='{:.0}' fill='{glow}'/>", r * 1.45));
            ring(svg, &frame(13.0), palette.ink);
            let rim = svg.linear(WHITE, palette.accent, 60.0);
            svg.add(format_args!("<path d='{}' fill='{rim}'/>", frame(9.0)));
        }
        Finish::Classic => {
            let shadow = circle(x + 10.0, y + 14.0, r + 15.0);
            svg.add(format_args!("<path d='{shadow}' fill='{}' fill-opacity='0.6'/>", palette.ink));
            ring(svg, &frame(21.0), palette.ink);
            ring(svg, &frame(16.0), palette.accent);
            ring(svg, &frame(6.0), WHITE);
        }
        Finish::Lightning => ring(svg, &frame(12.0), palette.on(palette.accent)),
    }
    if face.cutout == Cutout::Transparent {
        let plate = svg.linear(lighter(palette.glow, 0.35), palette.glow, 90.0);
        svg.add(format_args!("<path d='{}' fill='{plate}'/>", frame(0.0)));
    }
    let clip = svg.clip(&frame(0.0));
    svg.add(format_args!(
        "<g clip-path='{clip}'><image href='face' style='image-rendering:smooth' x='{:.1}' y='{:.1}' width='{:.1}' height='{:.1}' preserveAspectRatio='xMidYMid slice'/></g>",
        x - r,
        y - r,
        r * 2.0,
        r * 2.0
    ));
}

fn ring(svg: &mut Svg, d: &str, colour: HexColour) {
    svg.add(format_args!("<path d='{d}' fill='{colour}'/>"));
}

/// The logo on a plate in its corner; the plate takes the logo's shape.
fn badge(svg: &mut Svg, brief: &Brief, logo: &Portrait) {
    let area = brief.layout.logo;
    let scale = ((area.w - 28.0) / logo.width.max(1.0)).min((area.h - 24.0) / logo.height.max(1.0));
    let (w, h) = (logo.width * scale, logo.height * scale);
    let is_right = area.center().0 > 640.0;
    let x = if is_right { area.x + area.w - w - 28.0 } else { area.x };
    let plate = rect((x, area.y), (w + 28.0, h + 24.0), 18.0);
    if brief.finish == Finish::Lightning {
        svg.add(format_args!("<path d='{plate}' fill='#FFFFFF'/>"));
    } else {
        svg.add(format_args!("<path d='{plate}' fill='{0}' fill-opacity='0.5' transform='translate(4 6)'/><path d='{plate}' fill='#FFFFFF' stroke='{0}' stroke-width='3'/>", brief.palette.ink));
    }
    svg.add(format_args!(
        "<image href='logo' style='image-rendering:smooth' x='{:.1}' y='{:.1}' width='{w:.1}' height='{h:.1}'/>",
        x + 14.0,
        area.y + 12.0
    ));
}
