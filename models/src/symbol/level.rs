//! One level of the pyramid.
//!
//! A finder pattern is looked for where its modules are [`MODULE_PX`] wide; closer passes are that small in a picture
//! of half the size, or a quarter. Grey levels are seen through a logarithm, in which a shadow's edge is a step of the
//! same height on paper and on ink: what is darker than its surroundings stays so on both sides of the edge.

/// Modules that one level is searched for, pixels. The next level is half as large, so that they overlap.
pub(crate) const MODULE_PX: [f32; 2] = [1.1, 5.5];
/// Side of a block, pixels: the nine around a pixel reach over a finder pattern of modules of three pixels.
const BLOCK: usize = 8;
/// Contrast (grey levels) that makes a block worth a look. Noise of σ 5 spreads 64 samples over 24; a shaded symbol
/// with modules of two pixels and a defocus of σ 0.9 spreads them over 35 and more.
const CONTRAST: u8 = 26;
/// Grey levels added before the logarithm is taken, so that noise in the dark stays noise.
const FLOOR: f32 = 16.0;

/// A picture at one size, with what is needed to tell dark from light in it.
#[derive(Default)]
pub(crate) struct Level {
    /// Pixels.
    pub(crate) width: usize,
    /// Pixels.
    pub(crate) height: usize,
    /// Grey levels, 0..=255, row by row.
    pub(crate) luma: Vec<u8>,
    /// Their logarithm, 0..=255.
    pub(crate) tone: Vec<u8>,
    /// Blocks in a row, and rows of them.
    blocks: [usize; 2],
    /// Mean tone around each block.
    mean: Vec<f32>,
    /// Whether each block has contrast around it.
    active: Vec<bool>,
    sums: Vec<u16>,
    least: Vec<u8>,
    most: Vec<u8>,
    columns: Vec<u16>,
    contrast: Vec<bool>,
}

/// Tone of each grey level.
pub(crate) fn tones() -> [u8; 256] {
    let whole = ((255.0 + FLOOR) / FLOOR).ln();
    std::array::from_fn(|v| (255.0 * ((v as f32 + FLOOR) / FLOOR).ln() / whole).round() as u8)
}

