//! Which instruction set this machine has.

#[cfg(target_arch = "aarch64")]
use crate::kernels::simd::neon::Neon;
use crate::kernels::simd::{Simd as _, Work, portable::Portable};
#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::{avx2::Avx2, avx512::Avx512};

/// An instruction set that this machine has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Isa {
    /// x86-64 with AVX-512 and VNNI.
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512),
    /// x86-64 with AVX2, FMA and F16C.
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2),
    /// 64-bit ARM: every one has it.
    #[cfg(target_arch = "aarch64")]
    Neon(Neon),
    /// Any machine.
    Portable,
}

impl Isa {
    /// The best of this machine.
    pub(crate) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if let Some(avx512) = Avx512::found() {
            return Self::Avx512(avx512);
        } else if let Some(avx2) = Avx2::found() {
            return Self::Avx2(avx2);
        }
        #[cfg(target_arch = "aarch64")]
        return Self::Neon(Neon::here());
        #[cfg(not(target_arch = "aarch64"))]
        Self::Portable
    }

    /// All of this machine, the portable one last: what a test runs.
    #[cfg(test)]
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![Self::best()];
        // The one that AVX-512 is chosen before.
        #[cfg(target_arch = "x86_64")]
        if let (Self::Avx512(_), Some(avx2)) = (Self::best(), Avx2::found()) {
            all.push(Self::Avx2(avx2));
        }
        all.push(Self::Portable);
        all
    }

    /// Whether sixteen bits are multiplied at twice the rate of `f32`.
    pub(crate) fn has_fast_pairs(self) -> bool {
        match self {
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(_) => Avx512::HAS_FAST_PAIRS,
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(_) => Avx2::HAS_FAST_PAIRS,
            #[cfg(target_arch = "aarch64")]
            Self::Neon(_) => Neon::HAS_FAST_PAIRS,
            Self::Portable => Portable::HAS_FAST_PAIRS,
        }
    }

    /// Does `work` with these instructions.
    pub(crate) fn run<W: Work>(self, work: W) {
        match self {
            // SAFETY: an `Avx512` exists only where its features were found.
            #[cfg(target_arch = "x86_64")]
            Self::Avx512(avx512) => unsafe { run_avx512(work, avx512) },
            // SAFETY: an `Avx2` exists only where its features were found.
            #[cfg(target_arch = "x86_64")]
            Self::Avx2(avx2) => unsafe { run_avx2(work, avx2) },
            #[cfg(target_arch = "aarch64")]
            Self::Neon(neon) => work.run(neon),
            Self::Portable => work.run(Portable),
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma,f16c")]
fn run_avx512<W: Work>(work: W, avx512: Avx512) {
    work.run(avx512);
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn run_avx2<W: Work>(work: W, avx2: Avx2) {
    work.run(avx2);
}
