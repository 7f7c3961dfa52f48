// Turns a TensorFlow.js graph model into ONNX: the few operators that small face networks are made of.
//
// Pictures are channels-last there and channels-first here, so every value of four dimensions is kept
// channels-first, and flattening puts the channels last again before it.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { conv, depthwise, dense, padBehind, pointwise, pool, reshape } from './layers.mjs';
import { Graph } from './onnx.mjs';
import { readTensors } from './weights.mjs';

/**
 * Reads `<name>.json` in `folder` with its weights and writes it as ONNX.
 *
 * @param {Record<string, string>} outputs our name of each output wanted, by the signature's name
 */
export async function graphModel(folder, name, outputs) {
  const model = JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8'));
  const weight = await readTensors(folder, name, model.weightsManifest);
  const nodes = new Map(model.modelTopology.node.map((node) => [node.name, node]));
  const g = new Graph(name);
  const values = new Map();
  const value = (ref) => {
    if (!values.has(ref)) values.set(ref, translate(g, nodes.get(ref), value, weight));
    return values.get(ref);
  };
  for (const [theirs, ours] of Object.entries(outputs)) {
    g.output(ours, value(model.signature.outputs[theirs].name.replace(/:\d+$/, '')));
  }
  return g.encode();
}

/** One node as a value of our graph, its inputs first. */
function translate(g, node, value, weight) {
  const [first, ...rest] = node.input ?? [];
  const data = (i) => weight(rest[i]);
  switch (node.op) {
    case 'Placeholder': {
      const [, height, width, channels] = node.attr.shape.shape.dim.map(({ size }) => Number(size));
      return g.input('image', [1, channels, height, width]);
    }
    case '_FusedConv2D':
      return activated(g, node, conv(g, value(first), data(0), data(1).data, window(node)), weight);
    case 'DepthwiseConv2dNative':
      return depthwise(g, value(first), data(0), window(node));
    case '_FusedMatMul':
      return activated(g, node, dense(g, value(first), data(0), data(1).data), weight);
    case 'MaxPool': {
      const { stride, pad } = window(node);
      return pool(g, 'MaxPool', value(first), Number(node.attr.ksize.list.i[1]), stride, pad);
    }
    case 'Pad': {
      // Only ever behind, and in TensorFlow's order of dimensions.
      const [n, y, x, c] = behind(data(0).data);
      return padBehind(g, value(first), [n, c, y, x]);
    }
    case 'Prelu':
      return pointwise(g, 'PRelu', value(first), perChannel(g, data(0).data));
    case 'Add':
    case 'AddV2':
    case 'Mul':
      return pointwise(g, node.op === 'Mul' ? 'Mul' : 'Add', value(first), operand(g, value, rest[0], value(first), weight));
    case 'Relu':
    case 'Sigmoid':
    case 'Softmax':
      return pointwise(g, node.op, value(first));
    case 'Reshape':
      return flatten(g, value(first));
    case 'Identity':
      return value(first);
    default:
      throw new Error(`${node.name}: no translation for ${node.op}`);
  }
}

/** Strides and padding of a window that slides. */
function window({ attr }) {
  return { stride: Number(attr.strides.list.i[1]), pad: text(attr.padding.s).toLowerCase() };
}

function text(base64) {
  return Buffer.from(base64, 'base64').toString();
}

/** The activation that is fused with a layer, after its bias. */
function activated(g, { attr, input: [, , , slopes] }, x, weight) {
  const [bias, activation, ...more] = attr.fused_ops.list.s.map(text);
  if (bias !== 'BiasAdd' || more.length) throw new Error(`fused with ${bias}, ${activation}, ${more}`);
  if (activation === 'Prelu') return pointwise(g, 'PRelu', x, perChannel(g, weight(slopes).data));
  return activation ? pointwise(g, activation, x) : x;
}

/** Padding behind each dimension; there must be none before. */
function behind(pads) {
  const sides = [...pads];
  if (sides.some((n, i) => i % 2 === 0 && n !== 0)) throw new Error(`padding before: ${sides}`);
  return sides.filter((_, i) => i % 2 === 1);
}

/** One number a channel, to meet a value of [1, channels, height, width]. */
function perChannel(g, data) {
  return g.constant(data, [data.length, 1, 1]);
}

/** The other side of a sum or product: a value, or a constant per channel. */
function operand(g, value, ref, x, weight) {
  let constant;
  try {
    constant = weight(ref);
  } catch {
    return value(ref);
  }
  return x.shape.length === 4 ? perChannel(g, constant.data) : g.constant(constant.data, [1, constant.data.length]);
}

/** All numbers in one row, in TensorFlow's order. */
function flatten(g, x) {
  if (x.shape.length !== 4) return x;
  const [, channels, height, width] = x.shape;
  const last = height * width === 1 ? x : g.node('Transpose', [x], [1, height, width, channels], { perm: [0, 2, 3, 1] });
  return reshape(g, last, [1, channels * height * width]);
}
