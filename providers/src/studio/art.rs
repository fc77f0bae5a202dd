//! A drawing made of coloured shapes, and how it is put on the canvas.
//!
//! Motifs draw into a box of -200..200 and do not know the finish; the finish decides about
//! gradients, outlines and light when the art is placed.

use super::svg::Svg;
use crate::{
    colour::{darker, lighter, mix},
    ports::HexColour,
};

/// The finish of an algorithm's pictures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Finish {
    /// Bold shapes, thick outlines, hard shadows.
    Classic,
    /// Light, depth, soft shadows, more detail.
    Pro,
    /// Flat and fast.
    Lightning,
}

#[derive(Debug, Clone)]
enum Role {
    /// Part of the silhouette, shaded by the finish.
    Body(HexColour),
    /// A stroked part of the silhouette.
    Bar(HexColour, f32),
    /// Inside the silhouette.
    Detail(HexColour, f32),
    Line(HexColour, f32),
    /// White light; left out when flat.
    Shine(f32),
    /// Dark shade; left out when flat.
    Shade(f32),
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Art(Vec<(String, Role)>);

/// The place and the turn of a drawing.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Placement {
    pub at: (f32, f32),
    /// Side of the box in canvas units.
    pub size: f32,
    /// Degrees.
    pub turn: f32,
    pub finish: Finish,
    /// Colour of the sticker outline.
    pub outline: HexColour,
    /// Canvas units; 0 for none.
    pub outline_width: f32,
    pub ink: HexColour,
    /// A blurred shadow costs as much as the drawing itself: it is for the hero.
    pub has_soft_shadow: bool,
}

impl Art {
    pub(crate) fn body(&mut self, d: impl Into<String>, colour: HexColour) {
        self.0.push((d.into(), Role::Body(colour)));
    }

    pub(crate) fn bar(&mut self, d: impl Into<String>, colour: HexColour, width: f32) {
        self.0.push((d.into(), Role::Bar(colour, width)));
    }

    pub(crate) fn detail(&mut self, d: impl Into<String>, colour: HexColour) {
        self.0.push((d.into(), Role::Detail(colour, 1.0)));
    }

    pub(crate) fn faint(&mut self, d: impl Into<String>, colour: HexColour, opacity: f32) {
        self.0.push((d.into(), Role::Detail(colour, opacity)));
    }

    pub(crate) fn line(&mut self, d: impl Into<String>, colour: HexColour, width: f32) {
        self.0.push((d.into(), Role::Line(colour, width)));
    }

    pub(crate) fn shine(&mut self, d: impl Into<String>, opacity: f32) {
        self.0.push((d.into(), Role::Shine(opacity)));
    }

    pub(crate) fn shade(&mut self, d: impl Into<String>, opacity: f32) {
        self.0.push((d.into(), Role::Shade(opacity)));
    }

    /// Writes shadow, outline and shapes.
    pub(crate) fn place(&self, svg: &mut Svg, how: &Placement) {
        let scale = how.size / 400.0;
        let (x, y) = how.at;
        let turn = how.turn;
        let unit = 1.0 / scale.max(0.05);
        let pose = |dx: f32, dy: f32| {
            format!("translate({:.1} {:.1}) rotate({turn:.1}) scale({scale:.3})", x + dx, y + dy)
        };
        let drop = (how.size / 36.0).clamp(3.0, 16.0);
        match how.finish {
            Finish::Pro if how.has_soft_shadow => {
                let blur = svg.blur(drop * 1.3);
                svg.add(format_args!("<g filter='{blur}' opacity='0.75'>"));
                self.silhouette(svg, &pose(drop * 0.6, drop * 2.0), how.ink, how.outline_width * unit);
                svg.add(format_args!("</g>"));
            }
            Finish::Classic | Finish::Pro => {
                self.silhouette(svg, &pose(drop, drop * 1.2), how.ink, how.outline_width * unit);
            }
            Finish::Lightning => {
                svg.add(format_args!("<g opacity='0.28'>"));
                self.silhouette(svg, &pose(drop * 0.9, drop * 0.9), how.ink, 0.0);
                svg.add(format_args!("</g>"));
            }
        }
        if how.outline_width > 0.0 {
            self.silhouette(svg, &pose(0.0, 0.0), how.outline, how.outline_width * unit);
        }
        svg.add(format_args!(
            "<g transform='{}' stroke-linejoin='round' stroke-linecap='round'>",
            pose(0.0, 0.0)
        ));
        for (d, role) in &self.0 {
            shape(svg, d, role, how);
        }
        svg.add(format_args!("</g>"));
    }

