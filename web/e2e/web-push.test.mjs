// A push as a browser gets it: a push service of our own takes it, an independent library opens it.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';

import ece from 'http_ece';

import { Axiam } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();
const services = [];
let axiam, site;

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8', AXIAM_PUSH_CONTACT: 'mailto:ops@shop.example' } });
  site = await axiam.createSite('https://shop.example');
  await site.authenticate();
});
after(async () => {
  services.forEach(close);
  await axiam?.stop();
});

function close(service) {
  service.closeAllConnections();
  service.close();
}

/** A push service: what it was sent, one after another. */
async function serve() {
  const messages = [];
  let go = () => {};
  const service = http.createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    response.writeHead(201).end();
    messages.push({ headers: request.headers, body: Buffer.concat(parts) });
    go();
  });
  services.push(service);
  await new Promise((resolve) => service.listen(0, '127.0.0.1', resolve));
  const next = async () => {
    while (!messages.length) await new Promise((resolve) => { go = resolve; });
    return messages.shift();
  };
  return { origin: `http://127.0.0.1:${service.address().port}`, next };
}

function browser() {
  const keys = crypto.createECDH('prime256v1');
  keys.generateKeys();
  const auth = crypto.randomBytes(16).toString('base64url');
  return {
    keys: { p256dh: keys.getPublicKey('base64url'), auth },
    open: (body) => JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth })),
  };
}

test('a push is opened by the browser it is for, and says where, but no number', { timeout: 60_000 }, async () => {
  const { origin, next } = await serve();
  const { keys, open } = browser();
  const ann = await site.person('ann@example.com', { photos: [owner.photo(0)] });
  const subscription = { endpoint: `${origin}/abc`, keys };
  data(await ann.phone.post('/device/push', { push: { kind: 'web_push', subscription } }));
  const pushed = await site.sendPush('ann@example.com');
  const { headers, body } = await next();

  const plain = open(body);
  const [waiting] = await ann.phone.pending();
  assert.equal(plain.web_push, 8030);
  assert.match(plain.notification.title, /shop\.example/);
  assert.equal(plain.notification.navigate, `${axiam.url}/phone/`);
  assert.equal(plain.sign_on_id, waiting.sign_on_id);
  assert.deepEqual(Object.keys(plain).sort(), ['device_id', 'mutable', 'notification', 'sign_on_id', 'site', 'web_push']);
  assert.ok(!JSON.stringify(plain).includes(pushed.verification_token) && !('number' in plain) && pushed.number !== undefined);

  // By the key that the phone was given to subscribe for.
  const { web_push_key } = data(await ann.phone.send('GET', '/device'));
  const [, token, key] = /^vapid t=([^,]+), k=(\S+)$/.exec(headers.authorization);
  assert.equal(key, web_push_key);
  const point = Buffer.from(key, 'base64url');
  const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
  const [head, claims, signature] = token.split('.');
  const isSigned = crypto.verify('sha256', Buffer.from(`${head}.${claims}`),
    { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
  assert.ok(isSigned);
  const said = JSON.parse(Buffer.from(claims, 'base64url'));
  assert.equal(said.aud, origin);
  assert.equal(said.sub, 'mailto:ops@shop.example');
});

test('an operator tries out whether a person is woken, and sees what became of pushes', { timeout: 60_000 }, async () => {
  const { origin, next } = await serve();
  const { keys, open } = browser();
  const bob = await site.person('bob@example.com', { photos: [owner.photo(0)] });
  const none = await axiam.run('push', 'test', site.id, 'bob@example.com');
  assert.match(none.stdout, /woken by nothing/);
  data(await bob.phone.post('/device/push', { push: { kind: 'web_push', subscription: { endpoint: `${origin}/bob`, keys } } }));
  assert.match(await axiam.must('push', 'test', site.id, 'bob@example.com'), /took it: 201/);
  const { test: isTest, site: { name } } = open((await next()).body);
  assert.deepEqual([isTest, name], [true, 'shop.example']);
  assert.deepEqual(await bob.phone.pending(), []);

  await site.sendPush('bob@example.com');
  const { sign_on_id } = open((await next()).body);
  let told;
  do {
    [told] = JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1'));
  } while (!told.sent_at);
  assert.equal(told.sign_on_id, sign_on_id);
  assert.match(await axiam.must('push', 'list', site.id), /web_push +sent \d/);
  assert.match((await axiam.run('doctor')).stdout, /pushes +\d+ phone\(s\) woken by Web Push, 0 by FCM/);

  services.forEach(close);
  const failed = await axiam.run('push', 'test', site.id, 'bob@example.com');
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /No push service was reached/);
  assert.notEqual((await axiam.run('push', 'test', site.id, 'nobody@example.com')).code, 0);
});
