//! What a chunk of work is given and gives.

/// An encoded element or scalar.
pub type Octets = [u8; 32];
/// The uniform octets that a message is stretched to.
pub type Uniform = [u8; 64];

/// Cells that were read for a chunk of items, `arity` for each.
pub struct Cells<'a> {
    pub octets: &'a [Octets],
    pub arity: usize,
    /// One candidate, the sum of the cells; else every cell is one.
    pub summed: bool,
}

impl<'a> Cells<'a> {
    pub fn of(&self, item: usize) -> &'a [Octets] {
        &self.octets[item * self.arity..(item + 1) * self.arity]
    }

    /// Candidates, hence slots, for each item.
    pub fn candidates(&self) -> usize {
        if self.summed { 1 } else { self.arity }
    }
}

/// Slots: Q, S, and whether the candidate was good. Where it was not, Q is γ·G and S is to be ignored.
pub struct Sealed {
    pub q: Vec<Octets>,
    pub s: Vec<Octets>,
    pub good: Vec<bool>,
}

impl Sealed {
    pub fn empty(slots: usize) -> Self {
        Self { q: vec![[0; 32]; slots], s: vec![[0; 32]; slots], good: vec![false; slots] }
    }
}
