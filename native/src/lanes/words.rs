//! Whole numbers of five limbs of 51 bits: what both implementations of the field are reduced in.
//!
//! x = Σ x_i·2^(51·i). Limbs that `carry` gives are below 2^51 + 2^14, so that x < 2p.

use super::field::{LOW51, Limbs};
use super::vector::Vector;

/// 2p, limb by limb: at least 2^52 − 38, above every limb that `carry` gives.
pub const TWICE_P: Limbs = [2 * (LOW51 - 18), 2 * LOW51, 2 * LOW51, 2 * LOW51, 2 * LOW51];

/// Limbs below 2^51 + 2^14 from columns below 2^60.1: each carry is below 2^9.1, and 19 of them below 2^13.4.
#[inline(always)]
pub fn carry<V: Vector>(columns: [V; 5]) -> [V; 5] {
    let (low, mut carried) = (V::splat(LOW51), columns);
    for i in 0..5 {
        carried[i] = columns[i].right::<51>();
    }
    let mut out = columns;
    out[0] = columns[0].and(low).plus(times19(carried[4]));
    for i in 1..5 {
        out[i] = columns[i].and(low).plus(carried[i - 1]);
    }
    out
}

/// 19·x modulo 2^64.
#[inline(always)]
pub fn times19<V: Vector>(x: V) -> V {
    x.left::<4>().plus(x.plus(x)).plus(x)
}

/// For x < 2p, whether it is at least p, as 0 or 1 in each lane: ⌊(x + 19)/2^255⌋ tells it.
#[inline(always)]
fn excess<V: Vector>(words: &[V; 5]) -> V {
    let mut carried = V::splat(19);
    for limb in words {
        carried = limb.plus(carried).right::<51>();
    }
    carried
}

/// x − p·excess: 19·excess is added and 2^255·excess, the carry out of the last limb, dropped.
#[inline(always)]
pub fn reduced<V: Vector>(words: &[V; 5]) -> [V; 5] {
    let (mut out, mut carried) = (*words, times19(excess(words)));
    for limb in &mut out {
        let sum = limb.plus(carried);
        carried = sum.right::<51>();
        *limb = sum.and(V::splat(LOW51));
    }
    out
}

/// The mask of odd ones modulo p: x − p·excess is odd if x and excess differ in their lowest bits.
#[inline(always)]
pub fn is_negative<V: Vector>(words: &[V; 5]) -> V {
    let one = V::splat(1);
    words[0].xor(excess(words)).and(one).equal(one)
}

/// The mask of zeros modulo p.
#[inline(always)]
pub fn is_zero<V: Vector>(words: &[V; 5]) -> V {
    let [a, b, c, d, e] = reduced(words);
    a.or(b).or(c.or(d)).or(e).equal(V::splat(0))
}

/// From the limbs of every lane.
#[inline(always)]
pub fn of_limbs<V: Vector>(lanes: &[Limbs]) -> [V; 5] {
    let (mut out, mut words) = ([V::splat(0); 5], [0; 8]);
    for i in 0..5 {
        for (word, limbs) in words.iter_mut().zip(lanes) {
            *word = limbs[i];
        }
        out[i] = V::load(&words);
    }
    out
}

/// Into the limbs of every lane.
#[inline(always)]
pub fn limbs<V: Vector>(values: &[V; 5], lanes: &mut [Limbs]) {
    let mut words = [0; 8];
    for i in 0..5 {
        values[i].store(&mut words);
        for (word, limbs) in words.iter().zip(&mut *lanes) {
            limbs[i] = *word;
        }
    }
}
