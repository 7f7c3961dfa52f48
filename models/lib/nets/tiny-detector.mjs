// The cheap detector: a tiny YOLO of separable convolutions. Any square input whose side is a multiple
// of 32; per cell and anchor five raw numbers (x, y, width, height, score), decoded by who runs it.
import { Graph } from '../onnx.mjs';
import { conv, pool, separable } from '../layers.mjs';

/** Widths and heights of the five anchors, in cells (the package's `BOX_ANCHORS`). */
export const ANCHORS = [
  [1.603231, 2.094468],
  [6.041143, 7.080126],
  [2.882459, 3.518061],
  [4.266906, 5.178857],
  [9.041765, 10.66308],
];

export function tinyFaceDetector(weight) {
  const g = new Graph('tiny_face_detector');
  let x = g.input('image', [1, 3, 'side', 'side']);
  x = leaky(g, conv(g, x, weight('conv0/filters'), weight('conv0/bias').data, { pad: 'valid' }));
  for (let layer = 1; layer <= 5; layer++) {
    // The first layer takes two pixels off a side of 32 n: 32 n - 2, 16 n - 1, and then one is missing.
    x = pool(g, 'MaxPool', x, 2, 2, layer === 2 ? [0, 1] : [0, 0]);
    x = leaky(g, separable(g, x, weight, `conv${layer}`));
  }
  x = pool(g, 'MaxPool', x, 2, 1, 'same');
  x = conv(g, x, weight('conv8/filters'), weight('conv8/bias').data, { pad: 'valid' });
  g.output('cells', g.node('Identity', [x], [1, 5 * ANCHORS.length, 'cells', 'cells']));
  return g.encode();
}

function leaky(g, x) {
  return g.node('LeakyRelu', [x], x.shape, { alpha: 0.1 });
}
