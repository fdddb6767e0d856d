//! Four lanes by AVX2 and FMA: each method is one instruction or two.
//!
//! A value of this type is made only by code that runs after AVX2 and FMA were found (`crate::engine`).

use core::arch::x86_64::*;

use super::avx2_products::{product, square};
use super::doubles::{self, Doubles, Outlined};
use super::edwards::{Addend, Point};
use super::field::sqrt_ratio;

use super::vector::{Fused, Vector};

#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Avx2(__m256i);

// SAFETY of all blocks below: the processor has AVX2 and FMA, see above; loads and stores are of checked slices.
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

impl Fused for Avx2 {
    #[inline(always)]
    fn fused(self, left: Self, right: Self) -> Self {
        unsafe {
            let (left, right) = (_mm256_castsi256_pd(left.0), _mm256_castsi256_pd(right.0));
            Self(_mm256_castpd_si256(_mm256_fmadd_pd(left, right, _mm256_castsi256_pd(self.0))))
        }
    }
    #[inline(always)]
    fn sum(self, other: Self) -> Self {
        unsafe {
            let sum = _mm256_add_pd(_mm256_castsi256_pd(self.0), _mm256_castsi256_pd(other.0));
            Self(_mm256_castpd_si256(sum))
        }
    }
    #[inline(always)]
    fn difference(self, other: Self) -> Self {
        unsafe {
            let difference = _mm256_sub_pd(_mm256_castsi256_pd(self.0), _mm256_castsi256_pd(other.0));
            Self(_mm256_castpd_si256(difference))
        }
    }
}

impl Outlined for Avx2 {
    #[inline(always)]
    fn root(u: &Doubles<Self>, v: &Doubles<Self>) -> (Self, Doubles<Self>) {
        unsafe { root(u, v) }
    }
    #[inline(always)]
    fn times16(point: &mut Point<Doubles<Self>>) {
        unsafe { times16(point) }
    }
    #[inline(always)]
    fn add_to(point: &mut Point<Doubles<Self>>, addend: &Addend<Doubles<Self>>) {
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
    #[inline(always)]
    fn square(limbs: &[Self; 5]) -> [Self; 5] {
        unsafe { square(limbs) }
    }
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn squares(limbs: &[Avx2; 5], count: u32) -> [Avx2; 5] {
    let mut out = *limbs;
    for _ in 0..count {
        out = doubles::carry(doubles::wide_square(&out));
    }
    out
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn root(u: &Doubles<Avx2>, v: &Doubles<Avx2>) -> (Avx2, Doubles<Avx2>) {
    sqrt_ratio(u, v)
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn times16(point: &mut Point<Doubles<Avx2>>) {
    point.double4();
}

#[target_feature(enable = "avx2,fma")]
#[inline(never)]
fn add_to(point: &mut Point<Doubles<Avx2>>, addend: &Addend<Doubles<Avx2>>) {
    point.add(addend);
}
