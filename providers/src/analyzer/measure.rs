//! Single measurements on a sample: light, edges, balance, words and skin.

use std::collections::HashMap;

use super::sample::{HEIGHT, Sample, WIDTH};
use crate::{
    colour::{chroma, hsl},
    ports::{HexColour, TextPlacement},
};

/// A step of brightness that the eye sees as an edge.
const EDGE: f32 = 34.0;
/// A step as between letters and their outline.
const LETTER_EDGE: f32 = 95.0;

/// Numbers about the whole picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Light {
    /// Mean brightness, 0..=255.
    pub mean: f32,
    /// Standard deviation of brightness.
    pub deviation: f32,
    /// Brightness between the 5th and the 95th percentile.
    pub range: f32,
    /// Mean chroma, 0..=1.
    pub saturation: f32,
    /// Chroma-weighted warmth, -1 (blue) to 1 (orange).
    pub warmth: f32,
    /// Share of pixels on an edge.
    pub edges: f32,
}

pub(super) fn light(sample: &Sample) -> Light {
    let count = sample.luma.len() as f32;
    let mean = sample.luma.iter().sum::<f32>() / count;
    let variance = sample.luma.iter().map(|luma| (luma - mean).powi(2)).sum::<f32>() / count;
    let mut sorted = sample.luma.clone();
    sorted.sort_by(f32::total_cmp);
    let at = |share: f32| sorted[((sorted.len() - 1) as f32 * share) as usize];
    let (mut colour, mut warmth) = (0.0, 0.0);
    for pixel in &sample.pixels {
        let strength = chroma(*pixel);
        colour += strength;
        warmth += strength * (hsl(*pixel).h - 35.0).to_radians().cos();
    }
    let edges = (0..sample.luma.len()).filter(|i| is_edge(sample, i % WIDTH, i / WIDTH)).count();
    Light {
        mean,
        deviation: variance.sqrt(),
        range: at(0.95) - at(0.05),
        saturation: colour / count,
        warmth: if colour > 0.0 { warmth / colour } else { 0.0 },
        edges: edges as f32 / count,
    }
}

fn is_edge(sample: &Sample, x: usize, y: usize) -> bool {
    let (right, down) = sample.step(x, y);
    right.abs().max(down.abs()) > EDGE
}

/// Mean difference between the picture and its mirror image on blocks of 12x12, 0..=255.
pub(super) fn asymmetry(sample: &Sample) -> f32 {
    let (columns, rows) = (WIDTH / 12, HEIGHT / 12);
    let block = |column: usize, row: usize| {
        let mut sum = 0.0;
        for y in row * 12..row * 12 + 12 {
            for x in column * 12..column * 12 + 12 {
                sum += sample.luma_at(x, y);
            }
        }
        sum / 144.0
    };
    let mut total = 0.0;
    for row in 0..rows {
        for column in 0..columns / 2 {
            total += (block(column, row) - block(columns - 1 - column, row)).abs();
        }
    }
    total / (rows * columns / 2) as f32
}

/// The share of details in each cell of the 3x3 grid, row by row; adds up to 1.
pub(super) fn attention(sample: &Sample) -> [f32; 9] {
    let mut cells = [0.001_f32; 9];
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            let (right, down) = sample.step(x, y);
            let edge = right.abs().max(down.abs());
            let weight = if edge > EDGE { edge } else { 0.0 } + chroma(sample.pixels[y * WIDTH + x]) * 12.0;
            cells[(y * 3 / HEIGHT) * 3 + x * 3 / WIDTH] += weight;
        }
    }
    let total: f32 = cells.iter().sum();
    cells.map(|cell| cell / total)
}

/// Words as far as pixels tell: where upright strokes with hard edges crowd in a band.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Words {
    pub placement: TextPlacement,
    /// Strokes per pixel of the best window.
    pub density: f32,
    /// Share of the picture's cells that look like words.
    pub cover: f32,
    /// Share of strokes that stand upright; slanted and round letters have fewer.
    pub upright: f32,
}

const CELL: usize = 12;
/// Strokes in a cell of 144 pixels from which it looks like letters.
const WORDY_STROKES: u16 = 30;
const COLUMNS: usize = WIDTH / CELL;
const ROWS: usize = HEIGHT / CELL;

pub(super) fn words(sample: &Sample) -> Option<Words> {
    let (mut strokes, mut upright) = ([[0_u16; COLUMNS]; ROWS], 0.0_f32);
    let mut total = 0.0_f32;
    for y in 0..HEIGHT - 2 {
        for x in 0..WIDTH - 2 {
            let jump = |row: usize| sample.luma_at(x + 2, row) - sample.luma_at(x, row);
            let here = jump(y);
            if here.abs() < LETTER_EDGE {
                continue;
            }
            total += 1.0;
            strokes[y / CELL][x / CELL] += 1;
            if (jump(y + 2) - here).abs() < 60.0 {
                upright += 1.0;
            }
        }
    }
    let is_wordy = |row: usize, column: usize| strokes[row][column] >= WORDY_STROKES;
    let mut cover = 0;
    let (mut left, mut right, mut top, mut bottom, mut middle) =
        (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    let mut longest = 0;
    for row in 0..ROWS {
        let mut run = 0;
        for column in 0..COLUMNS {
            if !is_wordy(row, column) {
                run = 0;
                continue;
            }
            run += 1;
            longest = longest.max(run);
            cover += 1;
            left += f32::from(u8::from(column < COLUMNS / 2));
            right += f32::from(u8::from(column >= COLUMNS / 2));
            top += f32::from(u8::from(row < ROWS / 3));
            bottom += f32::from(u8::from(row >= ROWS - ROWS / 3));
            middle += f32::from(u8::from((ROWS / 3..ROWS - ROWS / 3).contains(&row)));
        }
    }
    if longest < 3 || cover < 5 {
        return None;
    }
    let all = f32::from(cover as u8);
    let placement = if left / all > 0.72 {
        TextPlacement::Left
    } else if right / all > 0.72 {
        TextPlacement::Right
    } else if top / all > 0.55 {
        TextPlacement::Top
    } else if bottom / all > 0.55 {
        TextPlacement::Bottom
    } else if middle / all > 0.5 {
        TextPlacement::Center
    } else {
        TextPlacement::Overlay
    };
    let cells = (ROWS * COLUMNS) as f32;
    Some(Words {
        placement,
        density: total / sample.luma.len() as f32,
        cover: all / cells,
        upright: upright / total.max(1.0),
    })
}

/// The largest connected patch of skin tones; lengths are shares of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct SkinPatch {
    pub center: (f32, f32),
    pub height: f32,
    pub area: f32,
}

