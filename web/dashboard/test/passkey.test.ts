import assert from 'node:assert/strict';
import test from 'node:test';

import { bytes, excuse, text } from '../passkey.js';

test('bytes come back as they went', () => {
  for (let length = 0; length < 70; length++) {
    const sent = Uint8Array.from({ length }, (_, at) => (at * 37 + length * 251) % 256);
    const written = text(sent.buffer);
    assert.match(written, /^[A-Za-z0-9_-]*$/);
    assert.equal(written, Buffer.from(sent).toString('base64url'));
    assert.deepEqual(bytes(written), sent);
  }
});

test('whatever the browser says, there is a way on', () => {
  const named = (name: string): Error => Object.assign(new Error(), { name });
  for (const error of [named('NotAllowedError'), named('SecurityError'), 'nothing', undefined]) {
    assert.match(excuse(error), /password/);
  }
  assert.match(excuse(named('InvalidStateError')), /already/);
});
