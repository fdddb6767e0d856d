//! Which engine computes: decided once, by what the processor has, by a comparison with curve25519-dalek, and by time.

use std::hint::black_box;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use curve25519_dalek::constants::RISTRETTO_BASEPOINT_COMPRESSED;
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest, Sha512};

use crate::chunk::{Cells, Octets, Sealed, Uniform};
use crate::dalek;
#[cfg(target_arch = "x86_64")]
use crate::lanes::{avx2_lanes, ifma_lanes};
#[cfg(target_arch = "x86_64")]
use crate::rounding::Nearest;
use crate::solve::{Fault, Told, solve as solve_by};

/// The environment variable that chooses an engine by its short name.
pub const VARIABLE: &str = "TPSI_NATIVE_ENGINE";

/// Items of the comparison at the start: several groups of lanes, the last one not full.
const CHECKED: usize = 19;
/// Samples of each engine's time at the start, and items of each: full groups of lanes.
const SAMPLES: u32 = 5;
const TIMED: usize = 32;

/// What computes with elements.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Engine {
    Dalek,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    Ifma,
}

static CHOICE: LazyLock<Result<Engine, String>> =
    LazyLock::new(|| Engine::by_name(std::env::var_os(VARIABLE).unwrap_or_default().to_string_lossy().as_ref()));

