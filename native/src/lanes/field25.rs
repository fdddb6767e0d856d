//! Ten limbs of 26 and 25 bits by turns, for processors that multiply 32 bits by 32 in each 64-bit lane.
//!
//! x = Σ x_i·2^⌈25.5·i⌉. Bounds, in units of 2^26 for limbs with even numbers and 2^25 for odd ones:
//!
//! - *tight*: below 1.008, which `carry` proves for its results;
//! - *loose*: below 3.05. A sum of two tight ones is below 2.016; a difference, to which 2p is added, below
//!   1.008 + 2 = 3.008, and not negative: the limbs of 2p are at least 2 − 2^-20, above 1.008.
//!
//! All of it is unsigned, and nothing wraps, as is shown where it is computed.

use std::sync::LazyLock;

use super::base::{BaseTable, base_table};
use super::edwards::{Addend, Point};
use super::field::{Field, Limbs, Loose, Operand, sqrt_ratio};
use super::vector::{Model, Mul32, Vector};

const LOW26: u64 = (1 << 26) - 1;
const LOW25: u64 = (1 << 25) - 1;
/// 2p, limb by limb.
const TWICE_P: [u64; 10] = {
    let mut limbs = [0; 10];
    let mut i = 0;
    while i < 10 {
        limbs[i] = 2 * if i % 2 == 0 { LOW26 } else { LOW25 };
        i += 1;
    }
    limbs[0] -= 2 * 18; // 2^26 − 19
    limbs
};

/// Where a processor has its own functions for the long parts: so that they are not inlined at every use.
pub trait Outlined: Mul32 {
    #[inline(never)]
    fn root(u: &Field25<Self>, v: &Field25<Self>) -> (Self, Field25<Self>) {
        sqrt_ratio(u, v)
    }
    #[inline(never)]
    fn plus_addend(point: &Point<Field25<Self>>, addend: &Addend<Self>) -> Point<Field25<Self>> {
        point.sum(addend)
    }
    #[inline(never)]
    fn product(left: &[Self; 10], right: &[Self; 10]) -> [Self; 10] {
        carry(wide_product(left, right))
    }
    #[inline(never)]
    fn square(limbs: &[Self; 10]) -> [Self; 10] {
        carry(wide_square(limbs))
    }
    #[inline(never)]
    fn squares(limbs: &[Self; 10], count: u32) -> [Self; 10] {
        let mut out = *limbs;
        for _ in 0..count {
            out = Self::square(&out);
        }
        out
    }
    #[inline(never)]
    fn square_minus<const TWICE: bool>(limbs: &[Self; 10], minus: &[Self; 10]) -> [Self; 10] {
        carry(minus_loose(wide_square(limbs), minus, TWICE))
    }
}

impl<const N: usize> Outlined for Model<N> {}

/// The ten columns, each of the ten terms that `column` makes of its number and theirs.
macro_rules! columns {
    ($column:ident) => {
        [
            $column!(0: 0 1 2 3 4 5 6 7 8 9),
            $column!(1: 0 1 2 3 4 5 6 7 8 9),
            $column!(2: 0 1 2 3 4 5 6 7 8 9),
            $column!(3: 0 1 2 3 4 5 6 7 8 9),
            $column!(4: 0 1 2 3 4 5 6 7 8 9),
            $column!(5: 0 1 2 3 4 5 6 7 8 9),
            $column!(6: 0 1 2 3 4 5 6 7 8 9),
            $column!(7: 0 1 2 3 4 5 6 7 8 9),
            $column!(8: 0 1 2 3 4 5 6 7 8 9),
            $column!(9: 0 1 2 3 4 5 6 7 8 9),
        ]
    };
}

/// The columns of a product of loose factors, each below 2^62.3.
///
/// h_k = Σ_{i+j=k} f_i·g_j·2^[i, j odd] + 19·Σ_{i+j=k+10} f_i·g_j·2^[i, j odd]. Factors of `mul32` are below 2^32: the
/// largest are 19·g_j, below 19·3.05·2^26 < 2^31.86; 2·f_i, i odd, is below 3.05·2^26. In units of 3.05²·2^52, a
/// term f_i·g_j is 1 for even i and j, 1/2 if one is odd, and 1/4·2 if both are. The largest column is h_0:
/// 1 + 19·(4·1 + 5·1/2) = 124.5, so that it is below 124.5·9.31·2^52 < 2^62.18.
#[inline(always)]
pub fn wide_product<V: Mul32>(f: &[V; 10], g: &[V; 10]) -> [V; 10] {
    let nineteen = V::splat(19);
    let (mut twice_f, mut g19) = (*f, *g);
    for i in 0..10 {
        twice_f[i] = f[i].plus(f[i]);
        g19[i] = g[i].mul32(nineteen);
    }
    // Written out by a macro, so that every index and every choice is a constant.
    macro_rules! column {
        ($k:literal: $($i:literal)*) => {{
            let mut sum = V::splat(0);
            $({
                const J: usize = (10 + $k - $i) % 10;
                let left = if $i % 2 == 1 && J % 2 == 1 { twice_f[$i] } else { f[$i] };
                let right = if $i > $k { g19[J] } else { g[J] };
                sum = sum.plus(left.mul32(right));
            })*
            sum
        }};
    }
    columns!(column)
}

