// Runs the engine as a browser does over pictures from a file; prints what was seen in each, a line a picture.
// Arguments: program, weights, pixels, width, height, looks a capture, numbers a look.
import { readFileSync } from 'node:fs';

const [program, weights, pixels, ...numbers] = process.argv.slice(2);
const [width, height, looks, count] = numbers.map(Number);
const { instance: { exports: engine } } = await WebAssembly.instantiate(readFileSync(program));

/** Writes bytes where the engine reads them. */
function put(bytes) {
  const at = engine.guide_room(bytes.length);
  new Uint8Array(engine.memory.buffer, at, bytes.length).set(bytes);
}

put(readFileSync(weights));
if (engine.guide_load() !== 1) throw new Error('the weights are not taken');
const all = readFileSync(pixels);
const size = 4 * width * height;
for (let n = 0; n * size < all.length; n++) {
  if (n % looks === 0) engine.guide_begin();
  put(all.subarray(n * size, (n + 1) * size));
  if (engine.guide_look(width, height) < 0) throw new Error('the picture is not looked at');
  console.log(Array.from(new Float32Array(engine.memory.buffer, engine.guide_seen(), count)).join(' '));
  if (n % looks === 0) engine.guide_keep_straight();
}