impl Level {
    /// Takes the picture in; `rows` gives rows of at least `width` samples. A block either way at least.
    pub(crate) fn fill<'a>(&mut self, width: usize, height: usize, rows: impl Iterator<Item = &'a [u8]>) {
        self.luma.clear();
        rows.take(height).for_each(|row| self.luma.extend_from_slice(&row[..width]));
        (self.width, self.height) = (width, height);
    }

    /// Takes the half of `finer` in: means of two by two pixels.
    pub(crate) fn halve(&mut self, finer: &Self) {
        let (width, height) = (finer.width / 2, finer.height / 2);
        self.luma.clear();
        for pair in finer.luma.chunks_exact(2 * finer.width.max(1)).take(height) {
            let (upper, lower) = pair.split_at(finer.width);
            let mean = |(a, b): (&[u8], &[u8])| {
                ((u16::from(a[0]) + u16::from(a[1]) + u16::from(b[0]) + u16::from(b[1]) + 2) / 4) as u8
            };
            self.luma.extend(upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(mean));
        }
        (self.width, self.height) = (width, height);
    }

    /// Tones, mean tones and contrast of what was taken in.
    pub(crate) fn prepare(&mut self, tones: &[u8; 256]) {
        self.tone.clear();
        self.tone.extend(self.luma.iter().map(|v| tones[usize::from(*v)]));
        let [across, down] = [self.width / BLOCK, self.height / BLOCK];
        self.blocks = [across, down];
        self.sums.clear();
        self.contrast.clear();
        // Down the columns first: that is one instruction for many of them.
        let wide = across * BLOCK;
        for by in 0..down {
            self.least.clear();
            self.least.resize(wide, u8::MAX);
            self.most.clear();
            self.most.resize(wide, 0);
            self.columns.clear();
            self.columns.resize(wide, 0);
            for y in by * BLOCK..(by + 1) * BLOCK {
                let row = y * self.width..y * self.width + wide;
                let (luma, tone) = (&self.luma[row.clone()], &self.tone[row]);
                self.least.iter_mut().zip(luma).for_each(|(least, v)| *least = (*least).min(*v));
                self.most.iter_mut().zip(luma).for_each(|(most, v)| *most = (*most).max(*v));
                self.columns.iter_mut().zip(tone).for_each(|(sum, t)| *sum += u16::from(*t));
            }
            self.sums.extend(self.columns.chunks_exact(BLOCK).map(|sums| sums.iter().sum::<u16>()));
            let (least, most) = (self.least.chunks_exact(BLOCK), self.most.chunks_exact(BLOCK));
            self.contrast.extend(least.zip(most).map(|(least, most)| {
                let (least, most) =
                    (least.iter().fold(u8::MAX, |a, b| a.min(*b)), most.iter().fold(0, |a: u8, b| a.max(*b)));
                most - least >= CONTRAST
            }));
        }
        self.smooth();
    }

    /// Means and contrast over three by three blocks.
    fn smooth(&mut self) {
        let [across, down] = self.blocks;
        self.mean.clear();
        self.active.clear();
        for by in 0..down {
            for bx in 0..across {
                let (mut sum, mut count, mut contrast) = (0.0, 0.0, 0);
                for y in by.saturating_sub(1)..(by + 2).min(down) {
                    for x in bx.saturating_sub(1)..(bx + 2).min(across) {
                        sum += f32::from(self.sums[y * across + x]);
                        count += (BLOCK * BLOCK) as f32;
                        contrast += usize::from(self.contrast[y * across + x]);
                    }
                }
                self.mean.push(sum / count);
                self.active.push(contrast >= 4);
            }
        }
    }

    /// Runs of pixels of row `y` that lie in blocks with contrast around them.
    pub(crate) fn spans(&self, y: usize) -> impl Iterator<Item = std::ops::Range<usize>> + '_ {
        let [across, down] = self.blocks;
        let row = if y / BLOCK < down { &self.active[y / BLOCK * across..][..across] } else { &[] };
        let mut at = 0;
        std::iter::from_fn(move || {
            at += row[at..].iter().position(|active| *active)?;
            let from = at;
            at += row[at..].iter().position(|active| !*active).unwrap_or(across - at);
            Some(from * BLOCK..if at == across { self.width } else { at * BLOCK })
        })
    }

    /// Mean tone around a pixel, interpolated between the middles of blocks.
    pub(crate) fn mean(&self, x: f32, y: f32) -> f32 {
        let [across, down] = self.blocks;
        let place = |v: f32, count: usize| {
            let v = ((v + 0.5) / BLOCK as f32 - 0.5).clamp(0.0, count.saturating_sub(1) as f32);
            let low = (v as usize).min(count.saturating_sub(2));
            (low, v - low as f32)
        };
        let ((bx, fx), (by, fy)) = (place(x, across), place(y, down));
        let row = |y: usize| {
            let at = y * across + bx;
            self.mean[at] * (1.0 - fx) + self.mean[(at + 1).min(y * across + across - 1)] * fx
        };
        row(by) * (1.0 - fy) + row((by + 1).min(down - 1)) * fy
    }

    /// Mean tones of row `y`, one a pixel from `from` on.
    pub(crate) fn means(&self, y: usize, from: usize, means: &mut [f32]) {
        let [across, down] = self.blocks;
        let low = ((y as f32 + 0.5) / BLOCK as f32 - 0.5).clamp(0.0, down.saturating_sub(1) as f32);
        let (row, share) = (low as usize, low.fract());
        let lower = (row + 1).min(down - 1);
        // In the middle of a block; beyond the first and the last it stays.
        let middle = |block: usize| {
            let block = block.clamp(1, across) - 1;
            self.mean[row * across + block] * (1.0 - share) + self.mean[lower * across + block] * share
        };
        let (mut x, end) = (from, from + means.len());
        let mut left = middle((from + BLOCK / 2) / BLOCK);
        while x < end {
            // Straight from the middle of one block to that of the next.
            let block = (x + BLOCK / 2) / BLOCK;
            let next = (block * BLOCK + BLOCK / 2).min(end);
            let right = middle(block + 1);
            let step = (right - left) / BLOCK as f32;
            let first = left + step * ((x + BLOCK / 2 - block * BLOCK) as f32 + 0.5);
            for (i, mean) in means[x - from..next - from].iter_mut().enumerate() {
                *mean = first + step * i as f32;
            }
            (x, left) = (next, right);
        }
    }

    /// Tone between pixels, bilinear; `None` outside the picture.
    #[inline]
    pub(crate) fn tone(&self, x: f32, y: f32) -> Option<f32> {
        if !(x >= 0.0 && y >= 0.0) {
            return None;
        }
        let (column, row) = (x as usize, y as usize);
        if column + 1 >= self.width || row + 1 >= self.height {
            return None;
        }
        let (fx, fy) = (x - column as f32, y - row as f32);
        let upper = &self.tone[row * self.width + column..][..2];
        let lower = &self.tone[(row + 1) * self.width + column..][..2];
        let along = |pair: &[u8]| f32::from(pair[0]) * (1.0 - fx) + f32::from(pair[1]) * fx;
        Some(along(upper) * (1.0 - fy) + along(lower) * fy)
    }
}
