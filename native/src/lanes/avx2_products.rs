//! Products and squares of `doubles`, with their carries, in the instructions of AVX2 and FMA.
//!
//! They are written out as the compiler's own code for these functions needs a quarter more time, moving words that have
//! room in registers: the ten columns stay in ymm0 to ymm9, a limb of `left` is in ymm10, halves of products come to
//! be in ymm11 and ymm12. The bounds are those of the functions, step by step, and the tests demand their very words.

use core::arch::asm;
use core::mem::{MaybeUninit, offset_of};

use super::avx2::Avx2;
use super::doubles::{EXPONENT, PRODUCT, SQUARE, TO_HIGH, TO_LOW, taken_off};
use super::field::LOW51;

/// What is loaded, a vector of the same words each.
#[repr(C, align(32))]
struct Constants {
    beginnings: [[u64; 4]; 10],
    to_high: [u64; 4],
    both: [u64; 4],
    low51: [u64; 4],
    exponent: [u64; 4],
    first_taken_off: [u64; 4],
    taken_off: [u64; 4],
}

const fn constants(beginnings: [u64; 10]) -> Constants {
    let mut all = [[0; 4]; 10];
    let mut k = 0;
    while k < 10 {
        all[k] = [beginnings[k]; 4];
        k += 1;
    }
    Constants {
        beginnings: all,
        to_high: [TO_HIGH.to_bits(); 4],
        both: [(TO_HIGH + TO_LOW).to_bits(); 4],
        low51: [LOW51; 4],
        exponent: [EXPONENT; 4],
        first_taken_off: [taken_off(19).to_bits(); 4],
        taken_off: [taken_off(1).to_bits(); 4],
    }
}

static OF_PRODUCTS: Constants = constants(PRODUCT);
static OF_SQUARES: Constants = constants(SQUARE);

macro_rules! begin {
    ($($k:literal)*) => {
        concat!(
            $("vmovdqa ymm", $k, ", [{constants} + 32*", $k, "]\n",)*
            "vmovapd ymm14, [{constants} + {to_high}]\n",
            "vmovapd ymm15, [{constants} + {both}]\n",
        )
    };
}

/// A limb of `left` for the products that follow.
macro_rules! take {
    ($i:literal) => {
        concat!("vmovupd ymm10, [{left} + 32*", $i, "]\n")
    };
}

macro_rules! twice {
    () => {
        "vaddpd ymm10, ymm10, ymm10\n"
    };
}

/// The limb, or its double, times limb j of `right`, added to columns k and k + 1.
macro_rules! times {
    ($j:literal to $k:literal $next:literal) => {
        concat!(
            "vmovapd ymm12, ymm14\n",
            "vfmadd231pd ymm12, ymm10, [{right} + 32*",
            $j,
            "]\n",
            "vsubpd ymm11, ymm15, ymm12\n",
            "vfmadd231pd ymm11, ymm10, [{right} + 32*",
            $j,
            "]\n",
            "vpaddq ymm",
            $k,
            ", ymm",
            $k,
            ", ymm11\n",
            "vpaddq ymm",
            $next,
            ", ymm",
            $next,
            ", ymm12\n",
        )
    };
}

/// A limb of `left` times all of `right`, added to its six columns.
macro_rules! row {
    ($i:literal: $a:literal $b:literal $c:literal $d:literal $e:literal $f:literal) => {
        concat!(
            take!($i), times!(0 to $a $b), times!(1 to $b $c), times!(2 to $c $d), times!(3 to $d $e), times!(4 to $e $f)
        )
    };
}

/// 19 times one register, added to another.
macro_rules! add19 {
    ($from:literal to $to:literal) => {
        concat!(
            "vpsllq ymm11, ymm",
            $from,
            ", 4\n",
            "vpaddq ymm12, ymm",
            $from,
            ", ymm",
            $from,
            "\n",
            "vpaddq ymm11, ymm11, ymm",
            $from,
            "\n",
            "vpaddq ymm12, ymm12, ymm",
            $to,
            "\n",
            "vpaddq ymm",
            $to,
            ", ymm12, ymm11\n",
        )
    };
}

/// A column's carry into another register; its rest, with the exponent.
macro_rules! split {
    ($k:literal to $carried:literal) => {
        concat!(
            "vpsrlq ymm",
            $carried,
            ", ymm",
            $k,
            ", 51\n",
            "vpand ymm",
            $k,
            ", ymm",
            $k,
            ", ymm14\n",
            "vpor ymm",
            $k,
            ", ymm",
            $k,
            ", ymm15\n",
        )
    };
}

