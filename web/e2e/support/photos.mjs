// Photos of people: from the npm package's demo pictures everywhere, and from ../shared/faces where it exists.

import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';

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
  const header = Buffer.alloc(13);
  header.writeUInt32BE(claimed[0], 0);
  header.writeUInt32BE(claimed[1], 4);
  header.set([8, 0, 0, 0, 0], 8);
  const rows = Buffer.alloc((width + 1) * height, 128);
  for (let y = 0; y < height; y++) rows[y * (width + 1)] = 0;
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header), chunk('IDAT', zlib.deflateSync(rows)), chunk('IEND', Buffer.alloc(0)),
  ]);
}

function chunk(kind, content) {
  const body = Buffer.concat([Buffer.from(kind, 'latin1'), content]);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  const check = Buffer.alloc(4);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

// CRC-32 as in the PNG specification, annex D.
function crc32(bytes) {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}
