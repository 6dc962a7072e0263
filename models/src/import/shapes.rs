//! The shapes that an architecture has.
//!
//! A file says what it computes, and a name on the command line what it is said to be. Where the two differ, pictures
//! would be scaled or outputs read in a way that the weights were not made for, and nobody would notice.

use crate::{
    architecture::Architecture, embed::vectors::length_of, liveness::minifasnet::side_of, net::Step,
    weights::store::Stored,
};

/// Channels of IResNet's first stage; each other has twice those of the one before.
const CHANNELS: usize = 64;
/// Pixels that IResNet leaves of 112×112.
const LEFT: usize = 7 * 7;

/// Outputs, inputs and side of a filter, its stride, and whether each channel is by itself.
type Shape = (usize, usize, usize, usize, bool);

/// Whether a network is what it is said to be.
///
/// # Errors
/// In words, where it is not.
pub(crate) fn check(stored: &Stored, architecture: Architecture) -> Result<(), String> {
    if let Some((name, _)) = stored.tensors.iter().find(|(_, (_, data))| !data.iter().all(|v| v.is_finite())) {
        return Err(format!("tensor {name} holds values that are no numbers; the file is damaged, fetch it again"));
    }
    if stored.description.channels != 3 {
        return Err(format!("it takes pictures of {} channels, not 3", stored.description.channels));
    }
    let shapes = shapes(stored)?;
    match architecture {
        Architecture::Iresnet50 => iresnet(stored, shapes, [3, 4, 14, 3]),
        Architecture::Iresnet100 => iresnet(stored, shapes, [3, 13, 30, 3]),
        Architecture::Mobilefacenet => mobilefacenet(stored, &shapes),
        Architecture::Scrfd => outputs(stored, 9, "three of scores, three of boxes and three of landmarks"),
        Architecture::Yunet => outputs(stored, 12, "three each of classes, objects, boxes and landmarks"),
        Architecture::Minifasnet => minifasnet(stored, &shapes),
    }
}

/// The filters of every convolution, in the order in which they are computed.
fn shapes(stored: &Stored) -> Result<Vec<Shape>, String> {
    let mut shapes = Vec::new();
    for step in &stored.description.steps {
        let Step::Conv { weight, stride, groups, .. } = step else { continue };
        match stored.tensors.get(weight).map(|(shape, _)| &shape[..]) {
            Some([outputs, inputs, side, _]) => shapes.push((*outputs, *inputs, *side, *stride, *groups > 1)),
            other => return Err(format!("a convolution of shape {other:?}")),
        }
    }
    Ok(shapes)
}

fn iresnet(stored: &Stored, mut shapes: Vec<Shape>, blocks: [usize; 4]) -> Result<(), String> {
    let mut wanted = vec![(CHANNELS, 3, 3, 1, false)];
    let mut inputs = CHANNELS;
    for (stage, blocks) in blocks.into_iter().enumerate() {
        let outputs = CHANNELS << stage;
        for block in 0..blocks {
            let stride = if block == 0 { 2 } else { 1 };
            wanted.push((outputs, inputs, 3, 1, false));
            wanted.push((outputs, outputs, 3, stride, false));
            if block == 0 {
                wanted.push((outputs, inputs, 1, 2, false));
            }
            inputs = outputs;
        }
    }
    if shapes.len() != wanted.len() {
        return Err(format!("it has {} convolutions where that has {}", shapes.len(), wanted.len()));
    }
    // Exporters write a shortcut before its block or after.
    shapes.sort_unstable();
    wanted.sort_unstable();
    if let Some((found, wanted)) = shapes.iter().zip(&wanted).find(|(found, wanted)| found != wanted) {
        return Err(format!("it has a filter {} where that has {}", told(*found), told(*wanted)));
    }
    let last = stored.description.steps.iter().rev().find_map(|step| match step {
        Step::Linear { weight, .. } => Some(&stored.tensors.get(weight)?.0[..]),
        _ => None,
    });
    let wanted = [512, inputs * LEFT];
    if last != Some(&wanted) || length_of(stored) != Some(512) {
        return Err(format!("its last layer is of shape {last:?} where that has {wanted:?}"));
    }
    Ok(())
}

fn mobilefacenet(stored: &Stored, shapes: &[Shape]) -> Result<(), String> {
    stem(shapes)?;
    let dense = shapes[1..].iter().find(|(_, _, side, _, depthwise)| *side > 1 && !depthwise);
    if let Some(found) = dense {
        return Err(format!(
            "it has a filter {} where that has only filters of single pixels or channels",
            told(*found)
        ));
    }
    if !shapes.iter().any(|(_, _, side, _, depthwise)| *side == 7 && *depthwise) {
        return Err("it has no filter 7×7 over the last map, as that has for pictures of 112×112".to_owned());
    }
    match length_of(stored) {
        Some(64..=1024) => Ok(()),
        other => Err(format!("it makes {other:?} numbers where that makes one vector of 64 to 1024")),
    }
}

fn minifasnet(stored: &Stored, shapes: &[Shape]) -> Result<(), String> {
    stem(shapes)?;
    match (side_of(stored), length_of(stored)) {
        (Some(48..=256), Some(2..=4)) => Ok(()),
        (None, _) => Err("it does not end in a filter of each channel as large as its map".to_owned()),
        (side, classes) => Err(format!("it takes {side:?} pixels and has {classes:?} classes; that has two to four")),
    }
}

fn stem(shapes: &[Shape]) -> Result<(), String> {
    match shapes.first() {
        Some((_, 3, 3, 2, false)) => Ok(()),
        first => Err(format!("its first filter is {}", first.map_or("none".to_owned(), |first| told(*first)))),
    }
}

fn outputs(stored: &Stored, wanted: usize, which: &str) -> Result<(), String> {
    match stored.description.outputs.len() {
        found if found == wanted => Ok(()),
        found => Err(format!("it has {found} outputs where that has {wanted}: {which}")),
    }
}

fn told((outputs, inputs, side, stride, depthwise): Shape) -> String {
    let by = if depthwise { ", each channel by itself" } else { "" };
    format!("{side}×{side} from {inputs} to {outputs} channels with stride {stride}{by}")
}
