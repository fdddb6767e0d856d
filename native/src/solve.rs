//! Encoding a fuse table: the assigned cells, from their values and the fill, in extended coordinates throughout.
//!
//! A cell is decoded once and encoded once, whatever number of equations it stands in (specification, section 4.2).

use curve25519_dalek::ristretto::RistrettoPoint;
use curve25519_dalek::traits::Identity;

use crate::chunk::Octets;
use crate::dalek as engine;
use crate::threads::{CHUNK, each_chunk};

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

/// `T[own] = (T[own] − T[others 0]) − T[others 1]` for every equation, in order.
pub fn solve(cells: &mut [Octets], own: &[u32], others: &[[u32; 2]], told: Told) -> Result<(), Fault> {
    let assigned = assigned(cells.len(), own, others)?;
    let total = 2 * cells.len();
    let mut points = vec![RistrettoPoint::identity(); cells.len()];
    for (i, block) in points.chunks_mut(REPORTED).enumerate() {
        let encodings = &cells[i * REPORTED..];
        let mut decoded: Vec<_> =
            block.iter_mut().zip(encodings).map(|(point, octets)| (point, octets, false)).collect();
        each_chunk(&mut decoded, |_, chunk| {
            for (point, octets, valid) in chunk {
                let found = engine::decode(octets);
                *valid = found.is_some();
                **point = found.unwrap_or_else(RistrettoPoint::identity);
            }
        });
        let done = i * REPORTED + decoded.len();
        decoded.iter().all(|(_, _, valid)| *valid).then_some(()).ok_or(Fault::Element)?;
        told(done, total).then_some(()).ok_or(Fault::Stopped)?;
    }
    for (&cell, &[first, second]) in own.iter().zip(others) {
        points[cell as usize] = points[cell as usize] - points[first as usize] - points[second as usize];
    }
    for (i, block) in cells.chunks_mut(REPORTED).enumerate() {
        each_chunk(block, |j, chunk| {
            let start = i * REPORTED + j * CHUNK;
            for (k, octets) in chunk.iter_mut().enumerate().filter(|(k, _)| assigned[start + k]) {
                *octets = points[start + k].compress().0;
            }
        });
        told(cells_done(i, block.len()) + total / 2, total).then_some(()).ok_or(Fault::Stopped)?;
    }
    Ok(())
}

fn cells_done(block: usize, length: usize) -> usize {
    block * REPORTED + length
}

/// For every cell, whether an equation is solved for it.
fn assigned(cells: usize, own: &[u32], others: &[[u32; 2]]) -> Result<Vec<bool>, Fault> {
    let mut assigned = vec![false; cells];
    for &cell in own {
        let seen = assigned.get_mut(cell as usize).ok_or(Fault::Equations)?;
        if std::mem::replace(seen, true) {
            return Err(Fault::Equations);
        }
    }
    let inside = others.as_flattened().iter().all(|&cell| (cell as usize) < cells);
    inside.then_some(assigned).ok_or(Fault::Equations)
}
