//! Four lanes by AVX2: each method is one instruction or two.
//!
//! A value of this type is made only by code that runs after AVX2 was found (`crate::engine`).

use core::arch::x86_64::*;

use super::edwards::{Addend, Point};
use super::field::sqrt_ratio;
use super::field25::{self, Field25, Outlined};
use super::vector::{Mul32, Vector};

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Avx2(__m256i);

// SAFETY of all blocks below: the processor has AVX2, see above; loads and stores are of checked slices.
impl Vector for Avx2 {
    const LANES: usize = 4;

    #[inline(always)]
    fn splat(word: u64) -> Self {
        unsafe { Self(_mm256_set1_epi64x(word as i64)) }
    }
    #[inline(always)]
    fn load(words: &[u64]) -> Self {
        let words = &words[..4];
        unsafe { Self(_mm256_loadu_si256(words.as_ptr().cast())) }
    }
    #[inline(always)]
    fn store(self, words: &mut [u64]) {
        let words = &mut words[..4];
        unsafe { _mm256_storeu_si256(words.as_mut_ptr().cast(), self.0) }
    }
    #[inline(always)]
    fn plus(self, other: Self) -> Self {
        unsafe { Self(_mm256_add_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn minus(self, other: Self) -> Self {
        unsafe { Self(_mm256_sub_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn and(self, other: Self) -> Self {
        unsafe { Self(_mm256_and_si256(self.0, other.0)) }
    }
    #[inline(always)]
    fn or(self, other: Self) -> Self {
        unsafe { Self(_mm256_or_si256(self.0, other.0)) }
    }
    #[inline(always)]
    fn xor(self, other: Self) -> Self {
        unsafe { Self(_mm256_xor_si256(self.0, other.0)) }
    }
    #[inline(always)]
    fn left<const BITS: u32>(self) -> Self {
        unsafe { Self(_mm256_sll_epi64(self.0, _mm_cvtsi64_si128(i64::from(BITS)))) }
    }
    #[inline(always)]
    fn right<const BITS: u32>(self) -> Self {
        unsafe { Self(_mm256_srl_epi64(self.0, _mm_cvtsi64_si128(i64::from(BITS)))) }
    }
    #[inline(always)]
    fn equal(self, other: Self) -> Self {
        unsafe { Self(_mm256_cmpeq_epi64(self.0, other.0)) }
    }
    #[inline(always)]
    fn choose(self, yes: Self, no: Self) -> Self {
        unsafe { Self(_mm256_blendv_epi8(no.0, yes.0, self.0)) }
    }
}

impl Mul32 for Avx2 {
    #[inline(always)]
    fn mul32(self, other: Self) -> Self {
        unsafe { Self(_mm256_mul_epu32(self.0, other.0)) }
    }
}

impl Outlined for Avx2 {
    #[inline(always)]
    fn root(u: &Field25<Self>, v: &Field25<Self>) -> (Self, Field25<Self>) {
        unsafe { root(u, v) }
    }
    #[inline(always)]
    fn plus_addend(point: &Point<Field25<Self>>, addend: &Addend<Self>) -> Point<Field25<Self>> {
        unsafe { plus_addend(point, addend) }
    }
    #[inline(always)]
    fn product(left: &[Self; 10], right: &[Self; 10]) -> [Self; 10] {
        unsafe { product(left, right) }
    }
    #[inline(always)]
    fn square(limbs: &[Self; 10]) -> [Self; 10] {
        unsafe { square(limbs) }
    }
    #[inline(always)]
    fn squares(limbs: &[Self; 10], count: u32) -> [Self; 10] {
        unsafe { squares(limbs, count) }
    }
    #[inline(always)]
    fn square_minus<const TWICE: bool>(limbs: &[Self; 10], minus: &[Self; 10]) -> [Self; 10] {
        unsafe { square_minus::<TWICE>(limbs, minus) }
    }
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn product(left: &[Avx2; 10], right: &[Avx2; 10]) -> [Avx2; 10] {
    field25::carry(field25::wide_product(left, right))
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn square(limbs: &[Avx2; 10]) -> [Avx2; 10] {
    field25::carry(field25::wide_square(limbs))
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn squares(limbs: &[Avx2; 10], count: u32) -> [Avx2; 10] {
    let mut out = *limbs;
    for _ in 0..count {
        out = field25::carry(field25::wide_square(&out));
    }
    out
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn square_minus<const TWICE: bool>(limbs: &[Avx2; 10], minus: &[Avx2; 10]) -> [Avx2; 10] {
    field25::carry(field25::minus_loose(field25::wide_square(limbs), minus, TWICE))
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn root(u: &Field25<Avx2>, v: &Field25<Avx2>) -> (Avx2, Field25<Avx2>) {
    sqrt_ratio(u, v)
}

#[target_feature(enable = "avx2")]
#[inline(never)]
fn plus_addend(point: &Point<Field25<Avx2>>, addend: &Addend<Avx2>) -> Point<Field25<Avx2>> {
    point.sum(addend)
}
