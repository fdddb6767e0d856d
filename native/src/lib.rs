//! Batched operations for tpsi: ristretto255, and the symmetric parts of vouchers.
//!
//! Everything that computes with secret scalars or secret elements runs in constant time and wipes what it held;
//! `weighted_sum` and `solve` are for public values and do not. Rows are `numpy` arrays of `uint8`; the interpreter's
//! lock is not held while a batch is computed.

pub mod batch;
pub mod chunk;
pub mod dalek;
pub mod engine;
pub mod expand;
pub mod lanes;
#[cfg(feature = "python")]
mod python;
#[cfg(feature = "python")]
mod python_strings;
#[cfg(feature = "python")]
mod python_symmetric;
#[cfg(target_arch = "x86_64")]
mod rounding;
pub mod shares;
pub mod solve;
pub mod symmetric;
pub mod threads;
