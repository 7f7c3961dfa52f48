// A thousand verdicts while sockets, servers and Redis are cut: every page hears its own, once.

import { after, before, describe, test } from 'node:test';

import { AWAY, World } from './support/cuts.mjs';
import { DATABASES } from './support/database.mjs';
import { Redis } from './support/redis.mjs';

const [SQLITE, POSTGRES] = DATABASES;
const shared = POSTGRES.missing ?? Redis.missing;

describe('1,000 verdicts, none lost, none twice', { concurrency: true }, () => {
  const told = { pages: 0, verdicts: 0 };

  describe('one server', { concurrency: 1 }, () => {
    const world = new World(told);
    before(() => world.open({ servers: 1, settings: SQLITE.settings }));
    after(() => world.close());
    cases(world, ['sockets', 'SIGTERM', 'SIGKILL']);
  });

  describe('two servers with Redis', { concurrency: 1, skip: shared ?? false }, () => {
    const world = new World(told);
    before(() => world.open({ servers: 2, settings: POSTGRES.settings, redis: true }));
    after(() => world.close());
    cases(world, ['sockets', 'SIGTERM', 'SIGKILL', 'Redis']);
  });

  after(() => console.log(`${told.pages} pages heard ${told.verdicts} verdicts`));
});

function cases(world, cuts) {
  // The pages that are away live through the other cases meanwhile.
  let away;
  test('pages leave', async () => { away = world.leave(); });
  for (const cut of cuts) test(`cut: ${cut}`, () => world.live(() => world.cut(cut)));
  test(`cut: ${AWAY / 1000} s away`, () => away);
}
