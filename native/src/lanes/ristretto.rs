//! ristretto255 in lanes: encoding, decoding and the map from uniform octets (RFC 9496, section 4.3).

use super::edwards::Point;
use super::field::{
    D, D_MINUS_ONE_SQUARED, Field, INVSQRT_A_MINUS_D, MINUS_ONE, ONE, ONE_MINUS_D_SQUARED, SQRT_AD_MINUS_ONE, SQRT_M1,
    absolute, invert, load, negate_if, store,
};
use super::vector::Vector;
use crate::chunk::{Octets, Uniform};

/// Points whose encodings share an inversion: as many as fit into the nearer caches.
const TOGETHER: usize = 16;

/// Decoded lanes, and the mask of those that are encodings, the identity's among them (section 4.3.1). Others are not
/// to be used. Up to `LANES` encodings.
#[inline(always)]
pub fn decode<F: Field>(encodings: &[Octets]) -> (Point<F>, F::V) {
    let (one, s) = (F::constant(&ONE), load::<F>(encodings));
    let canonical = canonical::<F>(&s, encodings);
    let ss = s.square();
    let (u1, u2) = (F::tighten(&one.sub(&ss)), F::tighten(&one.add(&ss)));
    let u2_squared = u2.square();
    let v = F::mul(&F::constant(&D), &u1.square());
    let v = F::tighten(&v.negative().sub(&u2_squared));
    let (square, inverse) = F::root(&one, &F::mul(&v, &u2_squared));
    let den_x = F::mul(&inverse, &u2);
    let den_y = F::mul(&F::mul(&inverse, &den_x), &v);
    let x = absolute(&F::mul(&s.add(&s), &den_x));
    let y = F::mul(&u1, &den_y);
    let t = F::mul(&x, &y);
    let refused = s.is_negative().or(t.is_negative()).or(y.is_zero());
    let valid = canonical.and(square).and(refused.xor(F::V::splat(u64::MAX)));
    (Point { x, y, z: one, t }, valid)
}

/// The mask of lanes whose octets are the ones that their value has.
#[inline(always)]
fn canonical<F: Field>(s: &F, encodings: &[Octets]) -> F::V {
    let (mut again, mut same) = ([[0; 32]; 8], [0; 8]);
    store(s, &mut again[..encodings.len()]);
    for (lane, octets) in encodings.iter().enumerate() {
        let mut difference = 0;
        for (a, b) in octets.iter().zip(&again[lane]) {
            difference |= a ^ b;
        }
        same[lane] = (u64::from(difference).wrapping_sub(1) >> 63).wrapping_neg();
    }
    F::V::load(&same)
}

/// Encodings of as many lanes as `out` has rows (section 4.3.2).
#[inline(always)]
pub fn encode<F: Field>(point: &Point<F>, out: &mut [Octets]) {
    let Point { x, y, z, t } = point;
    let (i, one) = (F::constant(&SQRT_M1), F::constant(&ONE));
    let u1 = F::mul(&z.add(y), &F::tighten(&z.sub(y)));
    let u2 = F::mul(x, y);
    let (_, inverse) = F::root(&one, &F::mul(&u1, &u2.square()));
    let (den1, den2) = (F::mul(&inverse, &u1), F::mul(&inverse, &u2));
    let z_inverse = F::mul(&F::mul(&den1, &den2), t);
    let rotate = F::mul(t, &z_inverse).is_negative();
    let (rotated_x, rotated_y) = (F::mul(y, &i), F::mul(x, &i));
    let enchanted = F::mul(&den1, &F::constant(&INVSQRT_A_MINUS_D));
    let (x, y) = (F::choose(rotate, &rotated_x, x), F::choose(rotate, &rotated_y, y));
    let den_inverse = F::choose(rotate, &enchanted, &den2);
    let y = negate_if(F::mul(&x, &z_inverse).is_negative(), &y);
    store(&absolute(&F::mul(&z.sub(&y), &den_inverse)), out);
}

/// What the encoding of 2P is made of. With E, F, G, H of the doubling, 2P is (E·F : G·H : F·G : E·H).
#[derive(Clone, Copy)]
struct Doubled<F> {
    e: F,
    f: F,
    g: F,
    h: F,
    eg: F,
    fh: F,
}

/// Encodings of the doubles of points: one inversion for all, instead of a root for each (the method of
/// curve25519-dalek's `double_and_compress_batch`). As many rows as points have lanes; the last may have fewer.
#[inline(always)]
pub fn encode_doubled<F: Field>(points: &[Point<F>], out: &mut [Octets]) {
    for (points, out) in points.chunks(TOGETHER).zip(out.chunks_mut(TOGETHER * F::LANES)) {
        encode_some_doubled(points, out);
    }
}

