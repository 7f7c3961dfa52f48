// A TCP proxy between a client and the program, where the network can fail: connections are cut,
// held as in a dead network, refused.

import net from 'node:net';

export class Proxy {
  #server;
  #pairs = new Set();
  #held = false;
  #refuses = false;
  #next = 0;

  /** `targets` are ports of this machine; each connection goes to the next that takes it. */
  static async to(...targets) {
    const proxy = new Proxy();
    proxy.targets = targets;
    proxy.#server = net.createServer((near) => proxy.#join(near));
    await new Promise((resolve, reject) => proxy.#server.once('error', reject).listen(0, '127.0.0.1', resolve));
    proxy.port = proxy.#server.address().port;
    return proxy;
  }

  async #join(near) {
    near.on('error', () => {});
    if (this.#refuses) return near.destroy();
    const pair = { near, far: null };
    this.#pairs.add(pair);
    near.once('close', () => { this.#pairs.delete(pair); pair.far?.destroy(); });
    const first = this.#next++;
    for (let tries = 0; tries < this.targets.length && !pair.far; tries++) {
      pair.far = await connect(this.targets[(first + tries) % this.targets.length]);
    }
    if (!pair.far || near.destroyed) {
      pair.far?.destroy();
      return near.destroy();
    }
    pair.far.on('error', () => {});
    pair.far.once('close', () => near.destroy());
    if (!this.#held) flow(pair);
  }

  /** Ends all connections without a word; new ones are taken. */
  cut() {
    for (const { near, far } of [...this.#pairs]) {
      near.resetAndDestroy();
      far?.destroy();
    }
  }

  /** Nothing passes in either direction, and nobody is told. */
  hold() {
    this.#held = true;
    for (const { near, far } of this.#pairs) {
      near.unpipe().pause();
      far?.unpipe().pause();
    }
  }

  /** What was held goes on. */
  release() {
    this.#held = false;
    for (const pair of this.#pairs) if (pair.far) flow(pair);
  }

  /** Whether new connections are refused. */
  set refuses(refuses) {
    this.#refuses = refuses;
  }

  async close() {
    this.#refuses = true;
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

function flow({ near, far }) {
  near.pipe(far, { end: false });
  far.pipe(near, { end: false });
}

function connect(port) {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
