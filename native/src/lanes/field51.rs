//! Five limbs of 51 bits, for processors with AVX-512 IFMA.
//!
//! x = Σ x_i·2^(51·i). The multiplications read 52 bits of their factors. Tight limbs are below 2^51 + 2^14, which
//! `carry` proves for its results; so are sums and differences, which are carried at once, as two tight limbs may add up
//! to more than 52 bits: loose elements are tight here.

use std::sync::LazyLock;

use super::base::{BaseTable, base_table};
use super::edwards::{Addend, Point};
use super::field::{Field, Limbs, Loose, Operand, sqrt_ratio};
use super::vector::{Madd52, Model, Vector};
use super::words::{TWICE_P, carry, times19};

/// See the head of this file.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Field51<V>([V; 5]);

/// Where a processor has its own functions for the long parts: so that they are not inlined at every use.
pub trait Outlined: Madd52 {
    #[inline(never)]
    fn root(u: &Field51<Self>, v: &Field51<Self>) -> (Self, Field51<Self>) {
        sqrt_ratio(u, v)
    }
    #[inline(never)]
    fn times16(point: &mut Point<Field51<Self>>) {
        point.double4();
    }
    #[inline(never)]
    fn add_to(point: &mut Point<Field51<Self>>, addend: &Addend<Field51<Self>>) {
        point.add(addend);
    }
    #[inline(never)]
    fn product(left: &[Self; 5], right: &[Self; 5]) -> [Self; 5] {
        wide_product(left, right)
    }
    #[inline(never)]
    fn squares(limbs: &[Self; 5], count: u32) -> [Self; 5] {
        let mut out = *limbs;
        for _ in 0..count {
            out = wide_square(&out);
        }
        out
    }
}

impl<const N: usize> Outlined for Model<N> {}

/// A product of factors below 2^52.
///
/// f_i·g_j = low + 2^52·high, both below 2^52; `high` counts twice at i + j + 1. Column k = 0…4 has k + 1 low and k high
/// parts, column k + 5 has 4 − k low and 5 − k high ones, and counts 19 times at k. So column k is, in the end, below
/// (k + 1 + 2·k + 19·(4 − k + 2·(5 − k)))·2^52, which is largest for k = 0: 267·2^52 < 2^60.07. The columns 5 to 9
/// themselves are below 14·2^52 < 2^56, as `times19` demands.
#[inline(always)]
pub fn wide_product<V: Madd52>(f: &[V; 5], g: &[V; 5]) -> [V; 5] {
    let zero = V::splat(0);
    let (mut low, mut high) = ([zero; 10], [zero; 10]);
    macro_rules! terms {
        ($($i:literal: $($j:literal)*);*) => {
            $($(
                low[$i + $j] = low[$i + $j].madd_low(f[$i], g[$j]);
                high[$i + $j + 1] = high[$i + $j + 1].madd_high(f[$i], g[$j]);
            )*)*
        };
    }
    terms!(0: 0 1 2 3 4; 1: 0 1 2 3 4; 2: 0 1 2 3 4; 3: 0 1 2 3 4; 4: 0 1 2 3 4);
    fold(&low, &high)
}

/// A square: the columns of `product(f, f)`, of which the mixed terms are computed once and doubled.
#[inline(always)]
pub fn wide_square<V: Madd52>(f: &[V; 5]) -> [V; 5] {
    let zero = V::splat(0);
    let (mut low, mut high) = ([zero; 10], [zero; 10]);
    macro_rules! mixed {
        ($($i:literal: $($j:literal)*);*) => {
            $($(
                low[$i + $j] = low[$i + $j].madd_low(f[$i], f[$j]);
                high[$i + $j + 1] = high[$i + $j + 1].madd_high(f[$i], f[$j]);
            )*)*
        };
    }
    mixed!(0: 1 2 3 4; 1: 2 3 4; 2: 3 4; 3: 4);
    for k in 0..10 {
        low[k] = low[k].plus(low[k]);
        high[k] = high[k].plus(high[k]);
    }
    for i in 0..5 {
        low[2 * i] = low[2 * i].madd_low(f[i], f[i]);
        high[2 * i + 1] = high[2 * i + 1].madd_high(f[i], f[i]);
    }
    fold(&low, &high)
}

/// low + 2·high, with the upper half of the columns brought down, carried.
#[inline(always)]
fn fold<V: Vector>(low: &[V; 10], high: &[V; 10]) -> [V; 5] {
    let mut out = [low[0]; 5];
    for k in 0..5 {
        let lower = low[k].plus(high[k].plus(high[k]));
        let upper = low[k + 5].plus(high[k + 5].plus(high[k + 5]));
        out[k] = lower.plus(times19(upper));
    }
    carry(out)
}

impl<V: Outlined> Field for Field51<V> {
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
        Self(*words)
    }
    #[inline(always)]
    fn words(&self) -> [V; 5] {
        self.0
    }
    #[inline(always)]
    fn form(limbs: &Limbs) -> [u64; 5] {
        *limbs
    }
    fn base_table() -> &'static BaseTable {
        static TABLE: LazyLock<BaseTable> = LazyLock::new(|| base_table(Field51::<Model<1>>::form));
        &TABLE
    }
    #[inline(always)]
    fn mul(left: &impl Operand<Self>, right: &Self) -> Self {
        Self(V::product(&left.raw().0, &right.0))
    }
    #[inline(always)]
    fn square(&self) -> Self {
        Self(V::squares(&self.0, 1))
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
    /// Columns below 2^52.01.
    #[inline(always)]
    fn add(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = out[i].plus(other.0[i]);
        }
        Loose(Self(carry(out)))
    }
    /// Columns below 2^52.6, and not negative: see `TWICE_P`.
    #[inline(always)]
    fn sub(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..5 {
            out[i] = out[i].plus(V::splat(TWICE_P[i])).minus(other.0[i]);
        }
        Loose(Self(carry(out)))
    }
    #[inline(always)]
    fn negative(&self) -> Self {
        Self([V::splat(0); 5]).sub(self).0
    }
    #[inline(always)]
    fn twice_less(&self, other: &Self) -> Self {
        self.add(self).0.sub(other).0
    }
    #[inline(always)]
    fn tighten(x: &Loose<Self>) -> Self {
        x.0
    }
}
