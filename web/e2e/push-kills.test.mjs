// The server is killed again and again, at every step of the way of a push: none is lost, and none comes after its time.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';

import ece from 'http_ece';

import { Axiam, sleep } from './support/axiam.mjs';
import { data } from './support/http.mjs';
import { people } from './support/photos.mjs';

const [owner] = people();
const KILLS = Number(process.env.AXIAM_TEST_KILLS ?? 100);
const PATIENCE = 60_000;

/** Where the server is when it is killed. */
const STEPS = {
  /** It has just answered the site; the push may be written, taken, or on its way. */
  asked: async (push) => {
    await push();
    await kill();
  },
  /** A moment later, whatever it does then. */
  later: async (push) => {
    await push();
    await sleep(Math.random() * 40);
    await kill();
  },
  /** The push service has the message and has not answered. */
  posting: async (push) => {
    const reached = service.hold();
    await push();
    await reached;
    await kill();
    service.usual();
  },
  /** The push service has just taken the message. */
  taken: async (push) => {
    const taken = service.once((response) => response.writeHead(201).end());
    await push();
    await taken;
    await kill();
  },
  /** The push service has just said not now. */
  refused: async (push) => {
    const refused = service.once((response) => response.writeHead(503).end());
    await push();
    await refused;
    await kill();
  },
};

/** A push service that knows which sign-ons were brought to it. */
const service = {
  taken: new Map(),
  async open() {
    this.keys = crypto.createECDH('prime256v1');
    this.keys.generateKeys();
    this.auth = crypto.randomBytes(16).toString('base64url');
    this.usual();
    this.server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const body = Buffer.concat(parts);
      const { sign_on_id: id } = JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: this.keys, authSecret: this.auth }));
      assert.equal(request.headers.topic, Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'));
      this.react(id, request, response);
    });
    this.server.on('clientError', () => {});
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    const endpoint = `http://127.0.0.1:${this.server.address().port}/phone`;
    return { endpoint, keys: { p256dh: this.keys.getPublicKey('base64url'), auth: this.auth } };
  },
  note(id, request) {
    const ttl = Number(request.headers.ttl);
    assert.ok(ttl > 0, `a push came with ${ttl} s left`);
    this.taken.set(id, [...(this.taken.get(id) ?? []), Date.now()]);
  },
  usual() {
    this.react = (id, request, response) => {
      this.note(id, request);
      response.writeHead(201).end();
    };
  },
  /** Answers nothing until told otherwise; resolves when a message has come. */
  hold() {
    return new Promise((resolve) => { this.react = () => resolve(); });
  },
  /** Answers one message like this. */
  once(answer) {
    return new Promise((resolve) => {
      this.react = (id, request, response) => {
        this.usual();
        answer(response);
        if (response.statusCode === 201) this.note(id, request);
        resolve();
      };
    });
  },
  close() {
    this.server?.closeAllConnections();
    this.server?.close();
  },
};

let axiam, site, subscription;
const kill = () => axiam.halt('SIGKILL');

before(async () => {
  axiam = await Axiam.start({ settings: { AXIAM_OUTGOING_ALLOW: '127.0.0.0/8', AXIAM_OUTGOING_TIMEOUT: '1' } });
  site = await axiam.createSite('https://shop.example');
  await site.authenticate();
  subscription = await service.open();
});
after(async () => {
  service.close();
  await axiam?.stop();
});

async function phoneOf(email) {
  const person = await site.person(email, { photos: [owner.photo(0)] });
  data(await person.phone.post('/device/push', { push: { kind: 'web_push', subscription } }));
  return person;
}

const listed = async (...more) => JSON.parse(await axiam.must('push', 'list', site.id, '--json', '--last', '1000', ...more));

test(`of pushes under way in ${KILLS} kills every one arrives`, { timeout: 600_000 }, async () => {
  const { id } = await phoneOf('ann@shop.example');
  const steps = Object.values(STEPS);
  let asked = 0;
  for (let round = 0; round < KILLS; round++) {
    await steps[round % steps.length](async () => {
      await site.push(id);
      asked++;
    });
    await axiam.again();
  }
  service.usual();
  const pushes = await listed();
  assert.equal(pushes.length, asked);
  const deadline = Date.now() + PATIENCE;
  const missing = () => pushes.filter((push) => !service.taken.has(push.sign_on_id)).length;
  while (missing() && Date.now() < deadline) await sleep(100);
  assert.equal(missing(), 0, `of ${asked} some never came`);
  const times = [...service.taken.values()].map((each) => each.length);
  console.log(`# ${asked} pushes, ${KILLS} kills: ${times.filter((count) => count > 1).length} came more than once, at most ${Math.max(...times)} times`);
  // What arrived is known to have: the last note may be on its way.
  while ((await listed()).some((push) => !push.sent_at) && Date.now() < deadline) await sleep(200);
  assert.ok((await listed()).every((push) => push.sent_at));
});

test('what was under way when the server died is dropped once its time is over', { timeout: 120_000 }, async () => {
  const { id } = await phoneOf('bob@shop.example');
  service.react = (_, __, response) => response.writeHead(503).end();
  // Of use for seconds alone: they are over before it serves again.
  await axiam.halt('SIGTERM');
  axiam.environment.AXIAM_SIGN_ON_LIFETIME = '3';
  await axiam.again();
  for (let count = 0; count < 5; count++) await site.push(id);
  await kill();
  await sleep(3_500);
  service.usual();
  const before = service.taken.size;
  await axiam.again();
  const late = (push) => Date.parse(push.created_at) > Date.now() - 60_000 && !push.sent_at;
  assert.equal((await listed()).filter(late).length, 5);
  // A push that goes now would have gone after them.
  axiam.environment.AXIAM_SIGN_ON_LIFETIME = '600';
  await axiam.halt('SIGTERM');
  await axiam.again();
  await site.push(id);
  const deadline = Date.now() + PATIENCE;
  while (service.taken.size === before && Date.now() < deadline) await sleep(50);
  assert.equal(service.taken.size, before + 1);
  assert.equal((await listed()).filter(late).length, 5);
});
