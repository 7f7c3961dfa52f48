// Builds Axiam's face packs, the parity cases and the demo faces. Does nothing if all is there.
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, 'build');
const stampFile = path.join(out, 'stamp.json');

/** Changes when anything the output depends on changes: our scripts and the pinned packages. */
async function inputsHash() {
  const hash = createHash('sha256');
  const scripts = (await readdir(path.join(here, 'lib'), { recursive: true })).filter((f) => f.endsWith('.mjs'));
  const files = ['build.mjs', 'package-lock.json', 'requirements.txt', '../LICENSE-APACHE', ...scripts.map((f) => path.join('lib', f))];
  for (const file of files.sort()) hash.update(file).update(await readFile(path.join(here, file)));
  return hash.digest('hex');
}

/** Every file under `build/` with its size. */
async function listing() {
  const entries = await readdir(out, { recursive: true, withFileTypes: true });
  const files = entries.filter((e) => e.isFile() && e.name !== 'stamp.json').map((e) => path.join(e.parentPath ?? e.path, e.name));
  const sizes = await Promise.all(files.map(async (f) => [path.relative(out, f), (await stat(f)).size]));
  return Object.fromEntries(sizes.sort(([a], [b]) => (a < b ? -1 : 1)));
}

async function upToDate(inputs) {
  try {
    const stamp = JSON.parse(await readFile(stampFile, 'utf8'));
    return stamp.inputs === inputs && JSON.stringify(stamp.files) === JSON.stringify(await listing());
  } catch {
    return false;
  }
}

/** Writes a folder beside its place and moves it there when complete. */
async function step(folder, title, write) {
  const started = performance.now();
  process.stdout.write(`${title} ... `);
  const part = path.join(out, `.${folder}.part`);
  await rm(part, { recursive: true, force: true });
  await mkdir(part, { recursive: true });
  const told = await write(part);
  await rm(path.join(out, folder), { recursive: true, force: true });
  await rename(part, path.join(out, folder));
  console.log(`${told} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}

const inputs = await inputsHash();
if (await upToDate(inputs)) {
  console.log('Face pack: up to date.');
} else {
  const [{ meshRoot, readNetworks, sourceRoot, writeGuide, writePack }, { writeDemoFaces }, { writeParity }, { wheelNetworks }] = await Promise.all([
    import('./lib/pack.mjs'),
    import('./lib/demo-faces.mjs'),
    import('./lib/parity.mjs'),
    import('./lib/wheel.mjs'),
  ]);
  const roots = { faces: sourceRoot(here), mesh: meshRoot(here), wheel: await wheelNetworks(here) };
  await mkdir(out, { recursive: true });
  await rm(stampFile, { force: true });
  const networks = await readNetworks(roots);
  const licence = path.join(here, '..', 'LICENSE-APACHE');
  await step('default', 'Face pack: turning the networks into ONNX', (folder) => writePack('default', networks, licence, folder));
  await step('dlib', 'Face pack: the same with the recognition network of dlib', (folder) => writePack('dlib', networks, licence, folder));
  await step('guide', 'Face pack: the small mesh for phones', (folder) => writeGuide(networks, licence, folder));
  await step('demo-faces', 'Face pack: cutting the demo faces', (folder) => writeDemoFaces(roots.faces, folder));
  await step('parity', 'Face pack: asking the originals for their answers', (folder) => writeParity(roots, networks, folder));
  await writeFile(stampFile, JSON.stringify({ inputs, files: await listing() }));
}
