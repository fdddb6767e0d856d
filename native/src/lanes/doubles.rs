//! Five limbs of 51 bits in doubles, for processors with fused multiply-add (FMA).
//!
//! x = Σ x_i·2^(51·i) for whole numbers x_i of either sign. Bounds of their sizes, with T = 2^50 + 2^15:
//!
//! - *tight*: at most T, which `carry` proves for its results;
//! - *loose*: at most 2T, as sums and differences of two tight ones are.
//!
//! A product of two limbs, one loose and one tight, is at most 2T² < 2^101 + 2^68 in size, and is computed in two halves:
//!
//! - high = a·b + 1.5·2^103, rounded. It lies between 2^103 and 2^104, where doubles are 2^51 apart: so it is
//!   1.5·2^103 + k·2^51 for the whole number k next to a·b/2^51, and its bits are those of 1.5·2^103, plus k;
//! - low = a·b + (1.5·2^103 + 1.5·2^52 − high) = 1.5·2^52 + (a·b − k·2^51). All of it is exact: 1.5·2^103 + 1.5·2^52 has
//!   53 bits, the difference is a multiple of 2^51 of at most 51 + 2 bits, and |a·b − k·2^51| ≤ 2^50, so that low is a
//!   whole number between 2^52 and 2^53, where doubles are 1 apart. Its bits are those of 1.5·2^52, plus the remainder.
//!
//! So bits of halves are added as words, modulo 2^64, and the bits of the two constants taken off at the end. No value is
//! other than a whole number far below the largest double: nothing is subnormal, infinite or no number, and the
//! instructions take the same time for all. They must round to the nearest: see `crate::rounding`.

use std::sync::LazyLock;

use super::base::{BaseTable, base_table};
use super::edwards::{Addend, Point};
use super::field::{Field, LOW51, Limbs, Loose, Operand, sqrt_ratio};
use super::vector::{Fused, Model, Vector};
use super::words::{self, times19};

pub const TO_HIGH: f64 = 1.5 * (1u128 << 103) as f64;
pub const TO_LOW: f64 = 1.5 * (1u64 << 52) as f64;
/// The bits of 2^52: a whole number below it is a double's after them.
pub const EXPONENT: u64 = ((1u64 << 52) as f64).to_bits();
const HALF: u64 = 1 << 50;
/// Added to columns, which are then positive: a multiple of 2^51, above all columns in size.
const BIAS: u64 = 1 << 61;
/// What every column of a product begins with, so that the bits of constants cancel: the column's own number of low
/// halves and the one before's of high ones. The lower five are made positive, and rounded by half a limb.
pub const PRODUCT: [u64; 10] = beginnings([1, 2, 3, 4, 5, 4, 3, 2, 1]);
pub const SQUARE: [u64; 10] = beginnings([1, 1, 2, 2, 3, 2, 2, 1, 1]);

const fn beginnings(terms: [u64; 9]) -> [u64; 10] {
    let mut out = [0u64; 10];
    let mut k = 0;
    while k < 9 {
        out[k] = out[k].wrapping_sub(terms[k].wrapping_mul(TO_LOW.to_bits()));
        out[k + 1] = out[k + 1].wrapping_sub(terms[k].wrapping_mul(TO_HIGH.to_bits()));
        k += 1;
    }
    let mut k = 0;
    while k < 5 {
        out[k] = out[k].wrapping_add(BIAS + HALF);
        k += 1;
    }
    out
}

/// What a limb has too much before it is one, if so many carries were added to it.
pub const fn taken_off(carries: u64) -> f64 {
    ((1u64 << 52) + HALF + carries * (BIAS >> 51)) as f64
}

/// See the head of this file.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Doubles<V>(pub [V; 5]);

/// Where a processor has its own functions for the long parts: so that they are not inlined at every use.
pub trait Outlined: Fused {
    #[inline(never)]
    fn root(u: &Doubles<Self>, v: &Doubles<Self>) -> (Self, Doubles<Self>) {
        sqrt_ratio(u, v)
    }
    #[inline(never)]
    fn times16(point: &mut Point<Doubles<Self>>) {
        point.double4();
    }
    #[inline(never)]
    fn add_to(point: &mut Point<Doubles<Self>>, addend: &Addend<Doubles<Self>>) {
        point.add(addend);
    }
    #[inline(never)]
    fn product(left: &[Self; 5], right: &[Self; 5]) -> [Self; 5] {
        carry(wide_product(left, right))
    }
    #[inline(never)]
    fn squares(limbs: &[Self; 5], count: u32) -> [Self; 5] {
        let mut out = *limbs;
        for _ in 0..count {
            out = carry(wide_square(&out));
        }
        out
    }
    #[inline(never)]
    fn square(limbs: &[Self; 5]) -> [Self; 5] {
        carry(wide_square(limbs))
    }
}

