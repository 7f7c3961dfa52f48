// Pictures as { width, height, data } with three bytes a pixel, and the little that is done to them here.
import { readFile } from 'node:fs/promises';
import jpeg from 'jpeg-js';

export async function readJpeg(file) {
  const { width, height, data } = jpeg.decode(await readFile(file), { formatAsRGBA: false, useTArray: true });
  return { width, height, data };
}

export function encodeJpeg({ width, height, data }, quality) {
  const rgba = Buffer.alloc(width * height * 4, 255);
  for (let i = 0; i < width * height; i++) {
    for (let c = 0; c < 3; c++) rgba[4 * i + c] = data[3 * i + c];
  }
  return jpeg.encode({ width, height, data: rgba }, quality).data;
}

/**
 * The square of `side` pixels around `center` (x, y), turned by `degrees`, drawn `width` pixels wide.
 * Each pixel is the mean of a grid of bilinear samples, so shrinking does not alias. Outside is the edge.
 * `gain` multiplies the brightness.
 */
export function crop(picture, { center: [cx, cy], side, degrees = 0, width, gain = 1 }) {
  const step = side / width;
  const grid = Math.max(1, Math.ceil(step));
  const cos = Math.cos((degrees * Math.PI) / 180) * step;
  const sin = Math.sin((degrees * Math.PI) / 180) * step;
  const data = new Uint8Array(width * width * 3);
  for (let y = 0; y < width; y++) for (let x = 0; x < width; x++) {
    const sum = [0, 0, 0];
    for (let j = 0; j < grid; j++) for (let i = 0; i < grid; i++) {
      const u = x + (i + 0.5) / grid - width / 2;
      const v = y + (j + 0.5) / grid - width / 2;
      sample(picture, cx + u * cos - v * sin - 0.5, cy + u * sin + v * cos - 0.5, sum);
    }
    for (let c = 0; c < 3; c++) {
      data[3 * (y * width + x) + c] = Math.min(255, Math.round((sum[c] * gain) / (grid * grid)));
    }
  }
  return { width, height: width, data };
}

/** Adds the bilinear sample at (x, y) to `sum`. */
function sample({ width, height, data }, x, y, sum) {
  const px = Math.min(Math.max(x, 0), width - 1);
  const py = Math.min(Math.max(y, 0), height - 1);
  const x0 = Math.min(Math.floor(px), width - 2);
  const y0 = Math.min(Math.floor(py), height - 2);
  const fx = px - x0;
  const fy = py - y0;
  const at = 3 * (y0 * width + x0);
  const below = at + 3 * width;
  for (let c = 0; c < 3; c++) {
    const top = data[at + c] * (1 - fx) + data[at + 3 + c] * fx;
    const bottom = data[below + c] * (1 - fx) + data[below + 3 + c] * fx;
    sum[c] += top * (1 - fy) + bottom * fy;
  }
}
