//! Any network: the runtime for what our own layers do not know, tract.

use sight::layers::Cut;
use tract_onnx::pb::tensor_shape_proto::{Dimension, dimension};
use tract_onnx::pb::{self, type_proto};
use tract_onnx::prelude::*;

use super::NetError;
use crate::PhotoError;

/// ONNX's number for floats.
const FLOAT: i32 = 1;

/// A network that tract runs.
pub(super) struct General {
    plan: std::sync::Arc<TypedRunnableModel>,
    inputs: Vec<Vec<usize>>,
    shapes: Vec<Vec<usize>>,
}

impl General {
    /// Prepares the ONNX file `bytes` for its input of shape `[1, 3, side, side]`.
    pub(super) fn load(bytes: &[u8], side: usize) -> Result<Self, NetError> {
        let input = [1, 3, side, side];
        let model = tract_onnx::onnx()
            .model_for_read(&mut &*bytes)
            .and_then(|m| m.with_input_fact(0, f32::fact(input).into()));
        Self::of(model, vec![input.to_vec()])
            .map_err(|e| format!("is no network for {side}x{side} pixels ({e})"))
    }

    /// Prepares what is left of the ONNX file `bytes` behind a cut.
    pub(super) fn rest(bytes: &[u8], cut: Cut) -> Result<Self, NetError> {
        let onnx = tract_onnx::onnx();
        let mut model = onnx
            .proto_model_for_read(&mut &*bytes)
            .map_err(|e| e.to_string())?;
        let graph = model.graph.as_mut().ok_or("no graph")?;
        graph
            .node
            .retain(|node| node.output.iter().any(|name| cut.left.contains(name)));
        let (names, shapes): (Vec<_>, Vec<_>) = cut.values.into_iter().unzip();
        graph.input = names
            .iter()
            .zip(&shapes)
            .map(|(n, s)| value(n, s))
            .collect();
        let read = |name: &str| graph.node.iter().any(|n| n.input.iter().any(|i| i == name));
        let constants = graph.initializer.drain(..).collect::<Vec<_>>();
        graph.initializer = constants.into_iter().filter(|c| read(&c.name)).collect();
        Self::of(onnx.model_for_proto_model(&model), shapes)
    }

    fn of(model: TractResult<InferenceModel>, inputs: Vec<Vec<usize>>) -> Result<Self, NetError> {
        let model = model
            .and_then(|m| m.into_optimized())
            .map_err(|e| e.to_string())?;
        let shapes = (0..model.output_outlets().map_err(|e| e.to_string())?.len())
            .map(|i| {
                model
                    .output_fact(i)
                    .ok()?
                    .shape
                    .as_concrete()
                    .map(<[_]>::to_vec)
            })
            .collect::<Option<Vec<_>>>()
            .ok_or("has outputs without a fixed shape")?;
        let plan = model
            .into_runnable()
            .map_err(|e| format!("cannot be run ({e})"))?;
        Ok(Self {
            plan,
            inputs,
            shapes,
        })
    }

    /// The shapes of the outputs, in order.
    pub(super) fn shapes(&self) -> Vec<Vec<usize>> {
        self.shapes.clone()
    }

    /// Runs the numbers of the inputs through, each in ONNX's order: the outputs' numbers, in order.
    pub(super) fn run(&self, inputs: &[Vec<f32>]) -> Result<Vec<Vec<f32>>, PhotoError> {
        let failed = |e: TractError| PhotoError::Internal(format!("inference: {e}"));
        let tensors = self.inputs.iter().zip(inputs);
        let tensors = tensors
            .map(|(shape, numbers)| Ok(Tensor::from_shape(shape, numbers)?.into_tvalue()))
            .collect::<TractResult<TVec<_>>>()
            .map_err(failed)?;
        let outputs = self.plan.run(tensors).map_err(failed)?;
        outputs
            .iter()
            .map(|output| {
                Ok(output
                    .to_plain_array_view::<f32>()
                    .map_err(failed)?
                    .iter()
                    .copied()
                    .collect())
            })
            .collect()
    }
}

/// An input of floats.
fn value(name: &str, shape: &[usize]) -> pb::ValueInfoProto {
    let dim = shape.iter().map(|length| Dimension {
        value: i64::try_from(*length).ok().map(dimension::Value::DimValue),
        ..Dimension::default()
    });
    let tensor = type_proto::Tensor {
        elem_type: FLOAT,
        shape: Some(pb::TensorShapeProto { dim: dim.collect() }),
    };
    pb::ValueInfoProto {
        name: name.to_owned(),
        r#type: Some(pb::TypeProto {
            value: Some(type_proto::Value::TensorType(tensor)),
            ..pb::TypeProto::default()
        }),
        ..pb::ValueInfoProto::default()
    }
}
