//! Several embedders as one: their templates side by side.
//!
//! Each part's unit vector is multiplied by the square root of its weight, so the cosine of two fused templates is the
//! weighted mean of the parts' cosines: score-level fusion (sum rule, ISO/IEC TR 24722), searched like any template.

use crate::{
    embed::Embedder,
    error::ModelError,
    image::Rgb,
    template::{ModelId, Template},
};

/// The embedder.
pub struct Fused {
    /// Each with its weight.
    parts: Vec<(f32, Box<dyn Embedder>)>,
    model: ModelId,
}

impl Fused {
    /// Of `parts`, each with its weight; weights are positive and sum to 1. Its model is theirs, joined by `+`.
    pub fn new(parts: Vec<(f32, Box<dyn Embedder>)>) -> Self {
        let models: Vec<_> = parts.iter().map(|(_, part)| part.model().0).collect();
        Self { parts, model: ModelId(models.join("+")) }
    }
}

impl Embedder for Fused {
    fn model(&self) -> ModelId {
        self.model.clone()
    }

    fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
        let mut joined = vec![Vec::new(); crops.len()];
        for (weight, part) in &mut self.parts {
            for (joined, template) in joined.iter_mut().zip(part.embed(crops)?) {
                joined.extend(template.vector().iter().map(|v| v * weight.sqrt()));
            }
        }
        joined
            .into_iter()
            .map(|vector| {
                Template::new(self.model.clone(), vector).map_err(|error| ModelError::Compute(error.to_string()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    /// Says the same vector of every crop of the same first value.
    struct Told(&'static str, fn(f32) -> Vec<f32>);

    impl Embedder for Told {
        fn model(&self) -> ModelId {
            ModelId(self.0.into())
        }

        fn embed(&mut self, crops: &[Rgb]) -> Result<Vec<Template>, ModelError> {
            let of = |crop: &Rgb| Template::new(self.model(), self.1(crop.data[0]));
            crops.iter().map(|crop| of(crop).map_err(|error| ModelError::Compute(error.to_string()))).collect()
        }
    }

    #[test]
    fn the_score_of_the_whole_is_the_weighted_mean_of_the_parts() {
        let crop = |v| Rgb { size: Size { width: 1, height: 1 }, data: vec![v; 3] };
        let parts: [fn(f32) -> Vec<f32>; 2] = [|v| vec![1.0, v], |v| vec![v, 2.0, 1.0]];
        let alone = |index: usize| {
            let two = Told("x", parts[index]).embed(&[crop(0.3), crop(-2.0)]).unwrap();
            two[0].compare(&two[1]).unwrap().0
        };
        let mut fused = Fused::new(vec![(0.6, Box::new(Told("a", parts[0]))), (0.4, Box::new(Told("b", parts[1])))]);
        let two = fused.embed(&[crop(0.3), crop(-2.0)]).unwrap();
        assert_eq!(two[0].model().0, "a+b");
        assert!((two[0].compare(&two[1]).unwrap().0 - (0.6 * alone(0) + 0.4 * alone(1))).abs() < 1e-6);
    }
}
