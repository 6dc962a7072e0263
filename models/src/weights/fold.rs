//! Arithmetic on constants: dequantising and folding.

use crate::weights::onnx::{Node, Tensor};

/// A constant as numbers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) data: Vec<f32>,
}

impl Array {
    pub(crate) fn of(tensor: &Tensor) -> Result<Self, String> {
        Ok(Self { shape: tensor.shape()?, data: tensor.numbers()? })
    }

    /// The same numbers in another shape; one -1 stands for the rest, 0 for the dimension as it is.
    pub(crate) fn reshaped(&self, wanted: &[f32]) -> Result<Self, String> {
        let refused = || format!("a constant of shape {:?} cannot become {wanted:?}", self.shape);
        let mut shape = Vec::with_capacity(wanted.len());
        for (index, dim) in wanted.iter().enumerate() {
            shape.push(match *dim {
                0.0 => *self.shape.get(index).ok_or_else(refused)?,
                dim if dim < 0.0 => {
                    let known: f32 = wanted.iter().filter(|dim| **dim > 0.0).product();
                    (self.data.len() as f32 / known.max(1.0)) as usize
                }
                dim => dim as usize,
            });
        }
        let elements = shape.iter().try_fold(1usize, |n, dim| n.checked_mul(*dim));
        if elements == Some(self.data.len()) { Ok(Self { shape, data: self.data.clone() }) } else { Err(refused()) }
    }
}

/// `(x − zero point) · scale`, the last two by blocks of `block_size` along `axis` (ONNX DequantizeLinear-21), by
/// index along it, or one for all.
pub(crate) fn dequantised(node: &Node, x: &Array, scale: &Array, zero: Option<&Array>) -> Result<Array, String> {
    let rank = x.shape.len() as i64;
    let axis = node.int("axis", 1);
    let axis = if axis < 0 { axis + rank } else { axis };
    let whole = scale.data.len() == 1;
    if zero.is_some_and(|zero| zero.data.len() != scale.data.len()) || (!whole && !(0..rank).contains(&axis)) {
        return Err(format!("quantised constant of shape {:?}, scales {:?}, axis {axis}", x.shape, scale.shape));
    }
    if whole {
        let zero = zero.map_or(0.0, |zero| zero.data[0]);
        return Ok(Array { shape: x.shape.clone(), data: x.data.iter().map(|v| (v - zero) * scale.data[0]).collect() });
    }
    let along = x.shape[axis as usize];
    let inner: usize = x.shape[axis as usize + 1..].iter().product();
    let block = usize::try_from(node.int("block_size", 0)).map_err(|_| "a negative block size".to_owned())?;
    // Without blocks there is one scale for each index along the axis, whatever the other dimensions.
    let (blocks, scales_inner) = if block == 0 { (along, 1) } else { (along.div_ceil(block), inner) };
    let outer = if block == 0 { 1 } else { x.shape[..axis as usize].iter().product() };
    if scale.data.len() != outer * blocks * scales_inner || along == 0 || inner == 0 {
        return Err(format!("quantised constant of shape {:?}, scales {:?}, blocks of {block}", x.shape, scale.shape));
    }
    let data = x.data.iter().enumerate().map(|(index, v)| {
        let (before, at, after) = (index / (along * inner), index / inner % along, index % inner);
        let place = at.checked_div(block).map_or(at, |nth| (before * blocks + nth) * inner + after);
        (v - zero.map_or(0.0, |zero| zero.data[place])) * scale.data[place]
    });
    Ok(Array { shape: x.shape.clone(), data: data.collect() })
}

/// `x · scale + shift` by channel, in f64 so that folding costs no digits.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Affine {
    pub(crate) scale: Vec<f64>,
    pub(crate) shift: Vec<f64>,
}

impl Affine {
    /// A batch norm at inference.
    pub(crate) fn of_norm(
        gamma: &[f32],
        beta: &[f32],
        mean: &[f32],
        variance: &[f32],
        epsilon: f32,
    ) -> Result<Self, String> {
        let n = gamma.len();
        if [beta.len(), mean.len(), variance.len()] != [n; 3] {
            return Err("a batch norm whose constants have different lengths".to_owned());
        }
        let scale: Vec<f64> =
            (0..n).map(|c| f64::from(gamma[c]) / (f64::from(variance[c]) + f64::from(epsilon)).sqrt()).collect();
        if !scale.iter().all(|scale| scale.is_finite()) {
            return Err("a batch norm with a variance that is not positive".to_owned());
        }
        let shift = (0..n).map(|c| f64::from(beta[c]) - f64::from(mean[c]) * scale[c]).collect();
        Ok(Self { scale, shift })
    }