/// The columns of a square of a loose element: those of `wide_product(f, f)`, with equal terms taken together.
///
/// Factors of `mul32`: 4·f_i, i odd, is below 4·3.05·2^25 < 2^28.7, 2·f_i below 2^28.7, and 19·f_j below 2^31.86.
#[inline(always)]
pub fn wide_square<V: Mul32>(f: &[V; 10]) -> [V; 10] {
    let nineteen = V::splat(19);
    let (mut twice, mut four_times, mut f19) = (*f, *f, *f);
    for i in 0..10 {
        twice[i] = f[i].plus(f[i]);
        four_times[i] = twice[i].plus(twice[i]);
        f19[i] = f[i].mul32(nineteen);
    }
    macro_rules! column {
        ($k:literal: $($i:literal)*) => {{
            let mut sum = V::splat(0);
            $({
                const J: usize = (10 + $k - $i) % 10;
                if J + 1 > $i {
                    let left = match ($i == J, $i % 2 == 1 && J % 2 == 1) {
                        (true, false) => f[$i],
                        (true, true) | (false, false) => twice[$i],
                        (false, true) => four_times[$i],
                    };
                    let right = if $i + J >= 10 { f19[J] } else { f[J] };
                    sum = sum.plus(left.mul32(right));
                }
            })*
            sum
        }};
    }
    columns!(column)
}

/// The columns, or twice the columns, less a loose element: 4p is added, whose limbs are at least 4 − 2^-18 units.
///
/// Twice the columns of a square of a *tight* element are below 2·124.5·1.008²·2^52 < 2^60; with 4p, nothing wraps.
#[inline(always)]
pub fn minus_loose<V: Vector>(mut columns: [V; 10], minus: &[V; 10], twice: bool) -> [V; 10] {
    for i in 0..10 {
        let column = if twice { columns[i].plus(columns[i]) } else { columns[i] };
        columns[i] = column.plus(V::splat(2 * TWICE_P[i])).minus(minus[i]);
    }
    columns
}

/// A tight element from columns below 2^63.
///
/// Two chains run side by side, from h_0 and from h_5. Carries out of a column below 2^63 + 2^39 are below 2^38 if
/// it keeps 26 bits − 2^37 if it had 63 bits − and below 2^39 if it keeps 25. After the first pass h_0 < 2^26 + 19·2^39
/// < 2^43.3 and h_5 < 2^25 + 2^38; their last carries are below 2^17.3 and 2^13.1, which leaves
/// h_1 < 2^25 + 2^17.3 < 1.005·2^25 and h_6 < 2^26 + 2^13.1; all other limbs keep 26 or 25 bits. So all are below 1.008.
#[inline(always)]
pub fn carry<V: Vector>(mut h: [V; 10]) -> [V; 10] {
    let (low26, low25) = (V::splat(LOW26), V::splat(LOW25));
    macro_rules! step {
        ($from:literal) => {{
            let carried = if $from % 2 == 0 { h[$from].right::<26>() } else { h[$from].right::<25>() };
            h[$from] = h[$from].and(if $from % 2 == 0 { low26 } else { low25 });
            carried
        }};
        ($($from:literal, $other:literal);*) => {
            $(let (a, b) = (step!($from), step!($other));
            h[$from + 1] = h[$from + 1].plus(a);
            h[$other + 1] = h[$other + 1].plus(b);)*
        };
    }
    step!(0, 5; 1, 6; 2, 7; 3, 8);
    let (a, b) = (step!(4), step!(9));
    h[5] = h[5].plus(a);
    h[0] = h[0].plus(times19(b));
    step!(0, 5);
    h
}

/// 19·x for x below 2^59.
#[inline(always)]
pub fn times19<V: Vector>(x: V) -> V {
    x.left::<4>().plus(x.plus(x)).plus(x)
}

/// See the head of this file.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Field25<V>([V; 10]);

impl<V: Outlined> Field25<V> {
    /// For a tight x, whether it is at least p, as 0 or 1 in each lane: x < 2p, so ⌊(x + 19)/2^255⌋ tells it.
    #[inline(always)]
    fn excess(&self) -> V {
        let mut carried = V::splat(19);
        for i in 0..10 {
            let sum = self.0[i].plus(carried);
            carried = if i % 2 == 0 { sum.right::<26>() } else { sum.right::<25>() };
        }
        carried
    }
}

impl<V: Outlined> Field for Field25<V> {
    type V = V;

