//! Many elements side by side: as many as a processor's vectors have 64-bit lanes, each with an element of its own.
//!
//! `vector` is what a processor gives, `doubles` and `field51` the field's arithmetic in two forms, the rest is the
//! same for both. The processor's instructions are the last layer: everything above it also runs on `vector::Model`,
//! where it is tested against curve25519-dalek on any machine. Which engine computes is decided once: see `crate::engine`.

#![allow(clippy::needless_range_loop)] // limbs and lanes are known by their numbers

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx2_products;
mod base;
mod doubles;
mod edwards;
mod field;
mod field51;
#[cfg(test)]
mod field_tests;
#[cfg(target_arch = "x86_64")]
mod ifma;
pub mod ops;
mod ristretto;
#[cfg(test)]
mod tests;
mod vector;
mod words;

use ops::Kept;

use doubles::Doubles;
use field51::Field51;

/// The two models: what the engines compute, on any machine.
#[cfg(test)]
pub type ModelDoubles = Doubles<vector::Model<4>>;
#[cfg(test)]
pub type Model51 = Field51<vector::Model<8>>;

#[cfg(target_arch = "x86_64")]
type Avx2Field = Doubles<avx2::Avx2>;
#[cfg(target_arch = "x86_64")]
type IfmaField = Field51<ifma::Ifma>;

/// The functions of `ops` for one field, compiled for a processor that has certain features, or for any.
macro_rules! engine {
    ($module:ident, $field:ty $(, $features:literal)?) => {
        pub mod $module {
            use curve25519_dalek::scalar::Scalar;

            use super::ops::{self, Kept};
            use crate::chunk::{Cells, Octets, Sealed, Uniform};

            engine!(@one $field, [$($features)?], hash(uniform: &[Uniform], out: &mut [Octets]));
            engine!(@one $field, [$($features)?], blind(scalar: &Scalar, uniform: &[Uniform], out: &mut [Octets]));
            engine!(@one $field, [$($features)?],
                multiply(scalars: &[Scalar], elements: &[Octets], out: &mut [Octets], valid: &mut [bool]));
            engine!(@one $field, [$($features)?], multiply_base(scalars: &[Scalar], out: &mut [Octets]));
            engine!(@one $field, [$($features)?],
                combine(left: &[Octets], right: &[Octets], subtract: bool, out: &mut [Octets], valid: &mut [bool]));
            engine!(@one $field, [$($features)?], valid(elements: &[Octets], out: &mut [bool]));
            engine!(@one $field, [$($features)?],
                seal(uniform: &[Uniform], cells: &Cells, betas: &[Scalar], gammas: &[Scalar], key: &Octets) -> Sealed);
            engine!(@one $field, [$($features)?], keep(elements: &[Octets], kept: &mut [Kept], valid: &mut [bool]));
            engine!(@one $field, [$($features)?], subtract_kept(first: &mut [Kept], second: &[Kept], third: &[Kept]));
            engine!(@one $field, [$($features)?], encode_kept(kept: &[Kept], out: &mut [Octets]));
        }
    };
    (@one $field:ty, [$($features:literal)?], $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?) => {
        /// See `super::ops`.
        ///
        /// # Safety
        ///
        /// The processor has the instructions: see `crate::engine::Engine::found`.
        $(#[target_feature(enable = $features)])?
        pub fn $name($($argument: $type),*) $(-> $result)? {
            ops::$name::<$field>($($argument),*)
        }
    };
}

#[cfg(test)]
engine!(model_doubles, super::ModelDoubles);
#[cfg(test)]
engine!(model51, super::Model51);
#[cfg(target_arch = "x86_64")]
engine!(avx2_lanes, super::Avx2Field, "avx2,fma");
#[cfg(target_arch = "x86_64")]
engine!(ifma_lanes, super::IfmaField, "avx512f,avx512ifma");

/// Cells of a table that is solved. SAFETY: used by an engine whose instructions were found.
macro_rules! keeper {
    ($name:ident, $module:ident) => {
        #[cfg(target_arch = "x86_64")]
        pub struct $name;

        #[cfg(target_arch = "x86_64")]
        impl crate::solve::Keep for $name {
            type Kept = Kept;

            fn keep(elements: &[crate::chunk::Octets], kept: &mut [Kept], valid: &mut [bool]) {
                let _nearest = crate::rounding::Nearest::set();
                unsafe { $module::keep(elements, kept, valid) }
            }
            fn subtract(first: &mut [Kept], second: &[Kept], third: &[Kept]) {
                let _nearest = crate::rounding::Nearest::set();
                unsafe { $module::subtract_kept(first, second, third) }
            }
            fn encode(kept: &[Kept], out: &mut [crate::chunk::Octets]) {
                let _nearest = crate::rounding::Nearest::set();
                unsafe { $module::encode_kept(kept, out) }
            }
        }
    };
}

keeper!(Avx2Keeper, avx2_lanes);
keeper!(IfmaKeeper, ifma_lanes);
