//! One neural network, run by tract. Nothing outside this file knows which runtime it is.

use tract_onnx::prelude::*;

use crate::PhotoError;
use crate::image::Image;
use crate::pack::InputSpec;

/// Which part of a pack failed, and how.
pub(crate) type NetError = String;

/// A network with one square image as input, ready to run. Runs may be concurrent.
pub(crate) struct Net {
    plan: std::sync::Arc<TypedRunnableModel>,
    input: InputSpec,
    shapes: Vec<Vec<usize>>,
}

impl Net {
    /// Prepares the ONNX file `bytes` for its input of shape `[1, 3, side, side]`.
    ///
    /// `outputs` are the shapes its outputs must have, in order; anything else is refused.
    pub(crate) fn load(
        bytes: &[u8],
        input: InputSpec,
        outputs: &[&[usize]],
    ) -> Result<Self, NetError> {
        let shape = [1, 3, input.side, input.side];
        let model = tract_onnx::onnx()
            .model_for_read(&mut &*bytes)
            .and_then(|m| m.with_input_fact(0, f32::fact(shape).into()))
            .and_then(|m| m.into_optimized())
            .map_err(|e| format!("is no network for {0}x{0} pixels ({e})", input.side))?;
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
        let net = Self {
            plan,
            input,
            shapes,
        };
        net.check_outputs(outputs)?;
        Ok(net)
    }

    /// The shape of output number `i`; empty if there is no such output.
    pub(crate) fn output_shape(&self, i: usize) -> &[usize] {
        self.shapes.get(i).map_or(&[], Vec::as_slice)
    }

    /// Refuses the network unless its outputs begin with these shapes.
    pub(crate) fn check_outputs(&self, wanted: &[&[usize]]) -> Result<(), NetError> {
        match wanted
            .iter()
            .enumerate()
            .find(|(i, shape)| self.output_shape(*i) != **shape)
        {
            Some((i, shape)) => Err(format!(
                "gives {:?} where {shape:?} is expected",
                self.output_shape(i)
            )),
            None => Ok(()),
        }
    }

    /// Side of the square input, in pixels.
    pub(crate) fn side(&self) -> usize {
        self.input.side
    }

    /// Runs the network on a square picture of the input's side; the outputs' numbers, in order.
    pub(crate) fn run(&self, image: &Image) -> Result<Vec<Vec<f32>>, PhotoError> {
        let side = self.input.side;
        if image.width() != side || image.height() != side {
            return Err(PhotoError::Internal(format!(
                "expected {side}x{side} pixels"
            )));
        }
        self.run_raw(&self.input.tensor(image.data()))
    }

    /// Runs the network on prepared numbers.
    fn run_raw(&self, values: &[f32]) -> Result<Vec<Vec<f32>>, PhotoError> {
        let side = self.input.side;
        let failed = |e: TractError| PhotoError::Internal(format!("inference: {e}"));
        let tensor = Tensor::from_shape(&[1, 3, side, side], values).map_err(failed)?;
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
