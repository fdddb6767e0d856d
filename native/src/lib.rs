//! Batched operations for tpsi: ristretto255, and the symmetric parts of vouchers.
//!
//! Everything that computes with secret scalars or secret elements runs in constant time and wipes what it held;
//! `weighted_sum` and `solve` are for public values and do not. Rows are `numpy` arrays of `uint8`; the interpreter's
//! lock is not held while a batch is computed.

mod batch;
mod chunk;
mod dalek;
mod expand;
mod python;
mod python_symmetric;
mod solve;
mod symmetric;
mod threads;
