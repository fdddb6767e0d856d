//! The operations on chunks, by curve25519-dalek: for any machine, and what the other engine is compared with.
//!
//! Encoding wants an inverse square root for each element. dalek encodes the *doubles* of many elements with one
//! inversion for all: so products are computed with half of the scalar (modulo the order) and doubled on encoding.

use std::sync::LazyLock;

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_POINT;
use curve25519_dalek::ristretto::{CompressedRistretto, RistrettoBasepointTable, RistrettoPoint};
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::{Identity, MultiscalarMul};
use zeroize::{Zeroize, Zeroizing};

use crate::chunk::{Cells, Octets, Sealed, Uniform};
use crate::solve::Keep;

/// 1/2 modulo the order.
pub static HALF: LazyLock<Scalar> = LazyLock::new(|| Scalar::from(2u64).invert());
static G: LazyLock<RistrettoBasepointTable> =
    LazyLock::new(|| RistrettoBasepointTable::create(&RISTRETTO_BASEPOINT_POINT));

/// The element of an encoding, the identity's among them.
pub fn decode(encoding: &Octets) -> Option<RistrettoPoint> {
    CompressedRistretto(*encoding).decompress()
}

/// H of every string of uniform octets.
pub fn hash(uniform: &[Uniform], out: &mut [Octets]) {
    for (message, row) in uniform.iter().zip(out) {
        *row = RistrettoPoint::from_uniform_bytes(message).compress().0;
    }
}

/// scalar·H.
pub fn blind(scalar: &Scalar, uniform: &[Uniform], out: &mut [Octets]) {
    let half = Zeroizing::new(scalar * *HALF);
    let mut products = Zeroizing::new(Vec::with_capacity(uniform.len()));
    products.extend(uniform.iter().map(|message| RistrettoPoint::from_uniform_bytes(message) * *half));
    encode_doubled(&products, out);
}

/// Scalar times element; `valid` tells which elements are encodings, be it of the identity; others give zeros.
pub fn multiply(scalars: &[Scalar], elements: &[Octets], out: &mut [Octets], valid: &mut [bool]) {
    let mut products = Zeroizing::new(Vec::with_capacity(elements.len()));
    for ((scalar, encoding), valid) in scalars.iter().zip(elements).zip(valid) {
        let found = decode(encoding);
        *valid = found.is_some();
        let mut half = scalar * *HALF;
        products.push(found.unwrap_or_else(RistrettoPoint::identity) * half);
        half.zeroize();
    }
    encode_doubled(&products, out);
}

/// Scalar times G.
pub fn multiply_base(scalars: &[Scalar], out: &mut [Octets]) {
    let mut products = Zeroizing::new(Vec::with_capacity(scalars.len()));
    products.extend(scalars.iter().map(|scalar| &*G * &*Zeroizing::new(scalar * *HALF)));
    encode_doubled(&products, out);
}

/// left + right, or left − right; `valid` where both are encodings; others give zeros.
pub fn combine(left: &[Octets], right: &[Octets], subtract: bool, out: &mut [Octets], valid: &mut [bool]) {
    for (i, (a, b)) in left.iter().zip(right).enumerate() {
        let both = decode(a).zip(decode(b));
        valid[i] = both.is_some();
        let sum = both.map(|(a, b)| if subtract { a - b } else { a + b });
        out[i] = sum.map_or([0; 32], |sum| sum.compress().0);
    }
}

/// Which rows are encodings, be it of the identity.
pub fn valid(elements: &[Octets], valid: &mut [bool]) {
    for (encoding, valid) in elements.iter().zip(valid) {
        *valid = decode(encoding).is_some();
    }
}

/// Both products of every slot (specification, sections 7.3 and 7.4).
pub fn seal(uniform: &[Uniform], cells: &Cells, betas: &[Scalar], gammas: &[Scalar], key: &Octets) -> Sealed {
    let key = decode(key).unwrap_or_else(RistrettoPoint::identity);
    let slots = betas.len();
    let (mut q, mut s) = (Zeroizing::new(Vec::with_capacity(slots)), Zeroizing::new(Vec::with_capacity(slots)));
    let mut sealed = Sealed::empty(slots);
    for (i, message) in uniform.iter().enumerate() {
        let hashed = RistrettoPoint::from_uniform_bytes(message);
        for (j, candidate) in candidates(cells, i).into_iter().enumerate() {
            let slot = i * cells.candidates() + j;
            let beta = Zeroizing::new(candidate.map_or(Scalar::ZERO, |_| betas[slot] * *HALF));
            let gamma = Zeroizing::new(gammas[slot] * *HALF);
            q.push(RistrettoPoint::multiscalar_mul([*beta, *gamma], [hashed, RISTRETTO_BASEPOINT_POINT]));
            let point = candidate.unwrap_or_else(RistrettoPoint::identity);
            s.push(RistrettoPoint::multiscalar_mul([*beta, *gamma], [point, key]));
            sealed.good[slot] = candidate.is_some();
        }
    }
    encode_doubled(&q, &mut sealed.q);
    encode_doubled(&s, &mut sealed.s);
    sealed
}

/// The candidates of the i-th item, None for a bad one (specification, section 4).
fn candidates(cells: &Cells, i: usize) -> Vec<Option<RistrettoPoint>> {
    let row = cells.of(i);
    let present = |encoding: &Octets| if encoding == &[0; 32] { None } else { decode(encoding) };
    let points: Vec<_> = row.iter().map(present).collect();
    if cells.summed {
        let sum = points.into_iter().sum::<Option<RistrettoPoint>>();
        return vec![sum.filter(|sum| *sum != RistrettoPoint::identity())];
    }
    let fresh = |j: usize| !row[..j].contains(&row[j]);
    points.into_iter().enumerate().map(|(j, point)| point.filter(|_| fresh(j))).collect()
}

fn encode_doubled(points: &[RistrettoPoint], out: &mut [Octets]) {
    for (encoding, row) in RistrettoPoint::double_and_compress_batch(points).into_iter().zip(out) {
        *row = encoding.0;
    }
}

/// Cells of a table that is solved.
pub struct Keeper;

impl Keep for Keeper {
    type Kept = RistrettoPoint;

    fn keep(elements: &[Octets], kept: &mut [RistrettoPoint], valid: &mut [bool]) {
        for ((encoding, kept), valid) in elements.iter().zip(kept).zip(valid) {
            let found = decode(encoding);
            *valid = found.is_some();
            *kept = found.unwrap_or_default();
        }
    }

    fn subtract(first: &mut [RistrettoPoint], second: &[RistrettoPoint], third: &[RistrettoPoint]) {
        for (first, (second, third)) in first.iter_mut().zip(second.iter().zip(third)) {
            *first = *first - second - third;
        }
    }

    fn encode(kept: &[RistrettoPoint], out: &mut [Octets]) {
        for (point, row) in kept.iter().zip(out) {
            *row = point.compress().0;
        }
    }
}
