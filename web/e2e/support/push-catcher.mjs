// A browser's push service, and the phone behind it, as far as a message comes.

import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import http from 'node:http';
import net from 'node:net';

import ece from 'http_ece';

export class PushService {
  /** Messages that it took, by their sign-on: when, and in which life of the server. */
  came = new Map();
  /** Messages that it read, whatever became of them. */
  messages = 0;
  /** Sign-ons of which no message is to come any more. */
  over = new Set();
  /** Those of which one came all the same. */
  again = [];
  /** Connections that nobody has read from. */
  #waiting = [];

  /** `life` tells how often the server was killed until now. */
  static async open(life) {
    const service = new PushService();
    const keys = crypto.createECDH('prime256v1');
    keys.generateKeys();
    const auth = crypto.randomBytes(16);
    service.life = life;
    service.decrypt = (body) => JSON.parse(ece.decrypt(body, { version: 'aes128gcm', privateKey: keys, authSecret: auth.toString('base64url') }));
    service.usual();
    await service.#listen();
    const endpoint = `http://127.0.0.1:${service.door.address().port}/phone`;
    service.subscription = { endpoint, keys: { p256dh: keys.getPublicKey('base64url'), auth: auth.toString('base64url') } };
    return service;
  }

  async #listen() {
    this.server = http.createServer(async (request, response) => {
      const parts = [];
      for await (const part of request) parts.push(part);
      const { sign_on_id: id } = this.decrypt(Buffer.concat(parts));
      assert.equal(request.headers.topic, Buffer.from(id.replaceAll('-', ''), 'hex').toString('base64url'));
      this.messages++;
      if (this.over.has(id)) this.again.push(id);
      this.react(id, response);
    });
    this.server.on('clientError', () => {});
    // Connections are taken here, so that one can be left unread.
    this.door = net.createServer({ pauseOnConnect: true }, (socket) => {
      socket.on('error', () => {});
      this.enter(socket);
    });
    await new Promise((resolve) => this.door.listen(0, '127.0.0.1', resolve));
  }

  #serve(socket) {
    this.server.emit('connection', socket);
    socket.resume();
  }

  /** A message comes to its phone. */
  deliver(id) {
    this.came.set(id, [...(this.came.get(id) ?? []), { at: Date.now(), life: this.life() }]);
  }

  /** Takes every message; connections that were left unread are cut. */
  usual() {
    for (const socket of this.#waiting.splice(0)) socket.destroy();
    this.enter = (socket) => this.#serve(socket);
    this.react = (id, response) => {
      this.deliver(id);
      response.writeHead(201).end();
    };
  }

  /** Reads from no connection until told otherwise; resolves when there is one. */
  shut() {
    return new Promise((resolve) => {
      this.enter = (socket) => {
        this.#waiting.push(socket);
        resolve();
      };
    });
  }

  /** Answers nothing until told otherwise; resolves with the sign-on of the first message that has come. */
  hold() {
    return new Promise((resolve) => { this.react = resolve; });
  }

  /** Answers one message like this. */
  once(answer) {
    return new Promise((resolve) => {
      this.react = (id, response) => {
        this.usual();
        answer(response);
        if (response.statusCode === 201) this.deliver(id);
        resolve();
      };
    });
  }

  close() {
    for (const socket of this.#waiting) socket.destroy();
    this.server?.closeAllConnections();
    this.server?.close();
    this.door?.close();
  }
}
