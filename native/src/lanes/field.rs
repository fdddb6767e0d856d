//! The field of 2^255 − 19 elements, in lanes: what an implementation gives, and what is made of it.
//!
//! Carries are proved by types. Every implementation has *tight* elements, its own type, which products and constants
//! are, and *loose* ones, `Loose`, which sums and differences of two tight ones are. The left factor of a product may be
//! loose; all else must be tight. The bounds behind the two words are each implementation's own.

use super::base::BaseTable;
use super::edwards::{Addend, Point};
use super::vector::Vector;
use super::words;
use crate::chunk::Octets;

/// 51 bits each, the lowest first.
pub type Limbs = [u64; 5];

pub const ZERO: Limbs = [0; 5];
pub const ONE: Limbs = [1, 0, 0, 0, 0];
pub const TWO: Limbs = [2, 0, 0, 0, 0];
pub const MINUS_ONE: Limbs = [0x7ffffffffffec, 0x7ffffffffffff, 0x7ffffffffffff, 0x7ffffffffffff, 0x7ffffffffffff];
/// The curve −x² + y² = 1 + d·x²·y²: d = −121665/121666. Names of these constants are those of RFC 9496, section 4.1.
pub const D: Limbs = [0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff];
pub const TWICE_D: Limbs = [0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff];
pub const SQRT_M1: Limbs = [0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d];
pub const ONE_MINUS_D_SQUARED: Limbs =
    [0x409c1945fc176, 0x719abc6a1fc4f, 0x1c37f90b20684, 0x06bccca55eedf, 0x029072a8b2b3e];
pub const D_MINUS_ONE_SQUARED: Limbs =
    [0x55aaa44ed4d20, 0x59603c3332635, 0x26d3baf4a7928, 0x120a66e6997a9, 0x5968b37af66c2];
pub const SQRT_AD_MINUS_ONE: Limbs =
    [0x7f6a0497b2e1b, 0x1836f0a97afd2, 0x7d747f6be7638, 0x456079e7e6498, 0x376931bf2b834];
pub const INVSQRT_A_MINUS_D: Limbs =
    [0x0fdaa805d40ea, 0x2eb482e57d339, 0x007610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff];

pub const LOW51: u64 = (1 << 51) - 1;

/// A sum or a difference of two tight elements.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Loose<F>(pub F);

/// Elements that may be multiplied: tight or loose.
pub trait Operand<F>: Copy {
    fn raw(&self) -> &F;
}

impl<F: Field> Operand<F> for F {
    #[inline(always)]
    fn raw(&self) -> &F {
        self
    }
}

impl<F: Field> Operand<F> for Loose<F> {
    #[inline(always)]
    fn raw(&self) -> &F {
        &self.0
    }
}

/// Field elements in lanes, tight.
pub trait Field: Copy {
    type V: Vector;
    const LANES: usize = Self::V::LANES;

    fn of_vectors(limbs: [Self::V; 5]) -> Self;
    fn vectors(&self) -> &[Self::V; 5];
    /// From whole numbers, as `words` gives them.
    fn of_words(words: &[Self::V; 5]) -> Self;
    /// Whole numbers that are the same element: see `super::words`.
    fn words(&self) -> [Self::V; 5];
    /// An element's words in all lanes of `vectors`, from limbs below 2^51.
    fn form(limbs: &Limbs) -> [u64; 5];
    /// Multiples of the generator, in words that `form` gives.
    fn base_table() -> &'static BaseTable;
    fn mul(left: &impl Operand<Self>, right: &Self) -> Self;
    fn square(&self) -> Self;
    /// Squared `count` times.
    fn squares(&self, count: u32) -> Self;
    /// `sqrt_ratio`, as one function for all of its uses.
    fn root(u: &Self, v: &Self) -> (Self::V, Self);
    /// `Point::double4`, as one function for all of its uses.
    fn times16(point: &mut Point<Self>);
    /// `Point::add`, as one function for all of its uses.
    fn add_to(point: &mut Point<Self>, addend: &Addend<Self>);
    fn add(&self, other: &Self) -> Loose<Self>;
    fn sub(&self, other: &Self) -> Loose<Self>;
    fn negative(&self) -> Self;
    /// 2x − y.
    fn twice_less(&self, other: &Self) -> Self;
    fn tighten(x: &Loose<Self>) -> Self;

    /// The same element in all lanes.
    #[inline(always)]
    fn constant(limbs: &Limbs) -> Self {
        Self::of_table(&Self::form(limbs))
    }
    /// The same element in all lanes, in words that `form` gave.
    #[inline(always)]
    fn of_table(words: &[u64; 5]) -> Self {
        let mut limbs = [Self::V::splat(0); 5];
        for i in 0..5 {
            limbs[i] = Self::V::splat(words[i]);
        }
        Self::of_vectors(limbs)
    }
    /// Elements of at most 51 bits and a little a limb: what `limbs` gives.
    #[inline(always)]
    fn of_limbs(lanes: &[Limbs]) -> Self {
        Self::of_words(&words::of_limbs(lanes))
    }
    /// Limbs of every lane, not reduced.
    #[inline(always)]
    fn limbs(&self, lanes: &mut [Limbs]) {
        words::limbs(&self.words(), lanes);
    }
    /// Limbs of every lane's least non-negative representative.
    #[inline(always)]
    fn reduced(&self, lanes: &mut [Limbs]) {
        words::limbs(&words::reduced(&self.words()), lanes);
    }
    /// The mask of lanes in which the least non-negative representative is odd.
    #[inline(always)]
    fn is_negative(&self) -> Self::V {
        words::is_negative(&self.words())
    }
    /// The mask of lanes that are zero.
    #[inline(always)]
    fn is_zero(&self) -> Self::V {
        words::is_zero(&self.words())
    }
    #[inline(always)]
    fn choose(mask: Self::V, yes: &Self, no: &Self) -> Self {
        let mut limbs = *no.vectors();
        for i in 0..5 {
            limbs[i] = mask.choose(yes.vectors()[i], no.vectors()[i]);
        }
        Self::of_vectors(limbs)
    }
}

