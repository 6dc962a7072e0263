//! ONNX files: the few fields that are needed.
//!
//! Written after `onnx.proto3` of the ONNX project (Apache-2.0); tags are the format's.

use prost::Message;

/// The largest number of elements a tensor may have: bounds memory on a file that lies.
const LARGEST: usize = 128 << 20;

/// A file.
#[derive(Clone, PartialEq, Message)]
pub struct Model {
    /// The network.
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
}

/// A network.
#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    /// Operators in an order in which they can be computed.
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    /// Constants.
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    /// Values given; some exporters list constants here too.
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    /// Values made.
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

/// A value at the edge of the network.
#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
}

/// An operator.
#[derive(Clone, PartialEq, Message)]
pub struct Node {
    /// Names of values read; empty for one left out.
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    /// Names of values made.
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    /// Its kind.
    #[prost(string, tag = "4")]
    pub op_type: String,
    /// Its settings.
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
}

/// A setting of an operator.
#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    /// Its name.
    #[prost(string, tag = "1")]
    pub name: String,
    /// As a number.
    #[prost(float, tag = "2")]
    pub f: f32,
    /// As a whole number.
    #[prost(int64, tag = "3")]
    pub i: i64,
    /// As text.
    #[prost(bytes = "vec", tag = "4")]
    pub s: Vec<u8>,
    /// As a tensor.
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    /// As whole numbers.
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
}

/// A constant.
#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    /// Its dimensions.
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    /// 1 = f32, 2 = u8, 3 = i8, 7 = i64.
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    /// Numbers, when not in `raw_data`.
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    /// Small whole numbers, when not in `raw_data`.
    #[prost(int32, repeated, tag = "5")]
    pub int32_data: Vec<i32>,
    /// Large whole numbers, when not in `raw_data`.
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    /// Its name.
    #[prost(string, tag = "8")]
    pub name: String,
    /// Little-endian numbers.
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
    /// Not 0: the numbers are in another file.
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

/// Reads a file.
///
/// # Errors
/// In words, when it is not an ONNX file with a network in it.
pub fn graph(bytes: &[u8]) -> Result<Graph, String> {
    let model = Model::decode(bytes).map_err(|error| format!("not an ONNX file ({error})"))?;
    model.graph.filter(|graph| !graph.node.is_empty()).ok_or_else(|| "an ONNX file without a network".to_owned())
}

impl Node {
    /// The setting of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attribute.iter().find(|attribute| attribute.name == name)
    }

    /// A whole-number setting, or its default.
    pub fn int(&self, name: &str, default: i64) -> i64 {
        self.attribute(name).map_or(default, |attribute| attribute.i)
    }

    /// A setting of several whole numbers, or nothing.
    pub fn ints(&self, name: &str) -> Option<&[i64]> {
        self.attribute(name).map(|attribute| attribute.ints.as_slice())
    }
}

impl Tensor {
    /// Its dimensions.
    ///
    /// # Errors
    /// In words, when one is negative or their product is beyond reason.
    pub fn shape(&self) -> Result<Vec<usize>, String> {
        let shape: Option<Vec<usize>> = self.dims.iter().map(|dim| usize::try_from(*dim).ok()).collect();
        shape
            .filter(|shape| shape.iter().try_fold(1usize, |n, dim| n.checked_mul(*dim)).is_some_and(|n| n <= LARGEST))
            .ok_or_else(|| format!("tensor {} of shape {:?}", self.name, self.dims))
    }

    /// Its numbers as f32; 8-bit and 64-bit whole numbers are converted.
    ///
    /// # Errors
    /// In words, when the type is another one, or there are not as many as the shape says.
    pub fn numbers(&self) -> Result<Vec<f32>, String> {
        let raw = &self.raw_data;
        let numbers: Vec<f32> = match (self.data_type, raw.is_empty()) {
            _ if self.data_location != 0 => return Err(format!("tensor {} lies in another file", self.name)),
            (1, true) => self.float_data.clone(),
            (1, false) => raw.as_chunks().0.iter().map(|four| f32::from_le_bytes(*four)).collect(),
            (2 | 3, true) => self.int32_data.iter().map(|v| *v as f32).collect(),
            (2, false) => raw.iter().map(|byte| f32::from(*byte)).collect(),
            (3, false) => raw.iter().map(|byte| f32::from(*byte as i8)).collect(),
            (7, true) => self.int64_data.iter().map(|v| *v as f32).collect(),
            (7, false) => raw.as_chunks().0.iter().map(|eight| i64::from_le_bytes(*eight) as f32).collect(),
            (other, _) => return Err(format!("tensor {} has numbers of type {other}", self.name)),
        };
        let wanted: usize = self.shape()?.iter().product();
        if numbers.len() == wanted {
            Ok(numbers)
        } else {
            Err(format!("tensor {} has {} numbers, not {wanted}", self.name, numbers.len()))
        }
    }
}
