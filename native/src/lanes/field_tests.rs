//! Both implementations of the field against whole numbers, with limbs at their bounds; and the bounds of their results.

use num_bigint::BigUint;
use sha2::{Digest, Sha512};

use super::field::{Field, LOW51, Limbs, absolute, invert, sqrt_ratio};
use super::vector::{Model, Vector};
use super::{Model51, ModelDoubles};
#[cfg(target_arch = "x86_64")]
use crate::engine::Engine;

const ONES: [u64; 8] = [u64::MAX; 8];

fn prime() -> BigUint {
    (BigUint::from(1u8) << 255) - 19u8
}

/// The value of limbs, not reduced.
fn number(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::ZERO, |sum, limb| (sum << 51) + limb)
}

/// Limbs with all bits of some, none of others, and random ones; a few beyond 51 bits, as tight ones may be.
fn limbs(seed: u64, beyond: u64) -> Limbs {
    let octets: [u8; 64] = Sha512::digest(seed.to_be_bytes()).into();
    let mut out = [0; 5];
    for (i, limb) in out.iter_mut().enumerate() {
        let word = u64::from_be_bytes(octets[8 * i..8 * i + 8].try_into().expect("eight"));
        *limb = match octets[60] >> i & 1 | octets[61] >> i << 1 & 2 {
            0 => word & LOW51,
            1 => LOW51 + beyond,
            2 => 0,
            _ => LOW51,
        };
    }
    out
}

fn lanes<F: Field>(seed: u64, beyond: u64) -> (F, Vec<BigUint>) {
    let all: Vec<Limbs> = (0..F::LANES as u64).map(|lane| limbs(seed * 64 + lane, beyond)).collect();
    (F::of_limbs(&all), all.iter().map(number).collect())
}

fn values<F: Field>(x: &F, bound: u64) -> Vec<BigUint> {
    let mut all = vec![[0; 5]; F::LANES];
    x.limbs(&mut all);
    assert!(all.iter().flatten().all(|limb| *limb < bound), "a limb beyond its bound");
    all.iter().map(|limbs| number(limbs) % prime()).collect()
}

fn mask<F: Field>(mask: F::V) -> Vec<bool> {
    let mut words = ONES;
    mask.store(&mut words);
    words[..F::LANES].iter().inspect(|word| assert!(**word == 0 || **word == u64::MAX)).map(|word| *word != 0).collect()
}

/// `beyond`: how far a tight limb may pass 51 bits.
fn check<F: Field>(beyond: u64) {
    let (p, bound) = (prime(), (1 << 51) + beyond);
    for seed in 0..400 {
        let ((a, x), (b, y)) = (lanes::<F>(2 * seed, beyond - 1), lanes::<F>(2 * seed + 1, beyond - 1));
        let both = |f: &dyn Fn(&BigUint, &BigUint) -> BigUint| -> Vec<BigUint> {
            x.iter().zip(&y).map(|(x, y)| f(x, y) % &p).collect()
        };
        let minus = |x: BigUint, y: &BigUint| x + &p * 64u8 - y;
        let (sum, difference) = (a.add(&b), a.sub(&b));
        assert_eq!(values(&F::tighten(&sum), bound), both(&|x, y| x + y));
        assert_eq!(values(&F::tighten(&difference), bound), both(&|x, y| minus(x.clone(), y)));
        assert_eq!(values(&F::mul(&a, &b), bound), both(&|x, y| x * y));
        assert_eq!(values(&F::mul(&sum, &b), bound), both(&|x, y| (x + y) * y));
        assert_eq!(values(&F::mul(&difference, &a), bound), both(&|x, y| minus(x.clone(), y) * x));
        assert_eq!(values(&F::mul(&difference, &F::tighten(&sum)), bound), both(&|x, y| minus(x.clone(), y) * (x + y)));
        assert_eq!(values(&a.square(), bound), both(&|x, _| x * x));
        assert_eq!(values(&a.twice_less(&b), bound), both(&|x, y| minus(x * 2u8, y)));
        assert_eq!(values(&a.squares(3), bound), both(&|x, _| x.modpow(&BigUint::from(8u8), &p)));
        assert_eq!(values(&a.negative(), bound), both(&|x, _| minus(BigUint::ZERO, x)));
        unary(&a, &x, &p);
    }
}

