//! MiniFASNet from its state dict.
//!
//! Minivision: *Silent-Face-Anti-Spoofing*, 2020 (Apache-2.0): MobileFaceNet with pruned widths. V1 and V2 differ in
//! widths only, and SE adds squeeze-and-excitation to the last block of each stage; both are read off the tensors.

use crate::{
    import::{
        drawing::{Drawing, Moves},
        pth::States,
    },
    weights::onnx::Graph,
};

/// A branch that only training uses.
const TRAINING: &str = "FTGenerator.";

const POINTWISE: Moves = Moves { stride: 1, pad: 0, depthwise: false };

/// The graph; its output is a number for each class, before the softmax.
///
/// # Errors
/// In words, when tensors are missing or left over.
pub(crate) fn drawn(mut states: States) -> Result<Graph, String> {
    states.retain(|name, _| !name.starts_with(TRAINING));
    if states.keys().all(|name| name.starts_with("model.")) {
        states = states.into_iter().map(|(name, array)| (name["model.".len()..].to_owned(), array)).collect();
    }
    let (mut net, mut x) = Drawing::new(states);
    x = bent(&mut net, &x, "conv1", Moves { stride: 2, pad: 1, depthwise: false })?;
    x = bent(&mut net, &x, "conv2_dw", Moves { stride: 1, pad: 1, depthwise: true })?;
    for (narrowing, stage) in [("conv_23", "conv_3"), ("conv_34", "conv_4"), ("conv_45", "conv_5")] {
        x = block(&mut net, &x, narrowing, 2)?;
        for index in 0.. {
            let name = format!("{stage}.model.{index}");
            if !net.has(&format!("{name}.conv.conv.weight")) {
                break;
            }
            let mut y = block(&mut net, &x, &name, 1)?;
            if net.has(&format!("{name}.se_module.fc1.weight")) {
                y = excited(&mut net, &y, &format!("{name}.se_module"))?;
            }
            x = net.plain("Add", &[&x, &y]);
        }
    }
    x = bent(&mut net, &x, "conv_6_sep", POINTWISE)?;
    x = net.conv(&x, "conv_6_dw.conv", Moves { depthwise: true, ..POINTWISE })?;
    x = net.norm(&x, "conv_6_dw.bn")?;
    x = net.plain("Flatten", &[&x]);
    x = net.linear(&x, "linear")?;
    x = net.norm(&x, "bn")?;
    x = net.linear(&x, "prob")?;
    net.finished(x)
}

/// Convolution, norm, PReLU.
fn bent(net: &mut Drawing, x: &str, name: &str, moves: Moves) -> Result<String, String> {
    let y = net.conv(x, &format!("{name}.conv"), moves)?;
    let y = net.norm(&y, &format!("{name}.bn"))?;
    net.prelu(&y, &format!("{name}.prelu"))
}

/// Wide, each channel by itself, narrow.
fn block(net: &mut Drawing, x: &str, name: &str, stride: i64) -> Result<String, String> {
    let y = bent(net, x, &format!("{name}.conv"), POINTWISE)?;
    let y = bent(net, &y, &format!("{name}.conv_dw"), Moves { stride, pad: 1, depthwise: true })?;
    let y = net.conv(&y, &format!("{name}.project.conv"), POINTWISE)?;
    net.norm(&y, &format!("{name}.project.bn"))
}

/// Squeeze-and-excitation.
fn excited(net: &mut Drawing, x: &str, name: &str) -> Result<String, String> {
    let mut y = net.plain("GlobalAveragePool", &[x]);
    y = net.conv(&y, &format!("{name}.fc1"), POINTWISE)?;
    y = net.norm(&y, &format!("{name}.bn1"))?;
    y = net.plain("Relu", &[&y]);
    y = net.conv(&y, &format!("{name}.fc2"), POINTWISE)?;
    y = net.norm(&y, &format!("{name}.bn2"))?;
    y = net.plain("Sigmoid", &[&y]);
    Ok(net.plain("Mul", &[x, &y]))
}
