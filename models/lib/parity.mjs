// What the original libraries compute for a few pictures, for the Rust tests to compare with.
//
// parity/cases.json lists cases { net, input, shape, outputs: [{ name, shape, file }], faces? };
// input and outputs are files of float32, little endian; the input is channels-first RGB, 0 to 255.
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { INPUT } from './nets/sface.mjs';
import { loadOriginal } from './original.mjs';
import { crop, readJpeg } from './pixels.mjs';
import { reference } from './reference.mjs';

/** Crops of the package's pictures: a face up close, one small and turned, a whole group. */
const CASES = [
  { net: 'face_recognition', sample: 3, center: [1213, 340], side: 300, side_px: 150 },
  { net: 'face_recognition', sample: 6, center: [365, 660], side: 330, side_px: 150 },
  { net: 'face_landmark_68', sample: 3, center: [1213, 340], side: 290, side_px: 112 },
  { net: 'face_landmark_68', sample: 6, center: [1286, 474], side: 260, side_px: 112 },
  { net: 'tiny_face_detector', sample: 6, center: [960, 768], side: 1537, side_px: 416 },
  { net: 'tiny_face_detector', sample: 3, center: [960, 675], side: 1350, side_px: 224 },
  { net: 'ssd_mobilenetv1', sample: 5, center: [960, 700], side: 1398, side_px: 512 },
  { net: 'facemesh', sample: 3, center: [1213, 340], side: 420, side_px: 192 },
  { net: 'facemesh', sample: 6, center: [365, 660], side: 460, side_px: 192 },
  { net: 'sface', sample: 3, center: [1213, 340], side: 250, side_px: 112 },
];

/** SFace was folded and not only rewritten: so far may its numbers, of a size around 1, be from the original's. */
const FOLDED = 1e-6;

export async function writeParity({ faces: root, mesh, wheel }, { files }, folder) {
  const { tf, nets } = await loadOriginal(root, mesh, new Set(CASES.map(({ net }) => net).filter((net) => net !== 'sface')));
  nets.sface = (planes, shape) => folded(wheel.networks.sface, files.sface, shape, planes);
  const cases = [];
  for (const [i, { net, sample, side_px: width, ...where }] of CASES.entries()) {
    const picture = crop(await readJpeg(path.join(root, `demo/sample${sample}.jpg`)), { ...where, width });
    const image = tf.tensor(Float32Array.from(picture.data), [width, width, 3]);
    const { outputs, faces } = await run(net, nets[net], image, tf);
    const entry = { net, shape: [1, 3, width, width], input: `${i}-input.f32`, outputs: [], faces };
    await writeFloats(folder, entry.input, tf.transpose(image, [2, 0, 1]));
    for (const [name, tensor] of Object.entries(outputs)) {
      entry.outputs.push({ name, shape: tensor.shape, file: `${i}-${name}.f32` });
      await writeFloats(folder, `${i}-${name}.f32`, tensor);
    }
    cases.push(entry);
  }
  await writeFile(path.join(folder, 'cases.json'), `${JSON.stringify(cases, null, 1)}\n`);
  return `${cases.length} cases`;
}

/** The net's outputs in the names, order and shapes of our ONNX files; of detectors also the faces. */
async function run(net, original, image, tf) {
  if (net === 'sface') {
    const planes = tf.transpose(image, [2, 0, 1]);
    const numbers = original(await planes.data(), [1, ...planes.shape]);
    return { outputs: { embedding: tf.tensor(Float32Array.from(numbers), [1, numbers.length]) } };
  }
  if (net === 'face_recognition') return { outputs: { embedding: await original.forward(image) } };
  if (net === 'facemesh') {
    const input = tf.div(tf.expandDims(image), 255);
    const [mesh, confidence] = original.execute(input, ['Identity_2', 'Identity_1']);
    return { outputs: { mesh, confidence } };
  }
  if (net === 'face_landmark_68') {
    return { outputs: { points: tf.reshape(await original.forward(image), [1, 68, 2]) } };
  }
  const { faces, raw } = await detect(original, image);
  if (net === 'tiny_face_detector') return { faces, outputs: { cells: tf.transpose(raw[0], [0, 3, 1, 2]) } };
  return { faces, outputs: { boxes: tf.expandDims(raw[0]), scores: tf.expandDims(raw[1]) } };
}

/** What the original computes; that our file computes the same is checked here, without a runtime's own rounding. */
function folded(original, ours, shape, planes) {
  const wanted = reference(original, shape, planes);
  const got = reference(ours, shape, planes.map((value) => (value - INPUT.mean[0]) * INPUT.scale));
  const worst = Math.max(...wanted.map((value, i) => Math.abs(value - got[i])));
  if (!(worst <= FOLDED)) throw new Error(`sface: folded, it is ${worst} from the original`);
  return wanted;
}

/**
 * What the library calls a face, best first: { score, box: [x, y, width, height] } in units of the side;
 * and the network's raw output behind it, listened to on its way.
 */
async function detect(original, image) {
  let raw;
  const { forwardInput } = Object.getPrototypeOf(original);
  original.forwardInput = (...input) => {
    const out = forwardInput.apply(original, input);
    raw = (out.boxes ? [out.boxes[0], out.scores[0]] : [out]).map((tensor) => tensor.clone());
    return out;
  };
  const options = { inputSize: image.shape[0], minConfidence: 0.5, scoreThreshold: 0.5 };
  const found = await original.locateFaces(image, options);
  const faces = found.map(({ score, relativeBox: { x, y, width, height } }) => ({ score, box: [x, y, width, height] }));
  return { faces, raw };
}

async function writeFloats(folder, name, tensor) {
  const data = Float32Array.from(await tensor.data());
  await writeFile(path.join(folder, name), Buffer.from(data.buffer));
}