impl<const N: usize> Outlined for Model<N> {}

#[inline(always)]
fn double<V: Vector>(value: f64) -> V {
    V::splat(value.to_bits())
}

/// A product of limbs, added to columns k and k + 1.
#[inline(always)]
fn add_product<V: Fused>(columns: &mut [V; 10], k: usize, left: V, right: V) {
    let high = double::<V>(TO_HIGH).fused(left, right);
    let low = double::<V>(TO_HIGH + TO_LOW).difference(high).fused(left, right);
    columns[k] = columns[k].plus(low);
    columns[k + 1] = columns[k + 1].plus(high);
}

/// The columns of a product of a loose and a tight factor, plus `BIAS` and `HALF`.
///
/// A half is at most 2^50 + 2^18 in size. Column k has as many low halves as `PRODUCT` is made of, and as many high ones as the
/// one before it: so with column k + 5, which counts 19 times, it has at most 1 + 19·(4 + 5) = 172 halves, at k = 0,
/// and is below 172·(2^50 + 2^18) < 2^58 in size.
#[inline(always)]
pub fn wide_product<V: Fused>(f: &[V; 5], g: &[V; 5]) -> [V; 5] {
    let mut columns = begun(&PRODUCT);
    macro_rules! terms {
        ($($i:literal $j:literal),*) => {
            $(add_product(&mut columns, $i + $j, f[$i], g[$j]);)*
        };
    }
    terms!(0 0, 0 1, 1 0, 0 2, 1 1, 2 0, 0 3, 1 2, 2 1, 3 0, 0 4, 1 3, 2 2, 3 1, 4 0);
    terms!(1 4, 2 3, 3 2, 4 1, 2 4, 3 3, 4 2, 3 4, 4 3, 4 4);
    fold(&columns)
}

/// The columns of a square of a tight element, plus `BIAS` and `HALF`: those of `wide_product(f, f)`, of which equal terms
/// are one with a doubled factor.
#[inline(always)]
pub fn wide_square<V: Fused>(f: &[V; 5]) -> [V; 5] {
    let (mut columns, mut twice) = (begun(&SQUARE), *f);
    for limb in &mut twice {
        *limb = limb.sum(*limb);
    }
    macro_rules! terms {
        ($($i:literal $j:literal),*) => {
            $(add_product(&mut columns, $i + $j, if $i == $j { f[$i] } else { twice[$i] }, f[$j]);)*
        };
    }
    terms!(0 0, 0 1, 0 2, 1 1, 0 3, 1 2, 0 4, 1 3, 2 2, 1 4, 2 3, 2 4, 3 3, 3 4, 4 4);
    fold(&columns)
}

#[inline(always)]
fn begun<V: Vector>(beginnings: &[u64; 10]) -> [V; 10] {
    let mut columns = [V::splat(0); 10];
    for k in 0..10 {
        columns[k] = V::splat(beginnings[k]);
    }
    columns
}

/// 2^255 is 19.
#[inline(always)]
fn fold<V: Vector>(columns: &[V; 10]) -> [V; 5] {
    let mut out = [columns[0]; 5];
    for k in 0..5 {
        out[k] = columns[k].plus(times19(columns[k + 5]));
    }
    out
}

/// The whole number that a double is, for sizes up to 2^51: with 1.5·2^52 added, its bits tell it.
#[inline(always)]
fn whole<V: Fused>(limb: V) -> V {
    limb.sum(double(TO_LOW)).minus(double(TO_LOW))
}

