// The strong detector: SSD on MobileNet v1, 512x512 -> 5118 boxes with a score each.
// A box is (top, left, bottom, right) in units of the input's side; overlapping ones are not yet removed.
import { Graph } from '../onnx.mjs';
import { conv, depthwise, pointwise, relu6, reshape } from '../layers.mjs';

const SIDE = 512;
/** Of the 13 pairs of convolutions these halve width and height. */
const HALVING = new Set([2, 4, 6, 12]);
/** Batch norm's guard against division by zero, as the network was trained. */
const EPSILON = 0.0010000000474974513;
/** The box coder's variances: offsets were trained ten times, sizes five times too large. */
const OFFSET_SCALE = 0.1;
const SIZE_SCALE = 0.2;

export function ssdMobilenet(weight) {
  const g = new Graph('ssd_mobilenetv1');
  let x = g.input('image', [1, 3, SIDE, SIDE]);
  x = pointwiseLayer(g, x, weight, 'MobilenetV1/Conv2d_0', 2);
  const features = [];
  for (let layer = 1; layer <= 13; layer++) {
    const name = `MobilenetV1/Conv2d_${layer}`;
    x = pointwiseLayer(g, depthwiseLayer(g, x, weight, name, HALVING.has(layer) ? 2 : 1), weight, name);
    if (layer === 11 || layer === 13) features.push(x);
  }
  for (let layer = 0; layer <= 7; layer++) {
    x = pointwiseLayer(g, x, weight, `Prediction/Conv2d_${layer}`, layer % 2 === 1 ? 2 : 1);
    if (layer % 2 === 1) features.push(x);
  }
  const boxes = features.map((f, i) => predictor(g, f, weight, `${i}/BoxEncodingPredictor`, 4));
  const classes = features.map((f, i) => predictor(g, f, weight, `${i}/ClassPredictor`, 3));
  g.output('boxes', decode(g, concat(g, boxes, 1), weight('Output/extra_dim')));
  // Class 0 is background, 1 is face, 2 is unused.
  const face = slice(g, concat(g, classes, 1), 1, 2);
  g.output('scores', reshape(g, pointwise(g, 'Sigmoid', face), [1, face.shape[1]]));
  return g.encode();
}

function pointwiseLayer(g, x, weight, name, stride = 1) {
  const bias = weight(`${name}_pointwise/convolution_bn_offset`).data;
  return relu6(g, conv(g, x, weight(`${name}_pointwise/weights`), bias, { stride }));
}

function depthwiseLayer(g, x, weight, name, stride) {
  const norm = (part) => weight(`${name}_depthwise/BatchNorm/${part}`).data;
  const scale = norm('gamma').map((value, i) => value / Math.sqrt(norm('moving_variance')[i] + EPSILON));
  const bias = norm('beta').map((value, i) => value - norm('moving_mean')[i] * scale[i]);
  return relu6(g, depthwise(g, x, weight(`${name}_depthwise/depthwise_weights`), { bias, stride, scale }));
}

/** Predictions of one feature map as rows of `width` numbers, row by row of the map. */
function predictor(g, x, weight, name, width) {
  const path = `Prediction/BoxPredictor_${name}`;
  const out = conv(g, x, weight(`${path}/weights`), weight(`${path}/biases`).data);
  const [, channels, height, breadth] = out.shape;
  const last = g.node('Transpose', [out], [1, height, breadth, channels], { perm: [0, 2, 3, 1] });
  return reshape(g, last, [1, (height * breadth * channels) / width, width]);
}

function concat(g, values, axis) {
  const shape = [...values[0].shape];
  shape[axis] = values.reduce((sum, value) => sum + value.shape[axis], 0);
  return g.node('Concat', values, shape, { axis });
}

function slice(g, x, from, to) {
  const shape = [...x.shape.slice(0, -1), to - from];
  return g.node('Slice', [x, g.integers([from]), g.integers([to]), g.integers([2])], shape);
}

/** Encoded (dy, dx, log h, log w) relative to the anchors, to corners. */
function decode(g, encoded, { data }) {
  const count = encoded.shape[1];
  const size = new Float32Array(2 * count);
  const center = new Float32Array(2 * count);
  for (let i = 0; i < count; i++) for (const axis of [0, 1]) {
    size[2 * i + axis] = data[4 * i + 2 + axis] - data[4 * i + axis];
    center[2 * i + axis] = data[4 * i + axis] + size[2 * i + axis] / 2;
  }
  const anchors = (values) => g.constant(values, [1, count, 2]);
  const offset = slice(g, encoded, 0, 2);
  const growth = g.node('Mul', [slice(g, encoded, 2, 4), g.constant([SIZE_SCALE], [])], offset.shape);
  const middle = pointwise(g, 'Add', pointwise(g, 'Mul', offset, anchors(size.map((v) => v * OFFSET_SCALE))), anchors(center));
  const half = pointwise(g, 'Mul', pointwise(g, 'Exp', growth), anchors(size.map((v) => v / 2)));
  return concat(g, [pointwise(g, 'Sub', middle, half), pointwise(g, 'Add', middle, half)], 2);
}
