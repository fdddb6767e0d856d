//! The lanes against curve25519-dalek, on random inputs and on those where carries, digits and signs are at an edge.
//!
//! The models run everywhere, the processor's lanes where it has the instructions. `TPSI_NATIVE_INPUTS` sets the number
//! of inputs of each operation: see README.md.

use curve25519_dalek::scalar::Scalar;
use num_bigint::BigUint;
use sha2::{Digest, Sha512};

use crate::chunk::{Cells, Octets, Uniform};
use crate::dalek;
use crate::engine::Engine;
use crate::solve::Fault;

type Flagged = (Vec<Octets>, Vec<bool>);

/// The tests of one implementation; nothing is called if `$found` says that the processor lacks the instructions.
macro_rules! tests {
    ($name:ident, $lanes:path, $found:expr) => {
        #[allow(unused_unsafe)] // the models' functions are safe
        mod $name {
            use super::*;
            use $lanes as lanes;

            fn batches() -> impl Iterator<Item = std::ops::Range<u64>> {
                let count = if $found { inputs() } else { 0 };
                (0..count).step_by(BATCH).map(|start| start..start + BATCH as u64)
            }

            #[test]
            fn hashes_are_dalek_s() {
                for range in batches() {
                    let strings: Vec<Uniform> = range.map(uniform).collect();
                    let ours = flagged(|out, _| unsafe { lanes::hash(&strings, out) });
                    assert_eq!(ours, flagged(|out, _| dalek::hash(&strings, out)));
                }
            }

            #[test]
            fn blinded_hashes_are_dalek_s() {
                for range in batches() {
                    let by = scalar(range.start);
                    let strings: Vec<Uniform> = range.map(uniform).collect();
                    let ours = flagged(|out, _| unsafe { lanes::blind(&by, &strings, out) });
                    assert_eq!(ours, flagged(|out, _| dalek::blind(&by, &strings, out)));
                }
            }

            #[test]
            fn products_are_dalek_s() {
                for range in batches() {
                    let scalars: Vec<Scalar> = range.clone().map(scalar).collect();
                    let elements: Vec<Octets> = range.map(encoding).collect();
                    let ours = flagged(|out, valid| unsafe { lanes::multiply(&scalars, &elements, out, valid) });
                    assert_eq!(ours, flagged(|out, valid| dalek::multiply(&scalars, &elements, out, valid)));
                    let ours = flagged(|out, _| unsafe { lanes::multiply_base(&scalars, out) });
                    assert_eq!(ours, flagged(|out, _| dalek::multiply_base(&scalars, out)));
                }
            }

            #[test]
            fn encodings_are_accepted_as_by_dalek() {
                for range in batches() {
                    let elements: Vec<Octets> = range.map(encoding).collect();
                    let ours = flagged(|_, valid| unsafe { lanes::valid(&elements, valid) });
                    assert_eq!(ours, flagged(|_, valid| dalek::valid(&elements, valid)));
                }
            }

            #[test]
            fn sums_and_differences_are_dalek_s() {
                for range in batches() {
                    let left: Vec<Octets> = range.clone().map(encoding).collect();
                    let right: Vec<Octets> = range.map(|number| encoding(number / 2 * 3)).collect(); // some are the same
                    for subtract in [false, true] {
                        let ours = flagged(|out, valid| unsafe { lanes::combine(&left, &right, subtract, out, valid) });
                        let theirs = flagged(|out, valid| dalek::combine(&left, &right, subtract, out, valid));
                        assert_eq!(ours, theirs);
                    }
                }
            }

            #[test]
            fn slots_are_dalek_s() {
                for (range, (arity, summed)) in
                    batches().zip([(3, true), (2, false), (1, true), (3, false)].into_iter().cycle())
                {
                    let strings: Vec<Uniform> = range.clone().map(uniform).collect();
                    let octets = cells(range.start, arity);
                    let cells = Cells { octets: &octets, arity, summed };
                    let slots = BATCH as u64 * cells.candidates() as u64;
                    let betas: Vec<Scalar> = (0..slots).map(|k| scalar(range.start + k)).collect();
                    let gammas: Vec<Scalar> = (0..slots).map(|k| scalar(range.start + k + 1_000_000_000)).collect();
                    let key = dalek_hash(&random("key", range.start));
                    let ours = unsafe { lanes::seal(&strings, &cells, &betas, &gammas, &key) };
                    let theirs = dalek::seal(&strings, &cells, &betas, &gammas, &key);
                    assert_eq!((&ours.q, &ours.good), (&theirs.q, &theirs.good));
                    for (slot, _) in theirs.good.iter().enumerate().filter(|(_, good)| **good) {
                        assert_eq!(ours.s[slot], theirs.s[slot]);
                    }
                }
            }

            #[test]
            fn hostile_encodings_are_refused_and_the_identity_is_not() {
                let hostile = hostile();
                let (names, elements): (Vec<_>, Vec<_>) = hostile.iter().copied().unzip();
                let (mut valid, mut out) = (vec![true; elements.len()], vec![[1; 32]; elements.len()]);
                if !$found {
                    return;
                }
                let expected: Vec<bool> = names.iter().map(|name| *name == "identity" || *name == "sound").collect();
                unsafe { lanes::valid(&elements, &mut valid) };
                assert_eq!(valid, expected, "{names:?}");
                let scalars: Vec<Scalar> = (0..elements.len() as u64).map(scalar).collect();
                valid.fill(true);
                unsafe { lanes::multiply(&scalars, &elements, &mut out, &mut valid) };
                assert_eq!(valid, expected, "{names:?}");
                assert!(names.iter().zip(&out).all(|(name, row)| *name == "sound" || *row == [0; 32]));
                let sound = vec![dalek_hash(&random("sound", 0)); elements.len()];
                for subtract in [false, true] {
                    unsafe { lanes::combine(&sound, &elements, subtract, &mut out, &mut valid) };
                    assert_eq!(valid, expected, "{names:?}");
                    unsafe { lanes::combine(&elements, &sound, subtract, &mut out, &mut valid) };
                    assert_eq!(valid, expected, "{names:?}");
                }
            }
        }
    };
}

