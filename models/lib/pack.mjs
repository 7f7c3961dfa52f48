// The default pack: five ONNX files and the manifest that tells the engine how to use them.
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readWeights } from './weights.mjs';
import { faceLandmarks } from './nets/landmarks.mjs';
import { faceRecognition } from './nets/recognition.mjs';
import { ssdMobilenet } from './nets/ssd-detector.mjs';
import { ANCHORS, tinyFaceDetector } from './nets/tiny-detector.mjs';
import { graphModel } from './tf-graph.mjs';

const SOURCE = '@vladmandic/face-api';
const MESH_SOURCE = '@vladmandic/human';

/** Where a package with weights is installed. */
export const sourceRoot = (folder, name = SOURCE) => path.join(folder, 'node_modules', name);

/** The same for the package with the mesh. */
export const meshRoot = (folder) => sourceRoot(folder, MESH_SOURCE);

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
const unit = { mean: [0, 0, 0], scale: 1 / 255 };

/**
 * Largest distance that counts as a match, by the false match rate it stands for.
 * How they were estimated: the documentation of the Rust module `face::pack`.
 */
const THRESHOLDS = { '1/1000': 0.54, '1/10000': 0.47, '1/100000': 0.42 };

export async function writePack(root, meshes, folder) {
  const files = {};
  const write = async (name, bytes) => {
    await writeFile(path.join(folder, `${name}.onnx`), bytes);
    files[name] = { file: `${name}.onnx`, sha256: createHash('sha256').update(bytes).digest('hex') };
  };
  for (const [name, build] of Object.entries(NETS)) {
    await write(name, build(await readWeights(path.join(root, 'model'), `${name}_model`)));
  }
  const outputs = { output_mesh: 'mesh', output_faceflag: 'confidence' };
  await write('facemesh', await graphModel(path.join(meshes, 'models'), 'facemesh', outputs));
  const manifest = {
    format: 1,
    name: 'default',
    version: '1',
    licence: 'MIT; the weights of face_recognition (dlib) are in the public domain; facemesh (MediaPipe) Apache-2.0',
    source: `${await named(root)}, ${await named(meshes)}`,
    detectors: [
      { ...files.tiny_face_detector, kind: 'yolo', input: { side: 224, ...tiny }, anchors: ANCHORS },
      { ...files.ssd_mobilenetv1, kind: 'ssd', input: { side: 512, ...signed } },
    ],
    landmarks: { ...files.face_landmark_68, kind: 'points68', input: { side: 112, ...imageNet } },
    mesh: { ...files.facemesh, kind: 'mesh468', input: { side: 192, ...unit } },
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
  return `${Object.keys(files).length} networks`;
}

/** A package's name and version. */
async function named(root) {
  const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return `${name} ${version}`;
}
