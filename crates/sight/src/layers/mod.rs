//! A small runtime of our own for the few layers that face networks are made of.
//!
//! It knows convolutions (over all channels, and 3x3 over each by itself), poolings, sums, rectifiers,
//! matrix products and the logistic function, on one thread, with pictures in memory as convolutions
//! like them best. What it knows it does in a third of the time of the general runtime; a network with
//! anything else is left to that one, or its end if that is light. Instructions are chosen as the
//! program runs (AVX-512, AVX2, NEON or plain).
//! Why this is here: `docs/decisions/0022-own-layers.md`.

mod activation;
mod build;
mod conv;
mod depthwise;
mod fold;
mod graph;
mod layout;
mod node;
mod onnx;
mod simple;
mod slots;
#[cfg(test)]
mod tests;
mod window;

use std::sync::{Mutex, PoisonError};

use pulp::Arch;

use self::build::{Draft, Drafts, Kind};
use self::conv::Conv;
use self::depthwise::Depthwise;
use self::graph::Graph;
use self::layout::Layout;
use self::simple::{Pool, Sum, logistic, widen};
use self::slots::Slots;

/// What is in a network that these layers do not know.
pub type Unknown = String;

/// A network, ready to run.
pub struct Layers {
    arch: Arch,
    steps: Vec<Step>,
    values: Vec<Layout>,
    slots: Slots,
    outputs: Vec<Output>,
    /// Memory that no run uses at the moment; each run takes one or makes one.
    spare: Mutex<Vec<Memory>>,
}

/// Numbers of one slot each.
type Memory = Vec<Vec<f32>>;

/// One output: the value it is, and its shape as ONNX sees it.
#[derive(Debug, Clone)]
struct Output {
    name: String,
    value: usize,
    dims: Vec<usize>,
}

/// Where the part of a network that these layers know ends.
pub struct Cut {
    /// Names and shapes of the values that the rest starts from: the outputs of the known part.
    pub values: Vec<(String, Vec<usize>)>,
    /// Outputs of the nodes that are left.
    pub left: Vec<String>,
}

/// One layer and the values it reads and writes.
struct Step {
    layer: Layer,
    from: usize,
    other: Option<usize>,
    to: usize,
}

enum Layer {
    Conv(Conv),
    Depthwise(Depthwise),
    Pool(Pool),
    Sum(Sum),
    Widen,
    Logistic,
}

impl Layers {
    /// Reads the ONNX file `bytes` for photos of this side, or says what in it is not known here. What only
    /// a light end of the network needs may be left over.
    pub fn load(bytes: &[u8], side: usize) -> Result<(Self, Option<Cut>), Unknown> {
        let graph = Graph::read(bytes)?;
        let drafts = build::drafts(&graph, side)?;
        let left: Vec<String> = drafts
            .left
            .iter()
            .map(|(output, _)| output.clone())
            .collect();
        let heavy = |node: &&graph::Node| node.is_heavy() && left.contains(&node.output);
        if let Some(node) = graph.nodes.iter().find(heavy) {
            return Err(format!("{} that is not known", node.operator));
        }
        let layers = Self::new(drafts, Arch::new());
        let values = layers
            .outputs
            .iter()
            .map(|o| (o.name.clone(), o.dims.clone()));
        let values = values.collect();
        let cut = (!left.is_empty()).then_some(Cut { values, left });
        Ok((layers, cut))
    }

    #[cfg(test)]
    fn of(graph: &Graph, side: usize, arch: Arch) -> Result<Self, Unknown> {
        let drafts = build::drafts(graph, side)?;
        match drafts.left.first() {
            Some((_, unknown)) => Err(unknown.clone()),
            None => Ok(Self::new(drafts, arch)),
        }
    }

    fn new(drafts: Drafts, arch: Arch) -> Self {
        let Drafts {
            layers,
            values,
            outputs,
            ..
        } = drafts;
        let slots = Slots::assign(&layers, &values, &outputs);
        let steps = layers.into_iter().map(|l| Step::new(l, &values, arch));
        Self {
            arch,
            steps: steps.collect(),
            values,
            slots,
            outputs,
            spare: Mutex::default(),
        }
    }

    /// The shapes of the outputs, in order.
    pub fn shapes(&self) -> Vec<Vec<usize>> {
        self.outputs.iter().map(|o| o.dims.clone()).collect()
    }

    /// Multiplications for one photo, but for layers that hardly count.
    pub fn multiplications(&self) -> usize {
        let of = |step: &Step| match &step.layer {
            Layer::Conv(conv) => conv.multiplications(),
            Layer::Depthwise(layer) => layer.multiplications(),
            _ => 0,
        };
        self.steps.iter().map(of).sum()
    }

