//! 3×3 convolutions of stride 1 by Winograd's transforms: F(2×2, 3×3) and F(4×4, 3×3).
//!
//! The picture is cut into tiles of outputs. Each tile's inputs are transformed (`transform.rs`), multiplied point by point
//! with transformed weights, and transformed back: 16 products for 36, or 36 for 144. At each point that is a 1×1
//! convolution of tiles, which the register tile does like any other. Lots of tiles stay in the second-level cache between
//! the transforms where channels are few; where they are many, weights come from memory, and are read once for a lot.

use crate::kernels::{
    aligned::Aligned,
    blocks::blocks,
    dense::row,
    epilogue::Epilogue,
    simd::{LANES, Simd, Work},
    tile::{Panel, eight, eight_mut},
    transform::{Four, MOST, Points, TAPS, Two, filter, transformed},
};

/// Floats of a line of the cache. A point is an odd number of lines from the next: so a tile's numbers at all points, which
/// are written together, do not meet in one set of the cache.
const LINE: usize = 16;

/// Outputs of a tile in both directions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// 2×2: fewer weights than [`Self::Four`], more products.
    Two,
    /// 4×4.
    Four,
}

/// A 3×3 convolution of stride 1 and padding 1 with its weights transformed.
#[derive(Debug)]
pub(crate) struct Winograd {
    /// Blocks of input and output channels.
    deep: usize,
    wide: usize,
    form: Form,
    /// Bias and slope, a multiple of eight long.
    epilogue: Epilogue,
    /// Whether it has an activation.
    bends: bool,
    /// Point after point, in each panel after panel of sixteen output channels, perhaps a last one of eight:
    /// `(inputs, channels)`.
    weights: Aligned,
    /// Where the input blocks of a lot lie.
    taps: Vec<usize>,
}

impl Winograd {
    /// `weight` is `(outputs, inputs, 3, 3)`. `None` where it is of another length.
    pub(crate) fn new(weight: &[f32], inputs: usize, form: Form, epilogue: &Epilogue) -> Option<Self> {
        let outputs = epilogue.bias.len();
        if inputs == 0 || weight.len() != outputs * inputs * TAPS * TAPS {
            return None;
        }
        let (bends, epilogue) = (epilogue.bends(), epilogue.padded());
        let (deep, wide) = (blocks(inputs), epilogue.bias.len() / LANES);
        let mut weights = Aligned::zeros(form.points() * deep * wide * LANES * LANES);
        let of_point = deep * wide * LANES * LANES;
        for (index, taps) in weight.as_chunks::<{ TAPS * TAPS }>().0.iter().enumerate() {
            let (output, input) = (index / inputs, index % inputs);
            let panel = output / (2 * LANES);
            let channels = (wide - 2 * panel).min(2) * LANES;
            let at = panel * 2 * LANES * deep * LANES + input * channels + output % (2 * LANES);
            for (point, weight) in form.filter(taps).into_iter().enumerate().take(form.points()) {
                weights[point * of_point + at] = weight;
            }
        }
        let taps = (0..deep).map(|block| block * form.lot() * LANES).collect();
        Some(Self { deep, wide, form, epilogue, bends, weights, taps })
    }

    /// Floats from point to point of a lot before and after the products.
    fn apart(&self) -> [usize; 2] {
        [self.deep, self.wide].map(|blocks| (blocks * self.form.lot() * LANES).next_multiple_of(2 * LINE) + LINE)
    }

    /// Floats of room that it works in.
    pub(crate) fn room(&self) -> usize {
        self.apart().iter().sum::<usize>() * self.form.points()
    }
}

impl Form {
    /// Most tiles that are done together: whole register tiles. 24 of 4×4 and 64 channels are 436 KiB; from 16 to 128
    /// channels neither 12 nor 48 were faster. Of 2×2, which are for heavy weights, 48 were.
    fn lot(self) -> usize {
        match self {
            Self::Two => 48,
            Self::Four => 24,
        }
    }

    /// Products of a tile.
    fn points(self) -> usize {
        match self {
            Self::Two => Two::IN * Two::IN,
            Self::Four => Four::IN * Four::IN,
        }
    }

    /// A filter at all points, in double precision until the end.
    fn filter(self, taps: &[f32; TAPS * TAPS]) -> [f32; MOST * MOST] {
        match self {
            Self::Two => filter::<Two>(taps),
            Self::Four => filter::<Four>(taps),
        }
    }
}

