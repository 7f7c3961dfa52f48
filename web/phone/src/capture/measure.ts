// What can be said of a picture without knowing what is in it: how bright, how sharp, whether it lives. Pure.

export interface Measures {
  /** Mean luma of the middle, where the face is, 0 to 255. */
  brightness: number;
  /** Variance of the Laplacian over the middle; blurred pictures are low. */
  sharpness: number;
  /** Brightest luma anywhere. */
  peak: number;
  /** Mean difference to the picture before, 0 to 255; null for the first. */
  change: number | null;
}

/** Luma by the weights of ITU-R BT.601 of RGBA pixels. */
export function luma(pixels: Uint8ClampedArray): Uint8Array {
  const grey = new Uint8Array(pixels.length / 4);
  for (let at = 0; at < grey.length; at++) {
    grey[at] = (299 * pixels[4 * at]! + 587 * pixels[4 * at + 1]! + 114 * pixels[4 * at + 2]!) / 1000;
  }
  return grey;
}

/** `before` is the luma of the picture before, of the same size. */
export function measure(grey: Uint8Array, width: number, before: Uint8Array | null): Measures {
  const height = grey.length / width;
  const [left, right] = [Math.round(width * 0.25), Math.round(width * 0.75)];
  const [top, bottom] = [Math.round(height * 0.2), Math.round(height * 0.8)];
  let sum = 0;
  let edges = 0;
  let squares = 0;
  let count = 0;
  for (let y = top; y < bottom; y++) {
    for (let x = left; x < right; x++) {
      const at = y * width + x;
      const here = grey[at]!;
      const laplacian = grey[at - 1]! + grey[at + 1]! + grey[at - width]! + grey[at + width]! - 4 * here;
      sum += here;
      edges += laplacian;
      squares += laplacian * laplacian;
      count++;
    }
  }
  const mean = edges / count;
  return {
    brightness: sum / count,
    sharpness: squares / count - mean * mean,
    peak: grey.reduce((most, value) => Math.max(most, value), 0),
    change: before && difference(grey, before),
  };
}

function difference(one: Uint8Array, other: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < one.length; at++) sum += Math.abs(one[at]! - other[at]!);
  return sum / one.length;
}
