// Reads the package's weights: a manifest that lists tensors in the order they lie in one binary file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Reads and dequantises all tensors of one network.
 *
 * A quantised tensor holds one byte per number, `number = byte * scale + min`; the rest are float32,
 * little endian (the TensorFlow.js weights format).
 *
 * @param {string} folder where `<name>-weights_manifest.json` lies
 * @param {string} name e.g. `face_recognition_model`
 * @returns {Promise<(tensor: string) => {shape: number[], data: Float32Array}>} looks a tensor up
 */
export async function readWeights(folder, name) {
  const groups = JSON.parse(await readFile(path.join(folder, `${name}-weights_manifest.json`), 'utf8'));
  const tensors = new Map();
  for (const group of groups) {
    const parts = await Promise.all(group.paths.map((file) => readFile(path.join(folder, file))));
    const bytes = Buffer.concat(parts);
    let offset = 0;
    for (const { name: tensor, shape, quantization } of group.weights) {
      const size = shape.reduce((a, b) => a * b, 1);
      const data = new Float32Array(size);
      const width = quantization ? 1 : 4;
      if (quantization && quantization.dtype !== 'uint8') throw new Error(`${tensor}: unknown quantisation ${quantization.dtype}`);
      for (let i = 0; i < size; i++) {
        data[i] = quantization
          ? bytes[offset + i] * quantization.scale + quantization.min
          : bytes.readFloatLE(offset + 4 * i);
      }
      offset += size * width;
      tensors.set(tensor, { shape, data });
    }
    if (offset !== bytes.length) throw new Error(`${name}: ${bytes.length - offset} bytes left over`);
  }
  return (tensor) => tensors.get(tensor) ?? fail(`${name} has no tensor ${tensor}`);
}

function fail(message) {
  throw new Error(message);
}