tests!(model_doubles, super::super::model_doubles, true);
tests!(model51, super::super::model51, true);
#[cfg(target_arch = "x86_64")]
tests!(avx2, super::super::avx2_lanes, Engine::found().contains(&Engine::Avx2));
#[cfg(target_arch = "x86_64")]
tests!(ifma, super::super::ifma_lanes, Engine::found().contains(&Engine::Ifma));

/// How many inputs each operation is tried on.
fn inputs() -> u64 {
    std::env::var("TPSI_NATIVE_INPUTS").ok().map_or(2000, |text| text.parse().expect("a number"))
}

/// Encodings of no element, each named by what is wrong with it, among those of the identity and of sound elements.
fn hostile() -> Vec<(&'static str, Octets)> {
    let sound = |number| dalek_hash(&random("sound", number));
    let top_bit = |mut s: Octets| {
        s[31] |= 0x80;
        s
    };
    let mut all = vec![("identity", [0; 32]), ("zero with its top bit", top_bit([0; 32])), ("all ones", [0xFF; 32])];
    all.extend((19..37).map(|k| ("at least p", near_p(k))));
    for number in 0..6 {
        let s = sound(number);
        all.extend([("sound", s), ("with its top bit", top_bit(s)), ("negative", negative(&s))]);
    }
    // Even and below p, yet of no point: about three of four are.
    let candidates = (2..40u8).map(|small| std::array::from_fn(|i| if i == 0 { 2 * small } else { 0 }));
    all.extend(candidates.filter(|s| dalek::decode(s).is_none()).map(|s| ("of no point", s)));
    assert!(all.len() > 50);
    all
}

/// p − s.
fn negative(s: &Octets) -> Octets {
    let p: BigUint = (BigUint::from(1u8) << 255) - 19u8;
    let mut octets = (p - BigUint::from_bytes_le(s)).to_bytes_le();
    octets.resize(32, 0);
    octets.try_into().expect("32 octets")
}

/// Items of one comparison: several groups of lanes, the last one not full.
const BATCH: usize = 61;

fn random(label: &str, number: u64) -> [u8; 64] {
    Sha512::new().chain_update(label).chain_update(number.to_be_bytes()).finalize().into()
}

fn half(octets: &[u8; 64]) -> Octets {
    octets[..32].try_into().expect("half of 64")
}

