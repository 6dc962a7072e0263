//! Pickles of tensors, read and never run.
//!
//! A pickle is a programme that builds objects and may call any function. Here only the few objects that a state dict
//! is made of are built; every other call leaves an object that nobody can use. Written after the opcodes of Python's
//! `pickletools`. candle reads pickles too, but of zip archives only, and a file that lies makes it panic.

use std::{collections::HashMap, rc::Rc};

/// Most objects built of one file: a network of a thousand tensors makes some ten thousand.
const MOST: usize = 1 << 20;

/// A value of a pickle. Copying one is cheap: what can be large stands in the [`Heap`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Text(Rc<str>),
    /// An object of the heap.
    At(usize),
    /// Anything that no state dict needs.
    Other,
    Mark,
}

/// An object that others may refer to.
#[derive(Clone, Debug)]
pub(crate) enum Object {
    Sequence(Vec<Value>),
    Dict(Vec<(Value, Value)>),
    /// `module name`.
    Global(String),
    /// Numbers that lie elsewhere, by the key under which they do.
    Storage {
        key: Rc<str>,
        kind: Kind,
    },
    /// A part of a storage: where it begins, shape and strides, in numbers.
    Tensor {
        storage: usize,
        offset: usize,
        shape: Vec<usize>,
        strides: Vec<usize>,
    },
}

/// What a storage is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    F64,
    F32,
    F16,
    Bf16,
    /// Whole numbers of so many bytes: counters, which no forward pass reads.
    Whole(usize),
}

impl Kind {
    /// Bytes of a number.
    pub(crate) fn bytes(self) -> usize {
        match self {
            Self::F64 => 8,
            Self::F32 => 4,
            Self::F16 | Self::Bf16 => 2,
            Self::Whole(bytes) => bytes,
        }
    }

    fn of(class: &str) -> Option<Self> {
        Some(match class {
            "torch DoubleStorage" => Self::F64,
            "torch FloatStorage" => Self::F32,
            "torch HalfStorage" => Self::F16,
            "torch BFloat16Storage" => Self::Bf16,
            "torch LongStorage" => Self::Whole(8),
            "torch IntStorage" => Self::Whole(4),
            "torch ShortStorage" => Self::Whole(2),
            "torch ByteStorage" | "torch CharStorage" | "torch BoolStorage" => Self::Whole(1),
            _ => return None,
        })
    }
}

/// What a pickle built.
#[derive(Debug)]
pub(crate) struct Heap {
    objects: Vec<Object>,
    /// What the pickle is.
    pub(crate) root: Value,
}

impl Heap {
    /// The object that a value stands for, if it is one.
    pub(crate) fn object(&self, value: &Value) -> Option<&Object> {
        match value {
            Value::At(index) => self.objects.get(*index),
            _ => None,
        }
    }

    /// A storage by its place in the heap.
    pub(crate) fn storage(&self, index: usize) -> Option<(&str, Kind)> {
        match self.objects.get(index)? {
            Object::Storage { key, kind } => Some((key, *kind)),
            _ => None,
        }
    }

    /// Every storage.
    pub(crate) fn storages(&self) -> impl Iterator<Item = (&str, Kind)> {
        (0..self.objects.len()).filter_map(|index| self.storage(index))
    }
}

/// Reads one pickle from the front of `bytes`, and moves `bytes` behind it.
///
/// # Errors
/// In words, when it ends too early, builds too much, or holds an opcode that no state dict needs.
pub(crate) fn read(bytes: &mut &[u8]) -> Result<Heap, String> {
    let mut machine = Machine { stack: Vec::new(), memo: HashMap::new(), objects: Vec::new(), bytes };
    while !machine.step()? {}
    let root = machine.pop()?;
    Ok(Heap { objects: machine.objects, root })
}

struct Machine<'a, 'b> {
    bytes: &'a mut &'b [u8],
    stack: Vec<Value>,
    memo: HashMap<u32, Value>,
    objects: Vec<Object>,
}