/// A tight element from columns c_i + `BIAS` + `HALF`, |c_i| < 2^60.
///
/// c_i + HALF = q_i·2^51 + r_i with 0 ≤ r_i < 2^51. So c_i = q_i·2^51 + (r_i − HALF), |r_i − HALF| ≤ 2^50. `BIAS` is 2^10·2^51 and
/// only adds 2^10 to q_i, |q_i| ≤ 2^9. Limb i becomes r_i − HALF + q_{i−1}, and the first r_0 − HALF + 19·q_4, each at most
/// 2^50 + 19·2^9 < T. It is made a double by the bits of 2^52, in whose lower 52 bits it stands before
/// HALF, 2^52 and what `BIAS` added are taken off: r_i + q_{i−1} + 2^10 < 2^52, and 19·(q_4 + 2^10) < 2^15.
#[inline(always)]
pub fn carry<V: Fused>(columns: [V; 5]) -> [V; 5] {
    let (low, exponent) = (V::splat(LOW51), V::splat(EXPONENT));
    let mut out = columns;
    for i in 0..5 {
        let from = columns[(i + 4) % 5].right::<51>();
        let (from, times) = if i == 0 { (times19(from), 19) } else { (from, 1) };
        out[i] = columns[i].and(low).or(exponent).plus(from).difference(double(taken_off(times)));
    }
    out
}

impl<V: Outlined> Field for Doubles<V> {
    type V = V;

    #[inline(always)]
    fn of_vectors(limbs: [V; 5]) -> Self {
        Self(limbs)
    }
    #[inline(always)]
    fn vectors(&self) -> &[V; 5] {
        &self.0
    }
    #[inline(always)]
    fn of_words(words: &[V; 5]) -> Self {
        let mut columns = *words;
        for column in &mut columns {
            *column = column.plus(V::splat(BIAS + HALF));
        }
        Self(carry(columns))
    }
    /// x + 2p, carried: limbs were between 0 and 2^52 + T.
    #[inline(always)]
    fn words(&self) -> [V; 5] {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = whole(self.0[i]).plus(V::splat(words::TWICE_P[i]));
        }
        words::carry(out)
    }
    /// Each limb less 2^51 if it is at least 2^50, plus what the one below it carries: tight.
    #[inline(always)]
    fn form(limbs: &Limbs) -> [u64; 5] {
        let mut out = [0; 5];
        for i in 0..5 {
            let up = |limb: u64| ((limb + HALF) >> 51) as i64;
            let from = if i == 0 { 19 * up(limbs[4]) } else { up(limbs[i - 1]) };
            out[i] = ((limbs[i] as i64 - (up(limbs[i]) << 51) + from) as f64).to_bits();
        }
        out
    }
    fn base_table() -> &'static BaseTable {
        static TABLE: LazyLock<BaseTable> = LazyLock::new(|| base_table(Doubles::<Model<1>>::form));
        &TABLE
    }
    #[inline(always)]
    fn mul(left: &impl Operand<Self>, right: &Self) -> Self {
        Self(V::product(&left.raw().0, &right.0))
    }
    #[inline(always)]
    fn square(&self) -> Self {
        Self(V::square(&self.0))
    }
    #[inline(always)]
    fn squares(&self, count: u32) -> Self {
        Self(V::squares(&self.0, count))
    }
    #[inline(always)]
    fn root(u: &Self, v: &Self) -> (V, Self) {
        V::root(u, v)
    }
    #[inline(always)]
    fn times16(point: &mut Point<Self>) {
        V::times16(point);
    }
    #[inline(always)]
    fn add_to(point: &mut Point<Self>, addend: &Addend<Self>) {
        V::add_to(point, addend);
    }
    #[inline(always)]
    fn add(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = out[i].sum(other.0[i]);
        }
        Loose(Self(out))
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = out[i].difference(other.0[i]);
        }
        Loose(Self(out))
    }
    #[inline(always)]
    fn negative(&self) -> Self {
        let mut out = self.0;
        for limb in &mut out {
            *limb = V::splat(0).difference(*limb);
        }
        Self(out)
    }
    #[inline(always)]
    fn twice_less(&self, other: &Self) -> Self {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = out[i].sum(out[i]).difference(other.0[i]);
        }
        Self::tighten(&Loose(Self(out)))
    }
    /// For up to three times a tight element. Multiples of 2^51 are what 1.5·2^103 rounds to; what remains is at most
    /// 2^50 in size, and at most two multiples are carried: 2, or 38.
    #[inline(always)]
    fn tighten(x: &Loose<Self>) -> Self {
        const LIMB: f64 = 1.0 / (1u64 << 51) as f64;
        let (mut multiples, mut out) = (x.0.0, x.0.0);
        for multiple in &mut multiples {
            *multiple = multiple.sum(double(TO_HIGH)).difference(double(TO_HIGH));
        }
        for i in 0..5 {
            let times = double(if i == 0 { 19.0 * LIMB } else { LIMB });
            out[i] = out[i].difference(multiples[i]).fused(multiples[(i + 4) % 5], times);
        }
        Self(out)
    }
}
