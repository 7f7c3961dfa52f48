// Photos of people: from the npm package's demo pictures everywhere, and from ../shared/faces where it exists.

import fs from 'node:fs';
import path from 'node:path';

import { GREY, png } from '../../png.mjs';
import { REPOSITORY } from './axiam.mjs';

const DEMO = path.join(REPOSITORY, 'models/build/demo-faces');
const SHARED = path.join(REPOSITORY, '../shared/faces/photos');
const GROUP_PICTURES = path.join(REPOSITORY, 'models/node_modules/@vladmandic/face-api/demo');

/** The sources of photos: {name, people, missing}; `missing` is a sentence where there is none. */
export const SOURCES = [
  { name: 'demo pictures', people: peopleIn(DEMO), missing: peopleIn(DEMO).length >= 2 ? null : `no demo faces in models/build/demo-faces: run 'make models'` },
  { name: 'shared faces', people: peopleIn(SHARED), missing: fs.existsSync(SHARED) ? null : 'no ../shared/faces/photos beside the repository' },
];

/** People for tests that need faces but not many: from the first source that has some. */
export function people() {
  const source = SOURCES.find((one) => !one.missing);
  if (!source) throw new Error(SOURCES[0].missing);
  return source.people;
}

/** A picture with several faces. */
export const groupPhoto = () => fs.readFileSync(path.join(GROUP_PICTURES, 'sample1.jpg'));

// One folder a person; those with most photos first, so that the first can enrol and scan with different ones.
function peopleIn(folder) {
  if (!fs.existsSync(folder)) return [];
  return fs.readdirSync(folder).sort()
    .map((name) => path.join(folder, name))
    .filter((place) => fs.statSync(place).isDirectory())
    .map((place) => ({
      name: path.basename(place),
      photos: fs.readdirSync(place).filter((file) => /\.(jpe?g|png)$/i.test(file)).sort().map((file) => path.join(place, file)),
    }))
    .filter((person) => person.photos.length > 0)
    .sort((a, b) => b.photos.length - a.photos.length)
    .map(({ name, photos }) => ({
      name,
      files: photos,
      photo: (at) => fs.readFileSync(photos[at % photos.length]),
    }));
}

/** A PNG of one grey, which shows nobody. `claimed` writes another size into its header than it has. */
export function greyPng(width, height, claimed = [width, height]) {
  const rows = Buffer.alloc((width + 1) * height, 128);
  for (let y = 0; y < height; y++) rows[y * (width + 1)] = 0;
  return png(GREY, rows, claimed);
}
