// What is handed out: small enough, and importable where there is no browser. `make web` has built it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import zlib from 'node:zlib';

const WEB = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../..');
const BUILD = path.join(WEB, 'build');

const TYPES: Record<string, string> = {
  '.css': 'text/css', '.js': 'text/javascript', '.png': 'image/png', '.wasm': 'application/wasm',
  '.onnx': 'application/octet-stream', '.webmanifest': 'application/manifest+json',
};

interface Entry {
  file: string;
  integrity: string;
  type: string;
}
const manifest = JSON.parse(fs.readFileSync(path.join(BUILD, 'manifest.json'), 'utf8')) as Record<string, Entry>;

test('the widget is at most 20 KB on the wire', () => {
  const { file } = manifest['widget/facial-login.js']!;
  const size = zlib.gzipSync(fs.readFileSync(path.join(BUILD, file)), { level: 9 }).length;
  assert.ok(size <= 20 * 1024, `${size} bytes gzipped`);
});

test('the manifest tells every file by its content, integrity and type', () => {
  const told = Object.values(manifest).flatMap(({ file }) => [file, `${file}.gz`]).concat('manifest.json');
  assert.deepEqual(told.sort(), fs.readdirSync(BUILD).sort());
  for (const [name, { file, integrity, type }] of Object.entries(manifest)) {
    const bytes = fs.readFileSync(path.join(BUILD, file));
    assert.deepEqual(zlib.gunzipSync(fs.readFileSync(path.join(BUILD, `${file}.gz`))), bytes, name);
    assert.equal(integrity, `sha384-${crypto.createHash('sha384').update(bytes).digest('base64')}`, name);
    assert.ok(file.includes(crypto.createHash('sha256').update(bytes).digest('hex').slice(0, 16)), name);
    assert.equal(type, TYPES[path.extname(name)], name);
  }
});

test('importing the package asks for no browser', () => {
  const script = "const widget = await import('./widget/dist/index.js'); console.log(Object.keys(widget).sort().join());"
    + " for (const name of ['window', 'document', 'customElements', 'AxiamFacialLogin']) if (name in globalThis) throw new Error(name)";
  const said = execFileSync(process.execPath, ['--input-type=module', '--eval', script], { cwd: WEB, encoding: 'utf8' });
  assert.equal(said.trim(), 'define,init');
});

test('a page written in TypeScript can use it, and is told of a mistake', () => {
  const folder = fs.mkdtempSync(path.join(WEB, 'build-consumer-'));
  try {
    fs.writeFileSync(path.join(folder, 'page.ts'), `
      import { init, type Verified } from '../widget/dist/index.js';
      const handle = init({ authToken: async () => 'token', formAction: '/login', theme: { mode: 'dark' }, onVerified: (proof: Verified) => proof.client_id !== '' });
      handle.reset();
      document.querySelector('axiam-facial-login')!.options = { email: 'ann@example.com' };
      // @ts-expect-error formAction is missing
      init({ authToken: 'token' });
    `);
    const compiler = path.join(WEB, 'node_modules/.bin/tsc');
    execFileSync(compiler, ['--noEmit', '--strict', '--target', 'es2022', '--module', 'esnext', '--moduleResolution', 'bundler', '--types', '', '--ignoreConfig', path.join(folder, 'page.ts')], { cwd: WEB, encoding: 'utf8' });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
});

test('the package holds its code and its types, and depends on Action Cable alone', () => {
  const [{ files }] = JSON.parse(execFileSync('npm', ['pack', '--dry-run', '--json'], { cwd: path.join(WEB, 'widget'), encoding: 'utf8' })) as [{ files: { path: string }[] }];
  const names = files.map((file) => file.path);
  for (const name of ['dist/index.js', 'dist/index.d.ts', 'package.json']) assert.ok(names.includes(name), name);
  const { dependencies } = JSON.parse(fs.readFileSync(path.join(WEB, 'widget/package.json'), 'utf8')) as { dependencies: object };
  assert.deepEqual(Object.keys(dependencies), ['@rails/actioncable']);
});
