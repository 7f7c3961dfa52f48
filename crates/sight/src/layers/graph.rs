//! An ONNX file as far as these layers need it: nodes by name, constants as numbers.

use std::collections::HashMap;

use super::Unknown;
use super::fold::fold;
pub(super) use super::node::{Constant, Node};
use super::onnx::{File, Operator, Tensor};

/// ONNX's numbers for the types of tensors.
const FLOAT: i64 = 1;
const INT8: i64 = 3;
const INT64: i64 = 7;

/// A network with one input.
pub(super) struct Graph {
    pub nodes: Vec<Node>,
    pub constants: HashMap<String, Constant>,
    pub input: String,
    pub outputs: Vec<String>,
}

impl Graph {
    pub(super) fn read(bytes: &[u8]) -> Result<Self, Unknown> {
        let file = File::read(bytes)?;
        let mut constants: HashMap<_, _> = file
            .constants
            .into_iter()
            .map(|tensor| Ok((tensor.name.clone(), Constant::read(tensor)?)))
            .collect::<Result<_, Unknown>>()?;
        let inputs = file.inputs.into_iter();
        let mut inputs: Vec<_> = inputs.filter(|n| !constants.contains_key(n)).collect();
        let (Some(input), true) = (inputs.pop(), inputs.is_empty()) else {
            return Err("not one input".into());
        };
        let nodes = file.nodes.into_iter().map(Node::read);
        let nodes = fold(nodes.collect::<Result<_, _>>()?, &mut constants)?;
        Ok(Self {
            nodes,
            outputs: file.outputs,
            constants,
            input,
        })
    }

    /// How often a value is read, by nodes or as an output.
    pub(super) fn uses(&self, name: &str) -> usize {
        let read = self.nodes.iter().flat_map(|node| &node.inputs);
        read.chain(&self.outputs).filter(|n| *n == name).count()
    }
}

impl Constant {
    fn read(tensor: Tensor) -> Result<Self, Unknown> {
        let dims = tensor
            .dims
            .iter()
            .map(|d| usize::try_from(*d).map_err(|_| "a negative size".to_owned()))
            .collect::<Result<Vec<_>, _>>()?;
        let raw = &tensor.raw;
        let (floats, integers) = match tensor.kind {
            FLOAT if raw.is_empty() => (tensor.floats, Vec::new()),
            FLOAT => (
                raw.as_chunks()
                    .0
                    .iter()
                    .map(|b| f32::from_le_bytes(*b))
                    .collect(),
                Vec::new(),
            ),
            INT8 if !raw.is_empty() => {
                let signed = |byte: &u8| i64::from(i8::from_le_bytes([*byte]));
                (Vec::new(), raw.iter().map(signed).collect())
            }
            INT64 if raw.is_empty() => (Vec::new(), tensor.integers),
            INT64 => (
                Vec::new(),
                raw.as_chunks()
                    .0
                    .iter()
                    .map(|b| i64::from_le_bytes(*b))
                    .collect(),
            ),
            other => return Err(format!("constants of type {other}")),
        };
        let size = dims
            .iter()
            .try_fold(1_usize, |size, d| size.checked_mul(*d));
        if size != Some(floats.len().max(integers.len())) {
            return Err("a constant whose numbers do not fill it".into());
        }
        Ok(Self {
            dims,
            floats,
            integers,
        })
    }
}

impl Node {
    fn read(node: Operator) -> Result<Self, Unknown> {
        let operator = node.name;
        let [output] = <[String; 1]>::try_from(node.outputs)
            .map_err(|_| format!("{operator} with several outputs"))?;
        if !node.domain.is_empty() && node.domain != "ai.onnx" {
            return Err(format!("{operator} of {}", node.domain));
        }
        Ok(Self {
            attributes: node.attributes.into_iter().collect(),
            inputs: node.inputs,
            operator,
            output,
        })
    }

    /// Whether most of a network's work is done in such nodes.
    pub(super) fn is_heavy(&self) -> bool {
        matches!(self.operator.as_str(), "Conv" | "Gemm" | "MatMul")
    }

    /// Refuses attributes other than these, which the caller reads.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), Unknown> {
        match self.attributes.keys().find(|k| !known.contains(&&***k)) {
            Some(name) => Err(format!("{} with {name}", self.operator)),
            None => Ok(()),
        }
    }

    /// A list of sizes; `default` repeated if it is not given.
    pub(super) fn sizes<const N: usize>(
        &self,
        name: &str,
        default: usize,
    ) -> Result<[usize; N], Unknown> {
        let Some(attribute) = self.attributes.get(name) else {
            return Ok([default; N]);
        };
        let sizes: Option<Vec<_>> = attribute
            .ints
            .iter()
            .map(|i| usize::try_from(*i).ok())
            .collect();
        sizes
            .and_then(|sizes| <[usize; N]>::try_from(sizes).ok())
            .ok_or_else(|| format!("{} with odd {name}", self.operator))
    }

    pub(super) fn integer(&self, name: &str, default: i64) -> i64 {
        self.attributes.get(name).map_or(default, |a| a.i)
    }

    pub(super) fn float(&self, name: &str, default: f32) -> f32 {
        self.attributes.get(name).map_or(default, |a| a.f)
    }
}
