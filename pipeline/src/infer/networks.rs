//! The configured networks, opened: for the gate and for enrolment.

use usher_config::{Config, decide, infer::Device};
use usher_models::{
    catalog,
    compute::{Choice, Compute},
    detect::Detector,
    embed::Embedder,
    error::ModelError,
    image::Size,
    liveness::Liveness,
};

/// A detector and an embedder.
pub type Networks = (Box<dyn Detector>, Box<dyn Embedder>);

/// Detector and embedder of section `infer`, checked and warm, from the data folder's `models`. `input`: what the
/// detector sees, both sides multiples of 32.
///
/// # Errors
/// When weights or device are not there, or not what they should be.
pub fn open(config: &Config, input: Size) -> Result<Networks, ModelError> {
    let infer = &config.infer;
    let compute = compute(infer.device)?;
    let weights = config.data.join("models");
    let detector = catalog::open_detector(&infer.detector, &weights, &compute, input, infer.confidence)?;
    Ok((detector, open_embedder(config, &infer.embedder)?))
}

/// The embedder of this name, on the configured device.
///
/// # Errors
/// As [`open`].
pub fn open_embedder(config: &Config, name: &str) -> Result<Box<dyn Embedder>, ModelError> {
    catalog::open_embedder(name, &config.data.join("models"), &compute(config.infer.device)?)
}

/// The detector alone, for the gate's input: for whoever looks at cameras and at nobody's template.
///
/// # Errors
/// As [`open`].
pub fn open_detector(config: &Config) -> Result<Box<dyn Detector>, ModelError> {
    let infer = &config.infer;
    let input = Size { width: infer.input.width, height: infer.input.height };
    catalog::open_detector(
        &infer.detector,
        &config.data.join("models"),
        &compute(infer.device)?,
        input,
        infer.confidence,
    )
}

/// The networks for presentation attack detection of section `infer`; `None` where no gate asks for them.
///
/// # Errors
/// As [`open`].
pub fn open_liveness(config: &Config) -> Result<Option<Box<dyn Liveness>>, ModelError> {
    if config.gates.values().all(|gate| gate.liveness == decide::Liveness::Off) {
        return Ok(None);
    }
    let infer = &config.infer;
    catalog::open_liveness(&infer.liveness, &config.data.join("models"), &compute(infer.device)?).map(Some)
}

/// The configured device, open.
///
/// # Errors
/// When it was asked for by number and is not there.
pub fn compute(device: Device) -> Result<Compute, ModelError> {
    Compute::open(match device {
        Device::Auto => Choice::Auto,
        Device::Cpu => Choice::Cpu,
        Device::Cuda(number) => Choice::Cuda(number),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use usher_config::infer::{DETECTORS, EMBEDDERS, LIVENESS};

    #[test]
    fn the_configuration_knows_the_networks_that_there_are() {
        assert!(DETECTORS.iter().eq(catalog::DETECTORS.iter().map(|(name, _)| name)));
        assert!(LIVENESS.iter().eq(catalog::LIVENESS.iter().map(|(name, _)| name)));
        assert!(EMBEDDERS.iter().eq(catalog::EMBEDDERS.iter().map(|(name, _)| name)));
    }
}