/// Calls a function of an engine. SAFETY: an engine other than dalek is made by `found`, which saw its instructions.
macro_rules! call {
    ($engine:expr, $name:ident($($argument:expr),*)) => {
        match $engine {
            Engine::Dalek => dalek::$name($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Engine::Avx2 => {
                let _nearest = Nearest::set();
                unsafe { avx2_lanes::$name($($argument),*) }
            }
            #[cfg(target_arch = "x86_64")]
            Engine::Ifma => unsafe { ifma_lanes::$name($($argument),*) },
        }
    };
}

impl Engine {
    /// The one in use, or what is wrong with the one that the environment names.
    pub fn choice() -> Result<Self, String> {
        CHOICE.clone()
    }

    /// The one in use.
    pub fn chosen() -> Self {
        Self::choice().unwrap_or(Self::Dalek)
    }

    /// The engine with a short name; for none, the quickest.
    fn by_name(wanted: &str) -> Result<Self, String> {
        let found = Self::found();
        match wanted {
            "" => Ok(Self::quickest(found)),
            "dalek" | "avx2" | "ifma" => match found.into_iter().find(|engine| engine.short() == wanted) {
                None => Err(format!("{VARIABLE}={wanted}: this processor does not have the instructions")),
                Some(engine) if engine.agrees_with_dalek() => Ok(engine),
                Some(_) => Err(format!("{VARIABLE}={wanted}: it does not give what curve25519-dalek gives")),
            },
            _ => Err(format!("{VARIABLE}={wanted:?}: there are dalek, avx2 and ifma; unset, the quickest is taken")),
        }
    }

    /// Those that this processor has all instructions for, the widest last.
    pub fn found() -> Vec<Self> {
        #[allow(unused_mut)]
        let mut found = vec![Self::Dalek];
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            // AVX-512F implies F16C, too, for the compiler, which may use it.
            let implied = avx2 && is_x86_feature_detected!("f16c");
            if avx2 {
                found.push(Self::Avx2);
            }
            if implied && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512ifma") {
                found.push(Self::Ifma);
            }
        }
        found
    }

    /// The one that multiplies quickest here, of those that agree with dalek. They differ by factors: a few samples do.
    fn quickest(found: Vec<Self>) -> Self {
        let agreeing = found.into_iter().filter(|engine| engine.agrees_with_dalek());
        agreeing.min_by_key(|engine| (0..SAMPLES).map(|_| engine.time()).min()).unwrap_or(Self::Dalek)
    }

    /// How long some multiplications take.
    fn time(self) -> Duration {
        let (scalars, elements) = ([Scalar::from(7u64); TIMED], [RISTRETTO_BASEPOINT_COMPRESSED.0; TIMED]);
        let (mut out, mut valid) = ([[0; 32]; TIMED], [false; TIMED]);
        let start = Instant::now();
        self.multiply(black_box(&scalars), black_box(&elements), &mut out, &mut valid);
        black_box(out);
        start.elapsed()
    }

    fn short(self) -> &'static str {
        match self {
            Self::Dalek => "dalek",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "avx2",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "ifma",
        }
    }

    /// For people.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dalek => "curve25519-dalek",
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => "4 lanes by AVX2 and FMA",
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => "8 lanes by AVX-512 IFMA",
        }
    }

    pub fn hash(self, uniform: &[Uniform], out: &mut [Octets]) {
        call!(self, hash(uniform, out))
    }
    pub fn blind(self, scalar: &Scalar, uniform: &[Uniform], out: &mut [Octets]) {
        call!(self, blind(scalar, uniform, out))
    }
    pub fn multiply(self, scalars: &[Scalar], elements: &[Octets], out: &mut [Octets], valid: &mut [bool]) {
        call!(self, multiply(scalars, elements, out, valid))
    }
    pub fn multiply_base(self, scalars: &[Scalar], out: &mut [Octets]) {
        call!(self, multiply_base(scalars, out))
    }
    pub fn combine(self, left: &[Octets], right: &[Octets], subtract: bool, out: &mut [Octets], valid: &mut [bool]) {
        call!(self, combine(left, right, subtract, out, valid))
    }
    pub fn valid(self, elements: &[Octets], valid: &mut [bool]) {
        call!(self, valid(elements, valid))
    }
    pub fn seal(self, uniform: &[Uniform], cells: &Cells, betas: &[Scalar], gammas: &[Scalar], key: &Octets) -> Sealed {
        call!(self, seal(uniform, cells, betas, gammas, key))
    }

    /// See `crate::solve::solve`.
    pub fn solve(self, cells: &mut [Octets], own: &[u32], others: &[[u32; 2]], told: Told) -> Result<(), Fault> {
        match self {
            Self::Dalek => solve_by::<dalek::Keeper>(cells, own, others, told),
            #[cfg(target_arch = "x86_64")]
            Self::Avx2 => solve_by::<crate::lanes::Avx2Keeper>(cells, own, others, told),
            #[cfg(target_arch = "x86_64")]
            Self::Ifma => solve_by::<crate::lanes::IfmaKeeper>(cells, own, others, told),
        }
    }

    /// Whether it gives what dalek gives, for a few inputs of every kind.
    pub fn agrees_with_dalek(self) -> bool {
        let octets = |number: u8| Sha512::digest([number]).into();
        let uniform: [Uniform; CHECKED] = std::array::from_fn(|i| octets(i as u8));
        self == Self::Dalek || self.trial(&uniform) == Self::Dalek.trial(&uniform)
    }

    /// What it gives.
    fn trial(self, uniform: &[Uniform; CHECKED]) -> (Vec<Octets>, Vec<bool>) {
        let scalars: Vec<Scalar> = uniform.iter().map(Scalar::from_bytes_mod_order_wide).collect();
        let mut rows = [[[0; 32]; CHECKED]; 5];
        let mut flags = [[false; CHECKED]; 3];
        let [hashed, blinded, products, sums, multiples] = &mut rows;
        self.hash(uniform, hashed);
        self.blind(&scalars[3], uniform, blinded);
        let mut mixed = *hashed; // with the identity, and with encodings of nothing
        (mixed[2], mixed[5], mixed[7][31], mixed[11][0]) = ([0; 32], [0xFF; 32], 0xFF, mixed[11][0] ^ 1);
        self.multiply(&scalars, &mixed, products, &mut flags[0]);
        self.combine(&mixed, blinded, true, sums, &mut flags[1]);
        self.valid(&mixed, &mut flags[2]);
        self.multiply_base(&scalars, multiples);
        let cells = Cells { octets: &[mixed, *blinded, *hashed].concat(), arity: 3, summed: true };
        let sealed = self.seal(uniform, &cells, &scalars, &scalars, &blinded[0]);
        let good = sealed.s.into_iter().zip(&sealed.good).filter(|(_, good)| **good).map(|(s, _)| s);
        let mut table = *hashed;
        let solved = self.solve(&mut table, &[4, 9, 1], &[[0, 1], [4, 8], [9, 9]], &mut |_, _| true);
        let all = rows.into_iter().flatten().chain(sealed.q).chain(good).chain(table).collect();
        (all, flags.into_iter().flatten().chain(sealed.good).chain([solved.is_ok()]).collect())
    }
}
