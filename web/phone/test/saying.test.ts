// What screen readers say during a capture.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Saying } from '../src/view/saying.js';

test('one sentence in two seconds, the newest, and never the one that was said last', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const saying = new Saying((sentence) => said.push(sentence));
  saying.tell('look');
  assert.deepEqual(said, ['look'], 'the first one waits for nothing');
  saying.tell('hold still');
  saying.tell('turn');
  t.mock.timers.tick(1_900);
  assert.deepEqual(said, ['look']);
  t.mock.timers.tick(100);
  assert.deepEqual(said, ['look', 'turn'], 'what is shown no more is not said');
  // Another hint that is gone again within the two seconds.
  saying.tell('hold still');
  saying.tell('turn');
  t.mock.timers.tick(5_000);
  assert.deepEqual(said, ['look', 'turn']);
  saying.tell('blink');
  assert.deepEqual(said, ['look', 'turn', 'blink']);
});

test('nothing is said any more once the capture is over', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const said: string[] = [];
  const saying = new Saying((sentence) => said.push(sentence));
  saying.tell('look');
  saying.tell('turn');
  saying.stop();
  t.mock.timers.tick(5_000);
  assert.deepEqual(said, ['look']);
});
