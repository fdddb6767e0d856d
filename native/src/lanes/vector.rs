//! Vectors of 64-bit words, one for each lane: what the field arithmetic is written in, and a model of it.
//!
//! `Model` computes exactly what the instructions do, word by word, on any machine. Formulas, carry bounds and the
//! equivalence to dalek are tested on it wherever there is a compiler; the vectors of a processor only replace it.

/// Words in as many lanes. All operations are lane by lane; masks are all ones or all zeros in each lane.
pub trait Vector: Copy {
    const LANES: usize;

    fn splat(word: u64) -> Self;
    /// From `LANES` words.
    fn load(words: &[u64]) -> Self;
    /// Into `LANES` words.
    fn store(self, words: &mut [u64]);
    /// Modulo 2^64.
    fn plus(self, other: Self) -> Self;
    /// Modulo 2^64.
    fn minus(self, other: Self) -> Self;
    fn and(self, other: Self) -> Self;
    fn or(self, other: Self) -> Self;
    fn xor(self, other: Self) -> Self;
    fn left<const BITS: u32>(self) -> Self;
    fn right<const BITS: u32>(self) -> Self;
    /// The mask of where both are the same.
    fn equal(self, other: Self) -> Self;
    /// `yes` where this mask is ones, else `no`.
    fn choose(self, yes: Self, no: Self) -> Self;
}

/// Words taken as doubles (IEEE 754 binary64), rounded to the nearest: what a processor with FMA has.
pub trait Fused: Vector {
    /// self + left·right, rounded once.
    fn fused(self, left: Self, right: Self) -> Self;
    fn sum(self, other: Self) -> Self;
    fn difference(self, other: Self) -> Self;
}

/// The multiplications of AVX-512 IFMA, `vpmadd52luq` and `vpmadd52huq`: of the low 52 bits of either factor.
pub trait Madd52: Vector {
    /// self + the low 52 bits of the product.
    fn madd_low(self, left: Self, right: Self) -> Self;
    /// self + the high 52 bits of the product.
    fn madd_high(self, left: Self, right: Self) -> Self;
}

/// The model: plain words. In tests its operations are functions of their own, or compilation would take minutes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Model<const N: usize>(pub [u64; N]);

impl<const N: usize> Model<N> {
    #[inline(always)]
    fn each(self, other: Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        let mut out = [0; N];
        for lane in 0..N {
            out[lane] = operation(self.0[lane], other.0[lane]);
        }
        Self(out)
    }
}

impl<const N: usize> Vector for Model<N> {
    const LANES: usize = N;

    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn splat(word: u64) -> Self {
        Self([word; N])
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn load(words: &[u64]) -> Self {
        let mut out = [0; N];
        out.copy_from_slice(&words[..N]);
        Self(out)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn store(self, words: &mut [u64]) {
        words[..N].copy_from_slice(&self.0);
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn plus(self, other: Self) -> Self {
        self.each(other, u64::wrapping_add)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn minus(self, other: Self) -> Self {
        self.each(other, u64::wrapping_sub)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn and(self, other: Self) -> Self {
        self.each(other, |a, b| a & b)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn or(self, other: Self) -> Self {
        self.each(other, |a, b| a | b)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn xor(self, other: Self) -> Self {
        self.each(other, |a, b| a ^ b)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn left<const BITS: u32>(self) -> Self {
        self.each(self, |a, _| a << BITS)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn right<const BITS: u32>(self) -> Self {
        self.each(self, |a, _| a >> BITS)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn equal(self, other: Self) -> Self {
        self.each(other, |a, b| u64::from(a == b).wrapping_neg())
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn choose(self, yes: Self, no: Self) -> Self {
        self.and(yes).or(self.xor(Self::splat(u64::MAX)).and(no))
    }
}

impl<const N: usize> Fused for Model<N> {
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn fused(self, left: Self, right: Self) -> Self {
        let mut out = self.0;
        for lane in 0..N {
            let [sum, a, b] = [out[lane], left.0[lane], right.0[lane]].map(f64::from_bits);
            out[lane] = a.mul_add(b, sum).to_bits();
        }
        Self(out)
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn sum(self, other: Self) -> Self {
        self.each(other, |a, b| (f64::from_bits(a) + f64::from_bits(b)).to_bits())
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn difference(self, other: Self) -> Self {
        self.each(other, |a, b| (f64::from_bits(a) - f64::from_bits(b)).to_bits())
    }
}

const LOW52: u64 = (1 << 52) - 1;

impl<const N: usize> Madd52 for Model<N> {
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn madd_low(self, left: Self, right: Self) -> Self {
        self.plus(left.each(right, |a, b| (a & LOW52).wrapping_mul(b & LOW52) & LOW52))
    }
    #[cfg_attr(not(test), inline(always))]
    #[cfg_attr(test, inline(never))]
    fn madd_high(self, left: Self, right: Self) -> Self {
        self.plus(left.each(right, |a, b| ((u128::from(a & LOW52) * u128::from(b & LOW52)) >> 52) as u64))
    }
}
