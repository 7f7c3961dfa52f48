// Every client that pages use walks the same journeys: against one server, and against two that
// share a database and a Redis, with the page at one and the phone at the other.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { CLIENTS } from './support/clients.mjs';
import { DATABASES } from './support/database.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';
import { Phone } from './support/phone.mjs';

const LOGIN = 'FacialSignOnLoginChannel';
const DEVICE = 'FacialSignOnDeviceChannel';
const REDIS = process.env.AXIAM_TEST_REDIS_URL;
const [SQLITE, POSTGRES] = DATABASES;
const shared = POSTGRES.missing ?? (REDIS ? null : 'AXIAM_TEST_REDIS_URL is not set: `make test` sets it');

describe('one server', () => {
  const world = { settings: () => SQLITE.settings(), servers: 1 };
  walkAll(world);
});

describe('two servers with Redis', { skip: shared ?? false }, () => {
  const world = {
    servers: 2,
    settings: async () => ({
      ...(await POSTGRES.settings()),
      AXIAM_REDIS_URL: REDIS,
      AXIAM_REDIS_PREFIX: `e2e-${Math.random().toString(36).slice(2)}`,
    }),
  };
  walkAll(world);
});

function walkAll(world) {
  let site, here, there, owner, stranger;

  before(async () => {
    [owner, stranger] = people();
    const settings = await world.settings();
    here = await Axiam.start({ settings });
    there = world.servers === 1 ? here
      : await Axiam.start({ settings: { ...settings, AXIAM_KEYS_MASTER: `${here.dataDir}/master.key` } });
    site = await here.createSite('https://example.com');
    await site.authenticate();
  });
  after(async () => {
    if (there !== here) await there?.stop();
    await here?.stop();
  });

  for (const { name, open } of CLIENTS) {
    describe(name, () => {
      const email = `${name.replace(/\W+/g, '-')}@example.com`;
      let page, person;

      before(() => { page = open(`${here.cable}?token=${site.pageToken}`); });
      after(() => page?.close());

      /** What a page of this client hears. */
      async function follow(channel, params, at = page) {
        const heard = [];
        const { outcome } = at.follow(channel, params, (message) => heard.push(message));
        const said = await Promise.race([outcome, sleep(15_000).then(() => 'nothing')]);
        return { said, heard, statuses: () => heard.map((message) => message.status).filter(Boolean) };
      }

      test('enrolment is heard as it happens', async () => {
        const id = await site.createClient(email);
        const { enrollment_url } = await site.qrcode(id);
        const events = await follow(DEVICE, { client_id: id });
        assert.equal(events.said, 'confirmed');
        const phone = await Phone.fromLink(enrollment_url);
        phone.root = there.api;
        data(await phone.register());
        data(await phone.enrol([owner.photo(0)]));
        await until(() => events.statuses().length === 2, events.heard);
        assert.deepEqual(events.statuses(), ['registered', 'uploaded']);
        assert.deepEqual(events.heard[0], { type: 'subscription_confirmed', channel: DEVICE });
        person = { id, phone };
      });

      test('a sign-on is heard step by step, and a second subscription hears the verdict at once', async () => {
        const { verification_token } = await site.push(person.id);
        const verdict = await follow(LOGIN, { verification_token });
        data(await person.phone.scan([owner.photo(1)]));
        await until(() => verdict.statuses().includes('verified'), verdict.heard);
        assert.deepEqual(verdict.statuses(), ['scanning', 'verified']);
        const again = open(here.cable);
        const late = await follow(LOGIN, { token: verification_token }, again);
        await until(() => late.statuses().length > 0, late.heard);
        assert.deepEqual(late.heard.at(-1), verdict.heard.at(-1));
        const session = verdict.heard.at(-1).client_session_token;
        data(await site.validateSession(session, person.id));
        again.close();
      });

      // Rails' client asks again every half second until its second object is confirmed too.
      if (name.startsWith('@rails')) test('two subscriptions with one identifier are both confirmed', async () => {
        const { verification_token } = await site.push(person.id);
        const first = await follow(LOGIN, { verification_token });
        const second = await follow(LOGIN, { verification_token });
        assert.deepEqual([first.said, second.said], ['confirmed', 'confirmed']);
        data(await site.post('/login/cancel', { verification_token }));
        for (const each of [first, second]) await until(() => each.statuses().length > 0, each.heard);
        assert.deepEqual([first.statuses(), second.statuses()], [['expired'], ['expired']]);
      });

      test('retries, a final failure, a denial and a cancellation are each heard once', async () => {
        const failing = await site.push(person.id);
        const failed = await follow(LOGIN, { verification_token: failing.verification_token });
        for (let tries = 0; tries < 3; tries++) await person.phone.scan([stranger.photo(0)]);
        await until(() => failed.statuses().includes('failed'), failed.heard);
        const steps = failed.statuses().filter((status) => status !== 'scanning');
        assert.deepEqual(steps, ['retry', 'retry', 'failed']);

        const denying = await site.push(person.id);
        const denied = await follow(LOGIN, { verification_token: denying.verification_token });
        const [waiting] = await person.phone.pending();
        data(await person.phone.deny(waiting.sign_on_id));
        await until(() => denied.statuses().length > 0, denied.heard);

        const taken = await site.push(person.id);
        const expired = await follow(LOGIN, { verification_token: taken.verification_token });
        data(await site.post('/login/cancel', { verification_token: taken.verification_token }));
        await until(() => expired.statuses().length > 0, expired.heard);

        await sleep(300);
        assert.deepEqual([denied.statuses(), expired.statuses()], [['denied'], ['expired']]);
      });

      test('what is not the page’s is rejected', async () => {
        for (const [channel, params] of [
          [LOGIN, { verification_token: 'vt_unknown' }],
          [DEVICE, { client_id: '00000000-0000-4000-8000-000000000000' }],
          ['DeviceInboxChannel', {}],
          ['NoSuchChannel', {}],
        ]) {
          assert.equal((await follow(channel, params)).said, 'rejected', channel);
        }
        const bare = open(here.cable);
        assert.equal((await follow(DEVICE, { client_id: person.id }, bare)).said, 'rejected');
        bare.close();
      });
    });
  }
}

async function until(holds, heard, patience = 15_000) {
  for (const end = Date.now() + patience; Date.now() < end; await sleep(10)) if (holds()) return;
  assert.fail(`it did not come; came: ${JSON.stringify(heard)}`);
}