macro_rules! finish {
    ($k:literal with $carried:literal) => {
        concat!(
            "vpaddq ymm",
            $k,
            ", ymm",
            $k,
            ", ymm",
            $carried,
            "\n",
            "vsubpd ymm",
            $k,
            ", ymm",
            $k,
            ", [{constants} + {taken_off}]\n",
            "vmovupd [{out} + 32*",
            $k,
            "], ymm",
            $k,
            "\n",
        )
    };
}

/// The columns brought down, carried and stored: `fold` and `carry`.
macro_rules! finish_all {
    () => {
        concat!(
            add19!(5 to 0), add19!(6 to 1), add19!(7 to 2), add19!(8 to 3), add19!(9 to 4),
            "vmovdqa ymm14, [{constants} + {low51}]\n",
            "vmovdqa ymm15, [{constants} + {exponent}]\n",
            split!(0 to 5), split!(1 to 6), split!(2 to 7), split!(3 to 8), split!(4 to 9),
            add19!(9 to 0),
            "vsubpd ymm0, ymm0, [{constants} + {first_taken_off}]\n",
            "vmovupd [{out}], ymm0\n",
            finish!(1 with 5), finish!(2 with 6), finish!(3 with 7), finish!(4 with 8),
        )
    };
}

/// The instructions, with the registers that they use.
macro_rules! compute {
    ($left:expr, $right:expr, $constants:expr, $($instructions:expr),*) => {{
        let mut out = MaybeUninit::<[Avx2; 5]>::uninit();
        // SAFETY: the processor has the instructions, as the function's features say; 160 octets are read of either
        // factor and written to `out`, of which `Avx2` is the type; constants are aligned as `vmovdqa` wants.
        unsafe {
            asm!(
                begin!(0 1 2 3 4 5 6 7 8 9),
                $($instructions,)*
                finish_all!(),
                left = in(reg) $left.as_ptr(),
                right = in(reg) $right.as_ptr(),
                out = in(reg) out.as_mut_ptr(),
                constants = in(reg) &raw const $constants,
                to_high = const offset_of!(Constants, to_high),
                both = const offset_of!(Constants, both),
                low51 = const offset_of!(Constants, low51),
                exponent = const offset_of!(Constants, exponent),
                first_taken_off = const offset_of!(Constants, first_taken_off),
                taken_off = const offset_of!(Constants, taken_off),
                out("ymm0") _, out("ymm1") _, out("ymm2") _, out("ymm3") _, out("ymm4") _, out("ymm5") _,
                out("ymm6") _, out("ymm7") _, out("ymm8") _, out("ymm9") _, out("ymm10") _, out("ymm11") _,
                out("ymm12") _, out("ymm14") _, out("ymm15") _,
                options(nostack, preserves_flags),
            );
            out.assume_init()
        }
    }};
}

/// `carry(wide_product(left, right))`.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub fn product(left: &[Avx2; 5], right: &[Avx2; 5]) -> [Avx2; 5] {
    compute!(
        left,
        right,
        OF_PRODUCTS,
        row!(0: 0 1 2 3 4 5),
        row!(1: 1 2 3 4 5 6),
        row!(2: 2 3 4 5 6 7),
        row!(3: 3 4 5 6 7 8),
        row!(4: 4 5 6 7 8 9)
    )
}

/// `carry(wide_square(limbs))`.
#[target_feature(enable = "avx2,fma")]
#[inline]
pub fn square(limbs: &[Avx2; 5]) -> [Avx2; 5] {
    compute!(
        limbs,
        limbs,
        OF_SQUARES,
        concat!(
            take!(0),
            times!(0 to 0 1),
            twice!(),
            times!(1 to 1 2),
            times!(2 to 2 3),
            times!(3 to 3 4),
            times!(4 to 4 5)
        ),
        concat!(take!(1), times!(1 to 2 3), twice!(), times!(2 to 3 4), times!(3 to 4 5), times!(4 to 5 6)),
        concat!(take!(2), times!(2 to 4 5), twice!(), times!(3 to 5 6), times!(4 to 6 7)),
        concat!(take!(3), times!(3 to 6 7), twice!(), times!(4 to 7 8)),
        concat!(take!(4), times!(4 to 8 9))
    )
}
