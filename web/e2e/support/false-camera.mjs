// A camera for a real Chromium, fed from a file. The file is made at test time from photos or from pictures of a page, and
// may be another one each time the camera is opened: Chromium reads it anew.

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** Upright, as phones hold it; Chromium wants even numbers. */
const SIZE = { width: 480, height: 640 };
/** Chromium shows the pictures of a file at 30 a second and begins again at its end. */
const PICTURES = 60;

export class FalseCamera {
  constructor() {
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-camera-'));
    this.file = path.join(this.folder, 'camera.mjpeg');
  }

  /** Switches for the browser. */
  get args() {
    return [
      '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
      `--use-file-for-fake-video-capture=${this.file}`,
    ];
  }

  /** From now on shows this picture (JPEG or PNG), as a hand holds it: never quite still. `dark` shows it by night. */
  async show(browser, picture, options = {}) {
    this.roll(await this.draw(browser, picture, options));
  }

  /** The same as JPEGs, two seconds of them, for a longer roll. */
  async draw(browser, picture, { dark = false, still = false, zoom = 1 } = {}) {
    const page = await browser.newPage();
    try {
      const pictures = await page.evaluate(draw, { picture: picture.toString('base64'), ...SIZE, count: still ? 1 : PICTURES, dark, zoom });
      return pictures.map((base64) => Buffer.from(base64, 'base64'));
    } finally {
      await page.close();
    }
  }

  /** From now on shows nothing but black. */
  async cover(browser) {
    const page = await browser.newPage();
    try {
      const pictures = await page.evaluate(draw, { picture: null, ...SIZE, count: 2, dark: true, zoom: 1 });
      this.roll(pictures.map((base64) => Buffer.from(base64, 'base64')));
    } finally {
      await page.close();
    }
  }

  /** From now on shows these JPEGs, one after the other. */
  roll(jpegs) {
    const fresh = path.join(this.folder, 'next');
    fs.writeFileSync(fresh, Buffer.concat(jpegs));
    // Whoever has the old one open keeps it to its end.
    fs.renameSync(fresh, this.file);
  }

  remove() {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}

// Runs in the page.
async function draw({ picture, width, height, count, dark, zoom }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext('2d');
  let image = null;
  if (picture) {
    const bytes = Uint8Array.from(atob(picture), (character) => character.charCodeAt(0));
    image = await createImageBitmap(new Blob([bytes]));
  }
  const pictures = [];
  for (let n = 0; n < count; n++) {
    const angle = (2 * Math.PI * n) / count;
    context.filter = 'none';
    context.fillStyle = dark ? '#000' : '#9a958c';
    context.fillRect(0, 0, width, height);
    if (image) {
      const scale = zoom * (1 + 0.01 * Math.sin(angle)) * Math.min(width / image.width, height / image.height);
      const [w, h] = [image.width * scale, image.height * scale];
      if (dark) context.filter = 'brightness(0.25)';
      context.drawImage(image, (width - w) / 2 + 3 * Math.cos(angle), (height - h) / 2 + 3 * Math.sin(2 * angle), w, h);
    }
    const jpeg = new Uint8Array(await (await canvas.convertToBlob({ type: 'image/jpeg', quality: 0.92 })).arrayBuffer());
    let text = '';
    for (const byte of jpeg) text += String.fromCharCode(byte);
    pictures.push(btoa(text));
  }
  return pictures;
}
