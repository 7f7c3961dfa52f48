//! The layers against the plainest possible computation of the same graph.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::graph::{Constant, Node};
use super::node::Attribute;
use super::*;

/// A value as ONNX sees it: `[1, channels, height, width]` or a list.
#[derive(Debug, Clone)]
struct Plain {
    dims: Vec<usize>,
    numbers: Vec<f32>,
}

impl Plain {
    /// The number at a place, which may lie in the padding.
    fn at(&self, channel: usize, y: isize, x: isize) -> Option<f32> {
        let [height, width] = [self.dims[2], self.dims[3]];
        let inside = (0..height as isize).contains(&y) && (0..width as isize).contains(&x);
        inside.then(|| self.numbers[(channel * height + y as usize) * width + x as usize])
    }
}

/// A graph under construction that computes as it grows.
struct Sketch {
    graph: Graph,
    values: HashMap<String, Plain>,
    state: u32,
}

impl Sketch {
    fn new(side: usize, seed: u32) -> Self {
        let mut sketch = Self {
            graph: Graph {
                nodes: Vec::new(),
                constants: HashMap::new(),
                input: "photo".into(),
                outputs: Vec::new(),
            },
            values: HashMap::new(),
            state: seed | 1,
        };
        let photo = sketch.plain(&[1, 3, side, side]);
        sketch.values.insert("photo".into(), photo);
        sketch
    }