/// A convolution of `pictures` pictures: `(blocks, pictures, height, width, 8)` to the same.
pub(crate) struct Tiled<'a> {
    pub(crate) op: &'a Winograd,
    pub(crate) input: &'a [f32],
    /// What each number is multiplied with by channel, and what is added then: the border stays zero.
    pub(crate) before: Option<(&'a [f32], &'a [f32])>,
    pub(crate) pictures: usize,
    /// Rows and columns of a picture.
    pub(crate) size: (usize, usize),
    /// As long as `out`, added before the activation.
    pub(crate) residual: Option<&'a [f32]>,
    /// As long as [`Winograd::room`] says.
    pub(crate) room: &'a mut [f32],
    pub(crate) out: &'a mut [f32],
}

impl Work for Tiled<'_> {
    #[inline(always)]
    fn run<S: Simd>(self, simd: S) {
        match self.op.form {
            Form::Two => self.tiles::<S, Two>(simd),
            Form::Four => self.tiles::<S, Four>(simd),
        }
    }
}

/// Where a tile's first output is: picture, row, column.
#[derive(Clone, Copy)]
struct Place {
    picture: usize,
    y: usize,
    x: usize,
}

impl Tiled<'_> {
    #[inline(always)]
    fn tiles<S: Simd, P: Points>(mut self, simd: S) {
        let (op, size) = (self.op, self.size);
        let (down, across) = (size.0.div_ceil(P::OUT), size.1.div_ceil(P::OUT));
        let tiles = self.pictures * down * across;
        let [before, after] = op.apart();
        let room = std::mem::take(&mut self.room);
        let (inputs, products) = room.split_at_mut(before * P::IN * P::IN);
        let place = |tile: usize| Place {
            picture: tile / (down * across),
            y: tile / across % down * P::OUT,
            x: tile % across * P::OUT,
        };
        // As equal as can be: each reads all weights.
        let lot = tiles.div_ceil(tiles.div_ceil(op.form.lot()).max(1)).max(1);
        for from in (0..tiles).step_by(lot) {
            let count = lot.min(tiles - from);
            for block in 0..op.deep {
                for tile in 0..count {
                    self.read::<S, P>(simd, block, place(from + tile), &mut inputs[self.at(block, tile)..], before);
                }
            }
            op.multiply::<S>(simd, inputs, products, count);
            for block in 0..op.wide {
                for tile in 0..count {
                    self.write::<S, P>(simd, block, place(from + tile), &products[self.at(block, tile)..], after);
                }
            }
        }
    }

    fn at(&self, block: usize, tile: usize) -> usize {
        (block * self.op.form.lot() + tile) * LANES
    }

    /// A tile's input at all points, `apart` floats from point to point.
    #[inline(always)]
    fn read<S: Simd, P: Points>(&self, simd: S, block: usize, at: Place, into: &mut [f32], apart: usize) {
        let (height, width) = self.size;
        let picture = (block * self.pictures + at.picture) * height;
        let inside = at.y > 0 && at.x > 0 && at.y + P::IN <= height + 1 && at.x + P::IN <= width + 1;
        if inside && self.before.is_none() {
            let first = ((picture + at.y - 1) * width + at.x - 1) * LANES;
            transformed::<S, P>(simd, &self.input[first..], width * LANES, into, apart);
            return;
        }
        let mut patch = [0.0; MOST * MOST * LANES];
        let line = P::IN * LANES;
        let (left, right) = (1usize.saturating_sub(at.x), (width + 1 - at.x).min(P::IN));
        for y in 1usize.saturating_sub(at.y)..(height + 1 - at.y).min(P::IN) {
            let first = ((picture + at.y + y - 1) * width + at.x + left - 1) * LANES;
            let from = &self.input[first..][..(right - left) * LANES];
            let row = &mut patch[y * line + left * LANES..][..(right - left) * LANES];
            match self.before {
                None => row.copy_from_slice(from),
                Some((scale, shift)) => {
                    let (scale, shift) = (simd.load(eight(scale, block)), simd.load(eight(shift, block)));
                    for x in 0..right - left {
                        simd.store(simd.mul_add(simd.load(eight(from, x)), scale, shift), eight_mut(row, x));
                    }
                }
            }
        }
        transformed::<S, P>(simd, &patch, line, into, apart);
    }

    /// A tile of outputs from its products.
    #[inline(always)]
    #[expect(clippy::needless_range_loop, reason = "a range of known length is unrolled")]
    fn write<S: Simd, P: Points>(&mut self, simd: S, block: usize, at: Place, products: &[f32], apart: usize) {
        let (height, width) = self.size;
        let op = self.op;
        let mut columns = [[simd.splat(0.0); MOST]; MOST];
        for x in 0..P::IN {
            let mut column = [simd.splat(0.0); MOST];
            for y in 0..P::IN {
                column[y] = simd.load(eight(&products[(y * P::IN + x) * apart..], 0));
            }
            columns[x] = P::output(simd, column);
        }
        let bias = simd.load(eight(&op.epilogue.bias, block));
        let slope = simd.load(eight(&op.epilogue.slope, block));
        let (rows, across) = ((height - at.y).min(P::OUT), (width - at.x).min(P::OUT));
        // Tiles at the edge leave early.
        for y in 0..P::OUT {
            if y >= rows {
                break;
            }
            let mut row = [simd.splat(0.0); MOST];
            for x in 0..P::IN {
                row[x] = columns[x][y];
            }
            let row = P::output(simd, row);
            let first = (((block * self.pictures + at.picture) * height + at.y + y) * width + at.x) * LANES;
            let out = &mut self.out[first..][..across * LANES];
            let residual = self.residual.map(|residual| &residual[first..][..across * LANES]);
            for x in 0..P::OUT {
                if x >= across {
                    break;
                }
                let mut made = simd.add(row[x], bias);
                if let Some(residual) = residual {
                    made = simd.add(made, simd.load(eight(residual, x)));
                }
                if op.bends {
                    made = simd.bend(made, slope);
                }
                simd.store(made, eight_mut(out, x));
            }
        }
    }
}

