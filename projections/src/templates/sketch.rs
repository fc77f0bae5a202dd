//! A vector in short: after a rotation that is the same for all, the signs of its coordinates.
//!
//! The share of bits in which two sketches differ is the angle between their vectors, give or take one in
//! forty (the signs of random projections; Charikar, STOC 2002). That is enough to pick candidates, whose
//! vectors then decide. Without the rotation, vectors with many zeros would look alike.
//!
//! Every stored sketch depends on this file: a change of it asks for a rebuild of `templates`.

use std::sync::LazyLock;

use pgvector::Bit;

use super::EMBEDDING_DIMENSIONS;

/// The rotation works on a power of two; what it has more than the vector is zero.
const WIDTH: usize = EMBEDDING_DIMENSIONS.next_power_of_two();
/// A round of signs and Hadamard transform mixes; a second one leaves nothing of where a value stood.
const ROUNDS: usize = 2;

static SIGNS: LazyLock<[Vec<f32>; ROUNDS]> = LazyLock::new(|| {
    let mut state = 0x5EED_0F7E_3A7E_5000_u64;
    std::array::from_fn(|_| (0..WIDTH).map(|_| if next(&mut state) & 1 == 0 { 1.0 } else { -1.0 }).collect())
});

/// The sketch of a vector of any length but zero; `EMBEDDING_DIMENSIONS` bits.
pub(super) fn sketch(vector: &[f32]) -> Bit {
    let mut turned = vec![0.0; WIDTH];
    turned[..EMBEDDING_DIMENSIONS.min(vector.len())]
        .copy_from_slice(&vector[..EMBEDDING_DIMENSIONS.min(vector.len())]);
    for signs in SIGNS.iter() {
        for (value, sign) in turned.iter_mut().zip(signs) {
            *value *= sign;
        }
        hadamard(&mut turned);
    }
    let signs: Vec<bool> = turned[..EMBEDDING_DIMENSIONS].iter().map(|value| *value > 0.0).collect();
    Bit::new(&signs)
}

/// The Walsh–Hadamard transform in place, without the scale: only signs are wanted.
fn hadamard(values: &mut [f32]) {
    let mut half = 1;
    while half < values.len() {
        for pair in values.chunks_exact_mut(2 * half) {
            let (left, right) = pair.split_at_mut(half);
            for (left, right) in left.iter_mut().zip(right) {
                (*left, *right) = (*left + *right, *left - *right);
            }
        }
        half *= 2;
    }
}

/// The next number of `SplitMix64` (Steele, Lea, Flood 2014).
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(seed: u64) -> Vec<f32> {
        let mut state = seed;
        #[allow(clippy::cast_precision_loss, reason = "noise")]
        let value = |bits: u64| (bits >> 40) as f32 / (1_u64 << 23) as f32 - 1.0;
        (0..EMBEDDING_DIMENSIONS).map(|_| value(next(&mut state))).collect()
    }

    fn angle(a: &[f32], b: &[f32]) -> f32 {
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        (dot(a, b) / (dot(a, a) * dot(b, b)).sqrt()).acos() / std::f32::consts::PI
    }

    #[allow(clippy::cast_precision_loss, reason = "at most 1536")]
    fn differing(a: &Bit, b: &Bit) -> f32 {
        let bits: u32 = a.as_bytes().iter().zip(b.as_bytes()).map(|(a, b)| (a ^ b).count_ones()).sum();
        bits as f32 / EMBEDDING_DIMENSIONS as f32
    }

    #[test]
    fn sketches_differ_by_the_angle_between_their_vectors() {
        let (one, other) = (noise(1), noise(2));
        for share in [0.0, 0.1, 0.3, 0.5, 0.8, 1.0] {
            let between: Vec<f32> =
                one.iter().zip(&other).map(|(a, b)| a * (1.0 - share) + b * share).collect();
            let (angle, differing) = (angle(&one, &between), differing(&sketch(&one), &sketch(&between)));
            assert!((angle - differing).abs() < 0.05, "share {share}: angle {angle}, bits {differing}");
        }
    }

    #[test]
    fn vectors_of_few_values_are_told_apart_as_well() {
        let sparse = |from: usize| {
            let mut vector = vec![0.0; EMBEDDING_DIMENSIONS];
            vector[from..from + 8].fill(0.35);
            vector
        };
        let (one, near, far) = (sparse(100), sparse(102), sparse(700));
        let near = (angle(&one, &near) - differing(&sketch(&one), &sketch(&near))).abs();
        let far = (angle(&one, &far) - differing(&sketch(&one), &sketch(&far))).abs();
        assert!(near < 0.05 && far < 0.05, "off by {near} and {far}");
    }

    /// Stored sketches are compared with new ones: they may not change with the program.
    #[test]
    fn the_sketch_of_a_vector_is_the_same_for_ever() {
        let bytes = sketch(&noise(3));
        let sum = bytes
            .as_bytes()
            .iter()
            .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        assert_eq!((bytes.len(), sum), (1536, 14_129_945_071_196_060_732));
    }
}
