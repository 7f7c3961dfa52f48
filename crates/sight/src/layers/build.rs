//! From an ONNX graph to the layers that compute it. What is not known here is refused, with the reason.

use std::collections::HashMap;

use super::activation::Activation;
use super::graph::{Constant, Graph, Node};
use super::layout::{Layout, Margin};
use super::simple::Pooling;
use super::window::Window;
use super::{Output, Unknown};

/// A layer before its values have their places in memory.
pub(super) struct Draft {
    pub kind: Kind,
    /// Values read, by number; the first is the one a window slides over.
    pub from: usize,
    pub other: Option<usize>,
    pub to: usize,
    pub activation: Activation,
}

/// What a layer does.
pub(super) enum Kind {
    Conv(Window, Weights),
    Depthwise(Window, Weights),
    Pool(Pooling, Window),
    Sum,
    Widen,
    Logistic,
}

/// Weights and bias as ONNX has them.
pub(super) struct Weights {
    pub weights: Vec<f32>,
    pub bias: Vec<f32>,
}

/// Layers in the order in which they run, and their values; value 0 is the photo.
pub(super) struct Drafts {
    pub layers: Vec<Draft>,
    pub values: Vec<Layout>,
    pub outputs: Vec<Output>,
    /// What is not known here and what needs it, in order, each with the reason.
    pub left: Vec<(String, Unknown)>,
}

/// Builds the layers of a network for photos of this side, as far as they are known here. If some are not,
/// the outputs are what the others need.
///
/// # Errors
/// Where even what is known cannot be run.
pub(super) fn drafts(graph: &Graph, side: usize) -> Result<Drafts, Unknown> {
    let mut builder = Builder {
        graph,
        names: HashMap::from([(graph.input.as_str(), (0, vec![1, 3, side, side]))]),
        drafts: Drafts {
            layers: Vec::new(),
            values: vec![Layout::photo(side)],
            outputs: Vec::new(),
            left: Vec::new(),
        },
    };
    let mut needed = Vec::new();
    for node in &graph.nodes {
        if let Err(unknown) = builder.node(node) {
            builder.drafts.left.push((node.output.clone(), unknown));
            needed.extend(&node.inputs);
        }
    }
    for name in &graph.outputs {
        if !builder.drafts.left.iter().any(|(left, _)| left == name) {
            builder.value(name)?;
        }
        needed.push(name);
    }
    for name in needed {
        let there = builder.drafts.outputs.iter().any(|o| o.name == *name);
        if let (false, Some((value, dims))) = (there, builder.names.get(name.as_str()).cloned()) {
            let name = name.clone();
            builder.drafts.outputs.push(Output { name, value, dims });
        }
    }
    builder.drafts.give_margins()?;
    Ok(builder.drafts)
}

impl Drafts {
    /// Gives each value the margin that its readers' windows need.
    fn give_margins(&mut self) -> Result<(), Unknown> {
        for layer in &self.layers {
            let margin = match &layer.kind {
                Kind::Conv(window, _) | Kind::Depthwise(window, _) => window.pads,
                _ => Margin::default(),
            };
            if layer.from == 0 && !matches!(layer.kind, Kind::Conv(..)) {
                return Err("a photo that no convolution reads".into());
            }
            let value = &mut self.values[layer.from];
            value.margin = value.margin.join(margin);
        }
        Ok(())
    }
}

struct Builder<'a> {
    graph: &'a Graph,
    /// Each value's number and its shape as ONNX sees it.
    names: HashMap<&'a str, (usize, Vec<usize>)>,
    drafts: Drafts,
}