impl Winograd {
    /// Every point of `count` tiles times its weights.
    #[inline(always)]
    fn multiply<S: Simd>(&self, simd: S, inputs: &[f32], products: &mut [f32], count: usize) {
        let [before, after] = self.apart();
        let plane = self.form.lot() * LANES;
        let of_point = self.deep * self.wide * LANES * LANES;
        for point in 0..self.form.points() {
            let weights = &self.weights[point * of_point..][..of_point];
            for first in (0..self.wide).step_by(2) {
                let wide = (self.wide - first).min(2);
                let panel = Panel {
                    taps: &self.taps,
                    weight: &weights[first * LANES * self.deep * LANES..][..wide * LANES * self.deep * LANES],
                    bias: &[0.0; 2 * LANES],
                    slope: &[1.0; 2 * LANES],
                    is_first: true,
                    is_bent: false,
                };
                let out = &mut products[point * after + first * plane..];
                row::<S, 8, 8>(simd, &inputs[point * before..], panel, wide, out, plane, 0..count);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::{
        blocks::{Extent, Padded, from_blocks, pad_blocks, pad_scaled, to_blocks},
        dense::{Dense, Windowed},
        near, numbers,
        simd::isa::Isa,
    };
    use proptest::prelude::*;

    /// A layer and what it reads.
    struct Layer {
        weight: Vec<f32>,
        epilogue: Epilogue,
        input: Vec<f32>,
        before: Option<(Vec<f32>, Vec<f32>)>,
        residual: Option<Vec<f32>>,
        from: Extent,
        pictures: usize,
    }

    impl Layer {
        /// A third of `seed`s have no activation, a third ReLU.
        fn new((inputs, outputs): (usize, usize), (pictures, height, width): (usize, usize, usize), seed: u64) -> Self {
            let from = Extent { channels: inputs, height, width };
            let slope = match seed % 3 {
                0 => vec![1.0; outputs],
                1 => vec![0.0; outputs],
                _ => numbers(outputs, seed ^ 1),
            };
            let mut input = vec![0.0; from.floats(pictures)];
            to_blocks(&numbers(pictures * inputs * from.pixels(), seed ^ 2), from, pictures, &mut input);
            let (weight, bias) = (numbers(outputs * inputs * 9, seed ^ 3), numbers(outputs, seed ^ 4));
            let epilogue = Epilogue { bias, slope };
            Self { weight, epilogue, input, before: None, residual: None, from, pictures }
        }

        fn nothing(&self) -> Vec<f32> {
            vec![f32::NAN; Extent { channels: self.epilogue.bias.len(), ..self.from }.floats(self.pictures)]
        }

        fn by_transforms(&self, isa: Isa, form: Form) -> Vec<f32> {
            let op = &Winograd::new(&self.weight, self.from.channels, form, &self.epilogue).unwrap();
            // What another layer left in the room must not matter.
            let (mut out, mut room) = (self.nothing(), vec![f32::NAN; op.room()]);
            let before = self.before.as_ref().map(|(scale, shift)| (&scale[..], &shift[..]));
            let (size, residual) = ((self.from.height, self.from.width), self.residual.as_deref());
            let (input, pictures, room, into) = (&self.input[..], self.pictures, &mut room[..], &mut out[..]);
            isa.run(Tiled { op, input, before, pictures, size, residual, room, out: into });
            out
        }

        fn by_sums(&self) -> Vec<f32> {
            let op = &Dense::new(&self.weight, (self.from.channels, 3), (1, 1), &self.epilogue).unwrap();
            let made = (self.from.height, self.from.width);
            let (mut out, mut input) = (self.nothing(), Vec::new());
            match &self.before {
                Some((scale, shift)) => pad_scaled(&self.input, made, 1, (scale, shift), &mut input),
                None => pad_blocks(&self.input, made, 1, &mut input),
            }
            let padded = Padded { height: made.0 + 2, width: made.1 + 2 };
            let (input, pictures, residual) = (&input[..], self.pictures, self.residual.as_deref());
            Isa::best().run(Windowed { op, input, padded, pictures, made, residual, out: &mut out });
            out
        }
    }

    proptest! {
        #[test]
        fn transforms_make_what_sums_make(
            channels in (4usize..40, 1usize..40), size in (1usize..4, 1usize..22, 1usize..22),
            form in prop_oneof![Just(Form::Two), Just(Form::Four)], is_scaled in any::<bool>(), is_added in any::<bool>(),
            seed in any::<u64>()
        ) {
            let mut layer = Layer::new(channels, size, seed);
            let filled = |channels: usize| blocks(channels) * LANES;
            layer.before = is_scaled.then(|| [5, 6].map(|by| numbers(filled(channels.0), seed ^ by)).into());
            layer.residual = is_added.then(|| numbers(layer.nothing().len(), seed ^ 7));
            let wanted = layer.by_sums();
            for isa in Isa::all() {
                prop_assert!(near(&layer.by_transforms(isa, form), &wanted), "{isa:?}");
            }
        }
    }

    /// Who is greeted must not change by how a layer is computed: against double precision, the greatest error of either
    /// form is no greater than that of the sums of 2304 products in single precision, give or take a half.
    #[test]
    fn transforms_are_as_exact_as_sums() {
        let (inputs, outputs, side) = (256, 16, 13);
        let mut layer = Layer::new((inputs, outputs), (1, side, side), 0);
        layer.epilogue.bias.fill(0.0);
        let pixel = |channel: usize, y: usize, x: usize| {
            let inside = (1..=side).contains(&y) && (1..=side).contains(&x);
            let at = || (channel / LANES * side * side + (y - 1) * side + x - 1) * LANES + channel % LANES;
            if inside { f64::from(layer.input[at()]) } else { 0.0 }
        };
        let wanted: Vec<f64> = (0..outputs * side * side)
            .map(|at| {
                let (output, y, x) = (at / (side * side), at / side % side, at % side);
                let weight = |input: usize, tap: usize| f64::from(layer.weight[(output * inputs + input) * 9 + tap]);
                let taps = (0..inputs).flat_map(|input| (0..9).map(move |tap| (input, tap)));
                taps.map(|(input, tap)| weight(input, tap) * pixel(input, y + tap / 3, x + tap % 3)).sum()
            })
            .collect();
        let greatest = wanted.iter().fold(0f64, |most, v| most.max(v.abs()));
        let error = |made: &[f32]| {
            let plain = from_blocks(made, side * side, 1, (0, outputs));
            plain.iter().zip(&wanted).fold(0f64, |most, (a, b)| most.max((f64::from(*a) - b).abs())) / greatest
        };
        let sums = error(&layer.by_sums());
        let [two, four] = [Form::Two, Form::Four].map(|form| error(&layer.by_transforms(Isa::best(), form)));
        assert!(two <= sums && four <= 1.5 * sums && sums < 5e-6, "{two:e} {four:e} {sums:e}");
    }
}
