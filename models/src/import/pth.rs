//! State dicts of PyTorch: tensors by name, without a graph.
//!
//! Both forms that `torch.save` has written: a zip archive with the pickle and each storage as files, and before
//! version 1.6 several pickles one after the other with the storages behind them.

use crate::{
    import::pickle::{self, Heap, Kind, Object, Value},
    weights::fold::Array,
};
use half::{bf16, f16};
use std::{
    collections::HashMap,
    io::{Cursor, Read},
};

/// Most numbers of one file, over all tensors: IResNet-100 has 65 million.
const MOST: usize = 256 << 20;
/// Most bytes of a pickle without its storages.
const MOST_PICKLE: u64 = 64 << 20;
/// How a file of before version 1.6 begins: a pickle of PyTorch's own magic number.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19\x2e";
/// Keys under which training programmes keep the state dict beside other things.
const WRAPPERS: [&str; 4] = ["state_dict", "model_state_dict", "model", "net"];

/// Tensors by name. Whole-number tensors, which are counters, are left out.
pub(crate) type States = HashMap<String, Array>;

/// Whether a file begins like one of PyTorch.
pub(crate) fn is_one(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(MAGIC)
}

/// Reads a file of `torch.save`; the `module.` that parallel training puts before every name is taken away.
///
/// # Errors
/// In words, when it is not one, or not one of tensors by name.
pub(crate) fn states(bytes: &[u8]) -> Result<States, String> {
    let (heap, storages) = if bytes.starts_with(MAGIC) { old(bytes)? } else { zipped(bytes)? };
    let mut states = States::new();
    let mut room = MOST;
    for (name, tensor) in entries(&heap)? {
        let Some(array) = array(&heap, tensor, &storages, &mut room).map_err(|why| format!("tensor {name}: {why}"))?
        else {
            continue;
        };
        states.insert(name.to_owned(), array);
    }
    if states.is_empty() {
        return Err("it holds no tensors by name; save the network's `state_dict()`".to_owned());
    }
    while states.keys().all(|name| name.starts_with("module.")) {
        states = states.into_iter().map(|(name, array)| (name["module.".len()..].to_owned(), array)).collect();
    }
    Ok(states)
}

/// The bytes of each storage, by key.
type Storages = HashMap<String, Vec<u8>>;

fn zipped(bytes: &[u8]) -> Result<(Heap, Storages), String> {
    let mut zip =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|error| format!("it is no archive of PyTorch ({error})"))?;
    let (mut heap, mut storages) = (None, Storages::new());
    let mut left = bytes.len() as u64;
    for index in 0..zip.len() {
        let file = zip.by_index(index).map_err(|error| error.to_string())?;
        let name = file.name().map_err(|error| error.to_string())?.into_owned();
        let mut content = Vec::new();
        let is_pickle = name.ends_with("/data.pkl");
        let most = if is_pickle { MOST_PICKLE } else { left };
        file.take(most + 1).read_to_end(&mut content).map_err(|error| error.to_string())?;
        if content.len() as u64 > most {
            return Err(format!("{name} in it is larger than it may be"));
        }
        if is_pickle {
            heap = Some(pickle::read(&mut &content[..])?);
        } else if let Some((_, key)) = name.split_once("/data/") {
            // PyTorch does not compress: all storages together are no larger than the file.
            left -= content.len() as u64;
            storages.insert(key.to_owned(), content);
        } else if name.ends_with("/byteorder") && content != b"little" {
            return Err("its numbers are big-endian".to_owned());
        }
    }
    Ok((heap.ok_or("there is no data.pkl in it")?, storages))
}

fn old(mut bytes: &[u8]) -> Result<(Heap, Storages), String> {
    // The magic number, the version, and of which machine.
    for _ in 0..3 {
        pickle::read(&mut bytes)?;
    }
    let heap = pickle::read(&mut bytes)?;
    let keys = pickle::read(&mut bytes)?;
    let Some(Object::Sequence(names)) = keys.object(&keys.root) else {
        return Err("it has no list of storages".to_owned());
    };
    let kinds: HashMap<&str, Kind> = heap.storages().collect();
    let mut storages = Storages::new();
    for name in names {
        let Value::Text(key) = name else { return Err("a storage without a name".to_owned()) };
        let kind = kinds.get(&**key).ok_or("a storage that no tensor reads")?;
        let (count, rest) = bytes.split_first_chunk().ok_or("it ends too early")?;
        let length = usize::try_from(i64::from_le_bytes(*count)).ok().and_then(|n| n.checked_mul(kind.bytes()));
        let (numbers, rest) = length.and_then(|length| rest.split_at_checked(length)).ok_or("it ends too early")?;
        storages.insert(key.to_string(), numbers.to_vec());
        bytes = rest;
    }
    Ok((heap, storages))
}

/// The named entries of the state dict, which may lie in a wrapper.
fn entries(heap: &Heap) -> Result<Vec<(&str, &Value)>, String> {
    let outer = named(heap, &heap.root).ok_or(
        "it holds a whole network instead of tensors by name; load it where it was made and save its `state_dict()`",
    )?;
    let inner = WRAPPERS.iter().find_map(|wrapper| {
        let (_, value) = outer.iter().find(|(name, _)| name == wrapper)?;
        named(heap, value)
    });
    Ok(inner.unwrap_or(outer))
}

fn named<'a>(heap: &'a Heap, value: &Value) -> Option<Vec<(&'a str, &'a Value)>> {
    let Some(Object::Dict(pairs)) = heap.object(value) else { return None };
    let mut entries = Vec::with_capacity(pairs.len());
    for (key, value) in pairs {
        if let Value::Text(name) = key {
            entries.push((&**name, value));
        }
    }
    Some(entries)
}

/// The numbers of a tensor; `None` for whole numbers and for what is no tensor.
fn array(heap: &Heap, value: &Value, storages: &Storages, room: &mut usize) -> Result<Option<Array>, String> {
    let Some(Object::Tensor { storage, offset, shape, strides }) = heap.object(value) else { return Ok(None) };
    let (key, kind) = heap.storage(*storage).ok_or("it has no storage")?;
    if matches!(kind, Kind::Whole(_)) {
        return Ok(None);
    }
    let count = shape.iter().try_fold(1usize, |n, side| n.checked_mul(*side)).filter(|count| *count <= *room);
    let count = count.ok_or_else(|| format!("its shape {shape:?} is beyond reason"))?;
    *room -= count;
    let mut wanted = 1;
    for (side, stride) in shape.iter().zip(strides).rev() {
        if *side > 1 && *stride != wanted {
            return Err("its numbers do not lie in order; save `tensor.contiguous()`".to_owned());
        }
        wanted *= side;
    }
    let bytes = storages.get(key).ok_or_else(|| format!("its storage {key} is not there"))?;
    let size = kind.bytes();
    let part = offset.checked_mul(size).and_then(|first| bytes.get(first..)?.get(..count.checked_mul(size)?));
    let part = part.ok_or_else(|| format!("its storage {key} is too small"))?;
    let data: Vec<f32> = match kind {
        Kind::F64 => part.as_chunks().0.iter().map(|eight| f64::from_le_bytes(*eight) as f32).collect(),
        Kind::F32 => part.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
        Kind::F16 => part.as_chunks().0.iter().map(|two| f16::from_le_bytes(*two).to_f32()).collect(),
        Kind::Bf16 => part.as_chunks().0.iter().map(|two| bf16::from_le_bytes(*two).to_f32()).collect(),
        Kind::Whole(_) => return Ok(None),
    };
    Ok(Some(Array { shape: shape.clone(), data }))
}
