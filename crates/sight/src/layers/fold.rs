//! What can be computed before any photo is seen: weights that are stored as bytes with a scale for each
//! block of them, given a shape, or multiplied channel by channel.

use std::collections::HashMap;

use super::Unknown;
use super::node::{Constant, Node};

type Constants = HashMap<String, Constant>;

/// Computes the nodes that depend on constants alone; the others are left, in order. Constants that only
/// such nodes read are gone afterwards: bytes and floats of the same weights would be twice the memory.
pub(super) fn fold(nodes: Vec<Node>, constants: &mut Constants) -> Result<Vec<Node>, Unknown> {
    let mut left = Vec::with_capacity(nodes.len());
    let mut used = Vec::new();
    for node in nodes {
        let known =
            !node.inputs.is_empty() && node.inputs.iter().all(|i| constants.contains_key(i));
        let computed = match node.operator.as_str() {
            "DequantizeLinear" if known => Some(dequantised(&node, constants)?),
            "Reshape" if known => Some(reshaped(&node, constants)?),
            "Mul" if known => Some(scaled(&node, constants)?),
            _ => None,
        };
        match computed {
            Some(constant) => {
                constants.insert(node.output, constant);
                used.extend(node.inputs);
            }
            None => left.push(node),
        }
    }
    for name in used {
        if !left.iter().any(|node| node.inputs.contains(&name)) {
            constants.remove(&name);
        }
    }
    Ok(left)
}

fn constant<'a>(node: &Node, i: usize, constants: &'a Constants) -> Result<&'a Constant, Unknown> {
    let found = node.inputs.get(i).and_then(|name| constants.get(name));
    found.ok_or_else(|| format!("{} without an input", node.operator))
}

/// `(byte - zero) * scale`, with a zero and a scale for each block of a row (ONNX's operator set 21).
fn dequantised(node: &Node, constants: &Constants) -> Result<Constant, Unknown> {
    let odd = || "DequantizeLinear of another kind".to_owned();
    node.only(&["axis", "block_size"])?;
    let [bytes, scales, zeros] = [0, 1, 2].map(|i| constant(node, i, constants));
    let (bytes, scales, zeros) = (bytes?, scales?, zeros?);
    let &[rows, columns] = &bytes.dims[..] else {
        return Err(odd());
    };
    let block = usize::try_from(node.integer("block_size", 0)).map_err(|_| odd())?;
    let whole = block > 0 && columns.is_multiple_of(block) && node.integer("axis", 1) == 1;
    let blocks = rows * columns / block.max(1);
    if !whole
        || bytes.integers.len() != rows * columns
        || scales.floats.len() != blocks
        || zeros.integers.len() != blocks
    {
        return Err(odd());
    }
    let parts = bytes.integers.chunks_exact(block);
    let parts = parts.zip(scales.floats.iter().zip(&zeros.integers));
    let floats =
        parts.flat_map(|(part, (scale, zero))| part.iter().map(move |b| (b - zero) as f32 * scale));
    Ok(Constant {
        dims: bytes.dims.clone(),
        floats: floats.collect(),
        integers: Vec::new(),
    })
}

fn reshaped(node: &Node, constants: &Constants) -> Result<Constant, Unknown> {
    node.only(&[])?;
    let (from, shape) = (constant(node, 0, constants)?, constant(node, 1, constants)?);
    let dims = shape.integers.iter().map(|n| usize::try_from(*n).ok());
    let dims: Option<Vec<usize>> = dims.collect();
    let size = |dims: &[usize]| {
        dims.iter()
            .try_fold(1_usize, |size, d| size.checked_mul(*d))
    };
    match dims {
        Some(dims) if size(&dims) == size(&from.dims) => Ok(Constant {
            dims,
            floats: from.floats.clone(),
            integers: from.integers.clone(),
        }),
        _ => Err("Reshape of a constant to another size".into()),
    }
}

/// Weights `[out, in, height, width]` by a factor `[1, in, 1, 1]` for each input channel.
fn scaled(node: &Node, constants: &Constants) -> Result<Constant, Unknown> {
    let odd = || "Mul of constants of another kind".to_owned();
    node.only(&[])?;
    let (weights, factors) = (constant(node, 0, constants)?, constant(node, 1, constants)?);
    let &[_, channels, height, width] = &weights.dims[..] else {
        return Err(odd());
    };
    let area = height * width;
    if factors.dims[..] != [1, channels, 1, 1]
        || factors.floats.len() != channels
        || weights.floats.is_empty()
        || area == 0
    {
        return Err(odd());
    }
    let planes = weights.floats.chunks_exact(area);
    let floats = planes
        .zip(factors.floats.iter().cycle())
        .flat_map(|(plane, factor)| plane.iter().map(move |w| w * factor));
    Ok(Constant {
        dims: weights.dims.clone(),
        floats: floats.collect(),
        integers: Vec::new(),
    })
}
