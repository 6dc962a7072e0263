//! Layers that follow each other, row by row.
//!
//! What a layer makes, the next one reads: kept as the two or three rows that it looks at, it never leaves the cache. One
//! layer after the other, all of them would wait for memory.

use crate::kernels::{
    blocks::blocks,
    dense::{Dense, row},
    depthwise::Depthwise,
    pairs::{Pairs, Pixels, Quantised},
    pool::halved_row,
    residual::begin,
    simd::{LANES, Simd, Work},
};

/// Colours of a picture.
const COLOURS: usize = 3;

/// A layer of a chain.
#[derive(Debug)]
pub(crate) enum Link {
    /// The caller's picture, scaled and shifted by colour, with a border of zeros of this width. Always the first, and
    /// followed by [`Link::Colours`].
    Picture { scale: [f32; COLOURS], shift: [f32; COLOURS], pad: usize },
    /// A 3×3 convolution of the picture, colour by colour.
    Colours(Dense),
    /// A 1×1 convolution.
    Mix(Dense),
    /// The same in whole numbers.
    Pairs(Pairs),
    /// A depthwise 3×3 convolution.
    Filter(Depthwise),
    /// The greatest of each 2×2.
    Halve,
}

impl Link {
    /// Rows and columns of what it makes; `None` where nothing is left.
    pub(crate) fn made(&self, (height, width): (usize, usize)) -> Option<(usize, usize)> {
        let made = match self {
            Self::Picture { pad, .. } => (height + 2 * pad, width + 2 * pad),
            Self::Colours(op) => (op.side_of_padded(height)?, op.side_of_padded(width)?),
            Self::Mix(_) | Self::Pairs(_) => (height, width),
            Self::Filter(op) => (op.side(height), op.side(width)),
            Self::Halve => (height / 2, width / 2),
        };
        (made.0 * made.1 > 0).then_some(made)
    }

    /// Input rows that an output row is made of, and how many of them lie above the picture for the first one.
    fn window(&self) -> (usize, usize) {
        match self {
            Self::Picture { .. } | Self::Mix(_) | Self::Pairs(_) => (1, 0),
            Self::Colours(op) => (op.kernel, 0),
            Self::Filter(_) => (3, 1),
            Self::Halve => (2, 0),
        }
    }

    /// Input rows from one output row to the next.
    fn stride(&self) -> usize {
        match self {
            Self::Picture { .. } | Self::Mix(_) | Self::Pairs(_) => 1,
            Self::Colours(op) => op.stride,
            Self::Filter(op) => op.stride,
            Self::Halve => 2,
        }
    }

    /// Floats of a row `width` columns wide that it makes of `deep` blocks, and how many blocks that are.
    fn row(&self, width: usize, deep: usize) -> (usize, usize) {
        match self {
            Self::Picture { .. } => (COLOURS * width, COLOURS),
            Self::Colours(op) | Self::Mix(op) => (op.blocks() * width * LANES, op.blocks()),
            Self::Pairs(op) => (op.blocks() * width * LANES, op.blocks()),
            Self::Filter(_) | Self::Halve => (deep * width * LANES, deep),
        }
    }
}

/// The links of `links` over a batch: `(blocks, pictures, height, width, 8)` to the same, or from `(pictures, 3, height,
/// width)` where the first is [`Link::Picture`].
pub(crate) struct Chained<'a> {
    pub(crate) links: &'a [Link],
    pub(crate) input: &'a [f32],
    pub(crate) pictures: usize,
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    /// Room for the rows between two links.
    pub(crate) kept: &'a mut Vec<f32>,
    pub(crate) quantised: &'a mut Quantised,
    /// As long as `out`, added before the activation of the last link, a [`Link::Mix`] or [`Link::Pairs`].
    pub(crate) residual: Option<&'a [f32]>,
    pub(crate) out: &'a mut [f32],
}