    #[inline(always)]
    fn constant(limbs: &Limbs) -> Self {
        let mut out = [V::splat(0); 10];
        for i in 0..5 {
            out[2 * i] = V::splat(limbs[i] & LOW26);
            out[2 * i + 1] = V::splat(limbs[i] >> 26);
        }
        Self(out)
    }
    /// Limbs below 2^51 + 2^44: the odd ones are then below 2^25 + 2^18, tight.
    #[inline(always)]
    fn of_limbs(lanes: &[Limbs]) -> Self {
        let (mut out, mut words) = ([V::splat(0); 10], [0; 8]);
        for i in 0..5 {
            for (word, limbs) in words.iter_mut().zip(lanes) {
                *word = limbs[i];
            }
            let both = V::load(&words);
            out[2 * i] = both.and(V::splat(LOW26));
            out[2 * i + 1] = both.right::<26>();
        }
        Self(out)
    }
    /// Below 1.008·2^26 + 1.008·2^51 < 2^51 + 2^44.
    #[inline(always)]
    fn limbs(&self, lanes: &mut [Limbs]) {
        let mut words = [0; 8];
        for i in 0..5 {
            self.0[2 * i].plus(self.0[2 * i + 1].left::<26>()).store(&mut words);
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
        Self(V::square(&x.raw().0))
    }
    #[inline(always)]
    fn squares(&self, count: u32) -> Self {
        Self(V::squares(&self.0, count))
    }
    #[inline(always)]
    fn square_minus<const TWICE: bool>(x: &impl Operand<Self>, minus: &Loose<Self>) -> Self {
        Self(V::square_minus::<TWICE>(&x.raw().0, &minus.0.0))
    }
    #[inline(always)]
    fn root(u: &Self, v: &Self) -> (V, Self) {
        V::root(u, v)
    }
    #[inline(always)]
    fn plus_addend(point: &Point<Self>, addend: &Addend<V>) -> Point<Self> {
        V::plus_addend(point, addend)
    }
    #[inline(always)]
    fn add(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..10 {
            out[i] = out[i].plus(other.0[i]);
        }
        Loose(Self(out))
    }
    #[inline(always)]
    fn sub(&self, other: &Self) -> Loose<Self> {
        let mut out = self.0;
        for i in 0..10 {
            out[i] = out[i].plus(V::splat(TWICE_P[i])).minus(other.0[i]);
        }
        Loose(Self(out))
    }
    #[inline(always)]
    fn tighten(x: &Loose<Self>) -> Self {
        Self(carry(x.0.0))
    }
    /// x − p·excess: 19·excess is added and 2^255·excess, the carry out of the last limb, dropped.
    #[inline(always)]
    fn reduced(&self) -> Self {
        let (mut out, mut carried) = (self.0, times19(self.excess()));
        for i in 0..10 {
            let sum = out[i].plus(carried);
            carried = if i % 2 == 0 { sum.right::<26>() } else { sum.right::<25>() };
            out[i] = sum.and(V::splat(if i % 2 == 0 { LOW26 } else { LOW25 }));
        }
        Self(out)
    }
    /// x − p·excess is odd if x and excess differ in their lowest bits: p is odd, and all limbs but the first count even.
    #[inline(always)]
    fn is_negative(&self) -> V {
        let one = V::splat(1);
        self.0[0].xor(self.excess()).and(one).equal(one)
    }
    #[inline(always)]
    fn is_zero(&self) -> V {
        let reduced = self.reduced().0;
        let mut any = reduced[0];
        for limb in &reduced[1..] {
            any = any.or(*limb);
        }
        any.equal(V::splat(0))
    }
    #[inline(always)]
    fn choose(mask: V, yes: &Self, no: &Self) -> Self {
        let mut out = no.0;
        for i in 0..10 {
            out[i] = mask.choose(yes.0[i], no.0[i]);
        }
        Self(out)
    }
    /// Two limbs a word: loose ones are below 2^28.
    #[inline(always)]
    fn pack(x: &impl Operand<Self>) -> [V; 5] {
        let limbs = &x.raw().0;
        let mut out = [V::splat(0); 5];
        for i in 0..5 {
            out[i] = limbs[2 * i].or(limbs[2 * i + 1].left::<32>());
        }
        out
    }
    #[inline(always)]
    fn unpack(packed: &[V; 5]) -> Loose<Self> {
        let mut out = [V::splat(0); 10];
        for i in 0..5 {
            out[2 * i] = packed[i].and(V::splat(0xFFFF_FFFF));
            out[2 * i + 1] = packed[i].right::<32>();
        }
        Loose(Self(out))
    }
    /// 2p − x, in both halves of each word: neither borrows.
    #[inline(always)]
    fn packed_negative(packed: &[V; 5]) -> [V; 5] {
        let mut out = *packed;
        for i in 0..5 {
            out[i] = V::splat(TWICE_P[2 * i] | TWICE_P[2 * i + 1] << 32).minus(packed[i]);
        }
        out
    }
    fn base_table() -> &'static BaseTable {
        static TABLE: LazyLock<BaseTable> = LazyLock::new(|| base_table(|limb| limb & LOW26 | limb >> 26 << 32));
        &TABLE
    }
}
