//! The part of a picture that liveness is judged by.

use crate::{
    image::{Rect, Rgb, Size, View},
    kernels::scale::Scaling,
};

/// A square crop around a face.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crop {
    /// Its side in pixels.
    pub side: u32,
    /// How much of the picture it shows, in lengths of the face's box in either direction.
    pub scale: f32,
}

impl Crop {
    /// The crop around `face` (frame pixels).
    ///
    /// As these networks were trained: where the region would leave the picture it is made smaller, then shifted inside;
    /// it is stretched to a square by interpolating between the nearest pixels only, since what betrays a screen or print
    /// is in the fine structure that averaging takes away.
    pub fn of(&self, view: &View<'_>, face: &Rect) -> Rgb {
        let (x, width) = inside(face.x, face.width, self.scale_in(view, face), view.size.width);
        let (y, height) = inside(face.y, face.height, self.scale_in(view, face), view.size.height);
        let side = self.side as usize;
        let mut data = vec![0.0; 3 * side * side];
        // At its own size, so that rows are converted and not scaled.
        let region = Rect { x: x as f32 - 0.5, y: y as f32 - 0.5, width: width as f32, height: height as f32 };
        let mut scaling = Scaling::new(view, region, Size { width, height });
        let columns = Taps::all(self.side, width);
        let (mut kept, mut rows) = ([usize::MAX; 2], [(); 2].map(|()| [(); 3].map(|()| vec![0.0; width as usize])));
        for (line, tap) in Taps::all(self.side, height).into_iter().enumerate() {
            for (which, wanted) in [tap.first, tap.second].into_iter().enumerate() {
                if kept[which] != wanted {
                    scaling.row(wanted, rows[which].each_mut().map(Vec::as_mut_slice));
                    kept[which] = wanted;
                }
            }
            for channel in 0..3 {
                let (above, below) = (&rows[0][channel], &rows[1][channel]);
                let across = |row: &[f32], at: &Taps| row[at.first] + (row[at.second] - row[at.first]) * at.share;
                let out = &mut data[(channel * side + line) * side..][..side];
                for (out, at) in out.iter_mut().zip(&columns) {
                    let (above, below) = (across(above, at), across(below, at));
                    *out = above + (below - above) * tap.share;
                }
            }
        }
        Rgb { size: Size { width: self.side, height: self.side }, data }
    }

    /// The scale at which the region still fits into the picture.
    fn scale_in(&self, view: &View<'_>, face: &Rect) -> f32 {
        let most = |picture: u32, face: f32| (picture as f32 - 1.0).max(1.0) / face.max(1.0);
        self.scale.min(most(view.size.width, face.width)).min(most(view.size.height, face.height))
    }
}

/// First pixel and number of pixels of a region of `length · scale` about the middle, shifted into `0..most`.
fn inside(from: f32, length: f32, scale: f32, most: u32) -> (u32, u32) {
    let wanted = (length * scale).max(1.0);
    let first = (from + (length - wanted) / 2.0).min(most as f32 - wanted).max(0.0);
    let last = (first + wanted).min(most as f32) as u32;
    let first = (first as u32).min(most.saturating_sub(1));
    (first, last.saturating_sub(first).max(1))
}

/// Which two pixels a pixel of the crop lies between, and how near to the second.
struct Taps {
    first: usize,
    second: usize,
    share: f32,
}

impl Taps {
    /// Of every pixel of `into` over `from` pixels; about the pixels' outer corners, the nearest repeated at the edges.
    fn all(into: u32, from: u32) -> Vec<Self> {
        let (step, last) = (from as f32 / into.max(1) as f32, from as usize - 1);
        let tap = |index: u32| {
            let at = ((index as f32 + 0.5) * step - 0.5).clamp(0.0, last as f32);
            let first = at as usize;
            Self { first, second: (first + 1).min(last), share: at - first as f32 }
        };
        (0..into).map(tap).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{Matrix, Plane, Planes, Range};

    /// A picture whose red is the column and whose green is the row.
    fn picture(size: Size) -> Vec<u8> {
        (0..size.height).flat_map(|y| (0..size.width).flat_map(move |x| [x as u8, y as u8, 7])).collect()
    }

    fn view(data: &[u8], size: Size) -> View<'_> {
        let planes = Planes::Rgb(Plane { data, stride: 3 * size.width as usize });
        View { size, planes, matrix: Matrix::Bt601, range: Range::Full }
    }

    fn ends(crop: &Rgb) -> [f32; 4] {
        let (side, last) = (crop.size.width as usize, crop.data.len() / 3 - 1);
        [crop.data[0], crop.data[side - 1], crop.data[last + 1], crop.data[2 * last + 1]]
    }

    #[test]
    fn a_crop_shows_so_many_boxes_around_the_middle_of_the_face() {
        let size = Size { width: 200, height: 120 };
        let data = picture(size);
        let face = Rect { x: 90.0, y: 50.0, width: 20.0, height: 20.0 };
        let crop = Crop { side: 40, scale: 2.0 }.of(&view(&data, size), &face);
        assert_eq!(ends(&crop), [80.0, 119.0, 40.0, 79.0]);
        assert_eq!(crop.data[3 * 1600 - 1], 7.0);
        let half = Crop { side: 20, scale: 2.0 }.of(&view(&data, size), &face);
        assert_eq!(ends(&half), [80.5, 118.5, 40.5, 78.5], "between the nearest pixels");
    }

    #[test]
    fn at_the_edge_it_is_shifted_inside_and_made_smaller_only_where_it_must() {
        let size = Size { width: 200, height: 120 };
        let data = picture(size);
        let face = Rect { x: 185.0, y: -5.0, width: 20.0, height: 20.0 };
        let crop = Crop { side: 40, scale: 2.0 }.of(&view(&data, size), &face);
        assert_eq!(ends(&crop), [160.0, 199.0, 0.0, 39.0]);
        let large = Rect { x: 40.0, y: 10.0, width: 80.0, height: 100.0 };
        let crop = Crop { side: 119, scale: 4.0 }.of(&view(&data, size), &large);
        let [left, right, top, bottom] = ends(&crop);
        assert!(top == 0.0 && bottom == 118.0 && left > 30.0 && right < 130.0, "{left} {right} {top} {bottom}");
    }

    #[test]
    fn no_rectangle_makes_it_panic() {
        let size = Size { width: 33, height: 17 };
        let data = picture(size);
        let wild = [-1e9, -3.5, 0.0, 16.9, 1e9, f32::NAN, f32::INFINITY];
        for x in wild {
            for width in wild {
                let face = Rect { x, y: width, width, height: x };
                let crop = Crop { side: 8, scale: 2.7 }.of(&view(&data, size), &face);
                assert_eq!(crop.data.len(), 192, "{face:?}");
            }
        }
    }
}
