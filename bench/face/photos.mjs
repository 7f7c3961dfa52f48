// The photos that every peer gets: one clear face each, 1280 pixels high as a phone's portrait scaled by
// a careful client, cut from the group photos that come with the npm library.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crop, encodeJpeg, readJpeg } from '../../models/lib/pixels.mjs';

/** A photo as it is uploaded. */
const LARGE = { width: 960, height: 1280, quality: 90 };
/** A frame as the phone's app sends it; see web/phone/src/capture/shots.ts. */
const SENT = { width: 480, height: 640, quality: 80 };
/** Standard deviation of the grain added, of 255: an enlarged photo is smoother than a camera's. */
const GRAIN = 3;

/** Where in which photo: `center` is between eyes and nose, `side` about 2.5 times the face. */
const FACES = [
  { sample: 3, center: [1160, 380], side: 460 },
  { sample: 3, center: [669, 475], side: 440 },
  { sample: 3, center: [1610, 450], side: 440 },
  { sample: 6, center: [381, 650], side: 450 },
  { sample: 6, center: [1590, 430], side: 420 },
  { sample: 6, center: [744, 500], side: 420 },
];

/** Part of the width by which the face moves from one frame to the next. */
const STEP = 1 / 80;

/** Writes the photos into `folder`; `samples` is where the group photos are. Returns, for each photo,
 *  its path and those of `frames` more in which the face moves a little, as in the frames of a sign-on: once as
 *  large as the photo, once as the phone's app sends them, with such a photo beside them. */
export async function writePhotos(samples, folder, frames) {
  await mkdir(folder, { recursive: true });
  const pictures = {};
  const written = [];
  const write = async (name, picture, { quality }) => {
    const file = path.join(folder, `${name}.jpg`);
    await writeFile(file, encodeJpeg(picture, quality));
    return file;
  };
  const series = async (name, where, seed, size) => {
    const square = crop(pictures[where.sample], { ...where, width: size.height });
    const photo = { photo: await write(name, grained(portrait(square, size), seed), size), frames: [] };
    for (let frame = 0; frame < frames; frame++) {
      const moved = portrait(square, size, (frame - frames / 2) * STEP);
      photo.frames.push(await write(`${name}-${frame + 1}`, grained(moved, seed + 7 * frame), size));
    }
    return photo;
  };
  for (const [i, face] of FACES.entries()) {
    pictures[face.sample] ??= await readJpeg(path.join(samples, `sample${face.sample}.jpg`));
    const photo = await series(`${i + 1}`, face, i, LARGE);
    written.push({ ...photo, sent: await series(`${i + 1}-sent`, face, i, SENT) });
  }
  return written;
}

/** The middle columns, or those `shift` of their width to the right of them. */
function portrait({ width: side, data }, { width, height }, shift = 0) {
  const left = (side - width) / 2 + Math.round(shift * width);
  const cut = new Uint8Array(width * height * 3);
  for (let y = 0; y < height; y++) {
    cut.set(data.subarray((y * side + left) * 3, (y * side + left + width) * 3), y * width * 3);
  }
  return { width, height, data: cut };
}

/** Adds grain, the same at every run. */
function grained({ width, height, data }, seed) {
  let state = 0x9e3779b9 ^ seed;
  // Marsaglia's xorshift; the sum of four even numbers is near enough to a bell.
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32 - 0.5;
  };
  const bell = () => (next() + next() + next() + next()) * Math.sqrt(3) * GRAIN;
  const out = new Uint8Array(data.length);
  for (let i = 0; i < width * height; i++) {
    const grain = bell();
    for (let c = 0; c < 3; c++) out[3 * i + c] = Math.min(255, Math.max(0, Math.round(data[3 * i + c] + grain)));
  }
  return { width, height, data: out };
}
