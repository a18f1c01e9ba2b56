//! Flushes denormal numbers to zero while it lives. The one file of this module with `unsafe`: the flag lives in a
//! control register that no safe function of the standard library reaches.
#![allow(unsafe_code)]

/// Denormals are zero from here until the drop, which restores what was (the thread may belong to a library).
pub(super) struct FlushDenormals {
    #[allow(dead_code)]
    before: u64,
}

#[cfg(target_arch = "x86_64")]
mod register {
    use std::arch::asm;

    /// Flush results to zero (bit 15), take operands as zero (bit 6).
    pub(super) const FLUSH: u64 = 1 << 15 | 1 << 6;

    pub(super) fn read() -> u64 {
        let mut value = 0_u32;
        // SAFETY: stmxcsr writes four bytes to the address given, which is a local variable.
        unsafe { asm!("stmxcsr [{}]", in(reg) &raw mut value, options(nostack, preserves_flags)) };
        u64::from(value)
    }

    pub(super) fn write(value: u64) {
        let value = value as u32;
        // SAFETY: the value was read from the register and differs in two defined mode bits only; no exception is
        // unmasked, and flushing changes results by less than the smallest normal number.
        unsafe { asm!("ldmxcsr [{}]", in(reg) &raw const value, options(nostack, preserves_flags, readonly)) };
    }
}

#[cfg(target_arch = "aarch64")]
mod register {
    use std::arch::asm;

    /// FZ.
    pub(super) const FLUSH: u64 = 1 << 24;

    pub(super) fn read() -> u64 {
        let value: u64;
        // SAFETY: reads a register that every thread may read.
        unsafe { asm!("mrs {}, fpcr", out(reg) value, options(nomem, nostack, preserves_flags)) };
        value
    }

    pub(super) fn write(value: u64) {
        // SAFETY: the value was read from the register and differs in one defined mode bit only.
        unsafe { asm!("msr fpcr, {}", in(reg) value, options(nomem, nostack, preserves_flags)) };
    }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
mod register {
    pub(super) const FLUSH: u64 = 0;

    pub(super) fn read() -> u64 {
        0
    }

    pub(super) fn write(_: u64) {}
}

impl FlushDenormals {
    /// Sets the flags of this thread.
    pub(super) fn new() -> Self {
        let before = register::read();
        register::write(before | register::FLUSH);
        Self { before }
    }
}

impl Drop for FlushDenormals {
    fn drop(&mut self) {
        register::write(self.before);
    }
}

#[cfg(all(test, any(target_arch = "x86_64", target_arch = "aarch64")))]
mod tests {
    use super::*;
    use std::hint::black_box;

    #[test]
    fn denormals_vanish_inside_and_return_outside() {
        let half = || black_box(f32::MIN_POSITIVE) * black_box(0.5);
        assert!(half() > 0.0);
        {
            let _guard = FlushDenormals::new();
            assert_eq!(half(), 0.0);
        }
        assert!(half() > 0.0, "the caller's mode is restored");
    }
}