impl Machine<'_, '_> {
    /// One opcode; true after the last.
    fn step(&mut self) -> Result<bool, String> {
        let [opcode] = self.take()?;
        let value = match opcode {
            0x80 => return self.skip(1),
            // A frame's length is a hint for readers of streams.
            0x95 => return self.skip(8),
            b'.' => return Ok(true),
            b'(' => Value::Mark,
            b'N' | 0x88 | 0x89 => Value::Other,
            b'K' => Value::Int(i64::from(self.take::<1>()?[0])),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.take()?))),
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.take()?))),
            b'G' => {
                self.skip(8)?;
                Value::Other
            }
            0x8a => self.long()?,
            b'X' => {
                let length = u32::from_le_bytes(self.take()?);
                self.text(length as usize)?
            }
            0x8c | b'U' => {
                let [length] = self.take()?;
                self.text(usize::from(length))?
            }
            b'C' => {
                let [length] = self.take()?;
                self.skip(usize::from(length))?;
                Value::Other
            }
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.new_object(Object::Global(format!("{module} {name}")))?
            }
            0x93 => {
                let (name, module) = (self.pop()?, self.pop()?);
                let (Value::Text(name), Value::Text(module)) = (name, module) else {
                    return Err("a class without a name".to_owned());
                };
                self.new_object(Object::Global(format!("{module} {name}")))?
            }
            b')' | b']' => self.new_object(Object::Sequence(Vec::new()))?,
            b'}' => self.new_object(Object::Dict(Vec::new()))?,
            b't' | b'l' => {
                let items = self.since_mark()?;
                self.new_object(Object::Sequence(items))?
            }
            0x85..=0x87 => {
                let first = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or("a tuple of nothing")?;
                let items = self.stack.split_off(first);
                self.new_object(Object::Sequence(items))?
            }
            b'Q' => {
                let id = self.pop()?;
                self.stored(&id)?
            }
            b'R' | 0x81 => {
                let (with, what) = (self.pop()?, self.pop()?);
                self.called(&what, &with)?
            }
            b'h' => {
                let [place] = self.take()?;
                self.remembered(u32::from(place))?
            }
            b'j' => {
                let place = u32::from_le_bytes(self.take()?);
                self.remembered(place)?
            }
            _ => return self.change(opcode),
        };
        self.stack.push(value);
        Ok(false)
    }

    /// The opcodes that push nothing.
    fn change(&mut self, opcode: u8) -> Result<bool, String> {
        match opcode {
            b'q' | b'r' | 0x94 => {
                let place = match opcode {
                    b'q' => u32::from(self.take::<1>()?[0]),
                    b'r' => u32::from_le_bytes(self.take()?),
                    _ => self.memo.len() as u32,
                };
                let top = self.stack.last().ok_or("nothing to remember")?.clone();
                self.memo.insert(place, top);
            }
            b'0' => _ = self.pop()?,
            // The state of an object: what it needs beside its items is metadata here.
            b'b' => _ = self.pop()?,
            b'a' => {
                let item = self.pop()?;
                self.append(vec![item])?;
            }
            b'e' => {
                let items = self.since_mark()?;
                self.append(items)?;
            }
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.append(vec![key, value])?;
            }
            b'u' => {
                let items = self.since_mark()?;
                self.append(items)?;
            }
            other => return Err(format!("the opcode {other:#04x}, which no state dict needs")),
        }
        Ok(false)
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N], String> {
        let (taken, rest) = self.bytes.split_first_chunk().ok_or("it ends too early")?;
        *self.bytes = rest;
        Ok(*taken)
    }

    fn skip(&mut self, count: usize) -> Result<bool, String> {
        *self.bytes = self.bytes.get(count..).ok_or("it ends too early")?;
        Ok(false)
    }

    fn text(&mut self, length: usize) -> Result<Value, String> {
        let (text, rest) = self.bytes.split_at_checked(length).ok_or("it ends too early")?;
        *self.bytes = rest;
        Ok(Value::Text(String::from_utf8_lossy(text).into()))
    }

    fn line(&mut self) -> Result<String, String> {
        let end = self.bytes.iter().position(|byte| *byte == b'\n').ok_or("it ends too early")?;
        let line = String::from_utf8_lossy(&self.bytes[..end]).trim_end().to_owned();
        *self.bytes = &self.bytes[end + 1..];
        Ok(line)
    }

    /// A whole number of any length, of which those beyond 64 bits are of no use.
    fn long(&mut self) -> Result<Value, String> {
        let length = usize::from(self.take::<1>()?[0]);
        let (digits, rest) = self.bytes.split_at_checked(length).ok_or("it ends too early")?;
        *self.bytes = rest;
        if length > 8 {
            return Ok(Value::Other);
        }
        let sign = if digits.last().is_some_and(|last| last & 0x80 != 0) { 0xff } else { 0 };
        let mut eight = [sign; 8];
        eight[..length].copy_from_slice(digits);
        Ok(Value::Int(i64::from_le_bytes(eight)))
    }

    fn pop(&mut self) -> Result<Value, String> {
        self.stack.pop().ok_or_else(|| "it takes more than it puts".to_owned())
    }

    fn since_mark(&mut self) -> Result<Vec<Value>, String> {
        let mark = self.stack.iter().rposition(|value| *value == Value::Mark).ok_or("it ends what it never began")?;
        let items = self.stack.split_off(mark + 1);
        self.stack.pop();
        Ok(items)
    }

    fn new_object(&mut self, object: Object) -> Result<Value, String> {
        if self.objects.len() >= MOST {
            return Err(format!("more than {MOST} objects"));
        }
        self.objects.push(object);
        Ok(Value::At(self.objects.len() - 1))
    }

    fn remembered(&self, place: u32) -> Result<Value, String> {
        self.memo.get(&place).cloned().ok_or_else(|| "it remembers what never was".to_owned())
    }

    /// Puts items into what is on top of the stack: one by one into a list, in pairs into a dict.
    fn append(&mut self, items: Vec<Value>) -> Result<(), String> {
        let Some(Value::At(index)) = self.stack.last() else { return Ok(()) };
        match self.objects.get_mut(*index) {
            Some(Object::Sequence(list)) => list.extend(items),
            Some(Object::Dict(dict)) => {
                let (pairs, []) = items.as_chunks() else { return Err("a key without a value".to_owned()) };
                dict.extend(pairs.iter().map(|[key, value]| (key.clone(), value.clone())));
            }
            _ => {}
        }
        Ok(())
    }

    fn sequence(&self, value: &Value) -> Option<&[Value]> {
        match value {
            Value::At(index) => match self.objects.get(*index)? {
                Object::Sequence(items) => Some(items),
                _ => None,
            },
            _ => None,
        }
    }

    fn global(&self, value: &Value) -> Option<&str> {
        match value {
            Value::At(index) => match self.objects.get(*index)? {
                Object::Global(name) => Some(name),
                _ => None,
            },
            _ => None,
        }
    }

    /// A storage: `("storage", class, key, device, numbers, …)`.
    fn stored(&mut self, id: &Value) -> Result<Value, String> {
        let Some([_, class, Value::Text(key), ..]) = self.sequence(id) else {
            return Err("a reference that is no storage".to_owned());
        };
        let class = self.global(class).unwrap_or("a class without a name");
        let kind = Kind::of(class).ok_or_else(|| format!("numbers of {class}"))?;
        let key = key.clone();
        self.new_object(Object::Storage { key, kind })
    }

    /// What a call leaves. Nothing is called.
    fn called(&mut self, what: &Value, with: &Value) -> Result<Value, String> {
        let arguments = self.sequence(with).unwrap_or_default().to_vec();
        match (self.global(what), &arguments[..]) {
            (Some("collections OrderedDict" | "builtins dict"), []) => self.new_object(Object::Dict(Vec::new())),
            (Some("torch._utils _rebuild_parameter"), [tensor, ..]) => Ok(tensor.clone()),
            (
                Some("torch._utils _rebuild_tensor_v2" | "torch._utils _rebuild_tensor"),
                [Value::At(storage), Value::Int(offset), shape, strides, ..],
            ) => {
                let whole = |value: &Value| match value {
                    Value::Int(number) => usize::try_from(*number).ok(),
                    _ => None,
                };
                let all = |value| self.sequence(value)?.iter().map(whole).collect::<Option<Vec<_>>>();
                let (Some(shape), Some(strides), Ok(offset)) = (all(shape), all(strides), usize::try_from(*offset))
                else {
                    return Err("a tensor without a shape".to_owned());
                };
                self.new_object(Object::Tensor { storage: *storage, offset, shape, strides })
            }
            _ => Ok(Value::Other),
        }
    }
}