#[inline(always)]
fn encode_some_doubled<F: Field>(points: &[Point<F>], out: &mut [Octets]) {
    let one = F::constant(&ONE);
    let mut states = [Doubled { e: one, f: one, g: one, h: one, eg: one, fh: one }; TOGETHER];
    let mut before = [one; TOGETHER]; // the product of all denominators before each
    let mut all = one;
    for (k, point) in points.iter().enumerate() {
        states[k] = doubled(point);
        before[k] = all;
        all = F::mul(&all, &denominator(&states[k]).0);
    }
    let mut inverse = invert(&all);
    for (k, out) in out.chunks_mut(F::LANES).enumerate().rev() {
        let (denominator, zero) = denominator(&states[k]);
        let own = F::mul(&inverse, &before[k]);
        inverse = F::mul(&inverse, &denominator);
        // A denominator of zero, for which 1 stood, belongs to the identity, whose inverse is to be zero.
        let own = F::choose(zero, &F::constant(&super::field::ZERO), &own);
        store(&encoded(&states[k], &own), out);
    }
}

#[inline(always)]
fn doubled<F: Field>(point: &Point<F>) -> Doubled<F> {
    let Point { x, y, z, t } = point;
    let (xx, yy, zz) = (x.square(), y.square(), z.square());
    let dtt = F::mul(&t.square(), &F::constant(&D));
    let e = F::mul(&y.add(y), x);
    let (f, g, h) = (F::tighten(&zz.add(&dtt)), F::tighten(&yy.add(&xx)), F::tighten(&zz.sub(&dtt)));
    Doubled { e, f, g, h, eg: F::mul(&e, &g), fh: F::mul(&f, &h) }
}

/// E·F·G·H, or 1 where that is zero, and the mask of where it is.
#[inline(always)]
fn denominator<F: Field>(state: &Doubled<F>) -> (F, F::V) {
    let product = F::mul(&state.eg, &state.fh);
    let zero = product.is_zero();
    (F::choose(zero, &F::constant(&ONE), &product), zero)
}

#[inline(always)]
fn encoded<F: Field>(state: &Doubled<F>, inverse: &F) -> F {
    let Doubled { e, f, g, h, eg, fh } = state;
    let (z_inverse, t_inverse) = (F::mul(eg, inverse), F::mul(fh, inverse));
    let i = F::constant(&SQRT_M1);
    let rotate = F::mul(eg, &z_inverse).is_negative();
    let magic = F::choose(rotate, &i, &F::constant(&INVSQRT_A_MINUS_D));
    let (rotated_e, rotated_g, rotated_h) = (*g, e.negative(), F::mul(f, &i));
    let (e, g, h) =
        (F::choose(rotate, &rotated_e, e), F::choose(rotate, &rotated_g, g), F::choose(rotate, &rotated_h, h));
    let g = negate_if(F::mul(&F::mul(&h, &e), &z_inverse).is_negative(), &g);
    absolute(&F::mul(&h.sub(&g), &F::mul(&magic, &F::mul(&g, &t_inverse))))
}

/// The elements of up to `LANES` strings of 64 uniform octets (section 4.3.4).
#[inline(always)]
pub fn from_uniform<F: Field>(uniform: &[Uniform]) -> Point<F> {
    let (mut first, mut second) = ([[0; 32]; 8], [[0; 32]; 8]);
    for (lane, octets) in uniform.iter().enumerate() {
        let (low, high) = octets.split_at(32);
        first[lane].copy_from_slice(low);
        second[lane].copy_from_slice(high);
    }
    let sum = map(&load::<F>(&first)).plus(&map(&load::<F>(&second)).addend());
    super::edwards::wipe(&mut first);
    super::edwards::wipe(&mut second);
    sum
}

/// MAP of section 4.3.4.
#[inline(always)]
fn map<F: Field>(t: &F) -> Point<F> {
    let (one, minus_one, d) = (F::constant(&ONE), F::constant(&MINUS_ONE), F::constant(&D));
    let r = F::mul(&F::constant(&SQRT_M1), &t.square());
    let u = F::mul(&r.add(&one), &F::constant(&ONE_MINUS_D_SQUARED));
    let v = F::mul(&minus_one.sub(&F::mul(&r, &d)), &F::tighten(&r.add(&d)));
    let (square, s) = F::root(&u, &v);
    let other_s = absolute(&F::mul(&s, t)).negative();
    let (s, c) = (F::choose(square, &s, &other_s), F::choose(square, &minus_one, &r));
    let n = F::tighten(&F::mul(&F::mul(&r.sub(&one), &c), &F::constant(&D_MINUS_ONE_SQUARED)).sub(&v));
    let ss = s.square();
    let w0 = F::mul(&s.add(&s), &v);
    let w1 = F::mul(&n, &F::constant(&SQRT_AD_MINUS_ONE));
    let (w2, w3) = (one.sub(&ss), one.add(&ss));
    Point { x: F::mul(&w3, &w0), y: F::mul(&w2, &w1), z: F::mul(&w3, &w1), t: F::mul(&w2, &w0) }
}
