//! The generator, and multiples of it from tables.

use super::edwards::{DIGITS, Digits, Point, sizes_and_signs};
use super::field::{Field, Limbs, ONE, TWICE_D, ZERO, invert};
use super::field51::Field51;
use super::vector::{Model, Vector};

/// One lane on any machine: for tables that are made once.
type Plain = Field51<Model<1>>;

/// Affine coordinates of the generator (RFC 9496, section 4.4).
pub const G: (Limbs, Limbs) = (
    [0x62d608f25d51a, 0x412a4b4f6592a, 0x75b7171a4b31d, 0x1ff60527118fe, 0x216936d3cd6e5],
    [0x6666666666658, 0x4cccccccccccc, 0x1999999999999, 0x3333333333333, 0x6666666666666],
);

/// Y + X, Y − X and 2d·X·Y of an affine point, in the words of an implementation's limbs.
type Entry = [[u64; 5]; 3];
/// For every digit i of a scalar 1 to 8 times 16^i·G.
pub type BaseTable = Vec<[Entry; 8]>;

/// The table in the words that `form` makes of reduced limbs.
pub fn base_table(form: impl Fn(&Limbs) -> [u64; 5]) -> BaseTable {
    let mut base = Point::<Plain>::constant(&G.0, &G.1);
    let mut table = Vec::with_capacity(DIGITS);
    for _ in 0..DIGITS {
        let (first, mut multiple) = (base.addend(), base);
        let mut row = [[[0; 5]; 3]; 8];
        for entry in &mut row {
            *entry = affine(&multiple).map(|limbs| form(&limbs));
            multiple = multiple.plus(&first);
        }
        table.push(row);
        base = base.double().double().double().double();
    }
    table
}

fn affine(point: &Point<Plain>) -> [Limbs; 3] {
    let inverse = invert(&point.z);
    let (x, y) = (Plain::mul(&point.x, &inverse), Plain::mul(&point.y, &inverse));
    let t2d = Plain::mul(&Plain::mul(&x, &y), &Plain::constant(&TWICE_D));
    [Plain::tighten(&y.add(&x)), Plain::tighten(&y.sub(&x)), t2d].map(|value| {
        let mut lanes = [[0; 5]];
        value.reduced(&mut lanes);
        lanes[0]
    })
}

/// scalar·G, in constant time: every entry of every digit is read.
#[inline(always)]
pub fn times_base<F: Field>(digits: &Digits) -> Point<F> {
    let mut sum = Point::<F>::identity();
    for (row, digits) in F::base_table().iter().zip(digits) {
        let (size, sign) = sizes_and_signs::<F::V>(digits);
        let one = F::constant(&ONE);
        let mut found = [one, one, F::constant(&ZERO)];
        for (i, entry) in row.iter().enumerate() {
            let mask = size.equal(F::V::splat(i as u64 + 1));
            for k in 0..3 {
                found[k] = F::choose(mask, &F::of_table(&entry[k]), &found[k]);
            }
        }
        let negative = [found[1], found[0], found[2].negative()];
        for k in 0..3 {
            found[k] = F::choose(sign, &negative[k], &found[k]);
        }
        sum.add_affine(&found);
    }
    sum
}
