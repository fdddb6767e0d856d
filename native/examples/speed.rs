//! What an item costs in microseconds, on one core: by curve25519-dalek, and in the lanes that this processor has.
//!
//! cargo run --release --example speed

#[cfg(target_arch = "x86_64")]
fn main() {
    use tpsi_native::engine::Engine;
    use tpsi_native::lanes::{avx2_lanes, ifma_lanes};

    for engine in Engine::found() {
        match engine {
            Engine::Dalek => {}
            // SAFETY of the macro's calls: the engine was found.
            Engine::Avx2 => measured::compare!(avx2_lanes, engine),
            Engine::Ifma => measured::compare!(ifma_lanes, engine),
        }
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn main() {
    println!("there are no lanes for this processor: curve25519-dalek computes");
}

#[cfg(target_arch = "x86_64")]
mod measured {
    use std::time::Instant;

    use curve25519_dalek::scalar::Scalar;
    use sha2::{Digest, Sha512};
    use tpsi_native::chunk::{Octets, Uniform};
    use tpsi_native::dalek;

    pub const ITEMS: usize = 128;
    /// Samples of each kind, by turns, of which the quickest counts: other work on the machine only adds.
    const SAMPLES: usize = 25;

    pub struct Inputs {
        pub uniform: Vec<Uniform>,
        pub scalars: Vec<Scalar>,
        pub elements: Vec<Octets>,
    }

    pub fn inputs() -> Inputs {
        let uniform: Vec<Uniform> = (0..ITEMS as u64).map(|i| Sha512::digest(i.to_be_bytes()).into()).collect();
        let scalars = uniform.iter().map(Scalar::from_bytes_mod_order_wide).collect();
        let mut elements = vec![[0; 32]; ITEMS];
        dalek::hash(&uniform, &mut elements);
        Inputs { uniform, scalars, elements }
    }

    fn sample(work: &mut dyn FnMut()) -> f64 {
        let start = Instant::now();
        work();
        start.elapsed().as_secs_f64() / ITEMS as f64 * 1e6
    }

    pub fn row(name: &str, mut dalek: impl FnMut(), mut lanes: impl FnMut()) {
        let (mut left, mut right) = (f64::MAX, f64::MAX);
        for _ in 0..SAMPLES {
            (left, right) = (left.min(sample(&mut dalek)), right.min(sample(&mut lanes)));
        }
        println!("{name:14} {left:8.2} {right:8.2} {:8.2}", left / right);
    }

    macro_rules! compare {
        ($lanes:ident, $engine:expr) => {{
            use std::hint::black_box;
            use tpsi_native::{chunk::Cells, dalek};

            let measured::Inputs { uniform, scalars, elements } = measured::inputs();
            let mut out = vec![[0; 32]; measured::ITEMS];
            let (mut out_too, mut valid, mut valid_too) =
                (out.clone(), [false; measured::ITEMS], [false; measured::ITEMS]);
            let cells = Cells { octets: &elements.repeat(3), arity: 3, summed: true };
            println!("{:14} {:>8} {:>8} {:>8}   {}", "", "dalek", "lanes", "ratio", $engine.name());
            measured::row(
                "hash",
                || dalek::hash(&uniform, &mut out),
                || unsafe { $lanes::hash(&uniform, &mut out_too) },
            );
            measured::row(
                "combine",
                || dalek::combine(&elements, &elements, false, &mut out, &mut valid),
                || unsafe { $lanes::combine(&elements, &elements, false, &mut out_too, &mut valid_too) },
            );
            measured::row(
                "valid",
                || dalek::valid(&elements, &mut valid),
                || unsafe { $lanes::valid(&elements, &mut valid_too) },
            );
            measured::row(
                "multiply",
                || dalek::multiply(&scalars, &elements, &mut out, &mut valid),
                || unsafe { $lanes::multiply(&scalars, &elements, &mut out_too, &mut valid_too) },
            );
            measured::row(
                "multiply base",
                || dalek::multiply_base(&scalars, &mut out),
                || unsafe { $lanes::multiply_base(&scalars, &mut out_too) },
            );
            measured::row(
                "blind",
                || dalek::blind(&scalars[0], &uniform, &mut out),
                || unsafe { $lanes::blind(&scalars[0], &uniform, &mut out_too) },
            );
            measured::row(
                "seal, 3 cells",
                || drop(black_box(dalek::seal(&uniform, &cells, &scalars, &scalars, &elements[0]))),
                || drop(black_box(unsafe { $lanes::seal(&uniform, &cells, &scalars, &scalars, &elements[0]) })),
            );
        }};
    }
    pub(crate) use compare;
}
