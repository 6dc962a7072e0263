//! Several liveness networks as one: their mean.

use crate::{
    error::ModelError,
    image::Rgb,
    liveness::{Live, Liveness, crop::Crop},
};

/// The networks, each with crops of its own; one at least.
pub struct Mean(pub Vec<Box<dyn Liveness>>);

impl Liveness for Mean {
    fn crops(&self) -> Vec<Crop> {
        self.0.iter().flat_map(|part| part.crops()).collect()
    }

    fn judge(&mut self, faces: &[Vec<Rgb>]) -> Result<Vec<Live>, ModelError> {
        let (mut first, parts) = (0, self.0.len() as f32);
        let mut means = vec![Live(0.0); faces.len()];
        for part in &mut self.0 {
            let count = part.crops().len();
            let own: Option<Vec<Vec<Rgb>>> =
                faces.iter().map(|crops| Some(crops.get(first..first + count)?.to_vec())).collect();
            let own = own.ok_or_else(|| ModelError::Compute("fewer crops than the networks ask for".to_owned()))?;
            for (mean, live) in means.iter_mut().zip(part.judge(&own)?) {
                mean.0 += live.0 / parts;
            }
            first += count;
        }
        Ok(means)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::Size;

    /// Says the first number of its crop.
    struct First(u32);

    impl Liveness for First {
        fn crops(&self) -> Vec<Crop> {
            vec![Crop { side: self.0, scale: 1.0 }]
        }

        fn judge(&mut self, faces: &[Vec<Rgb>]) -> Result<Vec<Live>, ModelError> {
            Ok(faces.iter().map(|crops| Live(crops[0].data[0])).collect())
        }
    }

    #[test]
    fn every_network_gets_its_own_crop_and_counts_the_same() {
        let crop = |v| Rgb { size: Size { width: 1, height: 1 }, data: vec![v; 3] };
        let mut mean = Mean(vec![Box::new(First(80)), Box::new(First(128))]);
        assert_eq!(mean.crops().iter().map(|crop| crop.side).collect::<Vec<_>>(), [80, 128]);
        let lives = mean.judge(&[vec![crop(0.5), crop(1.0)], vec![crop(0.0), crop(0.5)]]).unwrap();
        assert_eq!(lives, [Live(0.75), Live(0.25)]);
        assert!(mean.judge(&[vec![crop(0.5)]]).is_err());
    }
}
