// 68 facial landmarks from a 112x112 crop, as x, y pairs in units of the crop's side.
import { Graph } from '../onnx.mjs';
import { conv, dense, pointwise, pool, reshape, separable } from '../layers.mjs';

export function faceLandmarks(weight) {
  const g = new Graph('face_landmark_68');
  let x = g.input('image', [1, 3, 112, 112]);
  for (let block = 0; block < 4; block++) x = denseBlock(g, x, weight, `dense${block}`, block === 0);
  x = pool(g, 'AveragePool', x, 7, 2);
  // The pool leaves one pixel, so channels-first and channels-last flatten alike.
  if (x.shape[2] !== 1 || x.shape[3] !== 1) throw new Error(`expected one pixel, got ${x.shape}`);
  const points = dense(g, reshape(g, x, [1, x.shape[1]]), weight('fc/weights'), weight('fc/bias').data);
  g.output('points', reshape(g, points, [1, 68, 2]));
  return g.encode();
}

/** Four convolutions; each takes the sum of all before it. */
function denseBlock(g, x, weight, name, first) {
  const start = first
    ? conv(g, x, weight(`${name}/conv0/filters`), weight(`${name}/conv0/bias`).data, { stride: 2 })
    : separable(g, x, weight, `${name}/conv0`, 2);
  let sum = pointwise(g, 'Relu', start);
  let input = sum;
  for (const layer of ['conv1', 'conv2', 'conv3']) {
    sum = pointwise(g, 'Add', sum, separable(g, input, weight, `${name}/${layer}`));
    input = pointwise(g, 'Relu', sum);
  }
  return input;
}
