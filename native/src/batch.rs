//! Whole batches: cut into chunks, spread over threads.

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::scalar::Scalar;
use curve25519_dalek::traits::VartimeMultiscalarMul;
use zeroize::Zeroizing;

use crate::chunk::{Cells, Octets, Sealed, Uniform};
use crate::dalek;
use crate::engine::Engine;
use crate::expand::Tag;
use crate::threads::{CHUNK, collect, each_chunk};

/// Elements of one sum by Pippenger's method: more gain little.
const SUMMED: usize = 1 << 15;

/// Secret scalars, wiped when they are dropped.
pub type Scalars = Zeroizing<Vec<Scalar>>;

/// H of every message, encoded.
pub fn hash<M: AsRef<[u8]> + Sync>(messages: &[M], tag: &Tag) -> Vec<Octets> {
    let mut out = vec![[0; 32]; messages.len()];
    each_chunk(&mut out, |i, rows| Engine::chosen().hash(&expanded(messages, tag, i, rows.len()), rows));
    out
}

/// scalar·H of every message, encoded.
pub fn blind<M: AsRef<[u8]> + Sync>(scalar: &Scalar, messages: &[M], tag: &Tag) -> Vec<Octets> {
    let mut out = vec![[0; 32]; messages.len()];
    each_chunk(&mut out, |i, rows| Engine::chosen().blind(scalar, &expanded(messages, tag, i, rows.len()), rows));
    out
}

/// Products row by row, and which elements are encodings, be it of the identity. Other rows are zeros.
pub fn multiply(scalars: &Scalars, elements: &[Octets]) -> (Vec<Octets>, Vec<bool>) {
    with_flags(elements.len(), |range, out, valid| {
        Engine::chosen().multiply(&scalars[range.clone()], &elements[range], out, valid);
    })
}

/// Multiples of G.
pub fn multiply_base(scalars: &Scalars) -> Vec<Octets> {
    let mut out = vec![[0; 32]; scalars.len()];
    each_chunk(&mut out, |i, rows| Engine::chosen().multiply_base(&scalars[span(i, rows.len())], rows));
    out
}

/// Sums or differences row by row, and where both were encodings. Other rows are zeros.
pub fn combine(left: &[Octets], right: &[Octets], subtract: bool) -> (Vec<Octets>, Vec<bool>) {
    with_flags(left.len(), |range, out, valid| {
        Engine::chosen().combine(&left[range.clone()], &right[range], subtract, out, valid);
    })
}

/// Which rows are encodings, be it of the identity.
pub fn valid(elements: &[Octets]) -> Vec<bool> {
    let mut out = vec![false; elements.len()];
    each_chunk(&mut out, |i, flags| Engine::chosen().valid(&elements[span(i, flags.len())], flags));
    out
}

/// Both products of every slot; as many scalars of either kind as there are slots.
pub fn seal<M: AsRef<[u8]> + Sync>(
    messages: &[M],
    tag: &Tag,
    cells: &Cells,
    (betas, gammas): (&Scalars, &Scalars),
    key: &Octets,
) -> Sealed {
    let each = cells.candidates();
    let parts = collect(messages.len().div_ceil(CHUNK), |i| {
        let items = i * CHUNK..messages.len().min((i + 1) * CHUNK);
        let slots = items.start * each..items.end * each;
        let octets = &cells.octets[items.start * cells.arity..items.end * cells.arity];
        let part = Cells { octets, ..*cells };
        let uniform = expanded(messages, tag, i, items.len());
        Engine::chosen().seal(&uniform, &part, &betas[slots.clone()], &gammas[slots], key)
    });
    let mut all = Sealed::empty(0);
    for part in parts {
        all.q.extend(part.q);
        all.s.extend(part.s);
        all.good.extend(part.good);
    }
    all
}

/// The sum of all products, in variable time; None if an element is no encoding.
pub fn weighted_sum(scalars: &[Scalar], elements: &[Octets]) -> Option<Octets> {
    let threads = crate::threads::get();
    let each = elements.len().div_ceil(threads).clamp(1, SUMMED);
    let sums = collect(elements.len().div_ceil(each), |i| {
        let part = i * each..elements.len().min((i + 1) * each);
        let points = elements[part.clone()].iter().map(dalek::decode);
        RistrettoPoint::optional_multiscalar_mul(&scalars[part], points)
    });
    let total: Option<RistrettoPoint> = sums.into_iter().sum();
    total.map(|sum| sum.compress().0)
}

fn span(chunk: usize, length: usize) -> std::ops::Range<usize> {
    chunk * CHUNK..chunk * CHUNK + length
}

fn expanded<M: AsRef<[u8]>>(messages: &[M], tag: &Tag, chunk: usize, length: usize) -> Zeroizing<Vec<Uniform>> {
    Zeroizing::new(messages[span(chunk, length)].iter().map(|m| *tag.expand(m.as_ref())).collect())
}

fn with_flags(
    count: usize,
    work: impl Fn(std::ops::Range<usize>, &mut [Octets], &mut [bool]) + Sync,
) -> (Vec<Octets>, Vec<bool>) {
    let mut rows = vec![([0; 32], false); count];
    each_chunk(&mut rows, |i, chunk| {
        let (mut out, mut valid) = (vec![[0; 32]; chunk.len()], vec![false; chunk.len()]);
        work(span(i, chunk.len()), &mut out, &mut valid);
        chunk.iter_mut().zip(out.into_iter().zip(valid)).for_each(|(row, found)| *row = found);
    });
    rows.into_iter().unzip()
}
