//! Layouts: areas for words, hero, face and logo that never overlap.

use super::dice::Dice;
use crate::ports::{DesignDna, LayoutType, TextPlacement, TextSize};

/// The area of the words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Left,
    Right,
    Top,
    Bottom,
    Center,
}

/// Room for the widest frame and its shadow around a face.
const FRAME_MARGIN: f32 = 26.0;

/// A rectangle on the canvas of 1280x720.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Area {
    pub x: f32,
    pub y: f32,
    pub w: f32,
    pub h: f32,
}

impl Area {
    pub(crate) fn overlaps(&self, other: &Self) -> bool {
        self.x < other.x + other.w
            && other.x < self.x + self.w
            && self.y < other.y + other.h
            && other.y < self.y + self.h
    }

    pub(crate) fn center(&self) -> (f32, f32) {
        (self.x + self.w / 2.0, self.y + self.h / 2.0)
    }
}

/// A spot for a motif: middle, side of its box, degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spot {
    pub at: (f32, f32),
    pub size: f32,
    pub turn: f32,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Layout {
    pub text: Area,
    /// The alignment of lines: 0 left, 0.5 middle, 1 right.
    pub align: f32,
    /// Degrees the words are turned by.
    pub tilt: f32,
    pub hero: Spot,
    pub sides: Vec<Spot>,
    /// Middle and radius of the face's frame.
    pub face: Option<((f32, f32), f32)>,
    pub logo: Area,
}

/// The facts that decide a layout.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wish {
    pub kind: Kind,
    pub size: TextSize,
    pub energy: u8,
    pub has_face: bool,
    pub has_logo: bool,
    pub has_text: bool,
}

impl Spot {
    fn area(&self) -> Area {
        Area { x: self.at.0 - self.size / 2.0, y: self.at.1 - self.size / 2.0, w: self.size, h: self.size }
    }
}

impl Kind {
    /// The template's placement, else a throw that prefers words beside the hero.
    pub(crate) fn choose(style: Option<&DesignDna>, dice: &mut Dice) -> Self {
        let Some(dna) = style else {
            return dice.pick(&[Self::Left, Self::Left, Self::Right, Self::Bottom, Self::Top]);
        };
        match dna.typography.text_placement {
            TextPlacement::Right => Self::Right,
            TextPlacement::Top => Self::Top,
            TextPlacement::Bottom => Self::Bottom,
            TextPlacement::Center => Self::Center,
            TextPlacement::Overlay if dna.composition.layout_type == LayoutType::Centered => Self::Bottom,
            TextPlacement::Left | TextPlacement::Corner | TextPlacement::Overlay => Self::Left,
        }
    }
}

impl Layout {
    pub(crate) fn of(wish: Wish, dice: &mut Dice) -> Self {
        let lean = if wish.energy >= 5 { f32::from(wish.energy) * 0.55 } else { 0.0 };
        let turn = dice.range(-1.0, 1.0) * (3.0 + f32::from(wish.energy) * 0.9);
        let mut layout = Self::unchecked(wish, lean, turn);
        if wish.has_logo {
            let logo = layout.logo;
            layout.sides.retain(|spot| !spot.area().overlaps(&logo));
        }
        layout
    }

    fn unchecked(wish: Wish, lean: f32, turn: f32) -> Self {
        if !wish.has_text {
            return Self::wordless(turn, wish.has_face);
        }
        match (wish.kind, wish.has_face) {
            (Kind::Left, _) => Self::beside(wish, lean, turn, false),
            (Kind::Right, _) => Self::beside(wish, lean, turn, true),
            (Kind::Top, _) => Self::stacked(wish, turn, true),
            (Kind::Bottom, _) | (Kind::Center, true) => Self::stacked(wish, turn, false),
            (Kind::Center, false) => Self::centered(wish, lean, turn),
        }
    }

    fn beside(wish: Wish, lean: f32, turn: f32, mirrored: bool) -> Self {
        let width = match wish.size {
            TextSize::Large => 680.0,
            TextSize::Medium => 620.0,
            TextSize::Small => 540.0,
        };
        let flip = |x: f32| if mirrored { 1280.0 - x } else { x };
        let text =
            Area { x: if mirrored { 1280.0 - 44.0 - width } else { 44.0 }, y: 62.0, w: width, h: 590.0 };
        let room = 1280.0 - 44.0 - width;
        let hero_x = 44.0 + width + room / 2.0 + 6.0;
        let face = wish.has_face.then_some(((flip(hero_x - 8.0), 372.0), 234.0_f32.min(room / 2.0 - 34.0)));
        let hero = if wish.has_face {
            Spot { at: (flip(1164.0), 604.0), size: 216.0, turn }
        } else {
            Spot { at: (flip(hero_x - 4.0), 366.0), size: (room * 0.94).min(580.0), turn }
        };
        let sides = vec![
            Spot { at: (flip(1186.0), 108.0), size: 176.0, turn: 14.0 - turn },
            Spot { at: (flip(hero_x - 236.0), 616.0), size: 170.0, turn: turn - 14.0 },
        ];
        let logo =
            Area { x: if mirrored { 36.0 } else { 1280.0 - 36.0 - 150.0 }, y: 34.0, w: 150.0, h: 96.0 };
        Self { text, align: 0.0, tilt: -lean * 0.8, hero, sides, face, logo }
    }

