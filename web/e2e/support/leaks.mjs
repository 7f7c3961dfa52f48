// Where a face may have been left behind: what is searched for, and where.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';

const WINDOW = 64;

/** The numbers of the templates of photos, as they are written, which nothing outside the program's memory may hold. */
export function templates(program, photos) {
  const output = execFileSync(program, photos, { encoding: 'utf8' });
  return output.trim().split('\n').map((line) => line.slice(1, -1).split(','));
}

/** Every file below a folder, and a text, by name. */
export function everything(folders, texts) {
  const places = new Map(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
  for (const folder of folders) {
    for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
      const file = path.join(entry.parentPath, entry.name);
      if (entry.isFile()) places.set(file, fs.readFileSync(file));
    }
  }
  return places;
}

/** The places that hold a part of a photo: as it is, in hex, in base64 or as a list of numbers. */
export function holdingPhoto(places, photo) {
  return holding(places, photoNeedles(photo));
}

/** The places that hold numbers of a template: four in a row as bytes, or one as text. */
export function holdingTemplate(places, numbers) {
  return holding(places, templateNeedles(numbers));
}

function holding(places, needles) {
  return [...places].filter(([, content]) => needles.some((needle) => content.includes(needle))).map(([name]) => name);
}

function photoNeedles(photo) {
  const needles = [];
  // The headers of two files of one camera are alike: they say nothing.
  for (let at = 1024; at + WINDOW <= photo.length; at += WINDOW) {
    const window = photo.subarray(at, at + WINDOW);
    needles.push(window);
    if (at % 4096) continue;
    needles.push(Buffer.from(window.toString('hex')), Buffer.from(window.toString('hex').toUpperCase()));
    needles.push(Buffer.from([...window].join(', ')), Buffer.from([...window].join(',')));
    // Wherever the window lies in a group of three bytes; what belongs to its neighbours is left away.
    for (const skipped of [0, 1, 2]) {
      needles.push(Buffer.from(window.subarray(skipped).toString('base64').slice(0, 76)));
    }
  }
  return needles;
}

function templateNeedles(texts) {
  const numbers = texts.map(Number);
  const needles = [];
  for (let at = 0; at + 4 <= numbers.length; at++) {
    const little = Buffer.alloc(16);
    const big = Buffer.alloc(16);
    for (let i = 0; i < 4; i++) {
      little.writeFloatLE(numbers[at + i], 4 * i);
      big.writeFloatBE(numbers[at + i], 4 * i);
    }
    needles.push(little, big, Buffer.from(little.toString('hex')), Buffer.from([...little].join(', ')));
  }
  // Seven decimals: more than a time has, fewer than a longer way of writing the number would round.
  const long = texts.map((text) => /^-?(0\.\d{7})\d/.exec(text)?.[1]);
  needles.push(...long.filter(Boolean).map((text) => Buffer.from(text)));
  return needles;
}
