// DeviceInboxChannel: a phone that is open hears of sign-ons as they come, without polling.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { WebSocket } from 'ws';

import { Axiam, sleep } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';

describe('a phone on the cable', () => {
  let axiam, site, person, other;
  before(async () => {
    axiam = await Axiam.start();
    site = await axiam.createSite('https://example.com');
    await site.authenticate();
    const photos = [people()[0].photo(0)];
    person = await site.person('ada@example.com', { photos });
    other = await site.person('eve@example.com', { photos });
  });
  after(() => axiam?.stop());

  const proof = (phone, more = {}) => phone.proof({ method: 'GET', url: axiam.url + '/cable', ...more });

  /** As an app with headers, or as a browser that has only subprotocols. */
  const asApp = (phone, more) => new Cable(axiam.cable, [], { dpop: proof(phone, more), authorization: `DPoP ${phone.token}` });
  const asBrowser = (phone, more) => new Cable(axiam.cable, [`axiam-device.${phone.token}`, `axiam-proof.${proof(phone, more)}`]);

  for (const [name, open] of [['app', asApp], ['browser', asBrowser]]) {
    test(`${name}: what waits, what comes, what ends`, async () => {
      const first = await site.sendPush('ada@example.com');
      const phone = open(person.phone);
      await phone.subscribe();
      const [inbox] = await person.phone.pending();
      const waits = await phone.hears('pending');
      assert.deepEqual(waits, { status: 'pending', ...inbox });
      assert.equal(waits.number.choices.length, 100);
      await site.push(other.id);
      const second = await site.push(person.id);
      const came = await phone.hears('pending');
      assert.equal(came.number, null);
      assert.notEqual(came.sign_on_id, waits.sign_on_id);
      data(await person.phone.deny(waits.sign_on_id));
      assert.deepEqual(await phone.hears('closed'), { status: 'closed', sign_on_id: waits.sign_on_id });
      data(await site.post('/login/cancel', { verification_token: second.verification_token }));
      assert.deepEqual(await phone.hears('closed'), { status: 'closed', sign_on_id: came.sign_on_id });
      assert.equal(data(await site.status(first.verification_token)).status, 'denied');
      phone.close();
    });
  }

  test('is refused without its key, its token, or a fresh proof', async () => {
    const used = proof(person.phone);
    const bearing = (dpop) => new Cable(axiam.cable, [], { dpop, authorization: `DPoP ${person.phone.token}` });
    const first = bearing(used);
    await first.subscribe();
    first.close();
    for (const phone of [
      bearing(used),
      bearing(proof(person.phone, { key: other.phone.key.privateKey })),
      bearing(proof(person.phone, { claims: { htm: 'POST' } })),
      bearing(proof(person.phone, { url: `${axiam.api}/login/pending` })),
      bearing(proof(other.phone)),
      new Cable(axiam.cable, [`axiam-device.${person.phone.token}`]),
    ]) {
      assert.deepEqual(await phone.next(), { type: 'disconnect', reason: 'unauthorized', reconnect: false });
    }
  });
});

/** The bare protocol: phones' clients are not written in JavaScript. */
class Cable {
  constructor(url, protocols, headers = {}) {
    this.frames = [];
    this.socket = new WebSocket(url, ['actioncable-v1-json', ...protocols], { headers });
    this.socket.on('message', (text) => {
      const frame = JSON.parse(text);
      if (frame.type !== 'ping') this.frames.push(frame);
    });
    this.socket.on('error', () => {});
  }

  async next() {
    for (const end = Date.now() + 10_000; Date.now() < end; await sleep(5)) {
      if (this.frames.length) return this.frames.shift();
    }
    throw new Error('nothing came');
  }

  async subscribe() {
    assert.equal((await this.next()).type, 'welcome');
    const identifier = JSON.stringify({ channel: 'DeviceInboxChannel' });
    this.socket.send(JSON.stringify({ command: 'subscribe', identifier }));
    assert.equal((await this.next()).type, 'confirm_subscription');
    assert.equal((await this.next()).message.type, 'subscription_confirmed');
  }

  async hears(status) {
    const { message } = await this.next();
    assert.equal(message.status, status);
    return message;
  }

  close() {
    this.socket.close();
  }
}
