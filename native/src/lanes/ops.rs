//! The operations on chunks, in lanes: the same as `crate::dalek`'s, for any implementation of the field.

use curve25519_dalek::scalar::Scalar;
use zeroize::Zeroizing;

use super::base::{G, times_base};
use super::edwards::{Digits, Point, digits, wipe};
use super::field::{Field, MOST_LANES};
use super::ristretto::{decode, encode, encode_doubled, from_uniform};
use super::vector::Vector;
use crate::chunk::{Cells, Octets, Sealed, Uniform};
use crate::dalek::HALF;

/// Products, wiped when they are dropped.
struct Products<F: Field>(Vec<Point<F>>);

impl<F: Field> Products<F> {
    /// Room for the products of so many items.
    fn of(items: usize) -> Self {
        Self(Vec::with_capacity(items.div_ceil(F::LANES)))
    }
}

impl<F: Field> Drop for Products<F> {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// The digits of the halves of scalars.
fn halves(scalars: &[Scalar]) -> Zeroizing<Digits> {
    let mut rows = Zeroizing::new([[0; 32]; MOST_LANES]);
    for (row, scalar) in rows.iter_mut().zip(scalars) {
        *row = (scalar * *HALF).to_bytes();
    }
    Zeroizing::new(digits(&rows[..scalars.len().min(MOST_LANES)]))
}

#[inline(always)]
fn flags<F: Field>(mask: F::V, out: &mut [bool]) {
    let mut words = [0; MOST_LANES];
    mask.store(&mut words);
    for (flag, word) in out.iter_mut().zip(words) {
        *flag = word != 0;
    }
}

#[inline(always)]
pub fn hash<F: Field>(uniform: &[Uniform], out: &mut [Octets]) {
    for (uniform, out) in uniform.chunks(F::LANES).zip(out.chunks_mut(F::LANES)) {
        encode(&from_uniform::<F>(uniform), out);
    }
}

#[inline(always)]
pub fn blind<F: Field>(scalar: &Scalar, uniform: &[Uniform], out: &mut [Octets]) {
    let half = halves(&[*scalar; MOST_LANES]);
    let mut products = Products::<F>::of(uniform.len());
    for uniform in uniform.chunks(F::LANES) {
        products.0.push(Point::products([(&from_uniform::<F>(uniform).table(), &half)]));
    }
    encode_doubled(&products.0, out);
}

#[inline(always)]
pub fn multiply<F: Field>(scalars: &[Scalar], elements: &[Octets], out: &mut [Octets], valid: &mut [bool]) {
    let mut products = Products::<F>::of(elements.len());
    let groups = scalars.chunks(F::LANES).zip(elements.chunks(F::LANES)).zip(valid.chunks_mut(F::LANES));
    for ((scalars, elements), valid) in groups {
        let (point, sound) = decode::<F>(elements);
        flags::<F>(sound, valid);
        let point = Point::choose(sound, &point, &Point::identity());
        products.0.push(Point::products([(&point.table(), &halves(scalars))]));
    }
    encode_doubled(&products.0, out);
}

#[inline(always)]
pub fn multiply_base<F: Field>(scalars: &[Scalar], out: &mut [Octets]) {
    let mut products = Products::<F>::of(scalars.len());
    for scalars in scalars.chunks(F::LANES) {
        products.0.push(times_base::<F>(&halves(scalars)));
    }
    encode_doubled(&products.0, out);
}

#[inline(always)]
pub fn combine<F: Field>(left: &[Octets], right: &[Octets], subtract: bool, out: &mut [Octets], valid: &mut [bool]) {
    let groups = left.chunks(F::LANES).zip(right.chunks(F::LANES));
    let results = out.chunks_mut(F::LANES).zip(valid.chunks_mut(F::LANES));
    for ((left, right), (out, valid)) in groups.zip(results) {
        let ((left, sound), (right, sound_too)) = (decode::<F>(left), decode::<F>(right));
        let sound = sound.and(sound_too);
        let addend = right.addend();
        let sum = left.plus(&if subtract { addend.negative() } else { addend });
        encode(&Point::choose(sound, &sum, &Point::identity()), out);
        flags::<F>(sound, valid);
    }
}

#[inline(always)]
pub fn valid<F: Field>(elements: &[Octets], valid: &mut [bool]) {
    for (elements, valid) in elements.chunks(F::LANES).zip(valid.chunks_mut(F::LANES)) {
        flags::<F>(decode::<F>(elements).1, valid);
    }
}

#[inline(always)]
pub fn seal<F: Field>(uniform: &[Uniform], cells: &Cells, betas: &[Scalar], gammas: &[Scalar], key: &Octets) -> Sealed {
    let each = cells.candidates();
    let g = Point::<F>::constant(&G.0, &G.1).table();
    let l = decode::<F>(&[*key; MOST_LANES][..F::LANES]).0.table();
    let mut sealed = Sealed::empty(betas.len());
    let (mut q, mut s) = (Products::<F>::of(betas.len()), Products::<F>::of(betas.len()));
    for (group, uniform) in uniform.chunks(F::LANES).enumerate() {
        let hashed = from_uniform::<F>(uniform).table();
        let first = group * F::LANES;
        for j in 0..each {
            let (point, good) = candidate::<F>(cells, first, uniform.len(), j);
            let mut sound = [false; MOST_LANES];
            flags::<F>(good, &mut sound[..F::LANES]);
            let mut chosen = Zeroizing::new([[Scalar::ZERO; MOST_LANES]; 2]);
            for lane in 0..uniform.len() {
                let slot = (first + lane) * each + j;
                sealed.good[slot] = sound[lane];
                chosen[0][lane] = if sound[lane] { betas[slot] } else { Scalar::ZERO };
                chosen[1][lane] = gammas[slot];
            }
            let (beta, gamma) = (halves(&chosen[0]), halves(&chosen[1]));
            q.0.push(Point::products([(&hashed, &beta), (&g, &gamma)]));
            s.0.push(Point::products([(&point.table(), &beta), (&l, &gamma)]));
        }
    }
    for (products, out) in [(&q, &mut sealed.q), (&s, &mut sealed.s)] {
        let mut rows = Zeroizing::new(vec![[0; 32]; products.0.len() * F::LANES]);
        encode_doubled(&products.0, &mut rows);
        for (slot, row) in out.iter_mut().enumerate() {
            let (item, j) = (slot / each, slot % each);
            *row = rows[(item / F::LANES * each + j) * F::LANES + item % F::LANES];
        }
    }
    sealed
}

/// Candidate j of up to `LANES` items, and the mask of good ones (specification, section 4); the identity for bad ones.
#[inline(always)]
fn candidate<F: Field>(cells: &Cells, first: usize, count: usize, j: usize) -> (Point<F>, F::V) {
    let all = F::V::splat(u64::MAX);
    let (mut sum, mut good) = (Point::<F>::identity(), all);
    for cell in if cells.summed { 0..cells.arity } else { j..j + 1 } {
        let (mut octets, mut fresh) = ([[0; 32]; MOST_LANES], [u64::MAX; MOST_LANES]);
        for lane in 0..count {
            let row = cells.of(first + lane);
            octets[lane] = row[cell];
            if !cells.summed && row[..cell].contains(&row[cell]) {
                fresh[lane] = 0;
            }
        }
        let (point, sound) = decode::<F>(&octets[..F::LANES]);
        good = good.and(sound).and(point.t.is_zero().xor(all)).and(F::V::load(&fresh));
        sum = sum.plus(&Point::choose(sound, &point, &Point::identity()).addend());
    }
    // An element is the identity if x·y = 0, in any of its representatives.
    good = good.and(sum.t.is_zero().xor(all));
    (Point::choose(good, &sum, &Point::identity()), good)
}

/// X, Y and Z of a point between two operations, five limbs each.
pub type Kept = [[u64; 5]; 3];

/// Decode cells that are kept, and tell which were encodings.
#[inline(always)]
pub fn keep<F: Field>(elements: &[Octets], kept: &mut [Kept], valid: &mut [bool]) {
    let results = kept.chunks_mut(F::LANES).zip(valid.chunks_mut(F::LANES));
    for (elements, (kept, valid)) in elements.chunks(F::LANES).zip(results) {
        let (point, sound) = decode::<F>(elements);
        flags::<F>(sound, valid);
        put(&point, kept);
    }
}

/// (first − second) − third, in place of the first.
#[inline(always)]
pub fn subtract_kept<F: Field>(first: &mut [Kept], second: &[Kept], third: &[Kept]) {
    let others = second.chunks(F::LANES).zip(third.chunks(F::LANES));
    for (first, (second, third)) in first.chunks_mut(F::LANES).zip(others) {
        let (second, third) = (get::<F>(second).addend(), get::<F>(third).addend());
        put(&get::<F>(first).plus(&second.negative()).plus(&third.negative()), first);
    }
}

#[inline(always)]
pub fn encode_kept<F: Field>(kept: &[Kept], out: &mut [Octets]) {
    for (kept, out) in kept.chunks(F::LANES).zip(out.chunks_mut(F::LANES)) {
        encode(&get::<F>(kept), out);
    }
}

#[inline(always)]
fn put<F: Field>(point: &Point<F>, kept: &mut [Kept]) {
    let mut lanes = [[0; 5]; MOST_LANES];
    for (k, coordinate) in [&point.x, &point.y, &point.z].into_iter().enumerate() {
        coordinate.limbs(&mut lanes[..F::LANES]);
        for (point, limbs) in kept.iter_mut().zip(&lanes) {
            point[k] = *limbs;
        }
    }
}

/// (X·Z : Y·Z : Z² : X·Y), which is the point with its T. Lanes beyond are no points, and are not looked at.
#[inline(always)]
fn get<F: Field>(kept: &[Kept]) -> Point<F> {
    let mut lanes = [[[0; 5]; MOST_LANES]; 3];
    for (lane, point) in kept.iter().enumerate() {
        for k in 0..3 {
            lanes[k][lane] = point[k];
        }
    }
    let [x, y, z] = [0, 1, 2].map(|k| F::of_limbs(&lanes[k][..F::LANES]));
    Point { x: F::mul(&x, &z), y: F::mul(&y, &z), z: z.square(), t: F::mul(&x, &y) }
}
