//! Rounding to the nearest while an engine computes in doubles, whatever the rest of the process has set.

use std::arch::asm;

/// Round to the nearest, no exception traps, subnormals as they are: what every thread starts with.
const DEFAULT: u32 = 0x1F80;

/// The thread's control word for vectors (MXCSR), put back when this is dropped.
pub struct Nearest(u32);

impl Nearest {
    pub fn set() -> Self {
        let before = control();
        set_control(DEFAULT);
        Self(before)
    }
}

impl Drop for Nearest {
    fn drop(&mut self) {
        set_control(self.0);
    }
}

fn control() -> u32 {
    let mut word = 0u32;
    // SAFETY: stores four octets into `word`; every x86-64 processor has the instruction.
    unsafe { asm!("stmxcsr [{}]", in(reg) &mut word, options(nostack, preserves_flags)) };
    word
}

fn set_control(word: u32) {
    // SAFETY: loads four octets; the words are the default or one that the processor gave.
    unsafe { asm!("ldmxcsr [{}]", in(reg) &word, options(nostack, preserves_flags)) };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;

    #[test]
    fn engines_agree_with_dalek_in_a_thread_that_rounds_another_way() {
        for rounding in [0b01 << 13, 0b10 << 13, 0b11 << 13, 1 << 15 | 1 << 6] {
            set_control(DEFAULT | rounding); // down, up, to zero, subnormals as zeros
            let agreed: Vec<bool> = Engine::found().into_iter().map(Engine::agrees_with_dalek).collect();
            let after = control() & !0x3F; // the lowest bits tell what has happened
            set_control(DEFAULT);
            assert!(agreed.iter().all(|agrees| *agrees));
            assert_eq!(after, DEFAULT | rounding);
        }
    }
}
