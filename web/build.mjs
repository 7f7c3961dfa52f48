// Bundles what browsers get into web/build: files named by their content, and manifest.json, which says for
// each logical name the file, its integrity (SRI) and its type. Add a bundle by a line in BUNDLES.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

import { build, transform } from 'esbuild';

import { codeWorker, manifest as appManifest, icons, shell, version } from './phone/build.mjs';

const WEB = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(WEB, 'build');

/** Logical name → what it is built from. The name is the path below which a page finds it. */
const BUNDLES = {
  'style/tokens.css': 'style/tokens.css',
  'style/base.css': 'style/base.css',
  'widget/facial-login.css': 'widget/facial-login.css',
  'widget/facial-login.js': 'widget/src/global.ts',
  'docs/docs.css': 'docs/docs.css',
  'dashboard/dashboard.css': 'dashboard/dashboard.css',
  'dashboard/dashboard.js': 'dashboard/dashboard.ts',
  'phone/phone.css': 'phone/phone.css',
  'phone/phone.js': 'phone/src/index.ts',
  'phone/engine-worker.js': 'phone/src/engine/worker.ts',
};

const TYPES = {
  '.wasm': 'application/wasm', '.onnx': 'application/octet-stream',
  '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml', '.png': 'image/png', '.webmanifest': 'application/manifest+json',
};

/** `import text from './x.css'` in a script gives the minified text, for a shadow root's own style sheet. */
const cssAsText = {
  name: 'css-as-text',
  setup({ onLoad, initialOptions }) {
    onLoad({ filter: /\.css$/ }, async ({ path: file }) => {
      if (initialOptions.entryPoints[0].endsWith('.css')) return undefined;
      const { code } = await transform(await fs.promises.readFile(file, 'utf8'), { loader: 'css', minify: true });
      return { contents: code, loader: 'text' };
    });
  },
};

/** qr-scanner makes its worker from a text, which a strict policy forbids; the app starts it from a file of its own. */
const withoutBlobWorker = {
  name: 'without-blob-worker',
  setup({ onLoad }) {
    onLoad({ filter: /qr-scanner-worker\.min\.js$/ }, () => ({ contents: 'export const createWorker = null;' }));
  },
};

/** Browsers of 2022 and later: what constructed style sheets and modules need anyway. */
const TARGET = ['es2022', 'chrome100', 'firefox102', 'safari16.4'];

const COMMON = {
  absWorkingDir: WEB,
  bundle: true,
  target: TARGET,
  legalComments: 'none',
  charset: 'utf8',
  plugins: [cssAsText, withoutBlobWorker],
  logLevel: 'warning',
};

/** Bytes, gzipped, of what a phone loads before it is guided by more than brightness. */
const ENGINE_LIMIT = 400_000;

const kept = new Set();

/** Writes what is new only: the program embeds these files, and would be compiled anew for every other date. */
function keep(name, bytes) {
  const file = path.join(OUT, name);
  kept.add(name);
  if (!fs.existsSync(file) || !fs.readFileSync(file).equals(Buffer.from(bytes))) fs.writeFileSync(file, bytes);
}

const manifest = {};

/** Takes a file for browsers into the build and returns its name there. */
function take(name, bytes) {
  const { ext, name: stem } = path.parse(name);
  const hash = crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = `${stem}.${hash}${ext}`;
  const zipped = zlib.gzipSync(bytes, { level: 9 });
  keep(file, bytes);
  keep(`${file}.gz`, zipped);
  const integrity = `sha384-${crypto.createHash('sha384').update(bytes).digest('base64')}`;
  manifest[name] = { file, integrity, type: TYPES[ext] };
  console.log(`  ${name.padEnd(28)} ${bytes.length} bytes, ${zipped.length} gzipped`);
  return file;
}

async function bundle(name, entry, define = {}) {
  const { outputFiles } = await build({
    ...COMMON,
    define,
    entryPoints: [entry],
    minify: true,
    format: 'iife',
    outfile: path.join(OUT, path.basename(name)),
    write: false,
  });
  return take(name, outputFiles[0].contents);
}

/**
 * The engine that sees whether a step was done: built by scripts/guide, whose path AXIAM_GUIDE names, with the network that
 * `make models` makes. Where either is missing the app does without, and the page names neither.
 */
function engine() {
  const program = process.env.AXIAM_GUIDE;
  const weights = path.join(WEB, '../models/build/guide/mesh.onnx');
  if (!program) {
    if (program === undefined) console.error('The phone\'s engine is left out: `make web` builds it too.');
    return;
  }
  if (!fs.existsSync(weights)) {
    console.error('The phone\'s engine is left out: models/build/guide is missing, `make models` builds it.');
    return;
  }
  const zipped = [['phone/engine.wasm', program], ['phone/engine.onnx', weights]].map(([name, file]) => {
    const bundled = take(name, fs.readFileSync(file));
    return fs.statSync(path.join(OUT, `${bundled}.gz`)).size;
  });
  const size = zipped.reduce((sum, one) => sum + one, 0);
  if (size > ENGINE_LIMIT) throw new Error(`the phone's engine has ${size} bytes gzipped, more than ${ENGINE_LIMIT}`);
}

/** What the phone app has beside its bundle; its service worker names all of it, so it comes last. */
async function phoneApp() {
  const codes = take('phone/code-worker.js', await codeWorker());
  const drawn = Object.fromEntries(icons().map(([name, bytes]) => [name, take(`phone/${name}`, bytes)]));
  take('phone/manifest.webmanifest', Buffer.from(appManifest((name) => `/assets/${drawn[name]}`)));
  const files = ['style/tokens.css', 'style/base.css', 'phone/phone.css', 'phone/phone.js'].map((name) => manifest[name].file);
  // Also of what it does not keep: the page that it keeps names the engine's files, and the server has none but the latest.
  const named = Object.entries(manifest).filter(([name]) => /^(style|phone)\//.test(name)).map(([, { file }]) => file);
  const paths = shell([...files, codes, ...Object.values(drawn)].map((file) => `/assets/${file}`));
  await bundle('phone/sw.js', 'phone/src/sw.ts', {
    SHELL: JSON.stringify(paths),
    ICON: JSON.stringify(`/assets/${drawn['icon-192.png']}`),
    VERSION: JSON.stringify(version(named)),
  });
}

/** The widget as a package, for pages that have a bundler of their own; its types come from tsc. */
async function widgetPackage() {
  await build({
    ...COMMON,
    entryPoints: ['widget/src/index.ts'],
    packages: 'external',
    format: 'esm',
    outfile: 'widget/dist/index.js',
  });
}

fs.mkdirSync(OUT, { recursive: true });
for (const [name, entry] of Object.entries(BUNDLES)) await bundle(name, entry);
engine();
await phoneApp();
keep('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
for (const name of fs.readdirSync(OUT)) if (!kept.has(name)) fs.rmSync(path.join(OUT, name), { recursive: true });
await widgetPackage();
