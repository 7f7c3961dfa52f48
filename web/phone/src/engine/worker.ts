// The worker in which the engine runs, so that the page never waits for it.

import { Program } from './program.js';
import type { Answer, Asked } from './messages.js';

// The DOM's own types know pages, not workers.
interface Worker {
  postMessage(answer: Answer, transfer?: Transferable[]): void;
  addEventListener(type: 'message', told: (event: MessageEvent<Asked>) => void): void;
}

const worker = globalThis as unknown as Worker;
let program: Promise<Program> | null = null;

worker.addEventListener('message', ({ data }) => {
  void answer(data).catch(() => worker.postMessage({ kind: 'failed' }));
});

async function answer(asked: Asked): Promise<void> {
  if (asked.kind === 'load') {
    program = Promise.all([fetched(asked.program), fetched(asked.weights)])
      .then(([code, weights]) => Program.start(code, new Uint8Array(weights)));
    warmUp(await program);
    worker.postMessage({ kind: 'ready' });
    return;
  }
  const engine = await program;
  if (!engine) return;
  if (asked.kind === 'begin') return engine.begin();
  if (asked.kind === 'straight') return engine.keepStraight();
  const face = engine.look(new Uint8Array(asked.pixels), asked.width, asked.height);
  worker.postMessage({ kind: 'seen', face });
}

/** Browsers compile in earnest what has run a few times: nobody should wait for that with a face before the camera. */
function warmUp(engine: Program): void {
  for (let n = 0; n < 3; n++) engine.look(new Uint8Array(4 * 240 * 320).fill(127), 240, 320);
}

async function fetched(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response.arrayBuffer();
}
