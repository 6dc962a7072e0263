//! A trial of a network before it is let in.
//!
//! The same picture through our own kernels and through stock operators: both must say the same. What comes out must be
//! what the rest of usher expects of such a network.

use crate::{
    align::SIDE,
    architecture::Imported,
    catalog,
    compute::{Choice, Compute},
    error::ModelError,
    forward::Network,
    image::{Rgb, Size},
    weights::{lock::Role, store::Stored},
};

/// What a detector is tried with: all strides fit.
const INPUT: Size = Size { width: 128, height: 96 };
/// Most that our kernels may differ, as a share of the greatest value: they compute some layers in sixteen bits.
const TOLERANCE: f32 = 0.02;
/// Two different pictures give templates that are less alike than this.
const ALIKE: f32 = 0.999_999;

/// How far both ways of computing are apart, as a share of the greatest value of an output; 0..=[`TOLERANCE`].
///
/// # Errors
/// In words, what is wrong with it.
pub(crate) fn tried(stored: &Stored, imported: &Imported) -> Result<f32, String> {
    let cpu = Compute::open(Choice::Cpu).map_err(told)?;
    let size = match catalog::role(imported.architecture) {
        Role::Detector => {
            let mut detector =
                catalog::detector_of(stored.clone(), imported.architecture, &cpu, INPUT, 0.5).map_err(told)?;
            detector.detect(&[picture(INPUT, 1)]).map_err(told)?;
            INPUT
        }
        Role::Embedder => {
            let size = Size { width: SIDE, height: SIDE };
            let mut embedder = catalog::embedder_of(stored.clone(), imported.architecture, &cpu).map_err(told)?;
            let templates = embedder.embed(&[picture(size, 1), picture(size, 2)]).map_err(told)?;
            let alike = templates[0].compare(&templates[1]).map_err(|error| error.to_string())?;
            if alike.0.is_nan() || alike.0 > ALIKE {
                return Err("it makes the same template of different pictures; the file is damaged".to_owned());
            }
            size
        }
        Role::Pad => {
            let mut liveness = catalog::liveness_of(stored.clone(), imported, &cpu).map_err(told)?;
            let side = liveness.crops()[0].side;
            let size = Size { width: side, height: side };
            let lives = liveness.judge(&[vec![picture(size, 1)], vec![picture(size, 2)]]).map_err(told)?;
            if !lives.iter().all(|live| (0.0..=1.0).contains(&live.0)) {
                return Err("what it says of a picture is no share".to_owned());
            }
            size
        }
    };
    apart(stored, &cpu, size)
}

/// The greatest difference between the two ways of computing.
fn apart(stored: &Stored, cpu: &Compute, size: Size) -> Result<f32, String> {
    let (height, width) = (size.height as usize, size.width as usize);
    // As networks see pictures that are scaled to −1..=1 about grey; those that take 0..=255 work on these as well.
    let data: Vec<f32> = picture(size, 3).data.iter().map(|v| v / 127.5 - 1.0).collect();
    let computed = |compute: &Compute| {
        Network::new(stored.clone(), compute)
            .and_then(|mut network| network.forward(&data, 1, height, width))
            .map_err(told)
    };
    let (ours, reference) = (computed(cpu)?, computed(&Compute::plain())?);
    let mut worst = 0f32;
    for (ours, reference) in ours.iter().zip(&reference) {
        if ours.shape != reference.shape {
            return Err(format!("it makes {:?} by our kernels and {:?} by others", ours.shape, reference.shape));
        }
        let most = reference.data.iter().fold(1e-6f32, |most, v| most.max(v.abs()));
        let apart = ours.data.iter().zip(&reference.data).map(|(a, b)| (a - b).abs() / most);
        // What is no number is no agreement.
        worst = apart.fold(worst, |worst, apart| if apart <= worst { worst } else { apart });
    }
    if worst <= TOLERANCE {
        Ok(worst)
    } else {
        Err(format!("our kernels and stock operators differ by {worst} on it; please report it with the file's origin"))
    }
}

/// A picture that is smooth as pictures are, always the same for a seed.
fn picture(size: Size, seed: u32) -> Rgb {
    let (mut state, mut value) = (seed.wrapping_mul(0x9e37_79b9) | 1, 128f32);
    let data = (0..3 * size.width as usize * size.height as usize)
        .map(|_| {
            // Marsaglia 2003.
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            value = (value + (state >> 8) as f32 / (1 << 24) as f32 * 60.0 - 30.0).clamp(0.0, 255.0);
            value
        })
        .collect();
    Rgb { size, data }
}

fn told(error: ModelError) -> String {
    match error {
        ModelError::Compute(why) => why,
        other => other.to_string(),
    }
}
