import assert from 'node:assert/strict';
import test from 'node:test';

import { words } from '../ago.js';

test('times are said as the server says them', () => {
  const cases: [number, string | null][] = [
    [0, 'now'], [4, 'now'], [5, '5 seconds ago'], [59, '59 seconds ago'], [60, '1 minute ago'], [119, '1 minute ago'],
    [7199, '1 hour ago'], [-7200, 'in 2 hours'], [86_400, '1 day ago'], [86_400 * 60, '60 days ago'], [86_400 * 61, null],
  ];
  for (const [seconds, said] of cases) assert.equal(words(seconds), said, `${seconds}`);
});
