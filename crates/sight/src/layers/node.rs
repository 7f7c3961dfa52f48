//! What an ONNX graph is made of.

use std::collections::HashMap;

pub(super) use super::onnx::Attribute;

/// An operator with one output.
pub(super) struct Node {
    pub operator: String,
    pub inputs: Vec<String>,
    pub output: String,
    pub attributes: HashMap<String, Attribute>,
}

/// A tensor in the file: floats or integers.
pub(super) struct Constant {
    pub dims: Vec<usize>,
    pub floats: Vec<f32>,
    pub integers: Vec<i64>,
}