/// The lowest 255 bits of an encoding.
pub fn limbs_of(octets: &Octets) -> Limbs {
    let word = |i: usize| u64::from_le_bytes(octets[8 * i..8 * i + 8].try_into().expect("eight octets"));
    let (a, b, c, d) = (word(0), word(1), word(2), word(3));
    [a & LOW51, (a >> 51 | b << 13) & LOW51, (b >> 38 | c << 26) & LOW51, (c >> 25 | d << 39) & LOW51, d >> 12 & LOW51]
}

/// The encoding of reduced limbs.
pub fn octets_of([a, b, c, d, e]: &Limbs) -> Octets {
    let words = [a | b << 51, b >> 13 | c << 38, c >> 26 | d << 25, d >> 39 | e << 12];
    let mut out = [0; 32];
    for (part, word) in out.chunks_exact_mut(8).zip(words) {
        part.copy_from_slice(&word.to_le_bytes());
    }
    out
}

/// Loads up to `LANES` encodings, whose top bits are ignored; lanes beyond are zero.
#[inline(always)]
pub fn load<F: Field>(encodings: &[Octets]) -> F {
    let mut lanes = [ZERO; MOST_LANES];
    for (lane, octets) in lanes.iter_mut().zip(encodings) {
        *lane = limbs_of(octets);
    }
    F::of_limbs(&lanes[..F::LANES])
}

/// Canonical encodings of as many lanes as `out` has rows.
#[inline(always)]
pub fn store<F: Field>(x: &F, out: &mut [Octets]) {
    let mut lanes = [ZERO; MOST_LANES];
    x.reduced(&mut lanes[..F::LANES]);
    for (octets, lane) in out.iter_mut().zip(&lanes) {
        *octets = octets_of(lane);
    }
}

pub const MOST_LANES: usize = 8;

/// −x where the mask is ones.
#[inline(always)]
pub fn negate_if<F: Field>(mask: F::V, x: &F) -> F {
    F::choose(mask, &x.negative(), x)
}

/// The one of x and −x that is not negative (RFC 9496, section 3.1).
#[inline(always)]
pub fn absolute<F: Field>(x: &F) -> F {
    negate_if(x.is_negative(), x)
}

/// The mask of where two are equal.
#[inline(always)]
pub fn equal<F: Field>(left: &F, right: &F) -> F::V {
    F::tighten(&left.sub(right)).is_zero()
}

/// x^(2^250 − 1) and x^11, by which both powers below begin.
#[inline(always)]
fn power_2_250_less_1<F: Field>(x: &F) -> (F, F) {
    let x2 = x.square();
    let x9 = F::mul(x, &x2.squares(2));
    let x11 = F::mul(&x2, &x9);
    let k5 = F::mul(&x11.square(), &x9); // x^(2^5 − 1), and so on
    let k10 = F::mul(&k5.squares(5), &k5);
    let k20 = F::mul(&k10.squares(10), &k10);
    let k40 = F::mul(&k20.squares(20), &k20);
    let k50 = F::mul(&k40.squares(10), &k10);
    let k100 = F::mul(&k50.squares(50), &k50);
    let k200 = F::mul(&k100.squares(100), &k100);
    (F::mul(&k200.squares(50), &k50), x11)
}

/// 1/x, and 0 for 0: x^(p − 2), p − 2 = 2^255 − 21.
#[inline(always)]
pub fn invert<F: Field>(x: &F) -> F {
    let (power, x11) = power_2_250_less_1(x);
    F::mul(&power.squares(5), &x11)
}

/// x^((p − 5)/8), (p − 5)/8 = 2^252 − 3.
#[inline(always)]
fn power_p58<F: Field>(x: &F) -> F {
    let (power, _) = power_2_250_less_1(x);
    F::mul(&power.squares(2), x)
}

/// The mask of where u/v is a square, and the non-negative root of u/v or else of i·u/v (RFC 9496, section 3.1.3).
#[inline(always)]
pub fn sqrt_ratio<F: Field>(u: &F, v: &F) -> (F::V, F) {
    let v3 = F::mul(&v.square(), v);
    let v7 = F::mul(&v3.square(), v);
    let r = F::mul(&F::mul(u, &v3), &power_p58(&F::mul(u, &v7)));
    let check = F::mul(v, &r.square());
    let i = F::constant(&SQRT_M1);
    let (minus_u, minus_ui) = (u.negative(), F::mul(u, &i).negative());
    let (correct, flipped, flipped_i) = (equal(&check, u), equal(&check, &minus_u), equal(&check, &minus_ui));
    let r = F::choose(flipped.or(flipped_i), &F::mul(&r, &i), &r);
    (correct.or(flipped), absolute(&r))
}
