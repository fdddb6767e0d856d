//! Points of the Edwards curve −x² + y² = 1 + d·x²·y² in extended coordinates, lane by lane, all in constant time.
//!
//! Formulas: Hisil, Wong, Carter, Dawson (2008), sections 3.1 (addition, complete for a = −1) and 3.3 (doubling).

use zeroize::Zeroize;

use super::field::{Field, Limbs, Loose, MOST_LANES, ONE, Operand, TWICE_D, TWO, ZERO};
use super::vector::Vector;

/// Digits of a scalar below 2^253 to the base 16, from −8 to 8, for each lane: the lowest first.
pub type Digits = [[i8; MOST_LANES]; DIGITS];
pub const DIGITS: usize = 64;

/// x = X/Z, y = Y/Z, x·y = T/Z. All tight.
#[derive(Clone, Copy)]
pub struct Point<F> {
    pub x: F,
    pub y: F,
    pub z: F,
    pub t: F,
}

/// A doubled or added point before its last multiplications: X = E·F, Y = G·H, Z = F·G, T = E·H.
struct Completed<A, B, C, D> {
    e: A,
    f: B,
    g: C,
    h: D,
}

/// A point to be added, packed: Y + X, Y − X, 2Z, 2d·T.
#[derive(Clone, Copy)]
pub struct Addend<V> {
    sum: [V; 5],
    difference: [V; 5],
    z2: [V; 5],
    t2d: [V; 5],
}

/// 1 to 8 times a point.
pub struct Table<V>([Addend<V>; 8]);

impl<F: Field> Point<F> {
    #[inline(always)]
    pub fn identity() -> Self {
        let (zero, one) = (F::constant(&ZERO), F::constant(&ONE));
        Self { x: zero, y: one, z: one, t: zero }
    }

    /// The same point in all lanes, from its affine coordinates.
    #[inline(always)]
    pub fn constant(x: &Limbs, y: &Limbs) -> Self {
        let (x, y) = (F::constant(x), F::constant(y));
        Self { x, y, z: F::constant(&ONE), t: F::mul(&x, &y) }
    }

    /// 2P, with T only if it is wanted.
    #[inline(always)]
    fn completed_double(&self) -> Completed<F, F, Loose<F>, Loose<F>> {
        let (xx, yy) = (F::square(&self.x), F::square(&self.y));
        let h = yy.add(&xx);
        let g = yy.sub(&xx);
        let e = F::square_minus::<false>(&self.x.add(&self.y), &h);
        let f = F::square_minus::<true>(&self.z, &g);
        Completed { e, f, g, h }
    }

    #[inline(always)]
    pub fn double(&self) -> Self {
        self.completed_double().extended()
    }

    /// 16·P.
    #[inline(always)]
    fn times16(&self) -> Self {
        let mut point = *self;
        for _ in 0..3 {
            point = point.completed_double().projective(&point);
        }
        point.double()
    }

    #[inline(always)]
    pub fn plus(&self, addend: &Addend<F::V>) -> Self {
        F::plus_addend(self, addend)
    }

    /// What `plus` gives.
    #[inline(always)]
    pub fn sum(&self, addend: &Addend<F::V>) -> Self {
        let a = F::mul(&self.y.sub(&self.x), &F::unpack(&addend.difference));
        let b = F::mul(&self.y.add(&self.x), &F::unpack(&addend.sum));
        let c = F::mul(&self.t, &F::unpack(&addend.t2d));
        let d = F::mul(&self.z, &F::unpack(&addend.z2));
        Completed { e: b.sub(&a), f: d.sub(&c), g: d.add(&c), h: b.add(&a) }.extended()
    }

    /// As `plus`, for an affine point: Y + X, Y − X and 2d·T, packed.
    #[inline(always)]
    pub fn plus_affine(&self, [sum, difference, t2d]: &[[F::V; 5]; 3]) -> Self {
        let a = F::mul(&self.y.sub(&self.x), &F::unpack(difference));
        let b = F::mul(&self.y.add(&self.x), &F::unpack(sum));
        let c = F::mul(&self.t, &F::unpack(t2d));
        let d = F::tighten(&self.z.add(&self.z));
        Completed { e: b.sub(&a), f: d.sub(&c), g: d.add(&c), h: b.add(&a) }.extended()
    }

    #[inline(always)]
    pub fn addend(&self) -> Addend<F::V> {
        Addend {
            sum: F::pack(&self.y.add(&self.x)),
            difference: F::pack(&self.y.sub(&self.x)),
            z2: F::pack(&self.z.add(&self.z)),
            t2d: F::pack(&F::mul(&self.t, &F::constant(&TWICE_D))),
        }
    }

    #[inline(always)]
    pub fn table(&self) -> Table<F::V> {
        let first = self.addend();
        let mut multiples = [first; 8];
        let mut point = *self;
        for multiple in &mut multiples[1..] {
            point = point.plus(&first);
            *multiple = point.addend();
        }
        Table(multiples)
    }

