// Photos of single faces, cut from the group photos that come with the package: personN/01.jpg, 02.jpg.
// The README's first sign-on and the tests use them. Person 1 is in two of the photos; of the others the
// second is a visibly different rendition: framed otherwise, turned, in other light, compressed harder.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crop, encodeJpeg, readJpeg } from './pixels.mjs';

/** Every photo is this wide and high. */
const WIDTH = 480;

/** Where in which photo: `center` is between eyes and nose, `side` about 2.5 times the face. */
const PERSONS = [
  [
    { sample: 3, center: [1160, 380], side: 460, quality: 90 },
    { sample: 1, center: [1560, 340], side: 400, degrees: 45, quality: 85 },
  ],
  renditions({ sample: 3, center: [669, 475], side: 440 }, { degrees: 7, gain: 0.8 }),
  renditions({ sample: 3, center: [1610, 450], side: 440 }, { degrees: -6, gain: 1.15 }),
  renditions({ sample: 6, center: [381, 650], side: 450 }, { degrees: 8, gain: 0.85 }),
  renditions({ sample: 6, center: [1590, 430], side: 420 }, { degrees: -7, gain: 0.8 }),
  renditions({ sample: 6, center: [744, 500], side: 420 }, { degrees: 6, gain: 0.9 }),
];

/** A good photo, and a worse one of the same moment. */
function renditions(photo, { degrees, gain }) {
  const { center: [x, y], side } = photo;
  const other = { center: [x + 0.05 * side, y + 0.04 * side], side: 0.82 * side };
  return [{ ...photo, quality: 90 }, { ...photo, ...other, degrees, gain, quality: 60 }];
}

export async function writeDemoFaces(root, folder) {
  const pictures = {};
  for (const [i, photos] of PERSONS.entries()) {
    const person = path.join(folder, `person${i + 1}`);
    await mkdir(person);
    for (const [j, { sample, quality, ...where }] of photos.entries()) {
      pictures[sample] ??= await readJpeg(path.join(root, `demo/sample${sample}.jpg`));
      const face = crop(pictures[sample], { ...where, width: WIDTH });
      await writeFile(path.join(person, `0${j + 1}.jpg`), encodeJpeg(face, quality));
    }
  }
  return `${PERSONS.length} persons, 2 photos each`;
}
