//! The colours of a picture: a coarse histogram, grouped by k-means.

use std::collections::BTreeMap;

use super::sample::Sample;
use crate::{colour::distance, ports::HexColour};

const GROUPS: usize = 9;
const ROUNDS: usize = 6;
/// Groups nearer than this are one colour to the eye.
const SAME_COLOUR: f32 = 62.0;

/// A colour and the share of the picture it covers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Swatch {
    pub colour: HexColour,
    pub share: f32,
}

/// Colours by falling share; shares add up to 1.
pub(super) fn palette(sample: &Sample) -> Vec<Swatch> {
    let bins = histogram(sample);
    let mut centers = seeds(&bins);
    let mut weights = vec![0.0; centers.len()];
    for _ in 0..ROUNDS {
        let mut sums = vec![[0.0_f32; 4]; centers.len()];
        for (colour, count) in &bins {
            let nearest = nearest(&centers, *colour);
            for (sum, channel) in sums[nearest].iter_mut().zip(colour.0) {
                *sum += f32::from(channel) * count;
            }
            sums[nearest][3] += count;
        }
        for (index, sum) in sums.iter().enumerate() {
            weights[index] = sum[3];
            if sum[3] > 0.0 {
                centers[index] = HexColour([0, 1, 2].map(|channel| (sum[channel] / sum[3]).round() as u8));
            }
        }
    }
    let total: f32 = weights.iter().sum::<f32>().max(1.0);
    let mut swatches: Vec<Swatch> = Vec::new();
    let mut order: Vec<usize> = (0..centers.len()).collect();
    order.sort_by(|a, b| weights[*b].total_cmp(&weights[*a]));
    for index in order.into_iter().filter(|index| weights[*index] > 0.0) {
        let (colour, share) = (centers[index], weights[index] / total);
        match swatches.iter_mut().find(|known| distance(known.colour, colour) < SAME_COLOUR) {
            Some(known) => known.share += share,
            None => swatches.push(Swatch { colour, share }),
        }
    }
    swatches.sort_by(|a, b| b.share.total_cmp(&a.share));
    swatches
}

/// Mean colour and count of each of 16x16x16 bins.
fn histogram(sample: &Sample) -> Vec<(HexColour, f32)> {
    let mut bins: BTreeMap<[u8; 3], [u32; 4]> = BTreeMap::new();
    for pixel in &sample.pixels {
        let sum = bins.entry(pixel.0.map(|channel| channel >> 4)).or_default();
        for (sum, channel) in sum.iter_mut().zip(pixel.0) {
            *sum += u32::from(channel);
        }
        sum[3] += 1;
    }
    bins.values()
        .map(|sum| (HexColour([0, 1, 2].map(|channel| (sum[channel] / sum[3]) as u8)), sum[3] as f32))
        .collect()
}

/// Starting colours: the commonest, then whatever is both common and far from those chosen.
fn seeds(bins: &[(HexColour, f32)]) -> Vec<HexColour> {
    let mut chosen: Vec<HexColour> = Vec::new();
    for _ in 0..GROUPS {
        let score = |bin: &(HexColour, f32)| {
            let apart = chosen.iter().map(|known| distance(*known, bin.0)).fold(300.0, f32::min);
            bin.1.sqrt() * apart
        };
        let best = bins.iter().max_by(|a, b| score(a).total_cmp(&score(b)));
        match best {
            Some(bin) if score(bin) > 0.0 => chosen.push(bin.0),
            _ => break,
        }
    }
    chosen
}

fn nearest(centers: &[HexColour], colour: HexColour) -> usize {
    let mut best = (0, f32::MAX);
    for (index, center) in centers.iter().enumerate() {
        let apart = distance(*center, colour);
        if apart < best.1 {
            best = (index, apart);
        }
    }
    best.0
}
