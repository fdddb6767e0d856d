//! expand_message_xmd with SHA-512 to 64 octets (RFC 9380, section 5.3.1): one hash block, so no loop.

use sha2::{Digest, Sha512};
use zeroize::Zeroizing;

/// A longer tag is hashed first (section 5.3.3).
const MAX_TAG: usize = 255;
const OVERSIZE: &[u8] = b"H2C-OVERSIZE-DST-";
/// SHA-512's input block.
const BLOCK: usize = 128;

/// A domain-separation tag, made ready.
pub struct Tag {
    /// The tag followed by its length: DST_prime.
    sized: Vec<u8>,
    /// SHA-512 after Z_pad, a block of zeros, which every message begins with.
    padded: Sha512,
}

impl Tag {
    /// None if the tag is empty (section 3.1).
    pub fn new(dst: &[u8]) -> Option<Self> {
        let mut sized = match dst.len() {
            0 => return None,
            1..=MAX_TAG => dst.to_vec(),
            _ => Sha512::new().chain_update(OVERSIZE).chain_update(dst).finalize().to_vec(),
        };
        sized.push(sized.len() as u8); // at most 255: see above
        Some(Self { sized, padded: Sha512::new().chain_update([0u8; BLOCK]) })
    }

    /// 64 uniform octets from a message.
    pub fn expand(&self, message: &[u8]) -> Zeroizing<[u8; 64]> {
        let length = [0, 64, 0]; // I2OSP(64, 2), I2OSP(0, 1)
        let first = self.padded.clone().chain_update(message).chain_update(length);
        let seed = Zeroizing::new(<[u8; 64]>::from(first.chain_update(&self.sized).finalize()));
        let block = Sha512::new().chain_update(seed.as_slice()).chain_update([1]);
        Zeroizing::new(block.chain_update(&self.sized).finalize().into())
    }
}
