// The npm library the default pack's weights come from, on its fastest backend for Node without a
// native addon: WebAssembly with SIMD, one thread. It is called as its README shows, with its default
// options. Argument: the detector, `ssd` (its default and the better one) or `tiny`.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { serve } from './serve.mjs';

const require = createRequire(import.meta.url);
const root = path.dirname(require.resolve('@vladmandic/face-api/package.json'));
const image = require('@canvas/image');
const tf = require('@tensorflow/tfjs');
const wasm = require('@tensorflow/tfjs-backend-wasm');
const faceapi = require(path.join(root, 'dist/face-api.node-wasm.js'));

wasm.setWasmPaths(path.join(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm/package.json')), 'dist/'));
tf.env().set('WASM_HAS_MULTITHREAD_SUPPORT', false);
await tf.setBackend('wasm');
await tf.ready();
const model = path.join(root, 'model');
const tiny = process.argv[2] === 'tiny';
const detector = tiny ? faceapi.nets.tinyFaceDetector : faceapi.nets.ssdMobilenetv1;
for (const net of [detector, faceapi.nets.faceLandmark68Net, faceapi.nets.faceRecognitionNet]) {
  await net.loadFromDisk(model);
}
const options = tiny ? new faceapi.TinyFaceDetectorOptions() : new faceapi.SsdMobilenetv1Options();
const versions = {
  '@vladmandic/face-api': require('@vladmandic/face-api/package.json').version,
  '@tensorflow/tfjs-backend-wasm': wasm.version_wasm,
  node: process.version,
};

/** Decoded by libjpeg-turbo in WebAssembly, as in the library's own demo, but without its detours. */
async function decode(bytes) {
  const { width, height, data } = image.getImageData(await image.imageFromBuffer(bytes));
  const rgb = new Int32Array(width * height * 3);
  for (let from = 0, to = 0; to < rgb.length; from += 4, to += 3) {
    rgb[to] = data[from];
    rgb[to + 1] = data[from + 1];
    rgb[to + 2] = data[from + 2];
  }
  return tf.tensor3d(rgb, [height, width, 3], 'int32');
}

await serve(versions, async (photo) => {
  const bytes = await readFile(photo);
  const started = performance.now();
  const picture = await decode(bytes);
  const decoded = performance.now();
  const faces = await faceapi.detectAllFaces(picture, options).withFaceLandmarks().withFaceDescriptors();
  const done = performance.now();
  picture.dispose();
  return { ms: done - started, faces: faces.length, stages: { decode: decoded - started, rest: done - decoded } };
});
