// Bundles what browsers get into web/build: files named by their content, and manifest.json, which says for
// each logical name the file, its integrity (SRI) and its type. Add a bundle by a line in BUNDLES.

import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

import { build, transform } from 'esbuild';

const WEB = path.dirname(fileURLToPath(import.meta.url));
const OUT = path.join(WEB, 'build');

/** Logical name → what it is built from. The name is the path below which a page finds it. */
const BUNDLES = {
  'style/tokens.css': 'style/tokens.css',
  'style/base.css': 'style/base.css',
  'widget/facial-login.css': 'widget/facial-login.css',
  'widget/facial-login.js': 'widget/src/global.ts',
};

const TYPES = { '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

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

/** Browsers of 2022 and later: what constructed style sheets and modules need anyway. */
const TARGET = ['es2022', 'chrome100', 'firefox102', 'safari16.4'];

const COMMON = {
  absWorkingDir: WEB,
  bundle: true,
  target: TARGET,
  legalComments: 'none',
  charset: 'utf8',
  plugins: [cssAsText],
  logLevel: 'warning',
};

const kept = new Set();

/** Writes what is new only: the program embeds these files, and would be compiled anew for every other date. */
function keep(name, bytes) {
  const file = path.join(OUT, name);
  kept.add(name);
  if (!fs.existsSync(file) || !fs.readFileSync(file).equals(Buffer.from(bytes))) fs.writeFileSync(file, bytes);
}

async function bundle(name, entry) {
  const { outputFiles } = await build({
    ...COMMON,
    entryPoints: [entry],
    minify: true,
    format: 'iife',
    outfile: path.join(OUT, path.basename(name)),
    write: false,
  });
  const bytes = outputFiles[0].contents;
  const { ext, name: stem } = path.parse(name);
  const hash = crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  const file = `${stem}.${hash}${ext}`;
  const zipped = zlib.gzipSync(bytes, { level: 9 });
  keep(file, bytes);
  keep(`${file}.gz`, zipped);
  const integrity = `sha384-${crypto.createHash('sha384').update(bytes).digest('base64')}`;
  const line = `  ${name.padEnd(24)} ${bytes.length} bytes, ${zipped.length} gzipped`;
  return { entry: { file, integrity, type: TYPES[ext] }, line };
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
const manifest = {};
for (const [name, entry] of Object.entries(BUNDLES)) {
  const made = await bundle(name, entry);
  manifest[name] = made.entry;
  console.log(made.line);
}
keep('manifest.json', `${JSON.stringify(manifest, null, 2)}\n`);
for (const name of fs.readdirSync(OUT)) if (!kept.has(name)) fs.rmSync(path.join(OUT, name), { recursive: true });
await widgetPackage();
