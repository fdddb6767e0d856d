//! Eight lanes by AVX-512 IFMA: each method is one instruction or two.
//!
//! A value of this type is made only by code that runs after AVX-512F and IFMA were found (`crate::engine`).

use core::arch::x86_64::*;

use super::edwards::{Addend, Point};
use super::field::sqrt_ratio;
use super::field51::{self, Field51, Outlined};
use super::vector::{Madd52, Vector};

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Ifma(__m512i);

// SAFETY of all blocks below: the processor has AVX-512F and IFMA, see above; loads and stores are of checked slices.
impl Vector for Ifma {
    const LANES: usize = 8;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        unsafe { Self(_mm512_set1_epi64(word as i64)) }
    }
    #[inline(always)]
    fn load(words: &[u64]) -> Self {
        let words = &words[..8];
        unsafe { Self(_mm512_loadu_si512(words.as_ptr().cast())) }
    }
    #[inline(always)]
    fn store(self, words: &mut [u64]) {
        let words = &mut words[..8];
        unsafe { _mm512_storeu_si512(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        unsafe { Self(_mm512_add_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        unsafe { Self(_mm512_sub_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        unsafe { Self(_mm512_and_si512(self.0, other.0)) }
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        unsafe { Self(_mm512_or_si512(self.0, other.0)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        unsafe { Self(_mm512_xor_si512(self.0, other.0)) }
    }
    #[inline(always)]
    fn left<const BITS: u32>(self) -> Self {
        unsafe { Self(_mm512_slli_epi64::<BITS>(self.0)) }
    }
    #[inline(always)]
    fn right<const BITS: u32>(self) -> Self {
        unsafe { Self(_mm512_srli_epi64::<BITS>(self.0)) }
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self {
        unsafe { Self(_mm512_maskz_set1_epi64(_mm512_cmpeq_epi64_mask(self.0, other.0), -1)) }
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        unsafe { Self(_mm512_ternarylogic_epi64::<0xCA>(self.0, yes.0, no.0)) }
    }
}

impl Madd52 for Ifma {
    #[inline(always)]
    fn madd_low(self, left: Self, right: Self) -> Self {
        unsafe { Self(_mm512_madd52lo_epu64(self.0, left.0, right.0)) }
    }
    #[inline(always)]
    fn madd_high(self, left: Self, right: Self) -> Self {
        unsafe { Self(_mm512_madd52hi_epu64(self.0, left.0, right.0)) }
    }
}

impl Outlined for Ifma {
    #[inline(always)]
    fn root(u: &Field51<Self>, v: &Field51<Self>) -> (Self, Field51<Self>) {
        unsafe { root(u, v) }
    }
    #[inline(always)]
    fn times16(point: &mut Point<Field51<Self>>) {
        unsafe { times16(point) }
    }
    #[inline(always)]
    fn add_to(point: &mut Point<Field51<Self>>, addend: &Addend<Field51<Self>>) {
        unsafe { add_to(point, addend) }
    }
    #[inline(always)]
    fn product(left: &[Self; 5], right: &[Self; 5]) -> [Self; 5] {
        unsafe { product(left, right) }
    }
    #[inline(always)]
    fn squares(limbs: &[Self; 5], count: u32) -> [Self; 5] {
        unsafe { squares(limbs, count) }
    }
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn product(left: &[Ifma; 5], right: &[Ifma; 5]) -> [Ifma; 5] {
    field51::wide_product(left, right)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn squares(limbs: &[Ifma; 5], count: u32) -> [Ifma; 5] {
    let mut out = *limbs;
    for _ in 0..count {
        out = field51::wide_square(&out);
    }
    out
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn root(u: &Field51<Ifma>, v: &Field51<Ifma>) -> (Ifma, Field51<Ifma>) {
    sqrt_ratio(u, v)
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn times16(point: &mut Point<Field51<Ifma>>) {
    point.double4();
}

#[target_feature(enable = "avx512f,avx512ifma")]
#[inline(never)]
fn add_to(point: &mut Point<Field51<Ifma>>, addend: &Addend<Field51<Ifma>>) {
    point.add(addend);
}
