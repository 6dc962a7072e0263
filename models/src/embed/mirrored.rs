//! An embedder that looks twice: at a crop and at its mirror image.

use crate::{
    embed::Embedder,
    error::ModelError,
    image::Rgb,
    template::{ModelId, Template},
};

/// The embedder: the mean of both templates, of the same model as either. Twice the work.
pub struct Mirrored(pub Box<dyn Embedder>);

impl Embedder for Mirrored {
    fn model(&self) -> ModelId {
        self.0.model()
    }

    fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
        let both: Vec<Rgb> = crops.iter().flat_map(|crop| [crop.clone(), crop.mirrored()]).collect();
        let templates = self.0.embed(&both)?;
        let mean = |pair: &[Template]| Template::mean(pair).map_err(|error| ModelError::Compute(error.to_string()));
        templates.chunks_exact(2).map(mean).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    /// Says the first row of a crop.
    struct FirstRow;

    impl Embedder for FirstRow {
        fn model(&self) -> ModelId {
            ModelId("m".into())
        }

        fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
            let of = |crop: &Rgb| Template::new(self.model(), crop.data[..3].to_vec());
            crops.iter().map(|crop| of(crop).map_err(|error| ModelError::Compute(error.to_string()))).collect()
        }
    }

    #[test]
    fn mirroring_twice_changes_nothing_and_once_exchanges_columns() {
        let size = Size { width: 3, height: 2 };
        let picture = Rgb { size, data: (0..18).map(|v| v as f32).collect() };
        assert_eq!(picture.mirrored().data[..6], [2.0, 1.0, 0.0, 5.0, 4.0, 3.0]);
        assert_eq!(picture.mirrored().mirrored(), picture);
    }

    #[test]
    fn a_face_and_its_mirror_image_are_one() {
        let crop = |row: [f32; 3]| Rgb { size: Size { width: 3, height: 1 }, data: row.repeat(3) };
        let made = Mirrored(Box::new(FirstRow)).embed(&[crop([3.0, 0.0, 4.0]), crop([4.0, 0.0, 3.0])]).unwrap();
        assert!((made[0].compare(&made[1]).unwrap().0 - 1.0).abs() < 1e-6);
        assert_eq!(made[0].model().0, "m");
    }
}
