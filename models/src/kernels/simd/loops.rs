//! Plain loops, compiled for the baseline and for the widest registers.

#[cfg(target_arch = "x86_64")]
use crate::kernels::simd::avx2::Avx2;

/// Work whose loops gain from wide registers.
pub(crate) trait Lanes {
    /// What the work gives.
    type Output;
    /// Does the work. `FMA` says that a fused multiply-add is one instruction here; without it the call would be a
    /// library function, thirty times slower than a product and a sum. Mark implementations `#[inline(always)]`.
    fn run<const FMA: bool>(self) -> Self::Output;
}

/// `a * b + c`, in one rounding where that is one instruction.
#[inline(always)]
pub(crate) fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// Does `work` with the widest instructions that this machine has.
#[inline]
pub(crate) fn vectorised<W: Lanes>(work: W) -> W::Output {
    #[cfg(target_arch = "x86_64")]
    {
        if Avx2::found().is_some() {
            // SAFETY: the two features that `wide` is compiled for were just found on this machine.
            return unsafe { wide(work) };
        }
        work.run::<false>()
    }
    #[cfg(not(target_arch = "x86_64"))]
    work.run::<{ cfg!(target_arch = "aarch64") }>()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,f16c")]
fn wide<W: Lanes>(work: W) -> W::Output {
    work.run::<true>()
}
