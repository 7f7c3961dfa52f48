// The app's icon as PNGs: a face between the corners of a viewfinder, drawn from distances, so that no picture file is kept.

import { png, RGB } from '../png.mjs';

/** Half the width of the lines, on a field of 24 by 24 like the app's other drawings. */
const HALF = 0.8;
const CORNERS = [[[3, 7.5], [3, 3], [7.5, 3]], [[16.5, 3], [21, 3], [21, 7.5]], [[21, 16.5], [21, 21], [16.5, 21]], [[7.5, 21], [3, 21], [3, 16.5]]];
const FACE = [[[9, 9], [9, 10.5]], [[15, 9], [15, 10.5]], [[12, 9.5], [12, 13], [11, 13]], [[9, 15.5], [10.5, 16.4], [12, 16.7], [13.5, 16.4], [15, 15.5]]];
const SEGMENTS = [...CORNERS, ...FACE].flatMap((line) => line.slice(1).map((end, at) => [line[at], end]));

/**
 * A PNG of `size` by `size` pixels: lines of the colour `ink` on a `ground` (both [r, g, b]) that fills the square. `share` of the
 * side is the drawing; of a maskable icon, which is cut to a circle or worse, at most 0.8 / √2.
 */
export function icon(size, ink, ground, share) {
  const rows = Buffer.alloc((1 + 3 * size) * size);
  const scale = 24 / (size * share);
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      const at = [x, y].map((pixel) => (pixel + 0.5 - size / 2) * scale + 12);
      const cover = Math.min(1, Math.max(0, (HALF - distance(at)) / scale + 0.5));
      for (let c = 0; c < 3; c++) rows[y * (1 + 3 * size) + 1 + 3 * x + c] = Math.round(ink[c] * cover + ground[c] * (1 - cover));
    }
  }
  return png(RGB, rows, [size, size]);
}

function distance([x, y]) {
  return Math.min(...SEGMENTS.map(([[ax, ay], [bx, by]]) => {
    const [dx, dy] = [bx - ax, by - ay];
    const along = Math.min(1, Math.max(0, ((x - ax) * dx + (y - ay) * dy) / (dx * dx + dy * dy)));
    return Math.hypot(x - ax - along * dx, y - ay - along * dy);
  }));
}