/// One link at work.
struct Stage<'a> {
    link: &'a Link,
    /// Rows and columns of what it reads and of what it makes.
    sizes: [(usize, usize); 2],
    /// Blocks that it reads.
    deep: usize,
    /// Where the blocks of a row that it reads lie, and those of one that it makes, counted from the row.
    apart: [usize; 2],
    /// Rows that are kept of what it makes, their length, and where they lie.
    kept: usize,
    row: usize,
    at: usize,
    /// Rows made.
    done: usize,
    taps: Vec<usize>,
}

impl Stage<'_> {
    /// Input rows that must be there for the next row.
    fn wants(&self) -> usize {
        let (window, above) = self.link.window();
        (self.done * self.link.stride() + window - above).min(self.sizes[0].0)
    }
}

impl Work for Chained<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        let Self { links, input, pictures, size, kept, quantised, residual, out } = self;
        let Some((mut stages, room)) = staged(links, size, pictures, input.len()) else { return };
        let widest = stages.iter().map(|stage| stage.sizes[0].1).max().unwrap_or(0) * LANES;
        // Behind the rows that are kept, one of zeros for what lies outside.
        kept.resize(kept.len().max(room + widest), 0.0);
        let (rows, nothing) = kept.split_at_mut(room);
        let nothing = &mut nothing[..widest];
        nothing.fill(0.0);
        let last = stages.len() - 1;
        for picture in 0..pictures {
            stages.iter_mut().for_each(|stage| stage.done = 0);
            let mut index = last;
            while stages[last].done < stages[last].sizes[1].0 {
                // A row of the last link, or of the first one before it that lacks rows for that.
                if index > 0 && stages[index - 1].done < stages[index].wants() {
                    index -= 1;
                    continue;
                }
                let (before, rest) = rows.split_at_mut(stages[index].at);
                let stage = &stages[index];
                let source = match index.checked_sub(1).map(|before| &stages[before]) {
                    Some(from) => Source { data: &before[from.at..], first: 0, row: from.row, kept: from.kept },
                    None => {
                        let (height, width) = stage.sizes[0];
                        let (of_picture, row) = match stage.link {
                            Link::Picture { .. } => (COLOURS * height * width, width),
                            _ => (height * width * LANES, width * LANES),
                        };
                        Source { data: input, first: picture * of_picture, row, kept: height }
                    }
                };
                let (into, residual) = if index == last {
                    let (height, width) = stage.sizes[1];
                    let row = (picture * height + stage.done) * width * LANES..;
                    (&mut out[row.clone()], residual.map(|residual| &residual[row]))
                } else {
                    (&mut rest[stage.done % stage.kept * stage.row..][..stage.row], None)
                };
                stage.next_row(simd, &source, nothing, residual, quantised, into);
                stages[index].done += 1;
                index = (index + 1).min(last);
            }
        }
    }
}

/// The links with their places, and the floats of all rows that are kept.
fn staged(links: &[Link], size: (usize, usize), pictures: usize, floats: usize) -> Option<(Vec<Stage<'_>>, usize)> {
    let plane = pictures * size.0 * size.1;
    let (mut deep, mut apart) = match links.first()? {
        Link::Picture { .. } => (COLOURS, size.0 * size.1),
        _ => (floats / (plane * LANES).max(1), plane * LANES),
    };
    let (mut stages, mut from, mut room) = (Vec::with_capacity(links.len()), size, 0);
    for (index, link) in links.iter().enumerate() {
        let made = link.made(from)?;
        let (row, blocks_made) = link.row(made.1, deep);
        let (kept, apart_made) = match links.get(index + 1) {
            Some(next) => (next.window().0, row / blocks_made),
            None => (0, pictures * made.0 * made.1 * LANES),
        };
        let taps = match link {
            Link::Mix(op) => (0..blocks(op.inputs)).map(|block| block * apart).collect(),
            _ => Vec::new(),
        };
        stages.push(Stage {
            link,
            sizes: [from, made],
            deep,
            apart: [apart, apart_made],
            kept,
            row,
            at: room,
            done: 0,
            taps,
        });
        room += kept * row;
        (deep, apart, from) = (blocks_made, apart_made, made);
    }
    Some((stages, room))
}

