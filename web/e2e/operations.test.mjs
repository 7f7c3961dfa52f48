// What an operator relies on: bounds on connections, a graceful end, health, numbers.

import assert from 'node:assert/strict';
import net from 'node:net';
import { after, describe, test } from 'node:test';

import { WebSocket } from 'ws';

import { Axiam, freePort, sleep } from './support/axiam.mjs';
import { data, failure, request } from './support/http.mjs';
import { Page } from './support/page.mjs';
import { people } from './support/photos.mjs';

const running = [];
after(() => Promise.all(running.map((axiam) => axiam.stop())));

async function start(settings) {
  const axiam = await Axiam.start({ settings });
  running.push(axiam);
  return axiam;
}

const opened = (socket) => new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
const connect = async (axiam) => {
  const socket = new WebSocket(axiam.cable, ['actioncable-v1-json']);
  socket.on('error', () => {});
  await opened(socket);
  return socket;
};

describe('bounds', () => {
  test('who does not say what it wants is cut off, before the first request and after', async () => {
    const axiam = await start({ AXIAM_SERVER_HEAD_TIMEOUT: '1' });
    for (const said of ['', 'GET /health/live HTTP/1.1\r\nHost: x\r\n', 'GET /health/live HTTP/1.1\r\nHost: x\r\n\r\n']) {
      const socket = net.connect(axiam.port, '127.0.0.1');
      let heard = '';
      socket.on('data', (chunk) => { heard += chunk; });
      socket.on('error', () => {});
      socket.write(said);
      const closed = new Promise((resolve) => socket.once('close', () => resolve('closed')));
      assert.equal(await Promise.race([closed, sleep(10_000)]), 'closed', JSON.stringify(said));
      if (said.endsWith('\r\n\r\n')) assert.match(heard, /^HTTP\/1.1 200/);
    }
    // One that said it in time stays.
    const page = await connect(axiam);
    await sleep(1500);
    assert.equal(page.readyState, WebSocket.OPEN);
    page.terminate();
  });

  test('connections beyond the bound are told to come again, and supervisors how it is', async () => {
    const axiam = await start({ AXIAM_SERVER_CONNECTIONS: '3' });
    const pages = [await connect(axiam), await connect(axiam), await connect(axiam)];
    const ask = () => request(`${axiam.url}/.well-known/jwks.json`);
    failure(await ask(), 5003);
    data(await request(`${axiam.url}/health/live`));
    pages.pop().terminate();
    let answer = await ask();
    for (const end = Date.now() + 10_000; answer.status !== 200 && Date.now() < end; answer = await ask()) await sleep(20);
    assert.ok(answer.json.keys.length > 0);
    pages.forEach((page) => page.terminate());
  });
});

describe('the end', () => {
  test('pages are sent away over the time that is set, and nobody new is let in', async () => {
    const axiam = await start({ AXIAM_CABLE_DRAIN: '2' });
    data(await request(`${axiam.url}/health/ready`));
    const farewells = [];
    const pages = await Promise.all(Array.from({ length: 40 }, () => connect(axiam)));
    for (const page of pages) {
      page.on('message', (text) => {
        const message = JSON.parse(text);
        if (message.type === 'disconnect') farewells.push({ at: Date.now(), ...message });
      });
    }
    axiam.child.kill('SIGTERM');
    for (const end = Date.now() + 5000; farewells.length === 0 && Date.now() < end; await sleep(10));
    failure(await request(`${axiam.url}/health/ready`), 5003);
    assert.equal(data(await request(`${axiam.url}/health/live`)).status, 'live');
    const upgrade = { connection: 'Upgrade', upgrade: 'websocket', 'sec-websocket-version': '13', 'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==' };
    failure(await request(`${axiam.url}/cable`, { headers: upgrade }), 5003);
    await axiam.ended;
    assert.equal(axiam.child.exitCode, 0);
    assert.equal(farewells.length, 40);
    assert.ok(farewells.every(({ reason, reconnect }) => reason === 'server_restart' && reconnect === true));
    const took = Math.max(...farewells.map(({ at }) => at)) - Math.min(...farewells.map(({ at }) => at));
    assert.ok(took > 1000, `they were all sent away within ${took} ms`);
  });
});

describe('numbers', () => {
  test('are where the settings say, and nowhere else', async () => {
    const port = await freePort();
    const axiam = await start({ AXIAM_METRICS_LISTEN: `127.0.0.1:${port}` });
    const site = await axiam.createSite('https://example.com');
    await site.authenticate();
    const person = await site.person('ada@example.com', { photos: [people()[0].photo(0)] });
    const page = new Page(axiam, { token: site.pageToken });
    const { verification_token } = await site.push(person.id);
    const verdict = await page.listen('FacialSignOnLoginChannel', { verification_token });
    const [waiting] = await person.phone.pending();
    data(await person.phone.deny(waiting.sign_on_id));
    await verdict.hears('denied');
    failure(await request(`${axiam.url}/metrics`), 1006);
    failure(await request(`${axiam.url}/nowhere/else`), 1006);
    const { text, headers } = await request(`http://127.0.0.1:${port}/metrics`);
    assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
    for (const line of [
      /^axiam_cable_connections 1$/m,
      /^axiam_cable_subscriptions 1$/m,
      /^axiam_cable_latency_seconds_count [1-9]/m,
      /^axiam_sign_ons_total\{verdict="denied"\} 1$/m,
      /^axiam_sign_ons_asked_total 1$/m,
      /^axiam_face_work_seconds_count 1$/m,
      /^axiam_verdict_told_seconds_count 1$/m,
      /^axiam_requests_total\{.*route="\/api\/v1\/facial_sign_on\/login\/deny".*status="200".*\} 1$/m,
      /^axiam_requests_total\{.*route="none".*status="404".*\} [1-9]/m,
    ]) assert.match(text, line);
    assert.doesNotMatch(text, /nowhere|vt_|ada@/);
    page.close();
  });
});
