// The stand-in for a push service is as strict as the real ones, or what passes with it says nothing.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { WebSocket } from 'ws';

import { PushService } from './support/push-service.mjs';

const base64url = (value) => Buffer.from(value).toString('base64url');
const keyPair = () => {
  const text = crypto.generateKeyPairSync('ec', { namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }, publicKeyEncoding: { type: 'spki', format: 'der' } });
  return { sign: text.privateKey, point: base64url(text.publicKey.subarray(-65)) };
};

/** A server's proof of itself (RFC 8292). */
function vapid(key, aud, { lasts = 3600, shown = key.point } = {}) {
  const claims = { aud, exp: Math.floor(Date.now() / 1000) + lasts, sub: 'mailto:ops@shop.example' };
  const signed = `${base64url('{"typ":"JWT","alg":"ES256"}')}.${base64url(JSON.stringify(claims))}`;
  const signature = crypto.sign('sha256', Buffer.from(signed), { key: key.sign, dsaEncoding: 'ieee-p1363' });
  return `vapid t=${signed}.${base64url(signature)}, k=${shown}`;
}

/** A browser on the line: what it was given, and what it says. */
async function connect(service, uaid) {
  const socket = new WebSocket(service.address, 'push-notification');
  const given = [];
  const replies = [];
  socket.on('message', (text) => {
    const said = JSON.parse(text);
    if (said.messageType === 'notification') given.push({ ...said, text: Buffer.from(said.data, 'base64url').toString() });
    else replies.push(said);
    socket.emit('heard');
  });
  await once(socket, 'open');
  const ask = async (question) => {
    socket.send(JSON.stringify(question));
    while (!replies.length) await once(socket, 'heard');
    return replies.shift();
  };
  const { uaid: own } = await ask({ messageType: 'hello', use_webpush: true, uaid });
  return { socket, given, ask, uaid: own };
}

const [ours, other] = [keyPair(), keyPair()];
const channelID = crypto.randomUUID();
let service, browser, endpoint;
before(async () => {
  service = await PushService.open();
  browser = await connect(service);
  ({ pushEndpoint: endpoint } = await browser.ask({ messageType: 'register', channelID, key: ours.point }));
});
after(() => {
  browser?.socket.terminate();
  service?.close();
});

function post(headers = {}, body = 'sealed', to = endpoint) {
  const all = { ttl: '60', urgency: 'high', 'content-encoding': 'aes128gcm', authorization: vapid(ours, service.origin), ...headers };
  return fetch(to, { method: 'POST', body, headers: Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined)) });
}

test('takes what RFC 8030 and RFC 8292 ask for, and nothing else', async () => {
  const refused = [
    [400, { ttl: undefined }], [400, { ttl: 'soon' }], [400, { urgency: 'now' }], [400, { topic: 'a topic' }], [400, { topic: 'a'.repeat(33) }],
    [415, { 'content-encoding': 'aesgcm' }], [413, {}, 'x'.repeat(4097)],
    [401, { authorization: undefined }], [401, { authorization: vapid(other, service.origin) }],
    [401, { authorization: vapid(other, service.origin, { shown: ours.point }) }], [401, { authorization: vapid(ours, 'https://push.example') }],
    [401, { authorization: vapid(ours, service.origin, { lasts: 90_000 }) }], [401, { authorization: vapid(ours, service.origin, { lasts: -1 }) }],
    [404, {}, 'sealed', `${service.origin}/wpush/v2/unknown`],
  ];
  for (const [status, ...message] of refused) assert.equal((await post(...message)).status, status, JSON.stringify(message));
  assert.deepEqual(browser.given, []);
  const taken = await post();
  assert.equal(taken.status, 201);
  assert.ok(taken.headers.get('location').startsWith(`${service.origin}/m/`));
  assert.equal(taken.headers.get('ttl'), '60');
  while (!browser.given.length) await once(browser.socket, 'heard');
  const { text, version } = browser.given[0];
  assert.equal(text, 'sealed');
  browser.socket.send(JSON.stringify({ messageType: 'ack', updates: [{ channelID, version, code: 100 }] }));
  await service.until(({ acks }) => acks.length, 'an acknowledgement');
});

test('keeps for a browser that is away the last of each topic, while it is of use; a subscription that ended is gone', async () => {
  service.leave();
  for (const [headers, body] of [[{ topic: 'a' }, 'one'], [{ topic: 'a' }, 'two'], [{ ttl: '0' }, 'three'], [{ ttl: '5' }, 'four'], [{}, 'five']]) {
    assert.equal((await post(headers, body)).status, 201);
  }
  service.pass(6);
  await assert.rejects(connect(service, browser.uaid));
  service.comeBack();
  const again = await connect(service, browser.uaid);
  assert.equal(again.uaid, browser.uaid);
  await again.ask({});
  assert.deepEqual(again.given.map(({ text }) => text), ['two', 'five']);
  // What nobody acknowledged comes again.
  again.socket.terminate();
  const third = browser = await connect(service, again.uaid);
  await third.ask({});
  assert.deepEqual(third.given.map(({ text }) => text), ['two', 'five']);
  assert.equal((await third.ask({ messageType: 'unregister', channelID })).status, 200);
  assert.equal((await post()).status, 410);
  service.forget();
  browser = await connect(service, third.uaid);
  assert.notEqual(browser.uaid, third.uaid);
});
