// SFace, a MobileFaceNet of 14 stages: 112x112 -> 128 numbers (OpenCV's model zoo, Apache-2.0).
//
// What is read is a chain of convolutions, each with a batch norm and a PReLU, whose weights are int8 in blocks of 64
// with a scale and a zero each. The batch norms are folded into the scales, the product at the end becomes a convolution
// of 7x7, and the weights stay as they are: a quarter of the size of floats, and not a bit of them lost.
import { Graph, readOnnx } from '../onnx.mjs';

/** How the original prepares its input; the manifest says it instead. */
export const INPUT = { mean: [127.5, 127.5, 127.5], scale: 1 / 128 };
const SIDE = 112;

export function sface(bytes) {
  const net = readOnnx(bytes);
  const chain = new Chain(net, new Graph('sface', { opset: 21 }));
  for (const node of net.nodes) chain.add(node);
  return chain.finish();
}

class Chain {
  #net;
  #g;
  #x;
  /** The convolution or product whose batch norm has not been seen yet. */
  #open;
  /** `x * a + b` by channel, waiting for the product that it is folded into. */
  #affine;

  constructor(net, g) {
    this.#net = net;
    this.#g = g;
    this.#x = g.input('image', [1, 3, SIDE, SIDE]);
  }

  add(node) {
    const { op, inputs, attributes } = node;
    switch (op) {
      case 'DequantizeLinear':
      case 'Constant':
      case 'Dropout':
      case 'Flatten':
        return;
      case 'Reshape':
        if (!inputs[0].endsWith('_dequantized')) throw new Error(`${node.output}: reshaping of more than weights`);
        return;
      case 'Sub':
      case 'Mul':
        return this.#prepared(op, this.#data(inputs[1]));
      case 'Conv':
      case 'Gemm':
        this.#open = node;
        return;
      case 'BatchNormalization':
        return this.#norm(inputs.slice(1).map((name) => this.#data(name)), attributes.epsilon);
      case 'PRelu':
        this.#x = this.#g.node('PRelu', [this.#x, this.#g.constant(this.#data(inputs[1]), [this.#x.shape[1], 1, 1])], this.#x.shape);
        return;
      default:
        throw new Error(`${node.output}: no folding of ${op}`);
    }
  }

  finish() {
    const [, out] = this.#x.shape;
    this.#g.output('embedding', this.#g.node('Reshape', [this.#x, this.#g.integers([1, out])], [1, out]));
    return this.#g.encode();
  }

  #data(name) {
    return this.#net.constants.get(name).data;
  }

  /** Mean and scale must be those that the manifest will name. */
  #prepared(op, [number]) {
    if (number !== (op === 'Sub' ? INPUT.mean[0] : INPUT.scale)) throw new Error(`${op} of ${number}`);
  }

  /** A batch norm as `y * a + b`: into the layer before, or kept for the one behind. */
  #norm([gamma, beta, mean, variance], epsilon) {
    const a = Array.from(gamma, (value, c) => value / Math.sqrt(variance[c] + epsilon));
    const b = Array.from(beta, (value, c) => value - mean[c] * a[c]);
    if (!this.#open) this.#affine = { a, b };
    else if (this.#open.op === 'Conv') this.#conv(this.#open, a, b);
    else this.#product(this.#open, a, b);
    this.#open = undefined;
  }

  #conv({ inputs, attributes }, a, b) {
    const { kernel_shape: [k], strides: [s], pads: [p], group } = attributes;
    const weights = this.#weights(inputs[1]);
    const [, channels, height] = this.#x.shape;
    const size = Math.floor((height + 2 * p - k) / s) + 1;
    const shape = [a.length, channels / group, k, k];
    const constants = [this.#scaled(weights, a, shape), this.#g.constant(b, [a.length])];
    const window = { kernel_shape: [k, k], strides: [s, s], pads: [p, p, p, p], group };
    this.#x = this.#g.node('Conv', [this.#x, ...constants], [1, a.length, size, size], window);
  }

  /** A product with all numbers of the picture, as a convolution as large as the picture. */
  #product({ inputs: [, name, biases], attributes: { alpha, beta, transB } }, a, b) {
    const [, channels, height, width] = this.#x.shape;
    const area = height * width;
    const weights = this.#weights(name);
    if (alpha !== 1 || transB !== 1 || weights.columns !== channels * area) throw new Error(`${name}: a product of another kind`);
    const before = this.#affine ?? { a: Array(channels).fill(1), b: Array(channels).fill(0) };
    const given = beta === 0 ? undefined : this.#weights(biases);
    const bias = a.map((scale, o) => {
      let sum = given ? beta * given.at(0, o) : 0;
      for (let i = 0; i < weights.columns; i++) sum += weights.at(o, i) * before.b[Math.floor(i / area)];
      return sum * scale + b[o];
    });
    const shape = [a.length, channels, height, width];
    const factor = this.#g.constant(before.a, [1, channels, 1, 1]);
    const matrix = this.#g.node('Mul', [this.#scaled(weights, a, shape), factor], shape);
    const window = { kernel_shape: [height, width], strides: [1, 1], pads: [0, 0, 0, 0], group: 1 };
    this.#x = this.#g.node('Conv', [this.#x, matrix, this.#g.constant(bias, [a.length])], [1, a.length, 1, 1], window);
  }

  /** Quantised weights in our graph, each row multiplied by its factor, in the given shape. */
  #scaled({ quantised, zeros, scales, rows, columns, block }, factors, shape) {
    const blocks = columns / block;
    const scaled = Float32Array.from(scales, (scale, i) => scale * factors[Math.floor(i / blocks)]);
    const constants = [this.#g.bytes(quantised, [rows, columns]), this.#g.constant(scaled, [rows, blocks]), this.#g.bytes(zeros, [rows, blocks])];
    const floats = this.#g.node('DequantizeLinear', constants, [rows, columns], { axis: 1, block_size: block });
    return this.#g.node('Reshape', [floats, this.#g.integers(shape)], shape);
  }

  /** The quantised matrix behind a value: through the reshaping, if there is one. */
  #weights(name) {
    const node = this.#net.nodes.find(({ output }) => output === name);
    if (node.op === 'Reshape') return this.#weights(node.inputs[0]);
    const [quantised, scales, zeros] = node.inputs.map((input) => this.#net.constants.get(input));
    const [rows, columns] = quantised.shape.length === 2 ? quantised.shape : [1, ...quantised.shape];
    const { block_size: block } = node.attributes;
    if (node.op !== 'DequantizeLinear' || columns % block) throw new Error(`${name}: weights of another kind`);
    const at = (o, i) => {
      const part = Math.floor((o * columns + i) / block);
      return (quantised.data[o * columns + i] - zeros.data[part]) * scales.data[part];
    };
    return { quantised: quantised.data, zeros: zeros.data, scales: scales.data, rows, columns, block, at };
  }
}
