// Face photos to templates: ours beside its peers, in one run, on the same photos, one thread each.
// scripts/bench-face prepares what this needs. The last line of the output is JSON.
//
// The peers take turns photo by photo, so that whatever else the machine does hits all of them alike.
// Each is a process of its own on one core that waits while the others work.
import { cpus } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { Peer } from './peer.mjs';
import { writePhotos } from './photos.mjs';
import { report } from './report.mjs';

const here = path.dirname(fileURLToPath(import.meta.url));
const models = path.join(here, '../../models');
const build = path.join(models, 'build');
const { BENCH_AXIAM, BENCH_PYTHON_DLIB, BENCH_PYTHON_ONNX, BENCH_FOLDER, BENCH_ROUNDS = '7' } = process.env;

/** Rounds that count; one before them warms up. */
const ROUNDS = Number(BENCH_ROUNDS);
/** In one round each photo goes this often through ours and ONNX Runtime: they are short. */
const SHORT = 5;
/** Frames of a sign-on with active liveness. */
const FRAMES = 6;

const peer = (script) => path.join(here, 'peers', script);
const axiam = new Peer('axiam', 'Axiam', BENCH_AXIAM, [path.join(build, 'default')]);
const signOn = new Peer('axiam_sign_on', `Axiam, sign-on of ${FRAMES} frames`, BENCH_AXIAM, [path.join(build, 'default')]);
// The same from photos and frames as the phone's app sends them.
const sent = new Peer('axiam_sent', 'Axiam, a photo of 480x640', BENCH_AXIAM, [path.join(build, 'default')]);
const sentSignOn = new Peer('axiam_sent_sign_on', `Axiam, sign-on of ${FRAMES} frames of 480x640`, BENCH_AXIAM, [path.join(build, 'default')]);
const npm = new Peer('npm', 'npm face-api (WASM), SSD', process.execPath, [peer('npm.mjs'), 'ssd']);
const npmTiny = new Peer('npm_tiny', 'npm face-api (WASM), tiny', process.execPath, [peer('npm.mjs'), 'tiny']);
const dlib = new Peer('face_recognition', 'Python face_recognition', BENCH_PYTHON_DLIB, [peer('dlib_peer.py')]);
const onnx = new Peer('onnxruntime', 'ONNX Runtime, networks alone', BENCH_PYTHON_ONNX, [peer('onnx_runtime.py'), build]);
const all = [axiam, signOn, sent, sentSignOn, npm, npmTiny, dlib, onnx];

for (const each of all) await each.start();
if (!axiam.running) throw new Error(`ours did not start: ${axiam.reason}`);
console.log(`bench-face: ${cpus()[0].model}, ${cpus().length} cores; one thread each, ${axiam.pinned ? `all on core ${axiam.core}` : 'not pinned (no taskset)'}`);
for (const { title, versions, running, reason } of all) {
  const told = running && Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');
  console.log(running ? `  ${title}: ${told}` : `  SKIPPED ${title}: ${reason}`);
}

const samples = path.join(models, 'node_modules/@vladmandic/face-api/demo');
const photos = await writePhotos(samples, path.join(BENCH_FOLDER, 'photos'), FRAMES);
const memory = await axiam.peakOverIdle(photos.map(({ photo }) => photo));
for (let number = 0; number <= ROUNDS; number++) {
  if (number === 1) all.forEach((each) => each.forget());
  for (const photo of photos) await takeTurns(photo);
}
console.log(`${photos.length} photos, ${ROUNDS} rounds\n`);
report({ axiam, signOn, sent, sentSignOn, npm, npmTiny, dlib, onnx, memory });
all.forEach((each) => each.stop());

async function takeTurns({ photo, frames, sent: small }) {
  for (let i = 0; i < SHORT; i++) {
    const { runs } = await axiam.ask({ photo });
    await signOn.ask({ frames });
    await sent.ask({ photo: small.photo });
    await sentSignOn.ask({ frames: small.frames });
    if (onnx.running) await onnx.ask({ runs });
  }
  for (const each of [npm, npmTiny, dlib]) if (each.running) await each.ask({ photo });
}
