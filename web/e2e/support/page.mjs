// A page of the site: the official Action Cable client, told that this is a browser.

import assert from 'node:assert/strict';
import { createRequire } from 'node:module';

import { WebSocket } from 'ws';

// What the client expects around it and Node lacks.
globalThis.addEventListener ??= () => {};
globalThis.removeEventListener ??= () => {};
globalThis.document ??= { visibilityState: 'visible', addEventListener() {}, removeEventListener() {} };

const { adapters, createConsumer } = createRequire(import.meta.url)('@rails/actioncable');

const PATIENCE = 15_000;

// Browsers say where a page comes from, and cannot set other headers.
export class BrowserSocket extends WebSocket {
  constructor(url, protocols) {
    super(url, protocols, { origin: 'http://localhost:8080' });
  }
}
adapters.WebSocket = BrowserSocket;

export class Page {
  /** `token` opens the connection, in the address or (`hidden`) as a subprotocol; `query` adds to the address. */
  constructor(axiam, { token, hidden = false, query = '' } = {}) {
    const search = new URLSearchParams(query);
    if (token && !hidden) search.set('token', token);
    const address = search.size ? `${axiam.cable}?${search}` : axiam.cable;
    this.consumer = createConsumer(address);
    if (token && hidden) this.consumer.addSubProtocol(`anycable-token.${token}`);
  }

  subscribe(channel, params = {}) {
    return new Subscription(this.consumer, { channel, ...params });
  }

  /** Subscribes and waits for the confirmation. */
  async listen(channel, params) {
    const subscription = this.subscribe(channel, params);
    assert.equal(await subscription.outcome, 'confirmed', `${channel} was not confirmed`);
    return subscription;
  }

  close() {
    this.consumer.disconnect();
  }
}

class Subscription {
  constructor(consumer, params) {
    this.messages = [];
    this.waiting = [];
    this.outcome = new Promise((resolve) => {
      const timer = setTimeout(() => resolve('neither confirmed nor rejected'), PATIENCE);
      const settle = (word) => { clearTimeout(timer); resolve(word); };
      this.handle = consumer.subscriptions.create(params, {
        connected: () => settle('confirmed'),
        rejected: () => settle('rejected'),
        received: (message) => this.#hear(message),
      });
    });
  }

  #hear(message) {
    this.messages.push(message);
    this.waiting.splice(0).forEach((wake) => wake());
  }

  /** The first message of this status, also one that came before; fails after a while. */
  async hears(status) {
    const deadline = Date.now() + PATIENCE;
    for (;;) {
      const found = this.messages.find((message) => message.status === status);
      if (found) return found;
      const left = deadline - Date.now();
      assert.ok(left > 0, `no "${status}" came; came: ${JSON.stringify(this.messages)}`);
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, left);
        this.waiting.push(() => { clearTimeout(timer); resolve(); });
      });
    }
  }

  /** The statuses in the order they came, without the greeting. */
  get statuses() {
    return this.messages.map((message) => message.status).filter(Boolean);
  }
}
