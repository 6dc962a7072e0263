//! Eight numbers as an array: any machine, and the twin of the others in tests.

use crate::kernels::simd::{Eight, LANES, RUN, Simd, wide::Apart};

/// Arrays, as any machine has them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Portable;

impl Eight for Portable {
    type F = [f32; LANES];
    type Bytes = [i8; RUN * LANES];
    type Sums = [i32; LANES];
    type I = [i32; LANES];
    #[inline(always)]
    fn splat(self, v: f32) -> Self::F {
        [v; LANES]
    }
    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> Self::F {
        *from
    }
    #[inline(always)]
    fn widen(self, from: &[u16; LANES]) -> Self::F {
        from.map(|bits| half::f16::from_bits(bits).to_f32())
    }
    #[inline(always)]
    fn store(self, v: Self::F, into: &mut [f32; LANES]) {
        *into = v;
    }
    #[inline(always)]
    fn mul_add(self, a: Self::F, b: Self::F, c: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] * b[i] + c[i])
    }
    #[inline(always)]
    fn add(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i] + b[i])
    }
    #[inline(always)]
    fn max(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i].max(b[i]))
    }
    #[inline(always)]
    fn bend(self, v: Self::F, slope: Self::F) -> Self::F {
        std::array::from_fn(|i| if v[i] > 0.0 { v[i] } else { v[i] * slope[i] })
    }
    #[inline(always)]
    fn over(self, v: Self::F, least: Self::F) -> u8 {
        (0..LANES).fold(0, |bits, i| bits | u8::from(v[i] > least[i]) << i)
    }
    #[inline(always)]
    fn bytes(self, from: &[i8; RUN * LANES]) -> Self::Bytes {
        *from
    }
    #[inline(always)]
    fn prefetch(self, _from: &[i8; RUN * LANES], _ahead: usize) {
        // No instruction that any machine has.
    }
    #[inline(always)]
    fn begin(self, _total: i32) -> Self::Sums {
        [0; LANES]
    }
    #[inline(always)]
    fn finish(self, sums: Self::Sums) -> Self::F {
        sums.map(|sum| sum as f32)
    }
    #[inline(always)]
    fn min(self, a: Self::F, b: Self::F) -> Self::F {
        std::array::from_fn(|i| a[i].min(b[i]))
    }
    #[inline(always)]
    fn float(self, v: Self::I) -> Self::F {
        v.map(|v| v as f32)
    }
    #[inline(always)]
    fn add_whole(self, a: Self::I, b: Self::I) -> Self::I {
        std::array::from_fn(|i| a[i].wrapping_add(b[i]))
    }
    #[inline(always)]
    fn splat_whole(self, v: i32) -> Self::I {
        [v; LANES]
    }
    #[inline(always)]
    fn load_whole(self, from: &[i32; LANES]) -> Self::I {
        *from
    }
    #[inline(always)]
    fn sum(self, v: Self::F) -> f32 {
        v.iter().sum()
    }
    #[inline(always)]
    fn narrow(self, v: Self::F, times: Self::F, into: &mut [i32; LANES / 2]) {
        let whole = |i: usize| i32::from((v[i] * times[i]).round_ties_even() as i16);
        *into = std::array::from_fn(|i| whole(2 * i) & 0xffff | whole(2 * i + 1) << 16);
    }
    #[inline(always)]
    fn add_neighbours(self, a: Self::I, b: Self::I) -> Self::I {
        let pair = |v: Self::I, at: usize| v[at].wrapping_add(v[at + 1]);
        std::array::from_fn(|i| pair(if i & 2 == 0 { a } else { b }, (i & 4) + 2 * (i & 1)))
    }
    #[inline(always)]
    fn products(self, row: &[i16], starts: [u32; 2], picks: &[u8; 4 * LANES], weights: &[i16; 2 * LANES]) -> Self::I {
        let Some(last) = row.len().checked_sub(LANES) else { return [0; LANES] };
        let windows = starts.map(|start| &row[(start as usize).min(last)..]);
        let byte =
            |half: usize, pick: u8| windows[half][usize::from(pick & 15) / 2].to_le_bytes()[usize::from(pick & 1)];
        let number = |at: usize| {
            let half = at / LANES;
            i32::from(i16::from_le_bytes([byte(half, picks[2 * at]), byte(half, picks[2 * at + 1])]))
        };
        std::array::from_fn(|i| [2 * i, 2 * i + 1].map(|at| number(at) * i32::from(weights[at])).iter().sum())
    }
    #[inline(always)]
    fn whole(self, v: Self::F) -> Self::I {
        v.map(|v| v as i32)
    }
    #[inline(always)]
    fn times_add(self, a: Self::I, times: i32, b: Self::I) -> Self::I {
        std::array::from_fn(|i| a[i].wrapping_mul(times).wrapping_add(b[i]))
    }
    #[inline(always)]
    fn field<const SHIFT: i32>(self, v: Self::I, mask: i32) -> Self::F {
        v.map(|v| ((v.cast_unsigned() >> SHIFT).cast_signed() & mask) as f32)
    }
    #[inline(always)]
    fn gather(self, from: &[u8], at: Self::I) -> Self::I {
        let byte = |at: u32, i: usize| from.get(at as usize + i).copied().unwrap_or(0);
        at.map(|at| i32::from_le_bytes(std::array::from_fn(|i| byte(at.cast_unsigned(), i))))
    }
    #[inline(always)]
    fn gather_two(self, from: &[u8], at: Self::I) -> [Self::I; 2] {
        let mut found = [[0; LANES]; 2];
        for (lane, at) in at.into_iter().enumerate() {
            if let Some(eight) = from.get(at.cast_unsigned() as usize..).and_then(|rest| rest.first_chunk::<8>()) {
                let [a, b, c, d, e, f, g, h] = *eight;
                (found[0][lane], found[1][lane]) = (i32::from_le_bytes([a, b, c, d]), i32::from_le_bytes([e, f, g, h]));
            }
        }
        found
    }
}

impl Simd for Portable {
    type Two = Apart;
    const PIXELS: usize = 6;
    const HAS_FAST_PAIRS: bool = false;
    #[inline(always)]
    fn add_products(self, rows: Self::Bytes, probe: &[i8; RUN], sums: Self::Sums) -> Self::Sums {
        std::array::from_fn(|i| {
            (0..RUN).fold(sums[i], |sum, j| sum + i32::from(rows[i * RUN + j]) * i32::from(probe[j]))
        })
    }
    #[inline(always)]
    fn add_pairs(self, a: Self::I, b: Self::I, sum: Self::I) -> Self::I {
        let halves = |v: i32| [i32::from(v as i16), v >> 16];
        let product = |[a, c]: [i32; 2], [b, d]: [i32; 2]| (a * b).wrapping_add(c * d);
        std::array::from_fn(|i| sum[i].wrapping_add(product(halves(a[i]), halves(b[i]))))
    }
}
