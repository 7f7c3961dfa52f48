// dlib's face recognition network, a residual net of 29 convolutions: 150x150 -> 128 numbers.
import { Graph } from '../onnx.mjs';
import { conv, dense, padBehind, pointwise, pool, reshape } from '../layers.mjs';

const STAGES = [
  ['conv32_1', 'conv32_2', 'conv32_3'],
  ['conv64_down', 'conv64_1', 'conv64_2', 'conv64_3'],
  ['conv128_down', 'conv128_1', 'conv128_2'],
  ['conv256_down', 'conv256_1', 'conv256_2', 'conv256_down_out'],
].flat();

export function faceRecognition(weight) {
  const g = new Graph('face_recognition');
  let x = g.input('image', [1, 3, 150, 150]);
  x = pointwise(g, 'Relu', scaled(g, x, weight, 'conv32_down', { stride: 2, pad: 'valid' }));
  x = pool(g, 'MaxPool', x, 3, 2);
  for (const name of STAGES) x = (name.includes('_down') ? residualDown : residual)(g, x, weight, name);
  const mean = g.node('GlobalAveragePool', [x], [1, x.shape[1], 1, 1]);
  g.output('embedding', dense(g, reshape(g, mean, [1, x.shape[1]]), weight('fc')));
  return g.encode();
}

/** A convolution and the per-channel `y * a + b` behind it, folded into one. */
function scaled(g, x, weight, name, options) {
  const a = weight(`${name}/scale/weights`).data;
  const b = weight(`${name}/scale/biases`).data;
  const bias = weight(`${name}/conv/bias`).data.map((value, i) => value * a[i] + b[i]);
  return conv(g, x, weight(`${name}/conv/filters`), bias, { ...options, scale: a });
}

function residual(g, x, weight, name) {
  let out = pointwise(g, 'Relu', scaled(g, x, weight, `${name}/conv1`));
  out = scaled(g, out, weight, `${name}/conv2`);
  return pointwise(g, 'Relu', pointwise(g, 'Add', out, x));
}

/** Halves width and height; the side branch is averaged, and whichever is smaller filled with zeros. */
function residualDown(g, x, weight, name) {
  let out = pointwise(g, 'Relu', scaled(g, x, weight, `${name}/conv1`, { stride: 2, pad: 'valid' }));
  out = scaled(g, out, weight, `${name}/conv2`);
  const side = pool(g, 'AveragePool', x, 2, 2);
  const missing = side.shape[2] - out.shape[2];
  out = padBehind(g, out, [0, 0, missing, missing]);
  const widened = padBehind(g, side, [0, out.shape[1] - side.shape[1], 0, 0]);
  return pointwise(g, 'Relu', pointwise(g, 'Add', out, widened));
}
