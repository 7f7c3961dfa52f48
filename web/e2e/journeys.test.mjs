// Journeys 2 (enrol) and 3 (sign in by API), from the site's backend, its page and a phone, on every
// database and with every source of photos.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { Axiam, sleep } from './support/axiam.mjs';
import { DATABASES } from './support/database.mjs';
import { data, failure } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { Phone } from './support/phone.mjs';
import { SOURCES } from './support/photos.mjs';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const LOGIN = 'FacialSignOnLoginChannel';
const DEVICE = 'FacialSignOnDeviceChannel';

for (const database of DATABASES) {
  for (const source of SOURCES) {
    const skip = database.missing ?? source.missing;
    // The demo pictures come with `make models`: without them nothing has been tested.
    const required = source === SOURCES[0] && !database.missing;
    describe(`${database.name}, ${source.name}`, { skip: required ? false : skip ?? false }, () => {
      if (required && source.missing) throw new Error(source.missing);
      walk(database, source.people);
    });
  }
}

function walk(database, people) {
  const [owner, stranger] = people;
  let axiam, site, otherSite, page;
  // Filled by enrolment, used by the sign-ons.
  const client = { email: 'ada@example.com' };

  before(async () => {
    axiam = await Axiam.start({ settings: await database.settings() });
    site = await axiam.createSite('https://Example.com:8443/path');
    otherSite = await axiam.createSite('https://other.example');
    await site.authenticate();
    await otherSite.authenticate();
    page = new Page(axiam, { token: site.pageToken });
  });
  after(async () => {
    page?.close();
    await axiam?.stop();
  });

  async function signOn() {
    const asked = await site.push(client.id);
    assert.match(asked.verification_token, /^\S{20,}$/);
    assert.equal(asked.site_id, site.id);
    assert.equal(asked.expires_in, 600);
    assert.equal(asked.number, null, 'number matching is switched off on this site');
    return asked.verification_token;
  }

  test('a person enrols, and the page hears both events', async () => {
    client.id = await site.createClient(client.email, 'Ada Lovelace');
    assert.match(client.id, UUID);
    const qr = await site.qrcode(client.id, 'signup');
    assert.equal(qr.expires_in, 600);
    assert.deepEqual([...Buffer.from(qr.qrcode_base64, 'base64').subarray(0, 4)], [0x89, 0x50, 0x4e, 0x47], 'a PNG');
    assert.ok(qr.enrollment_url.startsWith(`${axiam.url}/phone/#`), qr.enrollment_url);

    const events = await page.listen(DEVICE, { client_id: client.id });
    assert.equal(events.messages[0]?.type, 'subscription_confirmed');

    client.phone = await Phone.fromLink(qr.enrollment_url);
    const paired = data(await client.phone.register());
    assert.match(paired.device_id, UUID);
    assert.equal(paired.client_id, client.id);
    assert.ok(paired.expires_in > 0);
    assert.equal(paired.site.domain, 'example.com');
    assert.equal(typeof paired.site.name, 'string');
    assert.equal(typeof paired.consent.version, 'string');
    assert.equal(typeof paired.consent.text, 'string');
    assert.equal(typeof paired.consent.required, 'boolean');
    assert.equal(paired.liveness, 'off');
    assert.equal(paired.face_enrolled, false);
    const registered = await events.hears('registered');
    assert.equal(registered.registered, true);
    assert.equal(registered.client_id, client.id);
    assert.equal(registered.flow_type, 'signup');
    assert.ok(registered.message.length > 0);

    assert.deepEqual(data(await client.phone.enrol([owner.photo(0)])), { status: 'uploaded' });
    const uploaded = await events.hears('uploaded');
    assert.equal(uploaded.client_id, client.id);
    assert.equal(uploaded.flow_type, 'signup');
    assert.ok(uploaded.message.length > 0);
    assert.deepEqual(events.statuses, ['registered', 'uploaded']);

    const found = data(await site.post('/login/lookup_client', { email: client.email }));
    assert.deepEqual(found, { client_id: client.id, email: client.email, facial_sign_on_enabled: true });
  });

  test('an enrolment link works once', async () => {
    const again = new Phone(client.phone.root, client.phone.enrollmentToken);
    failure(await again.register(), 1051);
  });

  test('the same person signs on, and the session token redeems once, at its own site', async () => {
    const token = await signOn();
    const verdict = await page.listen(LOGIN, { verification_token: token });
    assert.equal(verdict.messages[0]?.type, 'subscription_confirmed');
    assert.equal(data(await site.status(token)).status, 'pending');

    const [waiting, ...more] = await client.phone.pending();
    assert.equal(more.length, 0);
    assert.match(waiting.sign_on_id, UUID);
    assert.equal(waiting.site.domain, 'example.com');
    assert.match(waiting.browser, /Firefox/);
    assert.match(waiting.os, /Linux/);
    assert.equal(waiting.number, null);
    assert.ok(Date.parse(waiting.expires_at) > Date.parse(waiting.requested_at));

    const challenge = await client.phone.challenge(waiting.sign_on_id);
    assert.equal(challenge.liveness, 'off');
    assert.ok(challenge.steps.every((step) => step.id && step.action === 'look_straight'), 'nothing to act out');
    assert.ok(challenge.expires_in > 0);
    const answer = { sign_on_id: waiting.sign_on_id, nonce: challenge.nonce };
    assert.deepEqual(data(await client.phone.verify(answer, [owner.photo(1)], challenge)), { status: 'verified' });

    const verified = await verdict.hears('verified');
    assert.equal(verified.client_id, client.id);
    assert.equal(verified.email, client.email);
    assert.ok(Math.abs(Date.parse(verified.verified_at) - Date.now()) < 60_000);
    assert.match(verified.client_session_token, /^\S{20,}$/);
    assert.equal(data(await site.status(token)).status, 'verified');
    assert.deepEqual(await client.phone.pending(), []);

    failure(await otherSite.validateSession(verified.client_session_token, client.id), 1046);
    const proof = data(await site.validateSession(verified.client_session_token, client.id));
    assert.equal(proof.client_id, client.id);
    assert.equal(proof.email, client.email);
    assert.equal(proof.site_id, site.id);
    assert.equal(proof.device_id, client.phone.id);
    assert.equal(Date.parse(proof.verified_at), Date.parse(verified.verified_at));
    assert.deepEqual(proof.amr, ['face', 'swk']);
    failure(await site.validateSession(verified.client_session_token, client.id), 1040);

    const afterwards = new Page(axiam, { token: site.pageToken });
    const late = await (await afterwards.listen(LOGIN, { verification_token: token })).hears('verified');
    assert.equal(late.client_session_token, undefined, 'a redeemed token is not told again');
    afterwards.close();
  });

  test('a page that subscribes after the verdict still gets it', async () => {
    const token = await signOn();
    data(await client.phone.scan([owner.photo(1)]));
    // The old parameter name, the public prefix in the address, the token out of sight.
    const late = new Page(axiam, { token: site.pageToken, hidden: true, query: `channel_prefix=${site.keys.channel_prefix}` });
    const verdict = await late.listen(LOGIN, { token });
    const verified = await verdict.hears('verified');
    assert.deepEqual(verdict.statuses, ['verified']);
    data(await site.validateSession(verified.client_session_token, client.id));
    late.close();
  });

  test('the verdict reaches every page that listens, and a page needs no token for its own sign-on', async () => {
    const token = await signOn();
    const pages = [new Page(axiam), new Page(axiam, { token: await site.widgetToken() })];
    const verdicts = await Promise.all(pages.map((one) => one.listen(LOGIN, { verification_token: token })));
    data(await client.phone.scan([owner.photo(0)]));
    for (const verdict of verdicts) assert.equal((await verdict.hears('verified')).client_id, client.id);
    pages.forEach((one) => one.close());
  });

  test('a phone that waits is told at once', async () => {
    const asked = Date.now();
    const waiting = client.phone.pending('?wait=25');
    await sleep(300);
    const token = await signOn();
    const [told] = await waiting;
    assert.ok(Date.now() - asked < 10_000, 'it waited for the end of its time');
    data(await client.phone.deny(told.sign_on_id));
    assert.equal(data(await site.status(token)).status, 'denied');
  });

  test('another person is refused after three tries', async () => {
    const token = await signOn();
    const verdict = await page.listen(LOGIN, { verification_token: token });
    for (const left of [2, 1, 0]) {
      const refused = failure(await client.phone.scan([stranger.photo(0)]), 1036);
      assert.equal(refused.details.attempts_left, left);
      assert.doesNotMatch(JSON.stringify(refused), /score|distance|threshold/i);
    }
    const failed = await verdict.hears('failed');
    assert.equal(failed.code, 1036);
    assert.equal(failed.error, 'face_mismatch');
    assert.ok(failed.user_message.length > 0);
    assert.deepEqual(verdict.statuses.filter((status) => status !== 'scanning'), ['retry', 'retry', 'failed']);
    const retries = verdict.messages.filter((message) => message.status === 'retry');
    assert.deepEqual(retries.map((retry) => [retry.code, retry.attempts_left]), [[1036, 2], [1036, 1]]);
    assert.ok(retries.every((retry) => retry.user_message.length > 0));
    assert.equal(failed.client_session_token, undefined);

    assert.equal(data(await site.status(token)).status, 'failed');
    assert.deepEqual(await client.phone.pending(), []);
    const late = new Page(axiam, { token: site.pageToken });
    assert.equal((await (await late.listen(LOGIN, { verification_token: token })).hears('failed')).code, 1036);
    late.close();
  });

  test('the widget’s push shows a number that the person must type; a wrong one ends it', async () => {
    const widget = await site.widgetToken();
    const asked = await site.sendPush(client.email, { token: widget });
    assert.ok(Number.isInteger(asked.number) && asked.number >= 0 && asked.number <= 99, `${asked.number}`);
    const end = await page.listen(LOGIN, { verification_token: asked.verification_token });
    const [waiting] = await client.phone.pending();
    const choices = waiting.number.choices.map(Number);
    assert.equal(choices.length, 100);
    assert.ok(choices.includes(Number(asked.number)));

    const wrong = choices.find((choice) => choice !== Number(asked.number));
    const refused = failure(await client.phone.scan([owner.photo(1)], { number: wrong }), 1042);
    assert.equal(refused.details.attempts_left, 0);
    assert.equal((await end.hears('failed')).code, 1042);

    const again = await site.sendPush(client.email, { token: widget });
    const verdict = await page.listen(LOGIN, { verification_token: again.verification_token });
    data(await client.phone.scan([owner.photo(1)], { number: again.number }));
    assert.equal((await verdict.hears('verified')).email, client.email);
  });
}
