// Reads the packages' weights: a manifest that lists tensors in the order they lie in one binary file.
import { readFile } from 'node:fs/promises';
import path from 'node:path';

/**
 * Reads and dequantises all tensors of one network.
 *
 * The TensorFlow.js weights format, little endian: float32, or one byte per number with
 * `number = byte * scale + min`, or float16; whole numbers as int32.
 *
 * @param {string} folder where `<name>-weights_manifest.json` lies
 * @param {string} name e.g. `face_recognition_model`
 * @returns {Promise<(tensor: string) => {shape: number[], data: Float32Array}>} looks a tensor up
 */
export async function readWeights(folder, name) {
  const groups = JSON.parse(await readFile(path.join(folder, `${name}-weights_manifest.json`), 'utf8'));
  return readTensors(folder, name, groups);
}

/** The same for a manifest that was read already. */
export async function readTensors(folder, name, groups) {
  const tensors = new Map();
  for (const group of groups) {
    const parts = await Promise.all(group.paths.map((file) => readFile(path.join(folder, file))));
    const bytes = Buffer.concat(parts);
    let offset = 0;
    for (const { name: tensor, shape, dtype, quantization } of group.weights) {
      const size = shape.reduce((a, b) => a * b, 1);
      const [width, number] = reader(bytes, quantization ?? { dtype }) ?? fail(`${tensor}: unknown numbers`);
      tensors.set(tensor, { shape, data: Float32Array.from({ length: size }, (_, i) => number(offset + i * width)) });
      offset += size * width;
    }
    if (offset !== bytes.length) throw new Error(`${name}: ${bytes.length - offset} bytes left over`);
  }
  return (tensor) => tensors.get(tensor) ?? fail(`${name} has no tensor ${tensor}`);
}

/** Bytes per number, and what reads the number at an offset. */
function reader(bytes, { dtype, scale, min }) {
  switch (dtype) {
    case 'uint8':
      return [1, (at) => bytes[at] * scale + min];
    case 'float16':
      return [2, (at) => half(bytes.readUInt16LE(at))];
    case 'float32':
      return [4, (at) => bytes.readFloatLE(at)];
    case 'int32':
      return [4, (at) => bytes.readInt32LE(at)];
    default:
      return undefined;
  }
}

/** A number of IEEE 754 half precision. */
function half(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 0x1f) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

function fail(message) {
  throw new Error(message);
}
