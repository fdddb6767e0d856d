//! Five limbs of 51 bits, for processors with AVX-512 IFMA.
//!
//! x = Σ x_i·2^(51·i). The multiplications read 52 bits of their factors. Tight limbs are below 2^51 + 2^14, which
//! `carry` proves for its results; so are sums and differences, which are carried at once, as two tight limbs may add up
//! to more than 52 bits. Loose limbs are below 2^52: they are these, or `packed_negative`.

use std::sync::LazyLock;

use super::base::{BaseTable, base_table};
use super::edwards::{Addend, Point};
use super::field::{Field, LOW51, Limbs, Loose, Operand, sqrt_ratio};
use super::field25::times19;
use super::vector::{Madd52, Model, Vector};

/// 2p, limb by limb: at least 2^52 − 38, above every tight limb.
const TWICE_P: Limbs = [2 * (LOW51 - 18), 2 * LOW51, 2 * LOW51, 2 * LOW51, 2 * LOW51];

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
    fn plus_addend(point: &Point<Field51<Self>>, addend: &Addend<Self>) -> Point<Field51<Self>> {
        point.sum(addend)
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

/// Limbs below 2^51 + 2^14 from columns below 2^60.1: each carry is below 2^9.1, and 19 of them below 2^13.4.
#[inline(always)]
fn carry<V: Vector>(columns: [V; 5]) -> [V; 5] {
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

impl<V: Outlined> Field51<V> {
    /// For a tight x, whether it is at least p, as 0 or 1 in each lane: x < 2p, so ⌊(x + 19)/2^255⌋ tells it.
    #[inline(always)]
    fn excess(&self) -> V {
        let mut carried = V::splat(19);
        for limb in &self.0 {
            carried = limb.plus(carried).right::<51>();
        }
        carried
    }
}

impl<V: Outlined> Field for Field51<V> {
    type V = V;

    #[inline(always)]
    fn constant(limbs: &Limbs) -> Self {
        let mut out = [V::splat(0); 5];
        for i in 0..5 {
            out[i] = V::splat(limbs[i]);
        }
        Self(out)
    }
    #[inline(always)]
    fn of_limbs(lanes: &[Limbs]) -> Self {
        let (mut out, mut words) = ([V::splat(0); 5], [0; 8]);
        for i in 0..5 {
            for (word, limbs) in words.iter_mut().zip(lanes) {
                *word = limbs[i];
            }
            out[i] = V::load(&words);
        }
        Self(out)
    }
    #[inline(always)]
    fn limbs(&self, lanes: &mut [Limbs]) {
        let mut words = [0; 8];
        for i in 0..5 {
            self.0[i].store(&mut words);
            for (word, limbs) in words.iter().zip(&mut *lanes) {
                limbs[i] = *word;
            }
        }
    }
    #[inline(always)]
    fn mul(left: &impl Operand<Self>, right: &impl Operand<Self>) -> Self {
        Self(V::product(&left.raw().0, &right.raw().0))
    }
    #[inline(always)]
    fn square(x: &impl Operand<Self>) -> Self {
        Self(V::squares(&x.raw().0, 1))
    }
    #[inline(always)]
    fn squares(&self, count: u32) -> Self {
        Self(V::squares(&self.0, count))
    }
    #[inline(always)]
    fn square_minus<const TWICE: bool>(x: &impl Operand<Self>, minus: &Loose<Self>) -> Self {
        let square = Self::square(x);
        let left = if TWICE { square.add(&square).0 } else { square };
        left.sub(&minus.0).0
    }
    #[inline(always)]
    fn root(u: &Self, v: &Self) -> (V, Self) {
        V::root(u, v)
    }
    #[inline(always)]
    fn plus_addend(point: &Point<Self>, addend: &Addend<V>) -> Point<Self> {
        V::plus_addend(point, addend)
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
    fn tighten(x: &Loose<Self>) -> Self {
        x.0
    }
    /// x − p·excess: 19·excess is added and 2^255·excess, the carry out of the last limb, dropped.
    #[inline(always)]
    fn reduced(&self) -> Self {
        let (mut out, mut carried) = (self.0, times19(self.excess()));
        for limb in &mut out {
            let sum = limb.plus(carried);
            carried = sum.right::<51>();
            *limb = sum.and(V::splat(LOW51));
        }
        Self(out)
    }
    /// x − p·excess is odd if x and excess differ in their lowest bits.
    #[inline(always)]
    fn is_negative(&self) -> V {
        let one = V::splat(1);
        self.0[0].xor(self.excess()).and(one).equal(one)
    }
    #[inline(always)]
    fn is_zero(&self) -> V {
        let [a, b, c, d, e] = self.reduced().0;
        a.or(b).or(c.or(d)).or(e).equal(V::splat(0))
    }
    #[inline(always)]
    fn choose(mask: V, yes: &Self, no: &Self) -> Self {
        let mut out = no.0;
        for i in 0..5 {
            out[i] = mask.choose(yes.0[i], no.0[i]);
        }
        Self(out)
    }
    #[inline(always)]
    fn pack(x: &impl Operand<Self>) -> [V; 5] {
        x.raw().0
    }
    #[inline(always)]
    fn unpack(packed: &[V; 5]) -> Loose<Self> {
        Loose(Self(*packed))
    }
    /// Below 2^52: `TWICE_P` is, and nothing borrows.
    #[inline(always)]
    fn packed_negative(packed: &[V; 5]) -> [V; 5] {
        let mut out = *packed;
        for i in 0..5 {
            out[i] = V::splat(TWICE_P[i]).minus(packed[i]);
        }
        out
    }
    fn base_table() -> &'static BaseTable {
        static TABLE: LazyLock<BaseTable> = LazyLock::new(|| base_table(|limb| limb));
        &TABLE
    }
}
