//! Any network: the runtime for what our own layers do not know, tract.

use tract_onnx::prelude::*;

use super::NetError;
use crate::PhotoError;

/// A network that tract runs.
pub(super) struct General {
    plan: std::sync::Arc<TypedRunnableModel>,
    shapes: Vec<Vec<usize>>,
    side: usize,
}

impl General {
    /// Prepares the ONNX file `bytes` for its input of shape `[1, 3, side, side]`.
    pub(super) fn load(bytes: &[u8], side: usize) -> Result<Self, NetError> {
        let model = tract_onnx::onnx()
            .model_for_read(&mut &*bytes)
            .and_then(|m| m.with_input_fact(0, f32::fact([1, 3, side, side]).into()))
            .and_then(|m| m.into_optimized())
            .map_err(|e| format!("is no network for {side}x{side} pixels ({e})"))?;
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
        Ok(Self { plan, shapes, side })
    }

    /// The shapes of the outputs, in order.
    pub(super) fn shapes(&self) -> Vec<Vec<usize>> {
        self.shapes.clone()
    }

    /// Runs one photo through, its numbers channel by channel: the outputs' numbers, in order.
    pub(super) fn run(&self, photo: &[f32]) -> Result<Vec<Vec<f32>>, PhotoError> {
        let failed = |e: TractError| PhotoError::Internal(format!("inference: {e}"));
        let shape = [1, 3, self.side, self.side];
        let tensor = Tensor::from_shape(&shape, photo).map_err(failed)?;
        let outputs = self.plan.run(tvec!(tensor.into_tvalue())).map_err(failed)?;
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