    /// Into the layer before: rows of `weight` and `bias`, one row a channel.
    pub(crate) fn fold_after(&self, weight: &mut Array, bias: &mut Array) -> Result<(), String> {
        let n = bias.data.len();
        let Some((scale, shift)) = self.wide(n).filter(|_| n > 0 && weight.data.len().is_multiple_of(n)) else {
            return Err(format!("a norm of {} channels after a layer of {n}", self.scale.len()));
        };
        let row = weight.data.len() / n;
        for (c, (scale, shift)) in scale.zip(shift).enumerate() {
            for w in &mut weight.data[c * row..][..row] {
                *w = (f64::from(*w) * scale) as f32;
            }
            bias.data[c] = (f64::from(bias.data[c]) * scale + shift) as f32;
        }
        Ok(())
    }

    /// Into a layer after that adds no zeros around its input: a fully connected one, whose inputs are the flattened
    /// channels, or a convolution in `groups`.
    pub(crate) fn fold_before(&self, weight: &mut Array, bias: &mut Array, groups: usize) -> Result<(), String> {
        let outputs = bias.data.len();
        let refused = || format!("a norm of {} channels before a layer of {outputs}", self.scale.len());
        if outputs == 0 || groups == 0 || !weight.data.len().is_multiple_of(outputs) {
            return Err(refused());
        }
        let row = weight.data.len() / outputs;
        // How many channels a row sees, and how many weights it has for each: known by the norm, or by the shape.
        let seen = match (self.scale.len(), &weight.shape[..]) {
            (1, [_, seen, ..]) => *seen,
            (n, _) if n.is_multiple_of(groups) => n / groups,
            _ => return Err(refused()),
        };
        if seen == 0 || !row.is_multiple_of(seen) {
            return Err(refused());
        }
        let of = |values: &[f64], channel: usize| if values.len() == 1 { values[0] } else { values[channel] };
        for (o, bias) in bias.data.iter_mut().enumerate() {
            let first = o / outputs.div_ceil(groups) * seen;
            let mut moved = f64::from(*bias);
            for (i, w) in weight.data[o * row..][..row].iter_mut().enumerate() {
                let channel = first + i / (row / seen);
                moved += f64::from(*w) * of(&self.shift, channel);
                *w = (f64::from(*w) * of(&self.scale, channel)) as f32;
            }
            *bias = moved as f32;
        }
        Ok(())
    }

    /// This, and `then` after it. `None` where both are by channel and of different lengths.
    pub(crate) fn then(&self, then: &Self) -> Option<Self> {
        let n = self.scale.len().max(then.scale.len());
        let ((scale, shift), (by, plus)) = (self.wide(n)?, then.wide(n)?);
        let by: Vec<f64> = by.collect();
        let shift = shift.zip(&by).zip(plus).map(|((shift, by), plus)| shift * by + plus).collect();
        Some(Self { scale: scale.zip(&by).map(|(scale, by)| scale * by).collect(), shift })
    }

