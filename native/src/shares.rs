//! Shares: polynomials over the field of 2^61 − 1 elements at pseudo-random points (specification, sections 2.3, 6.3).

use zeroize::Zeroizing;

use crate::threads::{CHUNK, each_chunk};

pub const P: u64 = (1 << 61) - 1;
/// Octets of an element, and of the hash that a coordinate is made from.
pub const ELEMENT: usize = 8;
pub const HASH: usize = 16;
/// Products of two elements, below 2^122, that are summed in 128 bits.
const TERMS: usize = 64;

/// For every hash the share at its coordinate: `x ‖ p_0(x) ‖ … `. `polynomials` have `length` coefficients each, the
/// constant first, all below p. In constant time.
pub fn shares(polynomials: &[u64], length: usize, hashes: &[[u8; HASH]]) -> Vec<u8> {
    let width = ELEMENT * (1 + polynomials.len() / length);
    let mut shares = vec![0; width * hashes.len()];
    let mut rows: Vec<&mut [u8]> = shares.chunks_exact_mut(width).collect();
    each_chunk(&mut rows, |chunk, rows| {
        let mut powers = Zeroizing::new(vec![1; length]);
        for (hash, row) in hashes[chunk * CHUNK..].iter().zip(rows) {
            let x = coordinate(u128::from_be_bytes(*hash));
            (1..length).for_each(|i| powers[i] = multiply(powers[i - 1], x));
            let values = polynomials.chunks_exact(length).map(|coefficients| product(coefficients, &powers));
            for (octets, value) in row.chunks_exact_mut(ELEMENT).zip([x].into_iter().chain(values)) {
                octets.copy_from_slice(&value.to_be_bytes());
            }
        }
    });
    shares
}

/// 1 + (value mod p − 1). As 2^61 = 2 modulo p − 1, parts of 61 bits are summed with weights 1, 2 and 4: below 2^63;
/// once more, below 2^61 + 8, which is less than twice p − 1.
fn coordinate(value: u128) -> u64 {
    let [low, middle, high] = [0, 61, 122].map(|shift| (value >> shift) as u64 & P);
    let sum = low + 2 * middle + 4 * high;
    1 + lowered((sum & P) + 2 * (sum >> 61), P - 1)
}

fn multiply(a: u64, b: u64) -> u64 {
    reduced(u128::from(a) * u128::from(b))
}

/// The scalar product of two rows of elements.
fn product(left: &[u64], right: &[u64]) -> u64 {
    let terms = left.chunks(TERMS).zip(right.chunks(TERMS));
    let sums = terms.map(|(a, b)| a.iter().zip(b).map(|(&a, &b)| u128::from(a) * u128::from(b)).sum());
    sums.fold(0, |total, sum: u128| lowered(total + reduced(sum), P))
}

/// Modulo p: as 2^61 = 1, parts of 61 bits are summed, giving less than 2^68, then less than 2^61 + 2^7.
fn reduced(value: u128) -> u64 {
    let once = (value & u128::from(P)) + (value >> 61);
    lowered((once as u64 & P) + (once >> 61) as u64, P)
}

/// Modulo `bound` a value below twice of it: where it is below, the difference wraps to something larger.
fn lowered(value: u64, bound: u64) -> u64 {
    value.min(value.wrapping_sub(bound))
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;

    use super::*;

    const EDGES: [u64; 8] = [0, 1, 2, 1 << 32, 1 << 60, P / 2, P - 2, P - 1];

    #[test]
    fn coordinates_are_those_of_large_integers() {
        let edges = EDGES.iter().flat_map(|&a| EDGES.map(|b| (u128::from(a) << 67) ^ (u128::from(b) << 3) ^ 5));
        let multiples = (0..64u128).map(|k| (k << 121) / u128::from(P - 1) * u128::from(P - 1));
        let around = multiples.flat_map(|m| [m, m + 1, m.wrapping_sub(1)]);
        for value in edges.chain(around).chain([0, u128::MAX]) {
            assert_eq!(u128::from(coordinate(value)), 1 + value % u128::from(P - 1));
        }
    }

    #[test]
    fn products_are_those_of_large_integers() {
        for length in [1, 2, TERMS - 1, TERMS, TERMS + 1, 5 * TERMS + 3] {
            for (i, left) in EDGES.iter().enumerate() {
                let left = vec![*left; length];
                let right: Vec<u64> = (0..length).map(|k| EDGES[(i * 3 + k) % 8]).collect();
                let exact: BigUint = left.iter().zip(&right).map(|(&a, &b)| BigUint::from(a) * b).sum();
                assert_eq!(BigUint::from(product(&left, &right)), exact % P);
            }
            let largest = vec![P - 1; length];
            assert_eq!(BigUint::from(product(&largest, &largest)), BigUint::from(length as u64) % P);
        }
    }

    #[test]
    fn shares_lie_on_their_polynomials() {
        let (length, rows) = (31, 3);
        let polynomials: Vec<u64> = (0..length * rows).map(|i| multiply(P - 1 - i as u64, 1 << (i % 61))).collect();
        let hashes: Vec<[u8; HASH]> = (0..CHUNK + 1).map(|i| (u128::MAX / (i as u128 + 1)).to_be_bytes()).collect();
        let made = shares(&polynomials, length, &hashes);
        assert_eq!(made.len(), hashes.len() * ELEMENT * (rows + 1));
        for (share, hash) in made.chunks(ELEMENT * (rows + 1)).zip(&hashes) {
            let words: Vec<u64> = share.as_chunks().0.iter().map(|word| u64::from_be_bytes(*word)).collect();
            assert_eq!(u128::from(words[0]), 1 + u128::from_be_bytes(*hash) % u128::from(P - 1));
            for (coefficients, value) in polynomials.chunks(length).zip(&words[1..]) {
                let exact = coefficients.iter().rev().fold(BigUint::ZERO, |sum, c| (sum * words[0] + c) % P);
                assert_eq!(BigUint::from(*value), exact);
            }
        }
    }
}
