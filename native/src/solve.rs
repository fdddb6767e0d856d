//! Encoding a fuse table: the assigned cells, from their values and the fill, in extended coordinates throughout.
//!
//! A cell is decoded once and encoded once, whatever number of equations it stands in (specification, section 4.2).

use crate::chunk::Octets;
use crate::threads::{CHUNK, collect, each_chunk};

/// Cells between two reports of progress.
const REPORTED: usize = 64 * CHUNK;

/// Why a table was not solved.
#[derive(Debug, PartialEq)]
pub enum Fault {
    /// A number of a cell is beyond the table, or a cell is assigned twice.
    Equations,
    /// A cell is no encoding.
    Element,
    /// The one who is told of the progress does not want more of it.
    Stopped,
}

/// Is told how much is done, of how much; false ends the work.
pub type Told<'a> = &'a mut dyn FnMut(usize, usize) -> bool;

/// An engine's cells between decoding and encoding.
pub trait Keep {
    type Kept: Copy + Default + Send + Sync;

    /// Decode, and tell which are encodings.
    fn keep(elements: &[Octets], kept: &mut [Self::Kept], valid: &mut [bool]);
    /// (first − second) − third, in place of the first.
    fn subtract(first: &mut [Self::Kept], second: &[Self::Kept], third: &[Self::Kept]);
    fn encode(kept: &[Self::Kept], out: &mut [Octets]);
}

/// `T[own] = (T[own] − T[others 0]) − T[others 1]` for every equation, in order.
pub fn solve<K: Keep>(cells: &mut [Octets], own: &[u32], others: &[[u32; 2]], told: Told) -> Result<(), Fault> {
    let assigned = assigned(cells.len(), own, others)?;
    let total = 2 * cells.len();
    let mut kept = vec![K::Kept::default(); cells.len()];
    for (i, block) in kept.chunks_mut(REPORTED).enumerate() {
        let encodings = &cells[i * REPORTED..i * REPORTED + block.len()];
        if !decode::<K>(encodings, block) {
            return Err(Fault::Element);
        }
        told(i * REPORTED + encodings.len(), total).then_some(()).ok_or(Fault::Stopped)?;
    }
    let mut start = 0;
    while start < own.len() {
        let end = start + independent(start, &others[start..], &assigned);
        walk::<K>(&mut kept, &own[start..end], &others[start..end]);
        start = end;
    }
    for (i, block) in cells.chunks_mut(REPORTED).enumerate() {
        each_chunk(block, |j, chunk| {
            let start = i * REPORTED + j * CHUNK;
            let mut encoded = [[0; 32]; CHUNK];
            K::encode(&kept[start..start + chunk.len()], &mut encoded[..chunk.len()]);
            for (k, octets) in chunk.iter_mut().enumerate().filter(|(k, _)| assigned[start + k] > 0) {
                *octets = encoded[k];
            }
        });
        let done = total / 2 + i * REPORTED + block.len();
        told(done, total).then_some(()).ok_or(Fault::Stopped)?;
    }
    Ok(())
}

/// Whether all were encodings.
fn decode<K: Keep>(encodings: &[Octets], kept: &mut [K::Kept]) -> bool {
    let mut parts: Vec<_> = encodings.chunks(CHUNK).zip(kept.chunks_mut(CHUNK)).map(|pair| (pair, false)).collect();
    let each = |((encodings, kept), sound): &mut ((&[Octets], &mut [K::Kept]), bool)| {
        let mut valid = [false; CHUNK];
        K::keep(encodings, kept, &mut valid[..encodings.len()]);
        *sound = valid[..encodings.len()].iter().all(|valid| *valid);
    };
    crate::threads::each(&mut parts, each);
    parts.iter().all(|(_, sound)| *sound)
}

/// How many of the equations from `start` on read no cell that one of them before assigns, one at least.
fn independent(start: usize, others: &[[u32; 2]], assigned: &[u32]) -> usize {
    let before = |i: usize, cell: u32| (start + 1..=start + i).contains(&(assigned[cell as usize] as usize));
    let free = |(i, pair): &(usize, &[u32; 2])| !pair.iter().any(|&cell| before(*i, cell));
    others.iter().take(REPORTED).enumerate().take_while(free).count()
}

/// Equations that are independent of each other.
fn walk<K: Keep>(kept: &mut [K::Kept], own: &[u32], others: &[[u32; 2]]) {
    let cells = &*kept;
    let solved = collect(own.len().div_ceil(CHUNK), |i| {
        let part = i * CHUNK..own.len().min((i + 1) * CHUNK);
        let mut first: Vec<_> = own[part.clone()].iter().map(|&cell| cells[cell as usize]).collect();
        let of = |k: usize| others[part.clone()].iter().map(|pair| cells[pair[k] as usize]).collect::<Vec<_>>();
        K::subtract(&mut first, &of(0), &of(1));
        first
    });
    for (&cell, solved) in own.iter().zip(solved.into_iter().flatten()) {
        kept[cell as usize] = solved;
    }
}

/// For every cell the number of the equation that is solved for it, from 1 on, or 0.
fn assigned(cells: usize, own: &[u32], others: &[[u32; 2]]) -> Result<Vec<u32>, Fault> {
    let mut assigned = vec![0; cells];
    for (number, &cell) in (1..).zip(own) {
        let seen = assigned.get_mut(cell as usize).ok_or(Fault::Equations)?;
        if std::mem::replace(seen, number) > 0 {
            return Err(Fault::Equations);
        }
    }
    let inside = others.as_flattened().iter().all(|&cell| (cell as usize) < cells);
    inside.then_some(assigned).ok_or(Fault::Equations)
}