    /// A number from -1 to 1 (Marsaglia's xorshift).
    fn random(&mut self) -> f32 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 17;
        self.state ^= self.state << 5;
        self.state as f32 / u32::MAX as f32 * 2.0 - 1.0
    }

    fn plain(&mut self, dims: &[usize]) -> Plain {
        let size: usize = dims.iter().product();
        Plain {
            dims: dims.to_vec(),
            numbers: (0..size).map(|_| self.random()).collect(),
        }
    }

    fn constant(&mut self, dims: &[usize]) -> (String, Plain) {
        let plain = self.plain(dims);
        let name = format!("c{}", self.graph.constants.len());
        let constant = Constant {
            dims: plain.dims.clone(),
            floats: plain.numbers.clone(),
            integers: Vec::new(),
        };
        self.graph.constants.insert(name.clone(), constant);
        (name, plain)
    }

    fn integers(&mut self, numbers: &[i64]) -> String {
        let name = format!("c{}", self.graph.constants.len());
        let constant = Constant {
            dims: vec![numbers.len()],
            floats: Vec::new(),
            integers: numbers.to_vec(),
        };
        self.graph.constants.insert(name.clone(), constant);
        name
    }

    fn node(
        &mut self,
        operator: &str,
        inputs: &[&str],
        ints: &[(&str, &[i64])],
        value: Plain,
    ) -> String {
        let output = format!("n{}", self.graph.nodes.len());
        let attributes = ints.iter().map(|(name, ints)| {
            let attribute = Attribute {
                ints: ints.to_vec(),
                i: ints[0],
                f: 0.1,
            };
            ((*name).to_owned(), attribute)
        });
        self.graph.nodes.push(Node {
            operator: operator.into(),
            inputs: inputs.iter().map(|name| (*name).to_owned()).collect(),
            output: output.clone(),
            attributes: attributes.collect(),
        });
        self.values.insert(output.clone(), value);
        output
    }

    /// Slides a window over the value: `take(channel, tap, number or None beyond the edge)` for each
    /// place and tap, then what it made of them.
    fn slide(
        &self,
        from: &str,
        channels: usize,
        [k, stride]: [usize; 2],
        pads: [usize; 4],
        window: impl Fn(usize, &dyn Fn(usize, usize, usize) -> Option<f32>) -> f32,
    ) -> Plain {
        let value = &self.values[from];
        let count = |length: usize, pads: usize| (length + pads - k) / stride + 1;
        let height = count(value.dims[2], pads[0] + pads[2]);
        let width = count(value.dims[3], pads[1] + pads[3]);
        let mut numbers = Vec::new();
        for channel in 0..channels {
            for y in 0..height {
                for x in 0..width {
                    let at = |c: usize, i: usize, j: usize| {
                        let y = (y * stride + i) as isize - pads[0] as isize;
                        let x = (x * stride + j) as isize - pads[1] as isize;
                        value.at(c, y, x)
                    };
                    numbers.push(window(channel, &at));
                }
            }
        }
        Plain {
            dims: vec![1, channels, height, width],
            numbers,
        }
    }

    fn conv(&mut self, from: &str, out: usize, size: [usize; 2], pads: [usize; 4]) -> String {
        let inputs = self.values[from].dims[1];
        let [k, stride] = size;
        let (weights_name, weights) = self.constant(&[out, inputs, k, k]);
        let (bias_name, bias) = self.constant(&[out]);
        let value = self.slide(from, out, size, pads, |o, at| {
            let taps = (0..inputs * k * k).map(|n| {
                let (i, y, x) = (n / (k * k), n / k % k, n % k);
                weights.numbers[o * inputs * k * k + n] * at(i, y, x).unwrap_or(0.0)
            });
            bias.numbers[o] + taps.sum::<f32>()
        });
        let window = window(k, stride, pads);
        self.node(
            "Conv",
            &[from, &weights_name, &bias_name],
            &borrowed(&window),
            value,
        )
    }

    fn depthwise(&mut self, from: &str, stride: usize, pads: [usize; 4]) -> String {
        let channels = self.values[from].dims[1];
        let (weights_name, weights) = self.constant(&[channels, 1, 3, 3]);
        let value = self.slide(from, channels, [3, stride], pads, |c, at| {
            let tap = |n: usize| weights.numbers[c * 9 + n] * at(c, n / 3, n % 3).unwrap_or(0.0);
            (0..9).map(tap).sum()
        });
        let mut window = window(3, stride, pads);
        window.push(("group", vec![channels as i64]));
        self.node("Conv", &[from, &weights_name], &borrowed(&window), value)
    }

    fn pool(&mut self, operator: &str, from: &str, size: [usize; 2], pads: [usize; 4]) -> String {
        let [k, stride] = size;
        let channels = self.values[from].dims[1];
        let value = self.slide(from, channels, size, pads, |c, at| {
            let taps = (0..k * k).filter_map(|n| at(c, n / k, n % k));
            if operator == "MaxPool" {
                taps.fold(f32::NEG_INFINITY, f32::max)
            } else {
                taps.sum::<f32>() / (k * k) as f32
            }
        });
        self.node(
            operator,
            &[from],
            &borrowed(&window(k, stride, pads)),
            value,
        )
    }

    fn each(&mut self, operator: &str, from: &str, change: impl Fn(f32) -> f32) -> String {
        let mut value = self.values[from].clone();
        value.numbers.iter_mut().for_each(|n| *n = change(*n));
        let alpha: &[(&str, &[i64])] = if operator == "LeakyRelu" {
            &[("alpha", &[0])]
        } else {
            &[]
        };
        self.node(operator, &[from], alpha, value)
    }

    fn relu(&mut self, from: &str) -> String {
        self.each("Relu", from, |n| n.max(0.0))
    }

    /// A rectifier with a slope of its own for each channel.
    fn prelu(&mut self, from: &str) -> String {
        let mut value = self.values[from].clone();
        let channels = value.dims[1];
        let (name, slopes) = self.constant(&[channels, 1, 1]);
        let size = value.numbers.len() / channels;
        for (channel, slope) in value.numbers.chunks_mut(size).zip(&slopes.numbers) {
            let numbers = channel.iter_mut().filter(|n| **n < 0.0);
            numbers.for_each(|n| *n *= 3.0 * slope);
        }
        let slopes = self.graph.constants.get_mut(&name).unwrap();
        slopes.floats.iter_mut().for_each(|slope| *slope *= 3.0);
        self.node("PRelu", &[from, &name], &[], value)
    }

    fn add(&mut self, one: &str, two: &str) -> String {
        let mut value = self.values[one].clone();
        let other = self.values[two].numbers.iter();
        value
            .numbers
            .iter_mut()
            .zip(other)
            .for_each(|(n, o)| *n += o);
        self.node("Add", &[one, two], &[], value)
    }

    /// Zeros behind: channels, rows, columns.
    fn pad(&mut self, from: &str, [c, y, x]: [usize; 3]) -> String {
        let old = self.values[from].clone();
        let dims = [1, old.dims[1] + c, old.dims[2] + y, old.dims[3] + x];
        let mut numbers = Vec::new();
        for channel in 0..dims[1] {
            for y in 0..dims[2] {
                for x in 0..dims[3] {
                    let inside = channel < old.dims[1];
                    let number = inside.then(|| old.at(channel, y as isize, x as isize));
                    numbers.push(number.flatten().unwrap_or(0.0));
                }
            }
        }
        let value = Plain {
            dims: dims.to_vec(),
            numbers,
        };
        let pads = self.integers(&[0, 0, 0, 0, 0, c as i64, y as i64, x as i64]);
        self.node("Pad", &[from, &pads], &[], value)
    }

    /// The mean of each channel, as a list, times a matrix.
    fn product(&mut self, from: &str, out: usize) -> String {
        let dims = self.values[from].dims.clone();
        let (channels, size) = (dims[1], dims[2] * dims[3]);
        let sums = self.values[from].numbers.chunks(size);
        let means: Vec<f32> = sums.map(|c| c.iter().sum::<f32>() / size as f32).collect();
        let list = |dims: Vec<usize>, numbers: Vec<f32>| Plain { dims, numbers };
        let mean = list(vec![1, channels, 1, 1], means.clone());
        let mean = self.node("GlobalAveragePool", &[from], &[], mean);
        let shape = self.integers(&[1, channels as i64]);
        let flat = list(vec![1, channels], means.clone());
        let flat = self.node("Reshape", &[&mean, &shape], &[], flat);
        let (name, matrix) = self.constant(&[channels, out]);
        let column = |o: usize| (0..channels).map(move |i| (i, i * out + o));
        let numbers = (0..out)
            .map(|o| column(o).map(|(i, at)| means[i] * matrix.numbers[at]).sum())
            .collect();
        self.node("Gemm", &[&flat, &name], &[], list(vec![1, out], numbers))
    }

    /// Runs the layers on every kind of processor there is here, one photo and three, and compares.
    fn check(mut self, output: &str) {
        self.graph.outputs.push(output.to_owned());
        let photo = self.values["photo"].clone();
        let side = photo.dims[2];
        for arch in arches() {
            let layers = Layers::of(&self.graph, side, arch).unwrap();
            assert_eq!(layers.shapes(), [self.values[output].dims.clone()]);
            // Twice, since the second run finds the memory of the first.
            for photos in [1, 3, 1] {
                let answers = layers.run(photos, |_, y, row| {
                    for (n, number) in row.iter_mut().enumerate() {
                        *number = photo.at(n % 3, y as isize, (n / 3) as isize).unwrap();
                    }
                });
                assert_eq!(answers.len(), photos);
                for answer in answers {
                    near(&answer[0], &self.values[output].numbers);
                }
            }
        }
    }
}