    #[inline(always)]
    pub fn choose(mask: F::V, yes: &Self, no: &Self) -> Self {
        Self {
            x: F::choose(mask, &yes.x, &no.x),
            y: F::choose(mask, &yes.y, &no.y),
            z: F::choose(mask, &yes.z, &no.z),
            t: F::choose(mask, &yes.t, &no.t),
        }
    }

    /// Σ digits·point over tables with their digits, the doublings shared.
    #[inline(always)]
    pub fn products<const N: usize>(terms: [(&Table<F::V>, &Digits); N]) -> Self {
        let mut sum = Self::identity();
        for place in (0..DIGITS).rev() {
            if place + 1 < DIGITS {
                sum = sum.times16();
            }
            for (table, digits) in terms {
                sum = sum.plus(&table.select::<F>(&digits[place]));
            }
        }
        sum
    }
}

impl<A, B, C, D> Completed<A, B, C, D> {
    #[inline(always)]
    fn extended<F: Field>(&self) -> Point<F>
    where
        A: Operand<F>,
        B: Operand<F>,
        C: Operand<F>,
        D: Operand<F>,
    {
        Point {
            x: F::mul(&self.e, &self.f),
            y: F::mul(&self.g, &self.h),
            z: F::mul(&self.f, &self.g),
            t: F::mul(&self.e, &self.h),
        }
    }

    /// Without T, which is left as it was: for a point that is doubled next.
    #[inline(always)]
    fn projective<F: Field>(&self, before: &Point<F>) -> Point<F>
    where
        A: Operand<F>,
        B: Operand<F>,
        C: Operand<F>,
        D: Operand<F>,
    {
        let t = before.t;
        Point { x: F::mul(&self.e, &self.f), y: F::mul(&self.g, &self.h), z: F::mul(&self.f, &self.g), t }
    }
}

impl<V: Vector> Addend<V> {
    #[inline(always)]
    fn identity<F: Field<V = V>>() -> Self {
        let one = F::pack(&F::constant(&ONE));
        Self { sum: one, difference: one, z2: F::pack(&F::constant(&TWO)), t2d: F::pack(&F::constant(&ZERO)) }
    }

    #[inline(always)]
    fn take(&mut self, mask: V, other: &Self) {
        for i in 0..5 {
            self.sum[i] = mask.choose(other.sum[i], self.sum[i]);
            self.difference[i] = mask.choose(other.difference[i], self.difference[i]);
            self.z2[i] = mask.choose(other.z2[i], self.z2[i]);
            self.t2d[i] = mask.choose(other.t2d[i], self.t2d[i]);
        }
    }

    /// The addend of −P.
    #[inline(always)]
    pub fn negative<F: Field<V = V>>(&self) -> Self {
        Self { sum: self.difference, difference: self.sum, z2: self.z2, t2d: F::packed_negative(&self.t2d) }
    }
}

impl<V: Vector> Table<V> {
    /// digit·P, in constant time: every entry is read.
    #[inline(always)]
    fn select<F: Field<V = V>>(&self, digits: &[i8; MOST_LANES]) -> Addend<V> {
        let (size, sign) = sizes_and_signs::<V>(digits);
        let mut found = Addend::identity::<F>();
        for (i, entry) in self.0.iter().enumerate() {
            found.take(size.equal(V::splat(i as u64 + 1)), entry);
        }
        let negative = found.negative::<F>();
        found.take(sign, &negative);
        found
    }
}

/// |digit|, and the mask of negative ones.
#[inline(always)]
pub fn sizes_and_signs<V: Vector>(digits: &[i8; MOST_LANES]) -> (V, V) {
    let (mut sizes, mut signs) = ([0u64; MOST_LANES], [0u64; MOST_LANES]);
    for lane in 0..MOST_LANES {
        let sign = digits[lane] >> 7; // 0 or −1
        sizes[lane] = ((digits[lane] ^ sign) - sign) as u64;
        signs[lane] = i64::from(sign) as u64;
    }
    (V::load(&sizes), V::load(&signs))
}

/// The digits of up to `MOST_LANES` scalars below 2^253, little-endian.
pub fn digits(scalars: &[[u8; 32]]) -> Digits {
    let mut out = [[0; MOST_LANES]; DIGITS];
    for (lane, scalar) in scalars.iter().enumerate() {
        let mut carried = 0;
        for place in 0..DIGITS {
            let nibble = (scalar[place / 2] >> (4 * (place % 2)) & 15) as i8 + carried;
            carried = (nibble + 8) >> 4; // 1 if the digit is 8 or more, but for the last place, where it is at most 2
            out[place][lane] = nibble - (carried << 4);
        }
    }
    out
}

/// Overwrite what a value held.
pub fn wipe<T: Copy>(values: &mut [T]) {
    let octets = size_of_val(values);
    // SAFETY: the slice's own memory, of plain words, for which zeros are a value.
    unsafe { std::slice::from_raw_parts_mut(values.as_mut_ptr().cast::<u8>(), octets) }.zeroize();
}