    /// The outer form in one colour, `grow` units wider on every side.
    fn silhouette(&self, svg: &mut Svg, pose: &str, colour: HexColour, grow: f32) {
        svg.add(format_args!(
            "<g transform='{pose}' stroke='{colour}' stroke-linejoin='round' \
             stroke-linecap='round'>"
        ));
        for (d, role) in &self.0 {
            match role {
                Role::Body(_) => svg.add(format_args!(
                    "<path d='{d}' fill='{colour}' stroke-width='{:.1}'/>",
                    (grow * 2.0).max(0.1)
                )),
                Role::Bar(_, width) => svg.add(format_args!(
                    "<path d='{d}' fill='none' stroke-width='{:.1}'/>",
                    width + grow * 2.0
                )),
                Role::Detail(..) | Role::Line(..) | Role::Shine(_) | Role::Shade(_) => {}
            }
        }
        svg.add(format_args!("</g>"));
    }
}

fn shape(svg: &mut Svg, d: &str, role: &Role, how: &Placement) {
    match *role {
        Role::Body(colour) => body(svg, d, colour, how),
        Role::Bar(colour, width) => {
            if how.finish != Finish::Lightning {
                let edge = mix(darker(colour, 0.6), how.ink, 0.5);
                svg.add(format_args!(
                    "<path d='{d}' fill='none' stroke='{edge}' stroke-width='{:.1}'/>",
                    width + 8.0
                ));
            }
            svg.add(format_args!("<path d='{d}' fill='none' stroke='{colour}' stroke-width='{width:.1}'/>"));
        }
        Role::Detail(colour, opacity) => {
            svg.add(format_args!("<path d='{d}' fill='{colour}' fill-opacity='{opacity:.2}'/>"));
        }
        Role::Line(colour, width) => {
            svg.add(format_args!("<path d='{d}' fill='none' stroke='{colour}' stroke-width='{width:.1}'/>"));
        }
        Role::Shine(opacity) if how.finish != Finish::Lightning => {
            svg.add(format_args!("<path d='{d}' fill='#FFFFFF' fill-opacity='{opacity:.2}'/>"));
        }
        Role::Shade(opacity) if how.finish != Finish::Lightning => {
            svg.add(format_args!("<path d='{d}' fill='#000000' fill-opacity='{opacity:.2}'/>"));
        }
        Role::Shine(_) | Role::Shade(_) => {}
    }
}

fn body(svg: &mut Svg, d: &str, colour: HexColour, how: &Placement) {
    let edge = mix(darker(colour, 0.65), how.ink, 0.5);
    match how.finish {
        Finish::Lightning => svg.add(format_args!("<path d='{d}' fill='{colour}'/>")),
        Finish::Classic => {
            let fill = svg.linear(lighter(colour, 0.18), darker(colour, 0.18), 70.0);
            svg.add(format_args!("<path d='{d}' fill='{fill}' stroke='{edge}' stroke-width='7'/>"));
        }
        Finish::Pro => {
            let fill = svg.linear(lighter(colour, 0.34), darker(colour, 0.42), 60.0);
            let rim = svg.linear(lighter(colour, 0.75), darker(colour, 0.5), 80.0);
            svg.add(format_args!("<path d='{d}' fill='{edge}' stroke='{edge}' stroke-width='7'/>"));
            svg.add(format_args!(
                "<path d='{d}' fill='{fill}' stroke='{rim}' stroke-opacity='0.8' stroke-width='2.5'/>"
            ));
        }
    }
}