    /// Scale and shift of each of `n` channels, where there are as many or one for all.
    fn wide(&self, n: usize) -> Option<(impl Iterator<Item = f64> + '_, impl Iterator<Item = f64> + '_)> {
        let is_one = self.scale.len() == 1;
        let fits = (is_one || self.scale.len() == n) && self.shift.len() == self.scale.len();
        let at = move |values: &[f64], index: usize| values[if is_one { 0 } else { index }];
        fits.then(|| ((0..n).map(move |i| at(&self.scale, i)), (0..n).map(move |i| at(&self.shift, i))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::onnx::Attribute;

    fn node(axis: i64, block_size: i64) -> Node {
        let int = |name: &str, i| Attribute { name: name.into(), i, ..Attribute::default() };
        Node { attribute: vec![int("axis", axis), int("block_size", block_size)], ..Node::default() }
    }

    fn array(shape: &[usize], data: &[f32]) -> Array {
        Array { shape: shape.to_vec(), data: data.to_vec() }
    }

    #[test]
    fn blocks_have_their_own_scale_and_zero() {
        let x = array(&[2, 5], &[1., 2., 3., 4., 5., 6., 7., 8., 9., 10.]);
        let (scale, zero) = (array(&[2, 2], &[1., 10., 100., 1000.]), array(&[2, 2], &[0., 1., 0., 8.]));
        let got = dequantised(&node(1, 3), &x, &scale, Some(&zero)).unwrap();
        assert_eq!(got.data, [1., 2., 3., 30., 40., 600., 700., 800., 1000., 2000.]);
    }

    #[test]
    fn blocks_along_the_first_axis_keep_the_others_apart() {
        let x = array(&[4, 2], &[1.; 8]);
        let got = dequantised(&node(0, 2), &x, &array(&[2, 2], &[1., 2., 3., 4.]), None).unwrap();
        assert_eq!(got.data, [1., 2., 1., 2., 3., 4., 3., 4.]);
    }

    #[test]
    fn one_scale_an_index_or_one_for_all() {
        let x = array(&[2, 2], &[1., 2., 3., 4.]);
        assert_eq!(dequantised(&node(0, 0), &x, &array(&[2], &[1., 10.]), None).unwrap().data, [1., 2., 30., 40.]);
        assert_eq!(dequantised(&node(0, 0), &x, &array(&[], &[2.]), None).unwrap().data, [2., 4., 6., 8.]);
    }

    #[test]
    fn scales_that_do_not_fit_are_refused() {
        let x = array(&[2, 5], &[0.; 10]);
        assert!(dequantised(&node(1, 3), &x, &array(&[2, 3], &[1.; 6]), None).is_err());
        assert!(dequantised(&node(7, 3), &x, &array(&[2, 2], &[1.; 4]), None).is_err());
    }

    #[test]
    fn a_norm_folds_to_either_side() {
        let norm = Affine::of_norm(&[2.0, 1.0], &[1.0, -1.0], &[3.0, 0.0], &[4.0, 1.0], 0.0).unwrap();
        assert_eq!(norm, Affine { scale: vec![1.0, 1.0], shift: vec![-2.0, -1.0] });
        let norm = Affine { scale: vec![2.0, 3.0], shift: vec![5.0, 7.0] };
        let (mut weight, mut bias) = (array(&[2, 2], &[1., 2., 3., 4.]), array(&[2], &[1., 1.]));
        norm.fold_after(&mut weight, &mut bias).unwrap();
        assert_eq!((weight.data, bias.data), (vec![2., 4., 9., 12.], vec![7., 10.]));
        // One output, two channels of two pixels.
        let (mut weight, mut bias) = (array(&[1, 4], &[1., 2., 3., 4.]), array(&[1], &[1.]));
        norm.fold_before(&mut weight, &mut bias, 1).unwrap();
        assert_eq!((weight.data, bias.data), (vec![2., 4., 9., 12.], vec![1. + 3. * 5. + 7. * 7.]));
        // Two filters of two pixels, each of its own channel.
        let (mut weight, mut bias) = (array(&[2, 1, 2], &[1., 2., 3., 4.]), array(&[2], &[1., 0.]));
        norm.fold_before(&mut weight, &mut bias, 2).unwrap();
        assert_eq!((weight.data, bias.data), (vec![2., 4., 9., 12.], vec![1. + 3. * 5., 7. * 7.]));
        // One number for all channels.
        let one = Affine { scale: vec![2.0], shift: vec![1.0] };
        let (mut weight, mut bias) = (array(&[1, 2], &[1., 2.]), array(&[1], &[0.]));
        one.fold_before(&mut weight, &mut bias, 1).unwrap();
        assert_eq!((weight.data, bias.data), (vec![2., 4.], vec![3.]));
        assert_eq!(one.then(&norm), Some(Affine { scale: vec![4.0, 6.0], shift: vec![7.0, 10.0] }));
        assert_eq!(norm.then(&Affine { scale: vec![1.0; 3], shift: vec![0.0; 3] }), None);
    }
}
