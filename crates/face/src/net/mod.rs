//! One neural network. Nothing outside this folder knows which runtime it is.

mod error;
mod general;

pub(crate) use self::error::NetError;
use self::general::General;
use sight::layers::Layers;

use crate::PhotoError;
use crate::image::Image;
use crate::pack::InputSpec;
use crate::timings::{Stopwatch, Work};

/// What cutting a pixel of the input out of a picture costs, as multiplications.
const A_PIXEL: usize = 600;
/// Multiplications for each pixel of the input, where nobody counts them: of the default pack's networks the heaviest
/// has fourteen times as many, the lightest a fourth.
const USUAL_COST: usize = 3000;

/// A network with one square image as input, ready to run. Runs may be concurrent.
pub(crate) struct Net {
    runtime: Runtime,
    input: InputSpec,
    shapes: Vec<Vec<usize>>,
    watch: Stopwatch,
}

/// What runs a network: our own layers, if they know all of it or all but its light end.
enum Runtime {
    Own(Box<Layers>, Option<General>),
    General(General),
}

impl Runtime {
    fn load(bytes: &[u8], side: usize) -> Result<Self, NetError> {
        let own = Layers::load(bytes, side).and_then(|(layers, cut)| {
            let rest = cut.map(|cut| General::rest(bytes, cut)).transpose()?;
            Ok(Self::Own(Box::new(layers), rest))
        });
        own.or_else(|_| General::load(bytes, side).map(Self::General))
    }

    fn shapes(&self) -> Vec<Vec<usize>> {
        match self {
            Self::Own(layers, None) => layers.shapes(),
            Self::Own(_, Some(last)) | Self::General(last) => last.shapes(),
        }
    }
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
        let runtime = Runtime::load(bytes, input.side)?;
        let net = Self {
            shapes: runtime.shapes(),
            runtime,
            input,
            watch: Stopwatch::default(),
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

    /// The runs so far.
    pub(crate) fn work(&self) -> Work {
        self.watch.work()
    }

    /// What a run costs with cutting out its picture, in multiplications: counted where our own layers run it, else
    /// estimated.
    pub(crate) fn cost(&self) -> u64 {
        let count = match &self.runtime {
            Runtime::Own(layers, _) => layers.multiplications(),
            Runtime::General(_) => self.input.side.pow(2) * USUAL_COST,
        };
        (count + self.input.side.pow(2) * A_PIXEL) as u64
    }

    /// Runs the network on a square picture of the input's side; the outputs' numbers, in order.
    pub(crate) fn run(&self, image: &Image) -> Result<Vec<Vec<f32>>, PhotoError> {
        let [outputs] = self.run_all([image])?;
        Ok(outputs)
    }

    /// Runs the network on some pictures at once, which takes less time than one after the other.
    pub(crate) fn run_all<const N: usize>(
        &self,
        images: [&Image; N],
    ) -> Result<[Vec<Vec<f32>>; N], PhotoError> {
        let side = self.input.side;
        if images
            .iter()
            .any(|i| i.width() != side || i.height() != side)
        {
            return Err(PhotoError::Internal(format!(
                "expected {side}x{side} pixels"
            )));
        }
        let all = self.watch.time_many(N as u64, || match &self.runtime {
            Runtime::Own(layers, rest) => {
                let all = layers.run(N, |i, y, row| {
                    self.write_row(&images[i].data()[y * side * 3..][..side * 3], row);
                });
                match rest {
                    Some(rest) => all.iter().map(|values| rest.run(values)).collect(),
                    None => Ok(all),
                }
            }
            Runtime::General(general) => images
                .iter()
                .map(|image| general.run(&[self.input.tensor(image.data())]))
                .collect(),
        })?;
        <[_; N]>::try_from(all).map_err(|_| PhotoError::Internal("outputs are missing".into()))
    }

    /// The numbers of a row of pixels, as the network wants them.
    fn write_row(&self, pixels: &[u8], row: &mut [f32]) {
        let pixels = pixels.as_chunks::<3>().0.iter();
        for (target, pixel) in row.as_chunks_mut::<3>().0.iter_mut().zip(pixels) {
            *target = self.input.numbers(*pixel);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::Runtime;

    #[test]
    fn our_layers_run_the_packs_but_for_the_light_end_of_one_detector() {
        let packs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/build");
        let runtime = |file: &str, side| {
            let bytes = std::fs::read(packs.join(file)).expect("run `make models`");
            Runtime::load(&bytes, side).unwrap()
        };
        for (file, side) in [
            ("default/tiny_face_detector.onnx", 224),
            ("default/face_landmark_68.onnx", 112),
            ("default/facemesh.onnx", 192),
            ("default/sface.onnx", 112),
            ("dlib/face_recognition.onnx", 150),
        ] {
            assert!(
                matches!(runtime(file, side), Runtime::Own(_, None)),
                "{file}"
            );
        }
        let strong = runtime("default/ssd_mobilenetv1.onnx", 512);
        assert!(matches!(strong, Runtime::Own(_, Some(_))));
        assert_eq!(strong.shapes(), [vec![1, 5118, 4], vec![1, 5118]]);
    }
}
