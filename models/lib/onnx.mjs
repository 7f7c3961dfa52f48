// A small reader and writer for ONNX files: only the messages, fields and operators our networks need.
// Field numbers and names are those of the ONNX format (IR versions 8 and 10, operator sets 13 and 21).
import protobuf from 'protobufjs';

const FLOAT = 1;
const INT8 = 3;
const INT64 = 7;
const ATTRIBUTE = { float: 1, int: 2, ints: 7 };
/** IR version by operator set. Numbers quantised by blocks came with set 21. */
const IR_VERSION = { 13: 8, 21: 10 };

/** `fields('label name type = number')` for a protobufjs JSON descriptor. */
function message(...fields) {
  const entries = fields.map((field) => {
    const [, rule, type, name, id] = field.match(/^(repeated )?(\w+) (\w+) = (\d+)$/);
    return [name, { type, id: Number(id), ...(rule && { rule: 'repeated' }) }];
  });
  return { fields: Object.fromEntries(entries) };
}

const schema = protobuf.Root.fromJSON({
  nested: {
    Model: message('int64 irVersion = 1', 'string producer = 2', 'Graph graph = 7', 'repeated Opset opset = 8'),
    Opset: message('string domain = 1', 'int64 version = 2'),
    Graph: message('repeated Node node = 1', 'string name = 2', 'repeated Tensor initializer = 5', 'repeated Value input = 11', 'repeated Value output = 12'),
    Node: message('repeated string input = 1', 'repeated string output = 2', 'string name = 3', 'string opType = 4', 'repeated Attribute attribute = 5'),
    Attribute: message('string name = 1', 'float f = 2', 'int64 i = 3', 'repeated int64 ints = 8', 'int32 type = 20'),
    Tensor: message('repeated int64 dims = 1', 'int32 dataType = 2', 'repeated float floatData = 4', 'string name = 8', 'bytes rawData = 9'),
    Value: message('string name = 1', 'Type type = 2'),
    Type: message('TensorType tensor = 1'),
    TensorType: message('int32 elem = 1', 'Shape shape = 2'),
    Shape: message('repeated Dim dim = 1'),
    Dim: message('int64 value = 1', 'string symbol = 2'),
  },
});

/** A value in the graph: its name and its shape (a number, or a symbol's name, per dimension). */
class Value {
  constructor(name, shape) {
    this.name = name;
    this.shape = shape;
  }
}

/** Builds one graph, node by node, keeping track of every value's shape. */
export class Graph {
  #nodes = [];
  #initializers = [];
  #inputs = [];
  #outputs = [];
  #name;
  #opset;

  constructor(name, { opset = 13 } = {}) {
    this.#name = name;
    this.#opset = opset;
  }

  input(name, shape) {
    this.#inputs.push(describe(name, shape));
    return new Value(name, shape);
  }

  output(name, value) {
    this.#nodes.push({ input: [value.name], output: [name], name: `out/${name}`, opType: 'Identity' });
    this.#outputs.push(describe(name, value.shape));
  }

  /** A constant of float32 numbers. */
  constant(data, shape) {
    return this.#tensor(FLOAT, Float32Array.from(data), shape);
  }

  /** A constant list of int64 numbers, as shapes and axes are given. */
  integers(list) {
    return this.#tensor(INT64, BigInt64Array.from(list, BigInt), [list.length]);
  }

  /** A constant of int8 numbers. */
  bytes(data, shape) {
    return this.#tensor(INT8, Int8Array.from(data), shape);
  }

  #tensor(dataType, data, shape) {
    const size = shape.reduce((a, b) => a * b, 1);
    if (size !== data.length) throw new Error(`${data.length} numbers do not fill ${shape}`);
    const name = `c${this.#initializers.length}`;
    const rawData = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
    this.#initializers.push({ dims: shape, dataType, name, rawData });
    return new Value(name, shape);
  }

  /** Adds a node of operator `opType` with one output of the given shape. */
  node(opType, inputs, shape, attributes = {}) {
    const name = `n${this.#nodes.length}`;
    this.#nodes.push({
      name,
      opType,
      input: inputs.map((value) => value.name),
      output: [name],
      attribute: Object.entries(attributes).map(([key, value]) => attribute(key, value)),
    });
    return new Value(name, shape);
  }

  /** The bytes of the ONNX file. */
  encode() {
    const model = {
      irVersion: IR_VERSION[this.#opset],
      producer: 'axiam-models',
      opset: [{ domain: '', version: this.#opset }],
      graph: { name: this.#name, node: this.#nodes, initializer: this.#initializers, input: this.#inputs, output: this.#outputs },
    };
    return Buffer.from(schema.lookupType('Model').encode(model).finish());
  }
}

/**
 * Reads an ONNX file: nodes in order as { op, inputs, output, attributes }, and constants by name as { shape, data }.
 *
 * @returns {{ nodes: object[], constants: Map<string, { shape: number[], data: ArrayLike<number> }>, inputs: string[], outputs: string[] }}
 */
export function readOnnx(bytes) {
  const { graph } = schema.lookupType('Model').decode(bytes);
  const constants = new Map(graph.initializer.map((tensor) => [tensor.name, { shape: tensor.dims.map(Number), data: numbers(tensor) }]));
  const nodes = graph.node.map(({ opType: op, input: inputs, output: [output], attribute: list }) => {
    const value = ({ type, f, i, ints }) => ({ [ATTRIBUTE.float]: f, [ATTRIBUTE.int]: Number(i), [ATTRIBUTE.ints]: ints.map(Number) })[type];
    return { op, inputs, output, attributes: Object.fromEntries(list.map((a) => [a.name, value(a)])) };
  });
  const names = (values) => values.map(({ name }) => name).filter((name) => !constants.has(name));
  return { nodes, constants, inputs: names(graph.input), outputs: names(graph.output) };
}

/** A tensor's numbers. */
function numbers({ name, dataType, floatData, rawData }) {
  const { buffer } = Uint8Array.from(rawData);
  switch (dataType) {
    case FLOAT:
      return floatData.length ? Float32Array.from(floatData) : new Float32Array(buffer);
    case INT8:
      return new Int8Array(buffer);
    case INT64:
      return Array.from(new BigInt64Array(buffer), Number);
    default:
      throw new Error(`${name}: no reading of numbers of type ${dataType}`);
  }
}

function attribute(name, value) {
  if (Array.isArray(value)) return { name, type: ATTRIBUTE.ints, ints: value };
  if (Number.isInteger(value)) return { name, type: ATTRIBUTE.int, i: value };
  return { name, type: ATTRIBUTE.float, f: value };
}

function describe(name, shape) {
  const dim = shape.map((d) => (typeof d === 'number' ? { value: d } : { symbol: d }));
  return { name, type: { tensor: { elem: FLOAT, shape: { dim } } } };
}
