// Stands before the push service for Chromium, which speaks Google's protocols to it: a check-in and registrations over http, and a stream
// of protocol buffers over TLS, MCS (in Chromium's source: google_apis/gcm). What a push service does is done by the one behind.

import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';

import { WebSocket } from 'ws';

const MCS = { version: 41, ping: 0, pong: 1, login: 2, welcome: 3, message: 8 };
/** What the browser is called at the check-in: a name and a secret, any numbers. */
const [NAME, SECRET] = [4_000_000_000_000_001n, 5_000_000_000_000_001n];

const varint = (number) => {
  const signs = [];
  let rest = BigInt(number);
  for (; rest > 127n; rest >>= 7n) signs.push(Number(rest & 127n) | 128);
  return Buffer.from([...signs, Number(rest)]);
};
const fixed = (field, value) => {
  const eight = Buffer.alloc(8);
  eight.writeBigUInt64LE(value);
  return Buffer.concat([varint(field << 3 | 1), eight]);
};
const number = (field, value) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field, value) => Buffer.concat([varint(field << 3 | 2), varint(Buffer.byteLength(value)), Buffer.from(value)]);
const message = (tag, ...fields) => {
  const body = Buffer.concat(fields);
  return Buffer.concat([Buffer.from([tag]), varint(body.length), body]);
};

export class GooglePush {
  #folder = fs.mkdtempSync(path.join(os.tmpdir(), 'axiam-push-'));
  #registered = new Map();
  #waiting = [];
  #replies = [];
  #line = null;

  /** `service` keeps the subscriptions and takes what servers post. */
  static async before(service) {
    const google = new GooglePush();
    google.service = service;
    await google.#open();
    return google;
  }

  /** Switches for the browser. */
  get args() {
    const web = `http://127.0.0.1:${this.web.address().port}`;
    return [
      `--gcm-checkin-url=${web}/checkin`, `--gcm-registration-url=${web}/register`,
      `--gcm-mcs-endpoint=https://127.0.0.1:${this.stream.address().port}`, '--ignore-certificate-errors',
    ];
  }

  async #open() {
    this.behind = new WebSocket(this.service.address, 'push-notification');
    this.behind.on('message', (text) => this.#pass(JSON.parse(text)));
    await once(this.behind, 'open');
    await this.#ask({ messageType: 'hello', use_webpush: true });
    this.web = http.createServer((request, response) => void this.#answer(request, response));
    const [key, cert] = ['key', 'cert'].map((name) => path.join(this.#folder, name));
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2',
      '-keyout', key, '-out', cert, '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'], { stdio: 'ignore' });
    this.stream = tls.createServer({ key: fs.readFileSync(key), cert: fs.readFileSync(cert) }, (line) => this.#hear(line));
    for (const server of [this.web, this.stream]) await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  }

  close() {
    this.#line?.destroy();
    this.stream.close();
    this.web.closeAllConnections();
    this.web.close();
    this.behind.terminate();
    fs.rmSync(this.#folder, { recursive: true, force: true });
  }

  async #ask(question) {
    this.behind.send(JSON.stringify(question));
    return new Promise((resolve) => { this.#replies.push(resolve); });
  }

  async #answer(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    if (request.url === '/checkin') return response.end(Buffer.concat([number(1, 1), number(3, Date.now()), fixed(7, NAME), fixed(8, SECRET)]));
    const form = new URLSearchParams(Buffer.concat(parts).toString());
    return response.end(await this.#register(form));
  }

  /** A subscription of the web is one whose name begins with `wp:`; its sender is the key of the server. */
  async #register(form) {
    const name = form.get('X-subtype') ?? '';
    if (!name.startsWith('wp:')) return 'token=other';
    if (form.get('delete') === 'true') {
      await this.#ask({ messageType: 'unregister', channelID: name });
      return `token=${form.get('sender')}`;
    }
    const { pushEndpoint } = await this.#ask({ messageType: 'register', channelID: name, key: form.get('sender') });
    this.#registered.set(name, { app: form.get('app'), sender: form.get('sender') });
    return `token=${pushEndpoint.split('/').at(-1)}`;
  }

  /** What the service behind says: an answer, or a message for the browser. */
  #pass(said) {
    if (said.messageType !== 'notification') return this.#replies.shift()?.(said);
    this.#waiting.push(said);
    return this.#deliver();
  }

  #deliver() {
    if (!this.#line) return;
    for (const { channelID, version, ttl, data } of this.#waiting.splice(0)) {
      const { app, sender } = this.#registered.get(channelID);
      const told = (name, value) => bytes(7, Buffer.concat([bytes(1, name), bytes(2, value)]));
      this.#line.write(message(MCS.message, bytes(2, version), bytes(3, sender), bytes(5, app), told('subtype', channelID),
        told('content-encoding', 'aes128gcm'), bytes(9, version), number(17, ttl), number(18, Date.now()), bytes(21, Buffer.from(data, 'base64url'))));
      // Chromium says that it has a message, not whether it could read it.
      this.behind.send(JSON.stringify({ messageType: 'ack', updates: [{ channelID, version }] }));
    }
  }

  /** Each message is a tag, its length and its fields; before the first comes the version. */
  #hear(line) {
    let heard = Buffer.alloc(0);
    let isGreeted = false;
    line.on('error', () => {});
    line.on('close', () => { if (this.#line === line) this.#line = null; });
    line.on('data', (more) => {
      heard = Buffer.concat([heard, more]);
      if (!isGreeted) [isGreeted, heard] = [true, heard.subarray(1)];
      for (let next = first(heard); next; next = first(heard)) {
        heard = heard.subarray(next.length);
        if (next.tag === MCS.ping) line.write(message(MCS.pong));
        if (next.tag !== MCS.login) continue;
        line.write(Buffer.concat([Buffer.from([MCS.version]), message(MCS.welcome, bytes(1, 'welcome'), number(8, Date.now()))]));
        this.#line = line;
        this.#deliver();
      }
    });
  }
}

/** The first message of what was heard, if it is all there. */
function first(heard) {
  let at = 1;
  let size = 0;
  for (let shift = 0; at < heard.length; shift += 7) {
    const sign = heard[at++];
    size |= (sign & 127) << shift;
    if (sign < 128) return heard.length >= at + size ? { tag: heard[0], length: at + size } : null;
  }
  return null;
}