    /// Runs photos through together: of each, its outputs' numbers. `write(i, y, row)` is to write row
    /// `y` of photo `i`: red, green, blue of one pixel after the other.
    pub fn run(
        &self,
        photos: usize,
        write: impl Fn(usize, usize, &mut [f32]),
    ) -> Vec<Vec<Vec<f32>>> {
        let mut memory = self.lock().pop().unwrap_or_default();
        memory.resize_with(self.slots.sizes.len(), Vec::new);
        for (slot, size) in memory.iter_mut().zip(&self.slots.sizes) {
            if slot.len() < size * photos {
                slot.resize(size * photos, 0.0);
            }
        }
        self.photos(photos, write, &mut memory);
        for step in &self.steps {
            self.step(step, photos, &mut memory);
        }
        let outputs = (0..photos)
            .map(|i| {
                self.outputs
                    .iter()
                    .map(|o| self.output(o, i, &memory))
                    .collect()
            })
            .collect();
        // What is left in memory shows a face to whoever knows how to look.
        for slot in &mut memory {
            slot.fill(0.0);
        }
        self.lock().push(std::hint::black_box(memory));
        outputs
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Memory>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn photos(&self, photos: usize, write: impl Fn(usize, usize, &mut [f32]), memory: &mut Memory) {
        let layout = self.values[0];
        let pictures = memory[self.slots.of[0]].chunks_exact_mut(layout.size());
        for (i, picture) in pictures.take(photos).enumerate() {
            layout.clear_margin(picture);
            for y in 0..layout.height {
                let start = layout.at(y, 0);
                write(
                    i,
                    y,
                    &mut picture[start..start + layout.width * layout.stored],
                );
            }
        }
    }

    fn step(&self, step: &Step, photos: usize, memory: &mut Memory) {
        let [from, to] = [self.values[step.from], self.values[step.to]];
        // Taken out while the others are read.
        let slot = self.slots.of[step.to];
        let mut target = std::mem::take(&mut memory[slot]);
        let output = &mut target[..to.size() * photos];
        for picture in output.chunks_exact_mut(to.size()) {
            to.clear_margin(picture);
        }
        let read = |value: usize| {
            let size = self.values[value].size() * photos;
            &memory[self.slots.of[value]][..size]
        };
        let input = read(step.from);
        match &step.layer {
            Layer::Conv(conv) => conv.run(self.arch, input, output),
            Layer::Depthwise(layer) => layer.run(self.arch, input, output),
            Layer::Pool(pool) => pool.run(self.arch, input, output),
            Layer::Sum(sum) => {
                let other = step.other.map(read).unwrap_or_default();
                sum.run(self.arch, input, other, output);
            }
            Layer::Widen => widen([&from, &to], input, output),
            Layer::Logistic => logistic([&from, &to], input, output),
        }
        memory[slot] = target;
    }

    /// An output's numbers in ONNX's order: channel by channel.
    fn output(&self, output: &Output, photo: usize, memory: &Memory) -> Vec<f32> {
        let layout = self.values[output.value];
        let picture = &memory[self.slots.of[output.value]][photo * layout.size()..];
        let mut numbers = Vec::with_capacity(layout.channels * layout.height * layout.width);
        for channel in 0..layout.channels {
            for y in 0..layout.height {
                let row = (0..layout.width).map(|x| picture[layout.at(y, x) + channel]);
                numbers.extend(row);
            }
        }
        numbers
    }
}

impl Step {
    fn new(draft: Draft, values: &[Layout], arch: Arch) -> Self {
        let Draft {
            kind,
            from,
            other,
            to,
            activation,
        } = draft;
        let layouts = [values[from], values[to]];
        let layer = match kind {
            Kind::Conv(window, w) => Layer::Conv(Conv::new(
                arch, window, layouts, &w.weights, &w.bias, activation,
            )),
            Kind::Depthwise(window, w) => Layer::Depthwise(Depthwise::new(
                window, layouts, &w.weights, &w.bias, activation,
            )),
            Kind::Pool(pooling, window) => Layer::Pool(Pool {
                pooling,
                window,
                from: values[from],
                to: values[to],
            }),
            Kind::Sum => Layer::Sum(Sum {
                from: values[from],
                other: other.map(|value| values[value]),
                to: values[to],
                rectifier: activation.over(&values[to]),
            }),
            Kind::Widen => Layer::Widen,
            Kind::Logistic => Layer::Logistic,
        };
        Self {
            layer,
            from,
            other,
            to,
        }
    }
}
