// Computes an ONNX graph slowly and in double precision, to compare what was folded with what it was folded from.
// Knows the operators of SFace; a value is { shape, data }.
import { readOnnx } from './onnx.mjs';

const size = (shape) => shape.reduce((a, b) => a * b, 1);

/** The first output of the ONNX file `bytes` for one input, channels first. */
export function reference(bytes, shape, data) {
  const { nodes, constants, inputs, outputs } = readOnnx(bytes);
  const values = new Map(constants);
  values.set(inputs[0], { shape, data: Float64Array.from(data) });
  for (const { op, inputs: names, output, attributes } of nodes) {
    const operator = OPERATORS[op];
    if (!operator) throw new Error(`${output}: no reference for ${op}`);
    values.set(output, operator(attributes, ...names.map((name) => values.get(name))));
  }
  return Float64Array.from(values.get(outputs[0]).data);
}

/** Where the number at place `i` of a value of `shape` lies in a value that is repeated to that shape. */
function broadcast(shape, other) {
  if (size(other.shape) === 1) return () => 0;
  const dims = [...Array(shape.length - other.shape.length).fill(1), ...other.shape];
  return (i) => {
    let [at, rest, step] = [0, i, 1];
    for (let d = shape.length - 1; d >= 0; d--) {
      const place = rest % shape[d];
      rest = Math.floor(rest / shape[d]);
      if (dims[d] > 1) at += place * step;
      step *= dims[d];
    }
    return at;
  };
}

function pairwise(compute) {
  return (_, x, other) => {
    const place = broadcast(x.shape, other);
    return { shape: x.shape, data: Float64Array.from(x.data, (value, i) => compute(value, other.data[place(i)])) };
  };
}

/** Channel of the number at place `i`. */
const channel = ({ shape }) => (i) => Math.floor(i / size(shape.slice(2))) % shape[1];

/** The places from and to which a tap of a window, `shift` from its place, lies inside. */
function inside(shift, stride, places, width) {
  return [Math.max(0, Math.ceil(-shift / stride)), Math.min(places, Math.floor((width - 1 - shift) / stride) + 1)];
}

function conv({ kernel_shape: [kh, kw], strides: [s], pads: [p], group = 1 }, x, weights, bias) {
  const [, cin, height, width] = x.shape;
  const [cout, each] = weights.shape;
  const rows = Math.floor((height + 2 * p - kh) / s) + 1;
  const columns = Math.floor((width + 2 * p - kw) / s) + 1;
  const data = new Float64Array(cout * rows * columns);
  for (let o = 0; o < cout; o++) {
    const first = Math.floor((o * group) / cout) * (cin / group);
    const plane = data.subarray(o * rows * columns, (o + 1) * rows * columns);
    if (bias) plane.fill(bias.data[o]);
    for (let i = 0; i < each; i++) for (let u = 0; u < kh; u++) for (let v = 0; v < kw; v++) {
      const weight = weights.data[((o * each + i) * kh + u) * kw + v];
      const [left, right] = inside(v - p, s, columns, width);
      for (let r = 0; r < rows; r++) {
        const y = r * s + u - p;
        if (y < 0 || y >= height) continue;
        const line = ((first + i) * height + y) * width + v - p;
        for (let c = left; c < right; c++) plane[r * columns + c] += weight * x.data[line + c * s];
      }
    }
  }
  return { shape: [1, cout, rows, columns], data };
}

const OPERATORS = {
  Conv: conv,
  Sub: pairwise((a, b) => a - b),
  Mul: pairwise((a, b) => a * b),
  PRelu: pairwise((a, slope) => (a < 0 ? a * slope : a)),
  Constant: () => undefined,
  Dropout: (_, x) => x,
  Identity: (_, x) => x,
  Flatten: (_, x) => ({ shape: [1, size(x.shape)], data: x.data }),
  Reshape: (_, x, { data }) => ({ shape: [...data], data: x.data }),
  DequantizeLinear: ({ block_size: block }, x, scales, zeros) => {
    const number = (value, i) => (value - zeros.data[Math.floor(i / block)]) * scales.data[Math.floor(i / block)];
    return { shape: x.shape, data: Float64Array.from(x.data, number) };
  },
  BatchNormalization: ({ epsilon }, x, gamma, beta, mean, variance) => {
    const at = channel(x);
    const norm = (value, c) => ((value - mean.data[c]) / Math.sqrt(variance.data[c] + epsilon)) * gamma.data[c] + beta.data[c];
    return { shape: x.shape, data: Float64Array.from(x.data, (value, i) => norm(value, at(i))) };
  },
  Gemm: ({ alpha, beta, transB }, x, weights, bias) => {
    if (!transB) throw new Error('Gemm of another kind');
    const [out, inputs] = weights.shape;
    const row = (o) => {
      let sum = 0;
      for (let i = 0; i < inputs; i++) sum += weights.data[o * inputs + i] * x.data[i];
      return alpha * sum + (beta ? beta * bias.data[o] : 0);
    };
    return { shape: [1, out], data: Float64Array.from({ length: out }, (_, o) => row(o)) };
  },
};
