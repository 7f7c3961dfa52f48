// Layers in terms of ONNX operators. The package's weights are channels-last, ONNX is channels-first.

/** Output length of a window of `k` with stride `s` over a padded length; symbols pass through. */
function slide(length, k, s, pad) {
  return typeof length === 'number' ? Math.floor((length + pad - k) / s) + 1 : length;
}

/**
 * Padding before and after one dimension: given as such, or `valid` (none) or `same`
 * (ceil(length / stride) outputs, the odd pixel behind, as TensorFlow does).
 */
function padding(kind, length, k, s) {
  if (Array.isArray(kind)) return kind;
  if (kind === 'valid') return [0, 0];
  // Without strides `same` asks for the same padding at any length, so the length may be a symbol.
  const total = s === 1 ? k - 1 : Math.max(0, (Math.ceil(length / s) - 1) * s + k - length);
  if (Number.isNaN(total)) throw new Error(`give the padding for length ${length}`);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

function windowed(x, k, s, pad) {
  const [top, bottom] = padding(pad, x.shape[2], k, s);
  const [left, right] = padding(pad, x.shape[3], k, s);
  return {
    size: [slide(x.shape[2], k, s, top + bottom), slide(x.shape[3], k, s, left + right)],
    attributes: { kernel_shape: [k, k], strides: [s, s], pads: [top, left, bottom, right] },
  };
}

/** [k, k, in, out] to [out, in, k, k], each output channel multiplied by its `scale`. */
function toOutputFirst({ shape: [kh, kw, cin, cout], data }, scale) {
  const out = new Float32Array(data.length);
  for (let y = 0; y < kh; y++) for (let x = 0; x < kw; x++) for (let i = 0; i < cin; i++) for (let o = 0; o < cout; o++) {
    out[((o * cin + i) * kh + y) * kw + x] = data[((y * kw + x) * cin + i) * cout + o] * (scale ? scale[o] : 1);
  }
  return out;
}

/**
 * Convolution with bias. `scale` multiplies each output channel's weights, not its bias:
 * a scale or batch norm that follows is folded in by its caller.
 */
export function conv(g, x, filters, bias, { stride = 1, pad = 'same', scale } = {}) {
  const [k, , cin, cout] = filters.shape;
  const { size, attributes } = windowed(x, k, stride, pad);
  const inputs = [x, g.constant(toOutputFirst(filters, scale), [cout, cin, k, k]), g.constant(bias, [cout])];
  return g.node('Conv', inputs, [1, cout, ...size], attributes);
}

/** Convolution of each channel by itself; filters [k, k, channels, 1]. */
export function depthwise(g, x, { shape: [k, , channels], data }, { bias, stride = 1, pad = 'same', scale } = {}) {
  const { size, attributes } = windowed(x, k, stride, pad);
  const filters = toOutputFirst({ shape: [k, k, 1, channels], data }, scale);
  const inputs = [x, g.constant(filters, [channels, 1, k, k]), ...(bias ? [g.constant(bias, [channels])] : [])];
  return g.node('Conv', inputs, [1, channels, ...size], { ...attributes, group: channels });
}

/** Depthwise, then 1x1 convolution with bias, as weights `<name>/{depthwise_filter,pointwise_filter,bias}`. */
export function separable(g, x, weight, name, stride = 1) {
  const out = depthwise(g, x, weight(`${name}/depthwise_filter`), { stride });
  return conv(g, out, weight(`${name}/pointwise_filter`), weight(`${name}/bias`).data);
}

/** Largest or mean value of each window. */
export function pool(g, opType, x, k, stride, pad = 'valid') {
  const { size, attributes } = windowed(x, k, stride, pad);
  return g.node(opType, [x], [1, x.shape[1], ...size], attributes);
}

/** An operator that keeps the shape, of one value (`Relu`) or of several equal ones (`Add`). */
export function pointwise(g, opType, x, ...others) {
  return g.node(opType, [x, ...others], x.shape);
}

/** Limits every number to [0, 6]. */
export function relu6(g, x) {
  return g.node('Clip', [x, g.constant([0], []), g.constant([6], [])], x.shape);
}

/** Zeros behind each dimension, `behind` of them. */
export function padBehind(g, x, behind) {
  if (behind.every((n) => n === 0)) return x;
  const pads = g.integers([...behind.map(() => 0), ...behind]);
  return g.node('Pad', [x, pads], x.shape.map((n, i) => n + behind[i]));
}

/** The same numbers in another shape. */
export function reshape(g, x, shape) {
  return g.node('Reshape', [x, g.integers(shape)], shape);
}

/** Matrix product with weights [in, out], with or without bias. */
export function dense(g, x, { shape, data }, bias) {
  const inputs = [x, g.constant(data, shape), ...(bias ? [g.constant(bias, [shape[1]])] : [])];
  return g.node('Gemm', inputs, [1, shape[1]]);
}