fn unary<F: Field>(a: &F, x: &[BigUint], p: &BigUint) {
    let reduced: Vec<_> = x.iter().map(|x| x % p).collect();
    let mut plain = vec![[0; 5]; F::LANES];
    a.reduced(&mut plain);
    assert_eq!(plain.iter().map(number).collect::<Vec<_>>(), reduced, "reduced to below p");
    assert_eq!(mask::<F>(a.is_negative()), reduced.iter().map(|x| x.bit(0)).collect::<Vec<_>>());
    assert_eq!(mask::<F>(a.is_zero()), reduced.iter().map(|x| *x == BigUint::ZERO).collect::<Vec<_>>());
    let inverse: Vec<_> = reduced.iter().map(|x| x.modpow(&(p - 2u8), p)).collect();
    assert_eq!(values(&invert(a), u64::MAX), inverse);
    let absolutes: Vec<_> = reduced.iter().map(|x| if x.bit(0) { p - x } else { x.clone() }).collect();
    assert_eq!(values(&absolute(a), u64::MAX), absolutes);
    let (square, root) = sqrt_ratio(&F::constant(&[1, 0, 0, 0, 0]), a);
    let euler = (p - 1u8) / 2u8;
    let squares: Vec<_> = reduced.iter().map(|x| x.modpow(&euler, p) == BigUint::from(1u8)).collect();
    assert_eq!(mask::<F>(square), squares);
    for ((root, x), square) in values(&root, u64::MAX).iter().zip(&reduced).zip(squares) {
        assert!(!root.bit(0));
        assert!(!square || root * root * x % p == BigUint::from(1u8));
    }
}

#[test]
fn limbs_in_doubles_are_the_field() {
    check::<ModelDoubles>(1 << 14);
}

#[test]
fn limbs_of_51_bits_are_the_field() {
    check::<Model51>(1 << 14);
}

#[cfg(target_arch = "x86_64")]
#[test]
fn limbs_in_the_vectors_of_avx2_are_the_field() {
    if Engine::found().contains(&Engine::Avx2) {
        check::<super::Avx2Field>(1 << 14);
    }
}

#[cfg(target_arch = "x86_64")]
#[test]
fn limbs_in_the_vectors_of_ifma_are_the_field() {
    if Engine::found().contains(&Engine::Ifma) {
        check::<super::IfmaField>(1 << 14);
    }
}

/// Not only the same element: the very limbs.
#[cfg(target_arch = "x86_64")]
#[test]
fn products_in_instructions_are_those_of_the_functions() {
    use super::avx2::Avx2;
    use super::doubles::{Outlined, carry, wide_product, wide_square};
    if !Engine::found().contains(&Engine::Avx2) {
        return;
    }
    let words = |limbs: [Avx2; 5]| {
        let mut words = [[0; 4]; 5];
        for (words, limb) in words.iter_mut().zip(limbs) {
            limb.store(words);
        }
        words
    };
    for seed in 0..20_000 {
        let sides = [2 * seed, 2 * seed + 1].map(|seed| lanes::<super::Avx2Field>(seed, 1 << 14).0);
        let (sum, [a, b]) = (sides[0].add(&sides[1]).0, sides);
        for (left, right) in [(a, b), (b, a), (sum, a), (sum, b)] {
            assert_eq!(words(Avx2::product(&left.0, &right.0)), words(carry(wide_product(&left.0, &right.0))));
        }
        assert_eq!(words(Avx2::square(&a.0)), words(carry(wide_square(&a.0))));
    }
}

#[test]
fn multiply_and_add_halves_make_the_whole_product() {
    use super::vector::Madd52;
    let (all, none) = (Model([u64::MAX; 1]), Model([0; 1]));
    let (low, high) = (none.madd_low(all, all), none.madd_high(all, all));
    let largest = (1u128 << 52) - 1; // the upper twelve bits of a factor are not read
    assert_eq!(u128::from(low.0[0]) + (u128::from(high.0[0]) << 52), largest * largest);
}