/// p − 19 + k for k below 37, as octets: around the modulus.
fn near_p(k: u8) -> Octets {
    let mut octets = [0xFF; 32];
    (octets[0], octets[31]) = (0xDA + k % 37, 0x7F);
    octets
}

fn scalar(number: u64) -> Scalar {
    let octets = random("scalar", number);
    let small = Scalar::from(u64::from(octets[1]));
    match octets[0] % 8 {
        0 => small,
        1 => -small,
        2 => (0..octets[2] % 64).fold(Scalar::from(8u64), |power, _| power * Scalar::from(16u64)), // digits that carry
        3 => Scalar::from_bytes_mod_order([0x88; 32]) + small,
        4 => Scalar::from(2u64).invert() + small,
        _ => Scalar::from_bytes_mod_order_wide(&octets),
    }
}

fn encoding(number: u64) -> Octets {
    let octets = random("encoding", number);
    let mut element = dalek_hash(&octets);
    match octets[0] % 12 {
        0 => [0; 32],
        1 => near_p(octets[1]),
        2 => half(&octets),
        3 => [&[octets[1] & 0xFE], &[0u8; 31][..]].concat().try_into().expect("32"),
        4 => {
            element[usize::from(octets[1] % 32)] ^= 1 << (octets[2] % 8);
            element
        }
        5 => std::array::from_fn(|i| 0xFF * (octets[i] & 1)), // limbs of ones and zeros
        _ => element,
    }
}

fn uniform(number: u64) -> Uniform {
    let mut octets = random("uniform", number);
    let [kind, small, ..] = octets;
    match kind % 8 {
        0 => octets[..32].fill(small % 3),
        1 => octets[32..].copy_from_slice(&near_p(small)),
        2 => octets.fill(0xFF),
        3 => {
            let first = half(&octets);
            octets[32..].copy_from_slice(&first); // both maps alike
        }
        _ => {}
    }
    octets
}

fn dalek_hash(uniform: &Uniform) -> Octets {
    let mut out = [[0; 32]];
    dalek::hash(&[*uniform], &mut out);
    out[0]
}

fn flagged(work: impl Fn(&mut [Octets], &mut [bool])) -> Flagged {
    let (mut out, mut valid) = (vec![[1; 32]; BATCH], vec![true; BATCH]);
    work(&mut out, &mut valid);
    (out, valid)
}

/// Cells that are sound, but for every fifth, which may be anything; some are there twice.
fn cells(start: u64, arity: usize) -> Vec<Octets> {
    let cell = |k: u64| match k % 5 {
        0 => encoding(start * 7 + k),
        1 => dalek_hash(&random("cell", start * 7 + k / 4)),
        _ => dalek_hash(&random("cell", start * 7 + k)),
    };
    (0..(arity * BATCH) as u64).map(cell).collect()
}

#[test]
fn tables_are_solved_alike_by_all_engines() {
    let n = 700;
    let cells: Vec<Octets> = (0..n + 2).map(|number| dalek_hash(&random("cell", number))).collect();
    let own: Vec<u32> = (2..n as u32 + 2).collect();
    // Runs of independent equations of every length, and some that read what the one before them assigned.
    let near = |cell: u32| if cell % 50 == 7 { cell - 1 } else { cell / 2 };
    let others: Vec<[u32; 2]> = own.iter().map(|&cell| [near(cell), cell / 3]).collect();
    let solved = |engine: Engine| {
        let mut cells = cells.clone();
        engine.solve(&mut cells, &own, &others, &mut |_, _| true).expect("a sound table");
        cells
    };
    let expected = solved(Engine::Dalek);
    assert_ne!(expected, cells);
    for engine in Engine::found() {
        assert_eq!(solved(engine), expected, "{}", engine.name());
    }
}

#[test]
fn every_engine_that_is_found_passes_the_check_at_the_start() {
    for engine in Engine::found() {
        assert!(engine.agrees_with_dalek(), "{}", engine.name());
    }
}

#[test]
fn a_table_is_not_solved_with_a_cell_that_is_no_encoding() {
    for engine in Engine::found() {
        let mut cells = vec![dalek_hash(&random("cell", 0)); 300];
        cells[207] = [0xFF; 32];
        let solved = engine.solve(&mut cells, &[0], &[[1, 2]], &mut |_, _| true);
        assert_eq!(solved, Err(Fault::Element), "{}", engine.name());
    }
}
