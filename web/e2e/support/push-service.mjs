// Stands in for Mozilla's push service: servers post to it by RFC 8030 and prove who they are by RFC 8292, Firefox hears from it over
// the WebSocket that `dom.push.serverURL` names (Chromium by google-push.mjs). It sees what a push service sees, so it cannot read a message.

import crypto from 'node:crypto';
import http from 'node:http';

import { WebSocketServer } from 'ws';

const URGENCIES = ['very-low', 'low', 'normal', 'high'];
const TOPIC = /^[A-Za-z0-9_-]{1,32}$/;
/** The largest message, in bytes, that every push service takes (RFC 8030, 7.2). */
const LARGEST = 4096;
/** Seconds for which a message is kept at most: 30 days, as Mozilla does. */
const LONGEST = 2_592_000;
/** Seconds that a server's proof of itself may last (RFC 8292, 2). */
const DAY = 86_400;

/** Settings of Firefox under which it uses this service, in the clear, and comes back soon when it was away. */
export const preferences = (service) => ({
  'dom.push.serverURL': service.address,
  'dom.push.connection.enabled': true,
  'dom.push.testing.allowInsecureServerURL': true,
  'dom.push.retryBaseInterval': 100,
  'network.websocket.delay-failed-reconnects': false,
});

export class PushService {
  #ahead = 0;
  #isAway = false;
  #browsers = new Map();
  #subscriptions = new Map();
  #listeners = new Set();
  #server = http.createServer((request, response) => void this.#answer(request, response));
  #sockets = new WebSocketServer({ noServer: true });

  /** What servers posted: {status, why, headers, path}. */
  posts = [];
  /** What browsers said of what they were given; 100 is read and handed on, 101 not decrypted, 102 not delivered. */
  acks = [];

  static async open() {
    const service = new PushService();
    service.#server.on('upgrade', (request, socket, head) => {
      if (service.#isAway) return socket.destroy();
      return service.#sockets.handleUpgrade(request, socket, head, (browser) => service.#hear(browser));
    });
    await new Promise((resolve) => service.#server.listen(0, '127.0.0.1', resolve));
    const { port } = service.#server.address();
    service.origin = `http://127.0.0.1:${port}`;
    service.address = `ws://127.0.0.1:${port}/`;
    return service;
  }

  /** Waits until something of what it has seen is so. */
  async until(isSo, what, patience = 15_000) {
    const found = () => isSo(this);
    if (found()) return found();
    return new Promise((resolve, reject) => {
      const end = (then, value) => { clearTimeout(timer); this.#listeners.delete(look); then(value); };
      const timer = setTimeout(() => end(reject, new Error(`the push service never saw: ${what}; ${this.#seen()}`)), patience);
      const look = () => { const value = found(); if (value) end(resolve, value); };
      this.#listeners.add(look);
    });
  }

  /** No browser reaches it, as phones that are off. What is posted waits. */
  leave() {
    this.#isAway = true;
    for (const browser of this.#sockets.clients) browser.terminate();
  }

  comeBack() {
    this.#isAway = false;
  }

  /** Its clock goes on by so many seconds. */
  pass(seconds) {
    this.#ahead += seconds;
  }

  /** Ends all subscriptions, and tells no browser. */
  end() {
    for (const subscription of this.#subscriptions.values()) Object.assign(subscription, { isGone: true, waiting: [] });
  }

  /** Forgets every browser, as push services do of those that were away for long: their subscriptions are gone. */
  forget() {
    this.#browsers.clear();
    this.end();
    for (const browser of this.#sockets.clients) browser.terminate();
  }

  close() {
    for (const browser of this.#sockets.clients) browser.terminate();
    this.#sockets.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }

  #seen() {
    return JSON.stringify({ posts: this.posts.map(({ status, why }) => `${status} ${why}`), acks: this.acks, subscriptions: this.#subscriptions.size });
  }

  #tell() {
    for (const look of [...this.#listeners]) look();
  }

  #now() {
    return Date.now() / 1000 + this.#ahead;
  }

  // Servers.

  async #answer(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const subscription = this.#subscriptions.get(request.url);
    const [status, why] = this.#judge(request, body, subscription);
    const { ttl, topic } = request.headers;
    if (status === 201) {
      const granted = Math.min(Number(ttl), LONGEST);
      const version = crypto.randomUUID();
      response.setHeader('location', `${this.origin}/m/${version}`);
      response.setHeader('ttl', granted);
      this.#take(subscription, { version, topic, body, ends: this.#now() + granted });
    }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ code: status, message: why }));
    this.posts.push({ status, why, headers: request.headers, path: request.url });
    this.#tell();
  }

  #judge({ method, headers }, body, subscription) {
    if (method !== 'POST') return [405, 'messages are posted'];
    if (!subscription) return [404, 'there was no such subscription'];
    if (subscription.isGone) return [410, 'the subscription is gone'];
    if (!/^\d{1,10}$/.test(headers.ttl ?? '')) return [400, 'no TTL'];
    if (headers.urgency !== undefined && !URGENCIES.includes(headers.urgency)) return [400, 'an unknown Urgency'];
    if (headers.topic !== undefined && !TOPIC.test(headers.topic)) return [400, 'no Topic'];
    if (body.length > LARGEST) return [413, 'too large'];
    if (body.length && headers['content-encoding'] !== 'aes128gcm') return [415, 'not aes128gcm'];
    const wrong = this.#isWrongServer(headers.authorization, subscription);
    return wrong ? [401, wrong] : [201, ''];
  }

  /** Whoever posts must hold the key that the browser subscribed for. */
  #isWrongServer(authorization, { key }) {
    const [, token, shown] = /^vapid t=([^, ]+), ?k=([A-Za-z0-9_-]+)$/.exec(authorization ?? '') ?? [];
    if (!token) return 'no VAPID';
    const point = Buffer.from(shown, 'base64url');
    if (!point.equals(key)) return 'not the key of the subscription';
    const jwk = { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33).toString('base64url') };
    const [head, claims, signature] = token.split('.');
    const proven = crypto.verify('sha256', Buffer.from(`${head}.${claims}`),
      { key: crypto.createPublicKey({ key: jwk, format: 'jwk' }), dsaEncoding: 'ieee-p1363' }, Buffer.from(signature, 'base64url'));
    if (!proven) return 'not signed by that key';
    const { aud, exp } = JSON.parse(Buffer.from(claims, 'base64url'));
    // By the world's clock: that of this service runs ahead for what waits alone.
    const left = exp - Date.now() / 1000;
    return aud !== this.origin ? 'for another push service' : !(left > 0 && left <= DAY) ? 'lasts too long, or no more' : null;
  }

