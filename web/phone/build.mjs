// What the phone app has beside its bundle: icons, manifest, the worker that reads codes, and the list of its shell.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { icon } from './icon.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
/** The page, and the only place under which the service worker works. */
const PAGE = '/phone/';
const MANIFEST = '/phone/manifest.webmanifest';

/** The light value of a colour token: icons and manifests cannot take part in light and dark. */
function colour(token) {
  const css = fs.readFileSync(path.join(HERE, '../style/tokens.css'), 'utf8');
  const found = css.match(new RegExp(`--axiam-${token}: (#[0-9a-f]{6});`));
  if (!found) throw new Error(`no --axiam-${token} in tokens.css`);
  return found[1];
}

const channels = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));

/** [name, PNG] of each size that systems ask for. */
export function icons() {
  const draw = (size, share) => icon(size, channels(colour('on-accent')), channels(colour('accent')), share);
  return [
    ['icon-192.png', draw(192, 0.72)],
    ['icon-512.png', draw(512, 0.72)],
    ['icon-maskable-512.png', draw(512, 0.52)],
    // Apple's, which rounds the corners by itself.
    ['icon-apple-180.png', draw(180, 0.66)],
  ];
}

/** The web app manifest (W3C); `address` gives an icon's path. */
export function manifest(address) {
  const png = (name, size, purpose) => ({ src: address(name), sizes: `${size}x${size}`, type: 'image/png', purpose });
  return `${JSON.stringify({
    id: PAGE,
    name: 'Axiam',
    short_name: 'Axiam',
    description: 'Sign in to websites with your face.',
    start_url: PAGE,
    scope: PAGE,
    display: 'standalone',
    // A link with a code comes to the app that is open already.
    launch_handler: { client_mode: ['navigate-existing', 'auto'] },
    background_color: colour('ground'),
    theme_color: colour('ground'),
    icons: [png('icon-192.png', 192, 'any'), png('icon-512.png', 512, 'any'), png('icon-maskable-512.png', 512, 'maskable')],
  }, null, 2)}\n`;
}

/** What qr-scanner would start as a worker from a text in memory, as a file: a strict policy lets no text be a worker. */
export async function codeWorker() {
  const { createWorker } = await import('qr-scanner/qr-scanner-worker.min.js');
  const own = { Blob: globalThis.Blob, Worker: globalThis.Worker };
  let text;
  try {
    // The parts that it makes its blob of are the text; nothing is started.
    globalThis.Blob = class extends own.Blob {
      constructor(parts) {
        super(parts);
        text = parts.join('');
      }
    };
    globalThis.Worker = class {};
    createWorker();
  } finally {
    Object.assign(globalThis, own);
  }
  if (!text?.includes('decode')) throw new Error('qr-scanner keeps its worker in another way than this expects');
  return Buffer.from(text);
}

/** What opens without a network. */
export const shell = (assets) => [PAGE, MANIFEST, ...assets];

/**
 * The name of this version of the shell: the page and the manifest are kept under addresses that do not change with them, so it follows
 * from the page's template and from the name of every file in the build, which is that of its content.
 */
export function version(files) {
  const template = fs.readFileSync(path.join(HERE, '../../crates/server/src/device/pages/phone.html'), 'utf8');
  return crypto.createHash('sha256').update([...files].sort().join() + template).digest('hex').slice(0, 16);
}
