// The engine as the app has it, with a worker that a test answers for.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';

import { Engine, type Worker } from '../src/engine/engine.js';
import type { Answer, Asked } from '../src/engine/messages.js';

const FILES = { worker: '/w.js', program: '/p.wasm', weights: '/w.onnx' };

/** Answers each look at once, having taken so long. */
class StandIn implements Worker {
  readonly asked: Asked['kind'][] = [];
  onmessage: Worker['onmessage'] = null;
  onerror: Worker['onerror'] = null;
  isOver = false;

  constructor(private readonly clock: { now: number }, public takes = 20) {}

  postMessage(asked: Asked): void {
    this.asked.push(asked.kind);
    if (asked.kind === 'load') this.tell({ kind: 'ready' });
    if (asked.kind === 'look') {
      this.clock.now += this.takes;
      this.tell({ kind: 'seen', face: null });
    }
  }

  tell(answer: Answer): void {
    queueMicrotask(() => this.onmessage?.({ data: answer } as MessageEvent<Answer>));
  }

  terminate(): void {
    this.isOver = true;
  }
}

function standing(files: typeof FILES | null = FILES): { engine: Engine; worker: StandIn } {
  const clock = { now: 0 };
  const worker = new StandIn(clock);
  return { engine: new Engine(() => files, () => worker, () => clock.now), worker };
}

const pixels = (): ImageData => ({ data: new Uint8ClampedArray(16), width: 2, height: 2, colorSpace: 'srgb' }) as ImageData;

describe('the engine', () => {
  test('is loaded once, and says what it sees', async () => {
    const { engine, worker } = standing();
    assert.equal(await engine.look(pixels()), undefined);
    await Promise.all([engine.prepare(), engine.prepare()]);
    assert.ok(engine.isThere);
    engine.begin();
    assert.equal(await engine.look(pixels()), null);
    engine.keepStraight();
    assert.deepEqual(worker.asked, ['load', 'begin', 'look', 'straight']);
  });

  test('a server without one, and one that does not start, keep nobody waiting', async () => {
    const none = standing(null);
    await none.engine.prepare();
    assert.equal(none.engine.isThere, false);
    const broken = new Engine(() => FILES, () => { throw new Error('no workers here'); });
    await broken.prepare();
    assert.equal(broken.isThere, false);
    assert.equal(await broken.look(pixels()), undefined);
  });

  test('is given up where a look takes more than 150 ms, but for the first ones', async () => {
    const { engine, worker } = standing();
    await engine.prepare();
    engine.begin();
    worker.takes = 900;
    for (let n = 0; n < 3; n++) await engine.look(pixels());
    worker.takes = 100;
    for (let n = 0; n < 20; n++) assert.equal(await engine.look(pixels()), null);
    worker.takes = 200;
    for (let n = 0; n < 8; n++) await engine.look(pixels());
    assert.ok(!engine.isThere && worker.isOver);
    assert.equal(await engine.look(pixels()), undefined);
  });

  test('is kept where a look now and then takes long', async () => {
    const { engine, worker } = standing();
    await engine.prepare();
    engine.begin();
    for (let n = 0; n < 40; n++) {
      worker.takes = n % 4 === 3 ? 1_200 : 60;
      await engine.look(pixels());
    }
    assert.ok(engine.isThere && !worker.isOver);
  });

  test('one that breaks in the middle of a look ends the look', async () => {
    const { engine, worker } = standing();
    await engine.prepare();
    worker.postMessage = () => worker.tell({ kind: 'failed' });
    assert.equal(await engine.look(pixels()), undefined);
    assert.equal(engine.isThere, false);
  });
});