    fn stacked(wish: Wish, turn: f32, words_on_top: bool) -> Self {
        let height = match (wish.size, wish.has_face) {
            (TextSize::Large, false) => 316.0,
            (TextSize::Medium, false) | (TextSize::Large, true) => 262.0,
            (TextSize::Small, false) | (TextSize::Medium, true) => 226.0,
            (TextSize::Small, true) => 196.0,
        };
        let text_y = if words_on_top { 30.0 } else { 720.0 - 34.0 - height };
        let text = Area { x: 70.0, y: text_y, w: 1140.0, h: height };
        let (free_from, free_to) = if words_on_top { (text_y + height, 706.0) } else { (14.0, text_y) };
        let hero_y = f32::midpoint(free_from, free_to);
        let face = wish.has_face.then_some(((640.0, hero_y), (free_to - free_from) / 2.0 - FRAME_MARGIN));
        let hero = if wish.has_face {
            Spot { at: (1020.0, hero_y), size: 330.0, turn }
        } else {
            Spot { at: (640.0, hero_y), size: (free_to - free_from) * 1.06, turn: turn * 0.6 }
        };
        let left = if wish.has_logo {
            Spot { at: (326.0, hero_y + 16.0), size: 240.0, turn: -12.0 }
        } else {
            Spot { at: (228.0, hero_y + 10.0), size: 276.0, turn: -12.0 }
        };
        let right = Spot { at: (1052.0, hero_y + 10.0), size: 276.0, turn: 12.0 };
        let sides =
            if wish.has_face { vec![Spot { size: left.size * 1.1, ..left }] } else { vec![left, right] };
        let logo_y = if words_on_top { 720.0 - 34.0 - 96.0 } else { 30.0 };
        let logo = Area { x: 36.0, y: logo_y, w: 150.0, h: 96.0 };
        Self { text, align: 0.5, tilt: 0.0, hero, sides, face, logo }
    }

    fn centered(wish: Wish, lean: f32, turn: f32) -> Self {
        let (w, h) = match wish.size {
            TextSize::Large => (820.0, 430.0),
            TextSize::Medium => (760.0, 380.0),
            TextSize::Small => (660.0, 310.0),
        };
        let text = Area { x: 640.0 - w / 2.0, y: 360.0 - h / 2.0, w, h };
        let hero = Spot { at: (1146.0, 580.0), size: 250.0, turn: 10.0 + turn };
        let sides = vec![
            Spot { at: (118.0, 122.0), size: 220.0, turn: -14.0 },
            Spot { at: (1166.0, 116.0), size: 200.0, turn: 12.0 },
            Spot { at: (114.0, 600.0), size: 200.0, turn: 8.0 },
        ];
        let logo = Area { x: 565.0, y: 24.0, w: 150.0, h: 90.0 };
        Self { text, align: 0.5, tilt: -lean * 0.6, hero, sides, face: None, logo }
    }

    /// Nothing to write, or nothing that the fonts can write: the drawing takes the stage.
    fn wordless(turn: f32, has_face: bool) -> Self {
        let (hero, face) = if has_face {
            (Spot { at: (900.0, 390.0), size: 480.0, turn }, Some(((400.0, 366.0), 264.0)))
        } else {
            (Spot { at: (640.0, 366.0), size: 600.0, turn: turn * 0.5 }, None)
        };
        let sides = vec![
            Spot { at: (196.0, 540.0), size: 250.0, turn: -12.0 },
            Spot { at: (1090.0, 200.0), size: 250.0, turn: 12.0 },
        ];
        let text = Area { x: 0.0, y: 0.0, w: 0.0, h: 0.0 };
        let logo = Area { x: 1094.0, y: 34.0, w: 150.0, h: 96.0 };
        Self {
            text,
            align: 0.0,
            tilt: 0.0,
            hero,
            sides: if has_face { Vec::new() } else { sides },
            face,
            logo,
        }
    }
}