fn near(ours: &[f32], plain: &[f32]) {
    assert_eq!(ours.len(), plain.len());
    for (i, (a, b)) in ours.iter().zip(plain).enumerate() {
        assert!(
            (a - b).abs() <= 1e-4 * b.abs().max(1.0),
            "number {i}: {a} for {b}"
        );
    }
}

fn window(k: usize, stride: usize, pads: [usize; 4]) -> Vec<(&'static str, Vec<i64>)> {
    vec![
        ("kernel_shape", vec![k as i64; 2]),
        ("strides", vec![stride as i64; 2]),
        ("pads", pads.map(|p| p as i64).to_vec()),
    ]
}

fn borrowed<'a>(window: &'a [(&'static str, Vec<i64>)]) -> Vec<(&'a str, &'a [i64])> {
    window
        .iter()
        .map(|(name, ints)| (*name, ints.as_slice()))
        .collect()
}

/// Plain instructions and all vector ones this processor has.
fn arches() -> Vec<Arch> {
    let mut arches = vec![Arch::Scalar, Arch::new()];
    #[cfg(target_arch = "x86_64")]
    arches.extend(pulp::x86::V3::try_new().map(Arch::V3));
    arches
}

#[test]
fn convolutions_of_any_size_and_stride() {
    let strategy = (
        (4_usize..12, 1_usize..70, 1_usize..4, 1_usize..3),
        prop::array::uniform4(0_usize..3),
        any::<u32>(),
    );
    let config = Config {
        cases: 40,
        failure_persistence: None,
        ..Config::default()
    };
    let case = |((side, out, k, stride), pads, seed): (_, [usize; 4], _)| {
        let mut sketch = Sketch::new(side, seed);
        let pads = pads.map(|p| p.min(k - 1));
        let first = sketch.conv("photo", 17, [k, stride], pads);
        let output = sketch.conv(&first, out, [1, 1], [0; 4]);
        sketch.check(&output);
        Ok(())
    };
    TestRunner::new(config).run(&strategy, case).unwrap();
}

#[test]
fn every_layer_in_one_network() {
    let mut sketch = Sketch::new(21, 7);
    let a = sketch.conv("photo", 20, [7, 2], [3, 2, 3, 3]);
    let a = sketch.relu(&a);
    let b = sketch.depthwise(&a, 1, [1, 1, 1, 1]);
    let c = sketch.conv(&b, 20, [3, 1], [1, 1, 1, 1]);
    let c = sketch.each("LeakyRelu", &c, |n| if n < 0.0 { 0.1 * n } else { n });
    // Read twice: by the sum and by what follows.
    let d = sketch.add(&c, &a);
    let e = sketch.relu(&d);
    let f = sketch.depthwise(&e, 2, [0, 0, 1, 1]);
    let g = sketch.pool("AveragePool", &d, [2, 2], [0; 4]);
    let g = sketch.pad(&g, [0, 1, 1]);
    let f = sketch.pad(&f, [0, 0, 0]);
    let h = if sketch.values[&f].dims == sketch.values[&g].dims {
        sketch.add(&f, &g)
    } else {
        f
    };
    let i = sketch.pool("MaxPool", &h, [2, 1], [0, 0, 1, 1]);
    let i = sketch.prelu(&i);
    let j = sketch.conv(&i, 19, [1, 1], [0; 4]);
    let j = sketch.prelu(&j);
    let j = sketch.depthwise(&j, 1, [1, 1, 1, 1]);
    let j = sketch.prelu(&j);
    let j = sketch.each("Sigmoid", &j, |n| 1.0 / (1.0 + (-n).exp()));
    let j = sketch.pad(&j, [13, 0, 0]);
    let output = sketch.product(&j, 9);
    sketch.check(&output);
}

#[test]
fn a_picture_comes_out_channel_by_channel() {
    let mut sketch = Sketch::new(6, 3);
    let output = sketch.conv("photo", 25, [1, 1], [0; 4]);
    assert_eq!(sketch.values[&output].dims, [1, 25, 6, 6]);
    sketch.check(&output);
}

#[test]
fn what_is_not_known_is_said() {
    let unknown = |change: &dyn Fn(&mut Sketch, &str) -> String| {
        let mut sketch = Sketch::new(8, 5);
        let a = sketch.conv("photo", 4, [3, 1], [0; 4]);
        let output = change(&mut sketch, &a);
        sketch.graph.outputs.push(output);
        Layers::of(&sketch.graph, 8, Arch::new()).err().unwrap()
    };
    let odd = |name: &'static str, operator: &'static str, attributes: &[(&str, &[i64])]| {
        unknown(&|sketch, a| {
            let value = sketch.values[a].clone();
            sketch.node(operator, &[a], attributes, value)
        })
        .contains(name)
    };
    assert!(odd("Softmax", "Softmax", &[]));
    assert!(odd("ceil_mode", "MaxPool", &[("ceil_mode", &[1])]));
    assert!(odd("odd window", "MaxPool", &[("kernel_shape", &[0, 0])]));
    assert!(odd(
        "odd window",
        "MaxPool",
        &[("kernel_shape", &[2, 2]), ("pads", &[2, 0, 0, 0])]
    ));
    let prelu = |dims: &'static [usize]| {
        unknown(&|sketch, a| {
            let (slopes, _) = sketch.constant(dims);
            let value = sketch.values[a].clone();
            sketch.node("PRelu", &[a, &slopes], &[], value)
        })
    };
    assert!(prelu(&[5, 1, 1]).contains("a slope for each channel"));
    assert!(prelu(&[1, 4, 1]).contains("a slope for each channel"));
    assert!(unknown(&|_, _| "nowhere".into()).contains("not computed"));
    assert!(unknown(&|sketch, a| sketch.add(a, "photo")).contains("Add of different shapes"));
    assert!(unknown(&|sketch, _| sketch.relu("photo")).contains("no convolution reads"));
}
