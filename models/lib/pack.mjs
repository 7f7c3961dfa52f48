// The default pack: four ONNX files and the manifest that tells the engine how to use them.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { readWeights } from './weights.mjs';
import { faceLandmarks } from './nets/landmarks.mjs';
import { faceRecognition } from './nets/recognition.mjs';
import { ssdMobilenet } from './nets/ssd-detector.mjs';
import { ANCHORS, tinyFaceDetector } from './nets/tiny-detector.mjs';

const SOURCE = '@vladmandic/face-api';

/** Where the package with the weights is installed. */
export function sourceRoot(folder) {
  return path.dirname(createRequire(path.join(folder, 'package.json')).resolve(`${SOURCE}/package.json`));
}

const NETS = {
  tiny_face_detector: tinyFaceDetector,
  ssd_mobilenetv1: ssdMobilenet,
  face_landmark_68: faceLandmarks,
  face_recognition: faceRecognition,
};

/** A network sees `(pixel - mean) * scale`, pixels being RGB from 0 to 255. Means as the package has them. */
const imageNet = { mean: [122.782, 117.001, 104.298], scale: 1 / 255 };
const tiny = { mean: [117.001, 114.697, 97.404], scale: 1 / 255 };
const signed = { mean: [127.5, 127.5, 127.5], scale: 1 / 127.5 };

/**
 * Largest distance that counts as a match, by the false match rate it stands for.
 * How they were estimated: the documentation of the Rust module `face::pack`.
 */
const THRESHOLDS = { '1/1000': 0.54, '1/10000': 0.47, '1/100000': 0.42 };

export async function writePack(root, folder) {
  const { version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  const files = {};
  for (const [name, build] of Object.entries(NETS)) {
    const bytes = build(await readWeights(path.join(root, 'model'), `${name}_model`));
    await writeFile(path.join(folder, `${name}.onnx`), bytes);
    files[name] = { file: `${name}.onnx`, sha256: createHash('sha256').update(bytes).digest('hex') };
  }
  const manifest = {
    format: 1,
    name: 'default',
    version: '1',
    licence: 'MIT; the weights of face_recognition (dlib) are in the public domain',
    source: `${SOURCE} ${version}`,
    detectors: [
      { ...files.tiny_face_detector, kind: 'yolo', input: { side: 224, ...tiny }, anchors: ANCHORS },
      { ...files.ssd_mobilenetv1, kind: 'ssd', input: { side: 512, ...signed } },
    ],
    landmarks: { ...files.face_landmark_68, kind: 'points68', input: { side: 112, ...imageNet } },
    embedding: {
      ...files.face_recognition,
      input: { side: 150, ...imageNet },
      dimensions: 128,
      alignment: { kind: 'dlib', padding: 0.25 },
      mirrored: true,
      unit: false,
    },
    thresholds: THRESHOLDS,
  };
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return `${Object.keys(NETS).length} networks`;
}