impl<'a> Builder<'a> {
    fn node(&mut self, node: &'a Node) -> Result<(), Unknown> {
        match node.operator.as_str() {
            "Conv" => self.conv(node),
            "Gemm" => self.product(node),
            "MaxPool" => self.pool(node, Pooling::Max),
            "AveragePool" => self.pool(node, Pooling::Mean),
            "GlobalAveragePool" => self.pool_all(node),
            "Add" => self.sum(node),
            "Relu" | "LeakyRelu" | "PRelu" | "Clip" => self.activation(node),
            "Sigmoid" => self.logistic(node),
            "Pad" => self.pad(node),
            "Reshape" => self.reshape(node),
            "Identity" => {
                let value = self.value(input(node, 0)?)?;
                self.names.insert(&node.output, value);
                Ok(())
            }
            other => Err(other.to_owned()),
        }
    }

    fn value(&self, name: &str) -> Result<(usize, Vec<usize>), Unknown> {
        self.names
            .get(name)
            .cloned()
            .ok_or_else(|| format!("{name}, which is not computed"))
    }

    fn constant(&self, node: &Node, i: usize) -> Result<&'a Constant, Unknown> {
        let name = input(node, i)?;
        self.graph
            .constants
            .get(name)
            .ok_or_else(|| format!("{} with a computed {name}", node.operator))
    }

    /// The numbers of an optional constant.
    fn floats(&self, node: &Node, i: usize) -> Result<Option<&'a [f32]>, Unknown> {
        match node.inputs.get(i) {
            Some(name) if !name.is_empty() => Ok(Some(&self.constant(node, i)?.floats)),
            _ => Ok(None),
        }
    }

    /// One number for each of the `out` channels, or none at all.
    fn bias(&self, node: &Node, out: usize) -> Result<Vec<f32>, Unknown> {
        let bias = self.floats(node, 2)?.unwrap_or_default();
        if !bias.is_empty() && bias.len() != out {
            return Err(format!("{} with an odd bias", node.operator));
        }
        Ok(bias.to_vec())
    }

    /// Adds a layer with a new value of this layout.
    fn layer(&mut self, node: &'a Node, kind: Kind, from: usize, to: Layout) {
        let number = self.drafts.values.len();
        self.drafts.values.push(to);
        self.drafts.layers.push(Draft {
            kind,
            from,
            other: None,
            to: number,
            activation: Activation::none(),
        });
        let dims = vec![1, to.channels, to.height, to.width];
        self.names.insert(&node.output, (number, dims));
    }

    fn window(&self, node: &Node, size: Option<[usize; 2]>) -> Result<Window, Unknown> {
        let size = match size {
            Some(size) => size,
            None => node.sizes("kernel_shape", 0)?,
        };
        let pads: [usize; 4] = node.sizes("pads", 0)?;
        let stride = node.sizes("strides", 1)?;
        let sane = size.iter().chain(&stride).all(|n| (1..=64).contains(n))
            && (0..4).all(|i| pads[i] < size[i % 2]);
        if !sane || node.sizes("dilations", 1)? != [1, 1] {
            return Err(format!("{} with an odd window", node.operator));
        }
        Ok(Window {
            size,
            stride,
            pads: Margin::new(pads),
        })
    }

    fn conv(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&["kernel_shape", "strides", "pads", "dilations", "group"])?;
        let (from, _) = self.value(input(node, 0)?)?;
        let layout = self.drafts.values[from];
        let weights = self.constant(node, 1)?;
        let [out, inputs, height, width] = weights.dims[..] else {
            return Err("Conv over other than two dimensions".into());
        };
        let window = self.window(node, Some([height, width]))?;
        let [rows, columns] = window.places(&layout).ok_or("Conv of less than a window")?;
        let to = Layout::inner(rows, columns, out);
        let numbers = Weights {
            weights: weights.floats.clone(),
            bias: self.bias(node, out)?,
        };
        if numbers.weights.is_empty() {
            return Err("Conv with weights that are no floats".into());
        }
        let group = node.integer("group", 1);
        let kind = if group == 1 && inputs == layout.channels {
            Kind::Conv(window, numbers)
        } else if inputs == 1
            && out == layout.channels
            && usize::try_from(group) == Ok(out)
            && super::depthwise::Depthwise::knows(&window)
        {
            Kind::Depthwise(window, numbers)
        } else {
            return Err(format!("Conv in {group} groups"));
        };
        self.layer(node, kind, from, to);
        Ok(())
    }

    /// A matrix product with a list: a convolution over its one pixel.
    fn product(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&["alpha", "beta", "transA", "transB"])?;
        let plain = node.float("alpha", 1.0) == 1.0 && node.float("beta", 1.0) == 1.0;
        let (from, _) = self.value(input(node, 0)?)?;
        let matrix = self.constant(node, 1)?;
        let layout = self.drafts.values[from];
        let turned = node.integer("transB", 0) != 0;
        let (inputs, out) = match matrix.dims[..] {
            [out, inputs] if turned => (inputs, out),
            [inputs, out] => (inputs, out),
            _ => return Err("Gemm with an odd matrix".into()),
        };
        if matrix.floats.is_empty() {
            return Err("Gemm with a matrix of no floats".into());
        }
        if !plain
            || node.integer("transA", 0) != 0
            || !layout.is_list()
            || layout.channels != inputs
        {
            return Err("Gemm of another kind".into());
        }
        let at = |o: usize, i: usize| if turned { o * inputs + i } else { i * out + o };
        let numbers = Weights {
            weights: (0..out * inputs)
                .map(|n| matrix.floats[at(n / inputs, n % inputs)])
                .collect(),
            bias: self.bias(node, out)?,
        };
        let window = Window {
            size: [1, 1],
            stride: [1, 1],
            pads: Margin::default(),
        };
        self.layer(
            node,
            Kind::Conv(window, numbers),
            from,
            Layout::inner(1, 1, out),
        );
        let (_, dims) = self.value(&node.output)?;
        let number = self.drafts.values.len() - 1;
        self.names
            .insert(&node.output, (number, dims[..2].to_vec()));
        Ok(())
    }

    fn pool(&mut self, node: &'a Node, pooling: Pooling) -> Result<(), Unknown> {
        node.only(&["kernel_shape", "strides", "pads", "dilations"])?;
        let window = self.window(node, None)?;
        if pooling == Pooling::Mean && window.pads != Margin::default() {
            return Err("AveragePool with pads".into());
        }
        let (from, _) = self.value(input(node, 0)?)?;
        self.slide(node, pooling, window, from)
    }

    fn pool_all(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&[])?;
        let (from, _) = self.value(input(node, 0)?)?;
        let layout = self.drafts.values[from];
        let window = Window {
            size: [layout.height, layout.width],
            stride: [1, 1],
            pads: Margin::default(),
        };
        self.slide(node, Pooling::Mean, window, from)
    }

    fn slide(
        &mut self,
        node: &'a Node,
        pooling: Pooling,
        window: Window,
        from: usize,
    ) -> Result<(), Unknown> {
        let layout = self.drafts.values[from];
        let [rows, columns] = window
            .places(&layout)
            .ok_or("a pool of less than a window")?;
        let to = Layout::inner(rows, columns, layout.channels);
        self.layer(node, Kind::Pool(pooling, window), from, to);
        Ok(())
    }

    fn sum(&mut self, node: &'a Node) -> Result<(), Unknown> {
        let (one, dims) = self.value(input(node, 0)?)?;
        let (two, other) = self.value(input(node, 1)?)?;
        if dims != other || dims.len() != 4 {
            return Err("Add of different shapes".into());
        }
        let layout = self.drafts.values[one];
        let to = Layout::inner(layout.height, layout.width, layout.channels);
        self.layer(node, Kind::Sum, one, to);
        if let Some(layer) = self.drafts.layers.last_mut() {
            layer.other = Some(two);
        }
        Ok(())
    }

    /// Joins the layer before if nobody else reads what that gives; else a layer of its own.
    fn activation(&mut self, node: &'a Node) -> Result<(), Unknown> {
        let name = input(node, 0)?;
        let (from, dims) = self.value(name)?;
        let activation = self.read_activation(node, self.drafts.values[from].channels)?;
        let alone = self.graph.uses(name) == 1;
        match self.drafts.layers.iter_mut().find(|l| l.to == from) {
            Some(before)
                if alone
                    && before.activation == Activation::none()
                    && !matches!(before.kind, Kind::Pool(..) | Kind::Widen | Kind::Logistic) =>
            {
                before.activation = activation;
                self.names.insert(&node.output, (from, dims));
            }
            _ => {
                let layout = self.drafts.values[from];
                let to = Layout::inner(layout.height, layout.width, layout.channels);
                self.layer(node, Kind::Sum, from, to);
                self.names
                    .insert(&node.output, (self.drafts.values.len() - 1, dims));
                if let Some(layer) = self.drafts.layers.last_mut() {
                    layer.activation = activation;
                }
            }
        }
        Ok(())
    }

    fn read_activation(&self, node: &Node, channels: usize) -> Result<Activation, Unknown> {
        node.only(&["alpha"])?;
        match node.operator.as_str() {
            "Relu" => Ok(Activation::leaky(0.0)),
            "LeakyRelu" => Ok(Activation::leaky(node.float("alpha", 0.01))),
            "PRelu" => {
                let Constant { dims, floats, .. } = self.constant(node, 1)?;
                if dims[..] != [channels, 1, 1] || floats.len() != channels {
                    return Err("PRelu with other than a slope for each channel".into());
                }
                Ok(Activation {
                    slopes: floats.clone(),
                    ..Activation::none()
                })
            }
            _ => match (self.floats(node, 1)?, self.floats(node, 2)?) {
                (Some([0.0]), Some([most])) if *most > 0.0 => Ok(Activation {
                    most: *most,
                    ..Activation::leaky(0.0)
                }),
                _ => Err("Clip that does not begin at 0".into()),
            },
        }
    }

    fn logistic(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&[])?;
        let (from, _) = self.value(input(node, 0)?)?;
        let layout = self.drafts.values[from];
        let to = Layout::inner(layout.height, layout.width, layout.channels);
        self.layer(node, Kind::Logistic, from, to);
        Ok(())
    }

    /// Zeros behind, of rows, columns or channels.
    fn pad(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&[])?;
        let pads = self.constant(node, 1)?.integers.iter();
        let pads: Vec<_> = pads.map_while(|n| usize::try_from(*n).ok()).collect();
        let [0, 0, 0, 0, 0, channels, rows, columns] = pads[..] else {
            return Err("Pad elsewhere than behind".into());
        };
        if node.inputs.len() > 2 || rows.max(columns).max(channels) > 4096 {
            return Err("Pad with other than some zeros".into());
        }
        let (from, _) = self.value(input(node, 0)?)?;
        let layout = self.drafts.values[from];
        let to = Layout::inner(
            layout.height + rows,
            layout.width + columns,
            layout.channels + channels,
        );
        self.layer(node, Kind::Widen, from, to);
        Ok(())
    }

    /// A list keeps its numbers in whatever shape.
    fn reshape(&mut self, node: &'a Node) -> Result<(), Unknown> {
        node.only(&[])?;
        let (from, _) = self.value(input(node, 0)?)?;
        let layout = self.drafts.values[from];
        let dims = self.constant(node, 1)?.integers.iter();
        let dims: Vec<_> = dims.map_while(|n| usize::try_from(*n).ok()).collect();
        if !layout.is_list() || dims.iter().product::<usize>() != layout.channels {
            return Err("Reshape of more than a list".into());
        }
        self.names.insert(&node.output, (from, dims));
        Ok(())
    }
}

fn input(node: &Node, i: usize) -> Result<&str, Unknown> {
    let name = node.inputs.get(i).filter(|name| !name.is_empty());
    name.map(String::as_str)
        .ok_or_else(|| format!("{} without an input", node.operator))
}
