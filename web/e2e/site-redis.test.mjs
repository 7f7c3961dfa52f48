// A site's own user in Redis, through the command line, a Redis that is killed, and a server that
// dies with a verdict on its lips.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { DATABASES } from './support/database.mjs';
import { data } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { people } from './support/photos.mjs';
import { Proxy } from './support/proxy.mjs';
import { Listener, Redis } from './support/redis.mjs';

const [, POSTGRES] = DATABASES;

describe('without Redis', () => {
  test('the command says what to do instead', async () => {
    const axiam = await Axiam.start();
    const site = await axiam.createSite('https://example.com');
    const said = await axiam.must('site', 'redis', site.id);
    assert.match(said, /login\/status/);
    assert.match(said, /validate_session/);
    assert.notEqual((await axiam.run('site', 'redis', site.id, '--rotate')).code, 0);
    assert.equal(site.keys.redis, undefined);
    await axiam.stop();
  });
});

describe('with Redis', { skip: Redis.missing ?? false }, () => {
  let redis, axiam, site, person;
  before(async () => {
    redis = await Redis.start();
    axiam = await Axiam.start({
      settings: { AXIAM_REDIS_URL: redis.url, AXIAM_REDIS_PUBLIC_HOST: 'localhost' },
    });
    site = await axiam.createSite('https://example.com');
    await site.authenticate();
    person = await site.person('ada@example.com', { photos: [people()[0].photo(0)] });
  });
  after(async () => {
    await axiam?.stop();
    await redis?.stop();
  });

  const listen = async ({ host, port, user, password, prefix }) => {
    const listener = new Listener({ host, port, user, password, pattern: `${prefix}:*` });
    await listener.ready;
    return listener;
  };

  async function denial() {
    await site.push(person.id);
    const waiting = (await person.phone.pending()).at(-1);
    data(await person.phone.deny(waiting.sign_on_id));
    return (event) => event.status === 'denied' && event.sign_on_id === waiting.sign_on_id;
  }

  test('a site is created with its user, and its backend hears its events', async () => {
    const { redis: access } = site.keys;
    assert.match(access.user, /^app_[0-9a-f]{16}$/);
    assert.deepEqual([access.host, access.port, access.prefix], ['localhost', redis.port, site.keys.channel_prefix]);
    const backend = await listen(access);
    await backend.hears(await denial());
    const shown = await axiam.must('site', 'redis', site.id);
    assert.match(shown, new RegExp(access.user));
    assert.doesNotMatch(shown, new RegExp(access.password));
    backend.close();
  });

  test('a Redis that lost everything gets its users back', async () => {
    await redis.kill();
    await redis.serve();
    const access = site.keys.redis;
    let backend;
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(100)) {
      backend = await listen(access);
      if (!backend.errors.length) break;
      backend.close();
    }
    await backend.hears(await denial());
    backend.close();
  });

  test('a site that is created while Redis is down gets its user when it is back', async () => {
    await redis.kill();
    const { code, stdout, stderr } = await axiam.run('site', 'create', '--url', 'https://late.example', '--json');
    assert.equal(code, 0, stderr);
    assert.match(stderr, /when it can/);
    const { redis: access } = JSON.parse(stdout);
    await redis.serve();
    let errors;
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(100)) {
      const backend = await listen(access);
      ({ errors } = backend);
      backend.close();
      if (!errors.length) break;
    }
    assert.deepEqual(errors, []);
  });

  test('a password is replaced, and a user is removed, at once', async () => {
    const old = await listen(site.keys.redis);
    const access = JSON.parse(await axiam.must('site', 'redis', site.id, '--rotate', '--json'));
    assert.equal(access.user, site.keys.redis.user);
    for (const end = Date.now() + 5000; !old.closed && Date.now() < end; await sleep(20));
    assert.ok(old.closed, 'who listened with the old password is sent away');
    assert.match((await listen(site.keys.redis)).errors[0], /WRONGPASS/);
    const backend = await listen(access);
    await backend.hears(await denial());
    await axiam.must('site', 'redis', site.id, '--remove');
    for (const end = Date.now() + 5000; !backend.closed && Date.now() < end; await sleep(20));
    assert.ok(backend.closed);
    assert.match((await listen(access)).errors[0], /WRONGPASS/);
    assert.match(await axiam.must('site', 'redis', site.id), /none yet/);
  });
});

describe('a server that dies between commit and broadcast', { skip: POSTGRES.missing ?? Redis.missing ?? false }, () => {
  let redis, wire, doomed, other, site, person;
  before(async () => {
    redis = await Redis.start();
    wire = await Proxy.to(redis.port);
    const settings = await POSTGRES.settings();
    doomed = await Axiam.start({ settings: { ...settings, AXIAM_REDIS_URL: `redis://127.0.0.1:${wire.port}` } });
    const master = `${doomed.dataDir}/master.key`;
    other = await Axiam.start({ settings: { ...settings, AXIAM_REDIS_URL: redis.url, AXIAM_KEYS_MASTER: master } });
    site = await other.createSite('https://example.com');
    await site.authenticate();
    person = await site.person('ada@example.com', { photos: [people()[0].photo(0)] });
  });
  after(async () => {
    await wire?.close();
    await other?.stop();
    await doomed?.stop();
    await redis?.stop();
  });

  test('another server tells the verdict, once', async () => {
    const page = new Page(other, { token: site.pageToken });
    const verdicts = [];
    for (let n = 0; n < 5; n++) {
      const { verification_token } = await site.push(person.id);
      verdicts.push(await page.listen('FacialSignOnLoginChannel', { verification_token }));
    }
    const waiting = await person.phone.pending();
    const through = Object.assign(Object.create(person.phone), { root: doomed.api });
    // Nothing that this server says reaches Redis any more; the database it reaches.
    wire.hold();
    for (const { sign_on_id } of waiting) data(await through.deny(sign_on_id));
    await doomed.halt('SIGKILL');
    wire.cut();
    for (const verdict of verdicts) await verdict.hears('denied');
    await sleep(2500);
    assert.deepEqual(verdicts.map((verdict) => verdict.statuses), Array(5).fill(['denied']));
    page.close();
  });
});
