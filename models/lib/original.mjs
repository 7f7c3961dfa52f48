// The packages' own libraries, run as they are, to compare our ONNX files with.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import vm from 'node:vm';

// The bundle still makes buffers in a way that Node warns of, in the middle of our progress lines.
process.noDeprecation = true;

const NETS = {
  face_recognition: ['FaceRecognitionNet', 'face_recognition_model'],
  face_landmark_68: ['FaceLandmark68Net', 'face_landmark_68_model'],
  tiny_face_detector: ['TinyFaceDetector', 'tiny_face_detector_model'],
  ssd_mobilenetv1: ['SsdMobilenetv1', 'ssd_mobilenetv1_model'],
};

/**
 * Loads the library with the networks named and its plain JavaScript backend.
 *
 * Its bundle is meant for browsers and trips over Node's `process`, so it gets an empty page instead.
 */
export async function loadOriginal(root, meshes, names) {
  const source = await readFile(path.join(root, 'dist/face-api.js'), 'utf8');
  const page = { document: {}, performance };
  const faceapi = vm.compileFunction(`${source}\nreturn faceapi;`, ['process', 'window', 'document'])(undefined, page, page.document);
  // It asks whether its input is one of these; tensors are not.
  faceapi.env.setEnv({ Canvas: class {}, Image: class {}, Video: class {}, ImageData: class {} });
  const { tf } = faceapi;
  await tf.setBackend('cpu');
  await tf.ready();
  const nets = {};
  for (const name of names) {
    if (name === 'facemesh') {
      nets[name] = await tf.loadGraphModel(await graph(tf, path.join(meshes, 'models'), name));
      continue;
    }
    const [type, model] = NETS[name];
    nets[name] = new faceapi[type]();
    nets[name].loadFromWeightMap(await weightMap(tf, path.join(root, 'model'), model));
  }
  return { tf, faceapi, nets };
}

/** A graph model with its weights, as TensorFlow.js loads it. */
async function graph(tf, folder, name) {
  const { modelTopology, weightsManifest: [group], ...about } = JSON.parse(await readFile(path.join(folder, `${name}.json`), 'utf8'));
  const parts = await Promise.all(group.paths.map((file) => readFile(path.join(folder, file))));
  const weightData = new Uint8Array(Buffer.concat(parts)).buffer;
  return tf.io.fromMemory({ ...about, modelTopology, weightSpecs: group.weights, weightData });
}

async function weightMap(tf, folder, model) {
  const manifest = JSON.parse(await readFile(path.join(folder, `${model}-weights_manifest.json`), 'utf8'));
  const fetchParts = (files) => Promise.all(files.map(async (file) => {
    const bytes = await readFile(file);
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  }));
  return tf.io.weightsLoaderFactory(fetchParts)(manifest, folder);
}
