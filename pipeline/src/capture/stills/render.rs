//! Drawing of sprites straight into the planes of a frame.

use crate::capture::stills::sprite::Layer;

/// One plane that is drawn into.
pub(crate) struct Canvas<'a> {
    pub(crate) data: &'a mut [u8],
    pub(crate) stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Where a layer goes: its top left corner in pixels of the plane, and plane pixels per layer pixel.
#[derive(Clone, Copy)]
pub(crate) struct Placed {
    pub(crate) left: f32,
    pub(crate) top: f32,
    pub(crate) scale: f32,
}

/// A two-tap filter at one position: the first sample's index, and the second one's share of 256.
#[derive(Clone, Copy)]
struct Tap {
    first: usize,
    share: u32,
}

impl Canvas<'_> {
    /// Fills the plane with `backdrop`, which has no padding.
    pub(crate) fn fill(&mut self, backdrop: &[u8]) {
        for (line, under) in self.data.chunks_mut(self.stride).zip(backdrop.chunks_exact(self.width)) {
            line[..self.width].copy_from_slice(under);
        }
    }

    /// Lays `layer` over the plane, scaled bilinearly. What falls outside is left out.
    pub(crate) fn lay(&mut self, layer: &Layer, at: Placed) {
        let (columns, across) = taps(at.left, at.scale, layer.width, self.width);
        let (rows, down) = taps(at.top, at.scale, layer.height, self.height);
        let (mut samples, mut opacity) = (vec![0; layer.width], vec![0; layer.width]);
        for (row, tap) in rows.zip(&down) {
            mix_rows(&mut samples, &layer.samples, layer.width, *tap);
            mix_rows(&mut opacity, &layer.opacity, layer.width, *tap);
            let line = &mut self.data[row * self.stride..][columns.clone()];
            for (under, tap) in line.iter_mut().zip(&across) {
                let covers = mix(&opacity, *tap);
                if covers > 0 {
                    let shows = u32::from(*under) * (255 - covers);
                    // Division by 255, rounded, for values up to 255 * 255.
                    let shows = (shows + 128 + ((shows + 128) >> 8)) >> 8;
                    *under = (shows + mix(&samples, *tap)).min(255) as u8;
                }
            }
        }
    }
}

/// The row between two of a layer's rows. Shares are of 256, so a sum fits 16 bits.
fn mix_rows(row: &mut [u8], samples: &[u8], width: usize, tap: Tap) {
    let (above, below) = samples[tap.first * width..(tap.first + 2) * width].split_at(width);
    let (share, rest) = (tap.share as u16, 256 - tap.share as u16);
    for ((mixed, above), below) in row.iter_mut().zip(above).zip(below) {
        *mixed =
            ((u16::from(*above).wrapping_mul(rest)).wrapping_add(u16::from(*below).wrapping_mul(share)) >> 8) as u8;
    }
}

fn mix(row: &[u8], tap: Tap) -> u32 {
    let (first, second) = (u32::from(row[tap.first]), u32::from(row[tap.first + 1]));
    (first * (256 - tap.share) + second * tap.share) >> 8
}

/// The plane's positions that a layer of `length` covers in one direction, and the tap of each.
fn taps(start: f32, scale: f32, length: usize, limit: usize) -> (std::ops::Range<usize>, Vec<Tap>) {
    let from = start.max(0.0).ceil() as usize;
    let end = (start + length as f32 * scale).floor().clamp(0.0, limit as f32) as usize;
    let range = from.min(end)..end;
    let tap = |position: usize| {
        let at = ((position as f32 + 0.5 - start) / scale - 0.5).clamp(0.0, length as f32 - 1.001);
        Tap { first: (at as usize).min(length - 2), share: ((at - at.floor()) * 256.0) as u32 }
    };
    (range.clone(), range.map(tap).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_opaque_layer_replaces_and_a_clear_one_leaves_the_plane() {
        let layer = |opacity: u8, sample: u8| Layer {
            width: 8,
            height: 8,
            samples: vec![sample; 64],
            opacity: vec![opacity; 64],
        };
        let mut data = vec![50; 20 * 10];
        let mut canvas = Canvas { data: &mut data, stride: 20, width: 16, height: 10 };
        canvas.lay(&layer(0, 0), Placed { left: 2.0, top: 2.0, scale: 1.0 });
        canvas.lay(&layer(255, 200), Placed { left: 2.0, top: 2.0, scale: 0.5 });
        assert_eq!(data.iter().filter(|value| **value == 200).count(), 16);
        assert_eq!(data.iter().filter(|value| **value == 50).count(), 200 - 16);
    }

    #[test]
    fn a_layer_over_every_edge_is_cut_off_there() {
        let layer = Layer { width: 4, height: 4, samples: vec![9; 16], opacity: vec![255; 16] };
        let mut data = vec![0; 6 * 6];
        for (left, top) in [(-2.0, -2.0), (4.0, 4.0), (-50.0, 2.0), (2.0, 50.0), (-2.5, 4.5)] {
            Canvas { data: &mut data, stride: 6, width: 6, height: 6 }.lay(&layer, Placed { left, top, scale: 1.0 });
        }
        assert_eq!((data[0], data[35], data[14]), (9, 9, 0));
    }
}