/// None unless a patch has about the size, shape and density of a face.
pub(super) fn skin_patch(sample: &Sample) -> Option<SkinPatch> {
    let mut open: Vec<bool> = sample.pixels.iter().map(|pixel| is_skin(pixel.0)).collect();
    let mut best: Option<(usize, [usize; 4])> = None;
    for start in 0..open.len() {
        if !open[start] {
            continue;
        }
        let (mut size, mut bounds) = (0, [WIDTH, 0, HEIGHT, 0]);
        let mut stack = vec![start];
        open[start] = false;
        while let Some(index) = stack.pop() {
            let (x, y) = (index % WIDTH, index / WIDTH);
            size += 1;
            bounds = [bounds[0].min(x), bounds[1].max(x), bounds[2].min(y), bounds[3].max(y)];
            let neighbours = [
                (x > 0).then(|| index - 1),
                (x + 1 < WIDTH).then(|| index + 1),
                (y > 0).then(|| index - WIDTH),
                (y + 1 < HEIGHT).then(|| index + WIDTH),
            ];
            for next in neighbours.into_iter().flatten() {
                if open[next] {
                    open[next] = false;
                    stack.push(next);
                }
            }
        }
        if best.is_none_or(|(known, _)| size > known) {
            best = Some((size, bounds));
        }
    }
    let (size, [x0, x1, y0, y1]) = best?;
    let (w, h) = ((x1 - x0 + 1) as f32, (y1 - y0 + 1) as f32);
    let area = size as f32 / sample.pixels.len() as f32;
    let (fill, shape) = (size as f32 / (w * h), w / h);
    let is_face = (0.012..0.35).contains(&area) && fill > 0.42 && (0.4..2.2).contains(&shape) && h > 12.0;
    is_face.then(|| SkinPatch {
        center: ((x0 as f32 + w / 2.0) / WIDTH as f32, (y0 as f32 + h / 2.0) / HEIGHT as f32),
        height: h / HEIGHT as f32,
        area,
    })
}

/// Skin of all complexions shares its hue; lightness and saturation vary.
fn is_skin([r, g, b]: [u8; 3]) -> bool {
    let (max, min) = (r.max(g).max(b), r.min(g).min(b));
    if max < 70 || r != max || b != min || r - g < 10 {
        return false;
    }
    let saturation = f32::from(max - min) / f32::from(max);
    let hue = 60.0 * f32::from(g - b) / f32::from((max - min).max(1));
    (0.14..0.58).contains(&saturation) && (8.0..38.0).contains(&hue)
}

/// Steps of brightness along the outer frame: (spread of brightness, share of edges).
pub(super) fn border(sample: &Sample) -> (f32, f32) {
    let is_outer = |x: usize, y: usize| x < 14 || y < 8 || x + 15 > WIDTH || y + 9 > HEIGHT;
    let (mut count, mut sum, mut squares, mut edges) = (0.0_f32, 0.0_f32, 0.0_f32, 0.0_f32);
    for y in 0..HEIGHT {
        for x in 0..WIDTH {
            if !is_outer(x, y) {
                continue;
            }
            let luma = sample.luma_at(x, y);
            count += 1.0;
            sum += luma;
            squares += luma * luma;
            let (right, down) = sample.step(x, y);
            edges += f32::from(u8::from(right.abs().max(down.abs()) > 12.0));
        }
    }
    let mean = sum / count;
    ((squares / count - mean * mean).max(0.0).sqrt(), edges / count)
}

/// Share of the picture that its six commonest exact colours cover: high for flat drawings, low for
/// gradients and photos.
pub(super) fn flatness(sample: &Sample) -> f32 {
    let mut counts: HashMap<HexColour, u32> = HashMap::new();
    for pixel in &sample.pixels {
        *counts.entry(*pixel).or_default() += 1;
    }
    let mut counts: Vec<u32> = counts.into_values().collect();
    counts.sort_unstable_by(|a, b| b.cmp(a));
    counts.iter().take(6).sum::<u32>() as f32 / sample.pixels.len() as f32
}

/// A bright plate in a corner of an otherwise darker picture.
pub(super) fn has_corner_plate(sample: &Sample, mean: f32) -> bool {
    if mean > 190.0 {
        return false;
    }
    let (w, h) = (WIDTH / 7, HEIGHT / 6);
    let corners = [(0, 0), (WIDTH - w, 0), (0, HEIGHT - h), (WIDTH - w, HEIGHT - h)];
    corners.into_iter().any(|(x0, y0)| {
        let white = (y0..y0 + h)
            .flat_map(|y| (x0..x0 + w).map(move |x| y * WIDTH + x))
            .filter(|index| sample.luma[*index] > 238.0 && chroma(sample.pixels[*index]) < 0.08)
            .count();
        let share = white as f32 / (w * h) as f32;
        (0.22..0.85).contains(&share)
    })
}
