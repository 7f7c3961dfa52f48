// Photos of single faces, cut from the group photos that come with the package: personN/01.jpg, 02.jpg.
// The README's first sign-on and the tests use them; where a person is in one photo only, the second is
// a visibly different rendition: framed otherwise, turned a little, in other light, compressed harder.
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { crop, encodeJpeg, readJpeg } from './pixels.mjs';

export async function writeDemoFaces(root, folder) {
  return 'none yet';
}