  #take(subscription, message) {
    if (message.topic) subscription.waiting = subscription.waiting.filter(({ topic }) => topic !== message.topic);
    subscription.waiting.push(message);
    this.#deliver(subscription);
    // Of use at once or never.
    if (message.ends <= this.#now()) subscription.waiting = subscription.waiting.filter((one) => one !== message);
  }

  // Browsers.

  #deliver({ uaid, channelID, waiting }) {
    const browser = this.#browsers.get(uaid);
    if (!browser) return;
    for (const message of waiting) {
      if (message.sentTo === browser || message.ends < this.#now()) continue;
      message.sentTo = browser;
      const { version, body } = message;
      say(browser, { messageType: 'notification', channelID, version, ttl: Math.ceil(message.ends - this.#now()),
        ...(body.length ? { data: body.toString('base64url'), headers: { encoding: 'aes128gcm' } } : {}) });
    }
  }

  #hear(browser) {
    browser.on('message', (text) => {
      const said = JSON.parse(text);
      this.#replies[said.messageType ?? 'ping']?.(browser, said);
      this.#tell();
    });
    browser.on('error', () => {});
    // Known all the same, but away.
    browser.on('close', () => this.#browsers.get(browser.uaid) === browser && this.#browsers.set(browser.uaid, null));
  }

  #of(uaid) {
    return [...this.#subscriptions.values()].filter((one) => one.uaid === uaid && !one.isGone);
  }

  #replies = {
    hello: (browser, { uaid }) => {
      browser.uaid = this.#browsers.has(uaid) ? uaid : crypto.randomBytes(16).toString('hex');
      this.#browsers.set(browser.uaid, browser);
      say(browser, { messageType: 'hello', uaid: browser.uaid, status: 200, use_webpush: true, broadcasts: {} });
      for (const subscription of this.#of(browser.uaid)) this.#deliver(subscription);
    },
    register: (browser, { channelID, key }) => {
      const path = `/wpush/v2/${crypto.randomBytes(32).toString('base64url')}`;
      this.#subscriptions.set(path, { uaid: browser.uaid, channelID, key: Buffer.from(key, 'base64url'), waiting: [], isGone: false });
      say(browser, { messageType: 'register', channelID, status: 200, pushEndpoint: this.origin + path });
    },
    unregister: (browser, { channelID }) => {
      for (const one of this.#of(browser.uaid)) if (one.channelID === channelID) one.isGone = true;
      say(browser, { messageType: 'unregister', channelID, status: 200 });
    },
    ack: (browser, { updates }) => {
      this.acks.push(...updates);
      for (const one of this.#of(browser.uaid)) one.waiting = one.waiting.filter(({ version }) => !updates.some((update) => update.version === version));
    },
    nack: (_, { code, version }) => this.acks.push({ code, version, isNack: true }),
    ping: (browser) => browser.send('{}'),
  };
}

const say = (browser, message) => browser.send(JSON.stringify(message));
