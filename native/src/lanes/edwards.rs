//! Points of the Edwards curve −x² + y² = 1 + d·x²·y² in extended coordinates, lane by lane, all in constant time.
//!
//! Formulas: Hisil, Wong, Carter, Dawson (2008), sections 3.1 (addition, complete for a = −1) and 3.3 (doubling).

use zeroize::Zeroize;

use super::field::{Field, Limbs, Loose, MOST_LANES, ONE, TWICE_D, TWO, ZERO};
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

/// A doubled or added point before its last multiplications: X = E·F, Y = H·G, Z = F·G, T = E·H, a loose factor and a
/// tight one each.
struct Completed<F> {
    e: F,
    f: Loose<F>,
    g: F,
    h: Loose<F>,
}

/// A point to be added: Y + X, Y − X, 2Z, 2d·T. All tight.
#[derive(Clone, Copy)]
pub struct Addend<F> {
    sum: F,
    difference: F,
    z2: F,
    t2d: F,
}

/// 1 to 8 times a point.
pub struct Table<F>([Addend<F>; 8]);

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

    /// 2P.
    #[inline(always)]
    fn completed_double(&self) -> Completed<F> {
        let (xx, yy, zz) = (self.x.square(), self.y.square(), self.z.square());
        let g = F::tighten(&yy.sub(&xx));
        let e = F::mul(&self.x.add(&self.x), &self.y);
        Completed { e, f: Loose(zz.twice_less(&g)), g, h: yy.add(&xx) }
    }

    #[inline(always)]
    pub fn double(mut self) -> Self {
        self.completed_double().extend(&mut self);
        self
    }

    /// To 16 times itself: what `Field::times16` does.
    #[inline(always)]
    pub fn double4(&mut self) {
        for _ in 0..3 {
            self.completed_double().project(self);
        }
        self.completed_double().extend(self);
    }

    #[inline(always)]
    pub fn plus(mut self, addend: &Addend<F>) -> Self {
        F::add_to(&mut self, addend);
        self
    }

    /// What `Field::add_to` does.
    #[inline(always)]
    pub fn add(&mut self, addend: &Addend<F>) {
        let a = F::mul(&self.y.sub(&self.x), &addend.difference);
        let b = F::mul(&self.y.add(&self.x), &addend.sum);
        let c = F::mul(&self.t, &addend.t2d);
        let d = F::mul(&self.z, &addend.z2);
        Completed::of_sum(&a, &b, &c, &d).extend(self);
    }

    /// As `add`, for an affine point: Y + X, Y − X and 2d·T.
    #[inline(always)]
    pub fn add_affine(&mut self, [sum, difference, t2d]: &[F; 3]) {
        let a = F::mul(&self.y.sub(&self.x), difference);
        let b = F::mul(&self.y.add(&self.x), sum);
        let c = F::mul(&self.t, t2d);
        let d = F::tighten(&self.z.add(&self.z));
        Completed::of_sum(&a, &b, &c, &d).extend(self);
    }

    #[inline(always)]
    pub fn addend(&self) -> Addend<F> {
        Addend {
            sum: F::tighten(&self.y.add(&self.x)),
            difference: F::tighten(&self.y.sub(&self.x)),
            z2: F::tighten(&self.z.add(&self.z)),
            t2d: F::mul(&self.t, &F::constant(&TWICE_D)),
        }
    }

    #[inline(always)]
    pub fn table(&self) -> Table<F> {
        let first = self.addend();
        let mut multiples = [first; 8];
        let mut point = *self;
        for multiple in &mut multiples[1..] {
            F::add_to(&mut point, &first);
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
    pub fn products<const N: usize>(terms: [(&Table<F>, &Digits); N]) -> Self {
        let mut sum = Self::identity();
        for place in (0..DIGITS).rev() {
            if place + 1 < DIGITS {
                F::times16(&mut sum);
            }
            for (table, digits) in terms {
                F::add_to(&mut sum, &table.select(&digits[place]));
            }
        }
        sum
    }
}

impl<F: Field> Completed<F> {
    #[inline(always)]
    fn of_sum(a: &F, b: &F, c: &F, d: &F) -> Self {
        Self { e: F::tighten(&b.sub(a)), f: d.sub(c), g: F::tighten(&d.add(c)), h: b.add(a) }
    }

    #[inline(always)]
    fn extend(&self, point: &mut Point<F>) {
        point.t = F::mul(&self.h, &self.e);
        self.project(point);
    }

    /// All but T: for a point that is doubled next.
    #[inline(always)]
    fn project(&self, point: &mut Point<F>) {
        point.y = F::mul(&self.h, &self.g);
        point.x = F::mul(&self.f, &self.e);
        point.z = F::mul(&self.f, &self.g);
    }
}

impl<F: Field> Addend<F> {
    #[inline(always)]
    fn identity() -> Self {
        let (zero, one, two) = (F::constant(&ZERO), F::constant(&ONE), F::constant(&TWO));
        Self { sum: one, difference: one, z2: two, t2d: zero }
    }

    #[inline(always)]
    fn choose(mask: F::V, yes: &Self, no: &Self) -> Self {
        Self {
            sum: F::choose(mask, &yes.sum, &no.sum),
            difference: F::choose(mask, &yes.difference, &no.difference),
            z2: F::choose(mask, &yes.z2, &no.z2),
            t2d: F::choose(mask, &yes.t2d, &no.t2d),
        }
    }

    /// The addend of −P.
    #[inline(always)]
    pub fn negative(&self) -> Self {
        Self { sum: self.difference, difference: self.sum, z2: self.z2, t2d: self.t2d.negative() }
    }
}

impl<F: Field> Table<F> {
    /// digit·P, in constant time: every entry is read.
    #[inline(always)]
    fn select(&self, digits: &[i8; MOST_LANES]) -> Addend<F> {
        let (size, sign) = sizes_and_signs::<F::V>(digits);
        let mut masks = [sign; 8];
        for i in 0..8 {
            masks[i] = size.equal(F::V::splat(i as u64 + 1));
        }
        let mut found = Addend::identity();
        // One coordinate after the other: it stays in registers.
        macro_rules! find {
            ($coordinate:ident) => {
                for i in 0..8 {
                    found.$coordinate = F::choose(masks[i], &self.0[i].$coordinate, &found.$coordinate);
                }
            };
        }
        find!(sum);
        find!(difference);
        find!(z2);
        find!(t2d);
        Addend::choose(sign, &found.negative(), &found)
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
