//! IResNet from its state dict.
//!
//! Deng et al.: *ArcFace*, 2019, in the form of `arcface_torch` of insightface (code MIT; most published weights are for
//! non-commercial research only). How many blocks a stage has is read off the tensors.

use crate::{
    import::{
        drawing::{Drawing, Moves},
        pth::States,
    },
    weights::onnx::Graph,
};

/// The graph; its output is one vector of any length.
///
/// # Errors
/// In words, when tensors are missing or left over.
pub(crate) fn drawn(states: States) -> Result<Graph, String> {
    let (mut net, mut x) = Drawing::new(states);
    let three = |stride| Moves { stride, pad: 1, depthwise: false };
    x = net.conv(&x, "conv1", three(1))?;
    x = net.norm(&x, "bn1")?;
    x = net.prelu(&x, "prelu")?;
    for stage in 1..=4 {
        for block in 0.. {
            let name = format!("layer{stage}.{block}");
            if !net.has(&format!("{name}.conv1.weight")) {
                break;
            }
            let stride = if block == 0 { 2 } else { 1 };
            let of = |what: &str| format!("{name}.{what}");
            let mut y = net.norm(&x, &of("bn1"))?;
            y = net.conv(&y, &of("conv1"), three(1))?;
            y = net.norm(&y, &of("bn2"))?;
            y = net.prelu(&y, &of("prelu"))?;
            y = net.conv(&y, &of("conv2"), three(stride))?;
            y = net.norm(&y, &of("bn3"))?;
            if net.has(&of("downsample.0.weight")) {
                x = net.conv(&x, &of("downsample.0"), Moves { stride, pad: 0, depthwise: false })?;
                x = net.norm(&x, &of("downsample.1"))?;
            }
            x = net.plain("Add", &[&y, &x]);
        }
    }
    x = net.norm(&x, "bn2")?;
    x = net.plain("Flatten", &[&x]);
    x = net.linear(&x, "fc")?;
    x = net.norm(&x, "features")?;
    net.finished(x)
}
