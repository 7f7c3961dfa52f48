// The mesh as the phone gets it: the points that are used by name alone, and a byte for each weight.
//
// Two thirds of the network's weights lie in its last layer, which gives 468 points; the phone needs 22 of them. The rest
// becomes int8 with a scale for each output channel, as ONNX has it (`DequantizeLinear` by blocks, operator set 21).
import { Graph, readOnnx } from '../onnx.mjs';

/** The points that `sight::mesh::NAMED` lists, in its order; a test there compares them with the whole mesh. */
const NAMED = [2, 4, 10, 13, 14, 33, 61, 133, 144, 152, 153, 158, 160, 234, 263, 291, 362, 373, 380, 385, 387, 454];
const SIDE = 192;
/** Three numbers a point. */
const DEEP = 3;
const POINTS = 468;

/** `bytes`: the whole network as `graphModel` writes it. */
export function guideMesh(bytes) {
  const net = readOnnx(bytes);
  const g = new Graph('guide_mesh', { opset: 21 });
  const values = new Map([[net.inputs[0], g.input('image', [1, 3, SIDE, SIDE])]]);
  const shapes = { mesh: [1, DEEP * NAMED.length], confidence: [1, 1] };
  for (const { op, inputs: [first, ...rest], output, attributes } of net.nodes) {
    const x = values.get(first);
    if (op === 'Identity') {
      g.output(output, { name: x.name, shape: shapes[output] });
    } else if (op === 'Conv') {
      const [weights, bias] = rest.map((name) => named(net.constants.get(name)));
      const constants = [quantised(g, weights), ...(bias ? [g.constant(bias.data, bias.shape)] : [])];
      values.set(output, g.node(op, [x, ...constants], [], attributes));
    } else if (op === 'Reshape') {
      const [, length] = net.constants.get(rest[0]).data;
      const shape = length === DEEP * POINTS ? shapes.mesh : [1, length];
      values.set(output, g.node(op, [x, g.integers(shape)], shape));
    } else {
      values.set(output, g.node(op, [x, ...rest.map((name) => other(g, net, values, name))], [], attributes));
    }
  }
  return g.encode();
}

/** A sum's other value, or a constant as it is. */
function other(g, net, values, name) {
  const constant = net.constants.get(name);
  if (!constant) return values.get(name);
  const { shape, data } = constant;
  return data instanceof Float32Array ? g.constant(data, shape) : g.integers(data);
}

/** Of the rows for all points those for the points that are used; other weights as they are. */
function named({ shape: [rows, ...rest], data }) {
  if (rows !== DEEP * POINTS) return { shape: [rows, ...rest], data };
  const length = rest.reduce((a, b) => a * b, 1);
  const kept = NAMED.flatMap((point) => [0, 1, 2].map((i) => DEEP * point + i));
  const picked = kept.flatMap((row) => Array.from(data.subarray(row * length, (row + 1) * length)));
  return { shape: [kept.length, ...rest], data: Float32Array.from(picked) };
}

/** Weights [out, …] in bytes, with a scale for each output channel. */
function quantised(g, { shape, data }) {
  const [rows] = shape;
  const columns = data.length / rows;
  const scales = Float32Array.from({ length: rows }, (_, row) => {
    const most = data.subarray(row * columns, (row + 1) * columns).reduce((a, b) => Math.max(a, Math.abs(b)), 0);
    return most / 127 || 1;
  });
  const bytes = Int8Array.from(data, (weight, i) => Math.round(weight / scales[Math.floor(i / columns)]));
  const zeros = g.bytes(new Int8Array(rows), [rows, 1]);
  const constants = [g.bytes(bytes, [rows, columns]), g.constant(scales, [rows, 1]), zeros];
  const floats = g.node('DequantizeLinear', constants, [rows, columns], { axis: 1, block_size: columns });
  return g.node('Reshape', [floats, g.integers(shape)], shape);
}