/// The rows that a link reads.
struct Source<'a> {
    data: &'a [f32],
    /// Where the picture's first row is.
    first: usize,
    /// From row to row.
    row: usize,
    /// Rows that there are; others overwrote those before.
    kept: usize,
}

impl Source<'_> {
    #[inline(always)]
    fn at(&self, y: usize) -> usize {
        self.first + y % self.kept * self.row
    }
}

impl Stage<'_> {
    /// The next row, into where it begins.
    #[inline(always)]
    fn next_row<S: Simd>(
        &self,
        simd: S,
        source: &Source<'_>,
        nothing: &[f32],
        residual: Option<&[f32]>,
        quantised: &mut Quantised,
        into: &mut [f32],
    ) {
        let y = self.done;
        let [(height, width), (_, columns)] = self.sizes;
        let [apart, apart_made] = self.apart;
        match self.link {
            Link::Picture { scale, shift, pad } => {
                for (colour, line) in into.chunks_exact_mut(columns).enumerate() {
                    let Some(y) = y.checked_sub(*pad).filter(|y| *y < height) else {
                        line.fill(0.0);
                        continue;
                    };
                    let (left, rest) = line.split_at_mut(*pad);
                    let (inside, right) = rest.split_at_mut(width);
                    left.fill(0.0);
                    right.fill(0.0);
                    let (scale, shift) = (scale[colour], shift[colour]);
                    let from = &source.data[source.at(y) + colour * apart..][..width];
                    for (into, v) in inside.iter_mut().zip(from) {
                        *into = v * scale + shift;
                    }
                }
            }
            Link::Colours(op) => {
                let mut taps = [0; COLOURS * 9];
                for (index, tap) in taps.iter_mut().enumerate() {
                    let (colour, ky, kx) = (index / 9, index / 3 % 3, index % 3);
                    *tap = source.at(y * op.stride + ky) + colour * apart + kx;
                }
                for (block, wide, weight) in op.panels() {
                    let panel = op.panel(block, wide, &taps, weight, (true, true));
                    let into = &mut into[block * apart_made..];
                    if op.stride == 1 {
                        row::<S, 1, 1>(simd, source.data, panel, wide, into, apart_made, 0..columns);
                    } else {
                        row::<S, 2, 1>(simd, source.data, panel, wide, into, apart_made, 0..columns);
                    }
                }
            }
            Link::Mix(op) => {
                let from = &source.data[source.at(y)..];
                for (block, wide, weight) in op.panels() {
                    if let Some(residual) = residual {
                        let lot = block * apart_made..;
                        let (residual, into) = (&residual[lot.clone()], &mut into[lot]);
                        begin(simd, op.bias(block, wide), residual, into, apart_made, 0..columns);
                    }
                    let panel = op.panel(block, wide, &self.taps, weight, (residual.is_none(), true));
                    row::<S, 8, 8>(simd, from, panel, wide, &mut into[block * apart_made..], apart_made, 0..columns);
                }
            }
            Link::Pairs(op) => {
                let pixels = Pixels { data: &source.data[source.at(y)..], apart, count: width };
                op.run(simd, pixels, residual, quantised, (into, apart_made));
            }
            Link::Filter(op) => {
                let middle = y * op.stride;
                for block in 0..self.deep {
                    let seen = |y: Option<usize>| match y.filter(|y| *y < height) {
                        Some(y) => &source.data[source.at(y) + block * apart..][..width * LANES],
                        None => &nothing[..width * LANES],
                    };
                    let lines = [seen(middle.checked_sub(1)), seen(Some(middle)), seen(Some(middle + 1))];
                    op.row(simd, block, lines, &mut into[block * apart_made..][..columns * LANES]);
                }
            }
            Link::Halve => {
                for block in 0..self.deep {
                    let seen = |y: usize| &source.data[source.at(y) + block * apart..][..width * LANES];
                    let into = &mut into[block * apart_made..][..columns * LANES];
                    halved_row(simd, [seen(2 * y), seen(2 * y + 1)], into);
                }
            }
        }
    }
}
