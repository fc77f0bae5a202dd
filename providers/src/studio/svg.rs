//! Writing SVG: a document with shared gradients, and path data for common shapes.

use std::{collections::BTreeMap, fmt, fmt::Write};

use crate::ports::HexColour;

/// A document of 1280x720 units under construction.
#[derive(Debug, Default)]
pub(crate) struct Svg {
    defs: String,
    body: String,
    ids: BTreeMap<String, usize>,
}

impl Svg {
    /// Appends markup. Only numbers, colours and escaped text may be formatted into it.
    pub(crate) fn add(&mut self, markup: fmt::Arguments<'_>) {
        let _ = self.body.write_fmt(markup);
    }

    /// A fill that runs from `from` to `to`; `angle` in degrees, 90 is downwards.
    pub(crate) fn linear(&mut self, from: HexColour, to: HexColour, angle: f32) -> String {
        let (sin, cos) = angle.to_radians().sin_cos();
        let (x, y) = (cos / 2.0, sin / 2.0);
        let (x1, y1, x2, y2) = (0.5 - x, 0.5 - y, 0.5 + x, 0.5 + y);
        self.define(
            &format!(
                "x1='{x1:.3}' y1='{y1:.3}' x2='{x2:.3}' y2='{y2:.3}'>\
                 <stop offset='0' stop-color='{from}'/><stop offset='1' stop-color='{to}'/></linearGradient>"
            ),
            "linearGradient",
        )
    }

    /// A fill around the middle of the shape; stops are (offset, colour, opacity).
    pub(crate) fn radial(&mut self, stops: &[(f32, HexColour, f32)]) -> String {
        let stops = stop_list(stops);
        self.define(&format!("cx='0.5' cy='0.5' r='0.5'>{stops}</radialGradient>"), "radialGradient")
    }

    /// A fill fixed on the canvas, for shapes that share one light.
    pub(crate) fn light(&mut self, at: (f32, f32), radius: f32, stops: &[(f32, HexColour, f32)]) -> String {
        let (cx, cy) = at;
        let stops = stop_list(stops);
        self.define(
            &format!(
                "gradientUnits='userSpaceOnUse' cx='{cx:.1}' cy='{cy:.1}' r='{radius:.1}'>{stops}</radialGradient>"
            ),
            "radialGradient",
        )
    }

    /// A blur usable as `filter='…'` on a group.
    pub(crate) fn blur(&mut self, deviation: f32) -> String {
        self.define(
            &format!(
                "x='-20%' y='-20%' width='140%' height='140%' color-interpolation-filters='sRGB'>\
                 <feGaussianBlur stdDeviation='{deviation:.1}'/></filter>"
            ),
            "filter",
        )
    }

    /// A clip usable as `clip-path='…'`.
    pub(crate) fn clip(&mut self, d: &str) -> String {
        self.define(&format!("><path d='{d}'/></clipPath>"), "clipPath")
    }

    fn define(&mut self, rest: &str, element: &str) -> String {
        let next = self.ids.len();
        let id = *self.ids.entry(rest.to_owned()).or_insert_with(|| {
            let _ = write!(self.defs, "<{element} id='d{next}' {rest}");
            next
        });
        format!("url(#d{id})")
    }

    pub(crate) fn finish(self, width: u32, height: u32) -> String {
        let Self { defs, body, .. } = self;
        format!(
            "<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{height}' \
             viewBox='0 0 1280 720' preserveAspectRatio='xMidYMid slice'><defs>{defs}</defs>{body}</svg>"
        )
    }
}

fn stop_list(stops: &[(f32, HexColour, f32)]) -> String {
    stops.iter().fold(String::new(), |mut list, (offset, colour, opacity)| {
        let _ =
            write!(list, "<stop offset='{offset:.3}' stop-color='{colour}' stop-opacity='{opacity:.3}'/>");
        list
    })
}

/// Text content with markup characters escaped.
pub(crate) fn escape(text: &str) -> String {
    text.chars().fold(String::new(), |mut out, c| {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
        out
    })
}

pub(crate) fn circle(cx: f32, cy: f32, r: f32) -> String {
    ellipse(cx, cy, r, r)
}

pub(crate) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> String {
    let (left, right) = (cx - rx, cx + rx);
    format!(
        "M{left:.1} {cy:.1}A{rx:.1} {ry:.1} 0 1 1 {right:.1} {cy:.1}A{rx:.1} {ry:.1} 0 1 1 {left:.1} {cy:.1}Z"
    )
}

/// A rectangle from its top left corner, with rounded corners.
pub(crate) fn rect(at: (f32, f32), size: (f32, f32), r: f32) -> String {
    let ((x, y), (w, h)) = (at, size);
    let r = r.min(w / 2.0).min(h / 2.0);
    if r <= 0.0 {
        return format!("M{x:.1} {y:.1}h{w:.1}v{h:.1}h{:.1}Z", -w);
    }
    let (iw, ih) = (w - 2.0 * r, h - 2.0 * r);
    format!(
        "M{:.1} {y:.1}h{iw:.1}a{r:.1} {r:.1} 0 0 1 {r:.1} {r:.1}v{ih:.1}a{r:.1} {r:.1} 0 0 1 -{r:.1} {r:.1}\
         h-{iw:.1}a{r:.1} {r:.1} 0 0 1 -{r:.1} -{r:.1}v-{ih:.1}a{r:.1} {r:.1} 0 0 1 {r:.1} -{r:.1}Z",
        x + r
    )
}

pub(crate) fn polygon(points: &[(f32, f32)]) -> String {
    let mut d = String::new();
    for (index, (x, y)) in points.iter().enumerate() {
        let _ = write!(d, "{}{x:.1} {y:.1}", if index == 0 { 'M' } else { 'L' });
    }
    d.push('Z');
    d
}

/// A regular star; `turn` in degrees.
pub(crate) fn star(at: (f32, f32), radii: (f32, f32), points: u16, turn: f32) -> String {
    let corners: Vec<_> = (0..points * 2)
        .map(|i| {
            let angle = (f32::from(i) * 180.0 / f32::from(points) - 90.0 + turn).to_radians();
            let r = if i % 2 == 0 { radii.0 } else { radii.1 };
            (at.0 + r * angle.cos(), at.1 + r * angle.sin())
        })
        .collect();
    polygon(&corners)
}
